"""One metric of two methods: the difference and its interval."""

from dataclasses import dataclass

import numpy as np

RANKING = ("aurc", "eaurc", "auroc", "fpr95", "augrc")
SUMS = ("accuracy", "ece", "nll", "brier")
HIGHER_IS_BETTER = frozenset({"accuracy", "auroc", "aupr_success", "aupr_error"})
BIASED = frozenset({"ece"})  # sums of absolute values: noise adds to them, so that replicates lie above the sample
REPLICATES = 1000  # of every bootstrap in the book: with other numbers, ends near zero fall to either side


@dataclass(frozen=True)
class Comparison:
    """One metric of two methods.

    Attributes
    ----------
    metric : str
        A name from ``RANKING`` or ``SUMS``.
    a : float
        The metric of the first method (the mean over seeds), in natural units.
    b : float
        That of the second.
    difference : float
        b - a.
    low : float
        Lower end of the percentile interval that holds 95 % of the replicates' differences.
    high : float
        Upper end.
    replicates : ndarray of shape (r,)
        Differences b - a; NaN where a replicate had no error or nothing but errors. Those of ``BIASED`` metrics are
        moved so that their mean is `difference`.
    """

    metric: str
    a: float
    b: float
    difference: float
    low: float
    high: float
    replicates: np.ndarray

    @property
    def better(self) -> bool:
        """Whether b is better than a in the mean."""
        return self.difference > 0 if self.metric in HIGHER_IS_BETTER else self.difference < 0

    @property
    def certain(self) -> bool:
        """Whether the interval excludes 0."""
        return self.low > 0 or self.high < 0


def check_replicates(replicates) -> None:
    """Raise ValueError unless `replicates` is an integer of at least 1."""
    if not isinstance(replicates, (int, np.integer)) or replicates < 1:
        raise ValueError(f"replicates is {replicates!r}; it must be an integer of at least 1")


def from_replicates(metric: str, a: float, b: float, differences) -> Comparison:
    """Return the comparison of `a` with `b`, its interval from the replicates' `differences` b - a (r,).

    ECE is compared as it is estimated, by the plug-in value of so many images. That lies above the truth, the more so
    the fewer the images and the better the calibration; only the excess of the replicates over it is taken off.

    Parameters
    ----------
    metric : str
        Name of a metric, as `metrics.evaluate` returns it.
    a, b : float
        Values of both sides.
    differences : array_like, (r,)
        Replicates of b - a.

    Returns
    -------
    Comparison
        With a 95 % percentile interval.
    """
    if metric in BIASED:
        differences = differences - (np.mean(differences) - (b - a))
    defined = differences[np.isfinite(differences)]
    low, high = np.percentile(defined, [2.5, 97.5]) if len(defined) else (np.nan, np.nan)
    return Comparison(metric, a, b, b - a, float(low), float(high), differences)
