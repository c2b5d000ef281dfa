"""Flat minima: sharpness-aware steps and weight averaging."""

from contextlib import contextmanager

import torch
from torch import nn


class SAM:
    """Sharpness-aware minimisation around any optimiser (Foret et al., ICLR 2021; no adaptive scaling).

    Call `first_step` with the gradient at w: it moves the weights to ``w + rho g / ||g||``. Call `second_step`
    with the gradient there: it restores w bit for bit and takes the optimiser's step with that gradient.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        What takes the step.
    rho : float
        Euclidean norm of the perturbation over all weights together; 0 gives the optimiser alone.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, rho: float):
        if not rho >= 0:
            raise ValueError(f"rho is {rho}; it must be zero or positive")
        self.optimizer, self.rho, self._saved = optimizer, rho, None

    def _parameters(self):
        return [p for group in self.optimizer.param_groups for p in group["params"] if p.grad is not None]

    @torch.no_grad()
    def first_step(self):
        """Climb to ``w + rho g / ||g||``, keeping w."""
        parameters = self._parameters()
        gradients = [p.grad for p in parameters]
        norm = torch.stack(torch._foreach_norm(gradients)).norm()
        # A zero gradient has no direction: the perturbation is then zero, and no NaN arises.
        scale = torch.where(norm > 0, self.rho / norm, torch.zeros_like(norm))
        self._saved = [p.clone() for p in parameters]
        torch._foreach_add_(parameters, torch._foreach_mul(gradients, scale))
        self.optimizer.zero_grad(set_to_none=True)

    @torch.no_grad()
    def second_step(self):
        """Return to w exactly and descend with the gradient found at the perturbed weights."""
        torch._foreach_copy_(self._parameters(), self._saved)
        self._saved = None
        self.optimizer.step()


@contextmanager
def frozen_batch_norm_statistics(model: nn.Module):
    """Normalise with the batch's own statistics inside, without updating the running ones."""
    layers = [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    momenta, counts = [m.momentum for m in layers], [m.num_batches_tracked.clone() for m in layers]
    for layer in layers:
        layer.momentum = 0.0
    try:
        yield
    finally:
        for layer, momentum, count in zip(layers, momenta, counts, strict=True):
            layer.momentum = momentum
            layer.num_batches_tracked.copy_(count)
