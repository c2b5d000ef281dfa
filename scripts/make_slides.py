"""Make one offline HTML deck of book/slides/slides.md: ``python scripts/make_slides.py [--out FOLDER]``.

The source has slides divided by ``---``, ``Notes:`` for the speaker, ``![text](figure:NAME)`` for a figure below and
``{{NAME}}`` for a value below. All figures and values come from the finished records through `fmfp_lib`.
"""

import argparse
import base64
import html
import re
from functools import cache
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402
from markdown_it import MarkdownIt  # noqa: E402

from fmfp_lib import confidence, datasets, metrics, statistics  # noqa: E402
from fmfp_lib.book import (  # noqa: E402
    claims,
    compare,
    figures,
    film,
    home,
    ladder,
    markdown,
    names,
    nearest,
    pieces,
    published,
    quiz,
    rungs,
    study,
    valley,
    words,
)
from fmfp_lib.book.examples import CLASSES  # noqa: E402
from fmfp_lib.book.figures.style import panels  # noqa: E402
from fmfp_lib.book.special_evidence import MIDDLE  # noqa: E402
from fmfp_lib.cost import training_cost  # noqa: E402
from fmfp_lib.methods import CALIBRATION, FLAT, METHODS  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "book" / "slides" / "slides.md"  # with slides.css and slides.js beside it
ICON = ROOT / "book" / "assets" / "favicon.svg"
METRICS = ("accuracy", "auroc", "aurc", "augrc", "ece")


# -- what the slides speak of ---------------------------------------------------------------------------------


@cache
def every():
    """Return the finished runs."""
    return study.shown(["baseline", *CALIBRATION, *FLAT])


def groups():
    """Return those that most slides speak of: on Fashion-MNIST."""
    return [g for g in every() if g.dataset == rungs.CLASS.regime["dataset"]]


@cache
def compared():
    """Return the differences from the baseline on every network: title, method, metric."""
    return {g.title: compare.against_baseline(g.records, list(g.runs)[1:], METRICS) for g in every()}


def first(method):
    return groups()[0].runs[method][0]


def count(found, certain_better):
    """Count comparisons that are certain, and better (or worse)."""
    return sum(c.certain and c.better == certain_better for c in found)


def span(values, form):
    low, high = min(values), max(values)
    return form.format(low) if form.format(low) == form.format(high) else f"{form.format(low)} to {form.format(high)}"


# -- values ---------------------------------------------------------------------------------------------------


def surest():
    return "; ".join(f"{names.name(m)} **{v[home.START - 1]:.1f}**" for m, v in home.errors(rungs.CLASS).items())


def deciding():
    return f"{len(rungs.CLASS.deciding.seeds)} networks"


@cache
def pair():
    """Return three networks and one pair of the quiz: the first that not all of them rank alike, or else the first.

    The pair is the places, left and right, and the side of the incorrect prediction, as the page Play has it.
    """
    runs = pieces.runs(home.METHODS)
    places = quiz.chosen(list(runs.values()))
    ranks = np.array([np.subtract(*r.confidence[places].T) > 0 for r in runs.values()])
    number = int(np.argmax((ranks != ranks[0]).any(0)))
    swapped = np.random.default_rng(quiz.SEED + 1).random(len(places))[number] < 0.5
    return runs, (places[number][::-1] if swapped else places[number]), int(not swapped)


def pair_words():
    """Return what the networks say of the pair, and what it is."""
    runs, places, _ = pair()
    one, words = next(iter(runs.values())), CLASSES[rungs.CLASS.regime["dataset"]]
    return [words[i] for i in one.logits[places].argmax(1)], [words[i] for i in one.labels[places]]


def pair_confidence():
    runs, places, _ = pair()
    rows = [(names.name(m), *(f"{100 * c:.1f} %" for c in r.confidence[places])) for m, r in runs.items()]
    return markdown.table(("confidence", *(f"left, “{said}”" if not side else f"right, “{said}”"
                                           for side, said in enumerate(pair_words()[0]))), rows)  # fmt: skip


def pair_answer():
    runs, places, wrong = pair()
    (said, truth), every = (words[wrong] for words in pair_words()), quiz.chosen(list(runs.values()))
    hits = {m: int((np.subtract(*r.confidence[every].T) > 0).sum()) for m, r in runs.items()}
    return (
        f"“{said}” is {truth}. Of the quiz's {len(every)} pairs these are ranked correctly: "
        + ", ".join(f"{names.name(m)} {n}" for m, n in hits.items())
        + "."
    )


def rungs_say():
    heading = ["network", "accuracy %"]
    heading += [words for m in rungs.CURVES[1:] for words in (f"{names.name(m)}: AUROC", "nearest in the paper")]
    rows, ece = [], {m: [] for m in rungs.CURVES[1:]}
    for rung in rungs.shown("classroom"):
        found = {e.method: e for e in ladder.effects(rung, rungs.CURVES[1:])}
        row = [rung.title, f"{100 * next(iter(found.values())).accuracy:.1f}"]
        for method, effect in found.items():
            ece[method].append(effect.changes["ece"])
            classes = datasets.CATALOGUE[effect.dataset].classes
            value, _ = nearest.cell("baseline", method, "auroc", classes, effect.accuracy)
            row += [markdown.difference(effect.changes["auroc"])]
            row += [f'<em class="published">{markdown.signed(100 * value)}</em>']
        rows.append(row)
    fewer = ", ".join(f"with {names.name(m)} on {count(changes, True)} of {len(changes)}" for m, changes in ece.items())
    table = markdown.table(heading, rows)
    return f"Change against the baseline, in points:\n\n{table}\n\nECE is clearly lower {fewer} networks."


def dose():
    return ladder.dose_table(ladder.by_dose("classroom")[rungs.CLASS.title])


def scope():
    sizes = {len(r) for g in every() for r in g.runs.values()}
    titles = "; ".join(g.title for g in every()).replace("-", "\u2011")  # a hyphen at which no line breaks
    return f"Ours: {titles}; {span(sizes, '{}')} seeds"


BY_HAND = (0.9, 0.8, 0.7, 0.6, 0.5), (1, 1, 0, 1, 0)


def auroc_by_hand():
    return f"(6 pairs: {metrics.auroc(*BY_HAND):.3f})"


def aurc_by_hand():
    return f"({metrics.aurc(*BY_HAND):.3f})"


def coverage():
    def told(share):
        risks = {m: 100 * metrics.selective_risk_at(*first(m).scored, share) for m in home.METHODS}
        return ", ".join(f"{names.name(m)} {risk:.1f} %" for m, risk in risks.items())

    return f"Wrong among the surest {100 * home.START / 100:.0f} %: {told(home.START / 100)}. Among all: {told(1.0)}."


def _published(table, methods, metrics_):
    rows = []
    for method in methods:
        cells = [published.cell(table, "cifar10", "preact_resnet110", method, m) for m in metrics_]
        rows.append((names.name(method), *(f'<em class="published">{c}</em>' for c in cells)))
    return markdown.table(("", *(names.DISPLAY[m][1] for m in metrics_)), rows, words=1 + len(metrics_))


def published_table1():
    return _published("table1", ("baseline", *CALIBRATION), ("auroc", "aurc"))


def published_table2():
    return _published("table2", ("baseline", "crl", *FLAT), ("auroc", "aurc", "ece"))


def ours_table1():
    found = {m: [compared()[g.title][m] for g in groups() if m in g.runs] for m in CALIBRATION}
    calibrates = [m for m, rows in found.items() if count([r["ece"] for r in rows], True) == len(rows)]
    harms = [m for m, rows in found.items() if count([r["auroc"] for r in rows], False)]
    return (
        f"ECE clearly falls on {'both' if len(groups()) == 2 else 'all'} networks for {names.listed(calibrates)}; "
        f"AUROC clearly falls on at least one for {names.listed(harms)}."
    ).replace("-", "\u2011")


measured_valleys = cache(valley.of_class)


def valley_say():
    place = valley.NORMS.index(0.25)
    rises = {m: (v[:, place] - v[:, 0]).mean() for m, v in measured_valleys().items()}
    return (
        "A random perturbation by 25 % of each filter's norm raises the loss by "
        + " and ".join(f"{rise:.2f} ({names.name(m)})" for m, rise in rises.items())
        + ": FMFP's minimum is "
        + ("flatter." if rises["fmfp"] < rises["baseline"] else "no flatter.")
    )


def temperature():
    said = []
    for g in groups():
        scaled = [
            (confidence.scale(r.logits, confidence.fit_temperature(r.valid_logits, r.valid_labels)), r.labels)
            for r in g.runs["baseline"]
        ]
        found = statistics.compare_methods(compare.classified(g.runs["baseline"]), scaled, ("auroc", "ece"))
        said.append(
            f"{g.title}: ECE {markdown.difference(found['ece'], bold=False)}, "
            f"AUROC {markdown.difference(found['auroc'], bold=False)} points"
        )
    return ". ".join(said) + "."


def price():
    """Return what a run of FMFP costs, in plain runs."""
    one, plain = (training_cost(METHODS[m], first("baseline").settings) for m in ("fmfp", "baseline"))
    return f"{one / plain:.1f}"


def cost():
    return f"It costs {price()} plain runs, since SAM's steps take two passes."


def ours_table2():
    parts = []
    for metric in ("auroc", "augrc"):
        found = [compared()[g.title][m][metric] for g in groups() for m in FLAT if m in g.runs]
        parts.append(
            f"{metric.upper()} is clearly better in {count(found, True)} and worse in "
            f"{count(found, False)} of {len(found)} comparisons"
        )
    return "; ".join(parts) + "."


@cache
def _sources():
    return {g.title: compare.augrc_parts(g.records, ["fmfp"])["fmfp"] for g in groups()}


def sources():
    heading = ("FMFP against the baseline", "AUGRC ×10³", "by ranking", "by errors")
    rows = [(title, *map(markdown.difference, found.values())) for title, found in _sources().items()]
    return markdown.table(heading, rows, words=4)


def sources_say():
    return f"Here {words.carried_by_errors(_sources().values())}."


@cache
def late():
    """Return the verdict on C6 and, by network, the late change of the baseline's AUROC and of its accuracy."""
    result, found = claims.evaluate(only=["C6"])["C6"], {}
    for e in result.evidence:
        found.setdefault(e.group, {})[e.quantity] = e
    return result, found


def overfitting():
    result, found = late()
    falls = [row for row in found.values() if row["late_auroc"].high < 0]
    rises = sum(row["late_auroc"].low > 0 for row in found.values())
    both = sum(row["late_accuracy"].low > 0 for row in falls)
    return (
        f"{result.claim.id}: {result.verdict}. AUROC clearly falls late on {len(falls)} of {len(found)} networks "
        f"({both} of them while accuracy clearly rises) and clearly rises on {rises}."
    )


def ensemble():
    heading = ("AUGRC ×10³ against one baseline", "two baselines (cost 2)", f"one FMFP (cost {price()})")
    rows, ahead = [], 0
    for g in groups():
        plain, labels = g.runs["baseline"], g.runs["baseline"][0].labels
        pairs = [(z, labels) for z in confidence.neighbouring_ensembles([r.logits for r in plain], 2)]
        found = [
            statistics.compare_methods(compare.classified(plain), other, ("augrc",), draw_seeds=False)["augrc"]
            for other in (pairs, compare.classified(g.runs["fmfp"]))
        ]
        ahead += found[0].difference < found[1].difference
        rows.append((g.title, *map(markdown.difference, found)))
    who = {0: "FMFP is ahead on every network", len(groups()): "The pair of baselines is ahead on every network"}
    return (
        f"{markdown.table(heading, rows)}\n\n<small>Intervals over test images alone, of these very networks."
        f"</small>\n\n**{who.get(ahead, 'Each is ahead on some of the networks')}.**"
    )


def conclusions():
    cases = [found[m] for found in compared().values() for m in CALIBRATION if m in found]
    auroc, ece = ([row[k] for row in cases] for k in ("auroc", "ece"))
    fmfp = [found["fmfp"] for found in compared().values() if "fmfp" in found]
    data = len({g.dataset for g in every()})
    judged = claims.evaluate(only=["C2", "C6", "C7"])
    return "\n".join([
        *(f"* {key}, *{result.claim.wording}* **{result.verdict.capitalize()}.**" for key, result in judged.items()),
        f"* **Calibration is not ranking.** Of {len(cases)} cases ({len(CALIBRATION)} methods, {len(fmfp)} networks, "
        f"{data} data sets) ECE clearly improves in {count(ece, True)}; AUROC clearly falls in "
        f"{count(auroc, False)} and rises in {count(auroc, True)}.",
        f"* **FMFP**: AUGRC clearly better on {count([row['augrc'] for row in fmfp], True)} of {len(fmfp)} "
        f"networks, AUROC on {count([row['auroc'] for row in fmfp], True)}.",
    ])  # fmt: skip


VALUES = {f.__name__: f for f in (
    surest, deciding, pair_confidence, pair_answer, rungs_say, dose, scope, auroc_by_hand, aurc_by_hand, coverage,
    published_table1, published_table2, ours_table1, valley_say, temperature, cost, ours_table2, sources, sources_say,
    overfitting, ensemble, conclusions,
)}  # fmt: skip


def risk_coverage():
    drawn = [first(m) for m in ("baseline", "label_smoothing", "fmfp")]
    figure = figures.risk_coverage_plot(drawn)
    # A single sure error lifts the risk of the first few images to 100 %; what a user meets begins after them.
    figure.axes[0].set_ylim(0, 115 * max(1 - r.metrics["accuracy"] for r in drawn))
    figure.axes[0].axvline(home.START, color="0.7", linestyle=":", linewidth=1, zorder=0)
    return figure


def quiz_pair():
    """Draw the pair of test images with what the networks say."""
    _, places, _ = pair()
    size = len(pair()[0]["baseline"].labels)
    images = datasets.load(rungs.CLASS.regime["dataset"], test_size=size).x_test[places]
    figure, axes = panels(2, columns=2, width=2.2, height=2.2)
    for panel, image, said in zip(axes, images, pair_words()[0], strict=True):
        panel.imshow(image[0], cmap="gray")
        panel.set_title(f"“{said}”")
        panel.set_axis_off()
    figure.tight_layout()
    return figure


def surest_errors():
    """Draw how many of the surest tenth of 10,000 answers are wrong."""
    counts = {m: v[home.START - 1] for m, v in home.errors(rungs.CLASS).items()}
    figure, axes = panels(1, columns=1, width=6.5, height=2.0)
    bars = axes[0].barh([names.name(m) for m in counts], counts.values(), color=[figures.colour(m) for m in counts])
    axes[0].bar_label(bars, fmt="%.1f", padding=4)
    axes[0].margins(x=0.1)  # room for the longest bar's number
    axes[0].spines[["top", "right"]].set_visible(False)
    axes[0].invert_yaxis()
    axes[0].set_xlabel("wrong answers among the 1,000 surest of 10,000")
    return figure


def over_training():
    """Draw the confidence of correct and incorrect predictions at three epochs, baseline and label smoothing."""
    films = film.frames(rungs.CLASS, ("baseline", "label_smoothing"))
    figure, axes = panels(6, columns=3, width=2.6, height=1.6, sharex=True, sharey=True)
    edges = np.arange(film.BINS) / film.BINS
    for row, (method, found) in enumerate(films.items()):
        for column, place in enumerate((4, 24, 49)):
            panel, (right, wrong) = axes[3 * row + column], np.sqrt(found["shares"][place])
            for shares, colour in ((right, figures.CORRECT), (-wrong, figures.INCORRECT)):
                panel.bar(edges, shares, 1 / film.BINS, align="edge", color=colour)
            panel.set_title(f"{names.name(method)}, epoch {found['epochs'][place]}", fontsize=9)
            panel.set_yticks([])
            panel.tick_params(axis="x", bottom=row == len(films) - 1)
    figure.supxlabel("confidence; correct predictions upwards, incorrect ones downwards", fontsize=9)
    figure.tight_layout()
    return figure


def valleys():
    """Draw the measured loss around the weights of the baseline and of FMFP."""
    return figures.valleys(measured_valleys(), valley.NEAR, valley.NEAR_TOP)


def late_in_training():
    """Draw the late changes of the baseline on every network, and the last part of training on the first."""
    _, found = late()
    figure, axes = plt.subplots(1, 2, figsize=(9.6, 3.8), gridspec_kw={"width_ratios": [1.1, 1]})
    for place, row in enumerate(found.values()):
        for key, shift, shade in (("late_auroc", -0.13, figures.colour("fmfp")), ("late_accuracy", 0.2, "0.6")):
            e = row[key]
            value, low, high = 100 * e.value, 100 * e.low, 100 * e.high
            label = {"late_auroc": "AUROC", "late_accuracy": "accuracy"}[key] if not place else None
            clear = shade if low * high > 0 else "white"
            axes[0].plot([low, high], [place + shift] * 2, color=shade)
            axes[0].plot(value, place + shift, "o", color=shade, markerfacecolor=clear, markersize=5, label=label)
    axes[0].axvline(0, color="0.7", linewidth=1, zorder=0)
    titles = ["\n".join(title.rsplit(", ", 1)) for title in found]
    changes = [markdown.signed(100 * row["late_auroc"].value) for row in found.values()]
    labels = [f"{title}: AUROC {change}" for title, change in zip(titles, changes, strict=True)]
    axes[0].set_yticks(range(len(found)), labels, fontsize=9)
    axes[0].invert_yaxis()
    axes[0].set(xlabel="baseline, end minus middle of training, points")
    group = groups()[0]
    for method in ("baseline", "fmfp"):
        runs_ = group.runs[method]
        epochs = runs_[0].settings.epochs
        rows = [[e for e in r.history if "test_auroc" in e and e["epoch"] > MIDDLE[0] * epochs] for r in runs_]
        values = 100 * np.array([[e["test_auroc"] for e in own] for own in rows])
        axes[1].plot([e["epoch"] for e in rows[0]], values.mean(0), color=figures.colour(method),
                     label=names.name(method))  # fmt: skip
    axes[1].set(xlabel="epoch", ylabel="test AUROC, %", title=group.title)
    for panel in axes:
        panel.legend(frameon=False, fontsize=9)
        panel.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    return figure


def effects():
    methods = ("label_smoothing", "cs_kd", "fmfp")
    return figures.effects_against_accuracy(ladder.drawn(), ladder.published_effects(), methods)


FIGURES = {
    "surest": surest_errors,
    "quiz": quiz_pair,
    "film": over_training,
    "valley": valleys,
    "effects": effects,
    "risk_coverage": risk_coverage,
    "calibration": lambda: figures.calibration_against_ranking(
        {g.title: g.records for g in groups()}, (*CALIBRATION, *FLAT)
    ),
    "flat": lambda: figures.effects(
        {g.title: {m: compared()[g.title][m] for m in FLAT if m in g.runs} for g in groups()}, ("auroc", "augrc")
    ),
    "training": late_in_training,
}


# -- from Markdown to the deck --------------------------------------------------------------------------------


def fill(text: str, values: dict) -> str:
    """Replace every ``{{NAME}}`` by what `values` has under that name, a string or a function that makes one.

    Raises
    ------
    ValueError
        For an unknown name.
    """

    def put(match):
        name = match[1]
        if name not in values:
            raise ValueError(f"unknown value {name!r} in the slides; choose among {', '.join(values)}")
        value = values[name]
        return value() if callable(value) else value

    return re.sub(r"\{\{(\w+)\}\}", put, text)


def parse(text: str) -> list[tuple[str, str]]:
    """Return each slide's Markdown and its speaker notes."""
    slides = re.split(r"^---$", text, flags=re.MULTILINE)
    parts = (re.split(r"^Notes: *", slide, maxsplit=1, flags=re.MULTILINE) for slide in slides)
    return [(part[0].strip(), part[1].strip() if len(part) > 1 else "") for part in parts]


def render(slides, title: str, images: dict) -> str:
    """Return the deck as one HTML page; `images` maps a figure's name to its file, relative to the page."""
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    body = []
    for number, (text, notes) in enumerate(slides, 1):
        for name in re.findall(r"\(figure:(\w+)\)", text):
            if name not in images:
                raise ValueError(f"unknown figure {name!r} in the slides; choose among {', '.join(images)}")
            text = text.replace(f"(figure:{name})", f"({images[name]})")
        content = parser.render(text).replace("<th></th>", "<td></td>")  # an empty corner heads nothing
        content = content.replace("<table>", '<div class="scroll" tabindex="0"><table>')  # reached by keyboard
        content = re.sub(r"<p>(<img [^>]*>)</p>", r'<div class="scroll" tabindex="0">\1</div>', content)
        content = content.replace("</table>", "</table></div>")
        aside = f'<aside class="notes">{parser.render(notes)}</aside>' if notes else ""
        body.append(
            f'<section id="s{number}" aria-label="Slide {number} of {len(slides)}">'
            f'<div class="content">{content}</div>{aside}<footer>{number} / {len(slides)}</footer></section>'
        )
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{html.escape(title)}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<link rel="icon" href="data:image/svg+xml;base64,{base64.b64encode(ICON.read_bytes()).decode()}">\n'
        f"<style>\n{SOURCE.with_suffix('.css').read_text()}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(body)
        + f"\n</main>\n<script>\n{SOURCE.with_suffix('.js').read_text()}</script>\n</body>\n</html>\n"
    )


def make(out: Path, source: Path = SOURCE, values: dict = VALUES, drawings: dict = FIGURES) -> Path:
    """Write the deck and its figures into the folder `out`; return the page's path."""
    text = source.read_text()
    slides = parse(fill(text, values))
    (out / "figures").mkdir(parents=True, exist_ok=True)
    images = {}
    for name in dict.fromkeys(re.findall(r"\(figure:(\w+)\)", text)):
        if name in drawings:
            figure = drawings[name]()
            # Fixed metadata and ids, so that the same records give the same bytes.
            with plt.rc_context({"svg.hashsalt": name, "font.size": 11}):
                figure.savefig(out / "figures" / f"{name}.svg", bbox_inches="tight", metadata={"Date": None})
            plt.close(figure)
            images[name] = f"figures/{name}.svg"
    title = re.search(r"^# (.*)$", text, re.MULTILINE)[1]
    page = out / "index.html"
    page.write_text(render(slides, title, images))
    return page


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "_build" / "slides")
    print(f"The slides are ready. Open {make(parser.parse_args().out)}")


if __name__ == "__main__":
    main()
