// Which prediction is wrong? The reader judges ten pairs and is compared with the networks' confidence.
(() => {
  const box = document.querySelector(".quiz"), find = name => box.querySelector(".quiz-" + name);
  const { rounds, networks } = JSON.parse(box.querySelector("script").textContent);
  let at = 0, score = 0;
  const make = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });

  const ask = () => {
    const round = rounds[at];
    find("ask").textContent = `Pair ${at + 1} of ${rounds.length}. One of the two answers is wrong. Which?`;
    find("said").textContent = "";
    find("next").hidden = true;
    find("pair").replaceChildren(...round.images.map((source, side) => {
      const button = make("button", ""), image = document.createElement("img");
      button.type = "button";
      image.src = source;
      image.alt = side ? "right image" : "left image";
      button.append(image, make("span", `“${round.answers[side]}”`));
      button.addEventListener("click", () => judge(side));
      return button;
    }));
    find("pair").firstChild.focus({ preventScroll: true });
  };

  const judge = side => {
    const round = rounds[at], hit = side === round.wrong;
    score += hit;
    find("pair").querySelectorAll("button").forEach((button, number) => {
      button.disabled = true;
      button.classList.add(number === round.wrong ? "wrong" : "right");
    });
    find("said").textContent = `${hit ? "Yes" : "No"}: “${round.answers[round.wrong]}” is ${round.truth[round.wrong]}.`;
    find("next").hidden = false;
    find("next").textContent = at + 1 < rounds.length ? "Next pair" : "Your score";
    find("next").focus({ preventScroll: true });
  };

  // Wilson's interval: how far a share of so few pairs can be trusted.
  const interval = (hits, n) => {
    const z = 1.96, p = hits / n, middle = (p + z * z / (2 * n)) / (1 + z * z / n);
    const half = z / (1 + z * z / n) * Math.sqrt(p * (1 - p) / n + z * z / (4 * n * n));
    return [middle - half, middle + half].map(v => Math.round(100 * v));
  };

  const result = () => {
    const n = rounds.length, [low, high] = interval(score, n), list = document.createElement("ul");
    find("ask").textContent = `You ranked ${score} of ${n} pairs rightly. That share estimates your AUROC: ` +
      `${Math.round(100 * score / n)} %, and from ten pairs anything between ${low} and ${high} % is plausible.`;
    list.append(...networks.map(network =>
      make("li", `${network.name}: ${network.pairs} of ${n} of these pairs; AUROC over all pairs ${network.all} %`)));
    find("pair").replaceChildren(list);
    find("said").textContent = "";
    find("next").textContent = "Again";
  };

  find("next").addEventListener("click", () => {
    at += 1;
    if (at < rounds.length) return ask();
    if (at === rounds.length) return result();
    at = 0;
    score = 0;
    ask();
  });
  const focused = document.activeElement;
  ask();
  if (document.activeElement !== focused) document.activeElement.blur();
})();
