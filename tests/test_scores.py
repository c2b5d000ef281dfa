"""Each score against its definition, written out; the table; and what was measured on the shipped networks."""

from pathlib import Path

import numpy as np
import pytest

from fmfp_lib import confidence, measures, metrics, records, scores

RNG = np.random.default_rng(0)
LOGITS = 2 * RNG.normal(size=(50, 4))
ROOT = Path(__file__).resolve().parent.parent


def test_log_odds_is_that_of_msp_and_does_not_saturate():
    for t in (0.5, 1.0, 3.0):
        p = metrics.softmax(LOGITS / t).max(1)
        assert np.allclose(scores.log_odds(LOGITS, t), np.log(p / (1 - p)))
    assert scores.log_odds([[40.0, 0], [50.0, 0]]).tolist() == [40, 50]


def test_gini_by_hand_and_in_the_order_of_doctor():
    assert scores.gini(np.log([[0.5, 0.3, 0.2], [0.9, 0.05, 0.05]])) == pytest.approx([0.38, 0.815])
    p = metrics.softmax(LOGITS)
    impurity = 1 - (p**2).sum(1)
    assert np.array_equal(np.argsort(scores.gini(LOGITS)), np.argsort(-impurity / (1 - impurity)))


def test_temperature_is_the_one_of_smallest_aurc():
    labels = np.where(RNG.random(50) < 0.5, LOGITS.argmax(1), RNG.integers(0, 4, 50))
    correct = LOGITS.argmax(1) == labels
    areas = {t: metrics.aurc(metrics.softmax(LOGITS / t).max(1), correct) for t in (1.0, *scores.TEMPERATURES)}
    best = scores.fit_temperature_by_aurc(LOGITS, labels)
    assert areas[best] == min(areas.values())
    assert scores.fit_temperature_by_aurc(LOGITS[:, :2], LOGITS[:, :2].argmax(1)) == 1.0  # every T is as good


def test_mutual_information_by_hand():
    agree, apart = np.log([[0.5, 0.5]]), np.log([[1 - 1e-15, 1e-15]])
    assert scores.mutual_information([agree, agree]) == pytest.approx([0], abs=1e-12)  # unsure, but of one mind
    assert scores.mutual_information([apart, apart[:, ::-1]]) == pytest.approx([-np.log(2)], abs=1e-9)
    members = [2 * RNG.normal(size=(50, 4)) for _ in range(3)]
    p = np.array([metrics.softmax(z) for z in members])
    mean = p.mean(0)
    divergence = (p * np.log(p / mean)).sum(2).mean(0)
    assert np.allclose(scores.mutual_information(members), -divergence)


def test_nearest_neighbours_by_definition():
    x, train = RNG.normal(size=(20, 3)), RNG.normal(size=(30, 3))
    unit = [a / np.linalg.norm(a, axis=1, keepdims=True) for a in (x, train)]
    distances = np.sort(np.linalg.norm(unit[0][:, None] - unit[1], axis=2), 1)
    for k in (1, 5, 30):
        assert np.allclose(scores.nearest_neighbours(x, train, k), -distances[:, k - 1])
    assert np.allclose(scores.nearest_neighbours(7 * x, train, 5), scores.nearest_neighbours(x, train, 5))


def test_mahalanobis_by_definition_and_whatever_the_units():
    train, labels = RNG.normal(size=(200, 3)) * [1, 5, 0.1], RNG.integers(0, 3, 200)
    train += labels[:, None]
    x = RNG.normal(size=(20, 3))
    means = [train[labels == c].mean(0) for c in range(3)]
    covariance = sum(np.cov(train[labels == c].T, bias=True) * (labels == c).mean() for c in range(3))
    expected = [min((v - m) @ np.linalg.inv(covariance) @ (v - m) for m in means) for v in x]
    found = scores.mahalanobis(x, train, labels)
    assert np.allclose(found, -np.array(expected))
    assert np.allclose(scores.mahalanobis(x * [2, 3, 4], train * [2, 3, 4], labels), found)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: scores.nearest_neighbours(np.ones((2, 3)), np.ones((4, 3)), 5), "k is 5"),
        (lambda: scores.nearest_neighbours(np.ones((2, 3)), np.ones((4, 2))), r"\(2, 3\)"),
        (lambda: scores.mahalanobis(np.full((2, 3), np.nan), np.ones((4, 3)), np.zeros(4)), "NaN"),
        (lambda: scores.mahalanobis(np.ones((2, 3)), np.ones((4, 3)), np.zeros(3)), "one an item"),
    ],
)
def test_wrong_values_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("name", [n for n, s in scores.SCORES.items() if s.takes == "logits"])
def test_scores_of_the_table_grow_with_trust(name):
    score, labels = scores.SCORES[name], LOGITS.argmax(1)
    fitted = () if score.fit is None else (score.fit(LOGITS, np.roll(labels, 1)),)
    found = score.function(LOGITS, *fitted)
    assert found.shape == (50,) and np.isfinite(found).all()
    sure, unsure = score.function(np.array([[9.0, 0, 0, 0], [1, 0.9, 0.9, 0]]), *fitted)
    assert sure > unsure


def test_every_source_is_in_the_bibliography_and_every_score_of_confidence_in_the_table():
    known = (ROOT / "book" / "references.bib").read_text()
    assert all(f"{{{s.source}," in known for s in scores.SCORES.values() if s.source)
    assert set(confidence.SCORES) <= set(scores.SCORES)


def test_what_the_shipped_networks_say():
    """Distances between features find errors worse than MSP does, on each network that they were measured on."""
    kept = sorted(records.SHIPPED.glob("*.mahalanobis.npz"))
    assert len(kept) >= 4
    for path in kept:
        record = records.read(path.with_name(path.name.replace(".mahalanobis.npz", ".json")))
        plain = record.metrics["auroc"]
        for name in ("nearest_neighbours", "mahalanobis", "mc_information"):
            assert 0.55 < measures.evaluate(record, name)["auroc"] < plain
