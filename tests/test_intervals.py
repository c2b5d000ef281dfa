"""Intervals of one system's metrics and of differences: equal to what repeated items give, and wide enough."""

import numpy as np
import pytest

from fmfp_lib import intervals, metrics
from fmfp_lib.predictions import from_arrays
from fmfp_lib.statistics.replicates import drawn_counts

RNG = np.random.default_rng(0)


def classifier(n=300, k=4, sharpness=2.0, rng=RNG, noise=0.4, **more):
    z = rng.normal(size=(n, k)) * sharpness
    return from_arrays(logits=z, labels=np.where(rng.random(n) < noise, rng.integers(0, k, n), z.argmax(1)), **more)


def probable(n, rng, name="a"):
    """A system whose confidence is calibrated: it is right as often as it says."""
    confidence = rng.uniform(0.3, 1, n)
    return from_arrays(confidence=confidence, correct=rng.random(n) < confidence, name=name)


@pytest.mark.parametrize("tied", [False, True])
def test_replicates_are_the_metrics_of_repeated_items(tied):
    predictions = classifier()
    if tied:
        confidence = np.round(predictions.confidence, 1)
        predictions = from_arrays(confidence=confidence, correct=predictions.correct)
    n = len(predictions)
    drawn = intervals.replicates_of(predictions, 8, seed=3)
    counts = np.concatenate(list(drawn_counts(n, 8, 3)), 1).T.astype(int)
    for i, row in enumerate(counts):
        expected = intervals.metrics_of(predictions.take(np.repeat(np.arange(n), row)))
        assert set(expected) == set(drawn)
        for name, value in expected.items():
            assert drawn[name][i] == pytest.approx(value, abs=1e-12), name


def test_intervals_hold_the_true_value_about_as_often_as_they_say():
    names, held, draws = ("auroc", "aurc", "augrc", "aupr_error", "aupr_success", "naurc", "accuracy"), [], 150
    rng = np.random.default_rng(1)
    true = intervals.metrics_of(probable(400_000, rng))
    for _ in range(draws):
        found = intervals.metrics_with_intervals(probable(400, rng), replicates=300)
        held.append([found[name][1] <= true[name] <= found[name][2] for name in names])
    share = dict(zip(names, np.mean(held, 0), strict=True))
    assert all(0.89 <= s <= 1 for s in share.values()), share


def test_ece_of_its_own_items_lies_well_within_its_interval():
    value, low, high = intervals.metrics_with_intervals(classifier(2000))["ece"]
    assert 0.3 < (value - low) / (high - low) < 0.7
    plain = intervals.replicates_of(classifier(2000))["ece"]
    assert low < value < high and plain.min() >= 0


def test_ece_of_a_calibrated_model_is_that_of_labels_drawn_from_its_confidences():
    rng = np.random.default_rng(6)
    for n in (300, 3000):
        drawn = [probable(n, rng) for _ in range(200)]
        mean = np.mean([intervals.metrics_of(system)["ece"] for system in drawn])
        assert intervals.calibrated_ece(drawn[0]) == pytest.approx(mean, rel=0.06)
    assert intervals.calibrated_ece(drawn[0]) == intervals.calibrated_ece(drawn[0])
    assert intervals.calibrated_ece(from_arrays(confidence=[1.0, 1.0, 0.0], correct=[1, 0, 1])) == 0


@pytest.mark.parametrize("scale", [1, 15, 40])
def test_logits_that_saturate_in_float64_rank_as_metrics_evaluate_does(scale):
    rng = np.random.default_rng(7)
    z, y = rng.normal(size=(1500, 10)), rng.integers(0, 10, 1500)
    z[np.arange(1500), y] += 2.2
    found = from_arrays(logits=scale * z, labels=y)
    assert scale < 15 or (found.confidence == 1).mean() > 0.01
    values, expected = intervals.metrics_of(found), metrics.evaluate(scale * z, y)
    assert {name: values[name] for name in values} == pytest.approx({name: expected[name] for name in values})
    (counts,) = drawn_counts(1500, 1, 0)
    again = np.repeat(np.arange(1500), counts[:, 0].astype(int))
    drawn = intervals.replicates_of(found, 1)
    expected = metrics.evaluate(scale * z[again], y[again])
    assert {name: value[0] for name, value in drawn.items()} == pytest.approx({name: expected[name] for name in drawn})


def test_no_errors_and_infinite_loss():
    perfect = intervals.metrics_with_intervals(from_arrays(confidence=[0.9, 0.8, 0.7], correct=[1, 1, 1]))
    assert perfect["accuracy"][0] == 1 and perfect["accuracy"][1] < 1 and perfect["aurc"] == (0, 0, 0)
    assert np.isnan(perfect["auroc"]).all()
    impossible = intervals.metrics_with_intervals(from_arrays(probabilities=np.eye(2)[[0, 1, 1]], labels=[0, 1, 0]))
    assert impossible["nll"][0] == np.inf and np.isnan(impossible["nll"][1])
    score = from_arrays(confidence=[9.0, 1.0], correct=[1, 0])
    assert {"ece", "nll"}.isdisjoint(intervals.metrics_with_intervals(score, replicates=5))


def test_a_system_does_not_differ_from_itself_and_does_from_a_worse_one():
    first = probable(2000, np.random.default_rng(4))
    worse = from_arrays(confidence=RNG.permutation(first.confidence), correct=first.correct, name="shuffled")
    same = from_arrays(confidence=first.confidence, correct=first.correct, name="same")
    rows = intervals.compare([first, same, worse])
    assert {r.metric for r in rows} == {"accuracy", "auroc", "aurc", "augrc", "ece"}  # none has an NLL
    assert all(r.difference == r.low == r.high == 0 and r.p == 1 for r in rows if r.system == "same")
    found = {r.metric: r for r in rows if r.system == "shuffled"}
    for name in ("auroc", "aurc", "augrc"):
        assert found[name].excludes_zero and not found[name].better and found[name].p_holm < 0.05
    assert found["accuracy"].p_holm == 1


def test_differences_without_effect_exclude_zero_in_about_one_of_twenty():
    rng, excluded = np.random.default_rng(5), []
    for _ in range(120):
        correct = rng.random(300) < 0.7
        pair = [from_arrays(confidence=correct + rng.normal(size=300), correct=correct, name=n) for n in "ab"]
        rows = intervals.compare(pair, ("auroc",), replicates=200)
        excluded.append((rows[0].excludes_zero, rows[0].p < 0.05))
    assert (np.mean(excluded, 0) <= 0.1).all() and abs(np.diff(np.mean(excluded, 0))[0]) <= 0.03


@pytest.mark.parametrize(
    ("others", "message"),
    [
        ([], "name at least two files"),
        ([{"confidence": [0.5], "correct": [1]}], "hold 3 and 1 items"),
        ([{"logits": np.eye(3), "labels": [0, 1, 1]}], "differ in labels of 1 items, first in row 2"),
        ([{"confidence": [1, 2, 3], "correct": [1, 1, 1], "id": ["a", "c", "b"]}], "differ in id of 2 items"),
    ],
)
def test_other_items_are_refused(others, message):
    first = from_arrays(logits=np.eye(3), labels=[0, 1, 2], id=["a", "b", "c"])
    with pytest.raises(ValueError, match=message):
        intervals.compare([first, *(from_arrays(**other) for other in others)])
