"""What `fmfp evaluate` finds, as plain values; `report_text` and `report_page` show them. No torch."""

import math

import numpy as np

from .. import intervals, selective
from ..metrics import BINS, risk_coverage_curve
from ..metrics.calibration import bin_index
from ..statistics import REPLICATES
from . import explorer_data

COVERAGES = (1.0, 0.95, 0.9, 0.8, 0.7, 0.5)
WORTH_SAYING = 0.2  # share of the ECE from which on what a calibrated model would show is told
ERRORS = 20  # the incorrect predictions of highest confidence that are listed
# What is shown of each metric, in this order: factor and heading.
SHOWN = {
    "accuracy": (100, "Accuracy %"),
    "auroc": (100, "AUROC %"),
    "aurc": (1000, "AURC ×10³"),
    "eaurc": (1000, "E-AURC ×10³"),
    "naurc": (1, "NAURC"),
    "augrc": (1000, "AUGRC ×10³"),
    "fpr95": (100, "FPR-95%TPR %"),
    "aupr_success": (100, "AUPR-Success %"),
    "aupr_error": (100, "AUPR-Error %"),
    "ece": (100, "ECE %"),
    "nll": (1, "NLL, nats"),
    "brier": (100, "Brier %"),
}


def summary(predictions, replicates: int = REPLICATES) -> dict:
    """Return everything that the report shows of one system.

    Parameters
    ----------
    predictions : predictions.Predictions
        Items of a split other than ``test`` are left out, where there is a split.
    replicates : int
        Of the bootstrap.

    Returns
    -------
    dict
        Plain values in natural units, None where something is not defined; an infinite confidence is ``"inf"`` or
        ``"-inf"``. Intervals hold 95 %: of the metrics by bootstrap, of accuracies and risks by Clopper-Pearson.
    """
    predictions, rows, notes = judged(predictions)
    found = intervals.metrics_with_intervals(predictions, replicates)
    groups = None if predictions.group is None else _groups(predictions)
    content = {
        "name": predictions.name,
        "kind": predictions.kind,
        "items": len(predictions),
        "errors": int((~predictions.correct).sum()),
        "notes": notes,
        "metrics": {m: dict(zip(("value", "low", "high"), found[m], strict=True)) for m in SHOWN if m in found},
        "calibrated_ece": intervals.calibrated_ece(predictions) if predictions.is_probability else None,
        "risk_at_coverage": _risks(predictions),
        "risk_coverage_curve": _curve(predictions),
        "reliability": _reliability(predictions) if predictions.is_probability else None,
        "histogram": _histogram(predictions),
        "groups": groups,
        "worst_group": max(groups, key=lambda g: g["low"])["group"] if groups else None,
        "confident_errors": _confident_errors(predictions, rows),
    }
    return _plain(content)


def judged(predictions) -> tuple:
    """Return the items that may be judged, those of the test split where there is one; their rows; and the notes."""
    if predictions.split is None:
        return predictions, np.arange(len(predictions)), list(predictions.notes)
    rows = np.flatnonzero(predictions.split == "test")
    if not len(rows):
        raise ValueError(f"{predictions.name}: its split has no test items, and only those can be judged")
    note = f"Of {len(predictions):,} items the {len(rows):,} of the test split are judged."
    return predictions.take(rows), rows, [*predictions.notes, note]


def _plain(value):
    """Return `value` as JSON has it: no NumPy, no NaN, nothing infinite."""
    if isinstance(value, dict):
        return {key: _plain(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    value = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _confidence(value):
    """Return a confidence as JSON has it: an infinite one in words, with its sign."""
    return float(value) if math.isfinite(value) else str(float(value))


def _rate(errors, n, name="risk"):
    low, high = selective.interval(int(errors), int(n))
    return {name: float(errors / n), "low": low, "high": high}


def _risks(predictions):
    """Return the error rate above thresholds of confidence, for several coverages."""
    order, n = np.argsort(-predictions.confidence, kind="stable"), len(predictions)
    value, incorrect = predictions.confidence[order], ~predictions.correct[order]
    rows = []
    for coverage in COVERAGES:
        threshold = value[max(math.ceil(coverage * n - 1e-9), 1) - 1]
        accepted = int((value >= threshold).sum())  # with all of the same confidence
        errors = int(incorrect[:accepted].sum())
        row = {"coverage": accepted / n, "accepted": accepted, "errors": errors}
        row["confidence_at_least"] = _confidence(threshold)
        rows.append(row | _rate(errors, accepted))
    return list({row["accepted"]: row for row in rows}.values())


def _curve(predictions):
    """Return the risk-coverage curve at every per cent of coverage."""
    coverage, risk = risk_coverage_curve(predictions.ranked_by, predictions.correct)
    places = np.unique(np.ceil(np.arange(1, 101) * len(risk) / 100 - 1e-9).astype(int)) - 1
    return {"coverage": coverage[places].tolist(), "risk": risk[places].tolist()}


def _reliability(predictions):
    """Return the items, mean confidence and accuracy of each bin of confidence that holds any."""
    place, rows = bin_index(predictions.confidence, BINS), []
    for i in range(BINS):
        own = place == i
        if own.any():
            correct = int(predictions.correct[own].sum())
            row = {"from": i / BINS, "to": (i + 1) / BINS, "items": int(own.sum())}
            row["confidence"] = predictions.confidence[own].mean()
            rows.append(row | _rate(correct, own.sum(), "accuracy"))
    return rows


def _histogram(predictions):
    """Return how many correct and incorrect predictions lie in equal bins of confidence."""
    within = (0, 1) if predictions.is_probability else (predictions.confidence.min(), predictions.confidence.max())
    finite = np.isfinite(predictions.confidence)
    edges = np.linspace(*within, explorer_data.HALVES + 1) if np.isfinite(within).all() else None
    if edges is None or within[0] == within[1]:
        return None
    parts = (("right", predictions.correct), ("wrong", ~predictions.correct))
    return {"edges": edges.tolist()} | {
        name: np.histogram(predictions.confidence[part & finite], edges)[0].tolist() for name, part in parts
    }


def _groups(predictions):
    """Return the error rate of each group, the highest first."""
    rows = []
    for name in np.unique(predictions.group):
        own = predictions.group == name
        errors = int((own & ~predictions.correct).sum())
        rows.append({"group": name, "items": int(own.sum()), "errors": errors, **_rate(errors, own.sum())})
    return sorted(rows, key=lambda row: -row["risk"])


def _confident_errors(predictions, numbers):
    errors = np.flatnonzero(~predictions.correct)
    rows = []
    for row in errors[np.argsort(-predictions.ranked_by[errors], kind="stable")][:ERRORS]:
        entry = {"row": numbers[row], "confidence": _confidence(predictions.confidence[row])}
        for name in ("id", "labels", "predicted", "group"):
            if (values := getattr(predictions, name)) is not None:
                entry[name.removesuffix("s")] = values[row]
        rows.append(entry)
    return rows
