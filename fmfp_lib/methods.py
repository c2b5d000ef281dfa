"""The table of methods: an objective, plus optionally SAM, plus optionally weight averaging.

FMFP is ``sam=True, averaging=True``; the whole comparison of the paper is the dictionary below.
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Method:
    """One row of the comparison.

    Attributes
    ----------
    objective : str
        A name from ``objectives.OBJECTIVES``.
    sam : bool
        Take sharpness-aware steps (Foret et al. 2021).
    averaging : bool
        Average the weights late in training (Izmailov et al. 2018).
    summary : str
        One line for tables and help texts.
    """

    objective: str = "cross_entropy"
    sam: bool = False
    averaging: bool = False
    summary: str = ""


METHODS: dict[str, Method] = {
    "baseline": Method(summary="cross-entropy, confidence is the maximum softmax probability"),
    "label_smoothing": Method("label_smoothing", summary="targets mixed with the uniform distribution"),
    "sam": Method(sam=True, summary="sharpness-aware minimisation"),
    "swa": Method(averaging=True, summary="stochastic weight averaging"),
    "fmfp": Method(sam=True, averaging=True, summary="flat minima for failure prediction: SAM and SWA together"),
}


MILESTONES = (0.40, 0.65, 0.85)  # epochs 80, 130, 170 of 200: the learning rate falls tenfold at each
AVERAGING_START = 0.60  # epoch 120 of 200: from here on, weights are averaged once an epoch


def averages(method: Method, settings, epoch: int) -> bool:
    """Tell whether the weights at the end of `epoch` (from 0) enter the average."""
    last = epoch == settings.epochs - 1  # a run too short to reach the start still averages its last weights
    return method.averaging and (epoch >= AVERAGING_START * settings.epochs or last)


def takes_sam_steps(method: Method, settings, epoch: int) -> bool:
    """Tell whether `epoch` takes SAM steps.

    In the paper FMFP starts from the baseline's checkpoint at epoch 120, so SAM begins there; in the code
    SAM steps are taken from the first epoch on. SAM alone always takes them.
    """
    late = method.averaging and settings.protocol == "paper"
    return method.sam and (not late or averages(method, settings, epoch))


def learning_rate(method: Method, settings, progress: float) -> float:
    """Return the learning rate at `progress` epochs (0 up to ``settings.epochs``).

    Plain training falls tenfold at 40, 65 and 85 % of the epochs. With averaging, the paper continues that
    run from 60 % on with one linear cycle an epoch from 1/2 to 1/10 of the first rate; the code falls along a
    cosine whose period ends at half of the epochs and then holds 1/2 of the first rate.
    """
    first, fraction = settings.learning_rate, progress / settings.epochs
    if method.averaging and fraction >= AVERAGING_START:
        return first * 0.5 if settings.protocol == "code" else first * (0.5 - 0.4 * (progress % 1))
    if method.averaging and settings.protocol == "code":
        return first * 0.5 * (1 + math.cos(math.pi * fraction / 0.5))
    return first * 0.1 ** sum(int(progress) >= m * settings.epochs for m in MILESTONES)
