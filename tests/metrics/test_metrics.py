"""Metrics against scikit-learn, values worked out by hand, and properties that hold for any data."""

import warnings

import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logsumexp
from scipy.stats import ks_2samp

from fmfp_lib import metrics, scores

CONFIDENCE, CORRECT = np.array([0.9, 0.8, 0.7, 0.6, 0.5]), np.array([1, 1, 0, 1, 0])


def test_values_worked_out_by_hand():
    r = 2 / 5
    assert metrics.aurc(CONFIDENCE, CORRECT) == pytest.approx((1 / 3 + 1 / 4 + 2 / 5) / 5)
    assert metrics.eaurc(CONFIDENCE, CORRECT) == pytest.approx(59 / 300 - (r + (1 - r) * np.log(1 - r)))
    assert metrics.auroc(CONFIDENCE, CORRECT) == pytest.approx(5 / 6)
    assert metrics.fpr95(CONFIDENCE, CORRECT) == 0.5
    assert metrics.augrc(CONFIDENCE, CORRECT) == pytest.approx((1 + 1 + 2) / 25)
    assert metrics.naurc(CONFIDENCE, CORRECT) == pytest.approx((59 / 300 - 0.13) / (r - 0.13))
    assert metrics.selective_risk_at(CONFIDENCE, CORRECT, 0.6) == pytest.approx(1 / 3)
    assert [metrics.coverage_at_risk(CONFIDENCE, CORRECT, r) for r in (0, 0.25, 0.39, 0.4)] == [0.4, 0.8, 0.8, 1]
    assert metrics.coverage_at_risk(CONFIDENCE, 1 - CORRECT, 0.5) == 0
    p = np.array([[0.8, 0.2], [0.4, 0.6]])
    assert metrics.ece(p, [0, 0]) == pytest.approx((0.2 + 0.6) / 2)
    assert metrics.brier(p, [0, 0]) == pytest.approx((0.08 + 0.72) / 2)
    assert metrics.nll(np.log(p), [0, 0]) == pytest.approx(-(np.log(0.8) + np.log(0.4)) / 2)


def test_bins_are_closed_on_the_right():
    p = np.array([[0.6, 0.4], [0.61, 0.39]])  # 0.6 is the upper edge of the third of five bins
    assert metrics.ece(p, [0, 1], bins=5) == pytest.approx((0.4 + 0.61) / 2)


@pytest.mark.parametrize("decimals", [1, 15])
def test_agreement_with_scikit_learn_with_and_without_ties(decimals):
    rng = np.random.default_rng(0)
    correct = rng.random(500) < 0.8
    confidence = np.round(rng.random(500) * 0.7 + 0.3 * correct, decimals)
    got = metrics.evaluate_confidence(confidence, correct)
    precision, recall, _ = sk.precision_recall_curve(correct, confidence)
    fpr, tpr, _ = sk.roc_curve(correct, confidence, drop_intermediate=False)
    assert got["auroc"] == pytest.approx(sk.roc_auc_score(correct, confidence))
    assert got["aupr_success"] == pytest.approx(sk.auc(recall, precision))
    assert got["aupr_error"] == pytest.approx(sk.average_precision_score(~correct, -confidence))
    assert got["fpr95"] == pytest.approx(fpr[np.argmin(np.abs(tpr - 0.95))])


samples = st.lists(st.tuples(st.integers(0, 50), st.booleans()), min_size=1, max_size=60)


@given(samples)
def test_properties(pairs):
    confidence, correct = np.array([c for c, _ in pairs], float), np.array([r for _, r in pairs])
    got = metrics.evaluate_confidence(confidence, correct)
    moved = metrics.evaluate_confidence(np.exp(confidence / 10) - 3, correct)
    assert moved == pytest.approx(got, nan_ok=True)
    best = metrics.aurc(correct.astype(float) + np.linspace(0, 0.5, len(pairs)), correct)
    assert got["aurc"] >= best - 1e-12


def test_one_sample_all_right_all_wrong():
    right = metrics.evaluate([[2.0, 1.0]], [0])
    assert right["accuracy"] == 1 and right["aurc"] == 0 and np.isnan(right["auroc"]) and np.isnan(right["aupr_error"])
    wrong = metrics.evaluate([[2.0, 1.0]], [1])
    assert wrong["aurc"] == 1 and wrong["eaurc"] == 0 and np.isnan(wrong["fpr95"]) and np.isnan(wrong["aupr_success"])


@pytest.mark.parametrize(("n", "k", "scale"), [(50, 2, 1.0), (3000, 30, 3.0), (700, 200, 0.0), (40, 3, 1e160)])
def test_one_pass_in_blocks_equals_the_definitions(n, k, scale):
    rng = np.random.default_rng(n)
    labels = rng.integers(0, k, n)
    logits = scale * rng.normal(size=(n, k))
    p = metrics.softmax(logits)
    got, confidence, right = metrics.evaluate(logits, labels), p.max(1), p.argmax(1) == labels
    assert metrics.evaluate(logits, labels, extras=False).items() <= got.items() and len(got) == 14
    expected = {
        **metrics.evaluate_confidence(scores.log_odds(logits), right),
        "accuracy": right.mean(),
        "nll": np.mean(logsumexp(logits, 1) - logits[range(n), labels]),
        "brier": ((p - np.eye(k)[labels]) ** 2).sum(1).mean(),
        "ece_adaptive": metrics.ece_adaptive(p, labels),
    }
    edges = np.linspace(0, 1, 16)
    inside = lambda q, b: (q > edges[b] if b else q >= 0) & (q <= edges[b + 1])  # noqa: E731
    gap = lambda q, hit: sum(abs((hit - q)[inside(q, b)].sum()) for b in range(15)) / n  # noqa: E731
    expected["ece"] = gap(confidence, right)
    expected["ece_classwise"] = np.mean([gap(p[:, c], labels == c) for c in range(k)])
    assert got == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert metrics.ece_classwise(p, labels) == pytest.approx(expected["ece_classwise"])


def test_float16_is_computed_in_float64():
    logits = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float16)
    labels = np.arange(50) % 4
    assert metrics.evaluate(logits, labels) == metrics.evaluate(logits.astype(np.float64), labels)


@pytest.mark.parametrize(
    ("logits", "labels", "message"),
    [
        ([[np.nan, 1.0]], [0], "NaN"),
        ([[-np.inf, 1.0]], [1], "infinite"),
        ([1.0, 2.0], [0], "shape"),
        (np.zeros((0, 2)), [], "shape"),
        ([[1.0, 2.0]], [2], "expected 0 to 1"),
        ([[1.0, 2.0]], [-1], "expected 0 to 1"),
        ([[1.0, 2.0]], [0.5], "integers"),
        ([[1.0, 2.0]], [0, 1], "one per sample"),
    ],
)
def test_bad_input_gets_a_clear_error(logits, labels, message):
    with pytest.raises(ValueError, match=message):
        metrics.evaluate(logits, labels)


def test_coverage_and_risk_must_be_fractions():
    for function, value in ((metrics.selective_risk_at, 0), (metrics.coverage_at_risk, 5)):
        with pytest.raises(ValueError, match=f"is {value}; it must lie in"):
            function(CONFIDENCE, CORRECT, value)


def test_probabilities_must_sum_to_one():
    with pytest.raises(ValueError, match="sum to one"):
        metrics.ece([[0.5, 0.6]], [0])


@given(st.integers(0, 10_000))
def test_risk_coverage_areas_are_sums_of_their_errors_weights(seed):
    rng = np.random.default_rng(seed)
    correct = rng.random(30) < 0.6
    confidence = np.sort(rng.random(30))[::-1]
    weights = metrics.error_weights(30)
    for name in ("aurc", "augrc"):
        assert weights[name][~correct].sum() == pytest.approx(getattr(metrics, name)(confidence, correct))
    coverage, generalised = metrics.generalised_risk_curve(confidence, correct)
    assert generalised.mean() == pytest.approx(metrics.augrc(confidence, correct))
    assert generalised == pytest.approx(coverage * metrics.risk_coverage_curve(confidence, correct)[1])
    with pytest.raises(ValueError, match="at least 1"):
        metrics.error_weights(0)


def test_overlap_is_one_minus_the_kolmogorov_smirnov_distance():
    rng = np.random.default_rng(0)
    correct = rng.random(300) < 0.8
    confidence = rng.random(300).round(1) + 0.3 * correct
    distance = ks_2samp(confidence[correct], confidence[~correct], alternative="less").statistic
    assert metrics.overlap(confidence, correct) == pytest.approx(1 - distance)
    assert metrics.overlap(np.exp(5 * confidence), correct) == pytest.approx(1 - distance)
    assert metrics.overlap([0.9, 0.8], [1, 0]) == 0 and metrics.overlap([0.8, 0.9], [1, 0]) == 1
    assert np.isnan(metrics.overlap([0.9, 0.8], [1, 1]))


def test_metrics_that_may_not_be_defined_say_so():
    called = {"fpr95": "FPR-95%TPR", "aupr_success": "AUPR-Success", "aupr_error": "AUPR-Error"}
    undefined = set()
    for name in ("overlap", *metrics.evaluate_confidence(CONFIDENCE, CORRECT)):
        metric = getattr(metrics, name)
        if np.isnan([metric(CONFIDENCE, np.full(5, kind)) for kind in (True, False)]).any():
            undefined.add(name)
            assert "NaN with" in metric.__doc__ and called.get(name, name).lower() in metrics.__doc__.lower(), name
    assert undefined == {"auroc", "fpr95", "naurc", "overlap", "aupr_success", "aupr_error"}


def test_reliability_curve_adds_up_to_ece():
    rng = np.random.default_rng(1)
    p = rng.dirichlet(np.ones(4), 200)
    labels = rng.integers(0, 4, 200)
    mean, accuracy, share = metrics.reliability_curve(p.max(1), p.argmax(1) == labels)
    assert len(mean) < 15 and share.sum() == pytest.approx(1)
    assert (share * np.abs(mean - accuracy)).sum() == pytest.approx(metrics.ece(p, labels))
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\]"):
        metrics.reliability_curve([1.2], [1])


def test_right_predictions_of_a_calibrated_network_are_not_certain():
    assert metrics.calibrated_right_confidence([0.6, 0.9]) == pytest.approx(0.78)
    confidence = np.repeat([0.25, 0.5, 1.0], 400)
    correct = np.concatenate([np.arange(400) < 400 * c for c in (0.25, 0.5, 1.0)])
    assert metrics.calibrated_right_confidence(confidence) == pytest.approx(confidence[correct].mean())
    for wrong in ([], [-0.1, 0.5], [0.0], [np.nan]):
        with pytest.raises(ValueError, match="confidence must be"):
            metrics.calibrated_right_confidence(wrong)


# -- what strangers reported of other libraries ------------------------------------------------------------------


def test_adaptive_ece_does_not_depend_on_the_order_of_tied_samples():
    p, y = np.tile([0.7, 0.3], (1000, 1)), np.array([0] * 700 + [1] * 300)
    assert metrics.ece_adaptive(p, y) == pytest.approx(0, abs=1e-12)


def test_ranking_survives_saturation():
    z, y = np.array([[40.0, 0], [50, 0], [45, 0]]), np.array([1, 0, 0])
    assert metrics.evaluate(z, y)["auroc"] == 1.0
    rng = np.random.default_rng(1)
    z = rng.normal(size=(500, 10)) * 3
    y = np.where(rng.random(500) < 0.7, z.argmax(1), rng.integers(0, 10, 500))
    gap = scores.log_odds(z)
    plain = metrics.auroc(gap, z.argmax(1) == y)
    assert metrics.evaluate(z, y)["auroc"] == pytest.approx(plain, abs=1e-12)
    for factor in (30, 100, 1000):  # up to gaps whose exponentials are zero
        scaled = metrics.auroc(scores.log_odds(z * factor), z.argmax(1) == y)
        assert metrics.evaluate(z * factor, y)["auroc"] == pytest.approx(scaled, abs=1e-12)


def test_probabilities_given_as_logits_are_named():
    p = np.tile([0.7, 0.2, 0.1], (5, 1))
    with pytest.warns(UserWarning, match="give log-probabilities"):
        metrics.evaluate(p, np.zeros(5, int))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        metrics.evaluate(np.log(p), np.zeros(5, int))


def test_bfloat16_of_torch_is_taken():
    torch = pytest.importorskip("torch")
    z = torch.tensor([[1.0, 0.0], [0.0, 2.0]], dtype=torch.bfloat16)
    assert metrics.evaluate(z, np.array([0, 0]))["accuracy"] == 0.5


@pytest.mark.parametrize("n", [1, 2, 10])
def test_augrc_reaches_its_stated_range(n):
    assert metrics.augrc(np.arange(n), np.zeros(n)) == pytest.approx((n + 1) / (2 * n))
