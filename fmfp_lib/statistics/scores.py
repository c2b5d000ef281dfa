"""Paired bootstrap of any statistic of a score and of correctness, with the draws of `bootstrap`."""

import re

import numpy as np

from ..metrics.checks import check_confidence
from .comparison import RANKING, REPLICATES, Comparison, check_replicates
from .ranked import Ranked
from .replicates import check_pairs, compare_replicates, replicates_of


def _overlap(drawn):
    # The shares of correct and of incorrect predictions accepted are furthest apart just before a group with an error.
    with np.errstate(divide="ignore", invalid="ignore"):
        right, wrong = drawn.correct_before / drawn.all_correct, drawn.errors_to[:-1] / drawn.all_errors
    undefined = (drawn.all_correct == 0) | (drawn.all_errors == 0)
    return np.where(undefined, np.nan, 1 - (right - wrong).max(0, initial=0))


def _selective_risk(drawn, coverage):
    k = max(int(np.ceil(coverage * drawn.ranked.n - 1e-9)), 1)
    return (drawn.share * np.clip(k - drawn.before, 0, drawn.size)).sum(0) / k


_SCORE_STATISTICS = {
    "confidence_right": lambda drawn: drawn.confidences[0],
    "confidence_wrong": lambda drawn: drawn.confidences[1],
    "confidence_gap": lambda drawn: np.subtract(*drawn.confidences),
    "overlap": _overlap,
    **{metric: lambda drawn, metric=metric: drawn.ranking[metric] for metric in RANKING},
}
SCORE_STATISTICS = (*_SCORE_STATISTICS, "selective_risk@C with C in (0, 1]")


def _score_statistic(name):
    """Return the function of `ranked.Drawn` that `name` stands for."""
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
            drawn = ranked.drawn(counts)
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
