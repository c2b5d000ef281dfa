"""Test metrics during training."""

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns

from ...schedule import schedule
from ..compare import of_common_seeds
from ..names import display, name
from ..training_curves import WINDOW, curve, smoothed
from .style import colour, legend_below, legend_entries, panels


def late_training(groups, methods, metrics, window=WINDOW, first=0.2):
    """Draw test metrics during training: one row per study.Group, one panel per metric, one curve per method.

    A curve is the mean, over the seeds that all methods drawn have, of the moving average over `window` evaluations;
    the range over seeds is shaded if there is one method. Dotted lines: the learning rate falls tenfold (without
    averaging); dashed: averaging starts. `first` is the share of the epochs at the left end.

    Parameters
    ----------
    groups : iterable of study.Group
        The finished runs to show.
    methods : sequence of str
        Keys of `methods.METHODS`.
    metrics : sequence of str
        Names of metrics, as `metrics.evaluate` returns them.
    window : int
        Number of consecutive evaluations that are averaged.
    first : float
        Share of the epochs at the left end, in [0, 1].

    Returns
    -------
    matplotlib.figure.Figure
        The figure, open in pyplot.
    """
    width = 7.6 / len(metrics)  # as wide as the page, whatever their number: the text stays as large
    figure, axes = panels(len(groups) * len(metrics), len(metrics), width=width, height=2.6)
    for place, axis in enumerate(axes):
        group, metric = groups[place // len(metrics)], metrics[place % len(metrics)]
        factor, label = display(metric)
        settings = next(iter(group.runs.values()))[0].settings
        epochs, plan = settings.epochs, schedule(settings)
        for method, records in of_common_seeds(group.only(methods).runs).items():
            curves = [smoothed(*curve(record, metric), window) for record in records]
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
    legend_below(figure, max(axes, key=legend_entries), columns=4)
    return figure


def training_curves(groups, metrics, titles):
    """Draw test metrics during training, one panel per metric: mean over seeds, range shaded.

    Parameters
    ----------
    groups : dict of str to list of records.Record
        Runs of one method each, by the method's name.
    metrics : sequence of str
        Keys of the history, such as ``test_auroc``.
    titles : sequence of str
        A panel's label each.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, open in pyplot.
    """
    figure, axes = plt.subplots(1, len(metrics), figsize=(4.4 * len(metrics), 3.2), squeeze=False)
    for axis, metric, title in zip(axes[0], metrics, titles, strict=True):
        for method, records in groups.items():
            rows = [
                {"epoch": e["epoch"], "value": 100 * e[metric]}
                for r in records
                for e in r.history
                if e.get(metric) is not None
            ]
            values = pd.DataFrame(rows).groupby("epoch")["value"]
            mean = values.mean()
            axis.plot(mean.index, mean, color=colour(method), label=name(method))
            axis.fill_between(mean.index, values.min(), values.max(), color=colour(method), alpha=0.15, linewidth=0)
        axis.set(xlabel="epoch", ylabel=title)
        sns.despine(ax=axis)
    axes[0][-1].legend(frameon=False)
    figure.tight_layout()
    return figure
