"""Failure prediction under distribution shift: means over corruptions and severities, and how sure a difference is.

Everything is computed from what the measure ``shift`` keeps of a network: `score` and `correct` (15, 5, n), for n test
images under 15 corruptions at 5 severities (``measures.load(record, "shift")``).
"""

import numpy as np

from .. import measures, metrics, statistics
from ..scores import log_odds
from ..statistics.comparison import check_replicates
from ..statistics.replicates import check_pairs, compare_replicates, replicates_of
from . import markdown, names
from .compare import by_seed, pair_by_seed

METRICS = ("accuracy", "auroc", "aurc", "fpr95")  # the last three are the columns of Table 3


def measured(records) -> dict[int, dict]:
    """Return what ``shift`` measured on those of `records` that have it, by seed."""
    found = {seed: measures.load(record, "shift") for seed, record in by_seed(records).items()}
    return {seed: arrays for seed, arrays in found.items() if arrays is not None}


def _check(arrays):
    score, correct = (np.asarray(arrays[name]) for name in ("score", "correct"))
    if score.ndim != 3 or score.shape != correct.shape or not score.size:
        raise ValueError(f"score is {score.shape} and correct {correct.shape}; expected (kinds, severities, n) twice")
    return score.astype(np.float64), correct.astype(bool)


def _mean(values, axis=None):
    """Return the mean of what is defined; NaN, without a warning, where nothing is."""
    values = np.asarray(values)
    with np.errstate(invalid="ignore"):
        return np.nansum(values, axis) / np.isfinite(values).sum(axis)


def cells(arrays) -> dict[str, np.ndarray]:
    """Return each of `METRICS`, (kinds, severities), of one network; NaN where a cell has no error, or nothing else.

    Parameters
    ----------
    arrays : dict
        With `score` and `correct`, each (kinds, severities, n).
    """
    score, correct = _check(arrays)
    found = {name: np.empty(score.shape[:2]) for name in METRICS}
    for cell in np.ndindex(score.shape[:2]):
        values = metrics.evaluate_confidence(score[cell], correct[cell]) | {"accuracy": correct[cell].mean()}
        for name in METRICS:
            found[name][cell] = values[name]
    return found


def of_record(record) -> dict[str, float] | None:
    """Return a record's means over corruptions and severities, or None where ``shift`` was not measured."""
    arrays = measures.load(record, "shift")
    return None if arrays is None else mean(arrays)


def clean(record, count: int) -> dict[str, np.ndarray]:
    """Return the first `count` test images as they are, in the form of ``shift``: one kind, one severity.

    Parameters
    ----------
    record : records.Record
        A finished run.
    count : int
        Number of test images.

    Returns
    -------
    dict of str to ndarray
        In the form of ``shift``.
    """
    logits, labels = record.logits[:count], record.labels[:count]
    return {"score": log_odds(logits)[None, None], "correct": (logits.argmax(1) == labels)[None, None]}


def by_severity(arrays) -> dict[str, np.ndarray]:
    """Return, for each severity, the mean over corruptions of `METRICS` and of ``confidence`` (MSP)."""
    score, _ = _check(arrays)
    found = {name: _mean(values, 0) for name, values in cells(arrays).items()}
    return found | {"confidence": (1 / (1 + np.exp(-score))).mean((0, 2))}


def pooled(arrays, plain) -> dict[str, float]:
    """Return `METRICS` of one threshold for all: every corrupted image together with as many clean ones.

    Parameters
    ----------
    arrays : dict
        What ``shift`` measured.
    plain : dict
        The same images as `clean` gives them; each counts as often as there are cells, so that half of all is clean.

    Returns
    -------
    dict of str to float
        By metric, in natural units.
    """
    score, correct = _check(arrays)
    times = score.shape[0] * score.shape[1]
    every = [
        np.append(a.ravel(), np.tile(np.ravel(b), times))
        for a, b in ((score, plain["score"]), (correct, plain["correct"]))
    ]
    return metrics.evaluate_confidence(*every) | {"accuracy": float(every[1].mean())}


def mean(arrays, names=METRICS) -> dict[str, float]:
    """Return the mean over corruptions and severities of each named metric of one network, as in Table 3.

    Parameters
    ----------
    arrays : dict of str to ndarray
        What the measure ``shift`` keeps.
    names : sequence of str
        Names of the statistics.

    Returns
    -------
    dict of str to float
        By metric, in natural units.
    """
    values = cells(arrays)
    return {name: float(_mean(values[name])) for name in names}


def _replicates(arrays, replicates, seed):
    """Return the mean over all cells of each metric: of all images (1,), then of the replicates (r,).

    One draw of images serves every cell, since all cells show the same images.
    """
    score, correct = _check(arrays)
    n = score.shape[2]

    def prepare(missing):
        ranked = [statistics.Ranked(score[cell], correct[cell]) for cell in np.ndindex(score.shape[:2])]
        accurate = correct.reshape(-1, n).mean(0)

        def means(counts):
            of_cells = [one.drawn(counts).ranking for one in ranked]
            found = {name: _mean([values[name] for values in of_cells], 0) for name in METRICS[1:]}
            return found | {"accuracy": np.einsum("n,nr->r", accurate, counts) / n}

        return means

    return replicates_of((score, correct), n, METRICS, prepare, replicates, seed)


def compare(runs_a, runs_b, replicates: int = statistics.REPLICATES, seed: int = 0) -> dict[str, statistics.Comparison]:
    """Compare two methods by means over corruptions and severities: images and seeds are drawn anew.

    Parameters
    ----------
    runs_a, runs_b : sequence of dict
        What ``shift`` measured, paired by seed: `score` and `correct`, each (kinds, severities, n).
    replicates, seed : int
        As in ``statistics.paired_bootstrap``.

    Returns
    -------
    dict of str to statistics.Comparison
        For `METRICS`.

    Raises
    ------
    ValueError
        If the runs are not paired or differ in shape.
    """
    check_replicates(replicates)
    check_pairs(runs_a, runs_b)
    if len({np.shape(run["score"]) for run in [*runs_a, *runs_b]}) > 1:
        raise ValueError("the runs differ in shape; all must have seen the same images under the same corruptions")
    sides = ([_replicates(run, replicates, seed) for run in runs] for runs in (runs_a, runs_b))
    return compare_replicates(*sides, METRICS, seed)


def comparisons(
    groups, methods, reference: str = "baseline", replicates: int = statistics.REPLICATES, kind: int | None = None
) -> list[dict]:
    """Return, for each study.Group, every method's differences from `reference` by metric, over the seeds of both.

    With `kind`, an index of a corruption, only its severities are averaged. Methods without a seed in common with the
    reference are left out.

    Parameters
    ----------
    groups : iterable of study.Group
        The finished runs to show.
    methods : sequence of str
        Keys of `methods.METHODS`.
    reference : str
        The method that the others are compared with.
    replicates : int
        Number of bootstrap replicates.
    kind : int, optional
        Index of a corruption.

    Returns
    -------
    list of dict
        One per group: method, then metric, to statistics.Comparison.
    """
    found = []
    for group in groups:
        kept = {m: measured(group.runs.get(m, ())) for m in (reference, *methods)}
        if kind is not None:
            kept = {
                m: {s: {k: a[k][kind : kind + 1] for k in ("score", "correct")} for s, a in side.items()}
                for m, side in kept.items()
            }
        row = {}
        for method in methods:
            sides = pair_by_seed(kept[reference], kept[method])
            if sides[0] and method != reference:
                row[method] = compare(*sides, replicates)
        found.append(row)
    return found


def origins(groups) -> dict[str, str]:
    """Return, by group title, where the corrupted images came from: made here, or those of CIFAR-10-C."""
    words = {"here": "made here", "CIFAR-10-C": "those of CIFAR-10-C"}
    return {
        group.title: " and ".join(sorted({words[str(a["origin"])] for a in found}))
        for group in groups
        if (found := [a for runs in group.runs.values() for a in measured(runs).values()])
    }


def clean_and_shifted(groups, shown=("auroc", "accuracy")) -> str:
    """Return, as Markdown, metrics on clean and on corrupted images: one row per group and method, means over seeds.

    AUROC has a third column, that of one threshold for all images (`pooled`).

    Parameters
    ----------
    groups : iterable of study.Group
        The finished runs to show.
    shown : sequence of str
        Of `METRICS`.

    Returns
    -------
    str
        Markdown.
    """
    heads = [
        f"{names.display(m)[1]}, {where}"
        for m in shown
        for where in ("clean", "corrupted", *(("pooled",) if m == "auroc" else ()))
    ]
    rows = []
    for group in groups:
        for method, runs in group.runs.items():
            kept = [(r, a) for r in runs if (a := measures.load(r, "shift")) is not None]
            if not kept:
                continue
            plain = [clean(r, a["score"].shape[2]) for r, a in kept]
            sides = [mean(p) for p in plain], [mean(a) for _, a in kept]
            cells = []
            for m in shown:
                values = [[row[m] for row in side] for side in sides]
                if m == "auroc":
                    values.append([pooled(a, p)[m] for (_, a), p in zip(kept, plain, strict=True)])
                cells += [markdown.plus_minus(of_side, names.display(m)[0]) for of_side in values]
            rows.append((group.title, names.name(method), str(len(kept)), *cells))
    fold = f"The other networks: {' and '.join(names.display(m)[1].split()[0] for m in shown)}"
    return markdown.grouped(("method", "seeds", *heads), rows, fold)
