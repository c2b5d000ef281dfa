"""Paired bootstrap of classifiers, over test images and seeds."""

from functools import partial

import numpy as np

from ..metrics.calibration import BINS, bin_index
from ..metrics.checks import check_labels, check_shape
from ..metrics.one_pass import per_sample
from .comparison import RANKING, REPLICATES, SUMS, Comparison, check_replicates
from .ranked import Ranked, sums_by_group
from .replicates import check_pairs, compare_replicates, replicates_of


class _Sorted(Ranked):
    """One classifier's test images, sorted by confidence, with what each metric needs per image."""

    def __init__(self, logits, labels):
        from scipy.sparse import vstack  # slow to import

        labels = check_labels(labels, *logits.shape)
        confidence, correct, _, loss, brier, log_odds = per_sample(logits, labels)
        super().__init__(log_odds, correct)
        gaps = sums_by_group(correct - confidence, bin_index(confidence, BINS), BINS)
        self.means = vstack([np.stack([correct, loss, brier]), gaps], format="csr")  # times n

    def metrics(self, counts, names) -> dict[str, np.ndarray]:
        """Return each named metric (r,) for the replicates' `counts` (n, r)."""
        result = {}
        if set(names) & set(SUMS):
            means = self.means @ counts / self.n
            result["accuracy"], result["nll"], result["brier"] = means[:3]
            result["ece"] = np.abs(means[3:]).sum(0)
        if set(names) & set(RANKING):
            result |= self.drawn(counts).ranking
        return {name: result[name] for name in names}


def metric_replicates(logits, labels, names, replicates: int, seed: int) -> tuple[dict, dict]:
    """Return each metric of the whole set (1,), then of the replicates (r,), as `replicates.replicates_of`.

    Parameters
    ----------
    logits : array_like, (n, k)
        Finite logits of k classes.
    labels : array_like, (n,), int
        True classes, 0 to k - 1.
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
    logits = check_shape(logits, "logits")
    # Metrics of one kind share nearly all their work, so a kind is computed whole.
    names = [m for kind in (RANKING, SUMS) if set(kind) & set(names) for m in kind]

    def prepare(missing):
        return partial(_Sorted(logits, labels).metrics, names=missing)

    return replicates_of((logits, labels), len(logits), names, prepare, replicates, seed)


def paired_bootstrap(logits_a, logits_b, labels, replicates: int = REPLICATES, seed: int = 0) -> dict[str, Comparison]:
    """Compare two classifiers on the same test images, drawn anew together.

    Parameters
    ----------
    logits_a, logits_b : array_like of shape (n, k)
        What each classifier says; confidence is the maximum softmax probability.
    labels : array_like of shape (n,)
        Integers from 0 to k - 1.
    replicates : int
        How often n images are drawn with replacement.
    seed : int
        Of the draws.

    Returns
    -------
    dict of str to Comparison
        For ``aurc, eaurc, auroc, fpr95, augrc``.

    Raises
    ------
    ValueError
        For wrong shapes, NaN, labels out of range, fewer than one replicate.
    """
    check_replicates(replicates)
    sides = ([metric_replicates(logits, labels, RANKING, replicates, seed)] for logits in (logits_a, logits_b))
    return compare_replicates(*sides, RANKING, seed)


def compare_methods(
    runs_a, runs_b, metrics=("auroc",), replicates: int = REPLICATES, seed: int = 0, draw_seeds: bool = True
) -> dict[str, Comparison]:
    """Compare two methods over several seeds: seeds are drawn anew, and test images, the same for all seeds.

    `mean_over_drawn_seeds` widens the intervals where the seeds are few.

    Parameters
    ----------
    runs_a, runs_b : sequence of (logits, labels)
        Runs paired by seed, on one test set: logits (n, k), labels (n,).
    metrics : sequence of str
        Names from ``RANKING`` and ``SUMS``.
    replicates, seed : int
        As in `paired_bootstrap`.
    draw_seeds : bool
        False keeps the seeds as they are, for runs that are not independent; the interval then speaks of these very
        networks and of other test images.

    Returns
    -------
    dict of str to Comparison

    Raises
    ------
    ValueError
        If the runs are not paired, or a metric is unknown.
    """
    check_replicates(replicates)
    check_pairs(runs_a, runs_b)
    for name in metrics:
        if name not in RANKING + SUMS:
            raise ValueError(f"unknown metric {name!r}; choose among {', '.join(RANKING + SUMS)}")
    labels = runs_a[0][1]
    if any(not np.array_equal(labels, run[1]) for run in [*runs_a, *runs_b]):
        raise ValueError("the runs were tested on different labels; all must share one test set")
    sides = ([metric_replicates(*run, metrics, replicates, seed) for run in runs] for runs in (runs_a, runs_b))
    return compare_replicates(*sides, metrics, seed, draw_seeds)
