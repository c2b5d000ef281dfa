"""After the choice: what a threshold does on other items, and how many to check."""

from dataclasses import dataclass

from ..metrics.checks import check_confidence
from .bounds import check_share, interval
from .choice import above


@dataclass(frozen=True)
class Outcome:
    """What a threshold did on other items: how many of `n` it accepted and how many of these are wrong.

    Attributes
    ----------
    n, accepted, errors : int
    coverage : float
        accepted / n.
    risk : float
        errors / accepted (NaN where nothing is accepted).
    low, high : float
        Ends of the 95 % interval of the risk (Clopper-Pearson).
    """

    n: int
    accepted: int
    errors: int
    coverage: float
    risk: float
    low: float
    high: float


def outcome(threshold: float, confidence, correct) -> Outcome:
    """Return what `threshold` does on items that had no part in its choice: confidence (n,), correct (n,).

    Parameters
    ----------
    threshold : float
        May be infinite.
    confidence : array_like, (n,)
        Any finite score, higher for more trust.
    correct : array_like, (n,), bool
        Whether each prediction is correct.

    Returns
    -------
    Outcome
        Counts, coverage, and risk with its 95 % interval; the risk is NaN where nothing is accepted.
    """
    confidence, correct = check_confidence(confidence, correct)
    accepted = above(threshold, confidence)
    count, errors = int(accepted.sum()), int((accepted & ~correct).sum())
    low, high = interval(errors, count)
    risk = errors / count if count else float("nan")
    return Outcome(len(confidence), count, errors, count / len(confidence), risk, float(low), float(high))


def items_to_check(promised: float, broken: float, false_alarm: float = 0.01, power: float = 0.9) -> tuple[int, int]:
    """Return how many accepted items to check by hand to notice a broken promise, and at how many errors to say so.

    It is the smallest number n for which some count c exists such that c errors or more among n are seen with
    probability `false_alarm` at most while the risk is still `promised`, and with probability `power` at least once it
    is `broken`. The items must be a random sample of the accepted ones.

    Parameters
    ----------
    promised : float
        The risk that was promised, in (0, 1).
    broken : float
        The risk that the check shall notice, larger than `promised`, below 1.
    false_alarm : float
        Largest chance of an alarm while the risk is `promised`, in (0, 1). A check every week at 0.01 raises a false
        alarm about once in two years.
    power : float
        Smallest chance of an alarm once the risk is `broken`, in (0, 1).

    Returns
    -------
    tuple of int
        Items to check, and the number of errors that raises the alarm.

    Examples
    --------
    >>> items_to_check(0.02, 0.06)
    (274, 12)
    """
    from scipy.special import bdtr

    for name, value in (("promised", promised), ("broken", broken), ("false_alarm", false_alarm), ("power", power)):
        check_share(name, value)
    if broken <= promised:
        raise ValueError(f"broken is {broken} and promised {promised}; broken must be larger than promised")
    for alarm in range(1, 100_000):
        # With more items c errors come more easily: the largest n without false alarms is the best for this c.
        low, high = alarm, 2 * alarm
        while 1 - bdtr(alarm - 1, high, promised) <= false_alarm:
            high *= 2
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if 1 - bdtr(alarm - 1, middle, promised) <= false_alarm else (low, middle)
        if 1 - bdtr(alarm - 1, low, broken) >= power:
            break
    else:
        raise ValueError(f"{promised} and {broken} lie too near each other to be told apart by checking")
    first, last = alarm, low
    while last > first:  # and the smallest n with power
        middle = (first + last) // 2
        first, last = (first, middle) if 1 - bdtr(alarm - 1, middle, broken) >= power else (middle + 1, last)
    return first, alarm
