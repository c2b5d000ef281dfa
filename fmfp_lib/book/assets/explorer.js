/* The risk-coverage explorer. Its data, window.fmfpExplorer, are made by fmfp_lib/book/explorer.py from the book's runs, and
   by report.py, with `items`, from a user's systems: then there is one group without data set, network and seeds.
   Colours, light and dark, are explorer.css's business: nothing here looks at the theme. */
(() => {
  "use strict";
  const data = window.fmfpExplorer, form = document.getElementById("explorer");
  if (!data || !form) return; // the still picture stays
  const find = (selector) => form.querySelector(selector), { elements } = form;

  // -- what is chosen, and the address that holds it -----------------------------------------------------------------

  const start = { dataset: data.groups[0].dataset, network: data.groups[0].network, methods: data.default,
                  seed: data.items ? "0" : "mean", fixed: "coverage", coverage: data.items ? 80 : 20, risk: 5,
                  view: "risk", zoom: "100" };
  let state = { ...start }, complaints = [];

  const group = () => data.groups.find((g) => g.dataset === state.dataset && g.network === state.network);
  const unique = (values) => [...new Set(values)];
  const seedsOf = (g) => unique(Object.values(g.runs).flat().map((run) => run.seed)).sort((a, b) => a - b);
  const runsOf = (method) => (group().runs[method] || []).filter((r) => state.seed === "mean" || r.seed === +state.seed);
  const shown = () => state.methods.filter((method) => runsOf(method).length);

  function readAddress() {
    if (!location.hash.includes("=")) return;
    const asked = new URLSearchParams(location.hash.slice(1));
    const known = (what, value, choices) => choices.includes(value) || !complaints.push(`${what} “${value}”`);
    complaints = [];
    state = { ...start };
    if (asked.has("dataset") && known("data", asked.get("dataset"), data.groups.map((g) => g.dataset)))
      state.dataset = asked.get("dataset");
    const networks = data.groups.filter((g) => g.dataset === state.dataset).map((g) => g.network);
    state.network = networks[0];
    if (asked.has("network") && known("network", asked.get("network"), networks)) state.network = asked.get("network");
    const seeds = ["mean", ...seedsOf(group()).map(String)];
    if (asked.has("seed") && known("seed", asked.get("seed"), seeds)) state.seed = asked.get("seed");
    if (asked.has("methods")) {
      const methods = asked.get("methods").split(",").filter((m) => known("method", m, Object.keys(data.methods)));
      state.methods = Object.keys(data.methods).filter((m) => methods.includes(m));
    }
    for (const [name, choices] of [["view", ["risk", "difference"]], ["zoom", ["100", "20"]]])
      if (asked.has(name) && known(name, asked.get(name), choices)) state[name] = asked.get(name);
    for (const fixed of ["coverage", "risk"]) {
      const value = Number(asked.get(fixed));
      if (!asked.has(fixed)) continue;
      if (value >= 0 && value <= 100) Object.assign(state, { fixed, [fixed]: value });
      else complaints.push(`${fixed} “${asked.get(fixed)}”`);
    }
  }

  function writeAddress() {
    const methods = state.methods.map(encodeURIComponent).join(",");
    history.replaceState(null, "", `#dataset=${encodeURIComponent(state.dataset)}&network=${state.network}` +
      `&methods=${methods}&seed=${state.seed}&${state.fixed}=${state[state.fixed]}` +
      ["view", "zoom"].map((name) => (state[name] === start[name] ? "" : `&${name}=${state[name]}`)).join(""));
  }

  // -- numbers -------------------------------------------------------------------------------------------------------

  const bytes = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
  const deviation = (values) => Math.sqrt(values.reduce((s, v) => s + (v - mean(values)) ** 2, 0) / (values.length - 1));

  /* accepted[k]: errors among the k most confident images; those of equal confidence share theirs evenly. */
  function decode(run) {
    if (run.accepted) return run;
    const bits = bytes(run.errors), { n } = group();
    run.accepted = new Float64Array(n + 1);
    for (let i = 0; i < n; i++) run.accepted[i + 1] = run.accepted[i] + ((bits[i >> 3] >> (7 - (i & 7))) & 1);
    for (const [first, length] of run.ties) {
      const from = run.accepted[first], step = (run.accepted[first + length] - from) / length;
      for (let j = 1; j < length; j++) run.accepted[first + j] = from + j * step;
    }
    const kept = bytes(run.thresholds).buffer;
    run.levels = run.right ? new Int16Array(kept) : new Float32Array(kept); // log-odds, or the score itself
    return run;
  }

  const placeAt = (coverage, n) => Math.max(Math.ceil(coverage * n - 1e-9), 1); // as metrics.selective_risk_at has it

  function lastPlace(accepted, risk) { // as metrics.coverage_at_risk has it
    let k = accepted.length - 1;
    while (k && accepted[k] / k > risk) k--;
    return k;
  }

  /* The confidence of the k-th image: kept at every half per cent of coverage, in between a straight line of log-odds. */
  function thresholdAt(run, k, n) {
    const i = Math.floor((data.grid * k) / n), from = placeAt(i / data.grid, n);
    let level = run.levels[i];
    if (k > from) level += ((run.levels[i + 1] - level) * (k - from)) / (placeAt((i + 1) / data.grid, n) - from);
    return { threshold: run.right ? 1 / (1 + Math.exp(-level / 1000)) : level, exact: k === from };
  }

  function operate(run) {
    const { accepted } = decode(run), n = accepted.length - 1;
    const k = state.fixed === "coverage" ? placeAt(state.coverage / 100, n)
                                         : lastPlace(accepted, Math.round(state.risk * 10) / 1000);
    return { coverage: k / n, risk: accepted[k] / k, through: accepted[k], away: n - k - (accepted[n] - accepted[k]),
             ...(k ? thresholdAt(run, k, n) : { threshold: NaN, exact: true }) };
  }

  /* Mean and standard deviation over seeds of each number; a seed that answers nothing has neither risk nor threshold. */
  function summary(method) {
    const points = runsOf(method).map(operate);
    const over = (key) => {
      const values = points.map((p) => p[key]).filter((v) => !Number.isNaN(v));
      return { mean: mean(values), deviation: values.length > 1 ? deviation(values) : null };
    };
    return { coverage: over("coverage"), risk: over("risk"), through: over("through"), away: over("away"),
             threshold: over("threshold"), exact: points.every((p) => p.exact), seeds: points.length };
  }

  const percent = (value, digits = 2) => (Number.isNaN(value) ? "–" : (100 * value).toFixed(digits));
  const count = (value, digits = 0) =>
    value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  function confidence(value) { // enough digits to tell it from 1
    if (Number.isNaN(value)) return "–";
    if (!(value >= 0 && value <= 1)) return value.toPrecision(4);
    return value.toFixed(Math.min(8, Math.max(4, 2 - Math.floor(Math.log10(1 - value + 1e-12)))));
  }

  // -- drawing -------------------------------------------------------------------------------------------------------

  const escape = (text) => String(text).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
  const colours = ({ light, dark }) => `--light:${light};--dark:${dark}`;
  const path = (points) => "M" + points.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L");
  const key = (method) => {
    const style = data.methods[method];
    return `<svg class="explorer-key explorer-colour" style="${colours(style)}" width="28" height="10" aria-hidden="true">` +
      `<path class="line" d="M1 5H27" stroke-dasharray="${style.dashes}"/></svg>`;
  };

  function ticks(least, largest, wanted) {
    const rough = (largest - least) / wanted, power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough), first = Math.ceil(least / step - 1e-9);
    return Array.from({ length: Math.floor(largest / step + 1e-9) - first + 1 }, (_, i) => +((first + i) * step).toFixed(6));
  }

  /* A frame with axes from 0, or the upright one from `yMin`: `x` and `y` turn values into pixels, `draw` is its SVG. */
  function frame({ left, top, width, height, xMax, yMin = 0, yMax, xLabel, yLabel, xTicks, yTicks }) {
    const x = (v) => left + (v / xMax) * width, y = (v) => top + height - ((v - yMin) / (yMax - yMin)) * height;
    let draw = "";
    for (const t of ticks(yMin, yMax, yTicks))
      draw += `<path class="grid" d="M${left} ${y(t)}h${width}"/><text x="${left - 6}" y="${y(t) + 4}" text-anchor="end">${t}</text>`;
    if (xLabel) for (const t of ticks(0, xMax, xTicks))
      draw += `<text x="${x(t)}" y="${top + height + 16}" text-anchor="middle">${t}</text>`;
    draw += `<path class="axis" d="M${left} ${top}v${height}h${width}"/>`;
    if (xLabel) draw += `<text x="${left + width / 2}" y="${top + height + 33}" text-anchor="middle">${xLabel}</text>`;
    draw += `<text transform="translate(11 ${top + height / 2}) rotate(-90)" text-anchor="middle">${yLabel}</text>`;
    return { x, y, draw, left, top, width, height, xMax, yMin, yMax };
  }

  const curvesBox = find(".explorer-curves"), handle = find(".explorer-handle"), cards = find(".explorer-cards");
  let plot = null;

  function drawCurves(found) {
    const width = curvesBox.clientWidth;
    if (width < 100) return; // not laid out yet; drawn when it is
    const height = Math.round(Math.min(380, Math.max(250, 0.5 * width)));
    const { n } = group(), steps = Math.max(60, Math.round(width / 2)), methods = Object.keys(found);
    const xMax = +state.zoom, reference = state.view === "difference" ? methods[0] : null;
    // Against the first method, seed by seed, where its run of the same seed is there.
    const less = (run, k) => {
      const other = reference && runsOf(reference).find((r) => r.seed === run.seed);
      return other ? other.accepted[k] / k : reference ? NaN : 0;
    };
    const series = methods.map((method) => Array.from({ length: steps }, (_, i) => {
      const k = placeAt((xMax / 100) * (i + 1) / steps, n);
      const risks = runsOf(method).map((run) => run.accepted[k] / k - less(run, k)).filter((v) => !Number.isNaN(v));
      return { x: (100 * k) / n, mean: 100 * mean(risks), low: 100 * Math.min(...risks), high: 100 * Math.max(...risks) };
    }));
    const bands = methods.length <= 4 && state.seed === "mean";
    const drawn = series.flat().filter((p) => p.x >= xMax / 20 && p.mean === p.mean);
    const highest = Math.max(0.1, ...drawn.map((p) => (bands ? p.high : p.mean)));
    const lowest = reference ? Math.min(-0.1, ...drawn.map((p) => (bands ? p.low : p.mean))) : 0;
    plot = frame({ left: 46, top: 10, width: width - 60, height: height - 54, xMax, xTicks: 5, yTicks: 5, yMin: 1.06 * lowest,
                   yMax: 1.06 * Math.max(highest, state.fixed === "risk" && !reference && xMax === 100 ? state.risk : 0),
                   xLabel: `coverage, % of the ${data.items || "images"}`,
                   yLabel: reference ? `risk minus ${data.methods[reference].name}’s, points` : "selective risk, %" });
    const { x, y } = plot;
    let marks = "", dots = "";
    methods.forEach((method, m) => {
      const style = data.methods[method], { coverage, risk } = found[method];
      marks += `<g class="explorer-colour" style="${colours(style)}">`;
      if (bands) marks += `<path class="band" d="${path([...series[m].map((p) => [x(p.x), y(p.high)]),
        ...series[m].map((p) => [x(p.x), y(p.low)]).reverse()])}Z"/>`;
      marks += `<path class="line" stroke-dasharray="${style.dashes}" d="${path(series[m].map((p) => [x(p.x), y(p.mean)]))}"/></g>`;
      if (!reference && !Number.isNaN(risk.mean)) dots += `<circle class="dot explorer-colour" style="${colours(style)}" r="4.5" ` +
        `cx="${x(100 * coverage.mean)}" cy="${y(100 * risk.mean)}"/>`;
    });
    curvesBox.querySelector("svg")?.remove();
    curvesBox.insertAdjacentHTML("afterbegin", `<svg role="img" width="${width}" height="${height}" ` +
      `aria-label="Risk-coverage curves of ${escape(methods.map((m) => data.methods[m].name).join(", "))}; the table below has the numbers.">` +
      `<clipPath id="explorer-inside"><rect x="${plot.left}" y="${plot.top - 6}" width="${plot.width + 8}" height="${plot.height + 12}"/></clipPath>` +
      `${plot.draw}<g clip-path="url(#explorer-inside)">${marks}${dots}</g></svg>`);
    const upright = state.fixed === "coverage";
    handle.hidden = (!upright && reference) || (upright ? state.coverage : 0) > xMax || (!upright && state.risk > plot.yMax);
    handle.className = `explorer-handle ${upright ? "upright" : "level"}`;
    Object.assign(handle.style, upright
      ? { left: `${x(state.coverage)}px`, top: `${plot.top}px`, height: `${plot.height}px`, width: "" }
      : { top: `${y(state.risk)}px`, left: `${plot.left}px`, width: `${plot.width}px`, height: "" });
  }

  const sum = (runs, name, i) => runs.reduce((total, run) => total + run[name][i], 0);

  /* One card a method: reliability diagram above, histograms below, on one axis of confidence. */
  function drawCards(methods) {
    methods = methods.filter((method) => runsOf(method).every((run) => run.right)); // a mere score has no calibration
    find(".explorer-legend").hidden = !methods.length;
    if (form.clientWidth < 100) return; // not laid out yet, as above
    const bins = data.bins, halves = 2 * bins, share = {};
    for (const method of methods) {
      const runs = runsOf(method);
      share[method] = ["right", "wrong"].map((name) => {
        const counts = Array.from({ length: halves }, (_, i) => sum(runs, name, i)), total = counts.reduce((a, b) => a + b, 0);
        return counts.map((c) => (total ? (100 * c) / total : 0));
      });
    }
    const tallest = 1.05 * Math.max(1, ...Object.values(share).flat(2));
    cards.innerHTML = methods.map((method) => `<figure data-method="${escape(method)}"><figcaption></figcaption></figure>`).join("");
    for (const card of cards.children) {
      const { method } = card.dataset, runs = runsOf(method), width = Math.floor(card.clientWidth);
      const reliability = frame({ left: 46, top: 6, width: width - 56, height: 130, xMax: 1, yMax: 100, yTicks: 4, yLabel: "accuracy, %" });
      const histogram = frame({ left: 46, top: 150, width: width - 56, height: 110, xMax: 1, yMax: tallest, xTicks: 5, yTicks: 3,
                                xLabel: "confidence", yLabel: "share, %" });
      let bars = "";
      for (let i = 0; i < bins; i++) {
        const right = sum(runs, "right", 2 * i) + sum(runs, "right", 2 * i + 1);
        const held = right + sum(runs, "wrong", 2 * i) + sum(runs, "wrong", 2 * i + 1);
        if (!held) continue;
        const accuracy = (100 * right) / held, said = (100 * sum(runs, "confidence", i)) / held;
        const { x, y } = reliability, left = x(i / bins) + 0.5, wide = reliability.width / bins - 1;
        bars += `<g class="${held < 20 ? "pale" : ""}"><rect class="bar" x="${left}" width="${wide}" y="${y(accuracy)}" height="${y(0) - y(accuracy)}"/>` +
          `<rect class="gap" x="${left + 0.5}" width="${wide - 1}" y="${y(Math.max(accuracy, said))}" height="${Math.abs(y(accuracy) - y(said))}"/></g>`;
      }
      const steps = share[method].map((values, which) => {
        const points = [[histogram.x(0), histogram.y(0)]];
        values.forEach((v, i) => points.push([histogram.x(i / halves), histogram.y(v)], [histogram.x((i + 1) / halves), histogram.y(v)]));
        points.push([histogram.x(1), histogram.y(0)]);
        const name = which ? "wrong" : "right";
        return `<path class="explorer-colour ${name}" style="${colours(data[name])}" d="${path(points)}Z"/>`;
      }).join("");
      const whole = (name) => percent(mean(runs.map((run) => run[name])), 1);
      const numbers = `accuracy\u00a0${whole("accuracy")}\u00a0%, ECE\u00a0${whole("ece")}\u00a0%, ` +
        `AUROC\u00a0${whole("auroc")}\u00a0%, AURC\u00a0×10³\u00a0${(1000 * mean(runs.map((run) => run.aurc))).toFixed(1)}`;
      card.firstChild.innerHTML = `<b>${key(method)} ${escape(data.methods[method].name)}</b><br>${numbers}`;
      card.insertAdjacentHTML("beforeend", `<svg role="img" width="${width}" height="298" aria-label="Reliability diagram and histograms of confidence of ` +
        `${escape(data.methods[method].name)}: ${numbers}."><g class="explorer-colour" style="${colours(data.methods[method])}">` +
        `${reliability.draw}${bars}<path class="diagonal" d="M${reliability.x(0)} ${reliability.y(0)}L${reliability.x(1)} ${reliability.y(100)}"/></g>` +
        `${histogram.draw}${steps}<rect class="away" x="${histogram.left}" y="${reliability.top}" height="${histogram.top + 110 - reliability.top}"/>` +
        `<path class="threshold"/></svg>`);
      card.move = (value) => {
        const at = histogram.x(Number.isNaN(value) ? 1 : value);
        card.querySelector(".away").setAttribute("width", Math.max(0, at - histogram.left));
        card.querySelector(".threshold").setAttribute("d", `M${at} ${reliability.top}V${histogram.top + 110}`);
      };
    }
  }

  function drawTable(found) {
    const cell = (value, format, before = "") => `<td>${before}${format(value.mean)}` +
      (value.deviation === null || value.deviation < 1e-9 ? "" : ` <small>± ${format(value.deviation)}</small>`) + "</td>";
    const near = Object.values(found).some((f) => f.threshold.mean > 0.999);  // thresholds near 1 need more digits
    const plain = (value) => (Number.isNaN(value) ? "–" : value.toFixed(near ? 5 : 3));
    const images = (value) => count(value, value < 100 && (state.seed === "mean" || value % 1) ? 1 : 0);
    const several = Math.max(0, ...Object.values(found).map((f) => f.seeds));
    find("tbody").innerHTML = Object.entries(found).map(([method, f]) => `<tr data-method="${escape(method)}">` +
      `<th scope="row">${key(method)} ${escape(data.methods[method].name)}${f.seeds < several ? ` <small>(seeds: ${f.seeds})</small>` : ""}</th>` +
      cell(f.threshold, f.threshold.deviation === null ? confidence : plain, f.exact || Number.isNaN(f.threshold.mean) ? "" : "≈") +
      cell(f.coverage, percent) + cell(f.risk, percent) + cell(f.through, images) + cell(f.away, images) + "</tr>").join("");
    const { n } = group();
    find("caption").textContent = `Of ${count(n)} ${data.items || "test images"}` + (data.items ? "" : state.seed === "mean" ? ", mean ± standard deviation over seeds" : `, seed ${state.seed}`);
  }

  function sentence(found) {
    const entries = Object.entries(found).map(([method, f]) => [data.methods[method].name, f]);
    if (!entries.length) return "Choose at least one method that has a run.";
    const upright = state.fixed === "coverage", { n } = group();
    const say = ([name, f]) => `${name} ${upright ? count(f.through.mean) : percent(f.coverage.mean, 1) + "\u00a0%"}`;
    const value = ([, f]) => (upright ? f.through.mean : -f.coverage.mean);
    const sorted = [...entries].sort((a, b) => value(a) - value(b));
    const list = entries.length <= 4 ? entries.map(say).join(", ") : `from ${say(sorted[0])} to ${say(sorted.at(-1))}`;
    return upright
      ? `The most confident ${state.coverage}\u00a0% are answered, ${count(placeAt(state.coverage / 100, n))} of ${count(n)} ${data.items || "images"}. Errors let through: ${list}.`
      : `At most ${state.risk}\u00a0% of the answers may be wrong. Images answered: ${list}.`;
  }

  // -- controls ------------------------------------------------------------------------------------------------------

  const options = (pairs, chosen) => pairs.map(([value, text]) =>
    `<option value="${escape(value)}"${value === chosen ? " selected" : ""}>${escape(text)}</option>`).join("");

  function showChoice() {
    const g = group();
    elements.dataset.innerHTML = options(unique(data.groups.map((o) => o.dataset)).map((dataset) => {
      const first = data.groups.find((o) => o.dataset === dataset);
      return [dataset, `${first.dataset_name}, ${count(first.train_size)} training images`];
    }), state.dataset);
    elements.network.innerHTML = options(data.groups.filter((o) => o.dataset === state.dataset).map((o) => [o.network, o.network_name]), state.network);
    const seeds = seedsOf(g);
    elements.seed.innerHTML = options([["mean", `mean over ${seeds.length}`], ...seeds.map((s) => [String(s), String(s)])], state.seed);
    for (const box of form.querySelectorAll(".explorer-methods input")) {
      box.checked = state.methods.includes(box.value);
      box.disabled = !runsOf(box.value).length;
    }
    const worst = Math.max(...Object.values(g.runs).flat().map((run) => 1 - run.accuracy));
    elements.risk.max = Math.ceil(100 * worst);
    state.risk = Math.min(state.risk, elements.risk.max);
    find(".explorer-note").textContent = complaints.length ? `Left out, because nothing here goes by that name: ${complaints.join(", ")}.` : "";
  }

  let later = 0;

  function update(choice) {
    if (choice) showChoice();
    for (const name of ["coverage", "risk"]) {
      const text = `${state[name].toFixed(1)} %`;
      elements[name].value = state[name];
      elements[name].setAttribute("aria-valuetext", text);
      elements[name].parentElement.classList.toggle("idle", state.fixed !== name);
      elements[name].nextElementSibling.textContent = text;
    }
    for (const name of ["fixed", "view", "zoom"]) elements[name].value = state[name];
    const found = Object.fromEntries(shown().map((method) => [method, summary(method)]));
    drawCurves(found);
    drawTable(found);
    if (choice) drawCards(Object.keys(found));
    for (const card of cards.children) card.move(found[card.dataset.method].threshold.mean);
    clearTimeout(later); // said once, when the hand rests
    later = setTimeout(() => { find(".explorer-status").textContent = sentence(found); }, 300);
  }

  let frameAsked = 0;
  function set(changes, choice = false) {
    Object.assign(state, changes);
    if (choice) { complaints = []; update(true); writeAddress(); return; }
    cancelAnimationFrame(frameAsked);
    frameAsked = requestAnimationFrame(() => update(false));
    clearTimeout(set.timer); // browsers limit how often the address may change
    set.timer = setTimeout(writeAddress, 300);
  }

  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", ({ target }) => {
    const { name, value } = target;
    if (name === "coverage" || name === "risk") set({ fixed: name, [name]: Number(value) });
    else if (["fixed", "view", "zoom"].includes(name)) set({ [name]: value });
    else if (name === "method") set({ methods: Object.keys(data.methods).filter((m) => (m === value ? target.checked : state.methods.includes(m))) }, true);
    else if (name === "dataset") {
      const networks = data.groups.filter((g) => g.dataset === value).map((g) => g.network);
      set({ dataset: value, network: networks.includes(state.network) ? state.network : networks[0], seed: "mean" }, true);
    } else if (name === "network") {
      const { runs } = data.groups.find((g) => g.dataset === state.dataset && g.network === value);
      const has = Object.values(runs).flat().some((run) => String(run.seed) === state.seed);
      set({ network: value, seed: has ? state.seed : "mean" }, true);
    } else set({ [name]: value }, true);
  });

  /* The line in the chart follows a drag; fingers must take the line itself, so that the page still scrolls. */
  curvesBox.addEventListener("pointerdown", (event) => {
    if (!plot || event.button || (event.pointerType === "touch" && event.target !== handle)) return;
    const box = curvesBox.getBoundingClientRect();
    const follow = ({ clientX, clientY }) => {
      const { min, max, step } = elements[state.fixed];
      const value = state.fixed === "coverage"
        ? ((clientX - box.left - plot.left) / plot.width) * plot.xMax
        : plot.yMin + ((plot.top + plot.height - (clientY - box.top)) / plot.height) * (plot.yMax - plot.yMin);
      set({ [state.fixed]: +(Math.round(Math.min(max, Math.max(min, value)) / step) * step).toFixed(1) });
    };
    event.preventDefault();
    curvesBox.setPointerCapture(event.pointerId);
    follow(event);
    curvesBox.addEventListener("pointermove", follow);
    const stop = () => curvesBox.removeEventListener("pointermove", follow);
    for (const end of ["pointerup", "pointercancel"]) curvesBox.addEventListener(end, stop, { once: true });
  });

  const boxes = (more) => Object.entries(data.methods).filter(([, style]) => !!style.more === more).map(([method, { name }]) =>
    `<label><input type="checkbox" name="method" value="${escape(method)}"> ${key(method)} ${escape(name)}</label>`).join("");
  find(".explorer-few").innerHTML = boxes(false);
  find(".explorer-more div").innerHTML = boxes(true);
  find(".explorer-more").hidden = !boxes(true);
  if (data.items) {
    find(".explorer-row").hidden = true;
    find(".explorer-few").parentElement.hidden = Object.keys(data.methods).length === 1;
    for (const word of form.querySelectorAll(".explorer-what")) word.textContent = word.tagName === "TH" ? "System" : "Systems";
  }
  for (const name of ["right", "wrong"]) find(`.explorer-${name}`).style.cssText = colours(data[name]);
  readAddress();
  form.hidden = false;
  update(true);
  for (const still of document.querySelectorAll(".explorer-still")) still.hidden = true;
  addEventListener("hashchange", () => { readAddress(); update(true); form.scrollIntoView(); });
  let width = form.clientWidth;
  new ResizeObserver(() => {
    if (form.clientWidth === width) return;
    width = form.clientWidth;
    update(true);
  }).observe(form);
})();
