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

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from .. import measures, records, statistics
from ..metrics import selective_risk_at, softmax
from ..settings import Settings
from . import audit, compare, lookup, markdown, names, study

P1 = ("baseline", "label_smoothing", "cs_kd", "mixup", "swa", "fmfp")
P2 = ("l1_norm", "focal", "crl", "sam")
HOME = ("label_smoothing", "cs_kd", "mixup", "sam", "swa", "fmfp")  # on the home page
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
        """Return the settings of one run.

        Parameters
        ----------
        method : str
            Key of `methods.METHODS`.
        seed : int
            Of the run.

        Returns
        -------
        Settings
            As given, before they are completed.
        """
        return Settings(**self.regime, method=method, seed=seed)

    def all_settings(self) -> list[Settings]:
        """Return the settings of every run, those of one seed together."""
        return [self.settings(method, seed) for seed in self.seeds for method in self.methods]

    def varied(self, title: str, **regime) -> "Rung":
        """Return the rung with another regime, for the methods of the curves and three seeds.

        Parameters
        ----------
        title : str
            Title of the new rung.
        **regime
            Settings that replace this rung's.

        Returns
        -------
        Rung
            The new rung.
        """
        return Rung(title, self.regime | regime, (0, 1, 2), CURVES)

    def train(self) -> "Rung":
        """Return the rung itself, after training every run that has no record."""
        from ..training import train

        for settings in self.all_settings():
            train(settings)
        return self

    def runs(self) -> dict[str, dict[int, records.Record]]:
        """Return the finished runs by method and seed; nothing is trained."""
        found = lookup.trained(lookup.plan(self.methods, self.seeds, **self.regime))
        return {method: compare.by_seed(runs) for method, runs in found.items()}


# The embedded images: a class retrains a run in two minutes. Without crops the network fits its images in half of it.
CLASS = Rung(
    "Fashion-MNIST, 9,000 images",
    dict(scale="classroom", dataset="embedded", network="preact_resnet8_w16_s2", train_size=9000, epochs=50, padding=0),
    tuple(range(8)),
)
# CIFAR-10 with all its training images. No pilot saw these two regimes, so all their seeds decide.
CIFAR = Rung(
    "CIFAR-10, 45,000 images",
    dict(scale="workstation", dataset="cifar10", network="resnet9_w32", train_size=45_000, epochs=60, padding=2),
)
# Four times as many weights and the paper's crops: hours of a CPU, a minute of a large GPU.
WIDE = Rung("CIFAR-10, 45,000 images, wide network", CIFAR.regime | dict(network="resnet9_w64", padding=4))
CHOSE = {CLASS.title: (0, 1, 2)}
RUNGS = (CLASS, CIFAR, WIDE)
# Another family, with seeds that no pilot saw.
SECOND = (Rung(f"{CLASS.title}, VGG-8", CLASS.regime | dict(network="vgg8_w16"), (3, 4, 5, 6, 7), P1),)
# The class's rung with other numbers of epochs, and of images at equally many steps.
LENGTHS = {epochs: CLASS.varied(f"{epochs} epochs", epochs=epochs) for epochs in (12, 25, 100, 200)}
SIZES = {
    size: CLASS.varied(f"{size:,} images", train_size=size, epochs=epochs)
    for size, epochs in ((1000, 450), (3000, 150))
}
# Label smoothing's dose; the class's rung itself has 0.05.
DOSES = {
    epsilon: Rung(f"epsilon {epsilon:g}", CLASS.regime | dict(epsilon=epsilon), (0, 1, 2), ("label_smoothing",))
    for epsilon in (0.02, 0.1, 0.2, 0.4)
}
# The search: baseline against label smoothing, one seed. Data, network, images, epochs, padding of the crops.
_PILOTS = (
    ("embedded", "preact_resnet8_w16_s2", 9000, 25, 0),
    ("embedded", "preact_resnet8_w16_s2", 9000, 50, 0),
    ("embedded", "preact_resnet8_w16_s2", 9000, 200, 0),
    ("embedded", "preact_resnet8_w16_s2", 9000, 50, 2),
    ("embedded", "preact_resnet8_w16_s2", 9000, 100, 4),
    ("embedded", "preact_resnet8_w16_s2", 5000, 90, 0),
    ("embedded", "preact_resnet8_w16_s2", 1000, 450, 0),
    ("embedded", "densenet16_g8_s2", 9000, 50, 0),
    ("embedded", "vgg8_w16", 9000, 50, 0),
    ("cifar10", "resnet9_w16", 15_000, 60, 0),
    ("cifar10", "resnet9_w16", 45_000, 40, 0),
    ("cifar10", "resnet9_w16_mean", 15_000, 60, 0),
    ("cifar10", "vgg8_w16", 15_000, 60, 0),
    ("cifar10", "preact_resnet8_w32_s2", 15_000, 60, 0),
)
PILOTS = tuple(
    Rung(dataset, dict(scale="classroom" if dataset == "embedded" else "workstation", dataset=dataset, network=network,
                       train_size=images, epochs=epochs, padding=padding), (0,), ("baseline", "label_smoothing"))
    for dataset, network, images, epochs, padding in _PILOTS
)  # fmt: skip
# Seconds, for tests; its numbers mean nothing.
SMOKE = Rung(
    "smoke", dict(scale="smoke", dataset="embedded", train_size=256, test_size=256, epochs=4), (0,), CURVES,
)  # fmt: skip


def groups() -> list[study.Group]:
    """Return the finished runs of every rung and of the second family, as the claims take them."""
    found = []
    for rung in (*RUNGS, *SECOND):
        runs, regime = {method: list(own.values()) for method, own in rung.runs().items()}, rung.regime
        if runs:
            found.append(study.Group(regime["scale"], regime["dataset"], regime["network"], runs, regime["train_size"],
                                     CHOSE.get(rung.title, ())))  # fmt: skip
    return found


def rungs(scale: str) -> tuple[Rung, ...]:
    """Return the rungs that the book shows; at ``smoke`` scale a tiny one, trained at once if it has no record."""
    return (SMOKE.train(),) if scale == "smoke" else RUNGS


def variations(kind: str, scale: str) -> dict[float, Rung]:
    """Return the class's rung among its variations of one kind: ``epochs``, ``train_size`` or ``epsilon``.

    At ``smoke`` scale, tiny variations of the tiny rung, trained at once.

    Parameters
    ----------
    kind : str
        ``epochs``, ``train_size`` or ``epsilon``.
    scale : str
        Scale of the runs, a key of `settings.SCALES`.

    Returns
    -------
    dict of float to Rung
        By the value of the setting.
    """
    if scale == "smoke":
        methods = ("label_smoothing",) if kind == "epsilon" else CURVES
        other = replace(SMOKE.varied("smoke", **{kind: {"epochs": 2, "train_size": 130, "epsilon": 0.2}[kind]}),
                        seeds=(0,), methods=methods).train()  # fmt: skip
        whole, others = SMOKE.train(), {other.regime[kind]: other}
    else:
        whole, others = CLASS, {"epochs": LENGTHS, "train_size": SIZES, "epsilon": DOSES}[kind]
    own = getattr(whole.settings("baseline", 0).complete(), kind)
    return dict(sorted({own: replace(whole, seeds=whole.seeds[:3], methods=CURVES), **others}.items()))


def by_length(scale: str, replicates: int = statistics.REPLICATES) -> dict[int, list["Effect"]]:
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


def dose_table(scale: str, replicates: int = statistics.REPLICATES) -> str:
    """Return, as Markdown, what label smoothing changes on the class's rung by its share epsilon.

    Parameters
    ----------
    scale : str
        Scale of the runs, a key of `settings.SCALES`.
    replicates : int
        Number of bootstrap replicates.

    Returns
    -------
    str
        Markdown.
    """
    doses = variations("epsilon", scale)
    plain, rows = next(rung for rung in doses.values() if "baseline" in rung.methods), []
    for epsilon, rung in doses.items():
        for effect in effects(rung, ("label_smoothing",), replicates, plain):
            c = effect.changes
            surest = c[QUANTITIES[2]]
            rows.append([f"{epsilon:g}", *(markdown.difference(c[m]) for m in ("accuracy", "ece", "auroc", "aurc")),
                         f"{1000 * surest.a:.1f} → {1000 * surest.b:.1f}"])  # fmt: skip
    metrics = (names.display(m)[1] for m in ("accuracy", "ece", "auroc", "aurc"))
    heading = ["epsilon", *metrics, "errors among 1,000 surest"]
    return markdown.table(heading, rows)


def all_rungs() -> list[Rung]:
    """Return every rung and its variations, in the order in which their runs are owed."""
    return [*RUNGS, *LENGTHS.values(), *SIZES.values(), *DOSES.values(), *SECOND]


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
        classes=others["dataset"].map({"cifar10": 10, "cifar100": 100, "tiny_imagenet": 200}),
        accuracy=others["accuracy_base"] / 100,
        auroc=(others["auroc"] - others["auroc_base"]) / 100,
        aurc=(others["aurc"] - others["aurc_base"]) / audit.UNIT["aurc"],
    )  # fmt: skip


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


def effects(
    rung: Rung, methods=None, replicates: int = statistics.REPLICATES, against: Rung | None = None
) -> list[Effect]:
    """Return what each method with finished runs changes against the baseline, seed by seed.

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
        One per method with finished runs.
    """
    runs, found = rung.runs(), []
    base = (against or rung).runs().get("baseline", {})
    for method in methods or [m for m in rung.methods if m != "baseline"]:
        sides = compare.pair_by_seed(base, runs.get(method, {}))
        if not sides[0]:
            continue
        logits, seeds = map(compare.classified, sides), tuple(r.settings.seed for r in sides[0])
        scores = [[_scored(r) for r in side] for side in sides]
        changes = statistics.compare_methods(*logits, ("accuracy", "ece", "auroc", "aurc"), replicates)
        changes |= statistics.compare_scores(*scores, (QUANTITIES[2],), replicates)
        found.append(Effect(rung.title, method, seeds, changes["accuracy"].a, changes))
    return found


def _scored(record):
    return measures.log_odds(record.logits), record.logits.argmax(1) == record.labels


def summary(rungs, replicates: int = statistics.REPLICATES) -> str:
    """Return the rungs as a Markdown table: how well the baseline fits and tests, and what the methods of the curves
    change.

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
        fits = [fit["accuracy"] for fit in (measures.load(r, "fit") for r in base) if fit is not None]
        row = [rung.title, f"{settings.train_size:,} × {settings.epochs}",
               markdown.plus_minus(fits, 100) if fits else "–",
               *(markdown.plus_minus([r.metrics[m] for r in base], 100) for m in ("accuracy", "ece"))]  # fmt: skip
        for method in CURVES[1:]:
            changes = found[method].changes if method in found else {}
            row += [markdown.difference(changes[m]) if changes else "–" for m in ("ece", "auroc")]
            c = changes.get(QUANTITIES[2])
            row.append(f"{1000 * c.a:.1f} → {1000 * c.b:.1f}" if c else "–")
        rows.append(row)
    return markdown.table(heading, rows)


def in_words(replicates: int = statistics.REPLICATES) -> str:
    """Say, as a Markdown list, what label smoothing and FMFP change on each rung, on the seeds that decide.

    A rung without finished runs of such seeds is told by all its seeds, and said to be.

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
    for rung in RUNGS:
        new = tuple(s for s in rung.seeds if s not in CHOSE.get(rung.title, ()))
        found = effects(replace(rung, seeds=new), CURVES[1:], replicates)
        about = f"seeds {min(new)} to {max(new)}"
        if len(found) < 2 or len(found[0].seeds) < 3:
            found, about = effects(rung, CURVES[1:], replicates), "also of seeds that chose the regime"
        if not found:
            continue
        words = []
        for effect in found:
            ece, auroc, surest = (effect.changes[m] for m in ("ece", "auroc", QUANTITIES[2]))
            words.append(
                f"**{names.name(effect.method)}** changes AUROC by {markdown.difference(auroc, False)} points, ECE by "
                f"{markdown.difference(ece, False)}; wrong answers among the 1,000 surest: {1000 * surest.a:.1f} → "
                f"{1000 * surest.b:.1f}"
            )
        lines.append(f"* **{rung.title}**, accuracy {100 * found[0].accuracy:.1f} %, {about}: {'. '.join(words)}.")
    return "\n".join(lines) or "No rung has finished runs yet."


def pilots() -> str:
    """Return the search as a Markdown table: one row for each pilot whose two runs are finished."""
    heading = ["data", "network", "images × epochs", "crops", "training accuracy %", "accuracy %", "ECE %", "AUROC",
               "AURC ×10³", "errors among the surest tenth", "logit gap, 5 to 95 %", "CPU minutes"]  # fmt: skip
    rows = []
    for rung in PILOTS:
        runs = [found.get(0) for found in (rung.runs().get(m, {}) for m in rung.methods)]
        if None in runs:
            continue
        s, fits = runs[0].settings, [measures.load(r, "fit") for r in runs]
        surest = [round(len(r.labels) * SUREST * selective_risk_at(*_scored(r), SUREST)) for r in runs]
        minutes = [np.nan if f is None else f["cpu_seconds"] / 60 for f in fits]

        def both(texts):
            return " → ".join(texts)

        rows.append([
            names.name(s.dataset), f"`{s.network}`", f"{s.train_size:,} × {s.epochs}", s.padding or "none",
            both("–" if f is None else f"{100 * f['accuracy']:.2f}" for f in fits),
            *(both(f"{factor * r.metrics[m]:.{digits}f}" for r in runs)
              for m, factor, digits in (("accuracy", 100, 1), ("ece", 100, 1), ("auroc", 100, 2), ("aurc", 1000, 1))),
            both(map(str, surest)),
            both("–" if f is None else f"{f['gap'][1]:.1f} to {f['gap'][5]:.1f}" for f in fits),
            both("–" if np.isnan(m) else f"{m:.1f}" for m in minutes),
        ])  # fmt: skip
    return markdown.table(heading, rows, 2)


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
    largest, confidence = logits.max(1), softmax(record.logits).max(1)
    right = record.logits.argmax(1) == record.labels
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
