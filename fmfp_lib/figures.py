"""Figures of the book: one colour a method throughout, safe for colour-blind readers."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.ticker import MaxNLocator

from . import cost
from .dynamics import WINDOW, curve, smoothed
from .methods import METHODS, schedule
from .metrics import auroc, generalised_risk_curve, reliability_curve, risk_coverage_curve, softmax
from .metrics import error_weights as _error_weights
from .tables import against_baseline, display, name, sam_prices

_PALETTE = sns.color_palette("colorblind")
RIGHT, WRONG = _PALETTE[0], _PALETTE[3]
_COLOURS = {"baseline": 7, "label_smoothing": 1, "fmfp": 0, "sam": 2, "swa": 4, "mixup": 8, "focal": 3, "cs_kd": 6,
            "l1_norm": 5, "crl": 9, "ts_valid": 0, "ts_optimal": 2, "confidnet": 5}  # fmt: skip


def colour(method: str):
    """Return a method's colour, a combination's being its objective's; what has none of its own is grey."""
    return _PALETTE[_COLOURS.get(method.split("+")[0], 7)]


def confidence_and_correct(record):
    """Return the maximum softmax probability (n,) and whether the prediction is right (n,)."""
    return softmax(record.logits).max(1), record.logits.argmax(1) == record.labels


def _panels(count, columns=2, width=3.6, height=3.0, **options):
    """Return a figure and its axes, wrapped after `columns` panels, so that it stays legible on a phone."""
    columns = min(columns, count)
    rows = -(-count // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(width * columns, height * rows), squeeze=False, **options)
    for axis in axes.flat[count:]:
        axis.remove()
    return figure, list(axes.flat[:count])


def _legend_below(figure, axis, columns=None):
    """Put the entries of `axis` once, under all panels, beyond what tight_layout uses."""
    handles, labels = axis.get_legend_handles_labels()
    columns = columns or (4 if len(labels) == 4 else 3)
    figure.tight_layout()
    figure.legend(handles, labels, loc="upper center", bbox_to_anchor=(0.5, 0), ncols=columns, frameon=False)


def _entries(axis):
    """Return how many entries the axis has in a legend: panels may lack methods that others have."""
    return len(axis.get_legend_handles_labels()[0])


def _histogram(axis, confidence, correct, legend=True):
    frame = pd.DataFrame({"confidence": confidence, "prediction": ["right" if c else "wrong" for c in correct]})
    sns.histplot(frame, x="confidence", hue="prediction", hue_order=["right", "wrong"], stat="density",
                 common_norm=False, bins=25, binrange=(0, 1), ax=axis, legend=legend,
                 palette={"right": RIGHT, "wrong": WRONG})  # fmt: skip
    axis.set(xlabel="confidence (MSP)")


def confidence_histograms(records, titles=None):
    """Draw, per record, the densities of the confidence of right and of wrong predictions; titled by its method."""
    figure, axes = _panels(len(records), sharey=True)
    titles = [name(record.settings.method) for record in records] if titles is None else titles
    for axis, record, title in zip(axes, records, titles, strict=True):
        _histogram(axis, *confidence_and_correct(record))
        sns.move_legend(axis, "upper left")  # right predictions tower at the right
        axis.set(title=title)
    figure.tight_layout()
    return figure


def two_questions(cases):
    """Draw two views of each case: is it calibrated (left), does it tell right from wrong (right)?

    Parameters
    ----------
    cases : dict of str to tuple
        A title and the confidences (n,), in [0, 1], with whether each prediction is right (n,).
    """
    figure, axes = _panels(2 * len(cases), height=2.7)
    for row, (title, (confidence, correct)) in enumerate(cases.items()):
        confidence, correct = np.asarray(confidence, float), np.asarray(correct, bool)
        left, right = axes[2 * row : 2 * row + 2]
        mean, accuracy, share = reliability_curve(confidence, correct)
        left.plot([0, 1], [0, 1], color="0.6", linewidth=1)
        left.vlines(mean, mean, accuracy, color=WRONG, linewidth=2)
        left.scatter(mean, accuracy, s=20 + 180 * share, color=RIGHT, zorder=3)
        gap = float((share * np.abs(mean - accuracy)).sum())
        left.set(xlim=(0, 1.09), ylim=(-0.09, 1.09), xlabel="confidence", ylabel="accuracy in the bin",
                 title=f"{title}: ECE {100 * gap:.1f} %")  # fmt: skip
        _histogram(right, confidence, correct, legend=not row)
        right.set(xlabel="confidence", title=f"{title}: AUROC {100 * auroc(confidence, correct):.1f} %")
    figure.tight_layout()
    return figure


def metric_points(groups, metrics):
    """Draw metrics of several methods: a row a group, a panel a metric, a small point a seed, a large one the mean.

    Parameters
    ----------
    groups : dict of str to dict of str to list of dict
        A title; then each method's metrics, as `metrics.evaluate` returns them, one dict a seed. A line marks the
        first method's mean.
    metrics : sequence of str
        Which of them to draw.
    """
    heights = [1.3 + 0.3 * len(methods) for methods in groups.values()]
    figure, axes = _panels(len(groups) * len(metrics), len(metrics), width=7.4 / len(metrics), height_ratios=heights)
    figure.set_figheight(sum(heights))
    for place, axis in enumerate(axes):
        title, methods = list(groups.items())[place // len(metrics)]
        metric = metrics[place % len(metrics)]
        factor, label = display(metric)
        for y, (method, runs) in enumerate(methods.items()):
            values = [factor * run[metric] for run in runs]
            axis.scatter(values, [y] * len(values), s=14, color=colour(method), alpha=0.5, linewidth=0)
            axis.scatter(np.mean(values), y, s=55, color=colour(method))
            if not y:
                axis.axvline(np.mean(values), color="0.6", linewidth=0.8, zorder=0)
        first = not place % len(metrics)
        axis.set(yticks=range(len(methods)), yticklabels=map(name, methods) if first else [], xlabel=label)
        axis.set_title(title if first else "", loc="left")
        axis.xaxis.set_major_locator(MaxNLocator(8 // len(metrics)))
        axis.set_ylim(len(methods) - 0.5, -0.5)
        sns.despine(ax=axis)
    figure.tight_layout()
    return figure


def risk_coverage_panels(groups, between=(0.01, 1.0)):
    """Draw risk-coverage curves, the mean over seeds at each coverage: a panel a study.Group, a curve a method.

    `between` are the coverages at the left and the right end, in [0, 1]; below 1 % the risk of a few images is noise.
    """
    figure, axes = _panels(len(groups), height=3.2)
    for axis, group in zip(axes, groups, strict=True):
        for method, records in group.runs.items():
            curves = [risk_coverage_curve(*confidence_and_correct(r)) for r in records]
            coverage, risk = curves[0][0], np.mean([risk for _, risk in curves], 0)
            shown = (coverage >= between[0]) & (coverage <= between[1])
            axis.plot(100 * coverage[shown], 100 * risk[shown], color=colour(method), label=name(method))
        axis.set(title=group.title, xlabel="coverage, %", ylabel="selective risk, %")
        axis.set_xlim(0 if between[0] < 0.05 else 100 * between[0], 100 * between[1])
        axis.set_ylim(bottom=0)
        sns.despine(ax=axis)
    _legend_below(figure, max(axes, key=_entries))
    return figure


def differences_by_coverage(groups):
    """Draw each method's change of selective risk from the baseline at several coverages, with 95 % intervals.

    Parameters
    ----------
    groups : dict of str to dict
        A title, and what `tables.against_baseline` gives; of its metrics those named ``selective_risk@C`` are drawn.
    """
    figure, axes = _panels(len(groups), height=3.4, sharey=True)
    for axis, (title, found) in zip(axes, groups.items(), strict=True):
        axis.axhline(0, color="0.6", linewidth=0.8)
        for place, (method, row) in enumerate(found.items()):
            risks = {float(m.partition("@")[2]): c for m, c in row.items() if m.startswith("selective_risk@")}
            aside = 1.2 * (place - (len(found) - 1) / 2)  # so that intervals do not hide each other
            x = [100 * coverage + aside for coverage in risks]
            y, low, high = (
                100 * np.array([getattr(c, part) for c in risks.values()]) for part in ("difference", "low", "high")
            )
            axis.vlines(x, low, high, color=colour(method), linewidth=1.2)
            axis.plot(x, y, "o", color=colour(method), markersize=4.5, label=name(method))
        axis.set(title=title, xlabel="coverage, %", xticks=[100 * c for c in risks])
        axis.set_ylabel("change of selective risk, points")
        sns.despine(ax=axis)
    _legend_below(figure, max(axes, key=_entries))
    return figure


def temperature_curves(sweeps, temperatures, marks):
    """Draw ECE and AUROC against the temperature: a row a title, the mean over seeds.

    Parameters
    ----------
    sweeps : dict of str to list of dict
        A title, and for each seed what `confidence.temperature_sweep` gives.
    temperatures : array_like of shape (m,)
        Those of the sweeps.
    marks : dict of str to dict of str to list of float
        A title; then ``ts_valid`` and ``ts_optimal`` with each seed's temperature: a vertical line a mean.
    """
    figure, axes = _panels(2 * len(sweeps), height=2.8)
    for place, axis in enumerate(axes):
        title, runs = list(sweeps.items())[place // 2]
        metric = ("ece", "auroc")[place % 2]
        axis.plot(temperatures, 100 * np.mean([run[metric] for run in runs], 0), color=colour("baseline"))
        axis.axvline(1, color="0.6", linewidth=0.8)
        for style, (key, fitted) in zip(("-", "--"), marks[title].items(), strict=True):
            axis.axvline(np.mean(fitted), color=colour(key), linestyle=style, label=name(key))
        axis.set(xscale="log", xlabel="temperature (log scale)", ylabel=display(metric)[1])
        ticks = [2.0**i for i in range(-6, 7) if min(temperatures) <= 2.0**i <= max(temperatures)]
        axis.set_xticks(ticks, [f"{t:g}" for t in ticks])
        axis.set_xticks([], minor=True)
        axis.set_title(title if not place % 2 else "", loc="left")
        sns.despine(ax=axis)
    _legend_below(figure, max(axes, key=_entries))
    return figure


def late_training(groups, methods, metrics, window=WINDOW, first=0.2):
    """Draw test metrics during training: a row a study.Group, a panel a metric, a curve a method.

    A curve is the mean over seeds of the moving average over `window` looks; the range over seeds is shaded if there is
    one method. Dotted lines: the learning rate falls tenfold (without averaging); dashed: averaging starts. `first` is
    the share of the epochs at the left end.
    """
    width = 7.6 / len(metrics)  # as wide as the page, whatever their number: the text stays as large
    figure, axes = _panels(len(groups) * len(metrics), len(metrics), width=width, height=2.6)
    for place, axis in enumerate(axes):
        group, metric = groups[place // len(metrics)], metrics[place % len(metrics)]
        factor, label = display(metric)
        settings = next(iter(group.runs.values()))[0].settings
        epochs, plan = settings.epochs, schedule(settings)
        for method in [m for m in methods if m in group.runs]:
            curves = [smoothed(*curve(record, metric), window) for record in group.runs[method]]
            frame = pd.concat([pd.Series(factor * y, index=x) for x, y in curves], axis=1)
            frame = frame[frame.index >= first * epochs]
            axis.plot(frame.index, frame.mean(axis=1), color=colour(method), label=name(method))
            if len(methods) == 1:
                low, high = frame.min(axis=1), frame.max(axis=1)
                axis.fill_between(frame.index, low, high, color=colour(method), alpha=0.2, linewidth=0)
        for milestone in plan.milestones:
            axis.axvline(milestone / plan.of * epochs, color="0.7", linestyle=":", linewidth=1, zorder=0)
        axis.axvline(plan.averaging / plan.of * epochs, color="0.7", linestyle="--", linewidth=1, zorder=0)
        axis.set(xlabel="epoch", ylabel=label)
        axis.locator_params(axis="x", nbins=5)
        axis.set_title(group.title if not place % len(metrics) else "", loc="left")
        sns.despine(ax=axis)
    _legend_below(figure, max(axes, key=_entries), columns=4)
    return figure


def class_probabilities(images, records, index, classes):
    """Draw single test images, each beside the class probabilities that several runs give it.

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
    """
    figure, axes = plt.subplots(len(index), 2, figsize=(6.4, 2.6 * len(index)), squeeze=False,
                                width_ratios=(1, 1.7))  # fmt: skip
    places, height = np.arange(len(classes)), 0.8 / len(records)
    for (left, right), image, i in zip(axes, images, index, strict=True):
        left.imshow(image, cmap="gray", vmin=0, vmax=1)
        left.set(xticks=[], yticks=[])
        left.set_title(f"true class: {classes[records[0].labels[i]]}", fontsize=10)
        for row, record in enumerate(records):
            p = 100 * softmax(record.logits[i : i + 1])[0]
            method = record.settings.method
            right.barh(places + height * (row - (len(records) - 1) / 2), p, height, color=colour(method),
                       label=name(method))  # fmt: skip
        right.set(yticks=places, yticklabels=classes, xlim=(0, 100), xlabel="probability, %")
        right.tick_params(axis="y", labelsize=9)
        right.invert_yaxis()
        sns.despine(ax=right)
    _legend_below(figure, axes[0, 1])
    return figure


def under_perturbation(groups):
    """Draw loss and margin on training images against the size of a random move of the weights: a row a group.

    Parameters
    ----------
    groups : dict of str to dict
        What `landscape.curves` returns. A line is the mean over runs, the range over runs is shaded.
    """
    figure, axes = _panels(2 * len(groups), width=3.8, height=2.9)
    for place, axis in enumerate(axes):
        title, methods = list(groups.items())[place // 2]
        key, label = (("loss", "loss, nats"), ("margin", "margin of the true class"))[place % 2]
        for method, found in methods.items():
            x, values = 100 * found["norms"], found[key]
            axis.plot(x, values.mean(0), marker="o", markersize=3.5, color=colour(method), label=name(method))
            axis.fill_between(x, values.min(0), values.max(0), color=colour(method), alpha=0.15, linewidth=0)
        axis.set(xlabel="move of the weights, % of each filter's norm", ylabel=label)
        axis.set_title(title if not place % 2 else "", loc="left")
        sns.despine(ax=axis)
    _legend_below(figure, max(axes, key=_entries), columns=5)
    return figure


def flatness_against(rows, kinds, target="gap", label="confidence gap, points"):
    """Draw runs as points, sharpness across and the confidence gap (or AUROC) up: a row a group, a panel a kind.

    Parameters
    ----------
    rows : DataFrame
        What `landscape.measured` returns.
    kinds : dict of str to str
        Columns of sharpness and what to write under each.
    target, label : str
        A column, and what to write beside it.
    """
    parts = list(rows.groupby("group", sort=False))
    figure, axes = _panels(len(parts) * len(kinds), len(kinds), width=3.4, height=3.0)
    for place, axis in enumerate(axes):
        title, part = parts[place // len(kinds)]
        kind = list(kinds)[place % len(kinds)]
        for method, own in part.groupby("method", sort=False):
            axis.scatter(own[kind], 100 * own[target], s=45, color=colour(method), label=name(method))
        axis.set(xlabel=kinds[kind], ylabel=label if not place % len(kinds) else "")
        axis.set_title(title if not place % len(kinds) else "", loc="left")
        axis.locator_params(axis="x", nbins=4)
        sns.despine(ax=axis)
    _legend_below(figure, max(axes, key=_entries), columns=5)
    return figure


def loss_lines(lines):
    """Draw the training loss on straight lines from the baseline's weights to those of other methods: a panel a title.

    Parameters
    ----------
    lines : dict of str to dict of str to tuple
        A title; then a method, with positions (m,) from 0 to 1 and losses (m,) in nats.
    """
    figure, axes = _panels(len(lines), width=3.8, height=3.2)
    for axis, (title, found) in zip(axes, lines.items(), strict=True):
        for method, (positions, losses) in found.items():
            axis.plot(positions, losses, marker="o", markersize=3, color=colour(method), label=name(method))
        axis.set(title=title, xlabel="from the baseline (0) to the method (1)", ylabel="training loss, nats")
        sns.despine(ax=axis)
    _legend_below(figure, max(axes, key=_entries))
    return figure


def corrupted_images(image, severity=3, columns=4):
    """Draw one image (c, h, w) uint8 as it is and under each of the corruptions at one severity."""
    from .corruptions import KINDS, corrupt

    shown = {"clean": image} | {kind: corrupt(image[None], kind, severity)[0] for kind in KINDS}
    figure, axes = _panels(len(shown), columns, width=1.6, height=1.85)
    for axis, (kind, x) in zip(axes, shown.items(), strict=True):
        axis.imshow(x.transpose(1, 2, 0).squeeze(), cmap="gray", vmin=0, vmax=255)
        axis.set(xticks=[], yticks=[])
        axis.set_title(kind.replace("_", " "), fontsize=9)
    figure.tight_layout()
    return figure


def metrics_by_severity(groups, methods, metrics=("accuracy", "auroc")):
    """Draw means over corruptions against the severity: a row a study.Group, a panel a metric, a curve a method.

    A curve is the mean over the seeds on which ``shift`` was measured; severity 0 are the same images, clean. In the
    panel of accuracy a dashed curve is the mean confidence.
    """
    from . import shift

    figure, axes = _panels(len(groups) * len(metrics), len(metrics), width=3.8, height=3.0)
    for place, axis in enumerate(axes):
        group, metric = groups[place // len(metrics)], metrics[place % len(metrics)]
        factor, label = display(metric)
        for method in methods:
            records = {r.settings.seed: r for r in group.runs.get(method, ())}
            kept = shift.measured(records.values())
            sides = [(shift.by_severity(shift.clean(records[s], a["score"].shape[2])), shift.by_severity(a))
                     for s, a in kept.items()]  # fmt: skip
            for key, style in ((metric, "-"), ("confidence", "--")) if metric == "accuracy" else ((metric, "-"),):
                if sides:
                    values = np.mean([np.append(plain[key], found[key]) for plain, found in sides], 0)
                    axis.plot(range(len(values)), factor * values, style, color=colour(method),
                              label=name(method) if style == "-" else None)  # fmt: skip
        axis.set(xlabel="severity (0: clean)", xticks=range(6))
        axis.set_ylabel("accuracy (dashed: confidence), %" if metric == "accuracy" else label)
        axis.set_title(group.title if not place % len(metrics) else "", loc="left")
        sns.despine(ax=axis)
    _legend_below(figure, max(axes, key=_entries), columns=4)
    return figure


def differences_by_kind(groups, metric="auroc"):
    """Draw a method's difference under each kind of corruption with its 95 % interval: a panel a title.

    Parameters
    ----------
    groups : dict of str to dict of str to statistics.Comparison
        A title; then a kind.
    metric : str
        What was compared, for the axis.
    """
    factor, label = display(metric)
    figure, axes = _panels(len(groups), width=3.9, height=4.2, sharey=True)
    for axis, (title, found) in zip(axes, groups.items(), strict=True):
        axis.axvline(0, color="0.6", linewidth=0.8)
        for y, c in enumerate(found.values()):
            axis.hlines(y, factor * c.low, factor * c.high, color=colour("fmfp"), linewidth=1.4)
            axis.plot(factor * c.difference, y, "o", color=colour("fmfp"), markersize=5)
        axis.set(title=title, xlabel=f"change of {label.split()[0]}, points")
        axis.set_yticks(range(len(found)), [kind.replace("_", " ") for kind in found])
        sns.despine(ax=axis)
    axes[0].invert_yaxis()
    figure.tight_layout()
    return figure


def confidence_shift(groups):
    """Draw how each method moves the mean confidence of wrong (x) and of right predictions (y) from the baseline.

    On the diagonal both move alike and the gap stays; below it the gap shrinks. Bars are 95 % intervals.

    Parameters
    ----------
    groups : dict of str to dict
        A title, and what `tables.against_baseline` gives, with ``confidence_right`` and ``confidence_wrong``.
    """
    figure, axes = _panels(len(groups), height=3.4)
    for axis, (title, found) in zip(axes, groups.items(), strict=True):
        for method, row in found.items():
            wrong, right = row["confidence_wrong"], row["confidence_right"]
            x, y = 100 * wrong.difference, 100 * right.difference
            axis.hlines(y, 100 * wrong.low, 100 * wrong.high, color=colour(method), linewidth=1)
            axis.vlines(x, 100 * right.low, 100 * right.high, color=colour(method), linewidth=1)
            axis.plot(x, y, "o", color=colour(method), label=name(method))
        axis.axhline(0, color="0.85", linewidth=0.8, zorder=0)
        axis.axvline(0, color="0.85", linewidth=0.8, zorder=0)
        axis.axline((0, 0), slope=1, color="0.5", linewidth=1, linestyle="--")
        axis.set(title=title, xlabel="change for wrong predictions, points")
        axis.set_ylabel("change for right predictions, points")
        sns.despine(ax=axis)
    _legend_below(figure, max(axes, key=_entries))
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
    figure, axes = _panels(len(groups), height=3.4, sharey=True)
    for axis, (title, records) in zip(axes, groups.items(), strict=True):
        axis.axhline(0, color="0.6", linewidth=0.8)
        axis.axvline(0, color="0.6", linewidth=0.8)
        for method, found in against_baseline(records, methods, ("ece", "auroc")).items():
            x, y = (100 * found[m].difference for m in ("ece", "auroc"))
            spread = [[[100 * abs(c.difference - c.low)], [100 * abs(c.high - c.difference)]] for c in found.values()]
            axis.errorbar(x, y, xerr=spread[0], yerr=spread[1], fmt="o", color=colour(method), elinewidth=1,
                          label=name(method))  # fmt: skip
        axis.set(title=title, xlabel="change of ECE, points\n(left: better calibrated)")
        sns.despine(ax=axis)
    axes[0].set_ylabel("change of AUROC, points\n(up: errors easier to find)")
    _legend_below(figure, max(axes, key=_entries), columns=5)
    return figure


def error_weights(n=1000):
    """Draw how much an error at each place of the ranking weighs in AURC and in AUGRC, the mean weight being 1."""
    figure, axes = _panels(2, height=2.9)
    place = 100 * np.arange(1, n + 1) / n
    for axis, title, scale in zip(axes, ("all places", "the same, logarithmic"), ("linear", "log"), strict=True):
        for metric, style in (("aurc", "-"), ("augrc", "--")):
            weights = _error_weights(n)[metric]
            axis.plot(place, weights / weights.mean(), style, color=_PALETTE[1 if metric == "aurc" else 0],
                      label=metric.upper())  # fmt: skip
        axis.set(title=title, xlabel="place of the error, % of the ranking\n(0: most confident)", xscale=scale)
        axis.set_ylabel("weight (mean 1)")
        axis.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        sns.despine(ax=axis)
    _legend_below(figure, max(axes, key=_entries))
    return figure


def two_risks(cases):
    """Draw selective (left) and generalised risk (right) against coverage, a curve a case.

    Parameters
    ----------
    cases : dict of str to tuple
        A label, and confidence (n,) with whether each prediction is right (n,).
    """
    figure, axes = _panels(2, height=2.9)
    curves = risk_coverage_curve, generalised_risk_curve
    labels = "selective risk, % of the answered", "generalised risk, % of all"
    for axis, draw, label in zip(axes, curves, labels, strict=True):
        for number, (case, scored) in enumerate(cases.items()):
            coverage, risk = draw(*scored)
            axis.plot(100 * coverage, 100 * risk, "-" if not number else "--", color=_PALETTE[number], label=case)
        axis.set(xlabel="coverage, %", ylabel=label, xlim=(0, 100))
        sns.despine(ax=axis)
    _legend_below(figure, axes[0], 1)
    return figure


def effects(groups, shown, label="change from the baseline"):
    """Draw differences with their 95 % intervals: a panel a metric, a row a method, a marker a group.

    Parameters
    ----------
    groups : dict of str to dict
        A title, and comparisons by method and metric, as `tables.against_baseline` gives them.
    shown : sequence of str
        The metrics to draw.
    """
    methods = list(dict.fromkeys(m for found in groups.values() for m in found))
    figure, axes = _panels(len(shown), width=3.9, height=1.4 + 0.34 * len(methods), sharey=True)
    for axis, metric in zip(axes, shown, strict=True):
        factor, heading = display(metric)
        axis.axvline(0, color="0.6", linewidth=0.8)
        for number, (title, found) in enumerate(groups.items()):
            aside = 0.36 * ((number + 0.5) / len(groups) - 0.5)
            for y, method in enumerate(methods):
                if method in found:
                    c = found[method][metric]
                    axis.hlines(y + aside, factor * c.low, factor * c.high, color=colour(method), linewidth=1.5)
                    axis.plot(factor * c.difference, y + aside, "osD^v"[number % 5], color=colour(method),
                              markersize=5, markerfacecolor=colour(method) if c.certain else "white")  # fmt: skip
            axis.plot([], [], "osD^v"[number % 5], color="0.3", label=title, markersize=5)
        axis.set(yticks=range(len(methods)), yticklabels=[name(m) for m in methods])
        axis.set_xlabel(f"{heading}: {label}")
        sns.despine(ax=axis)
    axes[0].invert_yaxis()
    _legend_below(figure, axes[0], 2)
    return figure


def cost_against_gain(groups, metric):
    """Draw the change of a metric from one baseline network against the cost of training, with 95 % intervals.

    Parameters
    ----------
    groups : dict of str to dict of str to list of (float, statistics.Comparison)
        A title; then for each method its ensembles of 1, 2, ... members: cost in runs of the baseline, and the
        difference.
    """
    factor, heading = display(metric)
    figure, axes = _panels(len(groups), height=3.3, sharey="row")
    for axis, (title, series) in zip(axes, groups.items(), strict=True):
        axis.axhline(0, color="0.6", linewidth=0.8)
        for place, (method, points) in enumerate(series.items()):
            cost, found = zip(*points, strict=True)
            low, middle, high = (factor * np.array([getattr(c, part) for c in found])
                                 for part in ("low", "difference", "high"))  # fmt: skip
            axis.vlines(cost, low, high, color=colour(method), linewidth=1)
            axis.plot(cost, middle, "o-", color=colour(method), markersize=4, linewidth=1, label=name(method))
            for size, (x, y) in enumerate(zip(cost, middle, strict=True), 1):
                axis.annotate(str(size), (x, y), xytext=(4, -11 if place % 2 else 4), textcoords="offset points",
                              fontsize=9, color=colour(method))  # fmt: skip
        axis.set(title=title, xlabel="cost of training, in runs of the baseline")
        axis.set_ylabel(f"change of {heading}")
        sns.despine(ax=axis)
    _legend_below(figure, max(axes, key=_entries))
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
    size = max(4.2 * len(frames), 6.4), 0.42 * heights + 1.4
    figure, axes = plt.subplots(1, len(frames), figsize=size, squeeze=False)
    for axis, (title, frame) in zip(axes[0], frames.items(), strict=True):
        order, methods = frame["metric"].unique(), frame["method"].unique()
        wide = frame.pivot(index="metric", columns="method", values="wins").loc[order, methods]
        losses = frame.pivot(index="metric", columns="method", values="losses").loc[order, methods]
        wide.index = [display(m)[1].split()[0] for m in order]
        wide.columns = [name(m).replace("label smoothing", "label\nsmoothing") for m in methods]
        shown = wide.astype(str) + "–" + losses.astype(str).to_numpy()
        sns.heatmap(wide, annot=shown, fmt="", vmin=0, vmax=frame["cells"].max(), cmap="vlag_r", cbar=False, ax=axis,
                    linewidths=1, annot_kws={"size": 10})  # fmt: skip
        axis.set(title=title, xlabel="", ylabel="")
        axis.tick_params(length=0)
        axis.set_yticklabels(axis.get_yticklabels(), rotation=0)
    figure.tight_layout()
    return figure


CHEAPER = ("swa", "sam", "sam_k2", "sam_k5", "sam_bn", "fmfp", "fmfp_k2", "fmfp_k5", "fmfp_bn")


def cost_benefit(records, methods=CHEAPER):
    """Draw each method's change of AUROC from the baseline, with its 95 % interval, against what a run costs.

    The cost is that of the steps, with the prices that ``fmfp bench`` measured.

    Parameters
    ----------
    records : list of records.Record
        Finished runs of one network and regime; a method without any is left out.
    methods : sequence of str
    """
    figure, axis = plt.subplots(figsize=(6.4, 5.2))
    axis.axhline(0, color="0.6", linewidth=0.8)
    settings = {r.settings.method: r.settings for r in records}
    for method, found in against_baseline(records, methods, ("auroc",)).items():
        change, x = found["auroc"], cost.relative(settings[method], sam_prices())
        y, low, high = (100 * v for v in (change.difference, change.low, change.high))
        averaged = METHODS[method].averaging is not None
        axis.errorbar(x, y, yerr=[[y - low], [high - y]], fmt="o" if averaged else "s", elinewidth=1,
                      color=colour("fmfp" if averaged else "sam"))  # fmt: skip
        # Upright, above the bar or below it: several methods cost nearly the same.
        end, place, side = (high, 4, "bottom") if averaged else (low, -4, "top")
        axis.annotate(name(method), (x, end), xytext=(0, place), textcoords="offset points", fontsize=9,
                      rotation=90, ha="center", va=side)  # fmt: skip
    axis.plot(1, 0, "D", color=colour("baseline"))
    axis.annotate(name("baseline"), (1, 0), xytext=(-6, 3), textcoords="offset points", fontsize=9, ha="right")
    axis.set(xlabel="cost of a run, in runs of the baseline", ylabel="change of AUROC, points")
    axis.margins(x=0.15, y=0.6)
    sns.despine(figure)
    figure.tight_layout()
    return figure
