"""Tests without a bootstrap of images: signs, many tests at once, correlation of ranks."""

from math import comb

import numpy as np

from .comparison import REPLICATES, check_replicates
from .ranked import sums_by_group


def sign_test(wins: int, losses: int) -> float:
    """Return the exact two-sided p-value of `wins` against `losses` if both were equally likely; ties left out.

    Parameters
    ----------
    wins : int
        At least 0.
    losses : int
        At least 0.

    Returns
    -------
    float
        In [0, 1].
    """
    if wins < 0 or losses < 0:
        raise ValueError(f"wins and losses are {wins} and {losses}; neither can be negative")
    n = wins + losses
    tail = sum(comb(n, i) for i in range(min(wins, losses) + 1)) / 2**n
    return min(1.0, 2 * tail)


def holm(p_values) -> np.ndarray:
    """Return p-values adjusted for their number by Holm's step-down method: (n,), each at most 1.

    Rejecting those below 0.05 keeps the chance of any false rejection below 0.05, however the tests depend on each
    other.
    """
    p = np.asarray(p_values, np.float64)
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"p_values are {p_values}; expected numbers in [0, 1], one a test")
    order = np.argsort(p, kind="stable")
    adjusted = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    result = np.empty_like(p)
    result[order] = np.minimum(adjusted, 1)
    return result


def rank_correlation(x, y, replicates: int = REPLICATES, seed: int = 0, clusters=None) -> tuple[float, float, float]:
    """Return Spearman's correlation of `x` (n,) and `y` (n,) and its 95 % interval, by percentiles.

    Pairs are drawn anew; with `clusters` (n,), whole clusters are, since pairs of one cluster are alike. NaN where `x`
    or `y` does not vary.

    Parameters
    ----------
    x : array_like, (n,)
        First quantity.
    y : array_like, (n,)
        Second quantity.
    replicates : int
        Number of bootstrap replicates.
    seed : int
        Of the random draws.
    clusters : array_like, (n,), optional
        Cluster of each pair.

    Returns
    -------
    tuple of float
        Correlation and the ends of its interval, in [-1, 1].
    """
    whole, drawn = correlation_replicates(x, y, replicates, seed, clusters)
    if np.isnan(whole):
        return whole, np.nan, np.nan
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return whole, float(low), float(high)


def correlation_replicates(x, y, replicates: int = REPLICATES, seed: int = 0, clusters=None):
    """Return Spearman's correlation and its bootstrap replicates, as `rank_correlation` takes them.

    Parameters
    ----------
    x, y, replicates, seed, clusters
        As there. With one `seed`, data with equally many clusters share their draws of them.

    Returns
    -------
    correlation : float
        In [-1, 1]; NaN where `x` or `y` does not vary.
    replicates : ndarray, (replicates,)
        NaN where what was drawn does not vary.
    """
    check_replicates(replicates)
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if x.ndim != 1 or x.shape != y.shape or len(x) < 3:
        raise ValueError(f"x has shape {x.shape} and y {y.shape}; expected (n,) twice, n >= 3")
    whole = float(_weighted_correlation(x, y, np.ones((len(x), 1)))[0])
    cluster = np.unique(np.arange(len(x)) if clusters is None else list(clusters), return_inverse=True)[1]
    # Clusters are numbered as they appear, so that their order in the alphabet changes no draw.
    cluster = np.unique(np.unique(cluster, return_index=True)[1][cluster], return_inverse=True)[1]
    count = cluster.max() + 1
    drawn = np.random.default_rng(seed).integers(0, count, (replicates, count))
    counts = np.stack([np.bincount(row, minlength=count) for row in drawn], 1)
    return whole, _weighted_correlation(x, y, counts[cluster])


def _weighted_correlation(x, y, weights):
    """Return Spearman's correlation (r,) where each pair counts as often as each column of `weights` (n, r) says."""
    total = weights.sum(0)
    a, b = (_ranks(v, weights) for v in (x, y))
    a, b = (v - (weights * v).sum(0) / total for v in (a, b))
    with np.errstate(invalid="ignore"):
        return (weights * a * b).sum(0) / np.sqrt((weights * a * a).sum(0) * (weights * b * b).sum(0))


def _ranks(v, weights):
    """Return the rank (n, r) of each of `v` (n,), ties at their mean, where it counts as often as `weights` (n, r)."""
    if not np.isfinite(v).all():
        return np.full(weights.shape, np.nan)
    values, group = np.unique(v, return_inverse=True)
    sizes = sums_by_group(np.ones(len(v)), group, len(values)) @ weights
    return (np.cumsum(sizes, 0) - (sizes - 1) / 2)[group]
