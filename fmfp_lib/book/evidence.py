"""Comparisons of finished runs that speak for or against a claim, each with its interval and the range claimed.

Most are bootstrapped over test images and seeds. Those from training histories, which keep no predictions, have
Student's interval over seeds. One metric decides each part of a claim; others stand beside it for context. What needs
the network itself is taken from `fmfp_lib.measures`; where it was not measured there is no evidence.
"""

import zlib
from dataclasses import dataclass, field

import numpy as np

from ..methods import CALIBRATION, FLAT
from ..statistics import (
    REPLICATES,
    Comparison,
    from_replicates,
)
from . import markdown, names, nearest, study, verdicts
from .compare import by_seed, classified, pair_by_seed, paired_runs
from .rungs import COVERAGES

TESTED = ("baseline", *CALIBRATION, "crl", *FLAT)
SEEDS = 3  # as many as the paper's: with fewer, a comparison is shown and does not decide
QUANTILES = 50_000  # of Student's distribution: so many that their order moves no verdict
KEPT = 0.02  # C10: the confidence of correct predictions is kept if it falls by less than two points

LOWER, HIGHER = {"below": 0.0}, {"above": 0.0}
CONTEXT = {"decides": False}
# The range claimed of AUROC, which decides, and those of AURC and FPR-95%TPR, which are context: AURC falls with fewer
# errors too, and the three move together: counted each, one effect would count three times.
RANKED = {"auroc": HIGHER, "aurc": LOWER | CONTEXT, "fpr95": LOWER | CONTEXT}
_PRESUPPOSED = {"late_auroc": "accuracy does not clearly rise"}  # why a comparison that is not sure cannot speak
# What is drawn together: the quantities of one kind share nearly all their work.
_RANKING, _SUMS = ("auroc", "aurc", "fpr95"), ("accuracy", "ece", "nll", "brier")
RISKS = tuple(f"selective_risk@{c:g}" for c in COVERAGES)  # C3; their mean is ``selective_risk``
_CONFIDENCES = ("confidence_right", "confidence_wrong", "confidence_gap")
_KINDS = (_RANKING, _SUMS, _CONFIDENCES, ("overlap",), RISKS)


@dataclass(frozen=True)
class Evidence:
    """One comparison.

    Attributes
    ----------
    part : str
        What of the claim it speaks of.
    group : str
        Data set and network.
    compared : str
        What is subtracted from what.
    quantity : str
        A metric or statistic.
    value : float
        The difference, in natural units.
    low : float
        Lower end of its 95 % interval; NaN if there is none.
    high : float
        Upper end.
    seeds : int
        How many runs each side has, at least.
    above : float
        Lower end of the range that the claim gives it.
    below : float
        Upper end.
    decides : bool
        Whether it enters the verdict, or stands for context.
    sure : bool
        Whether what the claim presupposes is clear; if not, the comparison cannot speak for it.
    replicates : ndarray of shape (r,)
        The difference in each replicate of the bootstrap.
    published : float
        The same difference in the paper's nearest cell (`nearest.cell`), in natural units; NaN if it printed none.
    cell : str
        Where the paper printed it.
    most : int
        How many runs a side has at most, where they differ.
    """

    part: str
    group: str
    compared: str
    quantity: str
    value: float
    low: float
    high: float
    seeds: int
    above: float = -np.inf
    below: float = np.inf
    decides: bool = True
    sure: bool = True
    replicates: np.ndarray = field(default_factory=lambda: np.zeros(0), repr=False, compare=False)
    published: float = np.nan
    cell: str = ""
    most: int = 0

    @property
    def counted(self) -> str:
        """How many seeds each side has, in words."""
        return f"{self.seeds} to {self.most}" if self.most > self.seeds else str(self.seeds)

    @property
    def drawn(self) -> verdicts.Drawn:
        """What the verdicts take of it."""
        return verdicts.Drawn(self.replicates, self.above, self.below, self.sure)

    @property
    def position(self) -> str:
        """Whether its interval is ``for`` the claim, ``against`` it or ``open``."""
        found = verdicts.position(self.low, self.high, self.above, self.below)
        return verdicts.OPEN if found == verdicts.FOR and not self.sure else found

    @property
    def numbers(self) -> str:
        """The difference and its interval, in the paper's units; an end that is not zero, or not the paper's value,
        is not printed as such."""
        factor = names.display(self.quantity)[0]
        text = markdown.signed(factor * self.value)
        if np.isfinite(self.low):
            ends = (markdown.apart(factor * end, factor * self.published) for end in (self.low, self.high))
            text += " [" + ",\u00a0".join(ends) + "]"
        return text

    @property
    def claimed(self) -> str:
        """The range that the claim gives it, in words."""
        above, below = (names.display(self.quantity)[0] * v for v in (self.above, self.below))
        if np.isinf(above) and np.isinf(below):
            return "–"
        if np.isinf(above):
            text = "lower" if below == 0 else f"below {below:+g}"
        elif np.isinf(below):
            text = "higher" if above == 0 else f"above {above:+g}"
        else:
            text = f"between {above:+g} and {below:+g}"
        return text.replace("-", "\u2212")

    @property
    def reading(self) -> str:
        """What its interval says about the claim, in words; context does not decide."""
        if np.isinf(self.above) and np.isinf(self.below):
            return "context"
        words = {verdicts.FOR: "as claimed", verdicts.AGAINST: "against the claim", verdicts.OPEN: "undecided"}
        alone = verdicts.position(self.low, self.high, self.above, self.below)
        why = f": {_PRESUPPOSED[self.quantity]}" if alone != self.position else ""
        return words[self.position] + why + ("" if self.decides else " (context)")

    @property
    def size(self) -> str:
        """Whether the effect may be as large as in the paper's nearest cell, in words."""
        if not np.isfinite(self.published + self.low):
            return "–"
        factor = names.display(self.quantity)[0]
        printed = f"the paper's {markdown.signed(factor * self.published)}"
        if self.low <= self.published <= self.high:
            return f"compatible with {printed}"
        if round(factor * self.published, 2) == 0:
            return f"above {printed}" if self.low > self.published else f"below {printed}"
        if self.high < 0 < self.published or self.low > 0 > self.published:
            return f"opposite to {printed}"
        smaller = self.low > self.published if self.published < 0 else self.high < self.published
        return f"smaller than {printed}" if smaller else f"larger than {printed}"


def from_student(value: float, high: float, seeds: int, key: str) -> np.ndarray:
    """Return replicates of a mean over seeds that has Student's interval: the quantiles of his distribution, shuffled.

    Parameters
    ----------
    value, high : float
        Estimate and the upper end of its 95 % interval.
    seeds : int
        Over how many the mean is taken; one degree of freedom more than the distribution has.
    key : str
        Decides their order, so that different estimates err apart.

    Returns
    -------
    ndarray, (QUANTILES,)
        NaN without an interval.
    """
    from scipy.stats import t

    order = np.random.default_rng(zlib.crc32(key.encode())).permutation(QUANTILES)
    return value + (high - value) * t.ppf((order + 0.5) / QUANTILES, seeds - 1) / t.ppf(0.975, seeds - 1)


class Runs:
    """The finished runs of one group, and comparisons of its methods; each is drawn once.

    Parameters
    ----------
    group : study.Group
        Runs on one data set and network.
    replicates : int
        Number of bootstrap replicates.
    """

    def __init__(self, group: study.Group, replicates: int = REPLICATES):
        self.title, self.network, self.replicates = group.title, group.network, replicates
        seeds = {method: by_seed(records) for method, records in group.runs.items()}
        self.runs = {m: {s: r for s, r in runs.items() if s not in group.chose} for m, runs in seeds.items()}
        self.chose = {m: {s: r for s, r in runs.items() if s in group.chose} for m, runs in seeds.items()}
        self._made: dict = {}

    @property
    def accuracy(self) -> float:
        """The baseline's accuracy in [0, 1], mean over its runs; NaN without any."""
        runs = self.runs.get("baseline", {}).values()
        return float(np.mean([r.metrics["accuracy"] for r in runs])) if runs else np.nan

    def records(self, *methods) -> list[list]:
        """Return the records of each method for the seeds that all of `methods` have, in their order."""
        return pair_by_seed(*(self.runs.get(method, {}) for method in methods))

    def evidence(self, part, quantity, comparison, seeds, compared, **more) -> list[Evidence]:
        """Return one piece of evidence, or none for a quantity that is not defined here.

        Parameters
        ----------
        part : str
            The part of the claim.
        quantity : str
            Name of the metric.
        comparison : statistics.Comparison or tuple of float
            Or the mean over seeds and the ends of Student's 95 % interval, from `over_seeds`.
        seeds : int
            Number of seeds behind it.
        compared : str
            What is compared, in words.
        **more
            Further fields of `Evidence`, such as `above` and `below`.

        Returns
        -------
        list of Evidence
            One item, or none.
        """
        value, low, high = (
            (comparison.difference, comparison.low, comparison.high)
            if isinstance(comparison, Comparison)
            else comparison
        )
        if not np.isfinite(value):
            return []
        replicates = (
            comparison.replicates
            if isinstance(comparison, Comparison)
            else from_student(value, high, seeds, f"{self.title} {part} {quantity}")
        )
        decides = more.pop("decides", True) and seeds >= SEEDS
        return [Evidence(part, self.title, compared, quantity, value, low, high, seeds, decides=decides,
                         replicates=replicates, **more)]  # fmt: skip

    def difference(self, part, a: str, b: str, quantity: str, **more) -> list[Evidence]:
        """Return the evidence of method `b` minus method `a`, seed by seed; nothing where runs are missing.

        Parameters
        ----------
        part : str
            The part of the claim.
        a, b : str
            Methods; the difference is b minus a.
        quantity : str
            Name of the metric.
        **more
            Further fields of `Evidence`, such as `above` and `below`.

        Returns
        -------
        list of Evidence
            One item, or none.
        """
        sides = self.records(a, b)
        if not sides[0]:
            return []
        metrics = next(kind for kind in _KINDS if quantity in kind or kind is RISKS)
        if (a, b, metrics) not in self._made:
            made = paired_runs(*map(classified, sides), metrics, self.replicates)
            if metrics is RISKS:
                made["selective_risk"] = _mean([made[risk] for risk in RISKS])
            self._made[a, b, metrics] = made
        found = self._made[a, b, metrics][quantity]
        classes = sides[0][0].logits.shape[1]
        published, cell = nearest.cell(a, b, quantity, classes, self.accuracy)
        compared = f"{names.name(b)} − {names.name(a)}"
        return self.evidence(part, quantity, found, len(sides[0]), compared, published=published, cell=cell, **more)


def _mean(comparisons) -> Comparison:
    """Return the mean of comparisons that share their draws."""
    a, b = (float(np.mean([getattr(c, side) for c in comparisons])) for side in "ab")
    return from_replicates("selective_risk", a, b, np.mean([c.replicates for c in comparisons], 0))


def compare_all(runs, calls) -> list[Evidence]:
    """Return the evidence of every group for `calls`, each the arguments of `Runs.difference` and its range.

    Parameters
    ----------
    runs : iterable of Runs
        The groups.
    calls : list of tuple
        Part, first method, second method, quantity, and a dict with the claimed range.

    Returns
    -------
    list of Evidence
        One item per group and call that can be answered.
    """
    return [e for *words, claimed in calls for group in runs for e in group.difference(*words, **claimed)]


def each(quantities: dict) -> list[tuple]:
    """Return calls for `compare_all`: every calibration method, a part of its own, against the baseline.

    `quantities` has the claimed range of each metric.
    """
    return [(names.name(m), "baseline", m, *call) for m in CALIBRATION for call in quantities.items()]
