"""Averages of the weights: once an epoch (SWA), or after each step (EMA)."""

import copy

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn, update_bn


class ExponentialAverage(AveragedModel):
    """The exponential moving average of the weights; torch's own waits for the device at every update.

    Parameters
    ----------
    model : nn.Module
    decay : float
        What remains of the average at each update, in [0, 1).
    """

    def __init__(self, model: nn.Module, decay: float):
        super().__init__(model, multi_avg_fn=get_ema_multi_avg_fn(decay))
        self.decay, self._begun = decay, False

    @torch.no_grad()
    def update_parameters(self, model: nn.Module):
        """Move the average towards the weights of `model`; the first update copies them."""
        if not self._begun:  # torch asks its counter, which may have come from a checkpoint
            super().update_parameters(model)
            self._begun = True
            return
        torch._foreach_lerp_(list(self.module.parameters()), list(model.parameters()), 1 - self.decay)
        torch._foreach_copy_(list(self.module.buffers()), list(model.buffers()))
        self.n_averaged += 1


def create(kind: str | None, model: nn.Module, decay: float) -> AveragedModel | None:
    """Return an average of the weights of `model`, still empty.

    Parameters
    ----------
    kind : {None, 'swa', 'ema'}
        None for a method without averaging: the result is None.
    model : nn.Module
    decay : float
        Of the exponential average.

    Returns
    -------
    AveragedModel or None
    """
    if kind is None:
        return None
    return AveragedModel(model) if kind == "swa" else ExponentialAverage(model, decay)


def with_batch_norm_statistics(average: AveragedModel, batches) -> nn.Module:
    """Return a copy of the averaged network whose batch norm has statistics of its own, from `batches` of images.

    Parameters
    ----------
    average : AveragedModel
        With the weights of at least one epoch.
    batches : iterable of torch.Tensor
        Normalised images, each (n, c, h, w).

    Returns
    -------
    nn.Module
    """
    average = copy.deepcopy(average)
    update_bn(batches, average)
    return average.module
