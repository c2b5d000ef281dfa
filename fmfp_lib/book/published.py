"""The paper's own numbers: every cell of Tables 1 to 5, in its units. Ours stand beside them, never among them."""

import html
import itertools
from dataclasses import dataclass
from functools import lru_cache

import pandas as pd

from ..paths import ROOT, present
from ..statistics import HIGHER_IS_BETTER, RANKING, REPLICATES, SUMS
from . import compare, lookup, markdown, names, study

PATH = ROOT / "data" / "published_tables.csv"
# Which small network of ours stands beside which of the paper's: the same family, or none.
FAMILY = {"preact_resnet110": "preact_resnet", "densenet": "densenet", "wideresnet": "wideresnet",
          "convmixer": "convmixer", "vgg16": "vgg"}  # fmt: skip

FORM = {"tiny_imagenet": "_s2", "imagenet": "_imagenet"}  # what ends the name of a network for larger images


@lru_cache
def load() -> pd.DataFrame:
    """Return all 876 cells: table, dataset, network, method, metric, mean, std (NaN where none is printed)."""
    return pd.read_csv(present(PATH))


@lru_cache
def _numbers() -> dict:
    return {cell[:5]: cell[5:] for cell in load().itertuples(index=False, name=None)}


def cell(table: str, dataset: str, network: str, method: str, metric: str) -> str:
    """Return one cell as the paper prints it: mean ± standard deviation over three runs.

    Parameters
    ----------
    table : str
        As in `load`, such as ``table1``.
    dataset, network, method, metric : str
        Names.

    Returns
    -------
    str
    """
    mean, std = _numbers().get((table, dataset, network, method, metric), (None, None))
    if mean is None:
        return "–"
    return f"{mean:.2f}" + ("" if pd.isna(std) else f" ± {std:.2f}")


def _agreement(published, comparison):
    """Return a mark and its meaning: does our difference from the baseline point the way the published one does?"""
    if comparison is None or not published:
        return "", ""
    if not comparison.certain:
        return "○", "ours is too close to call: its 95 % interval includes zero"
    same = (published > 0) == (comparison.difference > 0)
    return ("✓", "the same direction") if same else ("✗", "the opposite direction")


SEEDS = study.SHOWN["paper"]["seeds"]  # of our runs in the paper's own setting: three, as the paper's


def _in_its_setting(dataset, network, methods) -> dict:
    """Return our runs in the paper's own setting, by method, as far as they are trained."""
    return lookup.trained(lookup.plan(methods, SEEDS, scale="paper", dataset=dataset, network=network))


def _mean_of_seeds(values, factor) -> str:
    """Return mean ± deviation of our runs in the paper's own setting, and how many there are if not all."""
    if not values:
        return "–"
    count = "" if len(values) == len(SEEDS) else f" ({len(values)} of {len(SEEDS)} seeds)"
    return markdown.plus_minus(values, factor) + count


def comparisons(table: str, groups, replicates: int = REPLICATES) -> list[dict]:
    """Return, for each group, every method's differences from the baseline in the metrics of one published table.

    Parameters
    ----------
    table : str
        As in `load`, such as ``table1``.
    groups : sequence of lookup.Group
    replicates : int
        Of the bootstrap.

    Returns
    -------
    list of dict
        For each group, by method and metric, a `statistics.Comparison`.
    """
    metrics = [m for m in load().query("table == @table")["metric"].unique() if m in RANKING + SUMS]
    return [compare.against_baseline(g.records, list(g.runs), metrics, replicates) for g in groups]


@dataclass(frozen=True)
class Row:
    """One row of a table of the paper, with our runs of the same method.

    Attributes
    ----------
    dataset, network, method : str
        The paper's.
    same : list of dict
        The metrics of our runs in the paper's own setting, one dict for each seed.
    beside : dict of int to list of dict
        The same of our small networks of its family, by the place of their group among those given.
    """

    dataset: str
    network: str
    method: str
    same: list
    beside: dict


def table_rows(table: str, groups=(), values=lambda record: record.metrics) -> list[Row]:
    """Return the rows of one of the paper's tables, with the metrics of our runs.

    Parameters
    ----------
    table : str
        ``table1`` to ``table5``.
    groups : list of study.Group
        Our finished runs.
    values : callable, optional
        From a record to its metrics, or None where there are none; the test set's by default.

    Returns
    -------
    list of Row
        The rows of one data set and network stand together.
    """

    def measured(runs):
        return [row for row in map(values, runs) if row is not None]

    found = []
    for (dataset, network), block in load().query("table == @table").groupby(["dataset", "network"], sort=False):
        methods = block["method"].unique()
        # Corruption is measured on networks of the clean images.
        same = _in_its_setting(dataset.removesuffix("_c"), network + FORM.get(dataset, ""), methods)
        family = FAMILY.get(network, "?")
        near = {place: group for place, group in enumerate(groups) if group.network.startswith(family)}
        for method in methods:
            beside = {place: measured(g.runs[method]) for place, g in near.items() if method in g.runs}
            found.append(Row(dataset, network, method, measured(same.get(method, ())), beside))
    return found


def _own_setting(rows):
    """Return, as a paragraph, what fills or adds our column in the paper's own setting."""
    options = ["--dataset D", "--network N", "--method M", "--scale paper", "--seed S"]
    options += ["--measure shift"] * any(row.dataset == "cifar10_c" for row in rows)
    same = any(row.same for row in rows)
    # An option and its value stay on one line (book/assets/fmfp.css).
    command = " ".join(["fmfp train", *(f'<span class="pre short">{option}</span>' for option in options)])
    first = "A dash in the third column" if same else "The book has no run in the paper's own setting, which"
    end = "fills it" if same else "adds such a run, and its column"
    return f"<p>{first} needs a GPU; <code>{command}</code> {end}.</p>"


def _html(table, rows, groups, metric, compared):
    # One column for each data set, and one for the paper's own setting, where there is anything to put into it.
    ours = list(dict.fromkeys(groups[place].dataset for row in rows for place in row.beside))
    same = ["ours, same setting"] if any(row.same for row in rows) else []
    heads = ["method", "published", *same, *(f"ours, {html.escape(names.name(d))}" for d in ours)]
    lines, beside = [], []
    for (dataset, network), together in itertools.groupby(rows, key=lambda row: (row.dataset, row.network)):
        block, title = list(together), f"{names.name(dataset)}, {names.name(network)}"
        near = dict.fromkeys(place for row in block for place in row.beside)
        lines.append(f'<tbody><tr><th scope="rowgroup" colspan="{len(heads)}"><span>{title}</span></th></tr>')
        for row in block:
            key = (table, dataset, network, row.method, metric)
            if key not in _numbers():
                continue
            cells = [f'<em class="published">{cell(*key)}</em>']
            if same:
                cells.append(_mean_of_seeds([found[metric] for found in row.same], names.DISPLAY[metric][0]))
            for data in ours:
                places = [place for place in near if groups[place].dataset == data]
                beside.append("<br>".join(_beside(key, row.beside.get(place), compared[place]) for place in places))
                cells.append(beside[-1])
            heading = f'<th scope="row">{names.name(row.method)}</th>'
            lines.append(f"<tr>{heading}" + "".join(f"<td>{c}</td>" for c in cells) + "</tr>")
        lines.append("</tbody>")
    head = "".join(f'<th scope="col">{h}</th>' for h in heads)
    return (
        '<div class="scroll" tabindex="0"><table class="side-by-side">'
        f"<caption>{_caption(rows, metric, ours, same, beside, '±' in ''.join(lines))}</caption>"
        f"<thead><tr>{head}</tr></thead>" + "\n".join(lines) + "</table></div>"
    )


def _caption(rows, metric, ours, same, beside, spread):
    """Return a table's caption; it explains what the table has: ours, empty cells and dashes `beside`, a `spread`."""
    arrow = "higher is better" if metric in HIGHER_IS_BETTER else "lower is better"
    caption = (
        f"{names.DISPLAY[metric][1]} ({arrow}){', mean ± standard deviation over seeds' if spread else ''}. "
        '<em class="published">Published</em> numbers are the paper\'s'
        + (", the others ours" if ours or same else "")
        + (", from the small network of the same family" if ours else "")
        + (", repeated beside each of the paper's data sets" if ours and len({row.dataset for row in rows}) > 1 else "")
        + "."
    )
    where = f" on {names.joined(map(names.name, ours))}" if ours else ""
    meanings = {
        f"an empty cell means that no network of that family was trained{where}": "" in beside,
        "a dash means that this was not measured": any("–" in cell for cell in beside),
    }
    said = ", and ".join(meaning for meaning, there in meanings.items() if there)
    if said:
        place = "Further right" if same else f"In our column{'s' * (len(ours) > 1)}"
        caption += f" {place} {said}."
    if ours and metric not in RANKING + SUMS:
        caption += " This metric has no interval here, so no mark."
    return caption


def _beside(key, found, compared):
    """Return ours on one small network, with the mark of its difference from the baseline."""
    *_, method, metric = key
    if not found:
        return "–"
    text = markdown.plus_minus([values[metric] for values in found], names.DISPLAY[metric][0])
    published = _numbers()[key][0] - _numbers()[(*key[:3], "baseline", metric)][0]
    mark, meaning = _agreement(published, compared.get(method, {}).get(metric))
    return text + (f' <span class="agreement" title="{meaning}">{mark}</span>' if mark else "")


def side_by_sides(table: str, groups, compared=None, values=lambda record: record.metrics, command: bool = True) -> str:
    """Return one of the paper's tables as HTML, ours beside it: a fold for each metric.

    A group of rows for each data set and network of the paper, in it a row for each method. Published cells have the
    class ``published``. Where no record in the paper's own setting exists there is a dash; where some of its three
    seeds are missing, the cell says how many it has.

    Parameters
    ----------
    table : str
        As in `load`, such as ``table1``.
    groups : sequence of lookup.Group
        Our finished runs; each stands beside the paper's network of the same family, and its ✓ or ✗ tells whether the
        difference from the baseline (mean over seeds, 95 % paired bootstrap) points the same way.
    compared : list of dict, optional
        What `comparisons` returns, where it is at hand.
    values : callable
        Takes a record, returns its metrics by name, as fractions.
    command : bool
        Whether the command for a run in the paper's own setting stands above the folds.

    Returns
    -------
    str
        HTML.
    """
    compared = comparisons(table, groups) if compared is None else compared
    rows = table_rows(table, groups, values)
    folds = [_own_setting(rows)] if command else []
    for metric in load().query("table == @table")["metric"].unique():
        body = _html(table, rows, groups, metric, compared)
        summary = names.DISPLAY[metric][1]
        folds.append(f"<details><summary>{summary}</summary>{body}</details>")
    return "\n".join(folds)


# What the paper draws without printing a number: figure, data set, its network, ours in the form for those images.
DRAWN_ONLY = (
    ("3", "imagenet", "resnet18", "resnet18_imagenet"),
    ("13", "tiny_imagenet", "resnet18", "resnet18_s2"),
    ("13", "tiny_imagenet", "resnet50", "resnet50_s2"),
    ("14", "imagenet", "resnet50", "resnet50_imagenet"),
)


def drawn_only(methods) -> str:
    """Return, as Markdown, the figures of which the paper prints no numbers: our AUROC where runs are finished, else a
    dash; above them the command that trains one of the runs."""
    rows = []
    for figure, dataset, network, ours in DRAWN_ONLY:
        found = _in_its_setting(dataset, ours, methods)
        values = {m: _mean_of_seeds([r.metrics["auroc"] for r in runs], 100) for m, runs in found.items()}
        text = ", ".join(f"{names.name(m)} {value}" for m, value in values.items()) or "–"
        rows.append((figure, names.name(dataset), names.name(network), text, f"`{dataset}`", f"`{ours}`"))
    table = markdown.table(("figure", "data", "network", "ours: AUROC %", "D", "N"), rows, words=6)
    command = f"fmfp train --dataset D --network N --method {methods[-1]} --scale paper --seed 0"
    return f"`{command}` trains one of the runs:\n\n{table}"
