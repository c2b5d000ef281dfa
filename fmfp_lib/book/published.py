"""The paper's own numbers: every cell of Tables 1 to 5, in its units. Ours stand beside them, never among them."""

import html
from functools import lru_cache

import pandas as pd

from ..paths import ROOT, present
from ..statistics import HIGHER_IS_BETTER, RANKING, REPLICATES, SUMS
from . import compare, lookup, markdown, names

PATH = ROOT / "data" / "published_tables.csv"
# Which small network of ours stands beside which of the paper's: the same family, or none.
FAMILY = {"preact_resnet110": "preact_resnet", "densenet": "densenet", "wideresnet": "wideresnet",
          "convmixer": "convmixer", "vgg16": "vgg"}  # fmt: skip

FORM = {"tiny_imagenet": "_s2", "imagenet": "_imagenet"}  # what ends the name of a network for larger images


@lru_cache
def load() -> pd.DataFrame:
    """Return all 876 cells: table, dataset, network, method, metric, mean, std (NaN where none is printed)."""
    return pd.read_csv(present(PATH))


def cell(table: str, dataset: str, network: str, method: str, metric: str) -> str:
    """Return one cell as the paper prints it: mean ± standard deviation over three runs."""
    rows = load().query(
        "table == @table and dataset == @dataset and network == @network and method == @method and metric == @metric"
    )
    if rows.empty:
        return "–"
    mean, std = rows.iloc[0][["mean", "std"]]
    return f"{mean:.2f}" + ("" if pd.isna(std) else f" ± {std:.2f}")


def _mean(rows, method):
    found = rows.loc[rows["method"] == method, "mean"]
    return None if found.empty else float(found.iloc[0])


def _agreement(published, comparison):
    """Return a mark and its meaning: does our difference from the baseline point the way the published one does?"""
    if comparison is None or not published:
        return "", ""
    if not comparison.certain:
        return "○", "ours is too close to call: its 95 % interval holds zero"
    same = (published > 0) == (comparison.difference > 0)
    return ("✓", "the same direction") if same else ("✗", "the opposite direction")


def _at_its_scale(dataset, network):
    """Return our finished runs in the paper's own setting."""
    return lookup.finished(dataset=dataset, network=network, scale="paper", protocol="paper")


def comparisons(table: str, groups, replicates: int = REPLICATES) -> list[dict]:
    """Return, for each group, every method's differences from the baseline in the metrics of one published table."""
    metrics = [m for m in load().query("table == @table")["metric"].unique() if m in RANKING + SUMS]
    return [compare.against_baseline(g.records, list(g.runs), metrics, replicates) for g in groups]


def side_by_side(table: str, groups, metric: str, compared=None, values=lambda record: record.metrics) -> str:
    """Return one metric of one of the paper's tables as HTML, ours beside it.

    Parameters
    ----------
    table : str
        ``table1`` to ``table5``.
    groups : list of study.Group
        Our finished runs; each stands beside the paper's network of the same family, and its ✓ or ✗ tells whether the
        difference from the baseline (mean over seeds, 95 % paired bootstrap) points the same way.
    metric : str
        A metric of that table.
    compared : list of dict, optional
        What `comparisons` returns for the same table and groups, if it is at hand.
    values : callable, optional
        From a record to its metrics, or None where there are none; the test set's by default.

    Returns
    -------
    str
        A group a data set and network of the paper, in it a row a method. Published cells have the class
        ``published``. The paper's own setting needs a GPU: where no record of it exists there is a dash, with the
        command that would fill it.
    """
    rows = load().query("table == @table and metric == @metric")
    if rows.empty:
        known = ", ".join(load().query("table == @table")["metric"].unique()) or "no metric"
        raise ValueError(f"{table} of the paper has no column {metric!r}; choose one of {known}")
    factor, heading = names.DISPLAY[metric]
    compared = comparisons(table, groups) if compared is None else compared
    methods = list(rows["method"].unique())
    head = ["method", "published", "ours, same setting"]
    ours = list(dict.fromkeys(g.dataset for g in groups))  # a column a data set; each row shows its family's network
    head += [f"ours, {html.escape(names.name(data))}" for data in ours]
    option = " --measure shift" if "cifar10_c" in set(rows["dataset"]) else ""
    arrow = "higher is better" if metric in HIGHER_IS_BETTER else "lower is better"
    caption = (
        f'{heading} ({arrow}). <em class="published">Published</em> numbers are the paper\'s, the others ours, '
        "from the small network of the same family. A dash in the third column needs a GPU; <code>fmfp train "
        f"--dataset D --network N --method M --scale paper --seed S{option}</code> fills it."
    )
    if ours:
        caption += " Further right, an empty cell has no network of that family, and a dash was not measured."
        caption += "" if metric in RANKING + SUMS else " This metric has no interval here, so no mark."
    lines = [
        f'<div class="scroll" tabindex="0"><table class="side-by-side"><caption>{caption}</caption><thead><tr>'
        + "".join(f'<th scope="col">{h}</th>' for h in head) + "</tr></thead>"
    ]  # fmt: skip

    def measured(runs):
        return [row for row in map(values, runs) if row is not None]

    for (dataset, network), block in rows.groupby(["dataset", "network"], sort=False):
        form = network + FORM.get(dataset, "")
        full = _at_its_scale(dataset.removesuffix("_c"), form)  # corruption is measured on networks of the clean images
        title = f"{names.name(dataset)}, {names.name(network)}"
        lines.append(f'<tbody><tr><th scope="rowgroup" colspan="{len(head)}"><span>{title}</span></th></tr>')
        for method in methods:
            mean, base = _mean(block, method), _mean(block, "baseline")
            if mean is None:
                continue
            own = measured(r for r in full if r.settings.method == method)
            same = markdown.plus_minus([row[metric] for row in own], factor) if own else "–"
            cells = [f'<em class="published">{cell(table, dataset, network, method, metric)}</em>', same]
            family = FAMILY.get(network, "?")
            for data in ours:
                beside = []
                for group, found in zip(groups, compared, strict=True):
                    if group.dataset != data or method not in group.runs or not group.network.startswith(family):
                        continue
                    rows_here = measured(group.runs[method])
                    if not rows_here:
                        beside.append("–")
                        continue
                    mark, meaning = _agreement(mean - base, found.get(method, {}).get(metric))
                    mark = f' <span class="agreement" title="{meaning}">{mark}</span>' if mark else ""
                    beside.append(markdown.plus_minus([row[metric] for row in rows_here], factor) + mark)
                cells.append("<br>".join(beside))
            heading = f'<th scope="row">{names.name(method)}</th>'
            lines.append(f"<tr>{heading}" + "".join(f"<td>{c}</td>" for c in cells) + "</tr>")
        lines.append("</tbody>")
    return "\n".join(lines) + "</table></div>"


def side_by_sides(table: str, groups, metrics=None, compared=None, **options) -> str:
    """Return `side_by_side` for several metrics (all of the table's by default), one fold each, the first open.

    `compared` and the `options` are as in `side_by_side`.
    """
    metrics = metrics or list(load().query("table == @table")["metric"].unique())
    compared, folds = comparisons(table, groups) if compared is None else compared, []
    for number, metric in enumerate(metrics):
        body = side_by_side(table, groups, metric, compared, **options)
        summary = names.DISPLAY[metric][1]
        folds.append(f"<details{' open' if not number else ''}><summary>{summary}</summary>{body}</details>")
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
    command = f"fmfp train --dataset D --network N --method {methods[-1]} --scale paper --seed 0"
    lead = f"`{command}` trains one of the runs:\n\n"
    rows = []
    for figure, dataset, network, ours in DRAWN_ONLY:
        found = _at_its_scale(dataset, ours)
        values = {m: [100 * r.metrics["auroc"] for r in found if r.settings.method == m] for m in methods}
        cell = ", ".join(f"{names.name(m)} {markdown.plus_minus(v)}" for m, v in values.items() if v) or "–"
        rows.append((figure, names.name(dataset), names.name(network), cell, f"`{dataset}`", f"`{ours}`"))
    return lead + markdown.table(("figure", "data", "network", "ours: AUROC %", "D", "N"), rows, words=6)
