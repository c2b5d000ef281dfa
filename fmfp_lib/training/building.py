"""What a run begins with: its data, its network and its optimiser."""

import sys
from contextlib import nullcontext

import torch
from torch import nn

from .. import datasets, networks
from ..methods import Method
from ..randomness import seeded
from ..settings import Settings
from . import distributed


def uncompiled():
    """Return a context in which compiled networks run as they are written; asking loads no compiler.

    A network is compiled anew for eval mode and for another size of batch: minutes for a large one.
    """
    return torch.compiler.set_stance("force_eager") if "torch._dynamo" in sys.modules else nullcontext()


def data(settings: Settings) -> datasets.Dataset:
    """Return the data of a run; of several processes, the first one downloads them."""
    return distributed.first_then_rest(
        lambda: datasets.load(settings.dataset, settings.train_size, settings.test_size, settings.protocol)
    )


def network(settings: Settings, method: Method, data: datasets.Dataset, device: torch.device) -> nn.Module:
    """Return a run's network on its device, with the first weights that its seed decides.

    Parameters
    ----------
    settings : Settings
    method : Method
    data : datasets.Dataset
        Decides the number of channels and of classes.
    device : torch.device

    Returns
    -------
    nn.Module
    """
    with seeded(settings.seed):
        channels = data.x_train.shape[1]
        model = networks.create(settings.network, data.num_classes, channels, method.cosine)
    model = distributed.synchronise(model.to(device).to(memory_format=torch.channels_last))
    if settings.compile:
        model.compile()  # in place: the names of the weights stay
    return model


def optimizer(settings: Settings, model: nn.Module) -> torch.optim.SGD:
    """Return SGD over all weights of `model`, with the rate, momentum and weight decay of the settings.

    Parameters
    ----------
    settings : Settings
        Complete.
    model : nn.Module

    Returns
    -------
    torch.optim.SGD
    """
    rate, momentum, decay = settings.learning_rate, settings.momentum, settings.weight_decay
    way = "fused" if settings.device == "cuda" else "foreach"
    return torch.optim.SGD(model.parameters(), rate, momentum, weight_decay=decay, **{way: True})
