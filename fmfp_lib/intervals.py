"""How sure the metrics of one system are, and the differences between systems on the same items. No torch.

Items are drawn anew with replacement (`statistics` tells how replicates become counts); intervals hold 95 % of the
replicates. Two are not plain percentiles: accuracy's is exact (Clopper-Pearson), and ECE's replicates, which resampling
makes larger than the ECE of the items themselves, are first moved back by their mean excess. That ECE itself lies above
the population's, and its interval with it: `calibrated_ece` tells how large it is where nothing is miscalibrated.
"""

from dataclasses import dataclass

import numpy as np

from . import selective
from .metrics import BINS, evaluate_confidence
from .metrics.calibration import bin_index, binned_gap
from .statistics import HIGHER_IS_BETTER, REPLICATES, Ranked, holm
from .statistics.comparison import check_replicates
from .statistics.ranked import running_sum, sums_by_group
from .statistics.replicates import drawn_counts

COMPARED = ("accuracy", "auroc", "aurc", "augrc", "ece", "nll")


def metrics_of(predictions) -> dict[str, float]:
    """Return every metric that `predictions` (a ``predictions.Predictions``) allow, in natural units."""
    confidence, correct = predictions.confidence, predictions.correct
    found = {"accuracy": float(correct.mean()), **evaluate_confidence(predictions.ranked_by, correct)}
    if predictions.is_probability:
        found["ece"] = float(binned_gap(confidence, correct, BINS))
    if predictions.loss is not None:
        found |= {"nll": float(predictions.loss.mean()), "brier": float(predictions.brier.mean())}
    return found


def calibrated_ece(predictions, draws: int = 200, seed: int = 0) -> float:
    """Return the ECE that a calibrated model with these confidences shows on so many items, in the mean.

    Whether a prediction is correct is drawn with its confidence as the probability. The true ECE is then 0.

    Parameters
    ----------
    predictions : predictions.Predictions
        Their confidences lie in [0, 1].
    draws : int
        Over which the mean is taken.
    seed : int
        Of the random draws.

    Returns
    -------
    float
        In natural units.
    """
    confidence, rng = np.sort(predictions.confidence), np.random.default_rng(seed)
    _, first = np.unique(bin_index(confidence, BINS), return_index=True)
    gaps = np.zeros(len(first))
    for _ in range(draws):
        gaps += np.abs(np.add.reduceat((rng.random(len(confidence)) < confidence) - confidence, first))
    return float(gaps.sum() / (draws * len(confidence)))


class _Items(Ranked):
    """One system's items, sorted once: every metric of any number of replicates."""

    def __init__(self, predictions):
        super().__init__(predictions.ranked_by, predictions.correct)
        self.means = {"accuracy": predictions.correct.astype(float)}
        if predictions.loss is not None:
            self.means |= {"nll": predictions.loss, "brier": predictions.brier}
        self.gaps = None
        if predictions.is_probability:
            confidence = predictions.confidence
            self.gaps = sums_by_group(predictions.correct - confidence, bin_index(confidence, BINS), BINS)

    def all(self, counts):
        """Return each metric (r,) for the replicates' `counts` (n, r)."""
        n = self.n
        drawn = self.drawn(counts)
        found, errors, correct = drawn.ranking.copy(), drawn.all_errors, drawn.all_correct.astype(int)
        with np.errstate(divide="ignore", invalid="ignore"):  # an infinite NLL, too, is left undefined
            optimum = (errors - correct * (self.harmonic[n] - self.harmonic[correct])) / n
            naurc = (found["aurc"] - optimum) / (errors / n - optimum)
            found["naurc"] = np.where((correct > 0) & (correct < n), naurc, np.nan)
            found |= {name: np.einsum("n,nr->r", values, counts) / n for name, values in self.means.items()}
            left = np.maximum(n - drawn.before, 1)  # items from each group on; there may be none, and no error then
            wrong = (errors - drawn.errors_to[:-1]) / left
            found["aupr_error"] = (wrong * drawn.errors).sum(0) / errors
            found["aupr_success"] = self._success(drawn) / correct
        if self.gaps is not None:
            found["ece"] = np.abs(self.gaps @ counts).sum(0) / n
        return found

    def _success(self, drawn):
        """Return the area under precision and recall of correct predictions, times their number (r,)."""
        groups, starts = np.unique(self.correct_group, return_index=True)
        true = running_sum(drawn.counts[self.correct_images])[np.append(starts, len(self.correct_images))]
        precision = []
        for reached, side in ((true[:-1], "left"), (true[1:], "right")):  # before each group and at its end
            false = drawn.errors_to[np.searchsorted(self.error_groups, groups, side)]
            precision.append(np.where(reached + false > 0, reached / (reached + false).astype(np.float64), 1.0))
        return (sum(precision) / 2 * np.diff(true, axis=0)).sum(0)


def replicates_of(predictions, replicates: int = REPLICATES, seed: int = 0) -> dict[str, np.ndarray]:
    """Return each metric (r,) of `replicates` draws of the items; equal numbers of items are drawn alike.

    Parameters
    ----------
    predictions : predictions.Predictions
        One system.
    replicates : int
        Number of bootstrap replicates.
    seed : int
        Of the random draws.

    Returns
    -------
    dict of str to ndarray, (r,)
        By metric, in natural units.
    """
    check_replicates(replicates)
    items = _Items(predictions)
    parts = [items.all(counts) for counts in drawn_counts(items.n, replicates, seed)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _drawn(name, value, replicates):
    """Return the replicates that are defined; those of ECE are moved back by their mean excess over its `value`."""
    defined = replicates[np.isfinite(replicates)]
    return defined - (defined.mean() - value) if name == "ece" and len(defined) else defined


def _ends(value, replicates, count):
    """Return the ends of the 95 % interval; NaN where fewer than half of `count` replicates are defined."""
    if 2 * len(replicates) < count or not np.isfinite(value):
        return np.nan, np.nan
    return tuple(map(float, np.percentile(replicates, [2.5, 97.5])))


def metrics_with_intervals(predictions, replicates: int = REPLICATES, seed: int = 0) -> dict[str, tuple]:
    """Return each metric with the ends of its 95 % interval: (value, low, high).

    Parameters
    ----------
    predictions : predictions.Predictions
    replicates, seed : int
        Of the bootstrap.

    Returns
    -------
    dict of str to tuple of float
        In natural units; NaN where a metric is not defined, and for the ends where it seldom is.
    """
    values, drawn = metrics_of(predictions), replicates_of(predictions, replicates, seed)
    found = {}
    for name, value in values.items():
        low, high = _ends(value, _drawn(name, value, drawn[name]), replicates)
        found[name] = value, max(low, 0.0) if name == "ece" else low, high
    exact = selective.interval(int(predictions.correct.sum()), len(predictions))
    return found | {"accuracy": (values["accuracy"], *map(float, exact))}


@dataclass(frozen=True)
class Difference:
    """One metric of a system minus that of the first, on the same items.

    Attributes
    ----------
    system, metric : str
    first : float
        Metric of the first system.
    other : float
        Metric of this one.
    difference : float
        other - first.
    low, high : float
        Ends of its 95 % interval, by paired bootstrap.
    p : float
        Two-sided, by the share of replicates beyond 0.
    p_holm : float
        `p`, adjusted by Holm for all the comparisons made together.
    """

    system: str
    metric: str
    first: float
    other: float
    difference: float
    low: float
    high: float
    p: float
    p_holm: float

    @property
    def excludes_zero(self) -> bool:
        """Whether the 95 % interval excludes 0."""
        return self.low > 0 or self.high < 0

    @property
    def better(self) -> bool:
        """Whether this system's value is the better one."""
        return self.difference > 0 if self.metric in HIGHER_IS_BETTER else self.difference < 0


def compare(systems, names=COMPARED, replicates: int = 2 * REPLICATES, seed: int = 0) -> list[Difference]:
    """Compare systems with the first of them, by paired bootstrap over the items that all of them saw.

    Parameters
    ----------
    systems : sequence of predictions.Predictions
        At least two, on the same items in the same order.
    names : sequence of str
        Metrics; those that not every system has are left out.
    replicates : int
        At least; as many more are drawn as Holm's adjustment needs to find anything.
    seed : int

    Returns
    -------
    list of Difference
        System by system.

    Raises
    ------
    ValueError
        If there are fewer than two systems, or they did not see the same items.
    """
    systems = list(systems)
    _check_same_items(systems)
    values = [metrics_of(s) for s in systems]
    names = [name for name in names if all(np.isfinite(v.get(name, np.nan)) for v in values)]
    count = max(replicates, 100 * len(names) * (len(systems) - 1))
    drawn = [replicates_of(s, count, seed) for s in systems]
    rows = []
    for system, value, own in zip(systems[1:], values[1:], drawn[1:], strict=True):
        for name in names:
            difference = value[name] - values[0][name]
            spread = _drawn(name, difference, own[name] - drawn[0][name])
            beyond = min((spread <= 0).sum(), (spread >= 0).sum())
            p = min(1.0, 2 * (1 + float(beyond)) / (1 + len(spread)))
            ends = _ends(difference, spread, count)
            rows.append((system.name, name, values[0][name], value[name], difference, *ends, p))
    adjusted = holm([row[-1] for row in rows]) if rows else []
    return [Difference(*row, float(p)) for row, p in zip(rows, adjusted, strict=True)]


def _check_same_items(systems):
    if len(systems) < 2:
        raise ValueError("only one system was given; name at least two files")
    first = systems[0]
    for other in systems[1:]:
        pair = f"{first.name} and {other.name}"
        if len(other) != len(first):
            raise ValueError(f"{pair} hold {len(first):,} and {len(other):,} items; all must be about the same ones")
        for what in ("id", "labels"):
            mine, theirs = getattr(first, what), getattr(other, what)
            if mine is not None and theirs is not None and (mine != theirs).any():
                differ = int((mine != theirs).sum())
                raise ValueError(
                    f"{pair} differ in {what} of {differ:,} items, first in row {int((mine != theirs).argmax())}; "
                    f"all must hold the same items in the same order"
                )
