"""Paired bootstrap of any statistic of a score and of correctness, with the draws of `bootstrap`."""

import re
from functools import cached_property

import numpy as np

from ..metrics.checks import check_confidence
from .comparison import RANKING, REPLICATES, Comparison, check_replicates
from .ranked import Ranked
from .replicates import check_pairs, compare_replicates, replicates_of


class _Drawn:
    """A chunk of replicates of one score: how often each image was drawn, and what several statistics share."""

    def __init__(self, counts, confidence, correct, ranked: Ranked):
        self.counts, self.confidence, self.correct, self.ranked = counts, confidence, correct, ranked

    @cached_property
    def ranking(self):
        """Every metric of ``RANKING`` for each replicate, (r,) each."""
        return self.ranked.ranking(self.counts)

    @cached_property
    def confidences(self):
        """Mean confidence of correct and of incorrect predictions for each replicate, each (r,)."""
        weights = self.counts.astype(np.float64)
        parts = 1.0 * self.correct, 1.0 - self.correct
        with np.errstate(divide="ignore", invalid="ignore"):
            return [(weights @ (self.confidence * part)) / (weights @ part) for part in parts]

    @cached_property
    def thresholds(self):
        """How many images each replicate accepts at each threshold, and how many of them are wrong: (r, m) twice."""
        order, ends = self.ranked.order, self.ranked.ends
        drawn = self.counts[:, order]
        both = (np.cumsum(d, 1, dtype=np.int32) for d in (drawn, drawn * ~self.correct[order]))
        return [taken if ends is None else taken[:, ends] for taken in both]


def _overlap(drawn):
    taken, false = drawn.thresholds
    true = taken - false
    with np.errstate(divide="ignore", invalid="ignore"):
        return 1 - (true / true[:, -1:] - false / false[:, -1:]).max(1).clip(min=0)


def _selective_risk(drawn, coverage):
    taken, false = drawn.thresholds
    k = max(int(np.ceil(coverage * drawn.counts.shape[1] - 1e-9)), 1)
    rows = np.arange(len(taken))
    place = np.array([np.searchsorted(row, k) for row in taken])  # the first threshold that accepts k
    first = place == 0
    before, errors = (np.where(first, 0, a[rows, place - 1]) for a in (taken, false))
    share = (k - before) / (taken[rows, place] - before)  # of a tied group, whose errors are spread evenly
    return (errors + share * (false[rows, place] - errors)) / k


_SCORE_STATISTICS = {
    "confidence_right": lambda drawn: drawn.confidences[0],
    "confidence_wrong": lambda drawn: drawn.confidences[1],
    "confidence_gap": lambda drawn: np.subtract(*drawn.confidences),
    "overlap": _overlap,
    **{metric: lambda drawn, metric=metric: drawn.ranking[metric] for metric in RANKING},
}
SCORE_STATISTICS = (*_SCORE_STATISTICS, "selective_risk@C with C in (0, 1]")


def _score_statistic(name):
    """Return the function of `_Drawn` that `name` stands for."""
    kind, _, coverage = name.partition("@")
    if kind == "selective_risk" and re.fullmatch(r"0?\.\d+|1(\.0*)?", coverage) and float(coverage) > 0:
        return lambda drawn: _selective_risk(drawn, float(coverage))
    if name not in _SCORE_STATISTICS:
        raise ValueError(f"unknown statistic {name!r}; choose among {', '.join(SCORE_STATISTICS)}")
    return _SCORE_STATISTICS[name]


def score_replicates(confidence, correct, names, replicates: int, seed: int) -> tuple[dict, dict]:
    """Return each statistic of the whole set (1,), then of the replicates (r,), as `replicates.replicates_of`.

    Parameters
    ----------
    confidence : array_like, (n,)
        Any finite score, higher for more trust.
    correct : array_like, (n,), bool
        Whether each prediction is correct.
    names : sequence of str
        Names of the statistics.
    replicates : int
        Number of bootstrap replicates.
    seed : int
        Of the random draws.

    Returns
    -------
    tuple of dict of str to ndarray
        Of the whole set, (1,) each, and of the replicates, (r,) each.
    """
    confidence, correct = check_confidence(confidence, correct)

    def prepare(missing):
        chosen, ranked = {name: _score_statistic(name) for name in missing}, Ranked(confidence, correct)

        def statistics(counts):
            drawn = _Drawn(counts, confidence, correct, ranked)
            return {name: function(drawn) for name, function in chosen.items()}

        return statistics

    return replicates_of((confidence, correct), len(correct), names, prepare, replicates, seed)


def compare_scores(runs_a, runs_b, names, replicates: int = REPLICATES, seed: int = 0) -> dict[str, Comparison]:
    """Compare two methods by statistics of any score, over several seeds, with the draws of `compare_methods`.

    Parameters
    ----------
    runs_a, runs_b : sequence of (confidence, correct)
        Runs paired by seed, on one test set: confidence (n,), correct (n,) bool.
    names : sequence of str
        ``confidence_right``, ``confidence_wrong``: mean confidence of correct and of incorrect predictions;
        ``confidence_gap``: the first minus the second; ``overlap``: the smallest sum, over all thresholds, of the share
        of correct predictions rejected and of incorrect ones accepted (0: apart, 1: no threshold helps; one minus the
        Kolmogorov-Smirnov distance); ``selective_risk@0.8``: the error rate at 80 % coverage; names of ``RANKING``.
    replicates, seed : int
        As in `paired_bootstrap`.

    Returns
    -------
    dict of str to Comparison
        `Comparison.better` is meant for ``RANKING`` and the selective risk only.

    Raises
    ------
    ValueError
        If the runs are not paired or differ in length, or a statistic is unknown.
    """
    check_replicates(replicates)
    for name in names:
        _score_statistic(name)
    check_pairs(runs_a, runs_b)
    if len({len(correct) for _, correct in [*runs_a, *runs_b]}) > 1:
        raise ValueError("the runs differ in length; all must share one test set")
    sides = ([score_replicates(*run, names, replicates, seed) for run in runs] for runs in (runs_a, runs_b))
    return compare_replicates(*sides, names, seed)
