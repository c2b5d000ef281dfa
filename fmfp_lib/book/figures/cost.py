"""What a method costs, and what it gains."""

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns

from ... import cost
from ...methods import METHODS
from ..compare import against_baseline
from ..names import display, name
from ..speed import sam_prices
from .style import colour, legend_below, legend_entries, panels

ROW = 11  # points, the height of a row of numbers


def _count_members(axes, groups):
    """Write how many members each point's ensemble has, below all points and above its cost: a row for each method."""
    limits, rows = [axis.get_ylim() for axis in axes], max(map(len, groups.values()))
    for axis, (low, high), series in zip(axes, limits, groups.values(), strict=True):
        height = 72 * axis.get_position().height * axis.figure.get_figheight()
        room = ROW * (rows + 0.5) / height
        axis.set_ylim(low - room / (1 - room) * (high - low), high)
        for row, (method, points) in enumerate(reversed(series.items())):
            ink = colour(method, contrast=4.5)
            for size, (x, _) in enumerate(points, 1):
                axis.annotate(str(size), (x, 0), xycoords=("data", "axes fraction"), xytext=(0, 2 + ROW * row),
                              textcoords="offset points", ha="center", fontsize=9, color=ink)  # fmt: skip


def cost_against_gain(groups, metric):
    """Draw the change of a metric from one baseline network against the cost of training, with 95 % intervals.

    The numbers of members stand in rows below the points, where none covers another.

    Parameters
    ----------
    groups : dict of str to dict of str to list of (float, dict of str to statistics.Comparison)
        A title; then for each method its ensembles of 1, 2, ... members: cost in runs of the baseline, and the
        differences by metric.
    metric : str
        Name of a metric, as `metrics.evaluate` returns it.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, open in pyplot.
    """
    factor, heading = display(metric)
    figure, axes = panels(len(groups), height=3.6, sharey="row")
    for axis, (title, series) in zip(axes, groups.items(), strict=True):
        axis.axhline(0, color="0.6", linewidth=0.8)
        for method, points in series.items():
            cost, found = zip(*points, strict=True)
            low, middle, high = (
                factor * np.array([getattr(c[metric], part) for c in found]) for part in ("low", "difference", "high")
            )
            axis.vlines(cost, low, high, color=colour(method), linewidth=1)
            axis.plot(cost, middle, "o-", color=colour(method), markersize=4, linewidth=1, label=name(method))
        axis.set(title=title, xlabel="cost of training, in runs of the baseline")
        axis.set_ylabel(f"change of {heading}")
        sns.despine(ax=axis)
    legend_below(figure, max(axes, key=legend_entries))
    _count_members(axes, groups)
    return figure


CHEAPER = ("swa", "sam", "sam_k2", "sam_k5", "sam_bn", "fmfp", "fmfp_k2", "fmfp_k5", "fmfp_bn")


def cost_benefit(records):
    """Draw each of `CHEAPER`'s change of AUROC from the baseline, with its 95 % interval, against what a run costs.

    The cost is that of the steps, with the prices that ``fmfp bench`` measured. Methods of the same cost stand side by
    side.

    Parameters
    ----------
    records : list of records.Record
        Finished runs of one network and regime; a method without any is left out.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, open in pyplot.
    """
    figure, axis = plt.subplots(figsize=(6.4, 5.2))
    axis.axhline(0, color="0.6", linewidth=0.8)
    settings = {r.settings.method: r.settings for r in records}
    found, prices = against_baseline(records, CHEAPER, ("auroc",)), sam_prices()
    costs = {"baseline": 1.0} | {method: round(cost.relative(settings[method], prices), 2) for method in found}
    places = {}
    for method, x in costs.items():
        same = [other for other, price in costs.items() if price == x]
        places[method] = x + 0.04 * (same.index(method) - (len(same) - 1) / 2)
    for method, row in found.items():
        x, change, averaged = places[method], row["auroc"], METHODS[method].averaging is not None
        y, low, high = (100 * v for v in (change.difference, change.low, change.high))
        axis.errorbar(x, y, yerr=[[y - low], [high - y]], fmt="o" if averaged else "s", elinewidth=1,
                      color=colour("fmfp" if averaged else "sam"))  # fmt: skip
        axis.annotate(name(method), (x, high), xytext=(0, 4), textcoords="offset points", fontsize=9,
                      rotation=90, ha="center", va="bottom")  # fmt: skip
    start = places["baseline"]
    axis.plot(start, 0, "D", color=colour("baseline"))
    axis.annotate(name("baseline"), (start, 0), xytext=(-6, 3), textcoords="offset points", fontsize=9, ha="right")
    axis.set(xlabel="cost of a run, in runs of the baseline", ylabel="change of AUROC, points")
    axis.margins(x=0.15, y=0.1)
    axis.set_ylim(top=axis.get_ylim()[1] + 0.45 * np.ptp(axis.get_ylim()))  # room for the upright names
    sns.despine(figure)
    figure.tight_layout()
    return figure
