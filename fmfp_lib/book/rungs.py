"""The accuracy ladder: the regimes in which the paper's effects are looked for.

The paper's own tables imply an accuracy beside every effect. Here the same methods are trained in a few regimes, the
*rungs*, chosen by pilots and fixed before their runs began, and with other numbers of images and epochs beside them.

Fixed before the rungs were trained, and not changed since:

* C2 is judged on each rung by the change of AUROC.
* C3 is judged by the change of selective risk at the coverages `COVERAGES`.
* Errors among the most confident tenth of the test images, `SUREST`, are a measure of their own.
* For each method, the slope of its change of AUROC over the baseline's accuracy and over log2 of the epochs.
* Seeds in `CHOSE`, which pilots had seen when a rung was chosen, are shown and decide nothing.
"""

from dataclasses import dataclass, replace

from .. import records
from ..settings import Settings
from . import compare, lookup
from .lookup import Group

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
    more : tuple of int
        Further seeds, of the methods of the curves alone.
    """

    title: str
    regime: dict
    seeds: tuple[int, ...] = (0, 1, 2)
    methods: tuple[str, ...] = P1 + P2
    more: tuple[int, ...] = ()

    @property
    def deciding(self) -> "Rung":
        """The rung with those seeds only that no pilot had seen when it was chosen."""
        return replace(self, seeds=tuple(seed for seed in self.seeds if seed not in CHOSE.get(self.title, ())))

    def seeds_of(self, method: str) -> tuple[int, ...]:
        """Return the seeds of one method's runs.

        Parameters
        ----------
        method : str
            Key of `methods.METHODS`.

        Returns
        -------
        tuple of int
        """
        return self.seeds + (self.more if method in CURVES else ())

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
        seeds = self.seeds + self.more
        return [self.settings(m, seed) for seed in seeds for m in self.methods if seed in self.seeds_of(m)]

    def varied(self, title: str, **regime) -> "Rung":
        """Return the rung with another regime, for the methods of the curves and five seeds.

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
        return Rung(title, self.regime | regime, tuple(range(5)), CURVES)

    def train(self) -> "Rung":
        """Return the rung itself, after training every run that has no record."""
        from ..training import train

        for settings in self.all_settings():
            train(settings)
        return self

    def runs(self) -> dict[str, dict[int, records.Record]]:
        """Return the finished runs by method and seed; nothing is trained."""
        found = lookup.trained(lookup.plan(self.methods, self.seeds + self.more, **self.regime))
        own = {m: [r for r in runs if r.settings.seed in self.seeds_of(m)] for m, runs in found.items()}
        return {method: compare.by_seed(runs) for method, runs in own.items() if runs}


# The embedded images: a class retrains a run in two minutes. Without crops the network fits its images in half of it.
CLASS = Rung(
    "Fashion-MNIST, 9,000 images, PreAct-ResNet-8",
    dict(scale="classroom", dataset="embedded", network="preact_resnet8_w16_s2", train_size=9000, epochs=50, padding=0),
    tuple(range(8)),
)
# CIFAR-10 with all its training images. No pilot saw these two regimes, so all their seeds decide.
CIFAR = Rung(
    "CIFAR-10, 45,000 images, ResNet-9",
    dict(scale="workstation", dataset="cifar10", network="resnet9_w32", train_size=45_000, epochs=60, padding=2),
    more=(3, 4),  # FMFP's seed 4 is still to be trained
)
# Four times as many weights and the paper's crops: hours of a CPU, a minute of a large GPU.
WIDE = Rung("CIFAR-10, 45,000 images, wide ResNet-9", CIFAR.regime | dict(network="resnet9_w64", padding=4))
# Another family, with seeds that no pilot saw.
SECOND = Rung("Fashion-MNIST, 9,000 images, VGG-8", CLASS.regime | dict(network="vgg8_w16"), (3, 4, 5, 6, 7))
# What came before the ladder: few images, with crops, not fitted.
EARLY = tuple(
    Rung(
        f"CIFAR-10, 5,000 images, {family}",
        dict(scale="workstation", dataset="cifar10", network=network, train_size=5000, epochs=200, padding=4),
    )
    for family, network in (("PreAct-ResNet-8", "preact_resnet8_w16_s2"), ("VGG-8", "vgg8_w16"))
)
CHOSE = {CLASS.title: (0, 1, 2)}
RUNGS = (CLASS, SECOND, CIFAR, WIDE)
# The class's rung with other numbers of epochs, and of images at equally many steps.
LENGTHS = {epochs: CLASS.varied(f"{epochs} epochs", epochs=epochs) for epochs in (12, 25, 100, 200)}
_FEWER = ((1000, 450), (3000, 150))
SIZES = {
    CLASS.title: {n: CLASS.varied(f"{n:,} images", train_size=n, epochs=epochs) for n, epochs in _FEWER},
    SECOND.title: {
        n: Rung(f"{n:,} images, VGG-8", SECOND.regime | dict(train_size=n, epochs=epochs), (3, 4, 5),
                ("baseline", "label_smoothing"))
        for n, epochs in _FEWER
    },
}  # fmt: skip
# Label smoothing's dose on two networks; the rungs themselves have 0.05.
DOSES = {
    whole.title: {
        epsilon: Rung(f"epsilon {epsilon:g}", whole.regime | dict(epsilon=epsilon), seeds, ("label_smoothing",))
        for epsilon in (0.02, 0.1, 0.2, 0.4)
    }
    for whole, seeds in ((CLASS, tuple(range(5))), (SECOND, SECOND.seeds))
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
    ("cifar10", "resnet9_w16", 45_000, 160, 0),
    ("cifar10", "resnet9_w16_mean", 15_000, 60, 0),
    ("cifar10", "vgg8_w16", 15_000, 60, 0),
    ("cifar10", "vgg8_w32", 45_000, 60, 0),
    ("cifar10", "preact_resnet8_w32_s2", 15_000, 60, 0),
)
PILOTS = tuple(
    Rung(dataset, dict(scale="classroom" if dataset == "embedded" else "workstation", dataset=dataset, network=network,
                       train_size=images, epochs=epochs, padding=padding), (0,), ("baseline", "label_smoothing"))
    for dataset, network, images, epochs, padding in _PILOTS
)  # fmt: skip
# Small networks on CIFAR-10, the same images and epochs for all: which gains most accuracy and fit in a CPU minute?
RACE = tuple(
    Rung(network, dict(scale="workstation", dataset="cifar10", network=network, train_size=10_000, epochs=20,
                       padding=0), (0,), ("baseline",))
    for network in ("resnet9_w16", "resnet9_w32", "preact_resnet8_w32_s2", "preact_resnet14_w16_s2",
                    "preact_resnet20_w16_s2", "wideresnet10_k4_s2", "wideresnet16_k2_s2", "vgg8_w16", "vgg8_w32",
                    "convmixer64_d4_p2", "densenet22_g12_s2")
)  # fmt: skip
# Seconds, for tests; its numbers mean nothing.
SMOKE = Rung(
    "smoke",
    dict(scale="smoke", dataset="embedded", train_size=256, test_size=256, epochs=4),
    (0,),
    CURVES,
)


def groups(among=(*RUNGS, *EARLY)) -> list[Group]:
    """Return the finished runs of rungs, as the claims take them.

    Parameters
    ----------
    among : iterable of Rung
        Rungs without any finished run are left out.

    Returns
    -------
    list of Group
        In the order given.
    """
    found = []
    for rung in among:
        runs, regime = {method: list(own.values()) for method, own in rung.runs().items()}, rung.regime
        if runs:
            found.append(Group(regime["scale"], regime["dataset"], regime["network"], runs, regime["train_size"],
                               CHOSE.get(rung.title, ())))  # fmt: skip
    return found


def every() -> list[Rung]:
    """Return every rung and its variations, in the order in which their runs are owed."""
    varied = (LENGTHS, *SIZES.values(), *DOSES.values())
    return [*RUNGS, *(rung for variations in varied for rung in variations.values())]


def shown(scale: str) -> tuple[Rung, ...]:
    """Return the rungs that the book shows, with the seeds that decide; at ``smoke`` scale a tiny one, trained at once
    if it has no record."""
    return (SMOKE.train(),) if scale == "smoke" else tuple(rung.deciding for rung in RUNGS)


def varied(scale: str) -> tuple[Rung, ...]:
    """Return the rungs whose numbers of images and shares of label smoothing are varied; at ``smoke`` scale, one."""
    return (CLASS,) if scale == "smoke" else (CLASS, SECOND)


def variations(kind: str, scale: str, whole: Rung = CLASS) -> dict[float, Rung]:
    """Return a rung among its variations of one kind, ``epochs``, ``train_size`` or ``epsilon``, all with like seeds.

    At ``smoke`` scale, tiny variations of the tiny rung, trained at once.

    Parameters
    ----------
    kind : str
        ``epochs``, ``train_size`` or ``epsilon``.
    scale : str
        Scale of the runs, a key of `settings.SCALES`.
    whole : Rung
        The class's rung; for ``train_size`` and ``epsilon`` also `SECOND`.

    Returns
    -------
    dict of float to Rung
        By the value of the setting.
    """
    if scale == "smoke":
        methods = ("label_smoothing",) if kind == "epsilon" else CURVES
        other = replace(
            SMOKE.varied("smoke", **{kind: {"epochs": 2, "train_size": 130, "epsilon": 0.2}[kind]}),
            seeds=(0,),
            methods=methods,
        ).train()
        whole, others = SMOKE.train(), {other.regime[kind]: other}
    else:
        others = {"epochs": LENGTHS, "train_size": SIZES[whole.title], "epsilon": DOSES[whole.title]}[kind]
    own = getattr(whole.settings("baseline", 0).complete(), kind)
    seeds = next(iter(others.values())).seeds
    return dict(sorted({own: replace(whole, seeds=seeds, methods=CURVES), **others}.items()))
