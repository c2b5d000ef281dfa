"""Corrupted images, and metrics under corruption."""

import numpy as np
import seaborn as sns

from .. import shift_study
from ..compare import by_seed
from ..names import display, name
from ..shift_study import by_severity
from .style import colour, legend_below, legend_entries, line_style, panels


def corrupted_images(image, severity):
    """Draw one image (c, h, w) uint8 as it is and under each of the corruptions at one severity.

    Parameters
    ----------
    image : ndarray, (c, h, w), uint8
        One image.
    severity : int
        1 (slight) to 5.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, open in pyplot.
    """
    from ...datasets.corruptions import KINDS, corrupt

    shown = {"clean": image} | {kind: corrupt(image[None], kind, severity)[0] for kind in KINDS}
    figure, axes = panels(len(shown), 4, width=1.6, height=1.85)
    for axis, (kind, x) in zip(axes, shown.items(), strict=True):
        axis.imshow(x.transpose(1, 2, 0).squeeze(), cmap="gray", vmin=0, vmax=255)
        axis.set(xticks=[], yticks=[])
        axis.set_title(kind.replace("_", " "), fontsize=9)
    figure.tight_layout()
    return figure


def metrics_by_severity(groups, methods):
    """Draw accuracy and AUROC, means over corruptions against the severity: one row per group, one curve per method.

    A curve is the mean over the seeds on which ``shift`` was measured, CRL's dash-dotted; severity 0 are the same
    images, clean. In the panel of accuracy a dashed curve is the mean confidence.

    Parameters
    ----------
    groups : iterable of study.Group
        The finished runs to show.
    methods : sequence of str
        Keys of `methods.METHODS`.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, open in pyplot.
    """
    figure, axes = panels(2 * len(groups), width=3.8, height=3.0)
    for place, axis in enumerate(axes):
        group, metric = groups[place // 2], ("accuracy", "auroc")[place % 2]
        factor, label = display(metric)
        for method in methods:
            records = by_seed(group.runs.get(method, ()))
            kept = shift_study.measured(records.values())
            clean = {seed: shift_study.clean(records[seed], a["score"].shape[2]) for seed, a in kept.items()}
            sides = [(by_severity(clean[seed]), by_severity(a)) for seed, a in kept.items()]
            for key in (metric, "confidence") if metric == "accuracy" else (metric,):
                if sides:
                    style = "--" if key == "confidence" else line_style(method)
                    values = np.mean([np.append(plain[key], found[key]) for plain, found in sides], 0)
                    axis.plot(range(len(values)), factor * values, style, color=colour(method),
                              linewidth=3 if method == "baseline" else 1.5,  # seen behind a curve that lies on it
                              label=name(method) if key == metric else None)  # fmt: skip
        axis.set(xlabel="severity (0: clean)", xticks=range(6))
        axis.set_ylabel("accuracy (dashed: confidence), %" if metric == "accuracy" else label)
        axis.set_title(group.title if not place % 2 else "", loc="left")
        sns.despine(ax=axis)
    legend_below(figure, max(axes, key=legend_entries), columns=4)
    return figure


def differences_by_kind(groups):
    """Draw FMFP's difference in AUROC under each kind of corruption with its 95 % interval: one panel per title.

    Parameters
    ----------
    groups : dict of str to dict of str to statistics.Comparison
        A title; then a kind.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, open in pyplot.
    """
    figure, axes = panels(len(groups), width=3.9, height=4.2, sharey=True)
    for axis, (title, found) in zip(axes, groups.items(), strict=True):
        axis.axvline(0, color="0.6", linewidth=0.8)
        for y, c in enumerate(found.values()):
            axis.hlines(y, 100 * c.low, 100 * c.high, color=colour("fmfp"), linewidth=1.4)
            axis.plot(100 * c.difference, y, "o", color=colour("fmfp"), markersize=5)
        axis.set(title=title, xlabel="change of AUROC, points")
        axis.set_yticks(range(len(found)), [kind.replace("_", " ") for kind in found])
        sns.despine(ax=axis)
    axes[0].invert_yaxis()
    figure.tight_layout()
    return figure
