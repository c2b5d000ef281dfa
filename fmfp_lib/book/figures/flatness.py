"""Flat minima: perturbations of the weights, sharpness against the gap, lines between solutions."""

import numpy as np
import seaborn as sns

from ..names import name
from .style import colour, legend_below, legend_entries, panels


def under_perturbation(groups):
    """Draw loss and margin on training images against the size of a random weight perturbation: one row per group.

    Parameters
    ----------
    groups : dict of str to dict
        What `flatness_study.curves` returns. A line is the mean over runs, the range over runs is shaded.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, open in pyplot.
    """
    figure, axes = panels(2 * len(groups), width=3.8, height=2.9)
    for place, axis in enumerate(axes):
        title, methods = list(groups.items())[place // 2]
        key, label = (("loss", "loss, nats"), ("margin", "margin of the true class"))[place % 2]
        for method, found in methods.items():
            x, values = 100 * found["norms"], found[key]
            axis.plot(x, values.mean(0), marker="o", markersize=3.5, color=colour(method), label=name(method))
            axis.fill_between(x, values.min(0), values.max(0), color=colour(method), alpha=0.15, linewidth=0)
        axis.set(xlabel="weight perturbation, % of each filter's norm", ylabel=label)
        axis.set_title(title if not place % 2 else "", loc="left")
        sns.despine(ax=axis)
    legend_below(figure, max(axes, key=legend_entries), columns=5)
    return figure


def valleys(found, norms, top):
    """Draw the training loss around trained weights: one panel per method, pairs of directions make lines through it.

    From the second panel on, the first method's mean stands dashed beside them.

    Parameters
    ----------
    found : dict of str to ndarray of shape (directions, norms)
        Losses by method, as `valley.losses` returns them; the number of directions is even.
    norms : sequence of float
        Sizes of the perturbation, as shares of each filter's norm, from 0 up; losses at further ones are not drawn.
    top : float
        Where the drawing is cut off, in nats; higher where a bottom lies above it.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, open in pyplot.
    """
    figure, axes = panels(len(found), width=3.6, height=2.4, sharey=True)
    x = 100 * np.r_[-np.array(norms)[:0:-1], norms]
    found = {method: losses[:, : len(norms)] for method, losses in found.items()}
    first, *_ = found.values()
    top = max(top, *(1.2 * losses[:, 0].mean() for losses in found.values()))
    for place, (axis, (method, losses)) in enumerate(zip(axes, found.items(), strict=True)):
        for left, right in zip(losses[::2], losses[1::2], strict=True):
            axis.plot(x, np.r_[left[:0:-1], right], color=colour(method))
        axis.plot(0, losses[:, 0].mean(), "o", color=colour(method), markersize=8)
        if place:
            mean = first.mean(0)
            axis.plot(x, np.r_[mean[:0:-1], mean], color=colour(next(iter(found))), linestyle="--", linewidth=1)
        axis.set(title=name(method), ylim=(0, top), xlabel="perturbation, % of each filter's norm")
        sns.despine(ax=axis)
    axes[0].set_ylabel("training loss, nats")
    figure.tight_layout()
    return figure


def flatness_against(rows, kinds, target="gap", label="confidence gap, points"):
    """Draw runs as points, sharpness across and the gap (or AUROC) up: one row per group, one panel per kind.

    Parameters
    ----------
    rows : DataFrame
        What `flatness_study.measured` returns.
    kinds : dict of str to str
        Columns of sharpness and what to write under each.
    target, label : str
        A column, and what to write beside it.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, open in pyplot.
    """
    parts = list(rows.groupby("group", sort=False))
    figure, axes = panels(len(parts) * len(kinds), len(kinds), width=3.4, height=3.0)
    for place, axis in enumerate(axes):
        title, part = parts[place // len(kinds)]
        kind = list(kinds)[place % len(kinds)]
        for method, own in part.groupby("method", sort=False):
            axis.scatter(own[kind], 100 * own[target], s=45, color=colour(method), label=name(method))
        axis.set(xlabel=kinds[kind], ylabel=label if not place % len(kinds) else "")
        axis.set_title(title if not place % len(kinds) else "", loc="left")
        axis.locator_params(axis="x", nbins=4)
        sns.despine(ax=axis)
    legend_below(figure, max(axes, key=legend_entries), columns=5)
    return figure


def loss_lines(lines):
    """Draw the training loss on lines from the baseline's weights to other methods': one panel per title.

    Parameters
    ----------
    lines : dict of str to dict of str to tuple
        A title; then a method, with positions (m,) from 0 to 1 and losses (m,) in nats.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, open in pyplot.
    """
    figure, axes = panels(len(lines), width=3.8, height=3.2)
    for axis, (title, found) in zip(axes, lines.items(), strict=True):
        for method, (positions, losses) in found.items():
            axis.plot(positions, losses, marker="o", markersize=3, color=colour(method), label=name(method))
        axis.set(title=title, xlabel="from the baseline (0) to the method (1)", ylabel="training loss, nats")
        sns.despine(ax=axis)
    legend_below(figure, max(axes, key=legend_entries))
    return figure
