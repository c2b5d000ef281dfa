"""The paper's cell that is nearest to a comparison of ours: as many classes, the baseline's accuracy closest."""

from functools import cache

import numpy as np

from ..datasets import CATALOGUE
from . import audit, names

TABLES = ("table1", "table2", "table4", "table5")  # of clean images


@cache
def _cells():
    """Return the rows printed for clean images and the baseline's accuracy in each cell, in percent."""
    rows = audit.rows()
    rows = rows[rows.index.get_level_values("table").isin(TABLES)]
    return rows, audit.accuracies()["accuracy"].xs("baseline", level="method").dropna()


@cache
def _differences(a, b, metric):
    """Return the paper's differences of `b` from `a`: where each was printed, the baseline's accuracy, the value."""
    rows, accuracies = _cells()
    found = []
    for place, accuracy in accuracies.items():
        try:
            difference = rows.loc[(*place, b), metric] - rows.loc[(*place, a), metric]
        except KeyError:
            continue
        if np.isfinite(difference):
            found.append((place[1:], accuracy, float(difference)))
    return found


def cell(a: str, b: str, metric: str, classes: int, accuracy: float) -> tuple[float, str]:
    """Return the paper's value of method `b` minus that of method `a`, and where it was printed.

    Parameters
    ----------
    a, b : str
        Methods.
    metric : str
        As `metrics.evaluate` names it.
    classes : int
        Of our data set; only cells with as many are looked at.
    accuracy : float
        Of our baseline, in [0, 1].

    Returns
    -------
    difference : float
        In natural units; NaN if the paper printed none.
    where : str
        Network, data set and accuracy; empty if there is none.
    """
    alike = [one for one in _differences(a, b, metric) if CATALOGUE[one[0][0]].classes == classes]
    if not alike:
        return np.nan, ""
    (dataset, network), own, difference = min(alike, key=lambda one: abs(one[1] - 100 * accuracy))
    where = f"{names.name(network)}, {names.name(dataset)}, {own:.1f} %"
    return difference / names.display(metric)[0], where
