"""Sharpness-aware minimisation (SAM): two gradients a step, the second at perturbed weights; batch norm's counts."""

from contextlib import contextmanager

import torch
from torch import nn


def _batch_norms(model: nn.Module):
    return [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]


def perturbed_parameters(model: nn.Module, which: str = "all") -> list[nn.Parameter]:
    """Return the weights of `model` that SAM perturbs.

    Parameters
    ----------
    model : nn.Module
    which : {'all', 'batch_norm'}
        Those of batch norm alone keep SAM's effect (SAM-ON, Müller et al., NeurIPS 2023).

    Returns
    -------
    list of nn.Parameter
    """
    if which == "batch_norm":
        return [p for layer in _batch_norms(model) for p in layer.parameters()]
    return list(model.parameters())


class SAM:
    """Sharpness-aware minimisation around any optimiser (Foret et al., ICLR 2021; no adaptive scaling).

    Gradients that a scaler of float16 enlarged must be unscaled before `second_step`.

    Call `first_step` with the gradient at w: it moves the weights to ``w + rho g / ||g||``. Call `second_step`
    with the gradient there: it restores w bit for bit and takes the optimiser's step with that gradient.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        What takes the step.
    rho : float
        Euclidean norm of the perturbation over all perturbed weights together; 0 gives the optimiser alone.
    perturbed : list of torch.nn.Parameter, optional
        The weights that are perturbed, all of the optimiser's if not given. Only their gradients at w are used, so
        the first pass may leave out the others': ``loss.backward(inputs=sam.perturbed)``.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, rho: float, perturbed=None):
        if not rho >= 0:
            raise ValueError(f"rho is {rho}; it must be zero or positive")
        if perturbed is None:
            perturbed = [p for group in optimizer.param_groups for p in group["params"]]
        if not perturbed:
            raise ValueError(
                "there are no weights to perturb; the network has none of the layers that SAM perturbs here"
            )
        self.optimizer, self.rho, self.perturbed = optimizer, rho, perturbed
        self._kept = [torch.empty_like(p) for p in perturbed]  # the weights w while the network is at the others

    @torch.no_grad()
    def first_step(self):
        """Climb to ``w + rho g / ||g||``, keeping w."""
        torch._foreach_copy_(self._kept, self.perturbed)
        parameters = [p for p in self.perturbed if p.grad is not None]
        gradients = [p.grad for p in parameters]
        norm = torch.stack(torch._foreach_norm(gradients)).norm()
        # A zero gradient has no direction: the perturbation is then zero, and no NaN arises.
        scale = torch.where(norm > 0, self.rho / norm, torch.zeros_like(norm))
        torch._foreach_add_(parameters, torch._foreach_mul(gradients, scale))
        self.optimizer.zero_grad(set_to_none=True)

    @torch.no_grad()
    def second_step(self):
        """Return to w exactly and descend with the gradient found at the perturbed weights."""
        torch._foreach_copy_(self.perturbed, self._kept)
        self.optimizer.step()


@contextmanager
def frozen_batch_norm_statistics(model: nn.Module):
    """Normalise with the batch's own statistics inside, without updating the running ones.

    Yields
    ------
    None
    """
    layers = [layer for layer in _batch_norms(model) if layer.track_running_stats]
    for layer in layers:
        layer.track_running_stats = False
    try:
        yield
    finally:
        for layer in layers:
            layer.track_running_stats = True


def counting_at_once(model: nn.Module):
    """Return `model` as a function in which batch norm counts a batch by one operation, not by one a layer.

    The counts after it are those after ``model(x)``. Layers of other classes than ``nn.BatchNorm2d`` count themselves.

    Parameters
    ----------
    model : nn.Module
        Every layer of batch norm is used once in a pass, and has a momentum.

    Returns
    -------
    callable
        From images (n, c, h, w) to logits (n, k).
    """
    layers = [layer for layer in _batch_norms(model) if type(layer) is nn.BatchNorm2d]

    def forward(x):
        buffers = [layer._buffers for layer in layers if layer.training and layer.track_running_stats]
        counts = [own["num_batches_tracked"] for own in buffers]
        for own in buffers:
            own["num_batches_tracked"] = None  # without a counter a layer counts nothing
        try:
            y = model(x)
        finally:
            for own, count in zip(buffers, counts, strict=True):
                own["num_batches_tracked"] = count
        if counts:
            torch._foreach_add_(counts, 1)
        return y

    return forward
