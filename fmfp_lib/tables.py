"""Tables that the book and the README show, made from the library's own registries and from finished records."""

import html
import itertools
import json
from pathlib import Path

import numpy as np
import pandas as pd

from . import records as _records
from .methods import CALIBRATION, FLAT, METHODS
from .metrics import calibrated_right_confidence, evaluate, softmax
from .settings import SCALES
from .statistics import RANKING, REPLICATES, SUMS, compare_methods, compare_scores

NAMES = {
    "baseline": "baseline", "label_smoothing": "label smoothing", "focal": "focal loss", "cs_kd": "CS-KD",
    "l1_norm": "L1 norm",
    "crl": "CRL", "regmixup": "RegMixup", "sam": "SAM", "swa": "SWA", "ema": "EMA", "fmfp": "FMFP", "sure": "SURE",
    "sam_k2": "SAM, 1 step in 2", "sam_k5": "SAM, 1 step in 5", "sam_bn": "SAM, batch norm",
    "fmfp_k2": "FMFP, 1 step in 2", "fmfp_k5": "FMFP, 1 step in 5", "fmfp_bn": "FMFP, batch norm",
    "confidnet": "ConfidNet",
    "msp": "MSP", "p_norm_max_logit": "p-norm", "max_logit": "largest logit", "trust_score": "Trust Score",
    "mc_dropout": "MC-dropout", "swag": "SWAG", "ts_valid": "TS-valid", "ts_optimal": "TS-optimal",
    "embedded": "Fashion-MNIST", "cifar10": "CIFAR-10", "cifar100": "CIFAR-100", "cifar10_c": "CIFAR-10-C",
    "tiny_imagenet": "Tiny-ImageNet", "imagenet": "ImageNet",
    "preact_resnet110": "ResNet110", "wideresnet": "WRN-28-10", "densenet": "DenseNet-BC", "convmixer": "ConvMixer",
    "mobilenet_v2": "MobileNet-v2", "efficientnet": "EfficientNet", "vgg16": "VGG-16", "resnet18": "ResNet-18",
    "resnet50": "ResNet-50", "table1": "Table 1", "table2": "Table 2", "table3": "Table 3", "table4": "Table 4",
    "table5": "Table 5", "preact_resnet8": "PreAct-ResNet-8", "densenet22": "DenseNet-BC-22", "vgg8": "VGG-8",
}  # fmt: skip
# The units in which the paper prints each metric: factor, heading.
DISPLAY = {
    "accuracy": (100, "Accuracy %"), "aurc": (1000, "AURC ×10³"), "eaurc": (1000, "E-AURC ×10³"),
    "fpr95": (100, "FPR-95%TPR %"), "auroc": (100, "AUROC %"), "aupr_success": (100, "AUPR-S %"),
    "aupr_error": (100, "AUPR-E %"), "ece": (100, "ECE %"), "nll": (10, "NLL ×10"), "brier": (100, "Brier %"),
    "augrc": (1000, "AUGRC ×10³"),
}  # fmt: skip
# What `statistics.compare_scores` and the evidence for the claims add to them.
_SCORES = {
    "confidence_right": (100, "confidence of right %"), "confidence_wrong": (100, "confidence of wrong %"),
    "confidence_gap": (100, "confidence gap, points"), "overlap": (100, "overlap %"),
    "late_auroc": (100, "AUROC, end minus middle of training, points"),
    "late_accuracy": (100, "accuracy, end minus middle of training, points"),
    "loss_rise": (1, "rank correlation of the loss's rise and the gap"),
    "sharpness": (1, "rank correlation of SAM's sharpness and the gap"),
    "eigenvalue": (1, "rank correlation of the Hessian's largest eigenvalue and the gap"),
}  # fmt: skip


def display(metric: str) -> tuple[float, str]:
    """Return the factor and the heading with which a metric, or a statistic of a score, is printed."""
    if metric.startswith("selective_risk@"):
        return 100, f"risk at {100 * float(metric.partition('@')[2]):.0f} % coverage, %"
    return (DISPLAY | _SCORES)[metric]


def name(key: str) -> str:
    """Return a method, network or data set as print has it: ``mixup+fmfp`` becomes ``mixup + FMFP``.

    A small network goes by its family and depth: ``densenet22_g8_s2`` becomes ``DenseNet-BC-22``.
    """
    return " + ".join(NAMES.get(part) or NAMES.get(part.split("_g")[0].split("_w")[0], part) for part in key.split("+"))


def frame(records) -> pd.DataFrame:
    """Return one row a record: data set, network, method, seed and every metric in natural units."""
    rows = []
    for record in records:
        s = record.settings
        row = {"dataset": s.dataset, "network": s.network, "train_size": s.train_size, "epochs": s.epochs}
        rows.append(row | {"method": s.method, "seed": s.seed} | evaluate(record.logits, record.labels))
    return pd.DataFrame(rows)


def plus_minus(values, factor: float = 1.0, decimals: int = 2) -> str:
    """Return mean ± standard deviation (ddof = 1) of `values` times `factor`, on one line; one value has no spread."""
    values = factor * pd.Series(values)
    spread = f"\u00a0±\u00a0{values.std():.{decimals}f}" if len(values) > 1 else ""
    return f"{values.mean():.{decimals}f}{spread}"


def metric_table(records, metrics=tuple(DISPLAY)) -> pd.DataFrame:
    """Return mean ± standard deviation over seeds in the paper's units: one row a metric, one column a method."""
    groups = frame(records).groupby("method", sort=False)
    return pd.DataFrame(
        {name(m): {DISPLAY[k][1]: plus_minus(g[k], DISPLAY[k][0]) for k in metrics} for m, g in groups}
    )


def finished(**wanted) -> list:
    """Return the sound records whose settings equal `wanted`; a list among the values means any of them.

    Examples
    --------
    ``finished(dataset="embedded", network="preact_resnet8_w32_s2", epochs=100, method=["baseline", "fmfp"])``
    """

    def fits(settings):
        return all(
            getattr(settings, key) in value if isinstance(value, (list, tuple)) else getattr(settings, key) == value
            for key, value in wanted.items()
        )

    return _records.load_all(fits)


def against_baseline(
    records, methods, metrics=("accuracy", "auroc", "aurc", "ece"), replicates: int = REPLICATES,
    reference: str = "baseline",
) -> dict:  # fmt: skip
    """Compare methods with the baseline (or another `reference`) of the same network, seed by seed.

    Parameters
    ----------
    records : list of records.Record
        Of one data set, network and regime.
    methods : sequence of str
        What to compare; those without a record that has a reference of the same seed are left out.

    Returns
    -------
    dict of str to dict of str to statistics.Comparison
        Method, then metric.
    """
    runs = {(r.settings.method, r.settings.seed): (r.logits, r.labels) for r in records}
    result = {}
    for method in methods:
        seeds = sorted(s for m, s in runs if m == method and (reference, s) in runs)
        if seeds:
            pairs = [[runs[m, s] for s in seeds] for m in (reference, method)]
            result[method] = compare(*pairs, metrics, replicates)
    return result


def compare(runs_a, runs_b, metrics=("accuracy", "auroc", "aurc", "ece"), replicates: int = REPLICATES) -> dict:
    """Compare runs (logits, labels), paired by seed, in metrics and in statistics of confidence (MSP), as named.

    `statistics.compare_methods` takes the metrics and `statistics.compare_scores` the rest, with the same draws.
    """
    plain = [m for m in metrics if m in RANKING + SUMS]
    rest = [m for m in metrics if m not in RANKING + SUMS]
    found = compare_methods(runs_a, runs_b, plain, replicates) if plain else {}
    if rest:
        scores = [[(softmax(z).max(1), z.argmax(1) == y) for z, y in runs] for runs in (runs_a, runs_b)]
        found |= compare_scores(*scores, rest, replicates)
    return {m: found[m] for m in metrics}


def interval(estimate, factor: float = 1.0, bold: bool = True) -> str:
    """Return a (value, low, high) times `factor`, bold where the interval leaves out zero; NaN ends are left out."""
    value, low, high = (factor * v for v in estimate)
    # A true minus sign, and no line break but between the value and its interval.
    text = f"{value:+.2f}" + (f" [{low:+.2f},\u00a0{high:+.2f}]" if low == low else "")
    text = text.replace("-", "\u2212")
    return f"**{text}**" if bold and (low > 0 or high < 0) else text


def difference(comparison, bold: bool = True) -> str:
    """Return a difference with its 95 % interval in the paper's units, bold where the interval leaves out zero."""
    return interval((comparison.difference, comparison.low, comparison.high), display(comparison.metric)[0], bold)


def difference_table(found: dict) -> str:
    """Return comparisons, by method and metric as `against_baseline` gives them, as a Markdown table."""
    metrics = list(next(iter(found.values()), {}))
    lines = ["| method | " + " | ".join(display(m)[1] for m in metrics) + " |"]
    lines.append("| --- |" + " ---: |" * len(metrics))
    for method, row in found.items():
        lines.append(f"| {name(method)} | " + " | ".join(difference(row[m]) for m in metrics) + " |")
    return "\n".join(lines)


def grouped(heading, rows) -> str:
    """Return rows as Markdown: under the name of each group a table of its own.

    Parameters
    ----------
    heading : sequence of str
        A name a column; the first column holds words, the others numbers.
    rows : iterable of sequences of str
        The group's name, then a cell a column; the rows of a group stand together.
    """
    head = [f"| {' | '.join(heading)} |", "| --- |" + " ---: |" * (len(heading) - 1)]
    parts = []
    for title, group in itertools.groupby(rows, key=lambda row: row[0]):
        parts += [f"**{title}**", "\n".join(head + [f"| {' | '.join(row[1:])} |" for row in group])]
    return "\n\n".join(parts)


def names(methods) -> str:
    """Return several methods as a sentence lists them: ``mixup, CS-KD and FMFP``; none is ``no method``."""
    listed = [name(m) for m in methods] or ["no method"]
    return " and ".join(filter(None, (", ".join(listed[:-1]), listed[-1])))


def in_words(found: dict, metric: str) -> str:
    """Say for which methods a metric is lower or higher than the baseline's, beyond doubt, and for which it is open.

    `found` is what `against_baseline` gives. The result has no full stop: ``lower for mixup; higher for no method; too
    close to call for CS-KD``.
    """
    lower = [m for m, row in found.items() if row[metric].high < 0]
    higher = [m for m, row in found.items() if row[metric].low > 0]
    rest = [m for m in found if m not in lower + higher]
    text = f"lower for {names(lower)}; higher for {names(higher)}"
    return text + (f"; too close to call for {names(rest)}" if rest else "")


def tally(comparisons) -> str:
    """Count, in words, how many of some comparisons go down and how many up, and how many of each beyond doubt."""
    comparisons = list(comparisons)
    parts = []
    for word, part in (
        ("lower", [c for c in comparisons if c.difference < 0]),
        ("higher", [c for c in comparisons if c.difference > 0]),
    ):
        parts.append(f"{word} in {len(part)} of {len(comparisons)} ({sum(c.certain for c in part)} beyond doubt)")
    return ", ".join(parts)


def lowest(found: dict, metric: str) -> str:
    """Return the method of the lowest mean, the baseline among them; `found` is what `against_baseline` gives."""
    values = {"baseline": next(iter(found.values()))[metric].a} | {m: row[metric].b for m, row in found.items()}
    return min(values, key=values.get)  # the first of equals, so the baseline


def right_predictions(groups) -> str:
    """Return, as Markdown, the calibration error of all and of right predictions, mean ± deviation over seeds.

    The last column is what right predictions of a calibrated network with the same confidences would have.
    """
    rows = []
    for group in groups:
        for method, runs in group.runs.items():
            found = []
            for record in runs:
                confidence = softmax(record.logits).max(1)
                right = confidence[record.logits.argmax(1) == record.labels].mean()
                found.append((record.metrics["ece"], 1 - right, 1 - calibrated_right_confidence(confidence)))
            cells = [plus_minus(values, 100) for values in zip(*found, strict=True)]
            rows.append((group.title, name(method), *cells))
    return grouped(("method", "ECE %", "ECE of right %", "the same, were it calibrated %"), rows)


def compare_pairs(records, pairs, metrics=("accuracy", "auroc", "aurc", "ece"), replicates: int = REPLICATES) -> dict:
    """Compare methods with others than the baseline, seed by seed.

    Parameters
    ----------
    records : list of records.Record
        Of one data set, network and regime.
    pairs : dict of str to (str, str)
        A label for each comparison, and its two methods: the second is compared with the first. Pairs without a
        common seed are left out.

    Returns
    -------
    dict of str to dict of str to statistics.Comparison
        Label, then metric.
    """
    runs = {(r.settings.method, r.settings.seed): (r.logits, r.labels) for r in records}
    result = {}
    for label, methods in pairs.items():
        seeds = sorted({s for m, s in runs if m == methods[0]} & {s for m, s in runs if m == methods[1]})
        if seeds:
            result[label] = compare_methods(*([runs[m, s] for s in seeds] for m in methods), metrics, replicates)
    return result


def against_msp(records, score, fit=None, metrics=("auroc", "aurc", "augrc"), replicates: int = REPLICATES) -> dict:
    """Compare a confidence score with the maximum softmax probability on the same networks and test images.

    Parameters
    ----------
    records : list of records.Record
        Finished runs on one test set, such as one method's seeds.
    score : callable
        From logits (n, k) to confidence (n,), growing with trust. The predictions stay the network's own.
    fit : callable, optional
        From validation logits (m, k) and labels (m,) to what `score` gets as its second argument.
    metrics : sequence of str
        As `statistics.compare_scores` takes them.

    Returns
    -------
    dict of str to statistics.Comparison
        `a` is MSP's and `b` the score's.

    Raises
    ------
    ValueError
        If the score does not give one finite number an image.

    Examples
    --------
    ``against_msp(group.runs["baseline"], p_norm_max_logit, fit=fit_p)``
    """
    plain, scored = [], []
    for record in records:
        correct = record.logits.argmax(1) == record.labels
        fitted = () if fit is None else (fit(record.valid_logits, record.valid_labels),)
        value = np.asarray(score(record.logits.copy(), *fitted), np.float64)
        if value.shape != correct.shape or not np.isfinite(value).all():
            raise ValueError(
                f"the score gave an array of shape {value.shape}, {np.sum(~np.isfinite(value))} of its values NaN or "
                f"infinite; it must give one finite number an image, shape {correct.shape}"
            )
        plain.append((softmax(record.logits).max(1), correct))
        scored.append((value, correct))
    return compare_scores(plain, scored, metrics, replicates)


def classroom() -> list:
    """Return the finished classroom runs of the regime's own network."""
    return finished(dataset="embedded", protocol="paper", **SCALES["classroom"])


GLANCE = (*CALIBRATION, "crl", *FLAT)


def glance_in_words(found: dict) -> str:
    """Say which methods calibrate, which harm the ranking and which lower AURC, beyond doubt.

    `found` is what `against_baseline` gives, with ``ece``, ``auroc`` and ``aurc``.
    """
    calibration = [m for m in CALIBRATION if m in found]
    better = [m for m in calibration if found[m]["ece"].high < 0]
    worse = [m for m in calibration if found[m]["auroc"].high < 0]
    both = [m for m in better if m in worse]
    lower, higher = ([m for m, row in found.items() if row["aurc"].certain and row["aurc"].better is side]
                     for side in (True, False))  # fmt: skip
    return (
        f"Beyond doubt, of the {len(calibration)} calibration methods ECE falls with {names(better)}, and AUROC falls "
        f"with {names(worse)}; both happen with {names(both)}. Of all methods, AURC falls beyond doubt with "
        f"{names(lower)} and rises with {names(higher)}."
    )


def methods() -> str:
    """Return the method table as Markdown, from the registry itself."""
    lines = ["| name | what it is | SAM | average | loss |", "| --- | --- | --- | --- | --- |"]
    for key, method in METHODS.items():
        if "+" not in key:
            cells = (f"`{key}`", method.summary, "yes" if method.sam else "", (method.averaging or "").upper())
            lines.append("| " + " | ".join(cells) + f" | ${method.equation}$ |")
    return "\n".join(lines)


def networks() -> str:
    """Return every network with its number of parameters at 10 and 100 classes, as Markdown."""
    import torch

    from .networks import NETWORKS, create

    lines = ["| name | parameters, 10 classes | 100 classes |", "| --- | ---: | ---: |"]
    for key in NETWORKS:
        with torch.device("meta"):
            counts = [sum(p.numel() for p in create(key, k).parameters()) for k in (10, 100)]
        lines.append(f"| `{key}` | {counts[0]:,} | {counts[1]:,} |")
    return "\n".join(lines)


def datasets() -> str:
    """Return the catalogue of data sets as Markdown, from the registry itself."""
    from .datasets import CATALOGUE

    lines = ["| name | classes | training + test images | pixels | download | terms |",
             "| --- | ---: | ---: | --- | ---: | --- |"]  # fmt: skip
    for key, source in CATALOGUE.items():
        size = f"{source.archive.bytes / 1e6:,.0f} MB" if source.archive else "by hand" if source.by_hand else "ships"
        cells = (f"[`{key}`]({source.page})", f"{source.classes:,}", f"{source.train:,} + {source.test:,}",
                 source.shape, size, source.licence)  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def corruptions() -> str:
    """Return the kinds of corruption with what they do and their strengths, as Markdown, from the registry itself."""
    from .corruptions import KINDS

    lines = ["| kind | what it does | strength at severities 1 to 5 |", "| --- | --- | --- |"]
    for key, (function, strengths) in KINDS.items():
        lines.append(f"| `{key}` | {function.__doc__.rstrip('.')} | {' · '.join(map(str, strengths))} |")
    return "\n".join(lines)


def regime_search() -> str:
    """Return the search for the classroom regime as Markdown: each regime's differences from its baseline."""
    rows = frame(finished(dataset="embedded", protocol="paper", seed=[0, 1, 2],
                          method=["baseline", "label_smoothing", "fmfp"]))  # fmt: skip
    rows = rows[rows["network"].str.startswith("preact_resnet8")]
    heading = ("network", "images", "epochs", "baseline AUROC %", "label smoothing, per seed", "FMFP, per seed", "held")
    lines = ["| " + " | ".join(heading) + " |", "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"]
    for (network, size, epochs), group in rows.groupby(["network", "train_size", "epochs"]):
        auroc = 100 * group.pivot(index="seed", columns="method", values="auroc").dropna()
        if len(auroc) < 3:
            continue
        change = auroc.sub(auroc["baseline"], axis=0)
        right = (change["label_smoothing"] < 0) & (change["fmfp"] > 0)
        cells = [
            ",\u00a0".join(f"{v:+.2f}" for v in change[m]).replace("-", "−") for m in ("label_smoothing", "fmfp")
        ]
        lines.append(f"| `{network}` | {size:,} | {epochs} | {plus_minus(auroc['baseline'])} | {cells[0]} | {cells[1]} "
                     f"| {right.sum()}\u00a0of\u00a0{len(right)} |")  # fmt: skip
    return "\n".join(lines)


def protocols() -> str:
    """Return, as Markdown, what following the code instead of the paper changes at classroom scale, seed by seed."""
    regime = {"dataset": "embedded", **SCALES["classroom"]}
    runs = {(r.settings.protocol, r.settings.method, r.settings.seed): (r.logits, r.labels) for r in finished(**regime)}
    found, counts = {}, set()
    for method in METHODS:
        seeds = sorted(s for p, m, s in runs if (p, m) == ("code", method) and ("paper", m, s) in runs)
        if len(seeds) > 1:
            found[method] = compare(*([runs[p, method, s] for s in seeds] for p in ("paper", "code")))
            counts.add(len(seeds))
    if not found:
        return "Nothing has been trained by the code's protocol yet."
    return (
        f"Change where the code is followed instead of the paper, `{regime['network']}` on Fashion-MNIST, "
        f"{'-'.join(map(str, sorted(counts)))} seeds (95 % interval, bold where it leaves out zero):\n\n"
        f"{difference_table(found)}\n\nAUROC is {in_words(found, 'auroc')}. ECE is {in_words(found, 'ece')}."
    )


def html_table(heads, rows, caption: str, kind: str = "facts") -> str:
    """Return an HTML table in a box that scrolls; cells and caption are HTML already.

    `kind` is its class: ``facts`` for short cells, ``words`` for sentences, which wrap, ``evidence`` for both.
    """
    head = "".join(f'<th scope="col">{h}</th>' for h in heads)
    body = "\n".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return (f'<div class="scroll" tabindex="0"><table class="{kind}"><caption>{caption}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>")  # fmt: skip


def frame_html(data: pd.DataFrame, caption: str, published=(), digits: int = 2) -> str:
    """Return a DataFrame as `html_table`, its index as the first column, names as print has them.

    Parameters
    ----------
    data : DataFrame
        Cells may be tuples of names.
    caption : str
        Plain text.
    published : sequence of str
        Columns that hold numbers of the paper; they get the class ``published``.
    digits : int
        Of floats; NaN becomes a dash.
    """

    def text(value):
        if isinstance(value, tuple):
            return ", ".join(text(v) for v in value)
        if isinstance(value, str):
            return html.escape(heading(value))
        if pd.isna(value):
            return "–"
        if isinstance(value, float) and abs(value) < 1e-9:
            value = 0.0  # not the noise of a subtraction
        if isinstance(value, float) and 0 < value < 0.5 * 10**-digits:
            return f"&lt;{10**-digits:.{digits}f}"
        return f"{value:.{digits}f}".replace("-", "\u2212") if isinstance(value, float) else str(value)

    def heading(key):
        key = str(key)
        return DISPLAY[key][1] if key in DISPLAY else name(key).replace("_", " ")

    flat = data.reset_index() if data.index.name else data
    if data.index.nlevels > 1:
        flat = data.reset_index(drop=True)
        flat.insert(0, ", ".join(map(heading, data.index.names)), data.index.to_flat_index())
    rows = [
        [f'<em class="published">{text(v)}</em>' if c in published else text(v) for c, v in zip(flat, row, strict=True)]
        for row in flat.itertuples(index=False, name=None)
    ]
    return html_table([html.escape(heading(c)) for c in flat], rows, html.escape(caption))


BENCHMARKS = Path(__file__).resolve().parent.parent / "data" / "benchmarks.json"


def benchmarks(group: str, device: str = "cpu") -> list[dict]:
    """Return the rows measured by ``fmfp bench`` whose group begins with `group`; none where nothing was measured."""
    found = json.loads(BENCHMARKS.read_text()) if BENCHMARKS.exists() else {}
    return [row for row in found.get(device, {"rows": []})["rows"] if row["group"].startswith(group)]


def sam_prices() -> dict | None:
    """Return the measured price of a SAM step in SGD steps, for each of ``flatness.PARTS``; None if not measured."""
    ratios = {row["what"]: row["ratio"] for row in benchmarks("Prices")}
    return {"all": ratios["`sam`"], "batch_norm": ratios["`sam_bn`"]} if ratios else None


def _three_digits(value) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:#.3g}"


def speed(found: dict | None = None) -> str:
    """Return what ``fmfp bench`` measured as Markdown, one table a group.

    Parameters
    ----------
    found : dict, optional
        Measurements by device, as ``benchmarks.bench.measure`` returns them; the committed ones if not given.
    """
    if found is None:
        found = json.loads(BENCHMARKS.read_text())
    lines, groups = [], {}
    for device, part in found.items():
        versions = ", ".join(" ".join(item) for item in part["versions"].items())
        about = f"{device.upper()}: {part['device']}", f"{part['cores']} cores", f"{part['threads']} threads", versions
        how = f"{part['clock']} clock, medians of {part['repeats']}, {part['date']}, load {part['load']}"
        lines.append(f"{', '.join(about)}; {how}.\n")
        for row in part["rows"]:
            groups.setdefault(row["group"], {}).setdefault(row["what"], {})[device] = row
    for group, rows in groups.items():
        on_gpu = "cuda" in found and group.startswith(("Training", "Where", "Prices"))
        heading = ["", "compared with", "here", "ratio", "aim"] + ["ratio on a GPU"] * on_gpu
        lines += [f"**{group}.**\n", "| " + " | ".join(heading) + " |", "| --- |" + " ---: |" * (len(heading) - 1)]
        for what, by_device in rows.items():
            cpu, cuda = by_device.get("cpu", {}), by_device.get("cuda")
            cells = [f"{_three_digits(cpu[key])}\u00a0{cpu['unit']}" if cpu.get(key) is not None else ""
                     for key in ("other", "own")]  # fmt: skip
            cells += [_three_digits(cpu.get("ratio")), ((cpu or cuda)["aim"] or "").replace(" ", "\u00a0")]
            if on_gpu:
                cells.append(_three_digits(cuda["ratio"]) if cuda else "not measured yet")
            lines.append(f"| {what} | " + " | ".join(cells) + " |")
        lines.append("")
    return "\n".join(lines)
