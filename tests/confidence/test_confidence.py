"""Scores of trust, against values by hand, invariances, and toy problems with a known answer."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from fmfp_lib import confidence, networks
from fmfp_lib.confidence import forward
from fmfp_lib.metrics import auroc, evaluate, nll, softmax
from fmfp_lib.settings import Settings
from fmfp_lib.training import Run

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(size=(200, 5)) * 3
HAND = np.log([[0.7, 0.2, 0.1], [0.25, 0.5, 0.25]])


# -- scores from logits -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("msp", [0.7, 0.5]),
        ("margin", [0.5, 0.25]),
        ("entropy", [0.7 * np.log(0.7) + 0.2 * np.log(0.2) + 0.1 * np.log(0.1), 1.5 * np.log(0.5)]),
        ("energy", [0, 0]),
        ("max_logit", np.log([0.7, 0.5])),
        # ln 2 times (-1, 0, -1) centred: (-1, 2, -1) / 3, whose largest over the 2-norm is 2 / sqrt(6)
        ("p_norm_max_logit", [np.nan, 2 / np.sqrt(6)]),
    ],
)
def test_scores_by_hand(name, expected):
    found = confidence.SCORES[name](HAND)
    assert np.allclose(found[np.isfinite(expected)], np.array(expected)[np.isfinite(expected)])


@pytest.mark.parametrize("name", confidence.SCORES)
def test_scores_do_not_depend_on_the_order_of_classes_and_say_what_is_wrong(name):
    score = confidence.SCORES[name]
    found = score(LOGITS)
    assert found.shape == (200,) and np.allclose(score(LOGITS[:, ::-1]), found)
    shifted = score(LOGITS + 100)
    assert np.allclose(shifted, found + 100 * (name in ("energy", "max_logit")))
    assert np.isfinite(score(LOGITS * 1e4)).all() and np.isfinite(score(np.zeros((2, 3)))).all()
    with pytest.raises(ValueError, match="logits have shape"):
        score(LOGITS[0])
    with pytest.raises(ValueError, match="NaN"):
        score([[0.0, np.nan]])


def test_with_two_classes_msp_margin_and_entropy_order_alike():
    two = RNG.normal(size=(50, 2))
    orders = [np.argsort(confidence.SCORES[name](two)) for name in ("msp", "margin", "entropy")]
    assert (orders[0] == orders[1]).all() and (orders[0] == orders[2]).all()


def test_p_norm_does_not_see_the_scale_and_reaches_one_for_high_powers():
    assert np.allclose(confidence.p_norm_max_logit(LOGITS * 7, 3), confidence.p_norm_max_logit(LOGITS, 3))
    peaked = np.array([[9.0, 0, 0, 0]])
    assert confidence.p_norm_max_logit(peaked, 1) == pytest.approx(0.5)
    assert confidence.p_norm_max_logit(peaked, 1000) == pytest.approx(1)
    assert np.array_equal(confidence.p_norm_max_logit(LOGITS, None), confidence.msp(LOGITS))
    with pytest.raises(ValueError, match="at least 1"):
        confidence.p_norm_max_logit(LOGITS, 0.5)


def test_fit_p_repairs_a_broken_order_and_falls_back_to_msp():
    wrong = np.arange(200) % 4 == 0
    shape = np.where(wrong[:, None], [1.0, 0.9, -1, -1, 0.2], [1.0, 0, -0.3, -0.3, -0.4])
    labels = np.where(wrong, 1, 0)
    # Unsure shapes blown up: MSP trusts exactly the incorrect ones, the norm sees through it.
    broken = shape * np.where(wrong, 200, 2)[:, None]
    p = confidence.fit_p(broken, labels)
    assert p in confidence.P_GRID
    assert auroc(confidence.p_norm_max_logit(broken, p), ~wrong) == 1 > auroc(confidence.msp(broken), ~wrong)
    assert confidence.fit_p(LOGITS, LOGITS.argmax(1)) is None  # without an error nothing beats MSP


# -- temperature and ensembles ------------------------------------------------------------------------------------


@pytest.mark.parametrize("true", [0.4, 1.0, 2.5])
def test_temperature_is_recovered_and_is_the_minimum(true):
    rng = np.random.default_rng(1)
    z = rng.normal(size=(20_000, 4)) * 2
    labels = (softmax(z).cumsum(1) > rng.random((len(z), 1))).argmax(1)
    found = confidence.fit_temperature(z * true, labels)  # cooled by `true`: scaling by it brings z back
    assert found == pytest.approx(true, rel=0.05)
    best = nll(confidence.scale(z * true, found), labels)
    for step in (0.999, 1.001):
        assert nll(confidence.scale(z * true, found * step), labels) > best
    assert confidence.fit_temperature(z * true * 3, labels) == pytest.approx(3 * found, rel=1e-5)


def test_temperature_at_the_ends_is_a_bound():
    low, high = confidence.TEMPERATURES
    assert confidence.fit_temperature(LOGITS, LOGITS.argmax(1)) == low
    assert confidence.fit_temperature(LOGITS, LOGITS.argmin(1)) == high
    assert confidence.fit_temperature(np.ones((4, 3)), [0, 1, 2, 0]) == 1
    with pytest.raises(ValueError, match="temperature is 0"):
        confidence.scale(LOGITS, 0)
    with pytest.raises(ValueError, match="labels"):
        confidence.fit_temperature(LOGITS, [0, 1])


def test_temperature_keeps_predictions_and_reorders_only_beyond_two_classes():
    hot = confidence.scale(LOGITS, 5.0)
    assert (hot.argmax(1) == LOGITS.argmax(1)).all()

    def order(z):
        return np.argsort(confidence.msp(z))

    assert (order(hot) != order(LOGITS)).any()
    assert (order(hot[:, :2]) == order(LOGITS[:, :2])).all()


def test_ensemble_is_the_mean_of_probabilities():
    members = [LOGITS, LOGITS[::-1], LOGITS * 200]
    found = confidence.ensemble(members)
    assert np.isfinite(found).all()
    assert np.allclose(np.exp(found), np.mean([softmax(z) for z in members], 0))
    assert np.allclose(softmax(confidence.ensemble([LOGITS])), softmax(LOGITS))
    with pytest.raises(ValueError, match="all of one shape"):
        confidence.ensemble([LOGITS, LOGITS[:3]])
    with pytest.raises(ValueError, match="at least one"):
        confidence.ensemble([])


# -- trust score ----------------------------------------------------------------------------------------------------


def test_trust_score_on_a_line():
    train, labels = np.array([[0.0], [1.0], [10.0], [11.0]]), np.array([0, 0, 3, 3])
    x, predictions = [[2.0], [2.0], [10.0], [4.0]], np.array([0, 3, 3, 7])
    found = confidence.trust_score(x, predictions, train, labels, k=1)
    assert np.allclose(found[:2], [8, 1 / 8]) and found[2] > 1e10 and found[3] == 0


def test_trust_score_leaves_out_the_least_dense():
    dense = np.linspace(0, 1, 9)
    train = np.append(dense, [20.0, *(dense + 30)])[:, None]  # 20 is an outlier of class 0
    labels = np.array([0] * 10 + [1] * 9)
    x, prediction = [[20.5]], [0]
    assert confidence.trust_score(x, prediction, train, labels, k=2) == pytest.approx(9.5 / 0.5)
    assert confidence.trust_score(x, prediction, train, labels, k=2, alpha=0.1) == pytest.approx(9.5 / 19.5)


def test_trust_score_says_what_is_wrong():
    x, y = np.zeros((4, 2)), np.array([0, 0, 1, 1])
    with pytest.raises(ValueError, match="expected \\(n, d\\)"):
        confidence.trust_score(x, y, x[:, :1], y)
    with pytest.raises(ValueError, match="one per row"):
        confidence.trust_score(x, y[:2], x, y)
    with pytest.raises(ValueError, match="NaN"):
        confidence.trust_score(x * np.nan, y, x, y)
    with pytest.raises(ValueError, match="1 classes"):
        confidence.trust_score(x, y, x, y * 0)


# -- with the network -------------------------------------------------------------------------------------------------


class Tiny(nn.Module):
    """A fixed nonlinear encoder and a linear classifier."""

    def __init__(self, dropout=0.0):
        super().__init__()
        torch.manual_seed(0)
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(2, 6), nn.ReLU(), nn.Dropout(dropout))
        self.classifier = nn.Linear(6, 3)

    def forward(self, x):
        return self.classifier(self.encoder(x))


def points(n=64, seed=0):
    x = torch.randn(n, 2, generator=torch.Generator().manual_seed(seed))
    return x, (x[:, 0] > 0).long()


def plain(model, x):
    model.eval()
    with torch.no_grad():
        return model(x).numpy()


def test_features_are_what_the_classifier_sees(monkeypatch):
    monkeypatch.setattr(forward, "BATCH", 3)
    torch.manual_seed(0)
    model = networks.create("preact_resnet8_w8_s2", 10, 1).train()
    x = torch.randn(7, 1, 12, 12)
    found = confidence.features(model, x)
    assert model.training and not model.classifier._forward_pre_hooks and found.shape == (7, 32)
    assert model.norm.num_batches_tracked == 0
    with torch.no_grad():
        logits = model.classifier(torch.from_numpy(found)).numpy()
    assert np.allclose(logits, plain(model, x), atol=1e-5)
    with pytest.raises(ValueError, match="classifier"):
        confidence.features(nn.Linear(2, 2), torch.zeros(1, 2))
    with pytest.raises(ValueError, match="finite"):
        confidence.features(model, x * torch.nan)


def test_mc_dropout_with_rate_zero_is_the_plain_network():
    x, _ = points()
    model = Tiny()
    expected = softmax(plain(model, x))
    assert np.allclose(softmax(confidence.mc_dropout(model, x, 0.0, 3)), expected)
    found = confidence.mc_dropout(model, x, 0.5, 3)
    assert np.abs(softmax(found) - expected).max() > 0.01
    torch.rand(1)
    assert np.array_equal(confidence.mc_dropout(model, x, 0.5, 3), found)
    assert not np.array_equal(confidence.mc_dropout(model, x, 0.5, 3, seed=1), found)
    with pytest.raises(ValueError, match="rate is 1"):
        confidence.mc_dropout(model, x, 1.0)


def test_mc_dropout_averages_over_masks():
    # One feature of 1 and weights (2, 0): each mask leaves logits (4, 0) or (0, 0), with probability 1/2 each.
    model = nn.Module()
    model.classifier = nn.Linear(1, 2, bias=False)
    model.classifier.weight.data = torch.tensor([[2.0], [0.0]])
    model.forward = lambda x: model.classifier(x)
    p = softmax(confidence.mc_dropout(model, torch.ones(1, 1), 0.5, 4000))[0, 0]
    assert p == pytest.approx((1 / (1 + np.exp(-4)) + 0.5) / 2, abs=0.02)


def test_mc_dropout_uses_the_dropout_that_is_there():
    x, _ = points()
    model = Tiny(dropout=0.5).eval()
    state = torch.random.get_rng_state()
    found = confidence.mc_dropout(model, x, 0.0, 3)
    assert np.abs(softmax(found) - softmax(plain(model, x))).max() > 0.01
    assert torch.equal(torch.random.get_rng_state(), state) and not any(m.training for m in model.modules())


# -- ConfidNet --------------------------------------------------------------------------------------------------------


def confidnet(seed=0, **values):
    model = Tiny()
    with torch.no_grad():  # sure of class 0 everywhere: right on the left, wrong on the right
        model.classifier.weight.zero_(), model.classifier.bias.copy_(torch.tensor([6.0, 0, 0]))
    options = {"epochs": 8, "learning_rate": 3e-3, "batch_size": 32} | values
    return model, confidence.fit_confidnet(model, *points(256), *points(64, 1), seed=seed, **options)


def test_confidnet_learns_where_the_network_is_right():
    model, found = confidnet()
    x, y = points(200, 2)
    c = found.confidence(x)
    assert c.shape == (200,) and c.min() >= 0 and c.max() <= 1
    assert auroc(c, (y == 0).numpy()) > 0.97 and auroc(confidence.msp(plain(model, x)), (y == 0).numpy()) == 0.5
    errors = [valid for _, valid in found.history]
    target = np.where(y == 0, softmax([[6.0, 0, 0]])[0, 0], softmax([[6.0, 0, 0]])[0, 1])
    assert len(errors) == 8 and np.mean((c - target) ** 2) < 0.05


def test_confidnet_keeps_the_best_epoch_and_leaves_the_network():
    model, found = confidnet(epochs=3, fine_tune_epochs=2, fine_tune_rate=1e-3)
    x, y = points(64, 1)
    target = np.where(y == 0, softmax([[6.0, 0, 0]])[0, 0], softmax([[6.0, 0, 0]])[0, 1])
    errors = [valid for _, valid in found.history]
    assert len(errors) == 5
    assert np.mean((found.confidence(x) - target) ** 2) == pytest.approx(min(errors), rel=1e-5)
    assert min(errors[3:]) < min(errors[:3])  # fine-tuning helps here, and it moves the copy only
    fresh = Tiny()
    assert torch.equal(model.encoder[1].weight, fresh.encoder[1].weight)
    assert not torch.equal(found.network.encoder[1].weight, fresh.encoder[1].weight)
    _, spoilt = confidnet(epochs=3, fine_tune_epochs=2, fine_tune_rate=10.0)
    errors = [valid for _, valid in spoilt.history]
    assert min(errors[3:]) > min(errors[:3])
    assert np.mean((spoilt.confidence(x) - target) ** 2) == pytest.approx(min(errors), rel=1e-5)


def test_confidnet_is_decided_by_its_seed():
    x, _ = points(50, 2)
    first, again, other = (confidnet(seed, epochs=2, fine_tune_epochs=1)[1].confidence(x) for seed in (0, 0, 1))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_confidnet_says_what_is_wrong():
    model, (x, y) = Tiny(), points()
    with pytest.raises(ValueError, match="epochs is 0"):
        confidence.fit_confidnet(model, x, y, x, y, epochs=0)
    with pytest.raises(ValueError, match="n >= 1"):
        confidence.fit_confidnet(model, x, y, x[:0], y[:0])
    with pytest.raises(ValueError, match="labels run"):
        confidence.fit_confidnet(model, x, y + 5, x, y)


# -- SWAG -----------------------------------------------------------------------------------------------------------


def collected(rank=20, count=5):
    model, swag, seen = nn.Linear(2, 2), confidence.Swag(rank), []
    generator = torch.Generator().manual_seed(0)
    for _ in range(count):
        for p in model.parameters():
            p.data = torch.randn(p.shape, generator=generator) + 3
        seen.append(nn.utils.parameters_to_vector(model.parameters()).detach().numpy().astype(np.float64))
        swag.collect(model)
    return model, swag, np.array(seen)


def test_swag_mean_and_variance_are_those_of_the_weights():
    model, swag, seen = collected()
    assert np.allclose(swag.mean, seen.mean(0)) and np.allclose(swag.variance, seen.var(0))
    swag.sample(model, 0.0, torch.Generator())
    assert np.allclose(nn.utils.parameters_to_vector(model.parameters()).detach(), seen.mean(0))


@pytest.mark.parametrize("rank", [2, 20])
def test_swag_draws_have_its_covariance(rank):
    model, swag, seen = collected(rank)
    generator, draws = torch.Generator().manual_seed(0), []
    for _ in range(6000):
        swag.sample(model, 2.0, generator)
        draws.append(nn.utils.parameters_to_vector(model.parameters()).detach().numpy())
    deviations = np.array([seen[i] - seen[: i + 1].mean(0) for i in range(5)])[-rank:]
    expected = np.diag(seen.var(0)) + deviations.T @ deviations / (len(deviations) - 1)
    assert np.abs(np.cov(np.array(draws).T) - expected).max() < 0.06 * expected.max()
    assert np.allclose(np.mean(draws, 0), seen.mean(0), atol=0.1)


def test_swag_of_one_weight_is_that_weight():
    model, swag, seen = collected(count=1)
    swag.sample(model, 1.0, torch.Generator())
    x = torch.randn(4, 2)
    expected = softmax(plain(model, x))
    assert np.allclose(softmax(confidence.swag_logits(model, swag, x, [], 3)), expected)
    assert np.allclose(nn.utils.parameters_to_vector(model.parameters()).detach(), seen[0])


def test_swag_says_what_is_wrong():
    with pytest.raises(ValueError, match="no weights"):
        confidence.Swag().sample(nn.Linear(2, 2), 1.0, torch.Generator())
    with pytest.raises(ValueError, match="rank"):
        confidence.Swag(1)
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    swag = confidence.Swag()
    swag.collect(model)
    with pytest.raises(ValueError, match="batch norm"):
        confidence.swag_logits(model, swag, torch.zeros(2, 2), [])


def test_swag_from_a_run(tmp_path, monkeypatch):
    monkeypatch.setenv("FMFP_RECORDS", str(tmp_path))

    def run(method):
        values = {"train_size": 130, "test_size": 40, "epochs": 5, "device": "cpu"}
        return Run(Settings(method=method, scale="smoke", **values))

    swa = run("swa")
    logits = confidence.swag_from_run(swa, samples=2)
    assert logits.shape == (40, 10) and np.isfinite(logits).all() and swa.epoch == 5
    assert np.array_equal(confidence.swag_from_run(run("swa"), samples=2), logits)
    # With the covariance at zero only the mean is drawn: SWA's own network, its statistics from the same crops.
    found = softmax(confidence.swag_from_run(run("swa"), samples=1, seed=5 * 2**32, scale=0.0))
    expected = softmax(swa.logits(swa.finished_model(), swa.x_test))
    assert np.allclose(found, expected, atol=1e-4)
    assert np.abs(softmax(logits) - expected).max() > 1e-3
    with pytest.raises(ValueError, match="nothing to collect"):
        confidence.swag_from_run(run("baseline"))
    with pytest.raises(ValueError, match="from epoch 5"):
        confidence.swag_from_run(swa)


def test_neighbouring_ensembles_use_every_member_equally():
    members = [np.random.default_rng(s).normal(size=(6, 3)) for s in range(4)]
    for one, z in zip(confidence.neighbouring_ensembles(members, 1), members, strict=True):
        assert softmax(one) == pytest.approx(softmax(z))
    pairs = confidence.neighbouring_ensembles(members, 2)
    assert softmax(pairs[3]) == pytest.approx((softmax(members[3]) + softmax(members[0])) / 2)
    whole = confidence.neighbouring_ensembles(members, 4)
    assert all(softmax(z) == pytest.approx(np.mean([softmax(m) for m in members], 0)) for z in whole)
    for k in (0, 5):
        with pytest.raises(ValueError, match="1 to 4"):
            confidence.neighbouring_ensembles(members, k)


def test_temperature_is_fitted_on_validation_and_on_test():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 400)
    logits = rng.normal(size=(400, 3)) + 2 * np.eye(3)[labels]
    record = SimpleNamespace(logits=5 * logits, labels=labels, valid_logits=logits[:200], valid_labels=labels[:200])
    found = confidence.temperature_scaled(record)
    t = confidence.fit_temperature(logits, labels)
    assert found["ts_valid"][0] == pytest.approx(confidence.fit_temperature(logits[:200], labels[:200]))
    assert found["ts_optimal"][0] == pytest.approx(5 * t, rel=1e-3)
    np.testing.assert_allclose(found["ts_optimal"][1], logits / t, rtol=1e-3)


def test_a_sweep_at_one_temperature_is_the_metric_there():
    rng = np.random.default_rng(0)
    labels, logits = rng.integers(0, 3, 200), 3 * rng.normal(size=(200, 3))
    found = confidence.temperature_sweep(logits, labels, [1.0, 2.5])
    for i, t in enumerate((1.0, 2.5)):
        expected = evaluate(logits / t, labels)
        assert (found["ece"][i], found["auroc"][i]) == pytest.approx((expected["ece"], expected["auroc"]))


def test_with_two_classes_no_temperature_changes_the_ranking():
    rng = np.random.default_rng(0)
    labels, logits = rng.integers(0, 2, 200), rng.normal(size=(200, 2))
    found = confidence.temperature_sweep(logits, labels, [0.3, 1.0, 4.0])
    assert np.ptp(found["auroc"]) < 1e-12 and np.ptp(found["ece"]) > 0.01
