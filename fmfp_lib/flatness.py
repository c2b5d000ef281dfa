"""How flat a minimum is: loss under perturbation, SAM's sharpness, Hessian eigenvalue, loss along a line.

Images `x` (n, c, h, w) are normalised, labels `y` (n,) are integers. Networks run in eval mode, so batch norm uses
its running statistics, and come back with the weights and modes that they had.
"""

import warnings
from contextlib import contextmanager

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.swa_utils import update_bn


@contextmanager
def evaluation_mode(model: nn.Module):
    """Put every module into eval mode inside, and back into its own mode after.

    Yields
    ------
    None
    """
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def _check(x, y):
    if len(x) < 1 or tuple(y.shape) != (len(x),):
        raise ValueError(f"x has shape {tuple(x.shape)} and y {tuple(y.shape)}; expected (n, ...) and (n,), n >= 1")
    if y.is_floating_point() or not torch.isfinite(x).all():
        raise ValueError(f"x must be finite and y integer; y is {y.dtype}")


def _batches(model, x, y, size=500):
    device = next(model.parameters()).device
    for part, labels in zip(x.split(size), y.split(size), strict=True):
        yield part.to(device), labels.to(device)


@torch.no_grad()
def _loss_and_margin(model, x, y):
    """Return the means of -log p(true class), in nats, and of p(true class) minus the largest other probability."""
    loss = margin = 0.0
    for part, labels in _batches(model, x, y):
        log_p = model(part).double().log_softmax(1)
        true = log_p.gather(1, labels[:, None])[:, 0]
        other = log_p.scatter(1, labels[:, None], -torch.inf).amax(1)
        loss -= true.sum().item()
        margin += (true.exp() - other.exp()).sum().item()
    return loss / len(x), margin / len(x)


def _trainable(model):
    return [p for p in model.parameters() if p.requires_grad]


def _gradient(model, x, y, direction=None):
    """Return the gradient of the mean loss, or the product of its Hessian with `direction`, as a list of tensors."""
    parameters = _trainable(model)
    total = [torch.zeros_like(p) for p in parameters]
    options = {"allow_unused": True, "materialize_grads": True}
    for part, labels in _batches(model, x, y):
        loss = F.cross_entropy(model(part).float(), labels, reduction="sum") / len(x)
        found = torch.autograd.grad(loss, parameters, create_graph=direction is not None, **options)
        if direction is not None:
            along = sum((g * d).sum() for g, d in zip(found, direction, strict=True))
            found = torch.autograd.grad(along, parameters, **options)
        torch._foreach_add_(total, [g.detach() for g in found])
    return total


def _norm(tensors):
    return torch.stack(torch._foreach_norm(tensors)).norm()


@contextmanager
def _restored(parameters):
    """Give the parameters back bit for bit."""
    saved = [p.detach().clone() for p in parameters]
    try:
        yield
    finally:
        with torch.no_grad():
            torch._foreach_copy_(parameters, saved)


@contextmanager
def perturbed(model: nn.Module, relative_norm: float, generator: torch.Generator):
    """Move the weights along a random, filter-normalised direction inside; they return bit for bit after.

    The direction is Gaussian; each filter's part of it (one output channel or neuron) is scaled to that filter's
    own Euclidean norm (Li et al., NeurIPS 2018), since a network with batch norm may be rescaled at will. Biases and
    batch norm, the parameters of one dimension, stay.

    Parameters
    ----------
    model : nn.Module
    relative_norm : float
        Length of the move, as a share of each filter's norm; zero or positive.
    generator : torch.Generator
        Source of chance; equal states give equal directions.

    Yields
    ------
    None
    """
    if not 0 <= relative_norm < float("inf"):
        raise ValueError(f"relative_norm is {relative_norm}; it must be finite, zero or positive")
    filters = [p for p in model.parameters() if p.dim() > 1]
    with _restored(filters):
        with torch.no_grad():
            for p in filters:
                direction = torch.randn(p.shape, generator=generator, device=generator.device).to(p)
                own, drawn = (t.flatten(1).norm(dim=1).view(-1, *[1] * (p.dim() - 1)) for t in (p, direction))
                p += direction * (relative_norm * own / drawn.clamp(min=1e-12))
        yield model


def loss_under_perturbation(
    model: nn.Module, x: torch.Tensor, y: torch.Tensor, relative_norms, directions: int = 10, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean loss and mean margin at weights moved by `perturbed`, for each norm and direction.

    Parameters
    ----------
    model : nn.Module
    x, y : torch.Tensor
        Normalised images (n, c, h, w) and labels (n,).
    relative_norms : array_like of shape (m,)
        Lengths of the move, as shares of each filter's norm.
    directions : int
        Number of random directions, the same for every norm.
    seed : int
        Decides the directions.

    Returns
    -------
    losses, margins : ndarray of shape (m, directions)
        Means over the images of -log p(true class), in nats, and of p(true class) minus the largest other
        probability, in [-1, 1].
    """
    _check(x, y)
    norms = np.atleast_1d(np.asarray(relative_norms, np.float64))
    if norms.ndim != 1 or not len(norms) or directions < 1:
        raise ValueError(f"{norms.shape} norms and {directions} directions given; at least one of each is needed")
    found = np.empty((2, len(norms), directions))
    with evaluation_mode(model):
        for i, norm in enumerate(norms):
            for j in range(directions):
                generator = torch.Generator().manual_seed(seed * 100_003 + j)
                with perturbed(model, float(norm), generator):
                    found[:, i, j] = _loss_and_margin(model, x, y)
    return found[0], found[1]


def sam_sharpness(model: nn.Module, x: torch.Tensor, y: torch.Tensor, rho: float = 0.05) -> float:
    """Return the loss at ``w + rho g / ||g||`` minus the loss at w, in nats (Foret et al., ICLR 2021).

    g is the gradient of the mean loss over all of `x`, in eval mode; a zero gradient gives 0. It is what SAM
    makes small, and it depends on the scale of the weights: compare it between equal networks only.

    Parameters
    ----------
    model : nn.Module
    x, y : torch.Tensor
        Normalised images (n, c, h, w) and labels (n,).
    rho : float
        Radius, in the Euclidean norm of all weights; positive.

    Returns
    -------
    float
        In nats.
    """
    _check(x, y)
    if not 0 <= rho < float("inf"):
        raise ValueError(f"rho is {rho}; it must be finite, zero or positive")
    parameters = _trainable(model)
    with evaluation_mode(model):
        before, _ = _loss_and_margin(model, x, y)
        gradient = _gradient(model, x, y)
        norm = _norm(gradient).item()
        if not norm:
            return 0.0
        with _restored(parameters):
            with torch.no_grad():
                torch._foreach_add_(parameters, gradient, alpha=rho / norm)
            return _loss_and_margin(model, x, y)[0] - before


def hessian_eigenvalue(
    model: nn.Module, x: torch.Tensor, y: torch.Tensor, iterations: int = 100, tolerance: float = 1e-3, seed: int = 0
) -> float:
    """Return the largest eigenvalue of the Hessian of the mean loss over `x`, by power iteration.

    Power iteration finds the eigenvalue of largest magnitude. Should that be negative, it is repeated on the
    Hessian shifted by it, whose dominant eigenvalue belongs to the largest one.

    Parameters
    ----------
    model : nn.Module
    x, y : torch.Tensor
        Normalised images (n, c, h, w) and labels (n,).
    iterations : int
        At most so many Hessian-vector products, each two or three times the cost of a gradient; as many again
        after a shift.
    tolerance : float
        Stop once two estimates in a row differ by less than this share of the larger.
    seed : int
        Decides the first vector.

    Returns
    -------
    float

    Warns
    -----
    RuntimeWarning
        If `iterations` did not suffice; the last estimate is returned, usually a little too small.
    """
    _check(x, y)
    if iterations < 1:
        raise ValueError(f"iterations is {iterations}; at least 1 is needed")
    with evaluation_mode(model):
        value = _power_iteration(model, x, y, 0.0, iterations, tolerance, seed)
        if value < 0:
            value += _power_iteration(model, x, y, value, iterations, tolerance, seed)
    return value


def _power_iteration(model, x, y, shift, iterations, tolerance, seed):
    """Return the eigenvalue of largest magnitude of the Hessian minus `shift` times the identity."""
    generator, value = torch.Generator().manual_seed(seed), float("nan")
    v = [torch.randn(p.shape, generator=generator).to(p) for p in _trainable(model)]
    torch._foreach_div_(v, _norm(v))
    for _ in range(iterations):
        product = _gradient(model, x, y, v)
        torch._foreach_add_(product, v, alpha=-shift)
        last, value = value, sum(torch.stack([(a * b).sum() for a, b in zip(v, product, strict=True)]).tolist())
        if abs(value - last) <= tolerance * max(abs(value), abs(last)):
            return value
        norm = _norm(product)
        if not norm > 0:
            return 0.0
        v = torch._foreach_div(product, norm)
    message = f"the eigenvalue still changed after {iterations} iterations: {last:.4g}, then {value:.4g}"
    warnings.warn(message, RuntimeWarning, stacklevel=3)
    return value


def loss_along_line(
    model: nn.Module, state_a: dict, state_b: dict, x: torch.Tensor, y: torch.Tensor, points=11, batches=None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean loss on the straight line from one set of weights to another.

    Parameters
    ----------
    model : nn.Module
        A network of the states' shape; it keeps its own state.
    state_a, state_b : dict of str to tensor or ndarray
        State dicts at positions 0 and 1, such as a record's `weights`.
    x, y : torch.Tensor
        Normalised images (n, c, h, w) and labels (n,).
    points : int or array_like of shape (m,)
        Positions on the line; an integer spreads as many evenly over [0, 1].
    batches : iterable of torch.Tensor, optional
        Images, in batches, on which batch norm finds its statistics anew at every position. Without them the
        statistics are interpolated like the weights, which raises the loss between the ends.

    Returns
    -------
    positions, losses : ndarray of shape (m,)
        The losses are in nats.
    """
    _check(x, y)
    own = {name: t.detach().clone() for name, t in model.state_dict().items()}
    # Copies: a state dict shares its memory with its network, which may be this one.
    states = [{name: torch.as_tensor(t).clone() for name, t in state.items()} for state in (state_a, state_b)]
    for state in states:
        odd = sorted(set(own) ^ set(state)) or [name for name in own if own[name].shape != state[name].shape]
        if odd:
            raise ValueError(f"a state does not fit the network, first at {odd[0]!r}")
    positions = np.linspace(0, 1, points) if isinstance(points, int) else np.asarray(points, np.float64)
    batches = None if batches is None else list(batches)  # they are needed at every position
    if batches == []:
        raise ValueError("batches is empty; leave it at None to interpolate the statistics")
    losses = []
    try:
        with evaluation_mode(model):
            for t in positions:
                between = {
                    name: torch.lerp(a, states[1][name].to(a), float(t)) if a.is_floating_point() else a
                    for name, a in states[0].items()
                }
                model.load_state_dict(between)
                if batches is not None:
                    update_bn(batches, model, next(model.parameters()).device)
                losses.append(_loss_and_margin(model, x, y)[0])
    finally:
        model.load_state_dict(own)
    return positions, np.array(losses)
