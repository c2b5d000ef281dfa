"""The choice of a threshold on calibration items."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..metrics.checks import check_confidence
from .bounds import check_share, items_needed, passes, upper_bound

STEPS = 200  # `fixed` and `monotone` try a threshold at every half per cent of coverage


def above(threshold: float, confidence) -> np.ndarray:
    """Return where a confidence, (n,), is greater than the threshold: (n,) bool; all are greater than ``-inf``.

    Parameters
    ----------
    threshold : float
        May be infinite.
    confidence : array_like, (n,)
        Any score.

    Returns
    -------
    ndarray, (n,), bool
        Whether each item is accepted.
    """
    return (np.asarray(confidence, np.float64) > threshold) | np.isneginf(threshold)


@dataclass(frozen=True)
class Threshold:
    """A threshold, what it promises, and what it rests on.

    Attributes
    ----------
    threshold : float
        Accept where the confidence is *greater*; ``-inf`` accepts everything, ``inf`` nothing: no promise is possible.
    risk, level : float
        The selective risk is at most `risk`, with probability `level` over the draw of the calibration items.
    method : str
        A name from ``METHODS``.
    n : int
        Calibration items.
    accepted : int
        How many of them the threshold accepts.
    errors : int
        How many of the accepted ones are wrong.
    delta : float
        Error probability of the single test that this threshold passed; 1 - level, or less where many tests share it.
    reason : str
        Why there is no threshold; empty where there is one.
    """

    threshold: float
    risk: float
    level: float
    method: str
    n: int
    accepted: int
    errors: int
    delta: float
    reason: str = ""

    @property
    def found(self) -> bool:
        """Whether there is a threshold that can promise the risk."""
        return not self.reason

    @property
    def coverage(self) -> float:
        """Share of the calibration items that are accepted."""
        return self.accepted / self.n

    @property
    def bound(self) -> float:
        """Upper confidence bound of the selective risk, at most `risk`; NaN without a threshold."""
        return float(upper_bound(self.errors, self.accepted, 1 - self.delta)) if self.found else float("nan")

    def accepts(self, confidence) -> np.ndarray:
        """Return which of the items with this confidence (n,) are answered, (n,) bool."""
        return above(self.threshold, confidence)


class _Calibration:
    """Calibration items in order of falling confidence: how many lie above each one, and how many of them are wrong."""

    def __init__(self, confidence, correct):
        confidence, correct = check_confidence(confidence, correct)
        order = np.argsort(-confidence, kind="stable")
        confidence = np.maximum(confidence, np.finfo(float).min)  # below it lies only the threshold that accepts all
        self.n = len(order)
        # Place i, from 0, is the threshold at the value there; place n accepts everything.
        self.value = np.append(confidence[order], -np.inf)
        self.accepted = np.searchsorted(-self.value[:-1], -self.value, "left")
        self.accepted[-1] = self.n
        self.errors = np.append(0, np.cumsum(~correct[order]))[self.accepted]


@lru_cache(maxsize=100)
def _grid(n, risk, delta):
    """Return the numbers of first items after which `fixed` and `monotone` test, growing.

    The first is a tenth of all items, or more if it takes more to pass with half the tolerated share of errors; but no
    more than a fifth, and no fewer than pass without any error.
    """
    sizes = np.unique(np.geomspace(1, 1e7, 3000).astype(int))
    enough = int(sizes[np.argmax(passes(np.floor(sizes * risk / 2).astype(int), sizes, risk, delta))])
    first = max(items_needed(risk, 1 - delta), min(max(enough, n // 10), n // 5))
    places = np.ceil(np.arange(1, STEPS + 1) * n / STEPS).astype(int)
    return np.unique(np.append(first, places[places > first])) if first <= n else np.zeros(0, int)


def _fixed(calibration, risk, delta):
    places = _grid(calibration.n, risk, delta)
    accepted, errors = calibration.accepted[places], calibration.errors[places]
    # Inside a large group of equal confidence too few items lie above the value for any test; such places are left out.
    testable = accepted >= items_needed(risk, 1 - delta)
    failed = np.cumsum(testable & ~passes(errors, accepted, risk, delta)) > 0
    return places[testable & ~failed], _first(places[testable]), delta


def _first(places):
    return places[0] if len(places) else None


def _sgr(calibration, risk, delta):
    accepted, places = np.unique(calibration.accepted, return_index=True)  # one for every group of equal confidence
    most = math.ceil(math.log2(calibration.n + 1))
    places = places[accepted >= items_needed(risk, 1 - delta / most)]  # fewer never pass
    if not len(places):
        return places, None, delta / most
    steps = math.ceil(math.log2(len(places) + 1))  # a search among m places, or none
    low, high, passed = -1, len(places) - 1, []
    while low < high:
        middle = (low + high + 1) // 2
        place = places[middle]
        if passes(calibration.errors[place], calibration.accepted[place], risk, delta / steps):
            low = middle
            passed.append(place)
        else:
            high = middle - 1
    return passed, place, delta / steps


def _monotone(calibration, risk, delta):
    places, level = _grid(calibration.n, risk, delta), _common_level(calibration.n, risk, delta)
    accepted = calibration.accepted[places]
    enough = places[accepted >= items_needed(risk, 1 - delta)]  # as for `fixed`
    return places[passes(calibration.errors[places], accepted, risk, level)], _first(enough), level


@lru_cache(maxsize=100)
def _common_level(n, risk, delta):
    """Return the level at which, if errors came at a rate of `risk` throughout, any test would pass with `delta`."""
    places = _grid(n, risk, delta)
    if not len(places):
        return delta
    low, high = np.log(delta / len(places)), np.log(delta)  # one test, or all as if they had nothing in common
    for _ in range(15):
        middle = (low + high) / 2
        low, high = (middle, high) if chance_of_any(places, risk, np.exp(middle)) <= delta else (low, middle)
    return float(np.exp(low))


def chance_of_any(places, risk: float, delta: float) -> float:
    """Return the chance that any of several tests passes if every item is wrong with probability `risk`.

    Parameters
    ----------
    places : array_like of int
        Numbers of first items after which is tested, growing.
    risk, delta : float
        Of each test, as in `passes`.

    Returns
    -------
    float
        In [0, 1].
    """
    from scipy.stats import binom

    allowed = binom.ppf(delta, places, risk).astype(int)  # the most errors that pass, or one more
    allowed -= ~passes(np.maximum(allowed, 0), places, risk, delta)
    chance, first, before, passed = np.ones(1), 0, 0, 0.0  # of first, first + 1, ... errors with no test passed yet
    for place, most in zip(places, allowed, strict=True):
        step = binom.pmf(np.arange(place - before + 1), place - before, risk)
        chance, first, before = *_trimmed(np.convolve(chance, step), first), place
        gone = min(max(most - first + 1, 0), len(chance))
        passed += chance[:gone].sum()
        chance, first = chance[gone:], first + gone
    return float(passed)


def _trimmed(chance, first):
    """Leave out the ends of a distribution that no sum would notice."""
    kept = np.flatnonzero(chance > 1e-18)
    return (chance[kept[0] : kept[-1] + 1], first + kept[0]) if len(kept) else (chance[:0], first)


@dataclass(frozen=True)
class Method:
    """A way to choose.

    `passed(calibration, risk, delta)` returns the places that pass, the tested one that a refusal tells of (None where
    no test was possible), and the level of the tests.
    """

    passed: Callable
    assumes: str


METHODS = {
    "fixed": Method(_fixed, "nothing about the score"),
    "sgr": Method(_sgr, "that the selective risk crosses the promised value once"),
    "monotone": Method(_monotone, "that the selective risk never falls as coverage grows"),
}


def choose_threshold(confidence, correct, risk: float, level: float = 0.95, method: str = "fixed") -> Threshold:
    """Return the threshold of the largest coverage that can promise a selective risk.

    Parameters
    ----------
    confidence : array_like of shape (n,)
        Of calibration items: any score that grows with trust. Never of the items on which the result is judged.
    correct : array_like of shape (n,)
        Whether each of their predictions is right.
    risk : float
        The largest share of incorrect predictions among accepted items, in (0, 1).
    level : float
        Probability, over the draw of the calibration items, with which the promise is kept; in (0, 1).
    method : str
        A name from ``METHODS``; the package's head says what each assumes.

    Returns
    -------
    Threshold
        Where no threshold can promise the risk, its field `threshold` is ``inf``, and its field `reason` says why.

    Raises
    ------
    ValueError
        For wrong shapes, NaN, or values out of range.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> confidence = rng.random(5000)
    >>> correct = rng.random(5000) < confidence
    >>> found = choose_threshold(confidence, correct, risk=0.1)
    >>> 0.8 < found.threshold < 0.85
    True
    """
    check_share("risk", risk)
    check_share("level", level)
    if method not in METHODS:
        raise ValueError(f"unknown method {method!r}; choose one of {', '.join(METHODS)}")
    calibration = _Calibration(confidence, correct)
    places, tested, delta = METHODS[method].passed(calibration, risk, 1 - level)
    shared = dict(risk=risk, level=level, method=method, n=calibration.n, delta=delta)
    if len(places):
        place = max(places)
        accepted, errors = int(calibration.accepted[place]), int(calibration.errors[place])
        return Threshold(float(calibration.value[place]), accepted=accepted, errors=errors, **shared)
    return Threshold(np.inf, accepted=0, errors=0, reason=_why_none(calibration, tested, **shared), **shared)


def _why_none(calibration, place, risk, level, method, n, delta):
    """Return why no threshold passed, by the `place` of a test that failed, or None where there was none."""
    needed = items_needed(risk, level)
    promise = f"a risk of {100 * risk:g} % with a probability of {100 * level:g} %"
    if n < needed:
        return f"{promise} takes at least {needed:,} calibration items, all right; there are {n:,}"
    if place is None:
        needed = items_needed(risk, 1 - delta)
        return f"{promise} takes at least {needed:,} calibration items by the method {method}; there are {n:,}"
    accepted, errors = int(calibration.accepted[place]), int(calibration.errors[place])
    bound = 100 * upper_bound(errors, accepted, 1 - delta)
    unit = 10.0 ** (math.floor(math.log10(bound)) - 2)  # of the third digit
    bound = unit * math.ceil(bound / unit)  # upward, so that it does exceed the promise in print, too
    seen = f"of the {accepted:,} most confident, {errors:,} {'is' if errors == 1 else 'are'} wrong"
    return (
        f"{promise} is more than these {n:,} items allow: {seen}, which leaves a risk of up to "
        f"{bound:.3g} % possible; a better score or more items may help"
    )


def choose_by_group(confidence, correct, group, risk: float, level: float = 0.95, method: str = "fixed") -> dict:
    """Return a threshold for each group, such that with probability `level` all of their promises are kept together.

    One threshold for all promises nothing about a single group: a small one may err far more often. Here each of the g
    groups gets a threshold from its own items, at the level 1 - (1 - level) / g.

    Parameters
    ----------
    confidence, correct : array_like of shape (n,)
        As in `choose_threshold`.
    group : array_like of shape (n,)
        What each item belongs to.
    risk, level, method
        As in `choose_threshold`.

    Returns
    -------
    dict of Threshold
        By group, sorted.
    """
    confidence, correct = check_confidence(confidence, correct)
    group = np.asarray(group)
    if group.shape != confidence.shape:
        raise ValueError(f"group has shape {group.shape}; expected {confidence.shape}, one an item")
    check_share("level", level)
    names = np.unique(group)
    each = 1 - (1 - level) / len(names)
    members = {name.item(): group == name for name in names}
    return {g: choose_threshold(confidence[own], correct[own], risk, each, method) for g, own in members.items()}
