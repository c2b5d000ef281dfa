"""The accuracy ladder: the regimes in which the paper's effects are looked for, effects against accuracy and length.

The paper's own tables imply an accuracy beside every effect. Here the same methods are trained in a few regimes, the
*rungs*, chosen by pilots and fixed before their runs began, and with other numbers of images and epochs beside them.

Fixed before the rungs were trained, and not changed since:

* C2 is judged on each rung by the change of AUROC.
* C3 is judged by the change of selective risk at the coverages `COVERAGES`.
* Errors among the most confident tenth of the test images, `SUREST`, are a measure of their own.
* For each method, the slope of its change of AUROC over the baseline's accuracy and over log2 of the epochs.
* Seeds in `CHOSE`, which pilots had seen when a rung was chosen, are shown and decide nothing.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.optimize import brentq

from .. import records, statistics
from ..settings import Settings
from . import published

P1 = ("baseline", "label_smoothing", "cs_kd", "mixup", "swa", "fmfp")
P2 = ("l1_norm", "focal", "crl", "sam")
CURVES = ("baseline", "label_smoothing", "fmfp")  # trained with other numbers of images and epochs too
COVERAGES = (0.1, 0.2, 0.4, 0.6, 0.8)
SUREST = 0.1  # the share of the test images, by confidence, whose errors are counted on their own
QUANTITIES = ("auroc", "aurc", f"selective_risk@{SUREST:g}")


@dataclass(frozen=True)
class Rung:
    """One regime.

    Attributes
    ----------
    title : str
        In words, for figures and tables.
    regime : dict
        What all its runs share: settings except method and seed.
    seeds : tuple of int
        Of every run.
    methods : tuple of str
        Names.
    """

    title: str
    regime: dict
    seeds: tuple[int, ...] = (0, 1, 2)
    methods: tuple[str, ...] = P1 + P2

    def settings(self, method: str, seed: int) -> Settings:
        """Return the settings of one run."""
        return Settings(**self.regime, method=method, seed=seed)

    def all_settings(self) -> list[Settings]:
        """Return the settings of every run, those of one seed together."""
        return [self.settings(method, seed) for seed in self.seeds for method in self.methods]

    def varied(self, title: str, **regime) -> "Rung":
        """Return the rung with another regime, for the methods of the curves and three seeds."""
        return Rung(title, self.regime | regime, (0, 1, 2), CURVES)

    def runs(self) -> dict[str, dict[int, records.Record]]:
        """Return the finished runs by method and seed; nothing is trained."""
        found = {(s.method, s.seed): records.find(s) for s in self.all_settings()}
        by_method = {m: {s: found[m, s] for s in self.seeds if found[m, s] is not None} for m in self.methods}
        return {method: runs for method, runs in by_method.items() if runs}


# The embedded images: a class retrains a run in two minutes. Without crops the network fits its images in half of it.
CLASS = Rung(
    "Fashion-MNIST, 9,000 images",
    dict(scale="classroom", dataset="embedded", network="preact_resnet8_w16_s2", train_size=9000, epochs=50, padding=0),
    tuple(range(8)),
)
CHOSE = {CLASS.title: (0, 1, 2)}
RUNGS = (CLASS,)
SECOND = (Rung(CLASS.title, CLASS.regime | dict(network="densenet16_g8_s2"), methods=P1),)  # another family
# The class's rung with other numbers of epochs, and of images at equally many steps.
LENGTHS = {epochs: CLASS.varied(f"{epochs} epochs", epochs=epochs) for epochs in (12, 25, 100, 200)}
SIZES = {
    size: CLASS.varied(f"{size:,} images", train_size=size, epochs=epochs)
    for size, epochs in ((1000, 450), (3000, 150))
}


def all_rungs() -> list[Rung]:
    """Return every rung and its variations, in the order in which their runs are owed."""
    return [*RUNGS, *LENGTHS.values(), *SIZES.values(), *SECOND]


def accuracy_from(optimum: float) -> float:
    """Return the accuracy at which the best possible AURC, r + (1 - r) ln(1 - r) at error rate r, is `optimum`."""
    return 1 - brentq(lambda r: r + (1 - r) * np.log1p(-r) - optimum, 0, 1 - 1e-12)


def published_effects() -> pd.DataFrame:
    """Return the paper's changes of AUROC and AURC against its own baseline, with the accuracy that its AURC implies.

    Returns
    -------
    DataFrame
        A row for each table, network, data set and method: `classes`, `accuracy` of the baseline in [0, 1] (its AURC
        minus its E-AURC is a function of the error rate alone), and the changes `auroc` and `aurc` in natural units.
    """
    classes = {"cifar10": 10, "cifar100": 100, "tiny_imagenet": 200}
    cells = published.load().pivot_table("mean", ["table", "dataset", "network", "method"], "metric").reset_index()
    cells = cells[cells["dataset"].isin(classes)].dropna(subset=["aurc", "eaurc", "auroc"])
    rows = []
    for (table, dataset, network), block in cells.groupby(["table", "dataset", "network"], sort=False):
        block = block.set_index("method")
        base = block.loc["baseline"]
        accuracy = accuracy_from((base["aurc"] - base["eaurc"]) / 1000)
        for method, row in block.drop("baseline").iterrows():
            rows.append(dict(
                table=table, dataset=dataset, network=network, method=method, classes=classes[dataset],
                accuracy=accuracy, auroc=(row["auroc"] - base["auroc"]) / 100, aurc=(row["aurc"] - base["aurc"]) / 1000,
            ))  # fmt: skip
    return pd.DataFrame(rows)


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
    """

    rung: str
    method: str
    seeds: tuple[int, ...]
    accuracy: float
    changes: dict = field(repr=False)


def effects(rung: Rung, methods=None, replicates: int = statistics.REPLICATES) -> list[Effect]:
    """Return what each method with finished runs changes against the baseline, seed by seed.

    Parameters
    ----------
    rung : Rung
    methods : sequence of str, optional
        All of the rung's but the baseline if not given.
    replicates : int
        Of the paired bootstrap over test images and seeds (`statistics.compare_methods`).
    """
    runs, found = rung.runs(), []
    base = runs.get("baseline", {})
    for method in methods or [m for m in rung.methods if m != "baseline"]:
        seeds = [s for s in rung.seeds if s in base and s in runs.get(method, {})]
        if not seeds:
            continue
        sides = [[side[s] for s in seeds] for side in (base, runs[method])]
        logits = [[(r.logits, r.labels) for r in side] for side in sides]
        scores = [[_scored(r) for r in side] for side in sides]
        changes = statistics.compare_methods(*logits, ("accuracy", "ece", "auroc", "aurc"), replicates)
        changes |= statistics.compare_scores(*scores, (QUANTITIES[2],), replicates)
        found.append(Effect(rung.title, method, tuple(seeds), changes["accuracy"].a, changes))
    return found


def _scored(record):
    from ..measures import log_odds

    return log_odds(record.logits), record.logits.argmax(1) == record.labels


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
    """
    x = np.asarray(positions, np.float64)
    if len(effects) != len(x) or len(x) < 2 or np.ptp(x) == 0:
        raise ValueError(f"{len(effects)} effects at positions {x.tolist()}; at least two different ones are needed")
    weights = (x - x.mean()) / ((x - x.mean()) ** 2).sum()
    whole = float(weights @ [e.changes[quantity].difference for e in effects])
    drawn = np.stack([e.changes[quantity].replicates for e in effects], 1) @ weights
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return whole, float(low), float(high)
