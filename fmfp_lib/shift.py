"""Failure prediction under distribution shift: means over corruptions and severities, and how sure a difference is.

Everything is computed from what the measure ``shift`` keeps of a network: `score` and `correct` (15, 5, n), for n test
images under 15 corruptions at 5 severities (``measures.load(record, "shift")``).
"""

import hashlib

import numpy as np

from . import measures, metrics, statistics

METRICS = ("accuracy", "auroc", "aurc", "fpr95")  # the last three are the columns of Table 3
_KEPT: dict = {}  # replicates already drawn, by content: one baseline is compared with many methods


def measured(records) -> dict[int, dict]:
    """Return what ``shift`` measured on those of `records` that have it, by seed."""
    found = {record.settings.seed: measures.load(record, "shift") for record in records}
    return {seed: arrays for seed, arrays in found.items() if arrays is not None}


def _check(arrays):
    score, correct = (np.asarray(arrays[name]) for name in ("score", "correct"))
    if score.ndim != 3 or score.shape != correct.shape or not score.size:
        raise ValueError(f"score is {score.shape} and correct {correct.shape}; expected (kinds, severities, n) twice")
    return score.astype(np.float64), correct.astype(bool)


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


def mean(arrays, names=METRICS) -> dict[str, float]:
    """Return the mean over corruptions and severities of each named metric of one network, as in Table 3."""
    values = cells(arrays)
    return {name: float(np.nanmean(values[name])) for name in names}


def _replicates(arrays, replicates, seed):
    """Return the mean over all cells of each metric: of all images (1,), then of the replicates (r,).

    One draw of images serves every cell, since all cells show the same images.
    """
    score, correct = _check(arrays)
    key = hashlib.sha256(score.tobytes() + correct.tobytes()).digest() + repr((replicates, seed)).encode()
    if key not in _KEPT:
        n = score.shape[2]
        ranked = [statistics.Ranked(score[cell], correct[cell]) for cell in np.ndindex(score.shape[:2])]
        accurate = correct.reshape(-1, n).mean(0)
        harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, n + 1))])
        parts = {name: [] for name in METRICS}
        for counts in (np.ones((1, n), np.int32), *statistics._counts(n, replicates, seed)):
            of_cells = [one.ranking(counts, harmonic) for one in ranked]
            for name in METRICS[1:]:
                parts[name].append(np.nanmean([values[name] for values in of_cells], 0))
            parts["accuracy"].append(counts @ accurate / n)
        _KEPT[key] = {name: (values[0], np.concatenate(values[1:])) for name, values in parts.items()}
    return _KEPT[key]


def compare(runs_a, runs_b, replicates: int = 200, seed: int = 0) -> dict[str, statistics.Comparison]:
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
    statistics._check_replicates(replicates)
    if not len(runs_a) or len(runs_a) != len(runs_b):
        raise ValueError(f"{len(runs_a)} runs against {len(runs_b)}; give as many of each, paired by seed")
    if len({np.shape(run["score"]) for run in [*runs_a, *runs_b]}) > 1:
        raise ValueError("the runs differ in shape; all must have seen the same images under the same corruptions")
    a, b = ([_replicates(run, replicates, seed) for run in runs] for runs in (runs_a, runs_b))
    drawn = np.random.default_rng([seed, len(a)]).integers(0, len(a), (replicates, len(a)))
    result = {}
    for name in METRICS:
        whole_a, whole_b = (float(np.mean([run[name][0] for run in runs])) for runs in (a, b))
        differences = np.stack([y[name][1] - x[name][1] for x, y in zip(a, b, strict=True)], 1)
        of_seeds = np.take_along_axis(differences, drawn, 1).mean(1)
        result[name] = statistics._comparison(name, whole_a, whole_b, of_seeds)
    return result
