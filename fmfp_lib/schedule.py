"""When things happen in a run: the learning rate, SAM's steps, weight averaging, and the checkpoint that runs share."""

import math
from dataclasses import dataclass

from .methods import OBJECTIVES, Method


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

    def milestones_passed(self, settings, progress: float) -> int:
        """Return how many milestones lie at or before `progress` epochs of a run of ``settings.epochs``.

        Parameters
        ----------
        settings : Settings
            Complete settings of the run.
        progress : float
            Epochs trained so far, 0 to ``settings.epochs``.

        Returns
        -------
        int
            At least 0.
        """
        return sum(int(progress) * self.of >= m * settings.epochs for m in self.milestones)

    def averaged(self, settings, progress: float) -> bool:
        """Tell whether the weights are averaged at `progress` epochs of a run of ``settings.epochs``.

        Parameters
        ----------
        settings : Settings
            Complete settings of the run.
        progress : float
            Epochs trained so far, 0 to ``settings.epochs``.

        Returns
        -------
        bool
            Whether they are.
        """
        return progress * self.of >= self.averaging * settings.epochs


SCHEDULES = {"tiny_imagenet": Schedule(90, (40, 70), 50)}  # supplement C.2


def schedule(settings) -> Schedule:
    """Return the schedule that the paper uses on the data set of a run."""
    return SCHEDULES.get(settings.dataset, Schedule())


def averages(method: Method, settings, epoch: int) -> bool:
    """Tell whether the weights at the end of `epoch` (from 0) enter the once-an-epoch average.

    Parameters
    ----------
    method : methods.Method
        The method of the run.
    settings : Settings
        Complete settings of the run.
    epoch : int
        From 0.

    Returns
    -------
    bool
        Whether they do.
    """
    last = epoch == settings.epochs - 1  # a run too short to reach the start still averages its last weights
    return method.averaging == "swa" and (schedule(settings).averaged(settings, epoch) or last)


def averaging_start(settings) -> int:
    """Return how many epochs a run of ``settings.epochs`` trains before weights are averaged."""
    return next(e for e in range(settings.epochs + 1) if schedule(settings).averaged(settings, e))


def warms_up(settings, epoch: int) -> bool:
    """Tell whether the released code would still train by cross-entropy in `epoch` (from 0).

    It does so for its first nine epochs where the loss is the focal loss; here it is the first 5 %, ten of 200.

    Parameters
    ----------
    settings : Settings
        Complete settings of the run.
    epoch : int
        From 0.

    Returns
    -------
    bool
    """
    return settings.protocol == "code" and epoch < 0.05 * settings.epochs


def shared_checkpoint(method: Method, settings) -> tuple[str, int] | None:
    """Return the method and the number of epochs that `method` shares with it, or None.

    In the paper's protocol SWA and FMFP start from the checkpoint, at epoch 120 of 200, of the same objective
    trained plainly; that checkpoint is trained once and shared.

    Parameters
    ----------
    method : methods.Method
        The method of the run.
    settings : Settings
        Complete settings of the run.

    Returns
    -------
    tuple or None
        Name of the method, and epochs shared.
    """
    if method.averaging != "swa" or settings.protocol != "paper":
        return None
    for name, other in OBJECTIVES.items():
        if other.losses == method.losses and other.cosine == method.cosine:
            return name, averaging_start(settings)
    return None


def takes_sam_step(method: Method, settings, epoch: int, step: int) -> bool:
    """Tell whether `step` (from 0, counted from the beginning of training) in `epoch` is one of SAM's.

    In the paper FMFP starts from the baseline's checkpoint at epoch 120, so SAM begins there; in the code
    SAM steps are taken from the first epoch on. SAM alone always takes them.

    Parameters
    ----------
    method : methods.Method
        The method of the run.
    settings : Settings
        Complete settings of the run.
    epoch : int
        From 0.
    step : int
        From 0.

    Returns
    -------
    bool
        Whether it is.
    """
    late = method.averaging == "swa" and settings.protocol == "paper"
    return method.sam and step % method.sam_every == 0 and (not late or averages(method, settings, epoch))


def learning_rate(method: Method, settings, progress: float) -> float:
    """Return the learning rate at `progress` epochs (0 up to ``settings.epochs``).

    In plain training it falls tenfold at each milestone (on CIFAR at 40, 65 and 85 % of the epochs). With averaging, in
    the paper's protocol, one linear cycle per epoch, from 1/2 to 1/10 of the first rate, takes over (on CIFAR at 60 %).
    In the code's, it follows from the first epoch a cosine that reaches 0 at half of the epochs and rises again, and
    once weights are averaged it is 1/2 of the first (the released code takes ten epochs to get there).

    Parameters
    ----------
    method : methods.Method
        The method of the run.
    settings : Settings
        Complete settings of the run.
    progress : float
        Epochs trained so far, 0 to ``settings.epochs``.

    Returns
    -------
    float
        Positive or 0.
    """
    first, fraction = settings.learning_rate, progress / settings.epochs
    swa = method.averaging == "swa"
    if swa and schedule(settings).averaged(settings, int(progress)):  # from a whole epoch on, as averaging itself
        return first * 0.5 if settings.protocol == "code" else first * (0.5 - 0.4 * (progress % 1))
    if swa and settings.protocol == "code":
        return first * 0.5 * (1 + math.cos(math.pi * fraction / 0.5))
    return first * 0.1 ** schedule(settings).milestones_passed(settings, progress)
