"""What the runs of the ladder say, in sentences."""

from dataclasses import replace

import numpy as np

from .. import statistics
from ..datasets import CATALOGUE
from . import compare, ladder, markdown, names, nearest, rungs, words
from .rungs import CHOSE, CLASS, CURVES, EARLY, QUANTITIES, shown, variations, varied


def in_words(replicates: int = statistics.REPLICATES) -> str:
    """Say, as a Markdown list, what label smoothing and FMFP change on each rung, on the seeds that decide.

    Parameters
    ----------
    replicates : int
        Number of bootstrap replicates.

    Returns
    -------
    str
        Markdown.
    """
    lines = []
    for rung in shown("classroom"):
        found = ladder.effects(rung, CURVES[1:], replicates)
        if not found:
            continue
        told = []
        for effect in found:
            ece, auroc, surest = (effect.changes[m] for m in ("ece", "auroc", QUANTITIES[2]))
            told.append(
                f"**{names.name(effect.method)}** changes AUROC by {markdown.difference(auroc, False)} points"
                f"{_beside_published(effect)}, ECE by {markdown.difference(ece, False)}; wrong answers among the 1,000 "
                f"surest: {1000 * surest.a:.1f} → {1000 * surest.b:.1f}"
            )
        about = f"accuracy {100 * found[0].accuracy:.1f} %, {len(found[0].seeds)} seeds"
        lines.append(f"* **{rung.title}**, {about}: {'. '.join(told)}.")
    return "\n".join(lines) or "No rung has finished runs yet."


def choosing_seeds(replicates: int = statistics.REPLICATES) -> str:
    """Say what label smoothing and FMFP change on the seeds that chose the class's rung.

    Parameters
    ----------
    replicates : int
        Number of bootstrap replicates.

    Returns
    -------
    str
        A sentence.
    """
    seeds = CHOSE[CLASS.title]
    found = ladder.effects(replace(CLASS, seeds=seeds), CURVES[1:], replicates)
    told = [f"{names.name(e.method)} changes AUROC by {markdown.difference(e.changes['auroc'], False)}" for e in found]
    return f"Seeds {names.joined(seeds)} chose the first rung and decide nothing. On them {names.joined(told)} points."


def _beside_published(effect):
    """Say where the paper's nearest change of AUROC lies, seen from our interval."""
    change, classes = effect.changes["auroc"], CATALOGUE[effect.dataset].classes
    published, _ = nearest.cell("baseline", effect.method, "auroc", classes, effect.accuracy)
    if not np.isfinite(published):
        return ""
    beyond = max(change.low - published, published - change.high)
    side = "below" if published < change.low else "above"
    where = f"{100 * beyond:.1f} {side} the interval" if beyond > 0 else "within the interval"
    return f" (the paper's nearest value, {markdown.signed(100 * published)}, is {where})"


def gain_in_words() -> str:
    """Return, as Markdown, how much of FMFP's gain on the ladder is fewer errors, and how much a better order."""
    groups = rungs.groups(shown("classroom"))
    parts = [compare.augrc_parts(group.records, ["fmfp"])["fmfp"] for group in groups]
    places, clear = [f"{names.name(group.network)} on {names.name(group.dataset)}" for group in groups], {}
    for place, part in zip(places, parts, strict=True):
        clear.setdefault(bool(part["by_ranking"].certain and part["by_ranking"].better), []).append(place)
    which = (f"{'' if sure else 'open on '}{names.joined(clear[sure])}" for sure in sorted(clear, reverse=True))
    said = f"{words.carried_by_errors(parts)} ({'; '.join(which)})"
    return f"{said[:1].upper()}{said[1:]}. ({{term}}`AUGRC`, a relative of AURC, can be split into these two parts.)"


def take_away(effects: list[ladder.Effect], lengths: dict, fits: dict) -> str:
    """Say at which accuracies label smoothing harms, and from which number of epochs on its harm and FMFP's gain are
    clear.

    Parameters
    ----------
    effects : list of ladder.Effect
        As `ladder.drawn` returns them.
    lengths : dict of int to list of ladder.Effect
        By the number of epochs, as `ladder.by_length` returns them.
    fits : dict of int to list of float
        The baseline's training accuracies in [0, 1], by the number of epochs; may be empty.

    Returns
    -------
    str
        Two sentences.
    """
    own = [e for e in effects if e.method == "label_smoothing"]
    harmed, spared = ([100 * e.accuracy for e in own if _changes(e, -1) == clear] for clear in (True, False))
    first = f"Label smoothing clearly lowers AUROC on {len(harmed)} of {len(own)} networks"
    if harmed:
        first += f", {min(harmed):.0f} to {max(harmed):.0f} % accurate"
    if harmed and spared and max(spared) > min(harmed):
        first += f", and not clearly on one that is {max(spared):.0f} % accurate: accuracy alone does not decide"
    begins = []
    for method, sign, what in (("label_smoothing", -1, "the harm"), ("fmfp", 1, "FMFP's gain")):
        clear = _clear_at(lengths, method, sign)
        fit = f" (training accuracy {100 * np.mean(fits[clear[0]]):.0f} %)" if clear and fits.get(clear[0]) else ""
        begins.append(f"{what} is {f'first clear after {clear[0]} epochs{fit}' if clear else 'clear at no length'}")
    return f"{first}. On one network, trained for longer and longer, {names.joined(begins)}."


def slopes(effects: list[ladder.Effect], methods) -> str:
    """Say how each method's change of AUROC goes with the baseline's accuracy, over all networks and over those of the
    ladder alone.

    Parameters
    ----------
    effects : list of ladder.Effect
        As `ladder.drawn` returns them.
    methods : sequence of str

    Returns
    -------
    str
        Markdown: two sentences, and a table behind a fold.
    """
    unfitted, rows, clear = {rung.title for rung in EARLY}, [], ([], [])
    for method in methods:
        cells = []
        for own, told in zip(([e for e in effects if e.method == method],
                              [e for e in effects if e.method == method and e.rung not in unfitted]),
                             clear, strict=True):  # fmt: skip
            places = [10 * e.accuracy for e in own]
            if len(own) < 2 or np.ptp(places) == 0:
                cells += [len(own), "–"]
                continue
            found = ladder.slope(own, "auroc", places)
            cells += [len(own), markdown.interval(found, 100)]
            if found[1] * found[2] > 0:
                told.append(f"{names.name(method)} ({markdown.interval(found, 100, False)})")
        rows.append([names.name(method), *cells])
    heading = ["method", "networks", "slope, all", "networks that have fitted", "slope, fitted"]
    table = markdown.table(heading, rows)
    everywhere, fitted = (names.joined(told or ["no method"]) for told in clear)
    lead = f"Over all networks the slope is clear for {everywhere}; over those that have fitted, for {fitted}"
    return f"{lead}.\n\n````{{dropdown}} All slopes\n{table}\n````"


def _changes(effect, sign) -> bool:
    """Tell whether an effect clearly changes AUROC, downwards (-1) or upwards (1)."""
    change = effect.changes["auroc"]
    return bool(change.certain and sign * change.difference > 0)


def _clear_at(series, method, sign):
    """Return at which values of a setting a method clearly changes AUROC."""
    return [value for value, found in series.items() if any(e.method == method and _changes(e, sign) for e in found)]


def where_in_words(effects: list[ladder.Effect], methods=None) -> str:
    """Say on which networks, and at which accuracy, each method clearly changes AUROC.

    Parameters
    ----------
    effects : list of ladder.Effect
        As `ladder.drawn` returns them.
    methods : sequence of str, optional
        All that have effects if not given.

    Returns
    -------
    str
        A Markdown list, an item for each method.
    """
    lines = []
    for method in methods or dict.fromkeys(e.method for e in effects):
        own, parts = [e for e in effects if e.method == method], []
        for word, sign in (("lower", -1), ("higher", 1)):
            clear = [e for e in own if _changes(e, sign)]
            places = {}
            for e in clear:
                place = f"{names.name(e.network)} on {names.name(e.dataset)}"
                places.setdefault(place, []).append(f"{100 * e.accuracy:.0f}")
            if clear:
                found = (f"{place} at {names.joined(sorted(at))} %" for place, at in places.items())
                parts.append(f"clearly {word} in {len(clear)} of {len(own)} ({'; '.join(found)})")
        lines.append(f"* **{names.name(method)}**: {', '.join(parts) or f'not clear in any of {len(own)}'}.")
    return "\n".join(lines)


def sizes_in_words(scale: str = "classroom", replicates: int = statistics.REPLICATES) -> str:
    """Say what label smoothing changes on each network with fewer images, and how accurate the network is then.

    Parameters
    ----------
    scale : str
        Scale of the runs, a key of `settings.SCALES`.
    replicates : int
        Number of bootstrap replicates.

    Returns
    -------
    str
        A Markdown list, an item for each network.
    """
    lines = []
    for whole in varied(scale):
        parts = []
        for size, rung in variations("train_size", scale, whole).items():
            for effect in ladder.effects(rung, ("label_smoothing",), replicates):
                change = markdown.difference(effect.changes["auroc"])
                parts.append(f"{change} with {size:,} images, at an accuracy of {100 * effect.accuracy:.0f} %")
        if parts:
            network = names.name(whole.settings("baseline", 0).complete().network)
            lines.append(f"* **{network}**: label smoothing changes AUROC by {'; '.join(parts)}.")
    return "\n".join(lines)


def lengths_in_words(scale: str = "classroom", replicates: int = statistics.REPLICATES) -> str:
    """Say after how many epochs each method's change of AUROC is clear on the class's rung.

    Parameters
    ----------
    scale : str
        Scale of the runs, a key of `settings.SCALES`.
    replicates : int
        Number of bootstrap replicates.

    Returns
    -------
    str
        An item of a Markdown list.
    """
    lengths, parts = ladder.by_length(scale, replicates), []
    for method in CURVES[1:]:
        for word, sign in (("lowers", -1), ("raises", 1)):
            clear = _clear_at(lengths, method, sign)
            if clear:
                parts.append(f"{names.name(method)} clearly {word} AUROC after {names.joined(clear)}")
    if not parts:
        return f"* With {names.joined(lengths)} epochs no change of AUROC is clear."
    first = next(iter(lengths.values()))[0]
    where = f"{names.name(first.network)} on {names.name(first.dataset)}"
    shown_above = f"; the figure at the top has {CLASS.regime['epochs']}" if CLASS.regime["epochs"] in lengths else ""
    return f"* **Longer training** ({where}, for {names.joined(lengths)} epochs{shown_above}): {'; '.join(parts)}."
