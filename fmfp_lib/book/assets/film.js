// Confidence over training: a slider over the epochs, and a button that lets it run.
(() => {
  const box = document.querySelector(".film"), input = box.querySelector("input"), button = box.querySelector("button");
  const data = JSON.parse(box.querySelector("script").textContent);
  let timer = null;
  const show = () => {
    const at = +input.value;
    box.querySelector("output").textContent = data.epochs[at];
    box.querySelectorAll(".film-picture").forEach(picture => {
      const film = data.films[picture.dataset.method], [accuracy, auroc, ece] = film.numbers[at].map(v => v.toFixed(1));
      picture.querySelector("span").textContent = `accuracy ${accuracy} %, AUROC ${auroc} %, ECE ${ece} %`;
      ["right", "wrong"].forEach((kind, side) => picture.querySelectorAll("." + kind).forEach((bar, bin) => {
        const tall = Math.sqrt(film.shares[at][side][bin] / 1000) * data.height / 2;
        bar.setAttribute("height", tall.toFixed(1));
        if (kind === "right") bar.setAttribute("y", (data.height / 2 - tall).toFixed(1));
      }));
    });
  };
  const stop = () => { clearInterval(timer); timer = null; button.textContent = "Play"; };
  button.addEventListener("click", () => {
    if (timer) return stop();
    if (+input.value === +input.max) input.value = 0;
    button.textContent = "Pause";
    show();
    timer = setInterval(() => {
      input.value = +input.value + 1;
      show();
      if (+input.value === +input.max) stop();
    }, 250);
  });
  input.addEventListener("input", () => { stop(); show(); });
})();
