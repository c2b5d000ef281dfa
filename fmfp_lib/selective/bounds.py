"""Exact binomial bounds of an error rate."""

import math

import numpy as np


def upper_bound(errors, n, level: float = 0.95):
    """Return the upper end of the one-sided Clopper-Pearson interval of an error rate.

    Parameters
    ----------
    errors : array_like of int
        Number of errors.
    n : array_like of int
        Number of independent items among which they were seen.
    level : float
        The bound is at least the true rate with this probability, in (0, 1).

    Returns
    -------
    float or ndarray
        In (0, 1]; 1 where n is 0.
    """
    from scipy.special import betaincinv

    errors, n = check_counts(errors, n)
    check_share("level", level)
    with np.errstate(invalid="ignore"):
        found = np.where(errors < n, betaincinv(errors + 1.0, np.maximum(n - errors, 1), level), 1.0)
    return found[()]


def interval(errors, n, level: float = 0.95):
    """Return the two-sided Clopper-Pearson interval of a rate, (low, high): arrays, or floats for single counts.

    Parameters
    ----------
    errors : array_like of int
        Number of events counted.
    n : array_like of int
        Number of independent items among which they were counted; without items the interval is [0, 1].
    level : float
        In (0, 1); each end is missed with probability (1 - level) / 2 at most.

    Returns
    -------
    tuple of float or ndarray
        Lower and upper end, in [0, 1].
    """
    errors, n = check_counts(errors, n)
    check_share("level", level)
    one_sided = (1 + level) / 2
    return (1 - upper_bound(n - errors, n, one_sided))[()], upper_bound(errors, n, one_sided)


def passes(errors, n, risk: float, delta: float):
    """Return whether `errors` or fewer among n would be seen with probability `delta` at most if the rate were `risk`.

    The same as ``upper_bound(errors, n, 1 - delta) <= risk``.

    Parameters
    ----------
    errors : int or array_like of int
        Observed errors, 0 to n.
    n : int or array_like of int
        Accepted items.
    risk : float
        The rate, in (0, 1).
    delta : float
        In (0, 1).

    Returns
    -------
    bool or ndarray of bool
        False where n is 0.
    """
    from scipy.special import bdtr

    errors, n = check_counts(errors, n)
    with np.errstate(invalid="ignore"):
        return (np.where(n > 0, bdtr(errors.astype(float), n, risk), 1.0) <= delta)[()]


def items_needed(risk: float, level: float = 0.95) -> int:
    """Return how many items must be accepted without a single error before `risk` can be promised.

    Parameters
    ----------
    risk : float
        Largest risk to promise, in (0, 1).
    level : float
        Probability with which the promise holds, in (0, 1).

    Returns
    -------
    int
        At least 1.

    Raises
    ------
    ValueError
        If one of them is not a number between 0 and 1.

    Examples
    --------
    >>> items_needed(0.02)
    149
    """
    check_share("risk", risk)
    check_share("level", level)
    return max(1, math.ceil(math.log1p(-level) / math.log1p(-risk) - 1e-9))


def check_share(name, value):
    """Raise ValueError unless `value` lies between 0 and 1, both excluded; `name` is what a message calls it.

    Parameters
    ----------
    name : str
        What a message calls it.
    value : float
        The number.
    """
    if not (isinstance(value, (int, float, np.number)) and 0 < value < 1):
        raise ValueError(f"{name} is {value!r}; it must be a number between 0 and 1, both excluded")


def check_counts(errors, n):
    """Return two arrays of integers of one shape, 0 <= errors <= n.

    Parameters
    ----------
    errors : int or array_like of int
        Observed errors, 0 to n.
    n : int or array_like of int
        Accepted items.

    Returns
    -------
    tuple of ndarray of int
        Both, broadcast to one shape.

    Raises
    ------
    ValueError
        If they are not integers with 0 <= errors <= n.
    """
    errors, n = np.broadcast_arrays(np.asarray(errors), np.asarray(n))
    if not all(np.issubdtype(a.dtype, np.integer) for a in (errors, n)) or (errors < 0).any() or (errors > n).any():
        raise ValueError("errors and n must be integers with 0 <= errors <= n")
    return errors, n
