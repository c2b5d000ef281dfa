"""What a threshold promises and what it keeps."""

import seaborn as sns

from ..names import name
from ..threshold_study import READ_OFF
from .style import CORRECT, INCORRECT, colour, panels


def promises_kept(found: dict, risk: float):
    """Draw, for each way to choose a threshold, its true risk over all draws, and the promise as a line.

    Parameters
    ----------
    found : dict of str to threshold_study.Kept
    risk : float
        What was promised.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, open in pyplot.
    """
    figure, axes = panels(len(found), width=2.6, height=2.5, sharex=True)
    for axis, (way, kept) in zip(axes, found.items(), strict=True):
        color = INCORRECT if way == READ_OFF else CORRECT
        sns.histplot(x=100 * kept.risk, ax=axis, color=color, bins=20, element="step", alpha=0.4)
        axis.axvline(100 * risk, color="0.2", linestyle="--", linewidth=1)
        axis.set(xlabel="true risk, %", ylabel="draws" if axis is axes[0] else "")
        axis.set_title(f"{way}: kept in {100 * kept.share(risk):.1f} %", loc="left", fontsize=9)
        sns.despine(ax=axis)
    figure.tight_layout()
    return figure


def promise_under_shift(series: dict, risk: float):
    """Draw risk and coverage against severity for thresholds that were chosen on clean images.

    Parameters
    ----------
    series : dict of tuple of str to dict
        A network's title and a method, for the style of the line and its colour; then what
        ``threshold_study.by_severity`` returns.
    risk : float
        What was promised.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, open in pyplot.
    """
    figure, axes = panels(2, width=3.9, height=3.0)
    styles = dict(zip(dict.fromkeys(title for title, _ in series), ("-o", "--s", ":^", "-.d"), strict=False))
    for (title, method), found in series.items():
        for axis, key in zip(axes, ("risk", "coverage"), strict=True):
            axis.plot(range(len(found[key])), 100 * found[key], styles[title], color=colour(method), markersize=4,
                      label=f"{title}, {name(method)}")  # fmt: skip
    axes[0].axhline(100 * risk, color="0.2", linestyle="--", linewidth=1)
    axes[0].annotate("promised", (5, 100 * risk), (0, 3), textcoords="offset points", fontsize=8, ha="right")
    for axis, label in zip(axes, ("risk of the answers, %", "coverage, %"), strict=True):
        axis.set(xlabel="severity (0: clean)", ylabel=label, ylim=(0, None))
        sns.despine(ax=axis)
    axes[1].legend(frameon=False, fontsize=8)
    figure.tight_layout()
    return figure
