"""Scores from logits (n, k) alone, in NumPy and float64, so for any record."""

import numpy as np

from ..metrics import aurc, log_softmax, softmax
from ..metrics.checks import check_labels, check_matrix


def msp(logits) -> np.ndarray:
    """Return the maximum softmax probability, in [1/k, 1] (Hendrycks & Gimpel 2017)."""
    return softmax(check_matrix(logits, "logits")).max(1)


def margin(logits) -> np.ndarray:
    """Return the difference of the two largest probabilities, in [0, 1]."""
    two = np.partition(softmax(check_matrix(logits, "logits")), -2, axis=1)[:, -2:]
    return two[:, 1] - two[:, 0]


def entropy(logits) -> np.ndarray:
    """Return the entropy of the probabilities with its sign turned, so that it grows with trust: in [-ln k, 0] nats."""
    log_p = log_softmax(check_matrix(logits, "logits"))
    return (np.exp(log_p) * log_p).sum(1)


def energy(logits) -> np.ndarray:
    """Return the negative free energy, ln sum exp(logit), unbounded (Liu et al. 2020)."""
    z = check_matrix(logits, "logits")
    return np.logaddexp.reduce(z, axis=1)


def max_logit(logits) -> np.ndarray:
    """Return the largest logit, unbounded."""
    return check_matrix(logits, "logits").max(1)


def p_norm_max_logit(logits, p: float | None = 2.0) -> np.ndarray:
    """Return the largest centred logit over the p-norm of the centred logits, in [0, 1] (Cattelan & Silva 2024).

    It does not change when a row of logits is shifted or scaled. Equal logits give 0.

    Parameters
    ----------
    logits : array_like of shape (n, k)
    p : float or None
        Order of the norm, at least 1; None falls back to MSP. `fit_p` chooses.

    Returns
    -------
    ndarray, (n,)
        In [0, 1].
    """
    if p is None:
        return msp(logits)
    if not p >= 1:
        raise ValueError(f"p is {p}; it must be at least 1, or None for MSP")
    z = check_matrix(logits, "logits")
    z = z - z.mean(1, keepdims=True)
    largest = np.abs(z).max(1, keepdims=True)  # divided out, so that high powers neither over- nor underflow
    z = z / np.where(largest > 0, largest, 1)
    return z.max(1) / np.maximum(np.linalg.norm(z, p, axis=1), 1e-300)


P_GRID = tuple(range(1, 11))


def fit_p(valid_logits, valid_labels, grid=P_GRID) -> int | float | None:
    """Return the p of the smallest AURC on validation data, or None (MSP) where none is smaller than MSP's.

    Parameters
    ----------
    valid_logits : array_like of shape (n, k)
    valid_labels : array_like of shape (n,)
    grid : sequence of float
        Candidates.

    Returns
    -------
    int, float or None
        A value of `grid`, or None for MSP.
    """
    z = check_matrix(valid_logits, "logits")
    correct = z.argmax(1) == check_labels(valid_labels, *z.shape)
    return min((None, *grid), key=lambda p: aurc(p_norm_max_logit(z, p), correct))  # the first of equals, so None


SCORES = {f.__name__: f for f in (msp, margin, entropy, energy, max_logit, p_norm_max_logit)}
