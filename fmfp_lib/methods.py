"""The table of methods: an objective, plus optionally SAM, plus optionally weight averaging.

FMFP is ``sam=True, averaging="swa"``; the whole comparison of the paper is the dictionary below.
"""

import math
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Method:
    """One row of the comparison.

    Attributes
    ----------
    terms : tuple of str
        Names from ``objectives.TERMS``; the loss is their sum.
    sam : bool
        Take sharpness-aware steps (Foret et al. 2021).
    sam_every : int
        Take them at every k-th step only, and plain steps between (SAM-k in Liu et al. 2022).
    sam_part : str
        Which weights they perturb: a name from ``flatness.PARTS``.
    averaging : {None, 'swa', 'ema'}
        Average the weights: once an epoch late in training (Izmailov et al. 2018), or exponentially after each step.
    cosine : bool
        Classify by the cosine between features and class weights, times 16, instead of by their product.
    summary : str
        One line for tables and help texts.
    equation : str
        The loss in LaTeX, for the book.
    """

    terms: tuple[str, ...] = ("cross_entropy",)
    sam: bool = False
    sam_every: int = 1
    sam_part: str = "all"
    averaging: str | None = None
    cosine: bool = False
    summary: str = ""
    equation: str = r"-\log p_y"


OBJECTIVES: dict[str, Method] = {
    "baseline": Method(summary="cross-entropy; confidence is the maximum softmax probability"),
    "mixup": Method(
        ("mixup",), summary="images and labels mixed in pairs, lambda ~ Beta(0.3, 0.3)",
        equation=r"-\lambda \log p_{y}(\tilde x) - (1-\lambda) \log p_{y'}(\tilde x)",
    ),
    "label_smoothing": Method(
        ("label_smoothing",), summary="targets mixed with the uniform distribution, epsilon 0.05",
        equation=r"-(1-\epsilon) \log p_y - \frac{\epsilon}{k} \sum_j \log p_j",
    ),
    "focal": Method(
        ("focal",), summary="easy images weigh less, gamma 2", equation=r"-(1-p_y)^{\gamma} \log p_y",
    ),
    "cs_kd": Method(
        ("cross_entropy", "cs_kd"), summary="predictions pulled towards another image of the class, temperature 4",
        equation=r"-\log p_y + T^2 \, \mathrm{KL}(p_T(x') \,\Vert\, p_T(x))",
    ),
    "l1_norm": Method(
        ("cross_entropy", "l1_norm"), summary="small logits: strength 0.01 on their L1 norm",
        equation=r"-\log p_y + 0.01 \, \Vert z \Vert_1",
    ),
    "crl": Method(
        ("cross_entropy", "crl"), summary="confidence ranked by the history of correctness",
        equation=r"-\log p_y + L_{\mathrm{rank}}",
    ),
    "regmixup": Method(
        ("cross_entropy", "regmixup"), summary="cross-entropy plus half of mixup's loss",
        equation=r"-\log p_y + \tfrac12 L_{\mathrm{mixup}}",
    ),
}  # fmt: skip

FLATNESS: dict[str, dict] = {
    "sam": dict(sam=True),
    "swa": dict(averaging="swa"),
    "ema": dict(averaging="ema"),
    "fmfp": dict(sam=True, averaging="swa"),
}

# The same effect for less: fewer steps take two passes, or the first pass stops at batch norm's weights.
CHEAPER: dict[str, dict] = {
    "sam_k2": dict(sam=True, sam_every=2),
    "sam_k5": dict(sam=True, sam_every=5),
    "sam_bn": dict(sam=True, sam_part="batch_norm"),
    "fmfp_k2": dict(sam=True, sam_every=2, averaging="swa"),
    "fmfp_k5": dict(sam=True, sam_every=5, averaging="swa"),
    "fmfp_bn": dict(sam=True, sam_part="batch_norm", averaging="swa"),
}

_FLAT_SUMMARIES = {
    "sam": "sharpness-aware minimisation",
    "swa": "stochastic weight averaging",
    "ema": "exponential moving average of the weights",
    "fmfp": "flat minima for failure prediction: SAM and SWA together",
    "sam_k2": "SAM at every second step",
    "sam_k5": "SAM at every fifth step",
    "sam_bn": "SAM that perturbs the weights of batch norm alone (SAM-ON, Müller et al. 2023)",
    "fmfp_k2": "FMFP, SAM at every second step",
    "fmfp_k5": "FMFP, SAM at every fifth step",
    "fmfp_bn": "FMFP, SAM perturbs the weights of batch norm alone",
}

METHODS: dict[str, Method] = {
    **OBJECTIVES,
    **{name: Method(summary=_FLAT_SUMMARIES[name], **flat) for name, flat in (FLATNESS | CHEAPER).items()},
    # Every objective with every kind of flatness: ``mixup+fmfp`` and so on.
    **{
        f"{name}+{kind}": replace(method, summary=f"{name} with {kind}", **flat)
        for name, method in OBJECTIVES.items() if name != "baseline"
        for kind, flat in FLATNESS.items()
    },
    "cosine": Method(cosine=True, summary="cosine-similarity classifier"),
    "sure": Method(
        ("cross_entropy", "regmixup", "crl"), sam=True, averaging="swa", cosine=True,
        summary="RegMixup, CRL, cosine classifier, SAM and SWA together (SURE, Li et al. 2024)",
        equation=r"-\log p_y + \tfrac12 L_{\mathrm{mixup}} + L_{\mathrm{rank}}",
    ),
}  # fmt: skip

# The two families that the paper compares with the baseline, in its order.
CALIBRATION = ("mixup", "label_smoothing", "focal", "cs_kd", "l1_norm")
FLAT = ("sam", "swa", "fmfp")


@dataclass(frozen=True)
class Schedule:
    """When things happen in a run, in epochs of the paper's; shorter and longer runs keep the proportions.

    Attributes
    ----------
    of : int
        Epochs in the paper.
    milestones : tuple of int
        The learning rate falls tenfold at the start of each.
    averaging : int
        From here on, weights are averaged once an epoch.
    """

    of: int = 200
    milestones: tuple[int, ...] = (80, 130, 170)
    averaging: int = 120

    def falls(self, settings, progress: float) -> int:
        """Return how many milestones lie at or before `progress` epochs of a run of ``settings.epochs``."""
        return sum(int(progress) * self.of >= m * settings.epochs for m in self.milestones)

    def averaged(self, settings, progress: float) -> bool:
        """Tell whether the weights are averaged at `progress` epochs of a run of ``settings.epochs``."""
        return progress * self.of >= self.averaging * settings.epochs


SCHEDULES = {"tiny_imagenet": Schedule(90, (40, 70), 50)}  # supplement C.2


def schedule(settings) -> Schedule:
    """Return the schedule that the paper uses on the data set of a run."""
    return SCHEDULES.get(settings.dataset, Schedule())


def averages(method: Method, settings, epoch: int) -> bool:
    """Tell whether the weights at the end of `epoch` (from 0) enter the once-an-epoch average."""
    last = epoch == settings.epochs - 1  # a run too short to reach the start still averages its last weights
    return method.averaging == "swa" and (schedule(settings).averaged(settings, epoch) or last)


def trunk(method: Method, settings) -> tuple[str, int] | None:
    """Return the method and the number of epochs that `method` shares with it, or None.

    In the paper's protocol SWA and FMFP start from the checkpoint, at epoch 120 of 200, of the same objective
    trained plainly; that checkpoint is trained once and shared.
    """
    if method.averaging != "swa" or settings.protocol != "paper":
        return None
    for name, other in OBJECTIVES.items():
        if other.terms == method.terms and other.cosine == method.cosine:
            return name, next(e for e in range(settings.epochs + 1) if schedule(settings).averaged(settings, e))
    return None


def takes_sam_step(method: Method, settings, epoch: int, step: int) -> bool:
    """Tell whether `step` (from 0, counted from the beginning of training) in `epoch` is one of SAM's.

    In the paper FMFP starts from the baseline's checkpoint at epoch 120, so SAM begins there; in the code
    SAM steps are taken from the first epoch on. SAM alone always takes them.
    """
    late = method.averaging == "swa" and settings.protocol == "paper"
    return method.sam and step % method.sam_every == 0 and (not late or averages(method, settings, epoch))


def share_of_sam_steps(method: Method, settings) -> float:
    """Return the share of a run's steps that are SAM's, in [0, 1]; `settings` are complete."""
    steps = -(-settings.train_size // settings.batch_size)
    count = range(settings.epochs * steps)
    return sum(takes_sam_step(method, settings, step // steps, step) for step in count) / len(count)


# Passes over a batch that a term adds to each step: mixed images forward and backward; partners forward only, a third.
EXTRA_PASSES = {"regmixup": 1.0, "cs_kd": 1 / 3}


def passes_a_step(method: Method) -> float:
    """Return how often a plain step of `method` goes forward and backward through a batch; SAM's, twice as often."""
    return 1 + sum(EXTRA_PASSES.get(term, 0.0) for term in method.terms)


def training_cost(method: Method, settings) -> float:
    """Return the cost of a run in epochs of plain training: forward and backward passes over the training set.

    SAM's steps count twice, whatever they perturb; `settings` are complete. Averaging costs nothing to speak of.
    """
    return settings.epochs * passes_a_step(method) * (1 + share_of_sam_steps(method, settings))


def learning_rate(method: Method, settings, progress: float) -> float:
    """Return the learning rate at `progress` epochs (0 up to ``settings.epochs``).

    In plain training it falls tenfold at each milestone (on CIFAR at 40, 65 and 85 % of the epochs). With averaging, in
    the paper's protocol, a linear cycle an epoch, from 1/2 to 1/10 of the first rate, takes over (on CIFAR at 60 %). In
    the code's, it follows from the first epoch a cosine that reaches 0 at half of the epochs and rises again, and once
    weights are averaged it is 1/2 of the first (the released code takes ten epochs to get there).
    """
    first, fraction = settings.learning_rate, progress / settings.epochs
    swa = method.averaging == "swa"
    if swa and schedule(settings).averaged(settings, progress):
        return first * 0.5 if settings.protocol == "code" else first * (0.5 - 0.4 * (progress % 1))
    if swa and settings.protocol == "code":
        return first * 0.5 * (1 + math.cos(math.pi * fraction / 0.5))
    return first * 0.1 ** schedule(settings).falls(settings, progress)
