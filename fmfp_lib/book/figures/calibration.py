"""Confidence against accuracy: histograms, reliability, temperature."""

from textwrap import fill

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns

from ...metrics import auroc, reliability_curve, softmax
from ..compare import against_baseline
from ..names import display, name
from .style import CORRECT, INCORRECT, colour, legend_below, legend_entries, panels


def _histogram(axis, confidence, correct, legend=True):
    frame = pd.DataFrame({"confidence": confidence, "prediction": ["correct" if c else "incorrect" for c in correct]})
    sns.histplot(frame, x="confidence", hue="prediction", hue_order=["correct", "incorrect"], stat="density",
                 common_norm=False, bins=25, binrange=(0, 1), ax=axis, legend=legend,
                 palette={"correct": CORRECT, "incorrect": INCORRECT})  # fmt: skip
    axis.set(xlabel="confidence (MSP)")


def confidence_histograms(records, titles=None):
    """Draw the densities of the confidence of correct and of incorrect predictions, one panel per record.

    Three methods stand in one row, others in rows of two; all share one legend.

    Parameters
    ----------
    records : sequence of records.Record
        Finished runs.
    titles : sequence of str, optional
        One per record; the methods' names by default.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, open in pyplot.
    """
    columns, width = (3, 2.6) if len({record.settings.method for record in records}) == 3 else (2, 3.6)
    figure, axes = panels(len(records), columns, width, sharey=True)
    titles = [name(record.settings.method) for record in records] if titles is None else titles
    for axis, record, title in zip(axes, records, titles, strict=True):
        _histogram(axis, *record.scored)
        axis.set(title="\n".join(fill(line, int(9.5 * width), break_on_hyphens=False) for line in title.split("\n")))
        entries = axis.get_legend().legend_handles
        axis.get_legend().remove()
    figure.tight_layout()
    labels = ["correct predictions", "incorrect predictions"]
    figure.legend(entries, labels, loc="upper center", bbox_to_anchor=(0.5, 0), ncols=2, frameon=False)
    return figure


def two_questions(cases):
    """Draw two views of each case: is it calibrated (left), does it tell correct from incorrect predictions (right)?

    Parameters
    ----------
    cases : dict of str to tuple
        A title and the confidences (n,), in [0, 1], with whether each prediction is correct (n,).

    Returns
    -------
    matplotlib.figure.Figure
        The figure, open in pyplot.
    """
    figure, axes = panels(2 * len(cases), height=2.7 if len(cases) == 1 else 1.9)
    for row, (title, (confidence, correct)) in enumerate(cases.items()):
        confidence, correct = np.asarray(confidence, float), np.asarray(correct, bool)
        left, right = axes[2 * row : 2 * row + 2]
        mean, accuracy, share = reliability_curve(confidence, correct)
        left.plot([0, 1], [0, 1], color="0.6", linewidth=1)
        left.vlines(mean, mean, accuracy, color=INCORRECT, linewidth=2)
        left.scatter(mean, accuracy, s=20 + 180 * share, color=CORRECT, zorder=3, clip_on=False)
        gap = float((share * np.abs(mean - accuracy)).sum())
        left.set(xlim=(0, 1.09), ylim=(-0.09, 1.09), xlabel="confidence", ylabel="accuracy in the bin",
                 title=f"{title}: ECE {100 * gap:.1f} %")  # fmt: skip
        _histogram(right, confidence, correct, legend=not row)
        right.set(xlabel="confidence", title=f"{title}: AUROC {100 * auroc(confidence, correct):.1f} %")
    figure.tight_layout()
    return figure


def temperature_curves(sweeps, temperatures, marks):
    """Draw ECE and AUROC against the temperature: one row per title, the mean over seeds.

    Parameters
    ----------
    sweeps : dict of str to list of dict
        A title, and for each seed what `confidence.temperature_sweep` gives.
    temperatures : array_like of shape (m,)
        Those of the sweeps.
    marks : dict of str to dict of str to list of float
        A title; then ``ts_valid`` and ``ts_optimal`` with each seed's temperature: a vertical line a mean.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, open in pyplot.
    """
    figure, axes = panels(2 * len(sweeps), height=2.8)
    for place, axis in enumerate(axes):
        title, runs = list(sweeps.items())[place // 2]
        metric = ("ece", "auroc")[place % 2]
        axis.plot(temperatures, 100 * np.mean([run[metric] for run in runs], 0), color=colour("baseline"))
        axis.axvline(1, color="0.6", linewidth=1, linestyle=":")
        for style, (key, fitted) in zip(("-", "--"), marks[title].items(), strict=True):
            axis.axvline(np.mean(fitted), color=colour(key), linestyle=style, label=name(key))
        axis.set(xscale="log", xlabel="temperature (log scale)", ylabel=display(metric)[1])
        ticks = [2.0**i for i in range(-6, 7) if min(temperatures) <= 2.0**i <= max(temperatures)]
        axis.set_xticks(ticks, [f"{t:g}" for t in ticks])
        axis.set_xticks([], minor=True)
        axis.set_title(title if not place % 2 else "", loc="left")
        sns.despine(ax=axis)
    legend_below(figure, max(axes, key=legend_entries))
    return figure


def class_probabilities(images, records, index, classes):
    """Draw single test images, two a row, each beside the class probabilities that several runs give it.

    The true class is set in bold, the class that the first run predicts instead in the colour of incorrect predictions.

    Parameters
    ----------
    images : ndarray of shape (m, h, w) or (m, h, w, 3)
        Values in [0, 1].
    records : list of records.Record
        A bar of its own colour each, named by its method.
    index : array_like of shape (m,)
        Where the images are among the test images.
    classes : sequence of str
        Their names.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, open in pyplot.
    """
    rows = -(-len(index) // 2)
    figure, axes = plt.subplots(rows, 4, figsize=(10, 2.5 * rows), squeeze=False, width_ratios=(1, 1.25, 1, 1.25))
    places, height = np.arange(len(classes)), 0.8 / len(records)
    for axis in axes.flat[2 * len(index) :]:
        axis.remove()
    for (left, right), image, i in zip(axes.reshape(-1, 2), images, index, strict=False):
        left.imshow(image, cmap="gray", vmin=0, vmax=1)
        left.set(xticks=[], yticks=[])
        true, predicted = records[0].labels[i], records[0].logits[i].argmax()
        wrong = f", not {classes[predicted]}" if predicted != true else ""
        left.set_title(classes[true] + wrong, fontsize=10)
        for row, record in enumerate(records):
            p = 100 * softmax(record.logits[i : i + 1])[0]
            method = record.settings.method
            right.barh(
                places + height * (row - (len(records) - 1) / 2), p, height, color=colour(method), label=name(method)
            )
        right.set(yticks=places, yticklabels=classes, xlim=(0, 100), xlabel="probability, %")
        right.tick_params(axis="y", labelsize=9)
        right.get_yticklabels()[true].set_fontweight("bold")
        if wrong:
            right.get_yticklabels()[predicted].set_color(INCORRECT)
        right.invert_yaxis()
        sns.despine(ax=right)
    figure.tight_layout()
    legend_below(figure, axes[0, 1])
    return figure


def confidence_shift(groups):
    """Draw how each method moves the mean confidence of incorrect (x) and of correct predictions (y) from the baseline.

    On the diagonal both move alike and the gap stays; below it the gap shrinks. Bars are 95 % intervals.

    Parameters
    ----------
    groups : dict of str to dict
        A title, and what `compare.against_baseline` gives, with ``confidence_right`` and ``confidence_wrong``.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, open in pyplot.
    """
    figure, axes = panels(len(groups), height=3.4)
    for axis, (title, found) in zip(axes, groups.items(), strict=True):
        for method, row in found.items():
            incorrect, correct = row["confidence_wrong"], row["confidence_right"]
            x, y = 100 * incorrect.difference, 100 * correct.difference
            axis.hlines(y, 100 * incorrect.low, 100 * incorrect.high, color=colour(method), linewidth=1)
            axis.vlines(x, 100 * correct.low, 100 * correct.high, color=colour(method), linewidth=1)
            axis.plot(x, y, "o", color=colour(method), label=name(method))
        axis.axhline(0, color="0.85", linewidth=0.8, zorder=0)
        axis.axvline(0, color="0.85", linewidth=0.8, zorder=0)
        axis.axline((0, 0), slope=1, color="0.5", linewidth=1, linestyle="--")
        axis.set(title=title, xlabel="change for incorrect predictions, points")
        axis.set_ylabel("change for correct predictions, points")
        axis.locator_params(axis="x", nbins=5)
        sns.despine(ax=axis)
    legend_below(figure, max(axes, key=legend_entries))
    return figure


def calibration_against_ranking(groups, methods):
    """Draw each method's change of ECE (x) against its change of AUROC (y) from the baseline, with 95 % intervals.

    Parameters
    ----------
    groups : dict of str to list of records.Record
        A title a panel, and the finished runs of one network.
    methods : sequence of str

    Returns
    -------
    matplotlib.figure.Figure
        The figure, open in pyplot.
    """
    figure, axes = panels(len(groups), height=3.4, sharey=True)
    for axis, (title, records) in zip(axes, groups.items(), strict=True):
        axis.axhline(0, color="0.6", linewidth=0.8)
        axis.axvline(0, color="0.6", linewidth=0.8)
        for method, found in against_baseline(records, methods, ("ece", "auroc")).items():
            x, y = (100 * found[m].difference for m in ("ece", "auroc"))
            spread = [[[100 * abs(c.difference - c.low)], [100 * abs(c.high - c.difference)]] for c in found.values()]
            axis.errorbar(
                x, y, xerr=spread[0], yerr=spread[1], fmt="o", color=colour(method), elinewidth=1, label=name(method)
            )
        axis.set(title=title, xlabel="change of ECE, points\n(left: better calibrated)")
        sns.despine(ax=axis)
    axes[0].set_ylabel("change of AUROC, points\n(up: errors easier to find)")
    legend_below(figure, max(axes, key=legend_entries), columns=5)
    return figure
