"""How sure a difference is: paired bootstrap over test images and seeds, sign tests. No torch.

A bootstrap replicate draws n test images with replacement. Instead of sorting every replicate, each classifier's
images are sorted once and a replicate is a vector of counts, how often each image was drawn: every metric has a form
that takes counts, and gives exactly what the functions of `fmfp_lib.metrics` give for the repeated images.
"""

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from math import comb

import numpy as np

from .metrics import BINS, _bin, _check_confidence, _check_labels, _check_shape, _rows

RANKING = ("aurc", "eaurc", "auroc", "fpr95", "augrc")
SUMS = ("accuracy", "ece", "nll", "brier")
HIGHER_IS_BETTER = frozenset({"accuracy", "auroc", "aupr_success", "aupr_error"})
REPLICATES = 1000  # of every bootstrap in the book: with other numbers, ends near zero fall to either side
_CHUNK = 16  # replicates at once: what fits the cache


@dataclass(frozen=True)
class Comparison:
    """One metric of two methods.

    Attributes
    ----------
    metric : str
        A name from ``RANKING`` or ``SUMS``.
    a : float
        The metric of the first method (the mean over seeds), in natural units.
    b : float
        That of the second.
    difference : float
        b - a.
    low : float
        Lower end of the percentile interval that holds 95 % of the replicates' differences.
    high : float
        Upper end.
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


class Ranked:
    """A score's test images, sorted once: ranking metrics of any number of replicates."""

    def __init__(self, confidence, right):
        n = self.n = len(right)
        order = self.order = np.argsort(-confidence, kind="stable")
        ordered, wrong = confidence[order], ~right[order]
        # Right and wrong images apart, each by confidence. Images of equal confidence form one group.
        self.right, self.wrong = order[~wrong], order[wrong]
        ends = np.append(np.flatnonzero(ordered[1:] != ordered[:-1]), n - 1)
        self.ends = None if len(ends) == n else ends  # last places of the groups, where some have several images
        rights, wrongs = (np.append(0, np.cumsum(kind)[ends]) for kind in (~wrong, wrong))  # down to each group's end
        # Errors happen only in groups with a wrong image, and the TPR grows only in groups with a right one.
        group, step = np.flatnonzero(np.diff(wrongs)), np.flatnonzero(np.diff(rights)) + 1
        self.rights, self.wrongs = ((kind[group], kind[group + 1]) for kind in (rights, wrongs))
        self.rights_at, self.wrongs_at = rights[step], wrongs[step]

    def ranking(self, counts, harmonic):
        """Return each ranking metric (r,) for the replicates' `counts` (r, n)."""
        n = self.n
        right, false = (_running_sum(counts.take(images, 1)) for images in (self.right, self.wrong))
        all_right, all_errors = right[:, -1], false[:, -1]
        # Of each group with a wrong image: places before it and down to its end, and errors in it.
        (first, last), (false_first, false_last) = self.rights, self.wrongs
        false_before, right_before = false.take(false_first, 1), right.take(first, 1)
        before, after = right_before + false_before, right.take(last, 1) + false.take(false_last, 1)
        errors, size = (false.take(false_last, 1) - false_before).astype(np.float64), after - before
        h_after = harmonic[after]
        # A group's errors are spread evenly over its places, j e / t of them among the first T + j images, and at
        # every later place all e are: the sum over j of (j e / t) / (T + j), and of e over the places further down.
        within = errors - errors / np.maximum(size, 1) * before * (h_after - harmonic[before])
        risk = (within + errors * (harmonic[n] - h_after)).sum(1) / n
        generalised = (errors * (size + 1) / 2 + errors * (n - after)).sum(1) / n**2
        r = all_errors / n
        with np.errstate(divide="ignore", invalid="ignore"):
            optimum = np.where(r < 1, r + (1 - r) * np.log1p(-r), 1.0)
            ranked = (errors * (right_before + (size - errors) / 2)).sum(1)
            auroc = ranked / (all_right * all_errors.astype(np.float64))
            fpr95 = self._false_at_95(right.take(self.rights_at, 1), false) / all_errors
        undefined = (all_errors == 0) | (all_right == 0)
        return {
            "aurc": risk, "eaurc": risk - optimum, "augrc": generalised,
            "auroc": np.where(undefined, np.nan, auroc), "fpr95": np.where(undefined, np.nan, fpr95),
        }  # fmt: skip

    def _false_at_95(self, right, false):
        """Return the errors accepted at the threshold whose TPR is nearest to 0.95, the first of them."""
        found = np.zeros(len(right))
        for row, (reached, errors) in enumerate(zip(right, false, strict=True)):
            total = reached[-1] if len(reached) else 0
            if total:
                above = np.searchsorted(reached, np.int32(np.ceil(0.95 * total)))
                nearest = reached[max(above - 1, 0) : above + 1]
                nearest = nearest[np.abs(nearest / total - 0.95).argmin()]
                found[row] = errors[self.wrongs_at[np.searchsorted(reached, nearest)]]
        return found


def _running_sum(drawn):
    """Return sums (r, m + 1) over the first 0 .. m images of `drawn` (r, m)."""
    sums = np.zeros((len(drawn), drawn.shape[1] + 1), np.int32)
    np.cumsum(drawn, 1, np.int32, sums[:, 1:])
    return sums


class _Sorted(Ranked):
    """One classifier's test images, sorted by confidence, with what each metric needs per image."""

    def __init__(self, logits, labels):
        logits = _check_shape(logits, "logits")
        labels = _check_labels(labels, *logits.shape)
        confidence, right, _, loss, brier = _rows(logits, labels)
        super().__init__(confidence, right)
        self.values = np.stack([right, loss, brier], 1)
        self.gaps = np.zeros((self.n, BINS))
        self.gaps[np.arange(self.n), _bin(confidence, BINS)] = right - confidence

    def metrics(self, counts, harmonic, names) -> dict[str, np.ndarray]:
        """Return each named metric (r,) for the replicates' `counts` (r, n)."""
        n, result = counts.shape[1], {}
        if set(names) & set(SUMS):
            weights = counts.astype(np.float64)
            result["accuracy"], result["nll"], result["brier"] = (weights @ self.values).T / n
            result["ece"] = np.abs(weights @ self.gaps).sum(1) / n
        if set(names) & set(RANKING):
            result |= self.ranking(counts, harmonic)
        return {name: result[name] for name in names}


def _harmonic(n):
    """Return the harmonic numbers H_0 to H_n, (n + 1,)."""
    return np.concatenate([[0.0], np.cumsum(1 / np.arange(1, n + 1))])


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
    key = hashlib.sha256(np.asarray(logits).tobytes() + np.asarray(labels).tobytes()).digest()
    key += repr((np.shape(logits), replicates, seed)).encode()
    whole, drawn = _KEPT.get(key, ({}, {}))
    # Metrics of one kind share nearly all their work, so a kind is computed whole, and once.
    wanted = [m for kind in (RANKING, SUMS) if set(kind) & set(names) - set(drawn) for m in kind]
    if wanted:
        classifier = _Sorted(logits, labels)
        n = classifier.n
        harmonic = _harmonic(n)
        parts = [classifier.metrics(counts, harmonic, wanted) for counts in _counts(n, replicates, seed)]
        if len(_KEPT) > 1000:
            _KEPT.clear()
        whole = whole | classifier.metrics(np.ones((1, n), np.int32), harmonic, wanted)
        drawn = drawn | {m: np.concatenate([part[m] for part in parts]) for m in wanted}
        _KEPT[key] = whole, drawn
    return whole, drawn


def _check_replicates(replicates):
    if not isinstance(replicates, (int, np.integer)) or replicates < 1:
        raise ValueError(f"replicates is {replicates!r}; it must be an integer of at least 1")


def mean_over_drawn_seeds(values, seed: int = 0) -> np.ndarray:
    """Return the mean of `values` (r, s) over seeds drawn anew in each replicate: (r,).

    A few seeds drawn from themselves vary too little, by (s - 1) / s in variance, and know nothing of how uncertain
    their own spread is. How far a draw moves the mean is therefore stretched by t sqrt(s / (s - 1)) / 1.96, with
    Student's quantile for s - 1 degrees of freedom: 2.69 for three seeds, 1.58 for five. Without any effect, about one
    interval in twenty then leaves out zero, be the images or the seeds what varies (2 to 7 % in simulations).
    """
    from scipy.stats import t

    replicates, count = values.shape
    if count == 1:
        return values[:, 0]
    drawn = np.random.default_rng([seed, count]).integers(0, count, (replicates, count))
    mean = values.mean(1)
    stretch = t.ppf(0.975, count - 1) / 1.96 * np.sqrt(count / (count - 1))
    return mean + stretch * (np.take_along_axis(values, drawn, 1).mean(1) - mean)


def _comparison(metric, a, b, differences):
    defined = differences[np.isfinite(differences)]
    low, high = np.percentile(defined, [2.5, 97.5]) if len(defined) else (np.nan, np.nan)
    return Comparison(metric, a, b, b - a, float(low), float(high), differences)


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
    _check_replicates(replicates)
    (whole_a, a), (whole_b, b) = (_replicates(z, labels, RANKING, replicates, seed) for z in (logits_a, logits_b))
    return {m: _comparison(m, float(whole_a[m][0]), float(whole_b[m][0]), b[m] - a[m]) for m in RANKING}


def compare_methods(
    runs_a, runs_b, metrics=("auroc",), replicates: int = REPLICATES, seed: int = 0, draw_seeds: bool = True
) -> dict[str, Comparison]:
    """Compare two methods over several seeds: seeds are drawn anew, and test images, the same for all seeds.

    How the draw of few seeds is made to count for what it is worth: `mean_over_drawn_seeds`.

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
    result = {}
    for name in metrics:
        a, b = (np.mean([whole[name][0] for whole, _ in part]) for part in (every[:count], every[count:]))
        differences = np.stack([every[count + i][1][name] - every[i][1][name] for i in range(count)], 1)
        drawn = mean_over_drawn_seeds(differences, seed) if draw_seeds else differences.mean(1)
        result[name] = _comparison(name, float(a), float(b), drawn)
    return result


def interaction(whole: Comparison, parts) -> Comparison:
    """Compare what several ingredients do together with the sum of what each does alone.

    Parameters
    ----------
    whole : Comparison
        All ingredients against the baseline.
    parts : sequence of Comparison
        One ingredient each against the same baseline, made with the same draws (as `compare_methods` does for equal
        numbers of runs, replicates and seed).

    Returns
    -------
    Comparison
        `a` is the sum of the parts' differences, `b` the whole's: a difference of 0 means that effects add up.

    Raises
    ------
    ValueError
        If metrics or numbers of replicates differ, or there are no parts.
    """
    parts = list(parts)
    if not parts or {(c.metric, len(c.replicates)) for c in parts} != {(whole.metric, len(whole.replicates))}:
        raise ValueError("whole and parts must be comparisons in one metric with equally many replicates")
    added = float(sum(c.difference for c in parts))
    drawn = whole.replicates - np.sum([c.replicates for c in parts], 0)
    return _comparison(whole.metric, added, whole.difference, drawn)


def augrc_from(auroc, error_rate, n):
    """Return the AUGRC of `n` images, which AUROC and error rate determine (Traub et al. 2024).

    An error is accepted at its own place and at every later one, so AUGRC counts, for each error, the images at or
    below it: right ones, which AUROC counts too, and other errors, whose number is given. With error rate r,
    AUGRC = (1 - AUROC) r (1 - r) + r^2 / 2 + r / 2n; ties count half, in both.
    """
    r = error_rate
    return (1 - auroc) * r * (1 - r) + r * r / 2 + r / (2 * n)


def augrc_sources(runs_a, runs_b, replicates: int = REPLICATES, seed: int = 0) -> dict[str, Comparison]:
    """Split a difference in AUGRC into what comes from ranking and what from the number of errors.

    Each part is the change when one of AUROC and error rate moves from a's value to b's, averaged over the two orders
    in which they can move; the two parts add up to the whole.

    Parameters
    ----------
    runs_a, runs_b : sequence of (logits, labels)
        As in `compare_methods`.
    replicates, seed : int
        As in `paired_bootstrap`.

    Returns
    -------
    dict of str to Comparison
        ``augrc``, ``by_ranking`` and ``by_errors``, whose `metric` is ``augrc`` throughout.
    """
    compare_methods(runs_a, runs_b, ("auroc",), replicates, seed)  # checks the arguments; what it draws is kept
    parts = {"augrc": [], "by_ranking": [], "by_errors": []}
    for run_a, run_b in zip(runs_a, runs_b, strict=True):
        ends = [_replicates(*run, ("auroc", "accuracy"), replicates, seed) for run in (run_a, run_b)]
        # The whole set first, then its replicates.
        (u, r), (v, q) = (
            (np.append(whole["auroc"], drawn["auroc"]), 1 - np.append(whole["accuracy"], drawn["accuracy"]))
            for whole, drawn in ends
        )
        n = len(run_a[1])
        corners = {(i, j): augrc_from((u, v)[i], (r, q)[j], n) for i in (0, 1) for j in (0, 1)}
        parts["augrc"].append(corners[1, 1] - corners[0, 0])
        parts["by_ranking"].append((corners[1, 0] - corners[0, 0] + corners[1, 1] - corners[0, 1]) / 2)
        parts["by_errors"].append((corners[0, 1] - corners[0, 0] + corners[1, 1] - corners[1, 0]) / 2)
    result = {}
    for name, values in parts.items():
        values = np.stack(values, 1)
        drawn = mean_over_drawn_seeds(values[1:], seed)
        result[name] = _comparison("augrc", 0.0, float(values[0].mean()), drawn)
    return result


def reordered(runs, first: str, second: str, replicates: int = REPLICATES, seed: int = 0) -> list[tuple]:
    """Return the pairs of methods that two metrics, better when lower, put in opposite orders.

    Parameters
    ----------
    runs : dict of str to sequence of (logits, labels)
        Runs of each method, paired by seed.
    first, second : str
        Metrics from ``RANKING``.

    Returns
    -------
    list of (str, str, Comparison, Comparison)
        Two methods a and b, and b against a in each metric; `first` prefers b and `second` prefers a.
    """
    both = first, second
    whole = {m: [_replicates(*run, both, replicates, seed)[0] for run in part] for m, part in runs.items()}
    ranks = {m: {k: np.mean([values[k][0] for values in part]) for k in both} for m, part in whole.items()}
    found = []
    for a in runs:
        for b in runs:
            if ranks[b][first] < ranks[a][first] and ranks[b][second] > ranks[a][second]:
                found.append((a, b, *compare_methods(runs[a], runs[b], (first, second), replicates, seed).values()))
    return found


def sign_test(wins: int, losses: int) -> float:
    """Return the exact two-sided p-value of `wins` against `losses` if both were equally likely; ties left out."""
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


def over_seeds(values) -> tuple[float, float, float]:
    """Return the mean of one value a seed and its 95 % interval by Student's t; the ends are NaN below two seeds."""
    values = np.asarray(values, np.float64)
    n, mean = len(values), float(np.mean(values))
    if n < 2:
        return mean, np.nan, np.nan
    from scipy.stats import t

    half = float(t.ppf(0.975, n - 1) * values.std(ddof=1) / np.sqrt(n))
    return mean, mean - half, mean + half


def rank_correlation(x, y, replicates: int = REPLICATES, seed: int = 0, clusters=None) -> tuple[float, float, float]:
    """Return Spearman's correlation of `x` (n,) and `y` (n,) and its 95 % interval, by percentiles.

    Pairs are drawn anew; with `clusters` (n,), whole clusters are, since pairs of one cluster are alike. NaN where `x`
    or `y` does not vary.
    """
    from scipy.stats import rankdata

    _check_replicates(replicates)
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if x.ndim != 1 or x.shape != y.shape or len(x) < 3:
        raise ValueError(f"x has shape {x.shape} and y {y.shape}; expected (n,) twice, n >= 3")

    def correlation(a, b):
        a, b = (rankdata(v, axis=1) for v in (a, b))
        a, b = (v - v.mean(1, keepdims=True) for v in (a, b))
        with np.errstate(invalid="ignore"):
            return (a * b).sum(1) / np.sqrt((a * a).sum(1) * (b * b).sum(1))

    whole = float(correlation(x[None], y[None])[0])
    if np.isnan(whole):
        return whole, np.nan, np.nan
    count = len(x) if clusters is None else len(set(clusters))
    drawn = np.random.default_rng(seed).integers(0, count, (replicates, count))
    if clusters is None:
        values = correlation(x[drawn], y[drawn])
    else:
        members = [np.flatnonzero(np.asarray(clusters) == c) for c in dict.fromkeys(clusters)]
        rows = [np.concatenate([members[j] for j in row]) for row in drawn]
        values = np.array([correlation(x[None, row], y[None, row])[0] for row in rows])
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return whole, float(low), float(high)


# -- any statistic of a score and of correctness, drawn like the metrics above --------------------------------


class _Drawn:
    """A chunk of replicates of one score: how often each image was drawn, and what several statistics share."""

    def __init__(self, counts, confidence, correct, order, ends, ranked, harmonic):
        self.counts, self.confidence, self.correct, self.order, self.ends = counts, confidence, correct, order, ends
        self.ranked, self.harmonic = ranked, harmonic

    @cached_property
    def ranking(self):
        """Every metric of ``RANKING`` for each replicate, (r,) each."""
        return self.ranked.ranking(self.counts, self.harmonic)

    @cached_property
    def confidences(self):
        """Mean confidence of right and of wrong predictions for each replicate, each (r,)."""
        weights = self.counts.astype(np.float64)
        parts = 1.0 * self.correct, 1.0 - self.correct
        with np.errstate(divide="ignore", invalid="ignore"):
            return [(weights @ (self.confidence * part)) / (weights @ part) for part in parts]

    @cached_property
    def thresholds(self):
        """How many images each replicate accepts at each threshold, and how many of them are wrong: (r, m) twice."""
        drawn = self.counts[:, self.order]
        both = (np.cumsum(d, 1, dtype=np.int32) for d in (drawn, drawn * ~self.correct[self.order]))
        return [taken if self.ends is None else taken[:, self.ends] for taken in both]


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


def _score_replicates(confidence, correct, names, replicates, seed):
    """Return each statistic of the whole set (1,), then of the replicates (r,), drawn as `_replicates` draws."""
    confidence, correct = _check_confidence(confidence, correct)
    key = hashlib.sha256(confidence.tobytes() + correct.tobytes()).digest()
    key += repr(("scores", tuple(names), replicates, seed)).encode()
    if key not in _KEPT:
        chosen = {name: _score_statistic(name) for name in names}
        order = np.argsort(-confidence, kind="stable")
        ends = np.append(np.flatnonzero(np.diff(confidence[order])), len(order) - 1)
        ends = None if len(ends) == len(order) else ends
        shared = confidence, correct, order, ends, Ranked(confidence, correct), _harmonic(len(correct))
        chunks = [np.ones((1, len(correct)), np.int32), *_counts(len(correct), replicates, seed)]
        parts = [{name: f(drawn) for name, f in chosen.items()} for drawn in (_Drawn(c, *shared) for c in chunks)]
        _KEPT[key] = parts[0], {name: np.concatenate([part[name] for part in parts[1:]]) for name in names}
    return _KEPT[key]


def compare_scores(runs_a, runs_b, names, replicates: int = REPLICATES, seed: int = 0) -> dict[str, Comparison]:
    """Compare two methods by statistics of any score, over several seeds, with the draws of `compare_methods`.

    Parameters
    ----------
    runs_a, runs_b : sequence of (confidence, correct)
        Runs paired by seed, on one test set: confidence (n,), correct (n,) bool.
    names : sequence of str
        ``confidence_right``, ``confidence_wrong``: mean confidence of right and of wrong predictions;
        ``confidence_gap``: the first minus the second; ``overlap``: the smallest sum, over all thresholds, of the share
        of right predictions rejected and of wrong ones accepted (0: apart, 1: no threshold helps; one minus the
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
    _check_replicates(replicates)
    for name in names:
        _score_statistic(name)
    if not len(runs_a) or len(runs_a) != len(runs_b):
        raise ValueError(f"{len(runs_a)} runs against {len(runs_b)}; give as many of each, paired by seed")
    if len({len(correct) for _, correct in [*runs_a, *runs_b]}) > 1:
        raise ValueError("the runs differ in length; all must share one test set")
    a, b = ([_score_replicates(*run, names, replicates, seed) for run in runs] for runs in (runs_a, runs_b))
    result = {}
    for name in names:
        whole_a, whole_b = (float(np.mean([whole[name][0] for whole, _ in part])) for part in (a, b))
        differences = np.stack([y[1][name] - x[1][name] for x, y in zip(a, b, strict=True)], 1)
        result[name] = _comparison(name, whole_a, whole_b, mean_over_drawn_seeds(differences, seed))
    return result
