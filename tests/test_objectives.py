"""Each objective against its formula in NumPy, with gradients by finite differences."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from fmfp_lib import objectives
from fmfp_lib.metrics import softmax
from fmfp_lib.settings import Settings

N, K = 6, 4
RNG = np.random.default_rng(0)
X, X_SAME, Y = RNG.normal(size=(N, K)), RNG.normal(size=(N, K)), RNG.integers(0, K, N)
HISTORY = np.array([0.0, 3, 1, 3, 4, 2, 7])
INDEX = np.array([1, 2, 3, 4, 5, 0])


def step(x=X, settings=None, epoch=100):
    """Make a pass in which the network is the identity, so that its logits are `x`."""
    run = SimpleNamespace(
        settings=(settings or Settings()).complete(),
        correctness=torch.tensor(HISTORY), images_of_class=lambda y, u: torch.tensor(X_SAME),
    )  # fmt: skip
    batch = objectives.Batch(torch.as_tensor(x), torch.tensor(Y), torch.tensor(INDEX), epoch, 0, run)
    return objectives.Pass(batch, torch.nn.Identity())


P = softmax(X)
TRUE = P[np.arange(N), Y]


def by_formula(name):
    if name == "cross_entropy":
        return -np.log(TRUE).mean()
    if name == "label_smoothing":
        return (-0.95 * np.log(TRUE) - 0.05 / K * np.log(P).sum(1)).mean()
    if name == "focal":
        return (-((1 - TRUE) ** 2) * np.log(TRUE)).mean()
    if name in ("mixup", "regmixup"):
        share, order = step().batch.mixing
        order = order.numpy()
        log_p = np.log(softmax(share * X + (1 - share) * X[order]))
        value = -(share * log_p[np.arange(N), Y] + (1 - share) * log_p[np.arange(N), Y[order]]).mean()
        return value if name == "mixup" else value / 2
    if name == "l1_norm":
        return 0.01 * np.abs(X).sum(1).mean()
    if name == "cs_kd":
        p, q = softmax(X / 4), softmax(X_SAME / 4)
        return 16 * (q * np.log(q / p)).sum(1).mean()
    if name == "crl":
        share, kappa = HISTORY[INDEX] / 7, P.max(1)
        terms = []
        for i in range(N):
            j = (i - 1) % N
            c, k = share[i] - share[j], kappa[i] - kappa[j]
            terms.append(max(0.0, abs(c) - np.sign(c) * k))
        return np.mean(terms)
    raise AssertionError(f"no formula for {name}")


@pytest.mark.parametrize("name", objectives.TERMS)
def test_value_by_the_formula(name):
    assert float(objectives.TERMS[name](step())) == pytest.approx(by_formula(name), rel=1e-5)


@pytest.mark.parametrize("name", objectives.TERMS)
def test_gradient_by_finite_differences(name):
    x = torch.tensor(X, requires_grad=True)
    objectives.TERMS[name](step(x)).backward()
    direction = np.random.default_rng(1).normal(size=X.shape)
    h = 1e-2
    up, down = (float(objectives.TERMS[name](step(X + sign * h * direction))) for sign in (1, -1))
    assert (up - down) / (2 * h) == pytest.approx(float((x.grad.numpy() * direction).sum()), rel=2e-2, abs=1e-5)


def test_focal_of_the_code_begins_with_cross_entropy():
    settings = Settings(protocol="code", epochs=200)
    assert float(objectives.focal(step(settings=settings, epoch=9))) == pytest.approx(by_formula("cross_entropy"))
    assert float(objectives.focal(step(settings=settings, epoch=10))) == pytest.approx(by_formula("focal"))


def test_both_passes_of_sam_share_their_draws():
    first = step()
    second = objectives.Pass(first.batch, first.model)
    assert float(objectives.mixup(first)) == float(objectives.mixup(second))
