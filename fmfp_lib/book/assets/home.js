// The home page's slider: wrong answers among the surest ones.
(() => {
  const box = document.querySelector(".home-slider"), input = box.querySelector("input");
  const errors = JSON.parse(box.dataset.errors), picture = box.querySelector("[role=img]");
  const show = () => {
    const at = input.value - 1, widest = Math.max(...Object.values(errors).map(e => e[at]), 0.1), words = [];
    box.querySelector("b").textContent = input.value;
    box.querySelectorAll(".home-row").forEach(row => {
      const bar = row.querySelector(".home-bar"), count = errors[bar.dataset.method][at];
      bar.style.width = Math.max(100 * count / widest, 0.5) + "%";
      row.querySelector("output").textContent = count < 100 ? count.toFixed(1) : Math.round(count).toLocaleString("en");
      words.push(row.firstChild.textContent + " " + count);
    });
    picture.setAttribute("aria-label", words.join(", "));
  };
  input.addEventListener("input", show);
  show();
})();
