"""Measures of flatness, on networks whose answers are known."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from fmfp_lib import flatness, networks

N, D, K = 12, 3, 3


def data():
    generator = torch.Generator().manual_seed(1)
    return torch.randn(N, D, generator=generator), torch.arange(N) % K


def linear(scale=1.0):
    """Logits are a linear function of the input: the loss is convex in the weights."""
    torch.manual_seed(0)
    model = nn.Linear(D, K).double()
    with torch.no_grad():
        model.weight *= scale
    return model


def images(n=20):
    return torch.randn(n, 1, 12, 12, generator=torch.Generator().manual_seed(2)), torch.arange(n) % 10


def convolutional():
    torch.manual_seed(0)
    return networks.create("preact_resnet8_w8_s2", 10, 1)


def flat_loss(model, x, y):
    """Return the loss as a function of one vector, and the present vector."""
    parts = list(model.named_parameters())
    vector = torch.cat([p.detach().flatten() for _, p in parts])

    def loss(w):
        pieces = w.split([p.numel() for _, p in parts])
        named = {name: piece.view(p.shape) for (name, p), piece in zip(parts, pieces, strict=True)}
        return nn.functional.cross_entropy(torch.func.functional_call(model, named, (x,)), y)

    return loss, vector


def eigenvalues(model, x, y):
    return np.linalg.eigvalsh(torch.autograd.functional.hessian(*flat_loss(model, x, y)).numpy())


def state(model):
    return {name: t.clone() for name, t in model.state_dict().items()}


def same(model, before):
    return all(torch.equal(t, before[name]) for name, t in model.state_dict().items())


# -- perturbation -------------------------------------------------------------------------------------------


def test_each_filter_moves_by_its_share_and_returns_bit_for_bit():
    model = convolutional()
    before = state(model)
    with flatness.perturbed(model, 0.3, torch.Generator().manual_seed(0)):
        for name, p in model.named_parameters():
            move = p - before[name]
            if p.dim() == 1:
                assert not move.any(), name
            else:
                own, moved = before[name].flatten(1).norm(dim=1), move.flatten(1).norm(dim=1)
                assert torch.allclose(moved, 0.3 * own, rtol=1e-4), name
    assert same(model, before)


def test_weights_return_after_an_error_too():
    model = linear()
    before = state(model)
    with pytest.raises(KeyError), flatness.perturbed(model, 1.0, torch.Generator()):
        raise KeyError
    assert same(model, before)


def test_a_zero_filter_stays_zero():
    model = linear()
    with torch.no_grad():
        model.weight[0] = 0
    with flatness.perturbed(model, 1.0, torch.Generator()):
        assert not model.weight[0].any() and torch.isfinite(model.weight).all()


def test_loss_under_perturbation_starts_at_the_loss_and_grows_in_a_minimum():
    x, y = data()
    x, model = x.double(), linear()
    optimizer = torch.optim.LBFGS(model.parameters(), 1.0, 100, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        return loss

    optimizer.step(closure)  # the loss is convex, so this is its minimum
    losses, margins = flatness.loss_under_perturbation(model, x, y, [0, 0.2, 0.5, 1.0], directions=4)
    p = model(x).softmax(1).detach()
    true = p.gather(1, y[:, None])[:, 0]
    other = p.clone().scatter_(1, y[:, None], -1).amax(1)
    assert losses.shape == margins.shape == (4, 4)
    assert np.allclose(losses[0], -true.log().mean()) and np.allclose(margins[0], (true - other).mean())
    assert (np.diff(losses, axis=0) > 0).all()  # convex along every ray
    again, _ = flatness.loss_under_perturbation(model, x, y, [1.0], directions=2)
    assert np.array_equal(again[0], losses[3, :2])
    assert np.abs(np.diff(losses[3])).min() > 0  # directions differ


def test_the_network_comes_back_as_it_was():
    x, y = images()
    model = convolutional()
    model.train()
    model.norm.eval()
    before = state(model)
    flatness.loss_under_perturbation(model, x, y, [0.1], 1)
    flatness.sam_sharpness(model, x, y)
    flatness.hessian_eigenvalue(model, x, y, 3, 1.0)
    flatness.loss_along_line(model, before, state(convolutional()), x, y, 3, [x])
    assert same(model, before) and model.training and not model.norm.training and model.stem.training
    assert all(p.grad is None for p in model.parameters())


# -- sharpness and curvature ----------------------------------------------------------------------------------


def test_sharpness_is_its_definition():
    x, y = data()
    x, model, rho = x.double(), linear(), 0.3
    loss, w = flat_loss(model, x, y)
    g = torch.autograd.functional.jacobian(loss, w)
    expected = loss(w + rho * g / g.norm()) - loss(w)
    assert flatness.sam_sharpness(model, x, y, rho) == pytest.approx(float(expected), rel=1e-4)
    assert flatness.sam_sharpness(model, x, y, 0.0) == 0


def test_sharpness_of_batches_is_that_of_the_whole(monkeypatch):
    x, y = data()
    model = linear().float()
    whole = flatness.sam_sharpness(model, x, y, 0.3)
    parts = flatness._batches
    monkeypatch.setattr(flatness, "_batches", lambda *a: parts(*a, size=5))
    assert flatness.sam_sharpness(model, x, y, 0.3) == pytest.approx(whole, rel=1e-4)


def test_no_gradient_means_no_sharpness():
    model = nn.Linear(2, 2)
    nn.init.zeros_(model.weight), nn.init.zeros_(model.bias)
    assert flatness.sam_sharpness(model, torch.zeros(2, 2), torch.tensor([0, 1]), 0.1) == 0


@pytest.mark.parametrize("scale", [0.5, 3.0])
def test_eigenvalue_of_a_convex_loss(scale):
    x, y = data()
    model = linear(scale)
    expected = eigenvalues(model, x.double(), y)[-1]
    assert flatness.hessian_eigenvalue(model, x.double(), y, 1000, 1e-8) == pytest.approx(expected, rel=1e-3)


def test_eigenvalue_is_the_largest_even_where_a_negative_one_dominates():
    # More of a^2 lowers the loss, so that it curves down along a.
    class Saddle(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = (nn.Parameter(torch.tensor(v, dtype=torch.float64)) for v in (0.3, 0.1))

        def forward(self, x):
            z = self.a * self.a + 0.2 * self.b
            return torch.stack([z * x[:, 0], torch.zeros_like(x[:, 0])], 1)

    model, x, y = Saddle(), torch.ones(4, 1, dtype=torch.float64), torch.zeros(4, dtype=torch.long)
    values = eigenvalues(model, x, y)
    assert values[0] < 0 and abs(values[0]) > values[1]
    assert flatness.hessian_eigenvalue(model, x, y, 2000, 1e-9) == pytest.approx(values[-1], rel=1e-2, abs=1e-4)


def test_eigenvalue_of_a_network_with_batch_norm():
    x, y = torch.randn(20, 4, generator=torch.Generator().manual_seed(3)).double(), torch.arange(20) % 3
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.ReLU(), nn.Linear(3, 3)).double().eval()
    expected = eigenvalues(model, x, y)[-1]
    assert flatness.hessian_eigenvalue(model, x, y, 1000, 1e-8) == pytest.approx(expected, rel=1e-3)


def test_too_few_iterations_warn():
    x, y = data()
    with pytest.warns(RuntimeWarning, match="after 2 iterations"):
        flatness.hessian_eigenvalue(linear().float(), x, y, 2, 1e-12)


# -- the line between two minima --------------------------------------------------------------------------------


def test_line_starts_and_ends_at_the_two_networks_and_is_convex_for_a_linear_one():
    x, y = data()
    a, b = linear(), linear(-3.0)
    own = [flatness._loss_and_margin(m, x.double(), y)[0] for m in (a, b)]
    t, losses = flatness.loss_along_line(linear(7.0), a.state_dict(), b.state_dict(), x.double(), y, 9)
    assert np.allclose(t, np.linspace(0, 1, 9)) and [losses[0], losses[-1]] == own
    assert (np.diff(losses, 2) >= -1e-12).all()
    t, outside = flatness.loss_along_line(a, a.state_dict(), b.state_dict(), x.double(), y, [-1.0, 0.0])
    assert outside[1] == losses[0] and t.tolist() == [-1, 0]


def test_line_accepts_arrays_and_finds_batch_norm_statistics_anew():
    x, y = images()
    model, other = convolutional(), convolutional()
    other.norm.running_mean += 5  # wrong statistics, which re-estimation repairs
    arrays = {name: t.numpy() for name, t in other.state_dict().items()}
    _, kept = flatness.loss_along_line(model, model.state_dict(), arrays, x, y, 2)
    _, found = flatness.loss_along_line(model, model.state_dict(), arrays, x, y, 2, iter([x]))
    assert kept[0] != pytest.approx(kept[1]) and found[0] == found[1]


def test_errors_say_what_is_wrong():
    x, y = data()
    model = linear().float()
    with pytest.raises(ValueError, match=r"y \(3,\)"):
        flatness.sam_sharpness(model, x, y[:3])
    with pytest.raises(ValueError, match="finite"):
        flatness.hessian_eigenvalue(model, x * torch.nan, y)
    with pytest.raises(ValueError, match="relative_norm is -1"):
        flatness.loss_under_perturbation(model, x, y, [-1.0], 1)
    with pytest.raises(ValueError, match="directions"):
        flatness.loss_under_perturbation(model, x, y, [0.1], 0)
    with pytest.raises(ValueError, match="rho"):
        flatness.sam_sharpness(model, x, y, float("nan"))
    broken = copy.deepcopy(model.state_dict())
    del broken["bias"]
    with pytest.raises(ValueError, match="'bias'"):
        flatness.loss_along_line(model, model.state_dict(), broken, x, y)
    with pytest.raises(ValueError, match="batches is empty"):
        flatness.loss_along_line(model, model.state_dict(), model.state_dict(), x, y, 2, [])
