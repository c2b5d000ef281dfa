"""Risk against coverage: the curves, and the risk or the coverage at one point of them."""

import numpy as np

from .ranking import Ranking


def risk_coverage_curve(confidence, correct) -> tuple[np.ndarray, np.ndarray]:
    """Return coverage k/n and selective risk, each (n,), for k = 1 .. n.

    Parameters
    ----------
    confidence : array_like, (n,)
        Any finite score, higher for more trust.
    correct : array_like, (n,), bool
        Whether each prediction is correct.

    Returns
    -------
    tuple of ndarray, (n,)
        Coverage and selective risk, in [0, 1].

    Raises
    ------
    ValueError
        For different shapes, no samples, NaN, or `correct` with other values than 0 and 1.
    """
    ranking = Ranking(confidence, correct)
    return ranking.k / ranking.n, ranking.risk


def generalised_risk_curve(confidence, correct) -> tuple[np.ndarray, np.ndarray]:
    """Return coverage k/n and generalised risk, (errors among the k first) / n, each (n,), for k = 1 .. n.

    The generalised risk is the share of *all* samples that are wrong and accepted (Traub et al. 2024); AUGRC is its
    mean.

    Parameters
    ----------
    confidence : array_like, (n,)
        Any finite score, higher for more trust.
    correct : array_like, (n,), bool
        Whether each prediction is correct.

    Returns
    -------
    tuple of ndarray, (n,)
        Coverage and generalised risk, in [0, 1].

    Raises
    ------
    ValueError
        For different shapes, no samples, NaN, or `correct` with other values than 0 and 1.
    """
    ranking = Ranking(confidence, correct)
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

    Parameters
    ----------
    confidence : array_like, (n,)
        Any finite score, higher for more trust.
    correct : array_like, (n,), bool
        Whether each prediction is correct.
    risk : float
        Largest selective risk, in [0, 1].

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    ValueError
        For different shapes, no samples, NaN, or `correct` with other values than 0 and 1.
    """
    if not 0 <= risk <= 1:
        raise ValueError(f"risk is {risk}; it must lie in [0, 1]")
    ranking = Ranking(confidence, correct)
    fits = np.flatnonzero(ranking.risk <= risk)
    return float((fits[-1] + 1) / ranking.n) if len(fits) else 0.0


def selective_risk_at(confidence, correct, coverage: float) -> float:
    """Return the error rate among the ceil(coverage n) most confident samples; `coverage` in (0, 1].

    Parameters
    ----------
    confidence : array_like, (n,)
        Any finite score, higher for more trust.
    correct : array_like, (n,), bool
        Whether each prediction is correct.
    coverage : float
        Share of the samples accepted, in (0, 1].

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    ValueError
        For different shapes, no samples, NaN, or `correct` with other values than 0 and 1.
    """
    if not 0 < coverage <= 1:
        raise ValueError(f"coverage is {coverage}; it must lie in (0, 1]")
    ranking = Ranking(confidence, correct)
    return float(ranking.risk[max(int(np.ceil(coverage * ranking.n - 1e-9)), 1) - 1])
