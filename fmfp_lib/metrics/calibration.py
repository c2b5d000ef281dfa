"""Metrics of the probabilities themselves: calibration errors, negative log-likelihood, Brier score."""

import numpy as np

from .checks import check_bins, check_confidence, check_labels, check_matrix, check_probabilities

BINS = 15


def bin_index(confidence, bins):
    """Return the index, from 0, of the equal-width bin of each confidence; bins are closed on the right.

    Parameters
    ----------
    confidence : ndarray, (n,)
        In [0, 1].
    bins : int
        At least 1.

    Returns
    -------
    ndarray, (n,), int
        0 to bins - 1.
    """
    return np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)


def binned_gap(confidence, hit, bins):
    """Return the weighted mean absolute gap over equal-width bins.

    Parameters
    ----------
    confidence : ndarray, (n,)
        In [0, 1].
    hit : ndarray, (n,)
        1 where a prediction is correct, else 0.
    bins : int
        At least 1.

    Returns
    -------
    float
        In [0, 1].
    """
    return np.abs(np.bincount(bin_index(confidence, bins), hit - confidence, bins)).sum() / len(confidence)


def adaptive_gap(order, confidence, hit, bins):
    """Return the weighted mean absolute gap over groups of nearly equal size along `order`.

    Parameters
    ----------
    order : ndarray, (n,), int
        Samples in ascending confidence.
    confidence : ndarray, (n,)
        In [0, 1].
    hit : ndarray, (n,)
        1 where a prediction is correct, else 0.
    bins : int
        Number of groups.

    Returns
    -------
    float
        In [0, 1].
    """
    gaps, ordered = (hit - confidence)[order], confidence[order]
    first = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    if len(first) < len(order):  # where a group ends inside a tie, each sample of the tie counts alike
        sizes = np.diff(np.append(first, len(order)))
        gaps = np.repeat(np.add.reduceat(gaps, first) / sizes, sizes)
    groups = np.array_split(gaps, min(bins, len(order)))
    return float(sum(abs(group.sum()) for group in groups) / len(order))


class ClassBins:
    """Every class's probabilities in equal-width bins, gathered block by block.

    A row has fewer than `bins` probabilities above 1 / bins. Only they need a bin of their own: the first bin holds
    what they leave of each class's sum.

    Parameters
    ----------
    k : int
        Number of classes.
    bins : int
        At least 1.
    """

    def __init__(self, k, bins):
        self.bins, self.sums, self.columns, self.values = bins, np.zeros(k), [], []

    def add(self, e, s):
        """Take up the probabilities ``e / s`` of a block, (m, k) and (m,).

        Parameters
        ----------
        e : ndarray, (m, k)
            Exponentials of the block's logits.
        s : ndarray, (m,)
            Their sums over classes.
        """
        # A hair below 1 / bins, so that rounding loses none: what does belong to the first bin is put there later.
        place = np.flatnonzero(e > (s * ((1 - 1e-9) / self.bins))[:, None])
        row, column = np.divmod(place, e.shape[1])
        self.values.append(e.ravel()[place] / s[row])
        self.columns.append(column)
        self.sums += np.einsum("i,ij->j", 1 / s, e)  # `@` would wake BLAS threads, which wait badly on a busy machine

    def gap(self, labels, true):
        """Return the mean over classes of the weighted mean absolute gap; `true` is p(true class), (n,).

        Parameters
        ----------
        labels : array_like, (n,), int
            True classes, 0 to k - 1.
        true : ndarray, (n,)
            Probability of the true class.

        Returns
        -------
        float
            In [0, 1].
        """
        p, column, k = np.concatenate(self.values), np.concatenate(self.columns), len(self.sums)
        expected, hits = (  # (NumPy counts nothing in integers, whatever the weights)
            np.bincount(c * self.bins + bin_index(q, self.bins), weights, k * self.bins)
            .reshape(k, self.bins)
            .astype(float)
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

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    ValueError
        For wrong shapes, NaN, rows that do not sum to one, labels out of range.
    """
    p, labels = check_probabilities(probabilities, labels)
    check_bins(bins)
    return float(binned_gap(p.max(1), p.argmax(1) == labels, bins))


def ece_classwise(probabilities, labels, bins: int = BINS) -> float:
    """Return the mean over classes of the calibration error of that class's probability, in [0, 1].

    Parameters
    ----------
    probabilities : array_like, (n, k)
        Rows in [0, 1] that sum to one within 0.001.
    labels : array_like, (n,), int
        True classes, 0 to k - 1.
    bins : int
        At least 1.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    ValueError
        For wrong shapes, NaN, rows that do not sum to one, labels out of range.
    """
    p, labels = check_probabilities(probabilities, labels)
    check_bins(bins)
    classes = ClassBins(p.shape[1], bins)
    classes.add(p, np.ones(len(p)))
    return classes.gap(labels, p[np.arange(len(p)), labels])


def ece_adaptive(probabilities, labels, bins: int = BINS) -> float:
    """Return the calibration error over `bins` groups of (nearly) equal size, in [0, 1].

    Samples of one confidence share their mean gap, so that no value depends on the order of the samples.

    Parameters
    ----------
    probabilities : array_like, (n, k)
        Rows in [0, 1] that sum to one within 0.001.
    labels : array_like, (n,), int
        True classes, 0 to k - 1.
    bins : int
        Number of groups, at least 1.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    ValueError
        For wrong shapes, NaN, rows that do not sum to one, labels out of range.
    """
    p, labels = check_probabilities(probabilities, labels)
    check_bins(bins)
    confidence, hit = p.max(1), p.argmax(1) == labels
    return adaptive_gap(np.argsort(confidence, kind="stable"), confidence, hit, bins)


def reliability_curve(confidence, correct, bins: int = BINS) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mean confidence, accuracy and share of the samples of each bin that holds any: three (m,), m <= bins.

    The bins are those of `ece`, which is the sum of share times the absolute difference of accuracy and confidence.

    Parameters
    ----------
    confidence : array_like, (n,)
        In [0, 1].
    correct : array_like, (n,), bool
        Whether each prediction is correct.
    bins : int
        At least 1.

    Returns
    -------
    tuple of ndarray, (m,)
        Mean confidence, accuracy and share of the samples, in [0, 1].
    """
    confidence, correct = check_confidence(confidence, correct)
    check_bins(bins)
    if confidence.min() < 0 or confidence.max() > 1:
        raise ValueError(f"confidence runs from {confidence.min():g} to {confidence.max():g}; it must lie in [0, 1]")
    index = bin_index(confidence, bins)
    count = np.bincount(index, minlength=bins)
    held = count > 0
    means = (np.bincount(index, values, bins)[held] / count[held] for values in (confidence, correct))
    return *means, count[held] / len(confidence)


def calibrated_right_confidence(confidence) -> float:
    """Return the mean confidence that correct predictions would have if these confidences (n,) were calibrated.

    A prediction of confidence c would then be right with probability c, so the mean over the correct ones is
    sum c^2 / sum c. It is below 1 unless every confidence is 1: calibration itself asks correct predictions for doubt.
    """
    confidence = np.asarray(confidence, np.float64)
    if confidence.ndim != 1 or not len(confidence) or not (confidence >= 0).all() or not confidence.max() > 0:
        raise ValueError("confidence must be (n,), n >= 1, without NaN, none negative and not all zero")
    return float((confidence**2).sum() / confidence.sum())


def nll(logits, labels) -> float:
    """Return the mean of -log p(true class) in nats, from logits (n, k).

    Parameters
    ----------
    logits : array_like, (n, k)
        Finite logits of k classes.
    labels : array_like, (n,), int
        True classes, 0 to k - 1.

    Returns
    -------
    float
        In nats, at least 0.

    Raises
    ------
    ValueError
        For wrong shapes, NaN, labels out of range.
    """
    z = check_matrix(logits, "logits")
    labels = check_labels(labels, *z.shape)
    z = z - z.max(1, keepdims=True)
    return float(np.mean(np.log(np.exp(z).sum(1)) - z[np.arange(len(z)), labels]))


def brier(probabilities, labels) -> float:
    """Return the mean squared distance between probabilities and one-hot labels, summed over classes: 0 to 2.

    Parameters
    ----------
    probabilities : array_like, (n, k)
        Rows in [0, 1] that sum to one within 0.001.
    labels : array_like, (n,), int
        True classes, 0 to k - 1.

    Returns
    -------
    float
        In [0, 2].

    Raises
    ------
    ValueError
        For wrong shapes, NaN, rows that do not sum to one, labels out of range.
    """
    p, labels = check_probabilities(probabilities, labels)
    return float(np.mean((p * p).sum(1) - 2 * p[np.arange(len(p)), labels] + 1))
