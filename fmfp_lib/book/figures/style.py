"""One colour a method throughout, safe for colour-blind readers, and panels that stay legible on a phone."""

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.colors import to_hex, to_rgb
from seaborn.utils import relative_luminance

PALETTE = sns.color_palette("colorblind")
CORRECT, INCORRECT = (0.20, 0.25, 0.36), (0.84, 0.20, 0.42)  # of no method
# Any two are at least 14 apart (CIELAB), for colour-blind readers and on dark pages too; 27 for all others.
_COLOURS = {"baseline": "#949494", "label_smoothing": "#de8f05", "fmfp": "#0173b2", "sam": "#6dbb7b", "swa": "#9b30d9",
            "mixup": "#919746", "focal": "#d41e00", "cs_kd": "#480529", "l1_norm": "#14532d", "crl": "#10a9c8",
            "ts_valid": "#0173b2", "ts_optimal": "#029e73", "confidnet": "#ca9161"}  # fmt: skip


def readable(rgb, background: str = "#ffffff", contrast: float = 3) -> str:
    """Return a colour, moved no further from the background than its contrast asks for.

    Parameters
    ----------
    rgb : tuple of float
        In [0, 1].
    background : str
        ``#rrggbb``.
    contrast : float
        At least, to 1; WCAG asks for 3 of a mark and for 4.5 of text.

    Returns
    -------
    str
        ``#rrggbb``.
    """
    ground = relative_luminance(to_rgb(background))
    towards = np.zeros(3) if ground > 0.5 else np.ones(3)
    for share in np.linspace(0, 1, 51):
        mixed = (1 - share) * np.asarray(rgb) + share * towards
        low, high = sorted((relative_luminance(mixed), ground))
        if (high + 0.05) / (low + 0.05) >= contrast:
            break
    return to_hex(mixed)


def colour(method: str, background: str = "#ffffff", contrast: float = 3) -> str:
    """Return a method's colour, a combination's being its objective's; grey for a method without a colour.

    Parameters
    ----------
    method : str
    background : str
        On which it must be readable, ``#rrggbb``.
    contrast : float
        See `readable`.

    Returns
    -------
    str
        ``#rrggbb``.
    """
    return readable(to_rgb(_COLOURS.get(method.split("+")[0], "#949494")), background, contrast)


def line_style(method: str) -> str:
    """Return how a method's curves are drawn, as matplotlib names it: solid, but CRL's, which often lie on FMFP's."""
    return "-." if method == "crl" else "-"


def panels(count, columns=2, width=3.6, height=3.0, **options):
    """Return a figure and its axes, wrapped after `columns` panels, so that it stays legible on a phone.

    Parameters
    ----------
    count : int
        Number of panels.
    columns : int
        Panels per row.
    width, height : float
        Of a panel, in inches.
    **options
        Passed to ``plt.subplots``.

    Returns
    -------
    tuple
        The figure, and a list of its `count` axes.
    """
    columns = min(columns, count)
    rows = -(-count // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(width * columns, height * rows), squeeze=False, **options)
    for axis in axes.flat[count:]:
        axis.remove()
    return figure, list(axes.flat[:count])


def legend_below(figure, axis, columns=None):
    """Put the entries of `axis` once, under all panels, beyond what tight_layout uses.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure that gets the legend.
    axis : matplotlib.axes.Axes
        The panel whose entries it has.
    columns : int, optional
        Columns of the legend.
    """
    handles, labels = axis.get_legend_handles_labels()
    columns = columns or (4 if len(labels) == 4 else 3)
    figure.tight_layout()
    figure.legend(handles, labels, loc="upper center", bbox_to_anchor=(0.5, 0), ncols=columns, frameon=False)


def legend_entries(axis):
    """Return how many entries the axis has in a legend: panels may lack methods that others have."""
    return len(axis.get_legend_handles_labels()[0])
