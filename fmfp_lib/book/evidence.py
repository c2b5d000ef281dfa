"""Comparisons of finished runs that speak for or against a claim, each with its interval and the range claimed.

Most are bootstrapped over test images and seeds. Those from training histories, which keep no predictions, have
Student's interval over seeds. What needs the network itself is taken from `fmfp_lib.measures`; where it was not
measured there is no evidence.
"""

from dataclasses import dataclass

import numpy as np

from .. import confidence, measures
from ..methods import CALIBRATION, FLAT
from ..metrics import auroc
from ..statistics import REPLICATES, compare_methods, compare_scores, over_seeds, rank_correlation
from . import names, shift_study, study, verdicts
from .compare import by_seed, classified, pair_by_seed, paired_runs

TESTED = ("baseline", *CALIBRATION, "crl", *FLAT)
SEEDS = 3  # as many as the paper's: with fewer, a comparison is shown and does not decide
COVERAGES = (0.6, 0.7, 0.8, 0.9)  # C3
NEGLIGIBLE = 0.005  # C4: half a point of AUROC, less than half of FMFP's smallest published gain in Table 2 (1.29)
MEASURED = 4  # C15: methods that a group must have measured, the baseline and the three flat ones
KEPT = 0.02  # C10: the confidence of correct predictions is kept if it falls by less than two points
MIDDLE, END = (0.40, 0.60), (0.85, 1.00)  # C6, C12: shares of the epochs; averaging starts at 60 %
PERTURBATION = 0.2  # C15: relative norm of the random perturbation

LOWER, HIGHER = {"below": 0.0}, {"above": 0.0}
_METRICS = ("accuracy", "auroc", "aurc", "fpr95", "ece", "nll", "brier")
_SCORES = ("confidence_right", "confidence_wrong", "confidence_gap", "overlap",
           *(f"selective_risk@{c}" for c in COVERAGES))  # fmt: skip


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
        How many runs each side has.
    above : float
        Lower end of the range that the claim gives it.
    below : float
        Upper end.
    decides : bool
        Whether it enters the verdict, or stands for context.
    provided : bool
        Whether what the claim presupposes holds here; if not, the comparison cannot agree.
    surely : bool
        Whether what the claim presupposes is clear; if not, the comparison cannot agree clearly.
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
    provided: bool = True
    surely: bool = True

    @property
    def outcome(self) -> tuple[bool, bool]:
        """Whether it agrees with the claim, and whether that is clear: its interval on one side."""
        agrees, certain = verdicts.agreement(self.value, self.low, self.high, self.above, self.below)
        if agrees and not self.provided:
            return False, False
        return agrees, certain and (self.surely or not agrees)

    @property
    def numbers(self) -> str:
        """The difference and its interval, in the paper's units."""
        factor = names.display(self.quantity)[0]
        text = f"{factor * self.value:+.2f}"
        if np.isfinite(self.low):
            text += f" [{factor * self.low:+.2f},\u00a0{factor * self.high:+.2f}]"
        return text.replace("-", "\u2212")

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
        """What it says about the claim, in words."""
        if not self.decides:
            return "context"
        agrees, certain = self.outcome
        return ("as claimed" if agrees else "not as claimed") + ("" if certain else ", not clear")


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
        self.runs = {method: by_seed(records) for method, records in group.runs.items()}
        self._made: dict = {}

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
        comparison : tuple of float
            Difference and the ends of its 95 % interval.
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
        value, low, high = comparison
        if not np.isfinite(value):
            return []
        decides = more.pop("decides", True) and seeds >= SEEDS
        return [Evidence(part, self.title, compared, quantity, value, low, high, seeds, decides=decides, **more)]

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
        metrics = _SCORES if quantity in _SCORES else _METRICS
        if (a, b, metrics) not in self._made:
            self._made[a, b, metrics] = paired_runs(*map(classified, sides), metrics, self.replicates)
        c = self._made[a, b, metrics][quantity]
        compared = f"{names.name(b)} − {names.name(a)}"
        return self.evidence(part, quantity, (c.difference, c.low, c.high), len(sides[0]), compared, **more)


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


def each(methods, against, quantities: dict):
    """Return calls for `compare_all`: every method, a part of its own, against another one.

    Parameters
    ----------
    methods : sequence of str
        Keys of `methods.METHODS`.
    against : str
        The method that they are compared with.
    quantities : dict of str to dict
        The claimed range of each metric.

    Returns
    -------
    list of tuple
        As `compare_all` takes them.
    """
    return [(names.name(m), against, m, *call) for m in methods for call in quantities.items()]


TEMPERATURE = (
    f"gain below {100 * NEGLIGIBLE:g} points if fitted on validation", "lower if fitted on validation",
    "negligible if fitted on test",
)  # fmt: skip


def temperature(runs) -> list[Evidence]:
    """Return, for C4, what temperature scaling changes of the baseline's AUROC (and, for context, of its ECE)."""
    found = []
    for group in runs:
        (records,) = group.records("baseline")
        if not records:
            continue
        plain = classified(records)
        for fitted_on, parts in (
            ("valid_", ((TEMPERATURE[0], {"below": NEGLIGIBLE}), (TEMPERATURE[1], LOWER))),
            ("", ((TEMPERATURE[2], {"above": -NEGLIGIBLE, "below": NEGLIGIBLE}),)),
        ):
            scaled = []
            for r in records:
                fit = confidence.fit_temperature(getattr(r, f"{fitted_on}logits"), getattr(r, f"{fitted_on}labels"))
                scaled.append((confidence.scale(r.logits, fit), r.labels))
            compared = compare_methods(plain, scaled, _METRICS, group.replicates)
            rows = [(part, "auroc", claimed) for part, claimed in parts] + [(parts[0][0], "ece", {"decides": False})]
            for part, quantity, more in rows:
                c = compared[quantity]
                found += group.evidence(part, quantity, (c.difference, c.low, c.high), len(records),
                                        "temperature-scaled − baseline", **more)  # fmt: skip
    return found


def late_change(record, metric: str, middle=MIDDLE, end=END) -> float:
    """Return a test metric's mean over the end of training minus its mean over the middle (NaN if never looked at).

    Parameters
    ----------
    record : records.Record
        Its history holds ``test_<metric>`` now and then.
    metric : str
        Such as ``auroc``.
    middle, end : tuple of float
        Shares of the epochs, each open at its first and closed at its second.

    Returns
    -------
    float
        In natural units.
    """
    epochs = record.settings.epochs
    means = []
    for first, last in (middle, end):
        values = [e.get(f"test_{metric}") for e in record.history if first * epochs < e["epoch"] <= last * epochs]
        values = [v for v in values if v is not None]
        means.append(np.mean(values) if values else np.nan)
    return float(means[1] - means[0])


def overfitting(runs) -> list[Evidence]:
    """Return, for C6, the baseline's change of AUROC late in training, and that of accuracy, which must rise."""
    found = []
    for group in runs:
        (records,) = group.records("baseline")
        if not records:
            continue
        accuracy, auroc = (over_seeds([late_change(r, m) for r in records]) for m in ("accuracy", "auroc"))
        found += group.evidence("AUROC falls while accuracy rises", "late_auroc", auroc, len(records), "baseline",
                                provided=accuracy[0] > 0, surely=accuracy[1] > 0, **LOWER)  # fmt: skip
        found += group.evidence("AUROC falls while accuracy rises", "late_accuracy", accuracy, len(records), "baseline",
                                decides=False)  # fmt: skip
    return found


def mitigation(runs) -> list[Evidence]:
    """Return, for C12, each flat method's late change of AUROC minus the baseline's, of the same seed."""
    found = []
    for method in FLAT:
        for group in runs:
            sides = group.records(method, "baseline")
            if not sides[0]:
                continue
            own, base = (np.array([late_change(r, "auroc") for r in side]) for side in sides)
            falls = over_seeds(base)[2] < 0
            found += group.evidence(
                names.name(method), "late_auroc", over_seeds(own - base), len(own),
                f"{names.name(method)} − baseline", decides=bool(falls), **HIGHER,
            )  # fmt: skip
    return found


def shifted(runs) -> list[Evidence]:
    """Return, for C11, FMFP's differences in means over corruptions and severities, which ``shift`` measured."""
    found = []
    for other in ("baseline", "crl"):
        for group in runs:
            sides = pair_by_seed(*(shift_study.measured(*group.records(m)) for m in (other, "fmfp")))
            if sides[0]:
                compared = shift_study.compare(*sides, group.replicates)
                for quantity, claimed in (("auroc", HIGHER), ("aurc", LOWER), ("fpr95", LOWER)):
                    c = compared[quantity]
                    found += group.evidence(f"against {names.name(other)}", quantity, (c.difference, c.low, c.high),
                                            len(sides[0]), f"FMFP − {names.name(other)}", **claimed)  # fmt: skip
    return found


def _measured(record, name):
    return measures.load(record, name) if name in measures.MEASURES else None


def confidnet(runs) -> list[Evidence]:
    """Return, for C13, FMFP's differences from ConfidNet's score of the baseline's predictions, of the same seed."""
    found = []
    for group in runs:
        baseline = group.runs.get("baseline", {})
        kept = {seed: (_measured(record, "confidnet"), record.correct) for seed, record in baseline.items()}
        scored = {seed: (arrays["score"], correct) for seed, (arrays, correct) in kept.items() if arrays is not None}
        sides = pair_by_seed(scored, {seed: record.scored for seed, record in group.runs.get("fmfp", {}).items()})
        if not sides[0]:
            continue
        for quantity, c in compare_scores(*sides, ("auroc", "aurc", "fpr95"), group.replicates).items():
            claimed = HIGHER if quantity == "auroc" else LOWER
            found += group.evidence("FMFP against ConfidNet", quantity, (c.difference, c.low, c.high), len(sides[0]),
                                    "FMFP − ConfidNet", **claimed)  # fmt: skip
    return found


def flatness_and_gap(group: Runs, methods=("baseline", *FLAT)) -> dict[str, np.ndarray]:
    """Return, for the runs of a group on which flatness was measured, three measures of it and the confidence gap.

    Keys: ``method``, ``seed``, ``loss_rise`` (mean loss under the perturbation minus under none), ``sharpness``,
    ``eigenvalue``, ``gap``, ``auroc``.

    Parameters
    ----------
    group : Runs
        The runs of one data set and network.
    methods : sequence of str
        Keys of `methods.METHODS`.

    Returns
    -------
    dict of str to ndarray, (m,)
        One value per run.
    """
    rows = {key: [] for key in ("method", "seed", "loss_rise", "sharpness", "eigenvalue", "gap", "auroc")}
    for method in methods:
        for record in group.records(method)[0]:
            found = _measured(record, "flatness")
            if found is None:
                continue
            loss, norms = found["loss"].reshape(len(found["norms"]), -1).mean(1), found["norms"]
            rise = loss[np.abs(norms - PERTURBATION).argmin()] - loss[norms.argmin()]
            msp, correct = record.scored
            values = (method, record.settings.seed, rise, float(found["sharpness"]), float(found["eigenvalue"]),
                      msp[correct].mean() - msp[~correct].mean(), auroc(msp, correct))  # fmt: skip
            for key, value in zip(rows, values, strict=True):
                rows[key].append(value)
    return {key: np.array(values) for key, values in rows.items()}


def flat_minima(runs) -> list[Evidence]:
    """Return, for C15, the rank correlation of each kind of sharpness with the confidence gap, over a group's runs."""
    found = []
    for group in runs:
        rows = flatness_and_gap(group)
        count = min((np.count_nonzero(rows["method"] == m) for m in set(rows["method"])), default=0)
        if len(set(rows["method"])) < 2 or len(rows["gap"]) < 3:
            continue
        for quantity in ("loss_rise", "sharpness", "eigenvalue"):
            pairs = rows[quantity], rows["gap"]
            estimate = rank_correlation(*pairs, group.replicates, clusters=rows["method"])
            methods = len(set(rows["method"]))
            found += group.evidence("flatter, larger gap", quantity, estimate, count,
                                    f"{len(rows['gap'])} runs of {methods} methods", decides=methods >= MEASURED,
                                    **LOWER)  # fmt: skip
    return found
