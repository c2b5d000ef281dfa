"""From logits to probabilities."""

import numpy as np


def softmax(logits) -> np.ndarray:
    """Return probabilities (n, k) of `logits` (n, k), in float64."""
    z = np.asarray(logits, np.float64)
    z = np.exp(z - z.max(1, keepdims=True))
    return z / z.sum(1, keepdims=True)


def log_softmax(logits) -> np.ndarray:
    """Return log-probabilities (n, k) of `logits` (n, k), in float64."""
    z = np.asarray(logits, np.float64)
    z = z - z.max(1, keepdims=True)
    return z - np.log(np.exp(z).sum(1, keepdims=True))
