"""Each loss against its formula, written anew, with gradients by finite differences."""

import numpy as np
import pytest
import torch
from torch.distributions import Categorical, kl_divergence

from fmfp_lib import objectives
from fmfp_lib.metrics import softmax
from fmfp_lib.schedule import warms_up
from fmfp_lib.settings import Settings

N, K = 6, 4
RNG = np.random.default_rng(0)
X, X_SAME, Y = RNG.normal(size=(N, K)), RNG.normal(size=(N, K)), RNG.integers(0, K, N)
COUNTS = np.array([0.0, 3, 1, 3, 4, 2, 7])
INDEX = np.array([1, 2, 3, 4, 5, 0])
SHARE, ORDER = 0.3, np.array([3, 4, 5, 1, 0, 2])
P = softmax(X)
TRUE = P[np.arange(N), Y]


def batch(x=X, **more):
    """Make a batch whose images a network that is the identity takes for logits."""
    history = objectives.correctness_share(torch.tensor(COUNTS), torch.tensor(INDEX))
    values = dict(share=SHARE, order=torch.tensor(ORDER), partners=torch.tensor(X_SAME), history=history)
    return objectives.Batch(torch.as_tensor(x), torch.tensor(Y), torch.tensor(INDEX), **values | more)


def loss(name, x=X, **more):
    return objectives.total([name], torch.nn.Identity(), batch(x, **more), Settings().complete())[0]


def by_formula(name):
    if name == "cross_entropy":
        return -np.log(TRUE).mean()
    if name == "label_smoothing":
        return (-0.95 * np.log(TRUE) - 0.05 / K * np.log(P).sum(1)).mean()
    if name == "focal":
        return (-((1 - TRUE) ** 2) * np.log(TRUE)).mean()
    if name in ("mixup", "regmixup"):
        log_p = np.log(softmax(SHARE * X + (1 - SHARE) * X[ORDER]))
        value = -(SHARE * log_p[np.arange(N), Y] + (1 - SHARE) * log_p[np.arange(N), Y[ORDER]]).mean()
        return value if name == "mixup" else value / 2
    if name == "l1_norm":
        return 0.01 * np.abs(X).sum(1).mean()
    if name == "cs_kd":  # in float32, as the network's outputs are
        image, partner = (Categorical(logits=torch.tensor(x, dtype=torch.float32) / 4) for x in (X, X_SAME))
        return 16 * float(kl_divergence(partner, image).mean())
    if name == "crl":
        # PyTorch's ranking loss, one pair at a time: the image with the better history should lead by the difference.
        pairs = [(i, (i + 1) % N) for i in range(N)]
        share = (COUNTS[INDEX] - COUNTS.min()) / np.ptp(COUNTS)
        rank = torch.nn.functional.margin_ranking_loss
        values = []
        for i, j in pairs:
            better, worse = (i, j) if share[i] >= share[j] else (j, i)
            sure, unsure = (torch.tensor([P[k].max()]) for k in (better, worse))
            margin = share[better] - share[worse]
            values.append(float(rank(sure, unsure, torch.ones(1), margin)) if margin else 0.0)
        return np.mean(values)
    raise AssertionError(f"no formula for {name}")


@pytest.mark.parametrize("name", objectives.LOSSES)
def test_value_by_the_formula(name):
    assert float(loss(name)) == pytest.approx(by_formula(name), rel=1e-5)


@pytest.mark.parametrize("name", objectives.LOSSES)
def test_gradient_by_finite_differences(name):
    x = torch.tensor(X, requires_grad=True)
    loss(name, x).backward()
    direction = np.random.default_rng(1).normal(size=X.shape)
    h = 1e-2
    up, down = (float(loss(name, X + sign * h * direction)) for sign in (1, -1))
    assert (up - down) / (2 * h) == pytest.approx(float((x.grad.numpy() * direction).sum()), rel=2e-2, abs=1e-5)


def test_crl_by_hand():
    # Two images, confidence 0.9 and 0.6, classified correctly always and never: the lead of 0.3 lacks 0.7 of 1.
    logits = torch.tensor([[0.9, 0.1], [0.4, 0.6]]).log()
    assert float(objectives.crl(logits, torch.tensor([1.0, 0.0]))) == pytest.approx(0.7)
    assert float(objectives.crl(logits, torch.tensor([0.0, 1.0]))) == pytest.approx(1.3)
    assert float(objectives.crl(logits, torch.tensor([0.2, 0.0]))) == 0  # a lead of 0.3 is more than 0.2
    assert float(objectives.crl(logits, torch.tensor([0.5, 0.5]))) == 0


def test_histories_lie_between_the_least_and_the_most_often_correct():
    counts = torch.tensor([2.0, 5.0, 3.0, 2.0])
    assert objectives.correctness_share(counts, torch.tensor([1, 2, 3])).tolist() == pytest.approx([1, 1 / 3, 0])
    assert objectives.correctness_share(torch.full((3,), 4.0), torch.arange(3)).tolist() == [0, 0, 0]


def test_no_gradient_flows_through_cs_kds_partner():
    model = torch.nn.Linear(K, K).double()
    x = torch.tensor(X)
    with torch.no_grad():
        partner = model(torch.tensor(X_SAME))
    objectives.total(["cs_kd"], model, batch(), Settings())[0].backward()
    (expected,) = torch.autograd.grad(objectives.cs_kd(model(x).float(), partner.float()), [model.weight])
    assert torch.allclose(model.weight.grad, expected) and expected.abs().max() > 1e-3


def test_focal_of_the_code_begins_with_cross_entropy():
    settings = Settings(protocol="code", epochs=200)
    assert [warms_up(settings, epoch) for epoch in (0, 9, 10)] == [True, True, False]
    assert not warms_up(Settings(epochs=200), 0)
    assert float(loss("focal", warm_up=True)) == pytest.approx(by_formula("cross_entropy"))


@pytest.mark.parametrize("gamma", [0.0, 0.3, 1.0, 2.0])
def test_focal_has_a_gradient_where_an_image_is_certain(gamma):
    logits = torch.tensor([[40.0, 0.0], [1.0, 2.0]], requires_grad=True)
    objectives.focal(logits, torch.tensor([0, 0]), gamma).backward()
    assert torch.isfinite(logits.grad).all() and logits.grad[0].abs().max() < 1e-6 < logits.grad[1].abs().max()


def test_the_network_is_asked_for_what_the_losses_need_alone():
    asked = []
    identity = lambda x: asked.append(x) or x  # noqa: E731
    for losses, passes in {("cross_entropy", "crl"): 1, ("mixup",): 1, ("cross_entropy", "regmixup", "crl"): 2}.items():
        asked.clear()
        total, logits = objectives.total(losses, identity, batch(), Settings())
        assert len(asked) == passes and (logits is None) == (losses == ("mixup",))
        assert float(total) == pytest.approx(sum(by_formula(name) for name in losses), rel=1e-5)
