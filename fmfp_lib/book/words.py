"""Comparisons in words: which methods are lower, higher, or too close to call."""

from ..methods import CALIBRATION
from .names import listed


def in_words(found: dict, metric: str) -> str:
    """Say for which methods a metric is clearly lower or higher than the baseline's, and for which it is open.

    Clearly: the 95 % interval excludes 0. `found` is what `compare.against_baseline` gives. The result has no full
    stop: ``lower for mixup; too close to call for CS-KD``.

    Parameters
    ----------
    found : dict
        What `compare.against_baseline` returns.
    metric : str
        Name of a metric, as `metrics.evaluate` returns it.

    Returns
    -------
    str
        A clause.
    """
    lower = [m for m, row in found.items() if row[metric].high < 0]
    higher = [m for m, row in found.items() if row[metric].low > 0]
    rest = [m for m in found if m not in lower + higher]
    if not lower + higher:
        return "not clearly changed by any method"
    parts = ("lower", lower), ("higher", higher), ("too close to call", rest)
    return "; ".join(f"{word} for {listed(methods)}" for word, methods in parts if methods)


def tally(comparisons) -> str:
    """Count, in words, how many of some comparisons go down and how many up, and how many of each clearly.

    Parameters
    ----------
    comparisons : iterable of statistics.Comparison
        All of one metric.

    Returns
    -------
    str
        A clause.
    """
    comparisons = list(comparisons)
    parts = []
    for word, part in (
        ("lower", [c for c in comparisons if c.difference < 0]),
        ("higher", [c for c in comparisons if c.difference > 0]),
    ):
        parts.append(f"{word} in {len(part)} of {len(comparisons)} ({sum(c.certain for c in part)} clearly)")
    return ", ".join(parts)


def lowest(found: dict, metric: str) -> str:
    """Return the method of the lowest mean, the baseline among them; `found` as `compare.against_baseline` gives it.

    Parameters
    ----------
    found : dict
        What `compare.against_baseline` returns.
    metric : str
        Name of a metric, as `metrics.evaluate` returns it.

    Returns
    -------
    str
        Key of `methods.METHODS`, or ``baseline``.
    """
    values = {"baseline": next(iter(found.values()))[metric].a} | {m: row[metric].b for m, row in found.items()}
    return min(values, key=values.get)  # the first of equals, so the baseline


def glance_in_words(found: dict) -> str:
    """Say which methods calibrate, which harm the ranking and which lower AURC, where the 95 % interval excludes 0.

    `found` is what `compare.against_baseline` gives, with ``ece``, ``auroc`` and ``aurc``.

    Parameters
    ----------
    found : dict
        What `compare.against_baseline` returns.

    Returns
    -------
    str
        Sentences.
    """
    calibration = [m for m in CALIBRATION if m in found]
    better = [m for m in calibration if found[m]["ece"].high < 0]
    worse = [m for m in calibration if found[m]["auroc"].high < 0]
    both = [m for m in better if m in worse]
    lower, higher = (
        [m for m, row in found.items() if row["aurc"].certain and row["aurc"].better is side] for side in (True, False)
    )
    return (
        f"Counting only changes whose 95 % interval excludes 0: among the calibration methods "
        f"({listed(calibration)}), ECE falls for "
        f"{listed(better)}; their AUROC falls for {listed(worse)}; both for {listed(both)}. Of all methods, AURC falls "
        f"for {listed(lower)} and rises for {listed(higher)}."
    )
