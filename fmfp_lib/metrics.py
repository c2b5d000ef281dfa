"""Every metric of the paper, in the conventions of its published numbers. NumPy in, floats out.

Confidence, (n,), may be any score that grows with trust; the paper's is the maximum softmax probability (MSP).
`correct`, (n,) bool, is True where the prediction equals the label. All values are in natural units: fractions and
nats. Wrong shapes, NaN and no samples at all raise ValueError.

A metric that is not defined is NaN: AUROC, FPR-95%TPR and NAURC need both right and wrong predictions,
AUPR-Success a right and AUPR-Error a wrong one.

Ties: samples of equal confidence form one threshold. Risk-coverage metrics give every sample of a tied group
the group's error rate, so no value depends on the order of the samples; without ties this is the published
convention exactly.
"""

from typing import NamedTuple

import numpy as np

BINS = 15
_BLOCK = 1 << 16  # elements worked on at once: what fits the cache


def softmax(logits) -> np.ndarray:
    """Return probabilities (n, k) of `logits` (n, k), in float64."""
    z = np.asarray(logits, np.float64)
    z = np.exp(z - z.max(1, keepdims=True))
    return z / z.sum(1, keepdims=True)


# -- checks -------------------------------------------------------------------------------------------------


def _check_labels(labels, n, k):
    labels = np.asarray(labels)
    if labels.shape != (n,):
        raise ValueError(f"labels have shape {labels.shape}; expected ({n},), one a sample")
    if not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(f"labels are {labels.dtype}; expected integers")
    if labels.min() < 0 or labels.max() >= k:
        raise ValueError(f"labels run from {labels.min()} to {labels.max()}; expected 0 to {k - 1}")
    return labels.astype(np.int64)


def _check_shape(values, name):
    values = np.asarray(values)
    if values.ndim != 2 or values.shape[0] < 1 or values.shape[1] < 2:
        raise ValueError(f"{name} have shape {values.shape}; expected (n, k) with n >= 1 samples and k >= 2 classes")
    return values


def _check_matrix(values, name):
    values = _check_shape(values, name).astype(np.float64)
    if not np.isfinite(values).all():
        raise ValueError(f"{name} hold NaN or infinite values; all must be finite")
    return values


def _check_probabilities(probabilities, labels):
    p = _check_matrix(probabilities, "probabilities")
    if p.min() < 0 or p.max() > 1 + 1e-3 or np.abs(p.sum(1) - 1).max() > 1e-3:
        raise ValueError("probabilities must lie in [0, 1] and sum to one in every row (within 0.001)")
    return p, _check_labels(labels, *p.shape)


def _check_confidence(confidence, correct):
    confidence, correct = np.asarray(confidence, np.float64), np.asarray(correct)
    if confidence.ndim != 1 or not len(confidence) or correct.shape != confidence.shape:
        raise ValueError(
            f"confidence has shape {confidence.shape} and correct {correct.shape}; expected (n,) twice, n >= 1"
        )
    if np.isnan(confidence).any():
        raise ValueError("confidence holds NaN")
    if correct.dtype != bool and not np.isin(correct, (0, 1)).all():
        raise ValueError("correct must hold True and False (or 1 and 0) only")
    return confidence, correct.astype(bool)


# -- ranking: one sort, shared by all ------------------------------------------------------------------------


class _Ranking:
    """Samples sorted by confidence, descending, with what every ranking metric needs."""

    def __init__(self, confidence, correct):
        confidence, correct = _check_confidence(confidence, correct)
        n = self.n = len(confidence)
        self.order = order = np.argsort(confidence)[::-1]  # in any order within ties, which are one threshold
        ordered, wrong = confidence[order], ~correct[order]
        self.ends = np.append(np.flatnonzero(ordered[1:] != ordered[:-1]), n - 1)  # last sample of each tied group
        self.taken = self.ends + 1
        self.false = np.cumsum(wrong)[self.ends].astype(np.float64)  # errors accepted down to each threshold
        self.true = self.taken - self.false
        self.errors, self.successes = self.false[-1], self.true[-1]
        self.k = np.arange(1, n + 1)
        if len(self.ends) == n:
            self.accepted = self.false
        else:  # spread each group's errors evenly over its places
            self.accepted = np.interp(self.k, np.append(0, self.taken), np.append(0.0, self.false))
        self.risk = self.accepted / self.k

    def aurc(self):
        return float(self.risk.mean())

    def eaurc(self):
        r = self.errors / self.n
        return self.aurc() - float(r + (1 - r) * np.log1p(-r) if r < 1 else 1.0)

    def optimum(self):
        return float((np.maximum(self.k - self.successes, 0) / self.k).mean())

    def naurc(self):
        if not self.errors or not self.successes:
            return float("nan")
        optimum = self.optimum()
        return (self.aurc() - optimum) / (self.errors / self.n - optimum)

    def augrc(self):
        return float(self.accepted.mean() / self.n)

    def auroc(self):
        if not self.errors or not self.successes:
            return float("nan")
        tpr, fpr = np.append(0, self.true) / self.successes, np.append(0, self.false) / self.errors
        return float(np.trapezoid(tpr, fpr))

    def fpr95(self):
        if not self.errors or not self.successes:
            return float("nan")
        tpr, fpr = np.append(0, self.true) / self.successes, np.append(0, self.false) / self.errors
        return float(fpr[np.argmin(np.abs(tpr - 0.95))])

    def aupr_success(self):
        if not self.successes:
            return float("nan")
        precision, recall = np.append(1.0, self.true / self.taken), np.append(0, self.true) / self.successes
        return float(np.trapezoid(precision, recall))

    def aupr_error(self):
        if not self.errors:
            return float("nan")
        # The same thresholds from the other end: samples at or below each are called errors.
        caught = self.errors - np.append(0, self.false[:-1])
        precision = caught / (self.n - np.append(0, self.taken[:-1]))
        return float((precision * np.diff(np.append(0, self.false))).sum() / self.errors)

    def all(self):
        return {
            "aurc": self.aurc(), "eaurc": self.eaurc(), "fpr95": self.fpr95(), "auroc": self.auroc(),
            "aupr_success": self.aupr_success(), "aupr_error": self.aupr_error(),
            "augrc": self.augrc(), "naurc": self.naurc(),
        }  # fmt: skip


def evaluate_confidence(confidence, correct) -> dict[str, float]:
    """Return every ranking metric of any score: `confidence` (n,), `correct` (n,) bool."""
    return _Ranking(confidence, correct).all()


def aurc(confidence, correct) -> float:
    """Return the area under the risk-coverage curve, in [0, 1]: mean over k of (errors among the k first) / k.

    (The trapezoid variant divided by 1 - 1/n exists elsewhere and differs slightly.)

    Examples
    --------
    >>> round(aurc([0.9, 0.8, 0.7, 0.6, 0.5], [1, 1, 0, 1, 0]), 4)
    0.1967
    """
    return _Ranking(confidence, correct).aurc()


def eaurc(confidence, correct) -> float:
    """Return AURC minus the continuous optimum r + (1 - r) ln(1 - r) (Geifman et al. 2019), r the error rate.

    Being measured against the continuous optimum, it can fall a little below 0 in small samples.
    """
    return _Ranking(confidence, correct).eaurc()


def naurc(confidence, correct) -> float:
    """Return AURC on a scale where 0 is the best possible order and 1 is no order (Cattelan & Silva 2024)."""
    return _Ranking(confidence, correct).naurc()


def augrc(confidence, correct) -> float:
    """Return the area under the generalised risk-coverage curve, in [0, 0.5]: mean over k of
    (errors among the k first) / n, the expected risk of silent failures (Traub et al. 2024)."""
    return _Ranking(confidence, correct).augrc()


def auroc(confidence, correct) -> float:
    """Return the area under the ROC curve, in [0, 1]; positives are right predictions.

    Examples
    --------
    >>> round(auroc([0.9, 0.8, 0.7, 0.6, 0.5], [1, 1, 0, 1, 0]), 4)
    0.8333
    """
    return _Ranking(confidence, correct).auroc()


def fpr95(confidence, correct) -> float:
    """Return the share of errors accepted at the ROC point whose TPR is nearest to 0.95, in [0, 1].

    All points of the curve are candidates. The released code takes them from scikit-learn, which leaves out those on a
    straight line; that moves the value by a few hundredths of a point at most sizes, now and then by half a point.
    """
    return _Ranking(confidence, correct).fpr95()


def aupr_success(confidence, correct) -> float:
    """Return the trapezoid area under the precision-recall curve; positives are right predictions."""
    return _Ranking(confidence, correct).aupr_success()


def aupr_error(confidence, correct) -> float:
    """Return the average precision (step sum) of -confidence; positives are errors."""
    return _Ranking(confidence, correct).aupr_error()


def risk_coverage_curve(confidence, correct) -> tuple[np.ndarray, np.ndarray]:
    """Return coverage k/n and selective risk, each (n,), for k = 1 .. n."""
    ranking = _Ranking(confidence, correct)
    return ranking.k / ranking.n, ranking.risk


def generalised_risk_curve(confidence, correct) -> tuple[np.ndarray, np.ndarray]:
    """Return coverage k/n and generalised risk, (errors among the k first) / n, each (n,), for k = 1 .. n.

    The generalised risk is the share of *all* samples that are wrong and accepted (Traub et al. 2024); AUGRC is its
    mean.
    """
    ranking = _Ranking(confidence, correct)
    return ranking.k / ranking.n, ranking.accepted / ranking.n


def error_weights(n: int) -> dict[str, np.ndarray]:
    """Return what an error at each place 1 .. n of the ranking adds to ``aurc`` and to ``augrc``, (n,) each.

    Both metrics are the sum of their errors' weights. An error at place i is among the k first for every k >= i: AURC
    divides it by k each time, so it weighs (1/i + 1/(i+1) + ... + 1/n) / n; AUGRC divides by n, so it weighs
    (n - i + 1) / n^2.
    """
    if n < 1:
        raise ValueError(f"n is {n}; it must be at least 1")
    place = np.arange(1, n + 1)
    return {"aurc": np.cumsum(1 / place[::-1])[::-1] / n, "augrc": (n - place + 1) / n**2}


def coverage_at_risk(confidence, correct, risk: float) -> float:
    """Return the largest coverage k/n whose selective risk is at most `risk`, in [0, 1]; 0 where none is.

    The threshold that gives it is read off these same samples: it is what could be had, not what is guaranteed
    (Geifman & El-Yaniv 2017 choose it on other samples, with a bound).
    """
    if not 0 <= risk <= 1:
        raise ValueError(f"risk is {risk}; it must lie in [0, 1]")
    ranking = _Ranking(confidence, correct)
    fits = np.flatnonzero(ranking.risk <= risk)
    return float((fits[-1] + 1) / ranking.n) if len(fits) else 0.0


def selective_risk_at(confidence, correct, coverage: float) -> float:
    """Return the error rate among the ceil(coverage n) most confident samples; `coverage` in (0, 1]."""
    if not 0 < coverage <= 1:
        raise ValueError(f"coverage is {coverage}; it must lie in (0, 1]")
    ranking = _Ranking(confidence, correct)
    return float(ranking.risk[max(int(np.ceil(coverage * ranking.n - 1e-9)), 1) - 1])


def overlap(confidence, correct) -> float:
    """Return how far the confidences of right and wrong predictions overlap, in [0, 1]: one minus their
    Kolmogorov-Smirnov distance, the least that any threshold rejects of the right plus accepts of the wrong.

    0 means that a threshold keeps the two apart, 1 that none does better than chance. Like every ranking metric, and
    unlike the overlap of two histograms, it does not change when confidence is rescaled.

    Examples
    --------
    >>> round(overlap([0.9, 0.8, 0.7, 0.6, 0.5], [1, 1, 0, 1, 0]), 4)
    0.3333
    """
    ranking = _Ranking(confidence, correct)
    if not ranking.errors or not ranking.successes:
        return float("nan")
    distance = np.max(ranking.true / ranking.successes - ranking.false / ranking.errors)
    return float(1 - max(distance, 0.0))


# -- calibration ---------------------------------------------------------------------------------------------


def _check_bins(bins):
    if not isinstance(bins, (int, np.integer)) or bins < 1:
        raise ValueError(f"bins is {bins!r}; it must be an integer of at least 1")


def _bin(confidence, bins):
    """Return the index, from 0, of the equal-width bin of each confidence; bins are closed on the right."""
    return np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)


def _binned_gap(confidence, hit, bins):
    """Return the weighted mean absolute gap over equal-width bins."""
    return np.abs(np.bincount(_bin(confidence, bins), hit - confidence, bins)).sum() / len(confidence)


def _adaptive_gap(order, confidence, hit, bins):
    """Return the weighted mean absolute gap over groups of nearly equal size along `order`."""
    groups = np.array_split((hit - confidence)[order], min(bins, len(order)))
    return float(sum(abs(group.sum()) for group in groups) / len(order))


class _ClassBins:
    """Every class's probabilities in equal-width bins, gathered block by block.

    A row has fewer than `bins` probabilities above 1 / bins. Only they need a bin of their own: the first bin holds
    what they leave of each class's sum.
    """

    def __init__(self, k, bins):
        self.bins, self.sums, self.columns, self.values = bins, np.zeros(k), [], []

    def add(self, e, s):
        """Take up the probabilities ``e / s`` of a block, (m, k) and (m,)."""
        # A hair below 1 / bins, so that rounding loses none: what does belong to the first bin is put there later.
        place = np.flatnonzero(e > (s * ((1 - 1e-9) / self.bins))[:, None])
        row, column = np.divmod(place, e.shape[1])
        self.values.append(e.ravel()[place] / s[row])
        self.columns.append(column)
        self.sums += np.einsum("i,ij->j", 1 / s, e)  # `@` would wake BLAS threads, which wait badly on a busy machine

    def gap(self, labels, true):
        """Return the mean over classes of the weighted mean absolute gap; `true` is p(true class), (n,)."""
        p, column, k = np.concatenate(self.values), np.concatenate(self.columns), len(self.sums)
        expected, hits = (  # (NumPy counts nothing in integers, whatever the weights)
            np.bincount(c * self.bins + _bin(q, self.bins), weights, k * self.bins).reshape(k, self.bins).astype(float)
            for c, q, weights in ((column, p, p), (labels, true, None))
        )
        expected[:, 0] += self.sums - expected.sum(1)
        return float(np.abs(hits - expected).sum() / (k * len(labels)))


def ece(probabilities, labels, bins: int = BINS) -> float:
    """Return the expected calibration error, in [0, 1]: equal-width bins, right-closed (the paper's equation 4).

    Parameters
    ----------
    probabilities : array_like of shape (n, k)
    labels : array_like of shape (n,)
    bins : int
        Number of bins.

    Raises
    ------
    ValueError
        For wrong shapes, NaN, rows that do not sum to one, labels out of range.
    """
    p, labels = _check_probabilities(probabilities, labels)
    _check_bins(bins)
    return float(_binned_gap(p.max(1), p.argmax(1) == labels, bins))


def ece_classwise(probabilities, labels, bins: int = BINS) -> float:
    """Return the mean over classes of the calibration error of that class's probability, in [0, 1]."""
    p, labels = _check_probabilities(probabilities, labels)
    _check_bins(bins)
    classes = _ClassBins(p.shape[1], bins)
    classes.add(p, np.ones(len(p)))
    return classes.gap(labels, p[np.arange(len(p)), labels])


def ece_adaptive(probabilities, labels, bins: int = BINS) -> float:
    """Return the calibration error over `bins` groups of (nearly) equal size, in [0, 1]."""
    p, labels = _check_probabilities(probabilities, labels)
    _check_bins(bins)
    confidence, hit = p.max(1), p.argmax(1) == labels
    return _adaptive_gap(np.argsort(confidence, kind="stable"), confidence, hit, bins)


def reliability_curve(confidence, correct, bins: int = BINS) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mean confidence, accuracy and share of the samples of each bin that holds any: three (m,), m <= bins.

    The bins are those of `ece`, which is the sum of share times the absolute difference of accuracy and confidence.
    """
    confidence, correct = _check_confidence(confidence, correct)
    _check_bins(bins)
    if confidence.min() < 0 or confidence.max() > 1:
        raise ValueError(f"confidence runs from {confidence.min():g} to {confidence.max():g}; it must lie in [0, 1]")
    index = _bin(confidence, bins)
    count = np.bincount(index, minlength=bins)
    held = count > 0
    means = (np.bincount(index, values, bins)[held] / count[held] for values in (confidence, correct))
    return *means, count[held] / len(confidence)


def calibrated_right_confidence(confidence) -> float:
    """Return the mean confidence that right predictions would have if these confidences (n,) were calibrated.

    A prediction of confidence c would then be right with probability c, so the mean over the right ones is
    sum c^2 / sum c. It is below 1 unless every confidence is 1: calibration itself asks right predictions for doubt.
    """
    confidence = np.asarray(confidence, np.float64)
    if confidence.ndim != 1 or not len(confidence) or not (confidence >= 0).all() or not confidence.max() > 0:
        raise ValueError("confidence must be (n,), n >= 1, without NaN, none negative and not all zero")
    return float((confidence**2).sum() / confidence.sum())


def nll(logits, labels) -> float:
    """Return the mean of -log p(true class) in nats, from logits (n, k)."""
    z = _check_matrix(logits, "logits")
    labels = _check_labels(labels, *z.shape)
    z = z - z.max(1, keepdims=True)
    return float(np.mean(np.log(np.exp(z).sum(1)) - z[np.arange(len(z)), labels]))


def brier(probabilities, labels) -> float:
    """Return the mean squared distance between probabilities and one-hot labels, summed over classes: 0 to 2."""
    p, labels = _check_probabilities(probabilities, labels)
    return float(np.mean((p * p).sum(1) - 2 * p[np.arange(len(p)), labels] + 1))


class _Rows(NamedTuple):
    """What every metric of a classifier needs, per sample: each (n,)."""

    confidence: np.ndarray  # maximum softmax probability
    right: np.ndarray  # bool
    true: np.ndarray  # p(true class)
    loss: np.ndarray  # -log p(true class), nats
    brier: np.ndarray


def _rows(logits, labels, classes=None) -> _Rows:
    """Reduce checked-for-shape `logits` (n, k) to `_Rows` in one pass, block by block; see `evaluate` for errors.

    Every block is converted to float64, made softmax and reduced while it is in the cache. `classes`, where
    given, takes up every block's probabilities.
    """
    n, k = logits.shape
    rows = _Rows(np.empty(n), np.empty(n, bool), np.empty(n), np.empty(n), np.empty(n))
    size = max(1, _BLOCK // k)
    buffer = np.empty((min(size, n), k))
    for first in range(0, n, size):
        part = slice(first, first + size)
        y = labels[part]
        e, each = buffer[: len(y)], np.arange(len(y))
        e[:] = logits[part]
        if not np.isfinite(e).all():
            raise ValueError("logits hold NaN or infinite values; all must be finite")
        predicted = e.argmax(1)
        e -= e[each, predicted][:, None]
        below = e[each, y]
        np.exp(e, out=e)
        s = e.sum(1)
        rows.confidence[part] = 1 / s
        rows.right[part] = predicted == y
        rows.true[part] = true = e[each, y] / s
        rows.loss[part] = np.log(s) - below
        rows.brier[part] = np.vecdot(e, e) / (s * s) - 2 * true + 1
        if classes is not None:
            classes.add(e, s)
    return rows


def evaluate(logits, labels, extras: bool = True) -> dict[str, float]:
    """Return every metric of a classifier, with the maximum softmax probability as confidence.

    Parameters
    ----------
    logits : array_like of shape (n, k)
        Any float type; computed in float64.
    labels : array_like of shape (n,)
        Integers from 0 to k - 1.
    extras : bool
        Whether to compute the calibration errors beyond the paper's, a third of the time at 100 classes and more.

    Returns
    -------
    dict of str to float
        ``accuracy, aurc, eaurc, fpr95, auroc, aupr_success, aupr_error, ece, nll, brier``, and beyond the paper
        ``augrc, naurc, ece_classwise, ece_adaptive``; fractions and nats.

    Raises
    ------
    ValueError
        For wrong shapes, no samples, NaN or infinite logits, labels that are not integers or out of range.
    """
    logits = _check_shape(logits, "logits")
    labels = _check_labels(labels, *logits.shape)
    classes = _ClassBins(logits.shape[1], BINS) if extras else None
    confidence, right, true, loss, brier = _rows(logits, labels, classes)
    ranking = _Ranking(confidence, right)
    result = {
        "accuracy": float(right.mean()),
        **ranking.all(),
        "ece": float(_binned_gap(confidence, right, BINS)),
        "nll": float(loss.mean()),
        "brier": float(brier.mean()),
    }
    if extras:
        untied = len(ranking.ends) == ranking.n
        ascending = ranking.order[::-1] if untied else np.argsort(confidence, kind="stable")
        result["ece_classwise"] = classes.gap(labels, true)
        result["ece_adaptive"] = _adaptive_gap(ascending, confidence, right, BINS)
    return result
