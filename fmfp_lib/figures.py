"""Figures and tables of the book: one colour a method throughout, safe for colour-blind readers."""

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns

from .metrics import risk_coverage_curve, softmax

_PALETTE = sns.color_palette("colorblind")
COLOURS = {"baseline": _PALETTE[7], "label_smoothing": _PALETTE[1], "fmfp": _PALETTE[0],
           "sam": _PALETTE[2], "swa": _PALETTE[4]}  # fmt: skip
NAMES = {"baseline": "baseline", "label_smoothing": "label smoothing", "sam": "SAM", "swa": "SWA", "fmfp": "FMFP"}
# The units in which the paper prints each metric: factor, heading.
DISPLAY = {
    "accuracy": (100, "Accuracy %"), "aurc": (1000, "AURC ×10³"), "eaurc": (1000, "E-AURC ×10³"),
    "fpr95": (100, "FPR-95%TPR %"), "auroc": (100, "AUROC %"), "aupr_success": (100, "AUPR-S %"),
    "aupr_error": (100, "AUPR-E %"), "ece": (100, "ECE %"), "nll": (10, "NLL ×10"), "brier": (100, "Brier %"),
    "augrc": (1000, "AUGRC ×10³"),
}  # fmt: skip


def confidence_and_correct(record):
    """Return the maximum softmax probability (n,) and whether the prediction is right (n,)."""
    return softmax(record.logits).max(1), record.logits.argmax(1) == record.labels


def metric_frame(records) -> pd.DataFrame:
    """Return one row a record: method, seed and every metric in natural units."""
    return pd.DataFrame([{"method": r.settings.method, "seed": r.settings.seed} | r.metrics for r in records])


def metric_table(records) -> pd.DataFrame:
    """Return mean ± standard deviation (ddof = 1) over seeds, in the paper's units, one row a method."""
    groups = metric_frame(records).groupby("method", sort=False)
    table = {}
    for metric, (factor, heading) in DISPLAY.items():
        mean, std = factor * groups[metric].mean(), factor * groups[metric].std()
        table[heading] = [
            f"{m:.2f}" + (f" ± {s:.2f}" if s == s else "") for m, s in zip(mean, std, strict=True)
        ]  # one seed has no spread
    return pd.DataFrame(table, index=[NAMES[m] for m in mean.index])


def confidence_histograms(records):
    """Draw, per record, the densities of the confidence of right and of wrong predictions."""
    figure, axes = plt.subplots(1, len(records), figsize=(3.4 * len(records), 2.9), sharey=True, squeeze=False)
    for axis, record in zip(axes[0], records, strict=True):
        confidence, correct = confidence_and_correct(record)
        frame = pd.DataFrame({"confidence": confidence, "prediction": ["right" if c else "wrong" for c in correct]})
        sns.histplot(frame, x="confidence", hue="prediction", hue_order=["right", "wrong"], stat="density",
                     common_norm=False, bins=25, binrange=(0, 1), ax=axis,
                     palette={"right": _PALETTE[0], "wrong": _PALETTE[3]})  # fmt: skip
        axis.set(title=NAMES[record.settings.method], xlabel="confidence (MSP)")
    figure.tight_layout()
    return figure


def risk_coverage_plot(records):
    """Draw one risk-coverage curve a record."""
    figure, axis = plt.subplots(figsize=(5.2, 3.4))
    for record in records:
        coverage, risk = risk_coverage_curve(*confidence_and_correct(record))
        method = record.settings.method
        axis.plot(100 * coverage, 100 * risk, color=COLOURS[method], label=NAMES[method])
    axis.set(xlabel="coverage (% of images answered)", ylabel="selective risk (% wrong among them)", xlim=(0, 100))
    axis.set_ylim(bottom=0)
    axis.legend(frameon=False)
    sns.despine(figure)
    figure.tight_layout()
    return figure
