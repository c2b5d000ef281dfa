"""Temperature scaling."""

import numpy as np

from ..metrics import auroc, ece, softmax
from ..metrics.checks import check_labels, check_matrix

TEMPERATURES = 0.01, 100.0  # where the temperature is sought


def fit_temperature(logits, labels) -> float:
    """Return the temperature T that minimises the NLL of logits / T (Guo et al. 2017), to a relative 1e-4 or better.

    The paper's TS-valid fits on a record's `valid_logits`, TS-optimal on its test logits. Scaling never changes a
    prediction. It changes MSP's order, hence AUROC, only because softmax compares more than two classes: with two,
    MSP is an increasing function of the logits' difference over T, and every T orders alike.

    Parameters
    ----------
    logits : array_like of shape (n, k)
    labels : array_like of shape (n,)

    Returns
    -------
    float
        Within ``TEMPERATURES``: the lower end where colder is always better, as when all predictions are correct, the
        upper where hotter is; 1 where T makes no difference, the logits of each row being equal.
    """
    z = check_matrix(logits, "logits")
    true = z[np.arange(len(z)), check_labels(labels, *z.shape)]
    if not np.ptp(z, axis=1).any():
        return 1.0

    def too_cold(t):  # the NLL is convex in 1/T; its slope there is the mean of expected minus true class's logit
        return np.mean((softmax(z / t) * (z - true[:, None])).sum(1)) > 0

    low, high = np.log(TEMPERATURES)
    if not too_cold(np.exp(low)):
        return TEMPERATURES[0]
    if too_cold(np.exp(high)):
        return TEMPERATURES[1]
    while high - low > 1e-6:
        middle = (low + high) / 2
        low, high = (middle, high) if too_cold(np.exp(middle)) else (low, middle)
    return float(np.exp((low + high) / 2))


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
