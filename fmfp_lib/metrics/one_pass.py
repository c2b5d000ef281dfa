"""Every metric of a classifier at once, from its logits, in one pass over them."""

import warnings
from typing import NamedTuple

import numpy as np

from .calibration import BINS, ClassBins, adaptive_gap, binned_gap
from .checks import check_labels, check_shape
from .ranking import Ranking

_BLOCK = 1 << 16  # elements worked on at once: what fits the cache


class PerSample(NamedTuple):
    """What every metric of a classifier needs, per sample: each (n,)."""

    confidence: np.ndarray  # maximum softmax probability
    correct: np.ndarray  # bool
    true: np.ndarray  # p(true class)
    loss: np.ndarray  # -log p(true class), nats
    brier: np.ndarray
    log_odds: np.ndarray  # of the confidence: they keep the order of what rounds to 1


def per_sample(logits, labels, classes=None) -> PerSample:
    """Reduce checked-for-shape `logits` (n, k) to `PerSample` in one pass, block by block; see `evaluate` for errors.

    Every block is converted to float64, made softmax and reduced while it is in the cache. `classes`, where
    given, takes up every block's probabilities.

    Parameters
    ----------
    logits : array_like, (n, k)
        Finite logits of k classes.
    labels : array_like, (n,), int
        True classes, 0 to k - 1.
    classes : calibration.ClassBins, optional
        Takes in every block's probabilities.

    Returns
    -------
    PerSample
        Arrays (n,).
    """
    n, k = logits.shape
    result = PerSample(np.empty(n), np.empty(n, bool), *(np.empty(n) for _ in range(4)))
    size = max(1, _BLOCK // k)
    buffer = np.empty((min(size, n), k))
    for first in range(0, n, size):
        part = slice(first, first + size)
        z, y = logits[part], labels[part]
        e, each = buffer[: len(y)], np.arange(len(y))
        predicted = z.argmax(1)
        top = z[each, predicted].astype(np.float64)
        with np.errstate(invalid="ignore"):
            np.subtract(z, top[:, None], out=e)
        below = e[each, y]
        np.exp(e, out=e)
        e[each, predicted] = 0
        others = e.sum(1)  # the predicted class itself has 1
        if not (np.isfinite(others).all() and np.isfinite(z.min())):
            raise ValueError("logits hold NaN or infinite values; all must be finite")
        s = 1 + others
        result.log_odds[part] = _log_odds(others, z)
        result.confidence[part] = 1 / s
        result.correct[part] = correct = predicted == y
        result.true[part] = true = np.where(correct, 1, e[each, y]) / s
        result.loss[part] = np.log(s) - below
        result.brier[part] = (np.vecdot(e, e) + 1) / (s * s) - 2 * true + 1
        if classes is not None:
            e[each, predicted] = 1
            classes.add(e, s)
    return result


def _look_like_probabilities(logits) -> bool:
    """Tell whether all rows, the first one first, could be probabilities."""

    def could(z):
        return z.min() >= 0 and z.max() <= 1 and np.abs(z.sum(1, dtype=np.float64) - 1).max() < 1e-3

    return bool(could(logits[:1]) and could(logits))


def _log_odds(others, logits):
    """Return log(p / (1 - p)) of the predicted class, beside which the other classes sum to `others`."""
    found = np.empty(len(others))
    small = others < 1e-290  # where the exponentials underflow
    np.log(others, out=found, where=~small)
    if small.any():
        z = np.sort(np.asarray(logits[small], np.float64), 1)
        found[small] = z[:, -2] - z[:, -1] + np.log(np.exp(z[:, :-1] - z[:, -2:-1]).sum(1))
    return -found


def evaluate(logits, labels, extras: bool = True) -> dict[str, float]:
    """Return every metric of a classifier, with the maximum softmax probability as confidence.

    Parameters
    ----------
    logits : array_like of shape (n, k)
        Any float type; computed in float64.
    labels : array_like of shape (n,)
        Integers from 0 to k - 1.
    extras : bool
        Whether to compute the metrics beyond the paper's. Of these, the calibration errors take a third of the
        computing time at 100 classes or more.

    Returns
    -------
    dict of str to float
        ``accuracy, aurc, eaurc, fpr95, auroc, aupr_success, aupr_error, ece, nll, brier``, and beyond the paper
        ``augrc, naurc, ece_classwise, ece_adaptive``; fractions and nats.

    Raises
    ------
    ValueError
        For wrong shapes, no samples, NaN or infinite logits, labels that are not integers or out of range.

    Warns
    -----
    UserWarning
        If the logits look like probabilities.
    """
    logits = check_shape(logits, "logits")
    labels = check_labels(labels, *logits.shape)
    if _look_like_probabilities(logits):
        warnings.warn("logits lie in [0, 1] and each row sums to one; give log-probabilities instead", stacklevel=2)
    classes = ClassBins(logits.shape[1], BINS) if extras else None
    confidence, correct, true, loss, brier, log_odds = per_sample(logits, labels, classes)
    ranking = Ranking(log_odds, correct)
    result = {
        "accuracy": float(correct.mean()),
        **ranking.all(),
        "ece": float(binned_gap(confidence, correct, BINS)),
        "nll": float(loss.mean()),
        "brier": float(brier.mean()),
    }
    if extras:
        result["ece_classwise"] = classes.gap(labels, true)
        result["ece_adaptive"] = adaptive_gap(ranking.order[::-1], confidence, correct, BINS)
    return result
