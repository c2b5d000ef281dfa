// Set the threshold: images pass by; each is answered, rightly or wrongly, or referred; both errors and referrals cost.
(() => {
  const box = document.querySelector(".game"), form = box.querySelector("form"), field = name => form.elements[name];
  const data = JSON.parse(box.querySelector('script[type="application/json"]').textContent);
  const strip = box.querySelector(".game-strip"), button = form.querySelector("button");
  const percent = v => `${+(100 * v).toFixed(v > 0.99 ? 3 : 1)} %`, whole = v => Math.round(v).toLocaleString("en");
  let timer = null;

  const system = () => data.systems[+field("network").value];
  const price = name => Math.max(0, +field(name).value || 0);
  const cost = (answered, wrong, n) => price("error") * wrong + price("referral") * (n - answered);
  const thousand = (answered, wrong) => 1000 * cost(answered, wrong, data.n) / data.n;
  const all = (s, at) => thousand(s.answered[at], s.wrong[at]);

  const draw = () => {
    const at = +field("threshold").value, last = data.thresholds.length - 1;
    form.querySelector("output").textContent = percent(data.thresholds[at]);
    const costs = data.systems.map(s => s.answered.map((_, k) => all(s, k))), top = Math.max(...costs.flat()) || 1;
    data.systems.forEach((s, number) => {
      const line = box.querySelector(`polyline[data-method="${s.method}"]`);
      line.setAttribute("points", costs[number].map((c, k) =>
        `${(k * data.width / last).toFixed(1)},${(data.height * (1 - c / top)).toFixed(1)}`).join(" "));
      line.classList.toggle("chosen", s === system());
    });
    const mark = box.querySelector(".game-mark");
    ["x1", "x2"].forEach(end => mark.setAttribute(end, (at * data.width / last).toFixed(1)));
  };

  const reset = () => {
    clearInterval(timer);
    timer = null;
    strip.replaceChildren();
    box.querySelector(".game-count").textContent = "";
    box.querySelector(".game-said").replaceChildren();
    box.classList.remove("over");
    draw();
  };

  const pass = () => {
    reset();
    const s = system(), at = +field("threshold").value, least = data.thresholds[at], total = s.confidence.length;
    let answered = 0, wrong = 0, seen = 0;
    const next = () => {
      const sure = s.confidence[seen] >= least, kind = !sure ? "referred" : s.right[seen] ? "right" : "wrong";
      const image = document.createElement("span");
      image.className = kind;
      image.style.backgroundImage = `url(${data.strip})`;
      image.style.backgroundPositionX = `${-2 * 28 * seen}px`;
      image.title = `${percent(s.confidence[seen])} sure: ${kind}`;
      strip.append(image);
      answered += sure;
      wrong += sure && !s.right[seen];
      seen += 1;
      box.querySelector(".game-count").textContent =
        `${seen} of ${total}: ${answered} answered, ${wrong} of them wrong, ${seen - answered} referred. ` +
        `Cost so far: ${whole(cost(answered, wrong, seen))}.`;
      if (seen === total) finish(s, at);
    };
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) while (seen < total) next();
    else timer = setInterval(next, 90);
  };

  const finish = (s, at) => {
    clearInterval(timer);
    timer = null;
    const costs = s.answered.map((_, k) => all(s, k)), best = costs.indexOf(Math.min(...costs));
    const { threshold, answered, wrong } = s.promised;
    const lines = [
      `Your threshold, ${percent(data.thresholds[at])}, costs ${whole(costs[at])} for every 1,000 of all ${whole(data.n)} test images.`,
      `The cheapest of these thresholds, ${percent(data.thresholds[best])}, costs ${whole(costs[best])}. It was found by looking at the answers.`,
      threshold === null
        ? `No threshold can promise at most ${percent(data.risk)} wrong answers from the validation images alone.`
        : `A threshold chosen on validation images, to give at most ${percent(data.risk)} wrong answers with 95 % certainty, is ` +
          `${percent(threshold)}. It costs ${whole(thousand(answered, wrong))}: it keeps a promise, and knows no prices.`,
    ];
    box.querySelector(".game-said").replaceChildren(...lines.map(text =>
      Object.assign(document.createElement("li"), { textContent: text })));
    box.classList.add("over");
  };

  button.addEventListener("click", pass);
  form.addEventListener("input", reset);
  box.classList.add("live");
  reset();
})();
