"""The paper's claims, C1 to C15: what each says, the test that decides it, the evidence, the verdict.

Every test was written down before its outcome was looked at. A test is a list of comparisons, each with the range that
the claim gives it (lower, higher, no further than). `statistics.agreement` says whether an estimate lies there, and
whether its whole 95 % interval does; `statistics.decide` makes a verdict of that for each part of a claim and
`statistics.combine` for the claim. No verdict is typed in. Only finished runs count, and comparisons of fewer than three
seeds decide nothing.
"""

import html
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from . import audit, confidence, measures, statistics, study, tables
from .metrics import softmax

CALIBRATION, FLAT = audit.CALIBRATION, audit.FLAT
METHODS = ("baseline", *CALIBRATION, "crl", *FLAT)
SEEDS = 3  # as many as the paper's: with fewer, a comparison is shown and does not decide
COVERAGES = (0.6, 0.7, 0.8, 0.9)  # C3
NEGLIGIBLE = 0.005  # C4: half a point of AUROC, less than half of FMFP's smallest published gain in Table 2 (1.29)
KEPT = 0.02  # C10: the confidence of right predictions is kept if it falls by less than two points
MIDDLE, END = (0.40, 0.60), (0.85, 1.00)  # C6, C12: shares of the epochs; averaging starts at 60 %
PERTURBATION = 0.2  # C15: relative norm of the random perturbation
REPLICATES = 300

LOWER, HIGHER = {"below": 0.0}, {"above": 0.0}
_METRICS = ("accuracy", "auroc", "aurc", "fpr95", "ece", "nll", "brier")
_SCORES = ("confidence_right", "confidence_wrong", "confidence_gap", "overlap",
           *(f"selective_risk@{c}" for c in COVERAGES))  # fmt: skip
# Heading and factor of what `tables.DISPLAY` does not name.
_HEADINGS = {
    "confidence_right": ("confidence of right predictions %", 100),
    "confidence_wrong": ("confidence of wrong predictions %", 100),
    "confidence_gap": ("confidence gap, points", 100),
    "overlap": ("overlap %", 100),
    **{f"selective_risk@{c}": (f"selective risk at {100 * c:.0f} % coverage, %", 100) for c in COVERAGES},
    "late_auroc": ("AUROC, end minus middle of training, points", 100),
    "late_accuracy": ("accuracy, end minus middle of training, points", 100),
    "loss_rise": ("rank correlation of the loss's rise and the gap", 1),
    "sharpness": ("rank correlation of SAM's sharpness and the gap", 1),
    "eigenvalue": ("rank correlation of the Hessian's largest eigenvalue and the gap", 1),
}


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
    value, low, high : float
        The difference and its 95 % interval (NaN if there is none), in natural units.
    seeds : int
        How many runs each side has.
    above, below : float
        The range that the claim gives it.
    decides : bool
        Whether it enters the verdict, or stands for context.
    provided : bool
        Whether what the claim presupposes holds here; if not, the comparison cannot agree.
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

    @property
    def outcome(self) -> tuple[bool, bool]:
        """Whether it agrees with the claim, and whether that is certain."""
        agrees, certain = statistics.agreement(self.value, self.low, self.high, self.above, self.below)
        if agrees and not self.provided:
            return False, False
        return agrees, certain

    @property
    def display(self) -> tuple[str, float]:
        """Heading and factor of the quantity, in the paper's units."""
        if self.quantity in tables.DISPLAY:
            factor, heading = tables.DISPLAY[self.quantity]
            return heading, factor
        return _HEADINGS[self.quantity]

    @property
    def numbers(self) -> str:
        """The difference and its interval, in the paper's units."""
        factor = self.display[1]
        text = f"{factor * self.value:+.2f}"
        if np.isfinite(self.low):
            text += f" [{factor * self.low:+.2f}, {factor * self.high:+.2f}]"
        return text

    @property
    def claimed(self) -> str:
        """The range that the claim gives it, in words."""
        above, below = (self.display[1] * v for v in (self.above, self.below))
        if np.isinf(above) and np.isinf(below):
            return "–"
        if np.isinf(above):
            return "lower" if below == 0 else f"below {below:+g}"
        if np.isinf(below):
            return "higher" if above == 0 else f"above {above:+g}"
        return f"within {above:+g} to {below:+g}"

    @property
    def reading(self) -> str:
        """What it says about the claim, in words."""
        if not self.decides:
            return "context"
        agrees, certain = self.outcome
        return ("as claimed" if agrees else "not as claimed") + ("" if certain else ", not certain")


@dataclass(frozen=True)
class Claim:
    """One claim of the paper.

    Attributes
    ----------
    id : str
        ``C1`` to ``C15``.
    wording : str
        What it says, in this book's words.
    section : str
        Where the paper makes it.
    test : str
        What decides it, fixed before looking.
    gather : callable
        From a list of runs to the evidence.
    published : callable
        What the paper's own tables say about it, in words; empty if they hold nothing.
    needs : str
        What is missing where it cannot be tested.
    """

    id: str
    wording: str
    section: str
    test: str
    gather: Callable
    published: Callable = lambda: ""
    needs: str = "finished runs of the baseline and of the methods, three seeds each"


@dataclass(frozen=True)
class Result:
    """A claim with its evidence."""

    claim: Claim
    evidence: tuple[Evidence, ...]

    @property
    def parts(self) -> dict[str, str]:
        """The verdict on each part of the claim."""
        return {
            part: statistics.decide(e.outcome for e in self.evidence if e.part == part and e.decides)
            for part in dict.fromkeys(e.part for e in self.evidence)
        }

    @property
    def verdict(self) -> str:
        """One of `statistics.VERDICTS`."""
        return statistics.combine(self.parts.values())

    @property
    def count(self) -> str:
        """How many comparisons decided it, and how."""
        deciding = [e.outcome for e in self.evidence if e.decides]
        agreeing = sum(agrees for agrees, _ in deciding)
        certain, against = (sum(c and a == side for a, c in deciding) for side in (True, False))
        return f"{agreeing} of {len(deciding)} as claimed, {certain} of them certain; {against} certain against"

    @property
    def why(self) -> str:
        """What made the verdict: the parts by theirs, or what is missing."""
        if self.verdict == "not testable here":
            return f"needs {self.claim.needs}"
        if len(self.parts) == 1:
            return self.count
        groups = {v: [part for part, own in self.parts.items() if own == v] for v in statistics.VERDICTS}
        return "; ".join(f"{v}: {', '.join(parts)}" for v, parts in groups.items() if parts)


# -- our side: comparisons of finished runs -------------------------------------------------------------------


class Runs:
    """The finished runs of one group, and comparisons of its methods; each is drawn once."""

    def __init__(self, group: study.Group, replicates: int = REPLICATES):
        self.title, self.replicates = group.title, replicates
        self.runs = {m: {r.settings.seed: r for r in found} for m, found in group.runs.items()}
        self._made: dict = {}

    def seeds(self, *methods) -> list[int]:
        """Return the seeds that every one of `methods` has."""
        return sorted(set.intersection(*(set(self.runs.get(m, ())) for m in methods)))

    def records(self, method, seeds=None) -> list:
        """Return a method's records, by seed."""
        own = self.runs.get(method, {})
        return [own[s] for s in (sorted(own) if seeds is None else seeds)]

    def evidence(self, part, quantity, comparison, seeds, compared, **more) -> list[Evidence]:
        """Return one piece of evidence, or none for a quantity that is not defined here."""
        value, low, high = comparison
        if not np.isfinite(value):
            return []
        decides = more.pop("decides", True) and seeds >= SEEDS
        return [Evidence(part, self.title, compared, quantity, value, low, high, seeds, decides=decides, **more)]

    def difference(self, part, a: str, b: str, quantity: str, **more) -> list[Evidence]:
        """Return the evidence of method `b` minus method `a`, seed by seed; nothing where runs are missing."""
        seeds = self.seeds(a, b)
        if not seeds:
            return []
        scored = quantity in _SCORES
        if (a, b, scored) not in self._made:
            sides = [self.records(m, seeds) for m in (a, b)]
            if scored:
                pairs = [[_scored(r) for r in side] for side in sides]
                self._made[a, b, scored] = statistics.compare_scores(*pairs, _SCORES, self.replicates)
            else:
                pairs = [[(r.logits, r.labels) for r in side] for side in sides]
                self._made[a, b, scored] = statistics.compare_methods(*pairs, _METRICS, self.replicates)
        c = self._made[a, b, scored][quantity]
        compared = f"{tables.name(b)} − {tables.name(a)}"
        return self.evidence(part, quantity, (c.difference, c.low, c.high), len(seeds), compared, **more)


def _scored(record):
    return softmax(record.logits).max(1), record.logits.argmax(1) == record.labels


def _all(runs, *calls) -> list[Evidence]:
    """Return the evidence of every group for `calls`, each the arguments of `Runs.difference` and its range."""
    return [e for *words, claimed in calls for group in runs for e in group.difference(*words, **claimed)]


def _each(methods, against, quantities: dict):
    """Return calls for `_all`: every method, a part of its own, against another one."""
    return [(tables.name(m), against, m, *call) for m in methods for call in quantities.items()]


def _temperature(runs) -> list[Evidence]:
    found = []
    for group in runs:
        records = group.records("baseline")
        for part, fitted_on, claimed in (
            ("fitted on validation: no gain", "valid_", {"below": NEGLIGIBLE}),
            ("fitted on test: negligible", "", {"above": -NEGLIGIBLE, "below": NEGLIGIBLE}),
        ):
            scaled = []
            for r in records:
                fit = confidence.fit_temperature(getattr(r, f"{fitted_on}logits"), getattr(r, f"{fitted_on}labels"))
                scaled.append((confidence.scale(r.logits, fit), r.labels))
            plain = [(r.logits, r.labels) for r in records]
            compared = statistics.compare_methods(plain, scaled, _METRICS, group.replicates) if records else {}
            for quantity, more in (("auroc", claimed), ("ece", {"decides": False})):
                if compared:
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
    """
    epochs = record.settings.epochs
    means = []
    for first, last in (middle, end):
        values = [e.get(f"test_{metric}") for e in record.history if first * epochs < e["epoch"] <= last * epochs]
        values = [v for v in values if v is not None]
        means.append(np.mean(values) if values else np.nan)
    return float(means[1] - means[0])


def _late(group, method, metric, seeds=None):
    return [late_change(r, metric) for r in group.records(method, seeds)]


def _overfitting(runs) -> list[Evidence]:
    found = []
    for group in runs:
        seeds = len(group.seeds("baseline"))
        if not seeds:
            continue
        accuracy, auroc = (statistics.over_seeds(_late(group, "baseline", m)) for m in ("accuracy", "auroc"))
        found += group.evidence("AUROC falls while accuracy rises", "late_auroc", auroc, seeds, "baseline",
                                provided=accuracy[0] > 0, **LOWER)  # fmt: skip
        found += group.evidence("AUROC falls while accuracy rises", "late_accuracy", accuracy, seeds, "baseline",
                                decides=False)  # fmt: skip
    return found


def _mitigation(runs) -> list[Evidence]:
    found = []
    for method in FLAT:
        for group in runs:
            seeds = group.seeds("baseline", method)
            if not seeds:
                continue
            own, base = (np.array(_late(group, m, "auroc", seeds)) for m in (method, "baseline"))
            found += group.evidence(
                tables.name(method), "late_auroc", statistics.over_seeds(own - base), len(seeds),
                f"{tables.name(method)} − baseline", decides=bool(base.mean() < 0), **HIGHER,
            )  # fmt: skip
    return found


def _shift(runs) -> list[Evidence]:
    """Means over corruptions and severities, seed by seed, of what ``measures`` keeps as ``shift``."""
    found = []
    for other in ("baseline", "crl"):
        for group in runs:
            sides = {m: {r.settings.seed: _measured(r, "shift") for r in group.records(m)} for m in (other, "fmfp")}
            seeds = [s for s in group.seeds(other, "fmfp") if all(side[s] for side in sides.values())]
            for quantity, claimed in (("auroc", HIGHER), ("aurc", LOWER), ("fpr95", LOWER)):
                if seeds:
                    gains = [np.mean(sides["fmfp"][s][quantity]) - np.mean(sides[other][s][quantity]) for s in seeds]
                    found += group.evidence(f"against {tables.name(other)}", quantity, statistics.over_seeds(gains),
                                            len(seeds), f"FMFP − {tables.name(other)}", **claimed)  # fmt: skip
    return found


def _measured(record, name):
    return measures.load(record, name) if name in measures.MEASURES else None


def _confidnet(runs) -> list[Evidence]:
    found = []
    for group in runs:
        kept = {r.settings.seed: _measured(r, "confidnet") for r in group.records("baseline")}
        seeds = [s for s in group.seeds("baseline", "fmfp") if kept[s] is not None]
        if not seeds:
            continue
        net = [(kept[s]["score"], _scored(r)[1]) for s, r in zip(seeds, group.records("baseline", seeds), strict=True)]
        fmfp = [_scored(r) for r in group.records("fmfp", seeds)]
        names = ("auroc", "aurc", "fpr95")
        for quantity, c in statistics.compare_scores(net, fmfp, names, group.replicates).items():
            claimed = HIGHER if quantity == "auroc" else LOWER
            found += group.evidence("FMFP against ConfidNet", quantity, (c.difference, c.low, c.high), len(seeds),
                                    "FMFP − ConfidNet", **claimed)  # fmt: skip
    return found


def flatness_and_gap(group: Runs) -> dict[str, np.ndarray]:
    """Return, for the runs of a group on which flatness was measured, three measures of it and the confidence gap.

    Keys: ``method``, ``loss_rise`` (mean loss under the perturbation minus under none), ``sharpness``, ``eigenvalue``,
    ``gap``.
    """
    rows = {key: [] for key in ("method", "loss_rise", "sharpness", "eigenvalue", "gap")}
    for method in ("baseline", *FLAT):
        for record in group.records(method):
            found = _measured(record, "flatness")
            if found is None:
                continue
            loss, norms = found["loss"].reshape(len(found["norms"]), -1).mean(1), found["norms"]
            rise = loss[np.abs(norms - PERTURBATION).argmin()] - loss[norms.argmin()]
            msp, right = _scored(record)
            gap = msp[right].mean() - msp[~right].mean()
            values = method, rise, float(found["sharpness"]), float(found["eigenvalue"]), gap
            for key, value in zip(rows, values, strict=True):
                rows[key].append(value)
    return {key: np.array(values) for key, values in rows.items()}


def _flat_minima(runs) -> list[Evidence]:
    found = []
    for group in runs:
        rows = flatness_and_gap(group)
        count = min((np.count_nonzero(rows["method"] == m) for m in set(rows["method"])), default=0)
        if len(set(rows["method"])) < 2 or len(rows["gap"]) < 3:
            continue
        for quantity in ("loss_rise", "sharpness", "eigenvalue"):
            estimate = statistics.rank_correlation(rows[quantity], rows["gap"], group.replicates)
            found += group.evidence("flatter, larger gap", quantity, estimate, count,
                                    f"{len(rows['gap'])} runs", **LOWER)  # fmt: skip
    return found


# -- the paper's side: what its tables say --------------------------------------------------------------------


def _won(frame, method, metric, against="baseline"):
    row = frame[(frame["method"] == method) & (frame["metric"] == metric) & (frame["against"] == against)].iloc[0]
    return int(row["wins"]), int(row["losses"]), int(row["cells"])


def _published_ece() -> str:
    lower = sum(own < base for base, own in audit.QUOTED_ECE.values())
    return (f"No table has the ECE of these methods; section 3.2 quotes it for mixup and focal loss on two networks "
            f"(CIFAR-10), lower than the baseline's in {lower} of {len(audit.QUOTED_ECE)} cases.")  # fmt: skip


def _published_harm() -> str:
    frame = audit.calibration_wins()
    words = []
    for method in CALIBRATION:
        (_, lower, cells), (_, higher, _) = (_won(frame, method, m) for m in ("auroc", "aurc"))
        words.append(f"{tables.name(method)} {lower} and {higher}")
    adjusted = frame[frame["metric"].isin(["auroc", "aurc"])]
    certain = int((adjusted["p_holm"] < 0.05).sum())
    return (f"Tables 1 and 4, {cells} cells a method; lower AUROC and higher AURC than the baseline's in: "
            f"{', '.join(words)}. Sign tests, adjusted for {len(frame)} metrics and methods: {certain} of these "
            f"{len(adjusted)} below 0.05.")  # fmt: skip


def _published_flat() -> str:
    frame = audit.flat_wins()
    lines = []
    for other in ("baseline", "crl"):
        words = []
        for method in FLAT:
            won = [_won(frame, method, m, other) for m in ("auroc", "aurc", "fpr95")]
            words.append(f"{tables.name(method)} {', '.join(str(w) for w, _, _ in won)}")
        lines.append(f"against {tables.name(other)}: {'; '.join(words)}")
    part = frame[frame["metric"].isin(["aurc", "eaurc", "auroc", "fpr95", "aupr_success", "aupr_error"])]
    cells = _won(frame, "fmfp", "auroc")[2]
    return (f"Table 2, cells of {cells} won on AUROC, AURC and FPR-95%TPR, {'; '.join(lines)}. all six "
            f"failure-prediction metrics: {part['wins'].sum()} of {part['cells'].sum()}.")  # fmt: skip


def _published_best() -> str:
    best, quoted = audit.best(), audit.quoted()
    gains = " and ".join(f"{row.tables:+.2f}" for row in quoted.itertuples() if "gain" in row.what)
    auroc, aurc = best.loc["auroc"], best.loc["aurc"]
    return (f"Table 2: FMFP has the best AUROC in {auroc['fmfp']} of {auroc['cells']} cells and the best AURC in "
            f"{aurc['fmfp']}; its gains in AUROC with ResNet110 (CIFAR-10, CIFAR-100), "
            f"recomputed from the cells: {gains}.")  # fmt: skip


def _published_calibration() -> str:
    frame = audit.flat_wins()
    words = [f"{tables.DISPLAY[m][1].split()[0]} {_won(frame, 'fmfp', m)[0]}" for m in ("ece", "nll", "brier")]
    return f"Table 2, cells of {_won(frame, 'fmfp', 'ece')[2]} in which FMFP is below the baseline: {', '.join(words)}."


def _published_other(table: str, label: str) -> str:
    lines = []
    for other in ("baseline", "crl"):
        frame = audit.wins(["fmfp"], other, (table,), ("auroc", "aurc", "fpr95"))
        words = [f"{tables.DISPLAY[r.metric][1].split()[0]} {r.wins} of {r.cells}" for r in frame.itertuples()]
        lines.append(f"against {tables.name(other)} {', '.join(words)}")
    return f"{label}, cells won by FMFP: {'; '.join(lines)}."


# -- the claims -----------------------------------------------------------------------------------------------

_MARGIN = f"{100 * NEGLIGIBLE:g}"
_WINDOWS = (f"from {100 * MIDDLE[0]:.0f} to {100 * MIDDLE[1]:.0f} % of the epochs (after the learning rate's first "
            f"fall, before averaging starts) and over the last {100 * (END[1] - END[0]):.0f} %")  # fmt: skip
_BOOTSTRAP = "95 % paired bootstrap over test images and seeds"

CLAIMS = (
    Claim(
        "C1", "Mixup, label smoothing, focal loss, CS-KD and the L1 norm calibrate: their ECE is lower.", "3.2",
        f"ECE minus the baseline's, {_BOOTSTRAP}; claimed lower. One part a method.",
        lambda runs: _all(runs, *_each(CALIBRATION, "baseline", {"ece": LOWER})), _published_ece,
    ),
    Claim(
        "C2", "The same methods make errors harder to find: lower AUROC, higher AURC, on every network and data set.",
        "3.2, figures 2 and 3, tables 1 and 4",
        f"AUROC and AURC minus the baseline's, {_BOOTSTRAP}; claimed lower and higher. One part a method, over all "
        "networks and data sets.",
        lambda runs: _all(runs, *_each(CALIBRATION, "baseline", {"auroc": LOWER, "aurc": HIGHER})), _published_harm,
    ),
    Claim(
        "C3", "At a given coverage the baseline has a lower selective risk than each of them.", "3.2, figure 2 (b)",
        "Selective risk at " + ", ".join(f"{100 * c:.0f}" for c in COVERAGES) + f" % coverage minus the baseline's, "
        f"{_BOOTSTRAP}; claimed higher. One part a method.",
        lambda runs: _all(
            runs, *_each(CALIBRATION, "baseline", {f"selective_risk@{c}": HIGHER for c in COVERAGES})
        ),
    ),
    Claim(
        "C4", "Temperature scaling fitted on validation data does not help AUROC; fitted on test data it hardly does.",
        "3.2, figure 4",
        f"The temperature of smallest NLL; AUROC minus the unscaled baseline's, {_BOOTSTRAP}. No help: the gain "
        f"is below {_MARGIN} points. Hardly: the change is within {_MARGIN} points either way, less than half of "
        "FMFP's smallest published gain.",
        _temperature,
    ),
    Claim(
        "C5", "Label smoothing and mixup make right predictions under-confident: ECE of all predictions falls, ECE of "
        "the right ones rises, and right and wrong overlap more.", "3.3, figures 5 and 6",
        "Against the baseline, " + _BOOTSTRAP + ": ECE claimed lower; mean confidence of right predictions claimed "
        "lower (their ECE is one minus it); overlap claimed higher, which is the smallest sum, over all thresholds, of "
        "the share of right predictions rejected and of wrong ones accepted. Three parts a method.",
        lambda runs: _all(runs, *(
            (f"{tables.name(m)}: {words}", "baseline", m, quantity, claimed)
            for m in ("label_smoothing", "mixup")
            for words, quantity, claimed in (("ECE of all falls", "ece", LOWER),
                                             ("ECE of right ones rises", "confidence_right", LOWER),
                                             ("overlap grows", "overlap", HIGHER))
        )),
    ),
    Claim(
        "C6", "Reliable overfitting: late in training AUROC falls while accuracy still rises.", "4.1, figure 8",
        f"The baseline's AUROC on test images, averaged {_WINDOWS}: the second minus the first, Student's 95 % "
        "interval over seeds; claimed lower. It agrees only where accuracy, averaged likewise, rises.",
        _overfitting,
    ),
    Claim(
        "C7", "Flat minima (SAM, SWA, FMFP) find errors better than the baseline and CRL.",
        "4.2, tables 2 and 5, figures 11 and 16",
        f"AUROC, AURC and FPR-95%TPR (those of Table 3) minus the other method's, {_BOOTSTRAP}; claimed higher, lower, "
        "lower. One part a method and opponent.",
        lambda runs: _all(runs, *(
            (f"{tables.name(m)} against {tables.name(other)}", other, m, quantity, claimed)
            for other in ("baseline", "crl") for m in FLAT
            for quantity, claimed in (("auroc", HIGHER), ("aurc", LOWER), ("fpr95", LOWER))
        )),
        _published_flat,
    ),
    Claim(
        "C8", "FMFP is generally the best of the three.", "4.2, table 2",
        f"AUROC and AURC minus SAM's and SWA's, {_BOOTSTRAP}; claimed higher and lower. One part an opponent.",
        lambda runs: _all(runs, *(
            (f"against {tables.name(other)}", other, "fmfp", quantity, claimed)
            for other in ("sam", "swa") for quantity, claimed in (("auroc", HIGHER), ("aurc", LOWER))
        )),
        _published_best,
    ),
    Claim(
        "C9", "FMFP also calibrates: lower ECE, NLL and Brier score.", "4.2, table 2",
        f"ECE, NLL and Brier score minus the baseline's, {_BOOTSTRAP}; claimed lower. One part a metric.",
        lambda runs: _all(runs, *(
            (tables.DISPLAY[m][1].split()[0], "baseline", "fmfp", m, LOWER) for m in ("ece", "nll", "brier")
        )),
        _published_calibration,
    ),
    Claim(
        "C10", "FMFP lowers the confidence of errors and keeps that of right predictions, so that the gap grows.",
        "4.2, figures 9 and 10",
        f"Mean confidence of wrong predictions minus the baseline's, claimed lower; of right ones, claimed to fall by "
        f"less than {100 * KEPT:.0f} points; their gap, claimed higher; {_BOOTSTRAP}. Three parts.",
        lambda runs: _all(
            runs,
            ("errors: lower", "baseline", "fmfp", "confidence_wrong", LOWER),
            ("right ones: kept", "baseline", "fmfp", "confidence_right", {"above": -KEPT}),
            ("gap: larger", "baseline", "fmfp", "confidence_gap", HIGHER),
        ),
    ),
    Claim(
        "C11", "The advantage holds on corrupted images.", "4.2, table 3",
        "AUROC, AURC and FPR-95%TPR, averaged over corruptions and severities, FMFP minus the baseline and minus CRL, "
        "Student's 95 % interval over seeds; claimed higher, lower, lower. One part an opponent.",
        _shift, lambda: _published_other("table3", "Table 3 (CIFAR-10-C)"),
        "the measure “shift” beside the records of FMFP, the baseline and CRL",
    ),
    Claim(
        "C12", "Flat minima mitigate reliable overfitting.", "4.2, figure 12",
        f"AUROC on test images, averaged {_WINDOWS}: the second minus the first, less the baseline's of the same seed, "
        "Student's 95 % interval; claimed higher. One part a method; only where the baseline's AUROC falls, since "
        "elsewhere there is nothing to mitigate.",
        _mitigation,
        needs="a group in which the baseline's AUROC falls late in training",
    ),
    Claim(
        "C13", "FMFP finds errors better than ConfidNet does (VGG).", "supplement C.2, figure 15",
        f"AUROC, AURC and FPR-95%TPR of FMFP minus those of ConfidNet on the baseline's predictions, {_BOOTSTRAP}; "
        "claimed higher, lower, lower.",
        _confidnet,
        needs="the measure “confidnet” beside records of the baseline, with FMFP's of the same seeds",
    ),
    Claim(
        "C14", "The advantage holds on Tiny-ImageNet.", "supplement C.2, table 5",
        "Tiny-ImageNet's networks need a GPU; no test was made here.",
        lambda runs: [], lambda: _published_other("table5", "Table 5"),
        "runs on Tiny-ImageNet, which need a GPU",
    ),
    Claim(
        "C15", "Flatter minima have a larger confidence gap between right and wrong predictions.", "4.1, figure 7",
        f"Over the runs of the baseline, SAM, SWA and FMFP on one network: Spearman's correlation between three "
        f"measures of sharpness (rise of the training loss under a random perturbation of {100 * PERTURBATION:.0f} % of "
        "each filter's norm, SAM's sharpness, the Hessian's largest eigenvalue) and the gap on test images, 95 % bootstrap "
        "over runs; claimed negative.",
        _flat_minima,
        needs="the measure “flatness” beside records of the baseline, SAM, SWA and FMFP",
    ),
)  # fmt: skip


def finished() -> list[study.Group]:
    """Return the finished runs that the book shows, at classroom and at workstation scale."""
    return study.finished("classroom", METHODS) + study.finished("workstation", METHODS)


def evaluate(groups=None, replicates: int = REPLICATES, only=None) -> dict[str, Result]:
    """Put every claim to its test.

    Parameters
    ----------
    groups : list of study.Group, optional
        The runs that count; `finished` if not given.
    replicates : int
        Of each bootstrap.
    only : sequence of str, optional
        Ids; all if not given.

    Returns
    -------
    dict of str to Result
        By the claim's id.
    """
    runs = [Runs(group, replicates) for group in (finished() if groups is None else groups)]
    wanted = [claim for claim in CLAIMS if only is None or claim.id in only]
    return {claim.id: Result(claim, tuple(claim.gather(runs))) for claim in wanted}


def summary(results=None) -> str:
    """Return the verdicts as a Markdown table, each with a link to its evidence in the book."""
    results = evaluate() if results is None else results
    lines = ["| | The paper says | Verdict here | Why |", "| --- | --- | --- | --- |"]
    for key, result in results.items():
        link = f"{{ref}}`{key} <claim-{key.lower()}>`"
        lines.append(f"| {link} | {result.claim.wording} | *{result.verdict}* | {result.why} |")
    return "\n".join(lines)


def _table(heads, rows, caption) -> str:
    """Return an HTML table; its cells are HTML already."""
    head = "".join(f'<th scope="col">{h}</th>' for h in heads)
    body = "\n".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return (f'<div class="scroll" tabindex="0"><table class="side-by-side claims"><caption>{caption}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>")  # fmt: skip


def overview(results) -> str:
    """Return the verdicts as HTML, each with a link to its evidence further down the page."""
    rows = [
        (f'<a href="#claim-{key.lower()}">{key}</a>', *map(html.escape, (r.claim.wording, r.verdict, r.why)))
        for key, r in results.items()
    ]
    return _table(("", "The paper says", "Verdict here", "Why"), rows, "Every claim, and what our runs say of it.")


def page(result: Result) -> str:
    """Return one claim as HTML: verdict, test, evidence with intervals, and what the paper's tables say (so marked)."""
    claim, esc = result.claim, html.escape
    published = claim.published()
    parts = [
        f"<p><strong>Verdict here: {esc(result.verdict)}.</strong> {esc(result.why[:1].upper() + result.why[1:])}.</p>",
        f"<p><strong>The test</strong> (section {esc(claim.section)} of the paper). {esc(claim.test)}</p>",
    ]
    if result.evidence:
        rows = [
            (*map(esc, (e.part, e.group, e.compared, e.display[0], e.numbers, e.claimed, e.reading)), e.seeds)
            for e in result.evidence
        ]
        heads = ("part", "data, network", "compared", "quantity", "ours [95 % interval]", "claimed", "reading", "seeds")
        parts.append(_table(heads, rows, f"Our evidence. {esc(result.count)}."))
    said = published or "No table of the paper holds numbers on this claim."
    parts.append(f'<p><em class="published">Published.</em> <span class="published">{esc(said)}</span></p>')
    return "\n".join(parts)


def plain(results) -> dict:
    """Return the verdicts and their evidence as plain values, for JSON; what is not defined or not bounded is None."""

    def finite(value):
        return float(value) if np.isfinite(value) else None

    return {
        key: {
            "claim": r.claim.wording, "section": r.claim.section, "test": r.claim.test, "verdict": r.verdict,
            "why": r.why, "parts": r.parts, "published": r.claim.published(),
            "evidence": [
                {
                    "part": e.part, "group": e.group, "compared": e.compared, "quantity": e.quantity, "seeds": e.seeds,
                    **{name: finite(getattr(e, name)) for name in ("value", "low", "high", "above", "below")},
                    "claimed": e.claimed, "reading": e.reading,
                }
                for e in r.evidence
            ],
        }
        for key, r in results.items()
    }  # fmt: skip
