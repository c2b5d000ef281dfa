"""Which predictions to trust first: risk and coverage, and differences of ranking metrics."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.ticker import MaxNLocator

from ...metrics import error_weights as _error_weights
from ...metrics import generalised_risk_curve, risk_coverage_curve
from ..names import display, name
from .style import PALETTE, colour, legend_below, legend_entries, line_style, panels


def metric_points(groups, metrics):
    """Draw metrics of several methods: one row per group, one panel per metric.

    Small points are seeds, large ones their mean.

    Parameters
    ----------
    groups : dict of str to dict of str to list of dict
        A title; then each method's metrics, as `metrics.evaluate` returns them, one dict per seed. A line marks the
        first method's mean.
    metrics : sequence of str
        Which of them to draw.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, open in pyplot.
    """
    heights = [1.3 + 0.3 * len(methods) for methods in groups.values()]
    figure, axes = panels(len(groups) * len(metrics), len(metrics), width=7.4 / len(metrics), height_ratios=heights)
    figure.set_figheight(sum(heights))
    for place, axis in enumerate(axes):
        title, methods = list(groups.items())[place // len(metrics)]
        metric = metrics[place % len(metrics)]
        factor, label = display(metric)
        for y, (method, runs) in enumerate(methods.items()):
            values = [factor * run[metric] for run in runs]
            axis.scatter(values, [y] * len(values), s=16, color=colour(method), alpha=0.9, linewidth=0)
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


def risk_coverage_plot(records):
    """Draw one risk-coverage curve per record.

    Parameters
    ----------
    records : sequence of records.Record
        Finished runs.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, open in pyplot.
    """
    figure, axis = plt.subplots(figsize=(5.2, 3.4))
    for record in records:
        coverage, risk = risk_coverage_curve(*record.scored)
        method = record.settings.method
        axis.plot(100 * coverage, 100 * risk, color=colour(method), label=name(method))
    axis.set(xlabel="coverage (% of images answered)", ylabel="selective risk (% errors among them)", xlim=(0, 100))
    axis.set_ylim(bottom=0)
    axis.legend(frameon=False)
    sns.despine(figure)
    figure.tight_layout()
    return figure


def risk_coverage_panels(groups, between=(0.01, 1.0)):
    """Draw risk-coverage curves, the mean over seeds at each coverage: one panel per study.Group, one curve per method.

    `between` are the coverages at the left and the right end, in [0, 1]; below 1 % the risk of a few images is noise.

    Parameters
    ----------
    groups : iterable of study.Group
        The finished runs to show.
    between : tuple of float
        Smallest and largest coverage drawn, in [0, 1].

    Returns
    -------
    matplotlib.figure.Figure
        The figure, open in pyplot.
    """
    figure, axes = panels(len(groups), height=3.2)
    for axis, group in zip(axes, groups, strict=True):
        for method, records in group.runs.items():
            curves = [risk_coverage_curve(*r.scored) for r in records]
            coverage, risk = curves[0][0], np.mean([risk for _, risk in curves], 0)
            shown = (coverage >= between[0]) & (coverage <= between[1])
            axis.plot(100 * coverage[shown], 100 * risk[shown], line_style(method), color=colour(method),
                      label=name(method))  # fmt: skip
        axis.set(title=group.title, xlabel="coverage, %", ylabel="selective risk, %")
        axis.set_xlim(0 if between[0] < 0.05 else 100 * between[0], 100 * between[1])
        axis.set_ylim(bottom=0)
        sns.despine(ax=axis)
    legend_below(figure, max(axes, key=legend_entries))
    return figure


def differences_by_coverage(groups):
    """Draw each method's change of selective risk from the baseline at several coverages, with 95 % intervals.

    Parameters
    ----------
    groups : dict of str to dict
        A title, and what `compare.against_baseline` gives; of its metrics those named ``selective_risk@C`` are drawn.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, open in pyplot.
    """
    figure, axes = panels(len(groups), height=3.4, sharey=True)
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
    legend_below(figure, max(axes, key=legend_entries))
    return figure


def error_weights(n=1000):
    """Draw how much an error at each place of the ranking weighs in AURC and in AUGRC, the mean weight being 1.

    Parameters
    ----------
    n : int
        Number of test images.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, open in pyplot.
    """
    figure, axes = panels(2, height=2.9)
    place = 100 * np.arange(1, n + 1) / n
    for axis, title, scale in zip(axes, ("all places", "the same, logarithmic"), ("linear", "log"), strict=True):
        for metric, style in (("aurc", "-"), ("augrc", "--")):
            weights = _error_weights(n)[metric]
            axis.plot(place, weights / weights.mean(), style, color=PALETTE[1 if metric == "aurc" else 0],
                      label=metric.upper())  # fmt: skip
        axis.set(title=title, xlabel="place of the error, % of the ranking\n(0: most confident)", xscale=scale)
        axis.set_ylabel("weight (mean 1)")
        axis.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        sns.despine(ax=axis)
    legend_below(figure, max(axes, key=legend_entries))
    return figure


def two_risks(cases):
    """Draw selective (left) and generalised risk (right) against coverage, one curve per case.

    Parameters
    ----------
    cases : dict of str to tuple
        A label, and confidence (n,) with whether each prediction is correct (n,).

    Returns
    -------
    matplotlib.figure.Figure
        The figure, open in pyplot.
    """
    figure, axes = panels(2, height=2.9)
    curves = risk_coverage_curve, generalised_risk_curve
    labels = "selective risk, % of the answered", "generalised risk, % of all"
    for axis, draw, label in zip(axes, curves, labels, strict=True):
        for number, (case, scored) in enumerate(cases.items()):
            coverage, risk = draw(*scored)
            axis.plot(100 * coverage, 100 * risk, "-" if not number else "--", color=PALETTE[number], label=case)
        axis.set(xlabel="coverage, %", ylabel=label, xlim=(0, 100))
        sns.despine(ax=axis)
    legend_below(figure, axes[0], 1)
    return figure


def effects(groups, shown, label="change from the baseline", title="", among=()):
    """Draw differences with their 95 % intervals: one panel per metric, one row per method, one marker per group.

    A marker is hollow where the interval includes 0.

    Parameters
    ----------
    groups : dict of str to dict
        A title, and comparisons by method and metric, as `compare.against_baseline` gives them.
    shown : sequence of str
        The metrics to draw.
    label : str
        Title of the horizontal axis.
    title : str
        Of the figure, above its first panel.
    among : sequence of str
        All titles of a page, so that each keeps its marker in every figure; those of `groups` if not given.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, open in pyplot.
    """
    methods = list(dict.fromkeys(m for found in groups.values() for m in found))
    markers = dict(zip(among or groups, itertools.cycle("osD^v"), strict=False))
    figure, axes = panels(len(shown), width=3.9, height=1.4 + 0.34 * len(methods), sharey=True)
    for axis, metric in zip(axes, shown, strict=True):
        factor, heading = display(metric)
        axis.axvline(0, color="0.6", linewidth=0.8)
        for number, (group, found) in enumerate(groups.items()):
            aside = 0.36 * ((number + 0.5) / len(groups) - 0.5)
            for y, method in enumerate(methods):
                if method in found:
                    c = found[method][metric]
                    axis.hlines(y + aside, factor * c.low, factor * c.high, color=colour(method), linewidth=1.5)
                    axis.plot(factor * c.difference, y + aside, markers[group], color=colour(method),
                              markersize=5, markerfacecolor=colour(method) if c.certain else "white")  # fmt: skip
            axis.plot([], [], markers[group], color="0.3", label=group, markersize=5)
        axis.set(yticks=range(len(methods)), yticklabels=[name(m) for m in methods])
        axis.set_xlabel(f"{heading}: {label}")
        sns.despine(ax=axis)
    axes[0].invert_yaxis()
    axes[0].set_title(title, loc="left")
    legend_below(figure, axes[0], 2)
    return figure


def wins_heatmap(frames):
    """Draw in how many published cells each method wins, one panel per frame: metrics down, methods across.

    Parameters
    ----------
    frames : dict of str to DataFrame
        The title of each panel, and what ``audit.wins`` returns for one `against`.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, open in pyplot.
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
        # The paler half of the colours: black is readable on all of them, and on those that a dark page makes of them.
        half = frame["cells"].max() / 2
        sns.heatmap(wide, annot=shown, fmt="", vmin=-half, vmax=3 * half, cmap="vlag_r", cbar=False, ax=axis,
                    linewidths=1, annot_kws={"size": 10, "color": "black"})  # fmt: skip
        axis.set(title=title, xlabel="", ylabel="")
        axis.tick_params(length=0)
        axis.set_yticklabels(axis.get_yticklabels(), rotation=0)
    figure.tight_layout()
    return figure
