"""Evidence that is no plain difference of two methods' predictions: C4, C6, C11 to C13 and C15."""

from collections import Counter

import numpy as np

from .. import confidence, measures
from ..methods import FLAT
from ..metrics import auroc
from ..statistics import compare_methods, compare_scores, correlation_replicates, from_replicates, over_seeds
from . import names, shift_study
from .compare import classified, pair_by_seed
from .evidence import HIGHER, LOWER, RANKED, Evidence, Runs

NEGLIGIBLE = 0.005  # C4: half a point of AUROC, less than half of FMFP's smallest published gain in Table 2 (1.29)
MEASURED = ("baseline", *FLAT)  # C15: what a group must have measured
MIDDLE, END = (0.40, 0.60), (0.85, 1.00)  # C6, C12: shares of the epochs, (]; averaging starts at 60 %
PERTURBATION = 0.2  # C15: relative norm of the random perturbation

TEMPERATURE = (
    f"gain below {100 * NEGLIGIBLE:g} points if fitted on validation",
    "lower if fitted on validation",
    "negligible if fitted on test",
)


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
            compared = compare_methods(plain, scaled, ("auroc", "ece"), group.replicates)
            rows = [(part, "auroc", claimed) for part, claimed in parts] + [(parts[0][0], "ece", {"decides": False})]
            for part, quantity, more in rows:
                c = compared[quantity]
                found += group.evidence(part, quantity, c, len(records), "temperature-scaled − baseline", **more)
    return found


def late_change(record, metric: str) -> float:
    """Return a test metric's mean over the `END` of training minus its mean over the `MIDDLE` (NaN if never looked at).

    Parameters
    ----------
    record : records.Record
        Its history holds ``test_<metric>`` now and then.
    metric : str
        Such as ``auroc``.

    Returns
    -------
    float
        In natural units.
    """
    epochs = record.settings.epochs
    means = []
    for first, last in (MIDDLE, END):
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
                                sure=accuracy[1] > 0, **LOWER)  # fmt: skip
        found += group.evidence(
            "AUROC falls while accuracy rises", "late_accuracy", accuracy, len(records), "baseline", decides=False
        )
    return found


def falls_late(group: Runs) -> tuple[bool, tuple[int, ...]]:
    """Tell, for C12, whether the baseline's AUROC clearly falls late in training, by seeds that then decide nothing.

    These are the seeds that chose the regime, or else the first half of all.

    Parameters
    ----------
    group : Runs
        The runs of one data set and network.

    Returns
    -------
    falls : bool
        Whether the interval of the change lies below 0.
    seeds : tuple of int
        Those that told it.
    """
    own = group.runs.get("baseline", {})
    first = group.chose.get("baseline") or {seed: own[seed] for seed in sorted(own)[: len(own) // 2]}
    if len(first) < 2:
        return False, tuple(first)
    return bool(over_seeds([late_change(r, "auroc") for r in first.values()])[2] < 0), tuple(first)


def mitigation(runs) -> list[Evidence]:
    """Return, for C12, each flat method's late change of AUROC minus the baseline's, of the same seed."""
    found = []
    for method in FLAT:
        for group in runs:
            falls, told = falls_late(group)
            sides = [{s: r for s, r in group.runs.get(m, {}).items() if s not in told} for m in (method, "baseline")]
            own, base = (np.array([late_change(r, "auroc") for r in side]) for side in pair_by_seed(*sides))
            if len(own):
                found += group.evidence(
                    names.name(method), "late_auroc_gain", over_seeds(own - base), len(own),
                    f"{names.name(method)} − baseline", decides=falls, **HIGHER,
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
                for quantity, claimed in RANKED.items():
                    c = compared[quantity]
                    found += group.evidence(f"against {names.name(other)}", quantity, c,
                                            len(sides[0]), f"FMFP − {names.name(other)}", **claimed)  # fmt: skip
    return found


def confidnet(runs) -> list[Evidence]:
    """Return, for C13, FMFP's differences from ConfidNet's score of the baseline's predictions, of the same seed."""
    found = []
    for group in runs:
        baseline = group.runs.get("baseline", {})
        kept = {seed: (measures.load(record, "confidnet"), record.correct) for seed, record in baseline.items()}
        scored = {seed: (arrays["score"], correct) for seed, (arrays, correct) in kept.items() if arrays is not None}
        sides = pair_by_seed(scored, {seed: record.scored for seed, record in group.runs.get("fmfp", {}).items()})
        if not sides[0]:
            continue
        for quantity, c in compare_scores(*sides, RANKED, group.replicates).items():
            found += group.evidence(
                "FMFP against ConfidNet", quantity, c, len(sides[0]), "FMFP − ConfidNet", **RANKED[quantity]
            )
    return found


def flatness_and_gap(group: Runs, methods=MEASURED) -> dict[str, np.ndarray]:
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
            found = measures.load(record, "flatness")
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
    """Return, for C15, the rank correlation of each kind of sharpness with the confidence gap, over a group's runs.

    Methods are drawn, the same ones on every network: what a method does to both is alike there.
    """
    found = []
    for group in runs:
        rows = flatness_and_gap(group)
        runs_of = Counter(rows["method"].tolist())
        if len(runs_of) < 2 or len(rows["gap"]) < 3:
            continue
        for quantity in ("loss_rise", "sharpness", "eigenvalue"):  # the first decides
            pairs = rows[quantity], rows["gap"]
            whole, drawn = correlation_replicates(*pairs, group.replicates, clusters=rows["method"])
            estimate = from_replicates(quantity, 0.0, whole, drawn)
            decides = quantity == "loss_rise" and len(runs_of) >= len(MEASURED)
            found += group.evidence("flatter, larger gap", quantity, estimate, min(runs_of.values()),
                                    f"{len(rows['gap'])} runs of {len(runs_of)} methods", decides=decides,
                                    most=max(runs_of.values()), **LOWER)  # fmt: skip
    return found
