"""From intervals to verdicts: where a comparison lies, what several together say of a claim, and how often they err."""

from dataclasses import dataclass

import numpy as np

from ..statistics import holm, mean_over_drawn_seeds

SUPPORTED, PARTLY, UNDECIDED, CONTRADICTED, UNTESTED = VERDICTS = (
    "supported",
    "partly supported",
    "undecided",
    "contradicted",
    "not testable here",
)
LEVEL = 0.025  # one-sided: that of a 95 % interval
POWER, MOST = 0.8, 64  # the chance that seeds or images are counted for, and the most seeds
FOR, AGAINST, OPEN = "for", "against", "open"


def position(low: float, high: float, above: float = -np.inf, below: float = np.inf) -> str:
    """Return where an interval lies against the range from `above` to `below` that a claim gives it.

    Parameters
    ----------
    low, high : float
        Ends of the interval; NaN if there is none.
    above, below : float
        The claimed open range, such as ``below=0`` for *lower*, or both for *changes by less than*.

    Returns
    -------
    {'for', 'against', 'open'}
        Wholly inside, wholly outside, or neither.
    """
    if above < low and high < below:
        return FOR
    return AGAINST if high < above or low > below else OPEN


@dataclass(frozen=True)
class Drawn:
    """One comparison as the verdicts take it.

    Attributes
    ----------
    replicates : ndarray, (r,)
        Its difference in each replicate of the bootstrap; as many for all comparisons that are pooled.
    above, below : float
        The range that the claim gives it.
    sure : bool
        Whether what the claim presupposes is clear; if not, the comparison cannot speak for it.
    """

    replicates: np.ndarray
    above: float = -np.inf
    below: float = np.inf
    sure: bool = True

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % percentile interval."""
        defined = self.replicates[np.isfinite(self.replicates)]
        return tuple(map(float, np.percentile(defined, [2.5, 97.5]))) if len(defined) else (np.nan, np.nan)

    @property
    def position(self) -> str:
        """Where its interval lies (`position`); never *for* where what the claim presupposes is not clear."""
        found = position(*self.interval, self.above, self.below)
        return OPEN if found == FOR and not self.sure else found

    def p_value(self, side: str) -> float:
        """Return the share of replicates that do not lie on `side`, ``for`` or ``against``; never 0.

        What is not defined lies on neither.
        """
        inside = (self.above < self.replicates) & (self.replicates < self.below)
        misses = np.count_nonzero(~inside if side == FOR else inside | np.isnan(self.replicates))
        return (misses + 1) / (len(self.replicates) + 1)


def pooled(comparisons) -> Drawn:
    """Return the mean of comparisons of one part of a claim, each on a network and data set of its own.

    Parameters
    ----------
    comparisons : sequence of Drawn
        With one range; at least one.

    Returns
    -------
    Drawn
        Sure if all of them are.
    """
    ranges = {(c.above, c.below) for c in comparisons}
    if len(ranges) != 1:
        raise ValueError(f"comparisons of one part have the ranges {sorted(ranges)}; expected one range")
    replicates = np.mean([c.replicates for c in comparisons], 0)
    return Drawn(replicates, *ranges.pop(), sure=all(c.sure for c in comparisons))


def decide(comparisons) -> str:
    """Return the verdict on one part of a claim, from its comparisons in one metric, one for each network and data set.

    *supported*: the interval of their mean lies where the claim says, and none of them is clearly against it.
    *contradicted*: that interval lies outside, and none is clearly for it. *partly supported*: otherwise, if the mean
    or any of them is clearly for it. *undecided*: neither the claim nor its opposite is excluded. *not testable here*:
    there are none. A single comparison is clear if it remains so after Holm's adjustment for their number.

    Parameters
    ----------
    comparisons : iterable of Drawn

    Returns
    -------
    str
        One of `VERDICTS`.
    """
    comparisons = list(comparisons)
    if not comparisons:
        return UNTESTED
    mean = pooled(comparisons).position
    clear = {}
    for side in (FOR, AGAINST):
        adjusted = holm([c.p_value(side) for c in comparisons])
        clear[side] = any(p <= LEVEL and c.position == side for p, c in zip(adjusted, comparisons, strict=True))
    if mean == FOR and not clear[AGAINST]:
        return SUPPORTED
    if mean == AGAINST and not clear[FOR]:
        return CONTRADICTED
    return PARTLY if mean == FOR or clear[FOR] else UNDECIDED


def combine(parts) -> str:
    """Return the verdict on a claim of several parts, such as one for each method.

    *supported*: every part is. *partly supported*: otherwise, if any part is, wholly or partly. *contradicted*: more
    than half of the tested parts are. *undecided*: the rest. If no part is tested, neither is the claim.

    Parameters
    ----------
    parts : iterable of str
        Verdicts.

    Returns
    -------
    str
        One of `VERDICTS`.
    """
    parts = list(parts)
    if any(v not in VERDICTS for v in parts):
        raise ValueError(f"verdicts are {parts}; choose among {', '.join(VERDICTS)}")
    tested = [v for v in parts if v != UNTESTED]
    if not tested:
        return UNTESTED
    if all(v == SUPPORTED for v in parts):
        return SUPPORTED
    if SUPPORTED in tested or PARTLY in tested:
        return PARTLY
    return CONTRADICTED if 2 * tested.count(CONTRADICTED) > len(tested) else UNDECIDED


@dataclass(frozen=True)
class Spread:
    """How far one comparison wanders: standard deviations of its difference.

    Attributes
    ----------
    seeds : float
        Between seeds, for one seed, on these test images.
    images : float
        From one test set to another, the same for all seeds.
    pairs : float
        The part of `seeds` that comes from the images, each pair of networks erring on its own ones; it shrinks with
        their number.
    """

    seeds: float
    images: float
    pairs: float = 0.0

    def on(self, share: float) -> "Spread":
        """Return the spread on `share` times as many test images."""
        lasting = max(self.seeds**2 - self.pairs**2, 0.0)
        pairs = min(self.pairs, self.seeds) / np.sqrt(share)
        return Spread(np.hypot(np.sqrt(lasting), pairs), self.images / np.sqrt(share), pairs)


def simulated(effect: float, spread: Spread, seeds: int, groups: int = 3, parts: int = 1, trials: int = 1000,
              replicates: int = 400) -> dict[str, float]:  # fmt: skip
    """Return how often each verdict comes out on a claim of *lower* whose true effect is known.

    Parameters
    ----------
    effect : float
        The true difference, the same in every group and part.
    spread : Spread
        Of one comparison.
    seeds : int
        Runs a side, at least 2.
    groups : int
        Networks and data sets for each part.
    parts : int
        Of the claim.
    trials : int
        Simulated claims.
    replicates : int
        Bootstrap replicates of each comparison.

    Returns
    -------
    dict of str to float
        Share of the trials by verdict, in the order of `VERDICTS`.
    """
    rng, count = np.random.default_rng(0), dict.fromkeys(VERDICTS, 0)
    pairs = spread.pairs
    for _ in range(trials):
        verdicts = []
        for _ in range(parts):
            comparisons, key = [], int(rng.integers(2**31))
            for _ in range(groups):
                truth = effect + spread.seeds * rng.normal(size=seeds) + spread.images * rng.normal()
                values = truth + spread.images * rng.normal(size=(replicates, 1))
                values = values + pairs * rng.normal(size=values.shape) if pairs else values
                drawn = mean_over_drawn_seeds(values, key)  # networks with equally many seeds share their draws
                comparisons.append(Drawn(drawn, below=0.0))
            verdicts.append(decide(comparisons))
        count[combine(verdicts)] += 1
    return {name: n / trials for name, n in count.items()}


def _power(effect: float, spread: Spread, seeds: int) -> float:
    """Return the chance that one comparison's interval excludes 0 on the side of its true effect."""
    from scipy.stats import norm, t

    of_seeds, of_pairs = spread.seeds / np.sqrt(seeds), spread.pairs / np.sqrt(seeds)
    # The replicates add the noise of the pairs to the spread of the seeds, which has it already.
    half = np.hypot(
        t.ppf(1 - LEVEL, seeds - 1) * np.hypot(of_seeds, of_pairs),
        norm.ppf(1 - LEVEL) * np.hypot(spread.images, of_pairs),
    )
    return float(norm.cdf((abs(effect) - half) / np.hypot(of_seeds, spread.images)))


def images_needed(effect: float, spread: Spread, images: int, seeds: int = 5) -> int | None:
    """Return how many test images make one interval exclude 0 with a chance of `POWER` if `effect` is the truth.

    Parameters
    ----------
    effect : float
        The true difference; its sign does not matter.
    spread : Spread
        Of the comparison on `images` test images.
    images : int
        As many as there are; no fewer are returned.
    seeds : int
        Runs a side.

    Returns
    -------
    int or None
        In steps of a tenth; None if a hundred times as many are too few, as they are where the seeds differ too much.
    """
    wanted = images
    while wanted <= 100 * images:
        if _power(effect, spread.on(wanted / images), seeds) >= POWER:
            return round(wanted)
        wanted *= 1.1
    return None


def seeds_needed(effect: float, spread: Spread) -> int | None:
    """Return how many seeds make one interval exclude 0 with a chance of `POWER` if `effect` is the truth.

    Parameters
    ----------
    effect : float
        The true difference; its sign does not matter.
    spread : Spread
        Of the comparison.

    Returns
    -------
    int or None
        At least 3; None if `MOST` are too few, as they are where the test images alone leave too much open.
    """
    return next((seeds for seeds in range(3, MOST + 1) if _power(effect, spread, seeds) >= POWER), None)
