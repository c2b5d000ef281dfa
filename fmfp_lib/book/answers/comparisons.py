"""Answers that are read off differences and their intervals."""

import numpy as np

from .. import names
from ..markdown import difference, signed


def only_calibrated(found: dict) -> str:
    """Say which methods lower ECE in the mean and do not lower AUROC.

    Parameters
    ----------
    found : dict of str to dict of str to statistics.Comparison
        By method and metric, as `compare.against_baseline` returns it.

    Returns
    -------
    str
        Sentences.
    """
    lower = [m for m, row in found.items() if row["ece"].difference < 0]
    both = [m for m in lower if found[m]["auroc"].difference >= 0]
    clear = [m for m in both if found[m]["auroc"].certain]
    text = f"Left in ECE: {names.listed(lower)}. Of these, not left in AUROC: {names.listed(both)}"
    return f"{text}; clearly higher in AUROC: {names.listed(clear)}."


def added(found: dict) -> str:
    """Say what a second method changes on top of a first one, network by network.

    Parameters
    ----------
    found : dict of str to dict of str to statistics.Comparison
        By title and metric: the second method minus the first; ``ece``, ``auroc`` and ``aurc``.

    Returns
    -------
    str
        A Markdown list, a line for each network.
    """
    units = {"ece": "ECE by {} points", "auroc": "AUROC by {}", "aurc": "AURC ×10³ by {}"}
    parts = {title: [text.format(difference(row[m])) for m, text in units.items()] for title, row in found.items()}
    return "\n".join(f"- {title}: {', '.join(told)}" for title, told in parts.items())


def narrowed(compared: dict) -> str:
    """Say how many methods below the dashed line, whose gap of means shrinks, also have a lower AUROC.

    Parameters
    ----------
    compared : dict of str to dict of str to dict of str to statistics.Comparison
        By title, method and metric.

    Returns
    -------
    str
        Sentences.
    """
    rows = [(t, m, row) for t, found in compared.items() for m, row in found.items()]
    below = [(t, m, row) for t, m, row in rows if row["confidence_gap"].difference < 0]
    lower = [(t, m) for t, m, row in below if row["auroc"].difference < 0]
    above = sum(row["auroc"].difference < 0 for *_, row in rows) - len(lower)
    if not below:
        return f"None, on any network; yet AUROC is lower in the mean in {above} of {len(rows)} comparisons."
    by_title = [f"{t}: {names.listed([m for u, m, _ in below if u == t])}" for t in compared]
    return (
        f"Below the line: {'; '.join(by_title)}. AUROC is lower in the mean for {len(lower)} of these {len(below)}, "
        f"and for {above} of the {len(rows) - len(below)} above it."
    )


def widest_kind(kinds: dict, accuracy) -> str:
    """Say which kind of corruption has the widest interval, and how accurate the baseline is under it.

    Parameters
    ----------
    kinds : dict of str to statistics.Comparison
        By kind of corruption.
    accuracy : ndarray of shape (kinds,)
        The baseline's under each kind, in the same order.

    Returns
    -------
    str
        Sentences.
    """
    widths = {kind: c.high - c.low for kind, c in kinds.items()}
    widest = max(widths, key=widths.get)
    own, rank = accuracy[list(kinds).index(widest)], sorted(accuracy)
    usual, place = np.median([*widths.values()]), rank.index(own)
    order = ("the", "the second", "the third")[place] if place < 3 else f"number {place + 1} from the"
    return (
        f"{widest.replace('_', ' ').capitalize()}: {100 * widths[widest]:.1f} points wide, where the median kind has "
        f"{100 * usual:.1f}. The baseline is correct on {100 * own:.0f} % there, {order} least accurate of the "
        f"{len(rank)} kinds."
    )


def by_networks(mine: dict) -> str:
    """Say on whose networks a score loses most AUROC to MSP, and on whose least.

    Parameters
    ----------
    mine : dict of str to dict of str to dict of str to statistics.Comparison
        By title, training method and metric.

    Returns
    -------
    str
        A sentence.
    """
    methods = {m: np.mean([found[m]["auroc"].difference for found in mine.values() if m in found])
               for m in dict.fromkeys(m for found in mine.values() for m in found)}  # fmt: skip
    order = sorted(methods, key=methods.get)
    most, least = (f"{names.name(m)} ({signed(100 * methods[m])} points)" for m in (order[0], order[-1]))
    return f"Mean over the {len(mine)} networks: most on networks trained by {most}, least on those trained by {least}."


def from_value(effects: dict, method: str, unit: str, quantity: str = "auroc") -> str:
    """Say at which values of a setting a method's interval excludes 0.

    Parameters
    ----------
    effects : dict of float to list of ladder.Effect
        By the value of the setting.
    method : str
    unit : str
        What the setting counts, such as ``epochs``.
    quantity : str
        A key of ``Effect.changes``.

    Returns
    -------
    str
        A sentence.
    """
    factor = names.display(quantity)[0]
    parts = []
    for value, found in effects.items():
        for c in (e.changes[quantity] for e in found if e.method == method):
            state = ("below" if c.high < 0 else "above") + " zero" if c.certain else "includes zero"
            parts.append(f"{value:g} {unit}: {signed(factor * c.difference)}, {state}")
    return f"Change, and where its interval lies: {'; '.join(parts)}."


def nearest_cells(published, effect, count: int = 3) -> str:
    """Say what the published cells nearest in accuracy have, and whether an interval of ours holds them.

    Parameters
    ----------
    published : DataFrame
        What `ladder.published_effects` returns.
    effect : ladder.Effect
    count : int
        How many cells.

    Returns
    -------
    str
        Sentences.
    """
    rows = published[published["method"] == effect.method]
    rows = rows.iloc[(rows["accuracy"] - effect.accuracy).abs().argsort()[:count]].sort_values("accuracy")
    pairs = zip(rows["accuracy"], rows["auroc"], strict=True)
    cells = ", ".join(f"{signed(100 * value)} at {100 * accuracy:.0f} %" for accuracy, value in pairs)
    c = effect.changes["auroc"]
    ours, low, high = (signed(100 * value) for value in (c.difference, c.low, c.high))
    held = int(rows["auroc"].between(c.low, c.high).sum())
    return (
        f"The paper's {count} nearest cells: {cells}. Ours: {ours} [{low}, {high}] at {100 * effect.accuracy:.0f} %, "
        f"an interval that holds {held} of them."
    )


def matching(curves: dict, metric: str = "augrc") -> str:
    """Say how many baselines together gain as much as one FMFP network.

    Parameters
    ----------
    curves : dict of str to dict of str to list of tuple
        By title and method: cost in baselines and `statistics.Comparison` by metric, for 1, 2, ... networks together.
    metric : str
        One whose fall is a gain.

    Returns
    -------
    str
        A sentence.
    """
    parts = []
    for title, series in curves.items():
        if {"baseline", "fmfp"} <= set(series):
            one = series["fmfp"][0][1][metric].difference
            enough = [k for k, (_, c) in enumerate(series["baseline"], 1) if c[metric].difference <= one]
            needed = f"{enough[0]}, with {enough[0]} passes for every test image" if enough else \
                f"more than {len(series['baseline'])}"  # fmt: skip
            parts.append(f"{title}: {needed}")
    return f"Baselines needed: {'; '.join(parts)}." if parts else "There is one seed, so no ensemble."


def good_on_all(groups: dict) -> str:
    """Say which methods are clearly better in AUGRC on every network, and whether SURE is nearer to FMFP or cosine.

    Parameters
    ----------
    groups : dict of str to dict of str to dict of str to statistics.Comparison
        By title, method and metric.

    Returns
    -------
    str
        Sentences.
    """
    methods = dict.fromkeys(m for found in groups.values() for m in found)
    good = [
        m for m in methods if all(m in f and f[m]["augrc"].certain and f[m]["augrc"].better for f in groups.values())
    ]
    text = f"On every network: {names.listed(good)}."
    for title, found in groups.items():
        if {"fmfp", "cosine", "sure"} <= set(found):
            change = {m: row["augrc"].difference for m, row in found.items()}
            near = min(("fmfp", "cosine"), key=lambda m: abs(change[m] - change["sure"]))
            text += f" On {title}, SURE is nearer to {names.name(near)}."
    return text


def judges(opinions: dict) -> str:
    """Say how much less sure of a wrong class a second baseline is, and what FMFP has beyond that.

    Parameters
    ----------
    opinions : dict of str to tuple
        By title: mean probability of the wrong class that the erring baseline itself gives, that a second baseline
        gives, and that a network of FMFP gives, in [0, 1].

    Returns
    -------
    str
        A sentence.
    """
    parts = []
    for title, (own, second, method) in opinions.items():
        first, whole, rest = (signed(100 * change, 1) for change in (second - own, method - own, method - second))
        parts.append(f"{title}: {first} points for a second baseline; FMFP has {whole}, of which {rest} are its own")
    return "; ".join(parts) + "." if parts else "One seed cannot judge another."


def open_lines(evidence, most: int = 3) -> str:
    """Name deciding comparisons whose estimate lies on the claimed side and whose interval includes 0.

    Parameters
    ----------
    evidence : iterable of evidence.Evidence
    most : int
        How many are named.

    Returns
    -------
    str
        A sentence.
    """
    found = [f"{e.group} ({e.compared})" for e in evidence
             if e.decides and e.low <= 0 <= e.high and e.value and e.above <= e.value <= e.below]  # fmt: skip
    if not found:
        return "There are 0 such lines."
    return f"There are {len(found)} such lines: {'; '.join(found[:most])}{' and others' if found[most:] else ''}."
