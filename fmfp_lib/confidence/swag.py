"""SWAG (Maddox et al. 2019): networks drawn around an average of weights."""

import copy

import numpy as np

from ..randomness import seeded
from .ensembles import ensemble
from .forward import check_images, outputs


class Swag:
    """A Gaussian over weights, fitted to those met late in training (SWAG, Maddox et al. 2019).

    Its covariance is half the diagonal one of all collected weights plus half that of the deviations of the last
    `rank` of them from the mean at their time. It covers parameters, not batch norm's statistics.

    Parameters
    ----------
    rank : int
        How many deviations to keep, at least 2.

    Attributes
    ----------
    count : int
        Number of weights collected.
    mean : torch.Tensor
        Their arithmetic mean, all parameters in one vector, float64.
    """

    def __init__(self, rank: int = 20):
        if rank < 2:
            raise ValueError(f"rank is {rank}; it must be at least 2")
        self.rank, self.count, self.mean, self._squares, self._deviations = rank, 0, None, None, []

    def collect(self, model) -> None:
        """Take in the present weights of `model`."""
        import torch

        w = torch.cat([p.detach().flatten().double().cpu() for p in model.parameters()])
        if self.mean is None:
            self.mean, self._squares = torch.zeros_like(w), torch.zeros_like(w)
        self.count += 1
        before = w - self.mean
        self.mean = self.mean + before / self.count
        deviation = w - self.mean
        self._squares = self._squares + before * deviation
        self._deviations = [*self._deviations, deviation.float()][-self.rank :]

    @property
    def variance(self):
        """Variance of every collected weight (divided by the count)."""
        self._check()
        return self._squares / self.count

    def _check(self):
        if not self.count:
            raise ValueError("no weights were collected yet")

    def sample(self, model, scale: float, generator) -> None:
        """Write into `model` weights drawn from the Gaussian; its covariance is multiplied by `scale`.

        Parameters
        ----------
        model : nn.Module
            Its parameters are overwritten; batch norm then needs new statistics.
        scale : float
            1 draws as Maddox et al. do, 0 gives the mean.
        generator : torch.Generator
            Source of chance, on the CPU.
        """
        import torch

        self._check()
        if not 0 <= scale < np.inf:
            raise ValueError(f"scale is {scale}; it must be finite, zero or positive")
        noise = self.variance.sqrt() * torch.randn(len(self.mean), generator=generator, dtype=torch.float64)
        columns = len(self._deviations)
        if columns > 1:  # a single deviation is zero
            weights = torch.randn(columns, generator=generator, dtype=torch.float64) / (columns - 1) ** 0.5
            for weight, deviation in zip(weights, self._deviations, strict=True):
                noise += weight * deviation
        drawn, parameters = self.mean + (scale / 2) ** 0.5 * noise, list(model.parameters())
        with torch.no_grad():
            for p, part in zip(parameters, drawn.split([p.numel() for p in parameters]), strict=True):
                p.copy_(part.view(p.shape))


def swag_logits(model, swag: Swag, x, batches_for_bn, samples: int = 20, seed: int = 0, scale: float = 1.0):
    """Return the log of the mean probability over networks drawn from `swag`, (n, k).

    Parameters
    ----------
    model : nn.Module
        A network of the right shape; it stays as it is.
    swag : Swag
    x : torch.Tensor
        Normalised images (n, c, h, w).
    batches_for_bn : iterable of torch.Tensor
        Training images, in batches, on which batch norm finds its statistics for every draw; they are kept in memory.
        May be empty for a network without batch norm.
    samples : int
        Number of draws.
    seed : int
        Decides the draws.
    scale : float
        Factor on the covariance.

    Returns
    -------
    ndarray, (n, k)
        Log-probabilities.
    """
    import torch
    from torch.optim.swa_utils import update_bn

    check_images(x)
    if samples < 1:
        raise ValueError(f"samples is {samples}; at least 1 is needed")
    network, batches = copy.deepcopy(model), list(batches_for_bn)
    if not batches and any(isinstance(m, torch.nn.modules.batchnorm._BatchNorm) for m in network.modules()):
        raise ValueError("batches_for_bn is empty, but the network has batch norm")
    generator, members = torch.Generator().manual_seed(seed), []
    device = next(network.parameters()).device
    with seeded(seed, device):  # batch norm's statistics are found in training mode, dropout on
        for _ in range(samples):
            swag.sample(network, scale, generator)
            update_bn(batches, network, device)
            members.append(outputs(network, x))
    return ensemble(members)


def swag_from_run(run, samples: int = 20, seed: int = 0, scale: float = 1.0, rank: int = 20) -> np.ndarray:
    """Train the remaining epochs of a run that averages, collect its weights once an epoch, return test logits (n, k).

    Parameters
    ----------
    run : training.Run
        Of a method with ``averaging="swa"``: new, resumed or well advanced. It is trained to its end; epochs before
        the averaging starts are trained, not collected.
    samples, seed, scale
        As in `swag_logits`.
    rank : int
        As in `Swag`.

    Returns
    -------
    ndarray, (n, k)
        Log-probabilities of the test images.

    Raises
    ------
    ValueError
        If the run has no epoch left that is averaged.

    Examples
    --------
    >>> run = training.Run(Settings(method="swa", scale="classroom"))  # doctest: +SKIP
    >>> logits = swag_from_run(run)  # doctest: +SKIP
    """
    import torch

    from .. import schedule

    if not any(schedule.averages(run.method, run.settings, e) for e in range(run.epoch, run.settings.epochs)):
        raise ValueError(f"{run.settings.method} averages no weights from epoch {run.epoch} on; nothing to collect")
    swag = Swag(rank)
    while run.epoch < run.settings.epochs:
        averaged = schedule.averages(run.method, run.settings, run.epoch)
        run.train_epoch()
        if averaged:
            swag.collect(run.model)
    generator = torch.Generator(run.device).manual_seed(seed)
    batches = (x for x, _, _ in run.images.batches(generator))
    return swag_logits(run.model, swag, run.x_test, batches, samples, seed, scale)
