"""Checks of what metrics are given: shapes, types, ranges. Each returns arrays ready for use, or raises ValueError."""

import numpy as np


def check_labels(labels, n, k):
    """Return labels (n,) as int64; they must be integers from 0 to k - 1.

    Parameters
    ----------
    labels : array_like, (n,), int
        True classes.
    n : int
        Number of samples.
    k : int
        Number of classes.

    Returns
    -------
    ndarray, (n,), int64
        The labels.

    Raises
    ------
    ValueError
        For another shape, another type, labels out of range.
    """
    labels = np.asarray(labels)
    if labels.shape != (n,):
        raise ValueError(f"labels have shape {labels.shape}; expected ({n},), one per sample")
    if not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(f"labels are {labels.dtype}; expected integers")
    if labels.min() < 0 or labels.max() >= k:
        raise ValueError(f"labels run from {labels.min()} to {labels.max()}; expected 0 to {k - 1}")
    return labels.astype(np.int64)


def check_shape(values, name):
    """Return `values` as an array (n, k), n >= 1, k >= 2; `name` is what a message calls them.

    Parameters
    ----------
    values : array_like, (n, k)
        At least one sample and two classes.
    name : str
        What they are, for the message.

    Returns
    -------
    ndarray, (n, k)
        The values.

    Raises
    ------
    ValueError
        For another shape.
    """
    if str(getattr(values, "dtype", "")) == "torch.bfloat16":  # which NumPy does not have
        values = values.float()
    values = np.asarray(values)
    if values.ndim != 2 or values.shape[0] < 1 or values.shape[1] < 2:
        raise ValueError(f"{name} have shape {values.shape}; expected (n, k) with n >= 1 samples and k >= 2 classes")
    return values


def check_matrix(values, name):
    """Return `values` (n, k) as float64; all must be finite.

    Parameters
    ----------
    values : array_like, (n, k)
        At least one sample and two classes.
    name : str
        What they are, for the message.

    Returns
    -------
    ndarray, (n, k), float64
        The values.

    Raises
    ------
    ValueError
        For another shape, NaN or infinite values.
    """
    values = check_shape(values, name).astype(np.float64)
    if not np.isfinite(values).all():
        raise ValueError(f"{name} hold NaN or infinite values; all must be finite")
    return values


def check_probabilities(probabilities, labels):
    """Return probabilities (n, k), whose rows sum to one, and labels (n,).

    Parameters
    ----------
    probabilities : array_like, (n, k)
        Rows in [0, 1] that sum to one within 0.001.
    labels : array_like, (n,), int
        True classes, 0 to k - 1.

    Returns
    -------
    tuple of ndarray
        Probabilities (n, k) float64 and labels (n,) int64.

    Raises
    ------
    ValueError
        For wrong shapes, NaN, rows that do not sum to one, labels out of range.
    """
    p = check_matrix(probabilities, "probabilities")
    if p.min() < 0 or p.max() > 1 + 1e-3 or np.abs(p.sum(1) - 1).max() > 1e-3:
        raise ValueError("probabilities must lie in [0, 1] and sum to one in every row (within 0.001)")
    return p, check_labels(labels, *p.shape)


def check_confidence(confidence, correct):
    """Return confidence (n,) as float64 and correct (n,) as bool.

    Parameters
    ----------
    confidence : array_like, (n,)
        Any finite score, higher for more trust.
    correct : array_like, (n,), bool
        Whether each prediction is correct.

    Returns
    -------
    tuple of ndarray, (n,)
        Confidence in float64 and correctness in bool.

    Raises
    ------
    ValueError
        For different shapes, no samples, NaN, or `correct` with other values than 0 and 1.
    """
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


def check_bins(bins):
    """Raise ValueError unless `bins` is an integer of at least 1."""
    if not isinstance(bins, (int, np.integer)) or bins < 1:
        raise ValueError(f"bins is {bins!r}; it must be an integer of at least 1")
