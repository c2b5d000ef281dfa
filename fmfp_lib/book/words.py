"""Comparisons in words: which methods are lower, higher, or too close to call."""

from ..methods import CALIBRATION
from .names import display, listed, name

_NUMBERS = dict(enumerate("two three four five six seven eight nine ten eleven twelve".split(), 2))


def _sides(found, metric):
    """Return the methods whose interval lies below 0, those whose interval lies above it, and the others."""
    lower = [m for m, row in found.items() if row[metric].high < 0]
    higher = [m for m, row in found.items() if row[metric].low > 0]
    return lower, higher, [m for m in found if m not in lower + higher]


def in_words(found: dict, metric: str) -> str:
    """Say for which methods a metric is clearly lower or higher than the baseline's, and for which it is open.

    Clearly: the 95 % interval excludes 0. `found` is what `compare.against_baseline` gives. The result has no full
    stop: ``clearly lower for mixup; too close to call for CS-KD``.

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
    lower, higher, rest = _sides(found, metric)
    if not lower + higher:
        return "not clearly different for any method"
    parts = ("clearly lower", lower), ("clearly higher", higher), ("too close to call", rest)
    return "; ".join(f"{word} for {listed(methods)}" for word, methods in parts if methods)


def moves(found: dict, metric: str, falls: str = "falls", rises: str = "rises") -> str:
    """Say for which methods a statistic clearly falls or rises against the baseline, with a verb for each way.

    Parameters
    ----------
    found : dict
        What `compare.against_baseline` returns.
    metric : str
        Name of one of its metrics.
    falls, rises : str
        The verbs.

    Returns
    -------
    str
        A clause without its subject: ``falls for SWA, rises for CRL, and is too close to call for FMFP``. Where all
        clear changes go one way, the methods left open are not named: ``falls for CRL only``.
    """
    lower, higher, rest = _sides(found, metric)
    parts = [f"{verb} for {listed(methods)}" for verb, methods in ((falls, lower), (rises, higher)) if methods]
    if len(parts) < 2:
        return parts[0] + (" only" if rest else "") if parts else "does not clearly change"
    return f"{parts[0]}, {parts[1]}, and is too close to call for {listed(rest)}" if rest else " and ".join(parts)


def of_all(found: dict, metric: str) -> str:
    """Say which of several methods clearly lower a metric against the baseline, and which clearly raise it.

    Parameters
    ----------
    found : dict
        What `compare.against_baseline` returns, at least one method.
    metric : str
        Name of one of its metrics.

    Returns
    -------
    str
        A clause: ``of the seven methods, SWA and FMFP clearly lower AUGRC; none clearly raises it``.
    """
    word = display(metric)[1].split()[0]
    lower, higher, _ = _sides(found, metric)
    if len(found) == 1:
        verb = "clearly lowers" if lower else "clearly raises" if higher else "does not clearly change"
        return f"{name(*found)}, the only one run, {verb} {word}"

    def told(methods, verb, what):
        return f"{listed(methods) if methods else 'none'} clearly {verb}{'s' if len(methods) < 2 else ''} {what}"

    number = _NUMBERS.get(len(found), len(found))
    return f"of the {number} methods, {told(lower, 'lower', word)}; {told(higher, 'raise', 'it')}"


def tally(comparisons) -> str:
    """Count, in words, how many of some comparisons go down, how many up, and how many of each clearly; then the equal.

    The digits that the tables print are counted: what is printed as 0.00 is equal.

    Parameters
    ----------
    comparisons : iterable of statistics.Comparison
        All of one metric.

    Returns
    -------
    str
        A clause.
    """
    printed = [(round(display(c.metric)[0] * c.difference, 2), c.certain) for c in comparisons]
    parts = []
    for word, part in (
        ("lower", [certain for value, certain in printed if value < 0]),
        ("higher", [certain for value, certain in printed if value > 0]),
    ):
        parts.append(f"{word} in {len(part)} of {len(printed)} ({sum(part)} clearly)")
    equal = sum(value == 0 for value, _ in printed)
    return ", ".join([*parts, f"equal in {equal}"] if equal else parts)


def span(values) -> str:
    """Return the lowest and the highest of some numbers, as integers: ``3 to 5``, or ``3`` if they are the same.

    Parameters
    ----------
    values : iterable of float
        At least one.

    Returns
    -------
    str
    """
    values = list(values)
    return " to ".join(dict.fromkeys(f"{end:.0f}".replace("-", "\u2212") for end in (min(values), max(values))))


def carried_by_errors(parts, method: str = "fmfp") -> str:
    """Say which share of a method's gain in AUGRC fewer errors carry, and how often better ranking is clear.

    Parameters
    ----------
    parts : iterable of dict of str to statistics.Comparison
        For each network, as `statistics.augrc_sources` gives it; networks on which AUGRC does not fall have no share.
    method : str
        Its name.

    Returns
    -------
    str
        A sentence, without its full stop.
    """
    parts = list(parts)
    shares = [100 * p["by_errors"].difference / p["augrc"].difference for p in parts if p["augrc"].difference < 0]
    if not shares:
        return f"{name(method)} lowers AUGRC on no network"
    clear = sum(p["by_ranking"].certain and p["by_ranking"].better for p in parts)
    fallen = f" where it falls ({len(shares)} of {len(parts)} networks)" if len(shares) < len(parts) else ""
    return (
        f"fewer errors carry {span(shares)} % of {name(method)}'s gain in AUGRC{fallen}; the part of a better ranking "
        f"is clear on {clear} of {len(parts)} networks"
    )


def lowest(found: dict, metric: str) -> list[str]:
    """Return the methods of the lowest mean as printed, to two decimals; the baseline is one of those compared.

    Parameters
    ----------
    found : dict
        What `compare.against_baseline` returns.
    metric : str
        Name of a metric, as `metrics.evaluate` returns it.

    Returns
    -------
    list of str
        Keys of `methods.METHODS`, or ``baseline``; more than one where they tie.
    """
    means = {"baseline": next(iter(found.values()))[metric].a} | {m: row[metric].b for m, row in found.items()}
    printed = {m: round(display(metric)[0] * mean, 2) for m, mean in means.items()}
    return [m for m, value in printed.items() if value == min(printed.values())]


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
