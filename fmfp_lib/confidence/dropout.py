"""Dropout at test time."""

import numpy as np

from ..randomness import seeded
from . import forward
from .ensembles import ensemble


def mc_dropout(model, x, rate: float = 0.1, samples: int = 20, seed: int = 0) -> np.ndarray:
    """Return the log of the mean probability over random dropout masks (Gal & Ghahramani 2016), (n, k).

    The masks and the arguments are those of `mc_dropout_members`.

    Parameters
    ----------
    model : nn.Module
        A network; it comes back in the mode it had.
    x : Tensor, (n, c, h, w)
        Normalised images.
    rate : float
        Share of the features that is dropped, in (0, 1).
    samples : int
        Number of masks.
    seed : int
        Of the masks.

    Returns
    -------
    ndarray, (n, k)
        Log-probabilities.
    """
    return ensemble(mc_dropout_members(model, x, rate, samples, seed))


def mc_dropout_members(model, x, rate: float = 0.1, samples: int = 20, seed: int = 0) -> list[np.ndarray]:
    """Return the logits (n, k) under each of several random dropout masks.

    A network with dropout of its own keeps its layers and their rates, switched on, and `rate` is ignored. Any other
    gets dropout on the features before ``classifier``; as it was not trained with it, that is an approximation.

    Parameters
    ----------
    model : nn.Module
        Its last layer is called ``classifier``.
    x : torch.Tensor
        Normalised images (n, c, h, w).
    rate : float
        Share of the features set to zero, in [0, 1); at 0 the probabilities are the plain ones.
    samples : int
        Number of masks.
    seed : int
        Decides the masks.

    Returns
    -------
    list of ndarray, (n, k)
        Logits, one array per mask.
    """
    import torch
    from torch import nn

    from ..flatness import evaluation_mode

    forward.check_images(x, model)
    if not 0 <= rate < 1 or samples < 1:
        raise ValueError(f"rate is {rate} and samples {samples}; expected [0, 1) and at least 1")
    device = next(model.parameters()).device
    own = [m for m in model.modules() if isinstance(m, nn.modules.dropout._DropoutNd) and m.p > 0]
    network = model
    if not own:  # all that changes from mask to mask is the last layer: run the rest once
        x = torch.from_numpy(forward.features(model, x)).to(device)
        own = [nn.Dropout(rate)]
        network = nn.Sequential(own[0], model.classifier)
    members = []
    with seeded(seed, device), evaluation_mode(model), torch.no_grad():
        for layer in own:
            layer.train()
        for _ in range(samples):
            parts = [network(part.to(device)).float() for part in x.split(forward.BATCH)]
            members.append(torch.cat(parts).cpu().numpy())
    return members
