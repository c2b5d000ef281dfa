"""Effects against accuracy and against training length: published cells hollow, ours filled."""

import numpy as np
import seaborn as sns
from matplotlib.lines import Line2D

from ..names import display, name
from .style import colour, panels

_MARKERS = {10: "o", 100: "s", 200: "^"}  # by number of classes
_OURS = {  # by data set and network
    ("embedded", "PreAct-ResNet-8"): "D",
    ("embedded", "VGG-8"): "v",
    ("cifar10", "ResNet-9"): "o",
    ("cifar10", "wide ResNet-9"): "P",
    ("cifar10", "PreAct-ResNet-8"): "*",
    ("cifar10", "VGG-8"): "^",
}
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
        Ours: filled, with 95 % intervals, a marker for each network and data set.
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
    narrow, cells = width < 5, published if quantity in published else published[:0]
    ours = {m: [e for e in effects if e.method == m] for m in methods}
    theirs = {m: cells[cells["method"] == m] for m in methods}
    rows = [methods[start : start + columns] for start in range(0, len(methods), columns)]
    ranges = [
        _range([e for m in row for e in ours[m]], cells[cells["method"].isin(row)], factor, quantity) for row in rows
    ]
    least = max(high - low for low, high in ranges) / 2
    ranges = [_widened(ends, least) for ends in ranges]
    figure, axes = panels(len(methods), columns, width / columns, 2.2 if narrow else 2.6, sharex=True, sharey="row",
                          gridspec_kw={"height_ratios": [high - low for low, high in ranges]})  # fmt: skip
    for place, (axis, method) in enumerate(zip(axes, methods, strict=True)):
        axis.axhline(0, color="0.7", linewidth=1, zorder=0)
        axis.set_ylim(ranges[place // columns])
        for classes, rows in theirs[method].groupby("classes"):
            axis.scatter(100 * rows["accuracy"], factor * rows[quantity], marker=_MARKERS[classes], s=28,
                         facecolors="none", edgecolors="0.45", linewidths=1)  # fmt: skip
        for x, effect in zip(_apart([100 * e.accuracy for e in ours[method]]), ours[method], strict=True):
            marker = _OURS[effect.dataset, name(effect.network)]
            _point(axis, x, effect.changes[quantity], factor, colour(method), marker)
        axis.set(title=name(method))
        sns.despine(ax=axis)
    for axis in axes[-columns:]:
        axis.tick_params(labelbottom=True)
        axis.set_xlabel("accuracy, %" if narrow else "accuracy of the baseline, %")
    figure.supylabel(label, fontsize="medium")
    figure.tight_layout()
    _legend(figure, effects, cells[cells["method"].isin(methods)], 1 if narrow else 2)
    return figure


def _legend(figure, effects, cells, columns):
    """Say below all panels which marker is which network of ours, or which number of classes of the paper's."""
    handles = [
        Line2D([], [], color="0.2", marker=_OURS[dataset, network], label=f"ours, {network}, {name(dataset)}")
        for dataset, network in dict.fromkeys((e.dataset, name(e.network)) for e in effects)
    ]
    handles += [
        Line2D([], [], color="0.45", marker=m, markerfacecolor="none", linestyle="", label=f"paper, {k} classes")
        for k, m in _MARKERS.items()
        if k in set(cells["classes"])
    ]
    figure.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, 0), ncols=columns, frameon=False)


def _range(effects, cells, factor, quantity):
    """Return the ends of all intervals and published cells of some panels, zero among them, with a margin."""
    values = [0.0, *(factor * end for e in effects for end in (e.changes[quantity].low, e.changes[quantity].high))]
    values += list(factor * cells[quantity]) if len(cells) else []
    margin = 0.05 * (max(values) - min(values) or 1)
    return min(values) - margin, max(values) + margin


def _widened(ends, least):
    """Return the ends of an axis, moved apart until they are at least `least` apart."""
    more = max(least - (ends[1] - ends[0]), 0) / 2
    return ends[0] - more, ends[1] + more


def _apart(values, gap=1.2):
    """Return positions in the order of `values`, moved to the right where two would be closer than `gap`."""
    found, last = list(values), -np.inf
    for place in np.argsort(values):
        last = found[place] = max(values[place], last + gap)
    return found


def _point(axis, x, change, factor, shade, marker="o"):
    low, high = (factor * abs(end - change.difference) for end in (change.low, change.high))
    axis.errorbar(x, factor * change.difference, [[low], [high]], color=shade, capsize=2, marker=marker,
                  markersize=8 if marker == "*" else 5)  # fmt: skip


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
    figure, axes = panels(len(shown), columns, width=7.6 / columns, height=2.2, sharex=True)
    styles, ticks = ("-", "--", ":", "-."), sorted({n for effects in series.values() for n in effects})
    for axis, (method, quantity) in zip(axes, shown, strict=True):
        factor, label = _scale(quantity)
        axis.axhline(0, color="0.7", linewidth=1, zorder=0)
        for place, (style, marker, (title, effects)) in enumerate(zip(styles, "Dvos", series.items(), strict=False)):
            aside = 2 ** (0.1 * place)  # so that intervals at one value stand side by side
            found = {n: e for n, there in effects.items() for e in there if e.method == method}
            x_values = sorted(found)
            values = [factor * found[n].changes[quantity].difference for n in x_values]
            axis.plot([aside * n for n in x_values], values, color=colour(method), linestyle=style, label=title)
            for n in x_values:
                _point(axis, aside * n, found[n].changes[quantity], factor, colour(method), marker)
        axis.set_xscale("log", base=2)
        axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks], minor=False)
        axis.set(ylabel=label, title=name(method) if len(methods) > 1 else "")
        sns.despine(ax=axis)
    for axis in axes[-columns:]:  # panels above share these
        axis.tick_params(labelbottom=True)
        axis.set_xlabel(x)
    figure.tight_layout()
    if len(series) > 1:
        handles = [
            Line2D([], [], color="0.2", linestyle=style, marker=marker, markersize=5, label=title)
            for style, marker, title in zip(styles, "Dvos", series, strict=False)
        ]
        figure.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, 0), ncols=2, frameon=False)
    return figure
