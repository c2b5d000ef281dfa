// Two valleys of the training loss: a slider moves the weights, and a button chooses another random direction.
(() => {
  const box = document.querySelector(".valley"), input = box.querySelector("input");
  const data = JSON.parse(box.querySelector("script").textContent), last = data.norms.length - 1;
  const lines = Object.values(data.losses)[0].length;
  let line = 1;
  const show = () => {
    const at = +input.value, side = line % 2 ? 1 : -1;
    box.querySelector("output").textContent = `${Math.round(100 * data.norms[at])} %`;
    box.querySelectorAll(".valley-picture").forEach(picture => {
      const loss = data.losses[picture.dataset.method][line][at], ball = picture.querySelector("circle");
      ball.setAttribute("cx", (data.width * (1 + side * at / last) / 2).toFixed(1));
      ball.setAttribute("cy", (data.height * (1 - Math.min(loss, data.top) / data.top)).toFixed(1));
      picture.querySelector("span").textContent = loss.toFixed(loss < 0.1 ? 3 : 2);
      picture.querySelectorAll("polyline").forEach((curve, number) => curve.classList.toggle("chosen", number === line >> 1));
    });
  };
  input.addEventListener("input", show);
  box.querySelector("button").addEventListener("click", () => { line = (line + 1) % lines; show(); });
  show();
})();
