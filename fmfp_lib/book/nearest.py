"""The paper's cell that is nearest to a comparison of ours: as many classes, the baseline's accuracy closest."""

from functools import cache

import numpy as np

from . import audit, names

CLASSES = {"cifar10": 10, "cifar100": 100, "tiny_imagenet": 200}
TABLES = ("table1", "table2", "table4", "table5")  # of clean images


@cache
def _cells():
    """Return the rows printed for clean images and the baseline's accuracy in each cell, in percent."""
    rows = audit.rows()
    rows = rows[rows.index.get_level_values("table").isin(TABLES)]
    return rows, audit.accuracies()["accuracy"].xs("baseline", level="method").dropna()


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
    rows, accuracies = _cells()
    best, found = np.inf, (np.nan, "")
    for place, own in accuracies.items():
        _, dataset, network = place
        try:
            difference = rows.loc[(*place, b), metric] - rows.loc[(*place, a), metric]
        except KeyError:
            continue
        away = abs(own - 100 * accuracy)
        if CLASSES.get(dataset) == classes and np.isfinite(difference) and away < best:
            where = f"{names.name(network)}, {names.name(dataset)}, {own:.1f} %"
            best, found = away, (float(difference) / names.display(metric)[0], where)
    return found
