"""From estimates to verdicts: does a comparison say what a claim says, and is that clear?"""

import numpy as np

VERDICTS = ("supported", "partly", "not supported", "not testable here")


def agreement(estimate: float, low: float, high: float, above: float = -np.inf, below: float = np.inf):
    """Tell whether an estimate lies where a claim says, between `above` and `below`, and whether that is clear.

    Parameters
    ----------
    estimate, low, high : float
        With the ends of its 95 % interval (NaN if it has none).
    above, below : float
        The claimed open range, such as ``below=0`` for *lower*, or both for *changes by less than*.

    Returns
    -------
    agrees, certain : bool
        It is clear if the whole interval lies in the range (or, where the estimate does not agree, beyond it).
    """
    agrees = bool(above < estimate < below)
    inside, outside = above < low and high < below, high < above or low > below
    return agrees, bool(inside if agrees else outside)


def decide(outcomes) -> str:
    """Return the verdict on comparisons of one kind, each given as (agrees with the claim, is clear).

    *supported*: all agree and at least half of them are clear. *not supported*: at most half agree, or more are
    clear against the claim than for it. *partly*: anything between. *not testable here*: there are none.
    """
    outcomes = list(outcomes)
    if not outcomes:
        return "not testable here"
    certain_for = sum(agrees and certain for agrees, certain in outcomes)
    certain_against = sum(not agrees and certain for agrees, certain in outcomes)
    agreeing = sum(agrees for agrees, _ in outcomes)
    if agreeing == len(outcomes) and 2 * certain_for >= len(outcomes):
        return "supported"
    if 2 * agreeing <= len(outcomes) or certain_against > certain_for:
        return "not supported"
    return "partly"


def verdict(comparisons, better: bool = True) -> str:
    """Decide a claim that says "b is better than a" (or, with `better` False, worse) in every comparison.

    Parameters
    ----------
    comparisons : iterable of statistics.Comparison
        All of one kind.
    better : bool
        Whether the claim says that b is better.

    Returns
    -------
    str
        *supported*: every difference points the claimed way and at least half are clear (their 95 % interval
        excludes 0). *not supported*: at most half point that way, or more are clear against it than for it.
        *partly*: anything between. *not testable here*: there is nothing to compare.
    """
    return decide((c.better == better, c.certain) for c in comparisons)


def combine(verdicts) -> str:
    """Return the verdict on a claim of several parts, such as one per method.

    *supported*: every part is. *not supported*: more than half of the tested parts are not. *partly*: anything between,
    also where all tested parts are supported and another is *not testable here*; if none is tested, neither is the
    claim.
    """
    verdicts = list(verdicts)
    if any(v not in VERDICTS for v in verdicts):
        raise ValueError(f"verdicts are {verdicts}; choose among {', '.join(VERDICTS)}")
    tested = [v for v in verdicts if v != "not testable here"]
    if not tested:
        return "not testable here"
    if all(v == "supported" for v in verdicts):
        return "supported"
    return "not supported" if 2 * tested.count("not supported") > len(tested) else "partly"
