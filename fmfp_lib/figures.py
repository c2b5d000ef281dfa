"""Figures of the book: one colour a method throughout, safe for colour-blind readers."""

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns

from .metrics import risk_coverage_curve, softmax
from .tables import DISPLAY, against_baseline, name

_PALETTE = sns.color_palette("colorblind")
RIGHT, WRONG = _PALETTE[0], _PALETTE[3]
_COLOURS = {"baseline": 7, "label_smoothing": 1, "fmfp": 0, "sam": 2, "swa": 4, "mixup": 8, "focal": 3, "cs_kd": 6,
            "l1_norm": 5, "crl": 9}  # fmt: skip


def colour(method: str):
    """Return a method's colour; what has none of its own is grey."""
    return _PALETTE[_COLOURS.get(method, 7)]


def confidence_and_correct(record):
    """Return the maximum softmax probability (n,) and whether the prediction is right (n,)."""
    return softmax(record.logits).max(1), record.logits.argmax(1) == record.labels


def confidence_histograms(records):
    """Draw, per record, the densities of the confidence of right and of wrong predictions."""
    figure, axes = plt.subplots(1, len(records), figsize=(3.4 * len(records), 2.9), sharey=True, squeeze=False)
    for axis, record in zip(axes[0], records, strict=True):
        confidence, correct = confidence_and_correct(record)
        frame = pd.DataFrame({"confidence": confidence, "prediction": ["right" if c else "wrong" for c in correct]})
        sns.histplot(frame, x="confidence", hue="prediction", hue_order=["right", "wrong"], stat="density",
                     common_norm=False, bins=25, binrange=(0, 1), ax=axis,
                     palette={"right": RIGHT, "wrong": WRONG})  # fmt: skip
        axis.set(title=name(record.settings.method), xlabel="confidence (MSP)")
    figure.tight_layout()
    return figure


def risk_coverage_plot(records):
    """Draw one risk-coverage curve a record."""
    figure, axis = plt.subplots(figsize=(5.2, 3.4))
    for record in records:
        coverage, risk = risk_coverage_curve(*confidence_and_correct(record))
        method = record.settings.method
        axis.plot(100 * coverage, 100 * risk, color=colour(method), label=name(method))
    axis.set(xlabel="coverage (% of images answered)", ylabel="selective risk (% wrong among them)", xlim=(0, 100))
    axis.set_ylim(bottom=0)
    axis.legend(frameon=False)
    sns.despine(figure)
    figure.tight_layout()
    return figure


def calibration_against_ranking(groups, methods):
    """Draw each method's change of ECE (x) against its change of AUROC (y) from the baseline, with 95 % intervals.

    Parameters
    ----------
    groups : dict of str to list of records.Record
        A title a panel, and the finished runs of one network.
    methods : sequence of str
    """
    figure, axes = plt.subplots(1, len(groups), figsize=(5.2 * len(groups), 4.2), squeeze=False, sharey=True)
    for axis, (title, records) in zip(axes[0], groups.items(), strict=True):
        axis.axhline(0, color="0.6", linewidth=0.8)
        axis.axvline(0, color="0.6", linewidth=0.8)
        for method, found in against_baseline(records, methods, ("ece", "auroc")).items():
            x, y = (100 * found[m].difference for m in ("ece", "auroc"))
            spread = [[[100 * abs(c.difference - c.low)], [100 * abs(c.high - c.difference)]] for c in found.values()]
            axis.errorbar(x, y, xerr=spread[0], yerr=spread[1], fmt="o", color=colour(method), elinewidth=1,
                          label=name(method))  # fmt: skip
        axis.set(title=title, xlabel="change of ECE, points (left: better calibrated)")
        sns.despine(ax=axis)
    axes[0][0].set_ylabel("change of AUROC, points\n(up: errors easier to find)")
    axes[0][-1].legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    figure.tight_layout()
    return figure


def training_curves(groups, metrics, titles):
    """Draw test metrics during training, one panel a metric: mean over seeds, range shaded.

    Parameters
    ----------
    groups : dict of str to list of records.Record
        Runs of one method each, by the method's name.
    metrics : sequence of str
        Keys of the history, such as ``test_auroc``.
    titles : sequence of str
        A panel's label each.
    """
    figure, axes = plt.subplots(1, len(metrics), figsize=(4.4 * len(metrics), 3.2), squeeze=False)
    for axis, metric, title in zip(axes[0], metrics, titles, strict=True):
        for method, records in groups.items():
            rows = [{"epoch": e["epoch"], "value": 100 * e[metric]} for r in records for e in r.history
                    if e.get(metric) is not None]  # fmt: skip
            values = pd.DataFrame(rows).groupby("epoch")["value"]
            mean = values.mean()
            axis.plot(mean.index, mean, color=colour(method), label=name(method))
            axis.fill_between(mean.index, values.min(), values.max(), color=colour(method), alpha=0.15, linewidth=0)
        axis.set(xlabel="epoch", ylabel=title)
        sns.despine(ax=axis)
    axes[0][-1].legend(frameon=False)
    figure.tight_layout()
    return figure


def wins_heatmap(frames):
    """Draw in how many published cells each method wins, one panel a frame: metrics down, methods across.

    Parameters
    ----------
    frames : dict of str to DataFrame
        A title a panel, and what ``audit.wins`` returns for one opponent.
    """
    heights = max(frame["metric"].nunique() for frame in frames.values())
    figure, axes = plt.subplots(1, len(frames), figsize=(4.2 * len(frames), 0.42 * heights + 1.4), squeeze=False)
    for axis, (title, frame) in zip(axes[0], frames.items(), strict=True):
        order, methods = frame["metric"].unique(), frame["method"].unique()
        wide = frame.pivot(index="metric", columns="method", values="wins").loc[order, methods]
        losses = frame.pivot(index="metric", columns="method", values="losses").loc[order, methods]
        wide.index = [DISPLAY[m][1].split()[0] for m in order]
        wide.columns = [name(m).replace("label smoothing", "LS") for m in methods]
        shown = wide.astype(str) + "–" + losses.astype(str).to_numpy()
        sns.heatmap(wide, annot=shown, fmt="", vmin=0, vmax=frame["cells"].max(), cmap="vlag_r", cbar=False, ax=axis,
                    linewidths=1, annot_kws={"size": 10})  # fmt: skip
        axis.set(title=title, xlabel="", ylabel="")
        axis.tick_params(length=0)
        axis.set_yticklabels(axis.get_yticklabels(), rotation=0)
    figure.tight_layout()
    return figure
