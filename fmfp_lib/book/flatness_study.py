"""How flat the minima of finished runs are, and whether flatness goes with a larger confidence gap.

What is measured is kept beside the records (``measures.load(record, "flatness")``); nothing is trained here.
"""

import numpy as np
import pandas as pd
import torch

from .. import flatness, measures
from ..statistics import REPLICATES, over_seeds, rank_correlation
from . import markdown, names
from .evidence import Runs
from .special_evidence import MEASURED, PERTURBATION, flatness_and_gap

SHARPNESS = {
    "loss_rise": f"rise of the loss at {100 * PERTURBATION:.0f} % perturbation, nats",
    "sharpness": "SAM's sharpness, nats",
    "eigenvalue": "largest Hessian eigenvalue",
}
_SHORT = {"loss_rise": "the loss's rise", "sharpness": "SAM's sharpness", "eigenvalue": "the Hessian's eigenvalue"}
FEWEST = 6  # runs, below which a rank correlation and its bootstrap say nothing


def measured(groups, methods=MEASURED) -> pd.DataFrame:
    """Return one row per run on which flatness was measured.

    Columns: ``group`` (a title), ``method``, ``seed``, the three of `SHARPNESS`, and on the test images the confidence
    ``gap`` and ``auroc``, both in [0, 1].

    Parameters
    ----------
    groups : iterable of study.Group
        The finished runs to show.
    methods : sequence of str
        Keys of `methods.METHODS`.

    Returns
    -------
    pandas.DataFrame
        One row per run.
    """
    parts = [pd.DataFrame(flatness_and_gap(Runs(group), methods)).assign(group=group.title) for group in groups]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["group", "method"])


def curves(groups, methods=MEASURED) -> dict[str, dict[str, dict[str, np.ndarray]]]:
    """Return, by group title and method, ``norms`` (m,) and the runs' mean ``loss`` and ``margin`` (runs, m) there.

    Parameters
    ----------
    groups : iterable of study.Group
        The finished runs to show.
    methods : sequence of str
        Keys of `methods.METHODS`.

    Returns
    -------
    dict of str to dict of str to dict of str to ndarray
        Group title, method, then ``norms``, ``loss`` and ``margin``.
    """
    found = {}
    for group in groups:
        by_method = {}
        for method in methods:
            kept = [measures.load(record, "flatness") for record in group.runs.get(method, ())]
            kept = [arrays for arrays in kept if arrays is not None]
            if kept:
                means = {key: np.stack([a[key].mean(1) for a in kept]) for key in ("loss", "margin")}
                by_method[method] = {"norms": kept[0]["norms"], **means}
        if by_method:
            found[group.title] = by_method
    return found


def last_in_words(by_method: dict[str, dict[str, np.ndarray]]) -> str:
    """Say whose loss rises least and whose margin falls least under a random perturbation, in the mean over runs.

    Parameters
    ----------
    by_method : dict of str to dict of str to ndarray
        What `curves` returns for one group; of its norms, that nearest to `PERTURBATION` is looked at.

    Returns
    -------
    str
        A sentence.
    """
    changes, norms = {"loss": {}, "margin": {}}, next(iter(by_method.values()))["norms"]
    place = int(np.abs(norms - PERTURBATION).argmin())
    for method, found in by_method.items():
        for key, sign in (("loss", 1), ("margin", -1)):
            changes[key][method] = sign * float((found[key][:, place] - found[key][:, 0]).mean())
    loss, margin = (min(found, key=found.get) for found in changes.values())

    def told(key, least):
        other = changes[key].get("baseline") if least != "baseline" else None
        base = "" if other is None else f", the baseline's by {other:.2f}"
        return f"by {changes[key][least]:.2f}{' nats' if key == 'loss' else ''}{base}"

    return (
        f"at {100 * norms[place]:.0f} % the loss has risen least for {names.name(loss)} ({told('loss', loss)}), and "
        f"the margin has fallen least for {names.name(margin)} ({told('margin', margin)})"
    )


def crl_in_words(rows: pd.DataFrame) -> str:
    """Say on how many networks CRL's minima are clearly flatter than the baseline's, and its gap the largest.

    Parameters
    ----------
    rows : pandas.DataFrame
        What `measured` returns.

    Returns
    -------
    str
        A sentence; empty where CRL was not measured.
    """
    if "crl" not in set(rows["method"]):
        return ""
    flatter = []
    for kind in SHARPNESS:
        found = [by_method["crl"] for by_method in against_baseline(rows, kind).values() if "crl" in by_method]
        flatter.append(f"on {sum(high < 0 for *_, high in found)} by {_SHORT[kind]}")
    gaps = rows.groupby(["group", "method"], sort=False)["gap"].mean().unstack().dropna(subset=["crl"])
    larger = sum(gaps["crl"] > gaps.drop(columns="crl").max(axis=1))
    return (
        f"CRL, made to separate confidences, not to find flat minima, has the largest mean gap on {larger} of "
        f"{len(gaps)} networks. It is clearly flatter than the baseline {', '.join(flatter[:-1])} and {flatter[-1]}."
    )


def correlations(rows: pd.DataFrame, target: str = "gap", replicates: int = REPLICATES) -> pd.DataFrame:
    """Return Spearman's correlation of each kind of sharpness with `target`, with 95 % bootstrap intervals.

    Whole methods are drawn anew, since the runs of one are alike.

    Parameters
    ----------
    rows : DataFrame
        What `measured` returns.
    target : {'gap', 'auroc'}
    replicates : int
        Of the bootstrap.

    Returns
    -------
    DataFrame
        Columns ``group, runs, sharpness, value, low, high`` and ``within``: the same correlation after each method's
        own mean was taken off both, so that only the differences between seeds are left; there, runs are drawn.
        Groups of fewer than `FEWEST` runs, or of fewer than three methods, are left out.
    """
    found = []
    for group, part in rows.groupby("group", sort=False):
        if len(part) < FEWEST or part["method"].nunique() < 3:
            continue
        for kind in SHARPNESS:
            value, low, high = rank_correlation(part[kind], part[target], replicates, clusters=part["method"])
            centred = part[[kind, target]] - part.groupby("method")[[kind, target]].transform("mean")
            seeds = part.groupby("method")["seed"].transform("count") > 1
            inside = rank_correlation(*centred[seeds].T.to_numpy(), replicates) if seeds.sum() > 3 else (np.nan,) * 3
            found.append((group, len(part), kind, value, low, high, inside))
    return pd.DataFrame(found, columns=["group", "runs", "sharpness", "value", "low", "high", "within"])


def signs_in_words(found: pd.DataFrame) -> str:
    """Count the correlations whose intervals exclude 0, by sign.

    Parameters
    ----------
    found : pandas.DataFrame
        What `correlations` returns.

    Returns
    -------
    str
        A clause.
    """
    negative, positive = int((found["high"] < 0).sum()), int((found["low"] > 0).sum())
    rest = len(found) - negative - positive
    return f"clearly negative {negative}, clearly positive {positive}, open {rest}"


def correlation_table(rows: pd.DataFrame, replicates: int = REPLICATES) -> str:
    """Return, as Markdown, `correlations` with the gap and with AUROC.

    Parameters
    ----------
    rows : pandas.DataFrame
        What `measured` returns.
    replicates : int
        Number of bootstrap replicates.

    Returns
    -------
    str
        Markdown.
    """
    sides, lines = [correlations(rows, target, replicates) for target in ("gap", "auroc")], []
    for gap, auroc in zip(*(side.itertuples() for side in sides), strict=True):
        cells = [
            markdown.interval(e) if e[0] == e[0] else markdown.UNDEFINED
            for side in (gap, auroc)
            for e in ((side.value, side.low, side.high), side.within)
        ]
        lines.append((f"{gap.group}, {gap.runs} runs", SHARPNESS[gap.sharpness].removesuffix(", nats"), *cells))
    heads = ("sharpness", "with the gap", "gap, within methods", "with AUROC", "AUROC, within methods")
    return markdown.grouped(heads, lines, "The other networks: correlations")


def flatness_table(rows: pd.DataFrame) -> str:
    """Return, as Markdown, sharpness, gap and AUROC: mean ± deviation over seeds, one row per group and method."""
    lines = []
    for (group, method), part in rows.groupby(["group", "method"], sort=False):
        cells = [_three_digits(part[kind]) for kind in SHARPNESS]
        cells += [markdown.plus_minus(part[key], 100) for key in ("gap", "auroc")]
        lines.append((group, names.name(method), str(len(part)), *cells))
    heads = ("method", "seeds", *SHARPNESS.values(), "gap, points", "AUROC %")
    return markdown.grouped(heads, lines, "The other networks: the measures")


def _three_digits(values):
    """Return mean ± standard deviation with as many decimals as give the mean three digits."""
    mean = np.mean(values)
    return markdown.plus_minus(values, decimals=max(2 - int(np.floor(np.log10(abs(mean)))), 0) if mean else 2)


def relative_table(rows: pd.DataFrame) -> str:
    """Return, as Markdown, `against_baseline` of each sharpness in percent: one table per group, one row per method."""
    found = {kind: against_baseline(rows, kind) for kind in SHARPNESS}
    lines = [
        (group, names.name(method), *(markdown.interval(found[kind][group][method], 100) for kind in SHARPNESS))
        for group, by_method in found["loss_rise"].items()
        for method in by_method
    ]
    heads = ("method", *(label.removesuffix(", nats") for label in SHARPNESS.values()))
    return markdown.grouped(heads, lines, "The other networks: against the baseline")


def against_baseline(rows: pd.DataFrame, kind: str = "loss_rise") -> dict[str, dict[str, tuple[float, float, float]]]:
    """Return, by group and method, a sharpness divided by the baseline's of the same seed, minus 1.

    Each is (mean, low, high), Student's 95 % interval over seeds; below 0 the method's minima are flatter.

    Parameters
    ----------
    rows : pandas.DataFrame
        What `measured` returns.
    kind : str
        One of `SHARPNESS`.

    Returns
    -------
    dict of str to dict of str to tuple of float
        Group title, method, then mean, low and high.
    """
    found = {}
    for group, part in rows.groupby("group", sort=False):
        wide = part.pivot(index="seed", columns="method", values=kind)
        if "baseline" in wide:
            others = [m for m in part["method"].unique() if m != "baseline"]
            ratios = {m: (wide[m] / wide["baseline"] - 1).dropna() for m in others}
            found[group] = {m: over_seeds(values) for m, values in ratios.items() if len(values)}
    return found


def line(a, b, points: int = 11) -> tuple[np.ndarray, np.ndarray]:
    """Return positions and mean losses (points,) on the straight line from the weights of record `a` to those of `b`.

    The loss is that on the first 500 training images, in nats; batch norm finds its statistics anew at
    every position, on all training images.

    Parameters
    ----------
    a, b : records.Record
        Runs whose weights were kept, on one network and data set.
    points : int
        Number of positions, both ends included.

    Returns
    -------
    tuple of ndarray, (points,)
        Positions from 0 (`a`) to 1 (`b`), and losses in nats.

    Raises
    ------
    ValueError
        If the weights of either were not kept, or they are of different networks or data.
    """
    from ..training import Run

    for record in (a, b):
        if record.weights is None:
            raise ValueError(f"the weights of {record.path.stem} were not kept; train it with --keep-weights")
    for field in ("dataset", "network", "train_size"):
        if getattr(a.settings, field) != getattr(b.settings, field):
            raise ValueError(f"the records differ in {field}; a line needs one network and one data set")
    run = Run(a.settings)
    states = ({name: torch.from_numpy(w) for name, w in record.weights.items()} for record in (a, b))
    x, y = run.x_train[:500], run.y_train[:500]
    return flatness.loss_along_line(run.model, *states, x, y, points, batches=run.x_train.split(250))
