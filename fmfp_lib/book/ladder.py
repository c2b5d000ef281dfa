"""Effects on the rungs of the accuracy ladder, against accuracy, length of training and label smoothing's dose."""

import re
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from .. import measures, statistics
from ..datasets import CATALOGUE
from ..metrics import selective_risk_at
from . import audit, compare, markdown, names
from .rungs import CURVES, EARLY, PILOTS, QUANTITIES, RACE, SUREST, Rung, shown, variations, varied


def drawn(scale: str = "classroom", replicates: int = statistics.REPLICATES) -> list["Effect"]:
    """Return what the figures of effects against accuracy show: all networks on which claims are judged, and those on
    Fashion-MNIST with fewer images.

    Parameters
    ----------
    scale : str
        Scale of the runs, a key of `settings.SCALES`.
    replicates : int
        Number of bootstrap replicates.

    Returns
    -------
    list of Effect
    """
    judged = shown(scale) if scale == "smoke" else (*shown(scale), *EARLY)
    found = [effect for rung in judged for effect in effects(rung, replicates=replicates)]
    there = {effect.rung for effect in found}
    fewer = [rung for whole in varied(scale) for rung in variations("train_size", scale, whole).values()]
    own = [rung for rung in fewer if rung.title not in there]
    return found + [effect for rung in own for effect in effects(rung, CURVES[1:], replicates)]


def by_length(scale: str = "classroom", replicates: int = statistics.REPLICATES) -> dict[int, list["Effect"]]:
    """Return the effects on the class's rung by the number of epochs.

    Parameters
    ----------
    scale : str
        Scale of the runs, a key of `settings.SCALES`.
    replicates : int
        Number of bootstrap replicates.

    Returns
    -------
    dict of int to list of Effect
        By the number of epochs; lengths without finished runs are left out.
    """
    found = {n: effects(rung, replicates=replicates) for n, rung in variations("epochs", scale).items()}
    return {n: there for n, there in found.items() if there}


def by_dose(scale: str, replicates: int = statistics.REPLICATES) -> dict[str, dict[float, list["Effect"]]]:
    """Return what label smoothing changes, on two networks, by its share epsilon.

    Parameters
    ----------
    scale : str
        Scale of the runs, a key of `settings.SCALES`.
    replicates : int
        Number of bootstrap replicates.

    Returns
    -------
    dict of str to dict of float to list of Effect
        By the rung's title, then by epsilon; what has no finished runs is left out.
    """
    found = {}
    for whole in varied(scale):
        doses = variations("epsilon", scale, whole)
        plain = next(rung for rung in doses.values() if "baseline" in rung.methods)
        plain = replace(plain, seeds=whole.seeds)
        there = {e: effects(rung, ("label_smoothing",), replicates, plain) for e, rung in doses.items()}
        found[whole.title] = {e: effect for e, effect in there.items() if effect}
    return {title: doses for title, doses in found.items() if doses}


def dose_table(doses: dict[float, list["Effect"]]) -> str:
    """Return, as Markdown, what label smoothing changes by its share epsilon.

    Parameters
    ----------
    doses : dict of float to list of Effect
        One rung's, as `by_dose` has them.

    Returns
    -------
    str
        Markdown.
    """
    shown, rows = ("accuracy", "ece", "auroc", "aurc"), []
    for epsilon, (effect,) in doses.items():
        surest = effect.changes[QUANTITIES[2]]
        rows.append([f"{epsilon:g}", *(markdown.difference(effect.changes[m]) for m in shown),
                     f"{1000 * surest.a:.1f} → {1000 * surest.b:.1f}"])  # fmt: skip
    return markdown.table(["epsilon", *(names.display(m)[1] for m in shown), "errors among 1,000 surest"], rows)


def dose_in_words(doses: dict[str, dict[float, list["Effect"]]]) -> str:
    """Say at which shares epsilon label smoothing's ECE lies below the baseline's, and at which above it.

    Parameters
    ----------
    doses : dict of str to dict of float to list of Effect
        As `by_dose` returns them.

    Returns
    -------
    str
        A sentence for all networks of which the same can be said.
    """
    said = {}
    for title, found in doses.items():
        sides = {"clearly below": [], "not clearly different from": [], "clearly above": []}
        for epsilon, (effect,) in found.items():
            change = effect.changes["ece"]
            below, open_, above = sides.values()
            (open_ if not change.certain else below if change.difference < 0 else above).append(f"{epsilon:g}")
        told = (f"{side} the baseline's at {names.joined(at)}" for side, at in sides.items() if at)
        said.setdefault("; ".join(told), []).append(title)
    alike = len(doses) == 2 and len(said) == 1
    where = ("both networks" if alike else names.joined(titles) for titles in said.values())
    return " ".join(f"On {there} ECE is {told}." for there, told in zip(where, said, strict=True))


def published_effects() -> pd.DataFrame:
    """Return the paper's changes of AUROC and AURC against its own baseline, with the accuracy that its AURC implies.

    Returns
    -------
    DataFrame
        A row for each table, data set, network and method: `classes`, `accuracy` of the baseline in [0, 1]
        (`audit.accuracies`), and the changes `auroc` and `aurc` in natural units.
    """
    keys = ["table", "dataset", "network"]
    printed = audit.rows()[["auroc", "aurc"]].assign(accuracy=audit.accuracies()["accuracy"]).dropna().reset_index()
    base = printed[printed["method"] == "baseline"].set_index(keys)
    others = printed[printed["method"] != "baseline"].merge(base, on=keys, suffixes=("", "_base"))
    return others[[*keys, "method"]].assign(
        classes=others["dataset"].map(lambda key: CATALOGUE[key].classes),
        accuracy=others["accuracy_base"] / 100,
        auroc=(others["auroc"] - others["auroc_base"]) / 100,
        aurc=(others["aurc"] - others["aurc_base"]) / audit.UNIT["aurc"],
    )


@dataclass(frozen=True)
class Effect:
    """What a method changes on one rung.

    Attributes
    ----------
    rung : str
        Its title.
    method : str
    seeds : tuple of int
        The seeds that both the method and the baseline have.
    accuracy : float
        The baseline's, mean over those seeds.
    changes : dict of str to statistics.Comparison
        By quantity: ``accuracy``, ``ece``, and those of `QUANTITIES`.
    dataset : str
        ``embedded`` or ``cifar10``.
    network : str
        Name, as `networks.create` takes it.
    """

    rung: str
    method: str
    seeds: tuple[int, ...]
    accuracy: float
    changes: dict = field(repr=False)
    dataset: str = "embedded"
    network: str = "preact_resnet8_w16_s2"


def effects(
    rung: Rung, methods=None, replicates: int = statistics.REPLICATES, against: Rung | None = None
) -> list[Effect]:
    """Return what each method whose runs are all finished changes against the baseline, seed by seed.

    Parameters
    ----------
    rung : Rung
    methods : sequence of str, optional
        All of the rung's but the baseline if not given.
    replicates : int
        Of the paired bootstrap over test images and seeds (`statistics.compare_methods`).
    against : Rung, optional
        The rung whose baseline it is, if not its own.

    Returns
    -------
    list of Effect
        One per method whose runs are all finished.
    """
    runs, found = rung.runs(), []
    base = (against or rung).runs().get("baseline", {})
    for method in methods or [m for m in rung.methods if m != "baseline"]:
        sides = compare.pair_by_seed(base, runs.get(method, {}))
        if len(sides[0]) < len(rung.seeds_of(method)):  # some of the seeds would look like all
            continue
        seeds = tuple(r.settings.seed for r in sides[0])
        changes = compare.paired_runs(*map(compare.classified, sides), ("accuracy", "ece", *QUANTITIES), replicates)
        settings, accuracy = sides[0][0].settings, changes["accuracy"].a
        found.append(Effect(rung.title, method, seeds, accuracy, changes, settings.dataset, settings.network))
    return found


def training_accuracies(runs) -> list[float]:
    """Return the training accuracy, in [0, 1], of those of some records that have it measured."""
    return [float(fit["accuracy"]) for fit in (measures.load(r, "fit") for r in runs) if fit is not None]


def summary(rungs, replicates: int = statistics.REPLICATES) -> str:
    """Return the rungs as a Markdown table, a column each: how well the baseline fits and tests, and what the methods
    of the curves change.

    Parameters
    ----------
    rungs : iterable of Rung
        The rungs to show.
    replicates : int
        Number of bootstrap replicates.

    Returns
    -------
    str
        Markdown.
    """
    heading = ["rung", "images × epochs", "training accuracy %", "accuracy %", "ECE %", *(
        f"{names.name(m)}: {words}" for m in CURVES[1:] for words in ("ECE", "AUROC", "errors among 1,000 surest")
    )]  # fmt: skip
    rows = []
    for rung in rungs:
        base = list(rung.runs().get("baseline", {}).values())
        if not base:
            continue
        settings, found = base[0].settings, {e.method: e for e in effects(rung, CURVES[1:], replicates)}
        fits = training_accuracies(base)
        row = [
            rung.title,
            f"{settings.train_size:,} × {settings.epochs}",
            markdown.plus_minus(fits, 100) if fits else "–",
            *(markdown.plus_minus([r.metrics[m] for r in base], 100) for m in ("accuracy", "ece")),
        ]
        for method in CURVES[1:]:
            changes = found[method].changes if method in found else {}
            row += [markdown.difference(changes[m]) if changes else "–" for m in ("ece", "auroc")]
            c = changes.get(QUANTITIES[2])
            row.append(f"{1000 * c.a:.1f} → {1000 * c.b:.1f}" if c else "–")
        rows.append(row)
    return markdown.table(*_turned([heading, *rows]))


def _turned(table):
    """Return heading and rows with a column for each row."""
    heading, *rows = zip(*table, strict=True)
    return heading, rows


def pilots() -> str:
    """Return the search as Markdown: a table for each data set, a row for each pilot whose two runs are finished."""
    heading = ["network, images × epochs", "training accuracy %", "accuracy %", "ECE %", "AUROC %",
               "errors among the surest tenth", "spread of the logit gap", "AURC ×10³", "CPU minutes"]  # fmt: skip
    rows = {}
    for rung in PILOTS:
        runs = [found.get(0) for found in (rung.runs().get(m, {}) for m in rung.methods)]
        if None in runs:
            continue
        s, fits = runs[0].settings, [measures.load(r, "fit") for r in runs]
        surest = [round(len(r.labels) * SUREST * selective_risk_at(*r.scored, SUREST)) for r in runs]

        def both(texts):
            return "\u00a0→\u00a0".join(texts)

        network = " ".join([names.name(s.network), *re.findall(r"_(w\d+|g\d+|mean)", s.network)])
        crops = f", crops\u00a0{s.padding}" if s.padding else ""
        rows.setdefault(names.name(s.dataset), []).append([
            f"{network}, {s.train_size:,}\u00a0×\u00a0{s.epochs}{crops}",
            both("–" if f is None else f"{100 * f['accuracy']:.1f}" for f in fits),
            *(both(f"{100 * r.metrics[m]:.1f}" for r in runs) for m in ("accuracy", "ece", "auroc")),
            both(map(str, surest)),
            both("–" if f is None else f"{f['gap'][5] - f['gap'][1]:.1f}" for f in fits),
            both(f"{1000 * r.metrics['aurc']:.1f}" for r in runs),
            "–" if fits[0] is None or np.isnan(fits[0]["cpu_seconds"]) else f"{fits[0]['cpu_seconds'] / 60:.0f}",
        ])  # fmt: skip
    return "\n\n".join(
        f"**{title}**\n\n{markdown.split(heading, part, 6, f'AURC and CPU minutes on {title}')}"
        for title, part in rows.items()
    )


def race() -> str:
    """Return the race of small networks on CIFAR-10 as a Markdown table, the most accurate first."""
    rows = []
    for rung in RACE:
        for run in rung.runs().get("baseline", {}).values():
            fit = measures.load(run, "fit")
            shares = (fit["accuracy"], run.metrics["accuracy"], run.metrics["auroc"])
            rows.append([f"`{run.settings.network}`", *(f"{100 * share:.1f}" for share in shares),
                         f"{fit['cpu_seconds'] / 60:.1f}"])  # fmt: skip
    heading = ["network", "training accuracy %", "accuracy %", "AUROC %", "CPU minutes"]
    return markdown.table(heading, sorted(rows, key=lambda row: -float(row[2])))


def largest_logit_by_confidence(record, bins: int = 10) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return, for predictions of like confidence, the mean largest logit of the correct and of the incorrect ones.

    Label smoothing holds the largest logit down most where the network would otherwise be surest of a correct answer,
    so that among equally confident predictions the incorrect ones have the larger logit (Xia et al., ICLR 2025).

    Parameters
    ----------
    record : records.Record
    bins : int
        Groups of equally many incorrect predictions, by confidence.

    Returns
    -------
    confidence, correct, incorrect : ndarray of shape (bins,)
        Mean confidence of the incorrect predictions in each group, and the mean of the largest logit, centred over the
        classes, of correct and of incorrect predictions; NaN where a group has none.
    """
    logits = record.logits - record.logits.mean(1, keepdims=True)
    largest, (confidence, right) = logits.max(1), record.scored
    edges = np.quantile(confidence[~right], np.linspace(0, 1, bins + 1)[1:-1])
    group = np.searchsorted(edges, confidence)

    def mean(values, chosen):
        count = np.bincount(group[chosen], minlength=bins)
        with np.errstate(invalid="ignore"):
            return np.bincount(group[chosen], values[chosen], bins) / count

    return mean(confidence, ~right), mean(largest, right), mean(largest, ~right)


def slope(effects: list[Effect], quantity: str, positions) -> tuple[float, float, float]:
    """Return the slope of a change over `positions`, by least squares, and its 95 % percentile interval.

    Each replicate of the bootstrap over test images and seeds gives a line through the rungs' changes; the rungs
    themselves are taken as they are.

    Parameters
    ----------
    effects : list of Effect
        One method's, one on each of at least two rungs, with equally many replicates.
    quantity : str
        A key of `Effect.changes`.
    positions : array_like of shape (rungs,)
        Where each effect stands: baseline accuracy, or log2 of the epochs.

    Returns
    -------
    tuple of float
        Slope and the ends of its interval, in the quantity's natural units per unit of `positions`.
    """
    x = np.asarray(positions, np.float64)
    if len(effects) != len(x) or len(x) < 2 or np.ptp(x) == 0:
        raise ValueError(f"{len(effects)} effects at positions {x.tolist()}; at least two different ones are needed")
    weights = (x - x.mean()) / ((x - x.mean()) ** 2).sum()
    whole = float(weights @ [e.changes[quantity].difference for e in effects])
    drawn = np.stack([e.changes[quantity].replicates for e in effects], 1) @ weights
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return whole, float(low), float(high)
