"""The paper's printed tables checked against themselves: what their numbers imply, where they agree, what they count.

Nothing here needs a network or a record. Means and standard deviations are those of three runs, as printed; everything
derived from them says how far rounding reaches.
"""

from itertools import combinations

import numpy as np
import pandas as pd
from scipy.special import lambertw
from scipy.stats import t as student

from ..methods import CALIBRATION, FLAT
from ..statistics import HIGHER_IS_BETTER, holm, sign_test
from .names import name
from .published import load

RUNS = 3  # behind each printed mean and standard deviation
ROW = ["table", "dataset", "network", "method"]
UNIT = {"aurc": 1e3, "eaurc": 1e3, "nll": 10}  # the paper prints these times so much, all others in percent
_HALF = 0.005  # a number printed to two decimals is off by at most this


def error_rate(excess):
    """Return the error rate r at which AURC - E-AURC equals `excess`.

    AURC - E-AURC is the AURC of a perfect ranking, r + (1 - r) ln(1 - r) (Geifman et al. 2019).

    Parameters
    ----------
    excess : array_like
        AURC - E-AURC in natural units, in [0, 1].

    Raises
    ------
    ValueError
        For values outside [0, 1].

    Examples
    --------
    >>> round(float(error_rate(2.00e-3)), 4)
    0.0626
    """
    excess = np.asarray(excess, np.float64)
    if np.any(~((excess >= 0) & (excess <= 1))):
        raise ValueError(f"AURC - E-AURC is {excess}; it must lie in [0, 1]")
    # (ln(1 - r) - 1) is w of w e^w = (excess - 1) / e, on the branch below -1, where r > 0.
    return np.where(excess > 0, 1 - np.exp(1 + lambertw((excess - 1) / np.e, -1).real), 0.0)


def rows(value: str = "mean") -> pd.DataFrame:
    """Return one row per printed row and one column per metric: the ``mean`` or the ``std``, in its units."""
    return load().pivot_table(index=ROW, columns="metric", values=value, sort=False, dropna=False).dropna(how="all")


def accuracies() -> pd.DataFrame:
    """Return the accuracy, in percent, that each row's AURC - E-AURC implies, and the range that rounding leaves.

    AURC - E-AURC depends on the error rate alone. Columns: ``accuracy, low, high``.
    """
    means = rows()
    printed = (means["aurc"] - means["eaurc"]).dropna()
    # Mean over runs of a slightly convex function: the error made by inverting the mean is below the rounding's.
    found = {
        name: 100 * (1 - error_rate((printed + shift) / 1000))
        for name, shift in (("accuracy", 0), ("low", 2 * _HALF), ("high", -2 * _HALF))
    }
    return pd.DataFrame(found, index=printed.index)


def repeated() -> pd.DataFrame:
    """Return the cells printed in two tables (the baseline's rows of Tables 1 and 2) and whether they differ.

    Columns: ``first, second`` (tables), ``dataset, network, method, metric``, both means and standard deviations,
    ``differs``, and ``between``: the methods of the same column whose mean lies from one to the other, so that which of
    the two is right decides a comparison.
    """
    cells = load().dropna(subset="std")
    key = ["dataset", "network", "method", "metric"]
    pairs = cells.merge(cells, on=key, suffixes=("_first", "_second")).query("table_first < table_second")
    pairs = pairs.rename(columns={"table_first": "first", "table_second": "second"})
    differs = (pairs["mean_first"] != pairs["mean_second"]) | (pairs["std_first"] != pairs["std_second"])

    def between(pair):
        ends = sorted((pair["mean_first"], pair["mean_second"]))
        same = (cells[["dataset", "network", "metric"]] == pair[["dataset", "network", "metric"]]).all(axis=1)
        others = cells[same & cells["mean"].between(*ends) & (cells["method"] != pair["method"])]
        return tuple(others["method"].unique())

    pairs = pairs.assign(differs=differs).reset_index(drop=True)
    pairs["between"] = [between(pair) if pair["differs"] else () for _, pair in pairs.iterrows()]
    return pairs


def _pairs(wanted):
    """Yield pairs of different rows of one table (keys, and both rows' means and standard deviations as arrays)."""
    spreads = rows("std").dropna(how="all")
    x, s = rows().loc[spreads.index].to_numpy(), spreads.to_numpy()
    for (i, a), (j, b) in combinations(enumerate(spreads.index), 2):
        if a[0] == b[0] and wanted(a, b):
            there = ~np.isnan(s[i]) & ~np.isnan(s[j])
            yield a, b, [values[there] for values in (x[i], x[j], s[i], s[j])]


def identical_spreads() -> pd.DataFrame:
    """Return every two rows of one table and in how many columns their standard deviations are the same, most first.

    Columns: ``table, a, b`` (data set, network, method), ``same, columns``.
    """
    found = [
        {"table": a[0], "a": a[1:], "b": b[1:], "same": int((s == t).sum()), "columns": len(s)}
        for a, b, (_, _, s, t) in _pairs(lambda a, b: True)
    ]
    return pd.DataFrame(found).sort_values("same", ascending=False, kind="stable").reset_index(drop=True)


def near_rows() -> pd.DataFrame:
    """Return every two rows of one table and data set on different networks, the nearest first.

    Columns: ``table, a, b, largest, median``: the difference of the means in units of the two rows' root mean square
    standard deviation, largest and median over the columns.
    """
    found = []
    for a, b, (x, y, s, t) in _pairs(lambda a, b: a[1] == b[1] and a[2] != b[2]):
        distance = np.abs(x - y) / np.sqrt((s**2 + t**2) / 2)
        found.append({"table": a[0], "a": a[1:], "b": b[1:], "largest": distance.max(), "median": np.median(distance)})
    return pd.DataFrame(found).sort_values("largest", kind="stable").reset_index(drop=True)


# -- who wins -------------------------------------------------------------------------------------------------


def welch(mean_a, std_a, mean_b, std_b):
    """Return Welch's two-sided p-value for two printed means of `RUNS` runs each.

    Parameters
    ----------
    mean_a, std_a : float
        Mean and standard deviation (ddof = 1) of the first method, as printed.
    mean_b, std_b : float
        The same of the second method.

    Returns
    -------
    float
        In [0, 1].
    """
    a, b = (np.asarray(s, np.float64) ** 2 / RUNS for s in (std_a, std_b))
    difference = np.asarray(mean_b, np.float64) - np.asarray(mean_a, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = (a + b) ** 2 * (RUNS - 1) / (a**2 + b**2)
        return 2 * student.sf(np.abs(difference) / np.sqrt(a + b), freedom)


def wins(methods, against: str, tables=("table2",), metrics=None) -> pd.DataFrame:
    """Count the cells in which each method is printed better than another one, metric by metric.

    Parameters
    ----------
    methods : sequence of str
    against : str
        The method compared with, such as ``baseline``.
    tables : sequence of str
        Where to count; a cell is one network on one data set.
    metrics : sequence of str, optional
        All that these tables print, if not given.

    Returns
    -------
    DataFrame
        Columns: ``method, against, metric, cells, wins, losses, clear_wins, clear_losses, p``. A win is *clear* where
        Welch's test on the printed means and standard deviations has p < 0.05. ``p`` is the exact two-sided sign
        test of wins against losses, not adjusted for the number of tests (see `statistics.holm`).
    """
    cells = load()
    cells = cells[cells["table"].isin(tables)]
    metrics = list(cells["metric"].unique()) if metrics is None else metrics
    other = cells[cells["method"] == against].set_index(["table", "dataset", "network", "metric"])
    found = []
    for method in methods:
        own = cells[cells["method"] == method].set_index(["table", "dataset", "network", "metric"])
        both = own.join(other.add_suffix("_other"), how="inner")
        for metric in metrics:
            part = both[both.index.get_level_values("metric") == metric]
            gain = (part["mean"] - part["mean_other"]) * (1 if metric in HIGHER_IS_BETTER else -1)
            clear = welch(part["mean_other"], part["std_other"], part["mean"], part["std"]) < 0.05
            up, down = int((gain > 0).sum()), int((gain < 0).sum())
            found.append({
                "method": method, "against": against, "metric": metric, "cells": len(part), "wins": up, "losses": down,
                "clear_wins": int((clear & (gain > 0)).sum()), "clear_losses": int((clear & (gain < 0)).sum()),
                "p": sign_test(up, down),
            })  # fmt: skip
    return pd.DataFrame(found)


def flat_wins() -> pd.DataFrame:
    """Return `wins` of SAM, SWA and FMFP against the baseline and CRL in Table 2, with Holm's adjusted ``p_holm``."""
    found = pd.concat([wins(FLAT, other) for other in ("baseline", "crl")], ignore_index=True)
    return found.assign(p_holm=holm(found["p"]))


def calibration_wins() -> pd.DataFrame:
    """Return `wins` of the calibration methods against the baseline in Tables 1 and 4, with Holm's ``p_holm``."""
    found = wins(CALIBRATION, "baseline", ("table1", "table4"))
    return found.assign(p_holm=holm(found["p"]))


def best() -> pd.DataFrame:
    """Return, for each metric, in how many cells of Table 2 each method has the best printed mean.

    A tie counts for all who share it. One row per metric, one column per method, and ``cells``.
    """
    found, cells = {}, load().query("table == 'table2'")
    for metric, block in cells.groupby("metric", sort=False):
        wide = block.pivot_table(index=["dataset", "network"], columns="method", values="mean", sort=False)
        top = wide.max(axis=1) if metric in HIGHER_IS_BETTER else wide.min(axis=1)
        found[metric] = {**wide.eq(top, axis=0).sum(), "cells": len(wide)}
    return pd.DataFrame(found).T.astype(int).rename_axis("metric")


# -- what can stand in one row --------------------------------------------------------------------------------


def aurc_range(error_rate: float, auroc: float) -> tuple[float, float]:
    """Return the smallest and the largest AURC that any ranking with this error rate and AUROC can have.

    The smallest has all errors in one block, so that each stands above the same share of correct predictions; the
    largest has some errors at the very front and the rest at the very end (continuous limits; an error costs more the
    nearer to the front it stands).

    Parameters
    ----------
    error_rate : float
        Share of incorrect predictions, in [0, 1].
    auroc : float
        In [0, 1].

    Returns
    -------
    tuple of float
        Smallest and largest AURC, in [0, 1].
    """
    r, correct = float(error_rate), 1 - float(error_rate)
    above = auroc * correct  # share of correct predictions ahead of the block
    low = r - above * np.log1p(r / above) - r * np.log(above + r) if above else 1.0
    front = (1 - auroc) * r
    high = front + (front * np.log1p(correct / front) if front else 0.0)
    high += (r - front) + correct * np.log(front + correct)
    return float(low), float(high)


def possible() -> pd.DataFrame:
    """Return, for each row, whether its numbers can stand together.

    Columns, each True where the row passes, with room for the rounding of every number in it, NaN where a metric is
    not printed:

    ``aurc_auroc``: AURC lies in `aurc_range` of the implied error rate r and the printed AUROC. ``aupr``:
    (1 - r)(1 - AUPR-Success) is at most E-AURC, since AURC is that product plus the errors' own share, which is at
    least the optimum. ``brier`` and ``nll``: at least r/2 and r ln 2, since an incorrect prediction gives the true
    class at most one half. ``fpr``: AUROC lies between 0.95 (1 - F) and 1 - 0.05 F, F the FPR-95%TPR.
    """
    means = rows().dropna(subset=["eaurc"])
    accuracy = accuracies()
    found = []
    for key, row in means.iterrows():
        errors = [1 - accuracy.loc[key, end] / 100 for end in ("high", "low")]
        auroc = [(row["auroc"] + s * _HALF) / 100 for s in (-1, 1)]
        ranges = [aurc_range(r, a) for r in errors for a in auroc]
        low, high = min(x[0] for x in ranges), max(x[1] for x in ranges)
        aurc, excess = row["aurc"] / 1000, row["eaurc"] / 1000
        small = _HALF / 1000
        success = (row["aupr_success"] + _HALF) / 100
        fpr = [(row["fpr95"] + s * _HALF) / 100 for s in (-1, 1)]
        brier, nll = row.get("brier", np.nan), row.get("nll", np.nan)
        found.append(
            {
                "aurc_auroc": low - small <= aurc <= high + small,
                "aupr": (1 - errors[1]) * (1 - success) <= excess + small,
                "brier": np.nan if pd.isna(brier) else (brier + _HALF) / 100 >= errors[0] / 2,
                "nll": np.nan if pd.isna(nll) else (nll + _HALF) / 10 >= errors[0] * np.log(2),
                "fpr": 0.95 * (1 - fpr[1]) <= auroc[1] and auroc[0] <= 1 - 0.05 * fpr[0],
            }
        )
    return pd.DataFrame(found, index=means.index)


def aupr_share() -> pd.DataFrame:
    """Return (1 - r)(1 - AUPR-Success) / E-AURC for each row, and how far it lies from others of the same data set.

    The share is nearly constant on one data set. Columns: ``share``, ``low``, ``high`` (what rounding leaves),
    ``distance`` from the data set's median in units of 1.4826 times the median absolute deviation.
    """
    means = rows().dropna(subset=["eaurc"])
    correct = accuracies()["accuracy"] / 100
    parts = {"share": (0, 0), "low": (_HALF, _HALF), "high": (-_HALF, -_HALF)}
    found = pd.DataFrame(
        {
            name: correct * (1 - (means["aupr_success"] + a) / 100) / ((means["eaurc"] + b) / 1000)
            for name, (a, b) in parts.items()
        }
    )
    by_data = found["share"].groupby("dataset")
    off = found["share"] - by_data.transform("median")
    return found.assign(distance=off / (1.4826 * off.abs().groupby("dataset").transform("median")))


def accuracy_part() -> pd.DataFrame:
    """Return how much of each method's change of AURC, against the baseline of its row, its accuracy accounts for.

    AURC = optimum(error rate) + E-AURC, so a change of AURC is the sum of both changes. Columns: ``accuracy`` and
    ``aurc`` (changes, percent points and ×10³), ``optimum`` and ``eaurc`` (the two parts, ×10³).
    """
    means = rows().dropna(subset=["eaurc"])[["aurc", "eaurc"]]
    means["optimum"] = means["aurc"] - means["eaurc"]
    means["accuracy"] = accuracies()["accuracy"]
    base = means.xs("baseline", level="method").reindex(means.index.droplevel("method"))
    change = means - base.to_numpy()
    return change[change.index.get_level_values("method") != "baseline"][["accuracy", "aurc", "optimum", "eaurc"]]


# What the paper's text says of its tables, and the cells it speaks of: table, data set, network, method, metric.
QUOTED = {
    "FMFP's gain in AUROC, ResNet110, CIFAR-10": (3.00, ("table2", "cifar10", "preact_resnet110", "fmfp", "auroc")),
    "FMFP's gain in AUROC, ResNet110, CIFAR-100": (2.24, ("table2", "cifar100", "preact_resnet110", "fmfp", "auroc")),
}
# ECE in percent on CIFAR-10 as section 3.2 quotes it: network, method -> the baseline's, the method's.
QUOTED_ECE = {
    ("preact_resnet110", "mixup"): (4.14, 2.97),
    ("densenet", "mixup"): (2.96, 1.39),
    ("preact_resnet110", "focal"): (4.14, 1.60),
    ("densenet", "focal"): (2.96, 1.36),
}


def quoted() -> pd.DataFrame:
    """Return numbers that the text quotes beside what the tables give. Columns: ``what, text, tables``."""
    means = rows()
    found = []
    for what, (said, (table, dataset, network, method, metric)) in QUOTED.items():
        own, base = (means.loc[(table, dataset, network, m), metric] for m in (method, "baseline"))
        found.append({"what": what, "text": said, "tables": round(own - base, 2)})
    for network in dict.fromkeys(n for n, _ in QUOTED_ECE):
        said = {base for (n, _), (base, _) in QUOTED_ECE.items() if n == network}
        for value in said:
            printed = means.loc[("table2", "cifar10", network, "baseline"), "ece"]
            found.append({"what": f"the baseline's ECE, {name(network)}, CIFAR-10", "text": value, "tables": printed})
    return pd.DataFrame(found)


def unusual_cells() -> pd.DataFrame:
    """Return the cells whose mean lies outside the metric's range or whose standard deviation is zero or negative."""
    cells = load()
    top = cells["metric"].map(lambda m: UNIT.get(m, 100)).where(cells["metric"] != "nll", np.inf)
    top = top.where(cells["metric"] != "brier", 200)
    return cells[(cells["mean"] < 0) | (cells["mean"] > top) | (cells["std"] <= 0)]
