"""What `fmfp evaluate` and `compare` find, as one page of HTML that needs nothing else: no network, no other file."""

import json
from html import escape
from string import Template

from .. import __version__
from . import explorer_data, report_text
from .report import judged

CORRECT, INCORRECT = {"light": "#0173b2", "dark": "#0173b2"}, {"light": "#d55e00", "dark": "#d55e00"}
# Colours of systems, in both themes, and dashes; they repeat after the last.
STYLES = (
    {"light": "#0173b2", "dark": "#0173b2", "dashes": ""},
    {"light": "#d55e00", "dark": "#d55e00", "dashes": ""},
    {"light": "#029e73", "dark": "#029e73", "dashes": "8 3"},
    {"light": "#cc8405", "dark": "#de8f05", "dashes": "4 2"},
    {"light": "#cc78bc", "dark": "#cc78bc", "dashes": "8 3 2 3"},
    {"light": "#949494", "dark": "#949494", "dashes": "2 3"},
)
EXPLORER = """<section>
<h2>Risk and coverage</h2>
<p>A system that may abstain answers only where its confidence reaches a threshold: the share that it answers is its
coverage, the share of incorrect answers among these its selective risk. Move the threshold. It is read off these very
items, so it shows what could be had; <code>fmfp threshold</code> finds one that keeps a promise on others.</p>
$form
</section>"""


def evaluation(report: dict, predictions) -> str:
    """Return the page of one system.

    Parameters
    ----------
    report : dict
        What ``report.summary`` returns of `predictions`.
    predictions : predictions.Predictions

    Returns
    -------
    str
        HTML.
    """
    items, *_ = judged(predictions)
    accuracy = report["metrics"]["accuracy"]
    lead = (
        f"{report['items']:,} items, {report['errors']:,} incorrect predictions: accuracy "
        f"{report_text.with_interval(accuracy, 'value')} %. Brackets hold 95 % intervals. "
        f"The file was read as {report['kind']}."
    )
    note = f"<p>{about}</p>" if (about := report_text.about_ece(report)) else ""
    measured = f"<section><h2>Metrics</h2>{_table(*report_text.metric_table(report))}{note}</section>"
    risks = f"<section><h2>Risk at some coverages</h2>{_table(*report_text.risk_table(report))}</section>"
    numbers = f'<div class="beside">{measured}{risks}</div>'
    parts = [_notes(report["notes"]), numbers, _reliability(report), _explorer(), _groups(report), _errors(report)]
    return _page(f"Predictions of {report['name']}", lead, [*parts, _explained()], [items], [report])


def comparison(rows, systems, reports) -> str:
    """Return the page of several systems.

    Parameters
    ----------
    rows : list of intervals.Difference
    systems : sequence of predictions.Predictions
        The items that were compared.
    reports : sequence of dict
        What ``report.summary`` returns of each.

    Returns
    -------
    str
        HTML.
    """
    first = systems[0].name
    lead = f"{len(systems[0]):,} items, the same for all. Differences from {escape(first)}, with 95 % intervals."
    words = "".join(f"<p>{escape(line)}</p>" for line in report_text.differences_in_words(rows, first))
    cells = []
    for row in rows:
        heading, *values, ends, p = report_text.difference(row)
        cells.append((row.system, heading, *values, ends.replace("-", "\u2212"), p))
    heads = ("system", "metric", first, "system's", "difference [95 %]", "p, Holm")
    notes = [f"{report['name']}: {note}" for report in reports for note in report["notes"]]
    parts = [_notes(notes), f"<section><h2>Differences</h2>{words}{_table(heads, cells, words=(1,))}</section>"]
    return _page("Systems compared", lead, [*parts, _explorer(), _explained()], systems, reports)


def _page(title, lead, parts, systems, reports):
    shown = {f"s{i}": STYLES[i % len(STYLES)] | {"name": s.name} for i, s in enumerate(systems)}
    runs = {}
    for key, system, report in zip(shown, systems, reports, strict=True):
        metrics = {m: report["metrics"].get(m, {}).get("value") for m in ("accuracy", "auroc", "aurc", "ece")}
        metrics = {m: float("nan") if v is None else v for m, v in metrics.items()}
        packed = explorer_data.of_system(system.confidence, system.correct, metrics)
        runs[key] = [{"seed": 0, **packed}]
    data = {
        "items": "items", "grid": explorer_data.GRID, "bins": explorer_data.BINS, "default": list(shown),
        "right": CORRECT, "wrong": INCORRECT, "methods": shown,
        "groups": [{"dataset": "", "network": "", "dataset_name": "", "network_name": "", "train_size": 0,
                    "n": len(systems[0]), "runs": runs}],
    }  # fmt: skip
    asset = {name: (explorer_data.ASSETS / name).read_text("utf-8") for name in ("report.html", "report.css")}
    script, css = ((explorer_data.ASSETS / f"explorer.{ending}").read_text("utf-8") for ending in ("js", "css"))
    return Template(asset["report.html"]).substitute(
        title=escape(title),
        lead=lead,
        style=asset["report.css"] + css,
        body="\n".join(filter(None, parts)),
        footer=f"Made by <code>fmfp</code> {__version__}. Nothing in this page asks for anything from elsewhere.",
        data=json.dumps(data, separators=(",", ":"), allow_nan=False).replace("</", "<\\/"),
        script=script,
    )


def _table(heads, rows, words=(), marked=None):
    """Return a table of text; columns of `words` are set to the left, the row of index `marked` is set off."""

    def kind(i):
        return ' class="word"' if i in words else ""

    head = "".join(f'<th scope="col"{kind(i)}>{escape(h)}</th>' if h else "<td></td>" for i, h in enumerate(heads))
    lines = []
    for i, (first, *rest) in enumerate(rows):
        cells = "".join(f"<td{kind(j)}>{escape(cell)}</td>" for j, cell in enumerate(rest, 1))
        start = '<tr class="worst">' if i == marked else "<tr>"
        lines.append(f'{start}<th scope="row">{escape(first)}</th>{cells}</tr>')
    body = "".join(lines)
    return f'<div class="scroll" tabindex="0"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _notes(notes):
    return f'<div class="notes">{"".join(f"<p>{escape(note)}</p>" for note in notes)}</div>' if notes else ""


def _reliability(report):
    rows = report["reliability"]
    if not rows:
        return ""
    off = sum(bool(report_text.off_diagonal(row)) for row in rows)
    return (
        f"<section><h2>Reliability</h2><p>In {off} of {len(rows)} bins the interval of the accuracy excludes the mean "
        f'confidence.</p><div class="beside"><figure>{_diagram(rows)}<figcaption>Accuracy against mean confidence; '
        f"upright lines are exact (Clopper-Pearson) 95 % intervals, red where they exclude the diagonal."
        f"</figcaption></figure>{_table(*report_text.reliability_table(report), words=(4,))}</div></section>"
    )


def _diagram(rows):
    left, top, side = 46, 10, 330

    def x(value):
        return f"{left + side * value:.1f}"

    def y(value):
        return f"{top + side * (1 - value):.1f}"

    parts = []
    for tick in (0, 0.2, 0.4, 0.6, 0.8, 1):
        parts.append(f'<path class="grid" d="M{left} {y(tick)}h{side}"/>')
        parts.append(f'<text x="{left - 6}" y="{float(y(tick)) + 4:.1f}" text-anchor="end">{100 * tick:.0f}</text>')
        parts.append(f'<text x="{x(tick)}" y="{top + side + 16}" text-anchor="middle">{100 * tick:.0f}</text>')
    parts.append(f'<path class="axis" d="M{left} {top}v{side}h{side}"/>')
    parts.append(f'<path class="diagonal" d="M{x(0)} {y(0)}L{x(1)} {y(1)}"/>')
    for row in rows:
        kind = " off" if report_text.off_diagonal(row) else ""
        at = x(row["confidence"])
        parts.append(f'<path class="interval{kind}" d="M{at} {y(row["low"])}V{y(row["high"])}"/>')
        parts.append(f'<circle class="dot{kind}" cx="{at}" cy="{y(row["accuracy"])}" r="4"/>')
    middle = top + side / 2
    parts.append(f'<text x="{left + side / 2}" y="{top + side + 34}" text-anchor="middle">mean confidence, %</text>')
    parts.append(f'<text transform="translate(11 {middle}) rotate(-90)" text-anchor="middle">accuracy, %</text>')
    return (
        f'<svg class="chart" role="img" viewBox="0 0 {left + side + 12} {top + side + 42}" aria-label="Reliability '
        f'diagram; the table beside it has the numbers.">{"".join(parts)}</svg>'
    )


def _explorer():
    form = (explorer_data.ASSETS / "explorer.html").read_text("utf-8")
    return Template(EXPLORER).substitute(form=form)


def _groups(report):
    found = report["groups"]
    if not found:
        return ""
    worst = next(i for i, row in enumerate(found) if row["group"] == report["worst_group"])
    name = found[worst]["group"] or report_text.NO_NAME
    return (
        f"<section><h2>Risk by group</h2><p>With nothing rejected. Worst, by the lower end of its interval: "
        f"<b>{escape(name)}</b>, {report_text.with_interval(found[worst], 'risk')} %.</p>"
        f"{_table(*report_text.group_table(found), marked=worst)}</section>"
    )


def _errors(report):
    found = report["confident_errors"]
    if not found:
        return "<section><h2>Errors</h2><p>There are none among these items.</p></section>"
    heads, rows = report_text.error_table(found)
    table = _table(heads, rows, words=tuple(i for i, h in enumerate(heads) if h not in ("row", "confidence")))
    return f"<section><h2>Errors of the highest confidence</h2><p>Rows count from 0.</p>{table}</section>"


def _explained():
    return """<section><h2>What the numbers are</h2>
<p>Metrics follow the conventions of the paper's published numbers: confidence is the maximum softmax probability, AURC
the mean selective risk over all coverages, AUROC the chance that a correct prediction has a higher confidence than an
incorrect one, FPR-95%TPR the share of incorrect predictions accepted where 95 % of the correct ones are. Their
intervals come from a bootstrap over items; those of accuracies and risks are exact (Clopper-Pearson). Items of equal
confidence are one threshold.</p></section>"""
