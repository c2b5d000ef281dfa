"""Effects against accuracy and against training length: published cells hollow, ours filled."""

import seaborn as sns
from matplotlib.lines import Line2D

from ..names import display, name
from .style import colour, panels

_MARKERS = {10: "o", 100: "s", 200: "^"}  # by number of classes
_OURS = {"PreAct-ResNet-8": "D", "VGG-8": "v", "ResNet-9": "o", "wide ResNet-9": "P"}  # by network
_LABELS = {f"selective_risk@{0.1:g}": "errors\nper 1,000 surest"}


def _scale(quantity):
    """Return the factor of a quantity and what to write beside its axis."""
    if quantity in _LABELS:
        return 1000, f"change of {_LABELS[quantity]}"
    factor, label = display(quantity)
    return factor, f"change of {label.removesuffix(' %')}" + (", points" if label.endswith(" %") else "")


def effects_against_accuracy(effects, published, methods, quantity="auroc", columns=3, width=7.6):
    """Draw what each method changes against the baseline's accuracy, one panel per method.

    Parameters
    ----------
    effects : list of ladder.Effect
        Ours: filled, with 95 % intervals, a marker for each network.
    published : DataFrame
        What `ladder.published_effects` returns: hollow, a circle for 10 classes, a square for 100, a triangle for 200.
        Quantities that the paper does not print have none.
    methods : sequence of str
    quantity : str
        A key of ``Effect.changes``.
    columns : int
        Panels beside each other.
    width : float
        Of the whole figure, in inches.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, open in pyplot.
    """
    factor, label = _scale(quantity)
    narrow = width < 5
    figure, axes = panels(len(methods), columns, width / columns, 2.2 if narrow else 2.6, sharex=True, sharey=True)
    for axis, method in zip(axes, methods, strict=True):
        axis.axhline(0, color="0.7", linewidth=1, zorder=0)
        if quantity in published:
            for classes, rows in published[published["method"] == method].groupby("classes"):
                axis.scatter(100 * rows["accuracy"], factor * rows[quantity], marker=_MARKERS[classes], s=28,
                             facecolors="none", edgecolors="0.45", linewidths=1)  # fmt: skip
        for effect in (e for e in effects if e.method == method):
            marker = _OURS[name(effect.network)]
            _point(axis, 100 * effect.accuracy, effect.changes[quantity], factor, colour(method), marker)
        axis.set(title=name(method))
        sns.despine(ax=axis)
    _label(axes, columns, "accuracy, %" if narrow else "accuracy of the baseline, %", label)
    handles = [
        Line2D([], [], color="0.2", marker=_OURS[name(network)], label=f"ours, {name(network)}, {name(dataset)}")
        for dataset, network in dict.fromkeys((e.dataset, e.network) for e in effects)
    ]
    if quantity in published:
        handles += [
            Line2D([], [], color="0.45", marker=m, markerfacecolor="none", linestyle="", label=f"paper, {k} classes")
            for k, m in _MARKERS.items()
            if k in set(published.loc[published["method"].isin(methods), "classes"])
        ]
    figure.tight_layout()
    figure.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, 0), ncols=1 if narrow else 2, frameon=False)
    return figure


def _label(axes, columns, x, y):
    """Write beside the panels at the left and below those at the bottom."""
    for axis in axes[::columns]:
        axis.set_ylabel(y)
    for axis in axes[-columns:]:
        axis.set_xlabel(x)


def _point(axis, x, change, factor, shade, marker="o"):
    low, high = (factor * abs(end - change.difference) for end in (change.low, change.high))
    axis.errorbar(x, factor * change.difference, [[low], [high]], color=shade, marker=marker, markersize=5, capsize=2)


def effects_against_setting(series, shown, x="epochs", columns=3):
    """Draw what methods change against a setting on an axis of powers of two, one line per rung.

    Parameters
    ----------
    series : dict of str to dict of float to list of ladder.Effect
        A rung's title; its effects by the value of the setting.
    shown : sequence of tuple of str
        A method and a key of ``Effect.changes``: one panel each.
    x : str
        What the setting is.
    columns : int
        Panels beside each other.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, open in pyplot.
    """
    columns, methods = min(columns, len(shown)), {method for method, _ in shown}
    figure, axes = panels(len(shown), columns, width=7.6 / columns, height=2.6, sharex=True)
    styles, ticks = ("-", "--", ":", "-."), sorted({n for effects in series.values() for n in effects})
    for axis, (method, quantity) in zip(axes, shown, strict=True):
        factor, label = _scale(quantity)
        axis.axhline(0, color="0.7", linewidth=1, zorder=0)
        for style, (title, effects) in zip(styles, series.items(), strict=False):
            found = {n: e for n, there in effects.items() for e in there if e.method == method}
            x_values = sorted(found)
            values = [factor * found[n].changes[quantity].difference for n in x_values]
            axis.plot(x_values, values, color=colour(method), linestyle=style, label=title)
            for n in x_values:
                _point(axis, n, found[n].changes[quantity], factor, colour(method))
        axis.set_xscale("log", base=2)
        axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks], minor=False)
        axis.set(xlabel=x, ylabel=label, title=name(method) if len(methods) > 1 else "")
        sns.despine(ax=axis)
    figure.tight_layout()
    if len(series) > 1:
        handles = [Line2D([], [], color="0.2", linestyle=s, label=t) for s, t in zip(styles, series, strict=False)]
        figure.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, 0), ncols=2, frameon=False)
    return figure
