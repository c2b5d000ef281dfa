"""What a run costs, before it is run: floating-point operations counted on the network itself, and hours from them.

The count is exact for convolutions and matrix products, which is where nearly all of the work is. The hours are an
estimate: operations divided by an assumed sustained rate.
"""

import math
import warnings
from functools import lru_cache

from .datasets import DATASETS
from .methods import METHODS, Method
from .schedule import shared_checkpoint, takes_sam_step
from .settings import Settings

SUSTAINED = 10e12  # operations a second that one GPU is assumed to keep up; batches of 128 small images fill none
# Channels, pixels a side, classes.
SHAPES = {name: (*map(int, s.shape.split("×")[:2]), s.classes) for name, s in DATASETS.items()}


def _convolution_backward(gradient, x, weight, *options, out_shape=None):
    # torch's own formula forgets that channels may be grouped, as those of depthwise convolutions are. The gradients
    # of the images and of the weights cost a forward pass each, where they are wanted.
    *_, wanted = options
    return sum(wanted[:2]) * 2 * math.prod(gradient) * math.prod(weight[1:])


@lru_cache
def operations(network: str, dataset: str = "cifar10") -> tuple[int, int]:
    """Count the floating-point operations of one training image; a multiplication and an addition are two.

    Parameters
    ----------
    network, dataset : str
        Names from ``networks.NETWORKS`` and from ``SHAPES`` (another data set counts as CIFAR-10).

    Returns
    -------
    forward, backward : int
    """
    import torch
    import torch.nn.functional as F
    from torch.utils.flop_counter import FlopCounterMode

    from .networks import create

    channels, pixels, classes = SHAPES.get(dataset, SHAPES["cifar10"])
    formulas = {torch.ops.aten.convolution_backward: _convolution_backward}
    counter = FlopCounterMode(display=False, custom_mapping=formulas)
    with torch.device("meta"), counter, warnings.catch_warnings(action="ignore"):  # on the speed of ConvMixer's padding
        logits = create(network, classes, channels)(torch.empty(2, channels, pixels, pixels))
        forward = counter.get_total_flops()
        F.cross_entropy(logits, torch.zeros(2, dtype=torch.long)).backward()
        both = counter.get_total_flops()
    return forward // 2, (both - forward) // 2


def share_of_sam_steps(method: Method, settings) -> float:
    """Return the share of a run's steps that are SAM's, in [0, 1]; `settings` are complete.

    Parameters
    ----------
    method : methods.Method
        The method of the run.
    settings : Settings
        Complete settings of the run.

    Returns
    -------
    float
        In [0, 1].
    """
    steps = -(-settings.train_size // settings.batch_size)
    count = range(settings.epochs * steps)
    return sum(takes_sam_step(method, settings, step // steps, step) for step in count) / len(count)


# Passes over a batch that a loss adds to each step: mixed images forward and backward; partners forward only, a third.
EXTRA_PASSES = {"regmixup": 1.0, "cs_kd": 1 / 3}


def passes_a_step(method: Method) -> float:
    """Return how often a plain step of `method` goes forward and backward through a batch; SAM's, twice as often."""
    return 1 + sum(EXTRA_PASSES.get(loss, 0.0) for loss in method.losses)


def training_cost(method: Method, settings) -> float:
    """Return the cost of a run in epochs of plain training: forward and backward passes over the training set.

    SAM's steps count twice, whatever they perturb; `settings` are complete. Averaging costs nothing to speak of.

    Parameters
    ----------
    method : methods.Method
        The method of the run.
    settings : Settings
        Complete settings of the run.

    Returns
    -------
    float
        Epochs of plain training.
    """
    return settings.epochs * passes_a_step(method) * (1 + share_of_sam_steps(method, settings))


def passes(settings: Settings, from_checkpoint: bool = False) -> float:
    """Return how many times a run goes forward and backward through its training set.

    Counted as `training_cost` counts: a SAM step twice, RegMixup's second batch, a third for CS-KD's partner.
    Evaluation and batch-norm statistics are left out.

    Parameters
    ----------
    settings : Settings
    from_checkpoint : bool
        Leave out the epochs that the run shares with another one, where the protocol lets it start from a checkpoint.

    Returns
    -------
    float
        Passes over the training set.
    """
    settings = settings.filled()
    method = METHODS[settings.method]
    shared = shared_checkpoint(method, settings) if from_checkpoint else None
    return training_cost(method, settings) - (shared[1] * passes_a_step(method) if shared else 0)


def relative(settings: Settings, prices: dict | None = None) -> float:
    """Return a run's cost against the same run by SGD alone.

    Parameters
    ----------
    settings : Settings
    prices : dict of str to float, optional
        Of a SAM step in SGD steps, for each value of ``Method.perturbed_parameters``; by default the forward and
        backward passes that the step takes, each counted as a third and two thirds: 2, and 5/3 where the first pass
        leaves out the gradients of the convolutions' weights.

    Returns
    -------
    float
        1 for plain SGD.
    """
    settings = settings.filled()
    method = METHODS[settings.method]
    price = (prices or {"all": 2.0, "batch_norm": 5 / 3})[method.perturbed_parameters]
    return 1 + (price - 1) * share_of_sam_steps(method, settings)


def hours(settings: Settings, rate: float = SUSTAINED, from_checkpoint: bool = False) -> float:
    """Estimate the hours that a run takes at `rate` operations a second.

    Parameters
    ----------
    settings : Settings
        Complete settings of the run.
    rate : float
        Operations per second.
    from_checkpoint : bool
        Whether the run begins at a shared checkpoint.

    Returns
    -------
    float
        Hours.
    """
    settings = settings.filled()
    work = sum(operations(settings.network, settings.dataset)) * settings.train_size * passes(settings, from_checkpoint)
    return work / rate / 3600
