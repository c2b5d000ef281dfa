"""How sure a difference is: paired bootstrap over test images and seeds, sign tests, verdicts. No torch.

A bootstrap replicate draws n test images with replacement. Instead of sorting every replicate, each classifier's
images are sorted once and a replicate is a vector of counts, how often each image was drawn: every metric has a form
that takes counts, and gives exactly what the functions of `fmfp_lib.metrics` give for the repeated images.
"""

import hashlib
from dataclasses import dataclass
from math import comb

import numpy as np

from .metrics import _check_labels, _check_matrix, softmax

RANKING = ("aurc", "eaurc", "auroc", "fpr95", "augrc")
SUMS = ("accuracy", "ece", "nll", "brier")
HIGHER_IS_BETTER = frozenset({"accuracy", "auroc", "aupr_success", "aupr_error"})
_CHUNK = 32  # replicates at once: what fits the cache


@dataclass(frozen=True)
class Comparison:
    """One metric of two methods.

    Attributes
    ----------
    metric : str
        A name from ``RANKING`` or ``SUMS``.
    a, b : float
        The metric of each method (the mean over seeds), in natural units.
    difference : float
        b - a.
    low, high : float
        Ends of the percentile interval that holds 95 % of the replicates' differences.
    replicates : ndarray of shape (r,)
        Differences b - a; NaN where a replicate had no error or nothing but errors.
    """

    metric: str
    a: float
    b: float
    difference: float
    low: float
    high: float
    replicates: np.ndarray

    @property
    def better(self) -> bool:
        """Whether b is better than a in the mean."""
        return self.difference > 0 if self.metric in HIGHER_IS_BETTER else self.difference < 0

    @property
    def certain(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low > 0 or self.high < 0


class _Sorted:
    """One classifier's test images, sorted by confidence once, with what each metric needs per image."""

    def __init__(self, logits, labels):
        logits = _check_matrix(logits, "logits")
        labels = _check_labels(labels, *logits.shape)
        n = len(labels)
        p = softmax(logits)
        confidence, right = p.max(1), p.argmax(1) == labels
        self.order = np.argsort(-confidence, kind="stable")
        self.wrong = (~right)[self.order]
        ordered = confidence[self.order]
        ends = np.append(np.flatnonzero(ordered[1:] != ordered[:-1]), n - 1)
        self.ends = None if len(ends) == n else ends
        shifted = logits - logits.max(1, keepdims=True)
        true = p[np.arange(n), labels]
        loss = np.log(np.exp(shifted).sum(1)) - shifted[np.arange(n), labels]
        self.values = np.stack([right, loss, (p * p).sum(1) - 2 * true + 1], 1).astype(np.float64)
        self.bins = np.clip(np.ceil(confidence * 15).astype(int) - 1, 0, 14)
        self.gaps = np.zeros((n, 15))
        self.gaps[np.arange(n), self.bins] = right - confidence

    def metrics(self, counts, harmonic, names) -> dict[str, np.ndarray]:
        """Return each named metric (r,) for the replicates' `counts` (r, n)."""
        n, result = counts.shape[1], {}
        if set(names) & set(SUMS):
            weights = counts.astype(np.float64)
            result["accuracy"], result["nll"], result["brier"] = (weights @ self.values).T / n
            result["ece"] = np.abs(weights @ self.gaps).sum(1) / n
        if set(names) & set(RANKING):
            result |= self._ranking(counts, harmonic, n)
        return {name: result[name] for name in names}

    def _ranking(self, counts, harmonic, n):
        drawn = counts[:, self.order]
        taken = np.cumsum(drawn, 1, dtype=np.int32)
        false = np.cumsum(drawn * self.wrong, 1, dtype=np.int32)
        if self.ends is not None:
            taken, false = taken[:, self.ends], false[:, self.ends]
        before, false_before = (np.pad(a[:, :-1], ((0, 0), (1, 0))) for a in (taken, false))
        size, errors = taken - before, (false - false_before).astype(np.float64)
        all_errors = false[:, -1]
        all_right = n - all_errors
        # Within a tied group errors are spread evenly: the sum over its places j of (A + e j / t) / (T + j).
        slope = errors / np.maximum(size, 1)
        risk = (errors + (false_before - slope * before) * (harmonic[taken] - harmonic[before])).sum(1) / n
        r = all_errors / n
        with np.errstate(divide="ignore", invalid="ignore"):
            optimum = np.where(r < 1, r + (1 - r) * np.log1p(-r), 1.0)
            right_before, right = before - false_before, size - errors
            auroc = (errors * (right_before + right / 2)).sum(1) / (all_right * all_errors.astype(np.float64))
            tpr = (taken - false) / all_right[:, None]
            nearest = np.abs(tpr - 0.95).argmin(1)
            fpr95 = false[np.arange(len(false)), nearest] / all_errors
        undefined = (all_errors == 0) | (all_right == 0)
        generalised = (size * false_before + errors * (size + 1) / 2).sum(1) / n**2
        return {
            "aurc": risk, "eaurc": risk - optimum, "augrc": generalised,
            "auroc": np.where(undefined, np.nan, auroc), "fpr95": np.where(undefined, np.nan, fpr95),
        }  # fmt: skip


def _counts(n, replicates, seed):
    """Yield chunks (r, n) of how often each of n images was drawn."""
    rng = np.random.default_rng(seed)
    for first in range(0, replicates, _CHUNK):
        rows = min(_CHUNK, replicates - first)
        drawn = rng.integers(0, n, (rows, n)) + n * np.arange(rows)[:, None]
        yield np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n).astype(np.int32)


_KEPT: dict = {}  # replicates already drawn, by content: one baseline is compared with many methods


def _replicates(logits, labels, names, replicates, seed):
    """Return each metric of the whole set (1,), then of the replicates (r,)."""
    classifier = _Sorted(logits, labels)
    n = len(classifier.wrong)
    key = hashlib.sha256(np.asarray(logits).tobytes() + np.asarray(labels).tobytes()).digest()
    key += repr((tuple(names), replicates, seed)).encode()
    if key not in _KEPT:
        harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, n + 1))])
        whole = classifier.metrics(np.ones((1, n), np.int32), harmonic, names)
        parts = [classifier.metrics(counts, harmonic, names) for counts in _counts(n, replicates, seed)]
        if len(_KEPT) > 1000:
            _KEPT.clear()
        _KEPT[key] = whole, {m: np.concatenate([part[m] for part in parts]) for m in names}
    return _KEPT[key]


def _check_replicates(replicates):
    if not isinstance(replicates, (int, np.integer)) or replicates < 1:
        raise ValueError(f"replicates is {replicates!r}; it must be an integer of at least 1")


def _comparison(metric, a, b, differences):
    defined = differences[np.isfinite(differences)]
    low, high = np.percentile(defined, [2.5, 97.5]) if len(defined) else (np.nan, np.nan)
    return Comparison(metric, a, b, b - a, float(low), float(high), differences)


def paired_bootstrap(logits_a, logits_b, labels, replicates: int = 1000, seed: int = 0) -> dict[str, Comparison]:
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
    _check_replicates(replicates)
    (whole_a, a), (whole_b, b) = (_replicates(z, labels, RANKING, replicates, seed) for z in (logits_a, logits_b))
    return {m: _comparison(m, float(whole_a[m][0]), float(whole_b[m][0]), b[m] - a[m]) for m in RANKING}


def compare_methods(
    runs_a, runs_b, metrics=("auroc",), replicates: int = 1000, seed: int = 0
) -> dict[str, Comparison]:
    """Compare two methods over several seeds: seeds are drawn anew, and test images, the same for all seeds.

    Parameters
    ----------
    runs_a, runs_b : sequence of (logits, labels)
        Runs paired by seed, on one test set: logits (n, k), labels (n,).
    metrics : sequence of str
        Names from ``RANKING`` and ``SUMS``.
    replicates, seed : int
        As in `paired_bootstrap`.

    Returns
    -------
    dict of str to Comparison

    Raises
    ------
    ValueError
        If the runs are not paired, or a metric is unknown.
    """
    _check_replicates(replicates)
    if not len(runs_a) or len(runs_a) != len(runs_b):
        raise ValueError(f"{len(runs_a)} runs against {len(runs_b)}; give as many of each, paired by seed")
    for name in metrics:
        if name not in RANKING + SUMS:
            raise ValueError(f"unknown metric {name!r}; choose among {', '.join(RANKING + SUMS)}")
    labels = runs_a[0][1]
    if any(not np.array_equal(labels, run[1]) for run in [*runs_a, *runs_b]):
        raise ValueError("the runs were tested on different labels; all must share one test set")
    every = [_replicates(*run, metrics, replicates, seed) for run in [*runs_a, *runs_b]]
    count = len(runs_a)
    chosen = np.random.default_rng([seed, count]).integers(0, count, (replicates, count))
    result = {}
    for name in metrics:
        a, b = (np.mean([whole[name][0] for whole, _ in part]) for part in (every[:count], every[count:]))
        differences = np.stack([every[count + i][1][name] - every[i][1][name] for i in range(count)], 1)
        result[name] = _comparison(name, float(a), float(b), np.take_along_axis(differences, chosen, 1).mean(1))
    return result


def sign_test(wins: int, losses: int) -> float:
    """Return the exact two-sided p-value of `wins` against `losses` if both were equally likely; ties left out."""
    if wins < 0 or losses < 0:
        raise ValueError(f"wins and losses are {wins} and {losses}; neither can be negative")
    n = wins + losses
    tail = sum(comb(n, i) for i in range(min(wins, losses) + 1)) / 2**n
    return min(1.0, 2 * tail)


def verdict(comparisons, better: bool = True) -> str:
    """Decide a claim that says "b is better than a" (or, with `better` False, worse) in every comparison.

    Returns
    -------
    str
        *supported*: every difference points the claimed way and at least half are certain (their 95 % interval
        leaves out zero). *not supported*: at most half point that way, or more are certain against it than for it.
        *partly*: anything between. *not testable here*: there is nothing to compare.
    """
    comparisons = list(comparisons)
    if not comparisons:
        return "not testable here"
    for_it = [c for c in comparisons if c.better == better]
    certain_for, certain_against = (
        sum(c.certain for c in part) for part in (for_it, [c for c in comparisons if c.better != better])
    )
    if len(for_it) == len(comparisons) and 2 * certain_for >= len(comparisons):
        return "supported"
    if 2 * len(for_it) <= len(comparisons) or certain_against > certain_for:
        return "not supported"
    return "partly"


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
