"""Temperature scaling."""

import numpy as np

from ..metrics import auroc, ece, softmax
from ..metrics.checks import check_labels, check_matrix, check_shape

TEMPERATURES = 0.01, 100.0  # where the temperature is sought
BLOCK = 1 << 16  # logits worked on at once: what fits the cache


def fit_temperature(logits, labels) -> float:
    """Return the temperature T that minimises the NLL of logits / T (Guo et al. 2017), to a relative 1e-4 or better.

    The paper's TS-valid fits on a record's `valid_logits`, TS-optimal on its test logits. Scaling never changes a
    prediction. It changes MSP's order, hence AUROC, only because softmax compares more than two classes: with two,
    MSP is an increasing function of the logits' difference over T, and every T orders alike (ranked by log-odds: the
    probabilities themselves round to 1 at small T).

    Parameters
    ----------
    logits : array_like of shape (n, k)
        Of any float type; a copy in float32 is made.
    labels : array_like of shape (n,)

    Returns
    -------
    float
        Within ``TEMPERATURES``: the lower end where colder is always better, as when all predictions are correct, the
        upper where hotter is; 1 where T makes no difference, the logits of each row being equal.
    """
    from scipy.optimize import brentq

    z = check_shape(logits, "logits")
    labels, (low, high) = check_labels(labels, *z.shape), np.log(TEMPERATURES)
    size, blocks, true = max(1, BLOCK // z.shape[1]), [], 0.0
    for first in range(0, len(z), size):
        block, y = z[first : first + size].astype(np.float64), labels[first : first + size]
        if not np.isfinite(block).all():
            raise ValueError("logits hold NaN or infinite values; all must be finite")
        block -= block.max(1, keepdims=True)
        true += block[np.arange(len(y)), y].sum()
        blocks.append(block.clip(-3e4).astype(np.float32))  # what lies below is 0 at every temperature
    if not any(block.any() for block in blocks):
        return 1.0

    def slope(log_t):
        """Return that of the NLL over 1/T, in which it is convex: the sum of expected minus true class's logits."""
        total, cold = -true, np.float32(np.exp(-log_t))
        for block in blocks:
            e = np.exp(block * cold)
            total += (np.vecdot(e, block) / e.sum(1)).sum(dtype=np.float64)
        return total

    if slope(low) <= 0:
        return TEMPERATURES[0]
    if slope(high) > 0:
        return TEMPERATURES[1]
    return float(np.exp(brentq(slope, low, high, xtol=1e-7)))


def scale(logits, temperature: float) -> np.ndarray:
    """Return logits (n, k) divided by `temperature`, a positive number.

    Parameters
    ----------
    logits : array_like, (n, k)
        Finite logits of k classes.
    temperature : float
        Positive.

    Returns
    -------
    ndarray, (n, k), float64
        Scaled logits.

    Raises
    ------
    ValueError
        For wrong shapes, NaN, or a temperature that is not positive.
    """
    if not 0 < temperature < np.inf:
        raise ValueError(f"temperature is {temperature}; it must be positive and finite")
    return check_matrix(logits, "logits") / temperature


def temperature_scaled(record) -> dict[str, tuple[float, np.ndarray]]:
    """Return the temperatures and the scaled test logits (n, k) of a finished run.

    Returns
    -------
    dict of str to tuple
        ``ts_valid``, fitted on the record's validation set, and ``ts_optimal``, fitted on its test set itself: a bound
        on what fitting by NLL can reach, since no user has the test labels.
    """
    sets = {
        "ts_valid": (record.valid_logits, record.valid_labels),
        "ts_optimal": (record.logits, record.labels),
    }
    fitted = {key: fit_temperature(*data) for key, data in sets.items()}
    return {key: (t, scale(record.logits, t)) for key, t in fitted.items()}


def temperature_sweep(logits, labels, temperatures) -> dict[str, np.ndarray]:
    """Return ``ece`` and ``auroc`` (m,) of logits (n, k) divided by each of `temperatures` (m,).

    Parameters
    ----------
    logits : array_like, (n, k)
        Finite logits of k classes.
    labels : array_like, (n,), int
        True classes, 0 to k - 1.
    temperatures : sequence of float, (m,)
        Positive.

    Returns
    -------
    dict of str to ndarray, (m,)
        ``ece`` and ``auroc``, in [0, 1].
    """
    z = check_matrix(logits, "logits")
    labels = check_labels(labels, *z.shape)
    correct, found = z.argmax(1) == labels, {"ece": [], "auroc": []}
    for t in temperatures:
        p = softmax(scale(z, t))
        found["ece"].append(ece(p, labels))
        found["auroc"].append(auroc(p.max(1), correct))
    return {key: np.array(values) for key, values in found.items()}
