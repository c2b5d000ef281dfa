"""Failure prediction under corruption: what is measured, and means over corruptions with their intervals."""

import numpy as np
import pytest

from fmfp_lib import corruptions, measures, metrics, records, shift
from fmfp_lib.settings import Settings
from fmfp_lib.training import train


def drawn(seed, n=60, helpful=1.0):
    """Scores that know something of correctness, in 3 x 2 cells."""
    rng = np.random.default_rng(seed)
    correct = rng.random((3, 2, n)) < 0.7
    return {"score": helpful * correct + rng.normal(0, 1, correct.shape), "correct": correct}


def test_log_odds_of_the_largest_probability():
    logits = np.random.default_rng(0).normal(0, 3, (50, 10))
    p = metrics.softmax(logits).max(1)
    assert measures.log_odds(logits) == pytest.approx(np.log(p / (1 - p)))
    apart = measures.log_odds([[50.0, 0, 0], [60.0, 0, 0]])  # both probabilities round to 1
    assert apart == pytest.approx(np.array([50, 60]) - np.log(2))


def test_the_mean_is_over_all_cells_and_leaves_out_the_undefined():
    arrays = drawn(0)
    found = shift.cells(arrays)
    assert found["auroc"][2, 1] == pytest.approx(metrics.auroc(arrays["score"][2, 1], arrays["correct"][2, 1]))
    assert shift.mean(arrays)["aurc"] == pytest.approx(found["aurc"].mean())
    arrays["correct"][0, 0] = True  # no error, so no AUROC
    assert np.isnan(shift.cells(arrays)["auroc"][0, 0])
    rest = found["auroc"].ravel()[1:]
    assert shift.mean(arrays)["auroc"] == pytest.approx(rest.mean())


def test_the_bootstrap_is_that_of_repeated_images():
    arrays = drawn(1, n=25)
    whole, replicates = shift._replicates(arrays, 3, 7)["auroc"]
    assert whole[0] == pytest.approx(shift.mean(arrays)["auroc"])
    (counts,) = shift.statistics._counts(25, 3, 7)
    for row, value in zip(counts, replicates, strict=True):
        again = {key: np.repeat(a, row, axis=2) for key, a in arrays.items()}
        assert value == pytest.approx(shift.mean(again)["auroc"])


def test_a_better_score_is_found_better_and_a_method_equals_itself():
    weak, strong = ([drawn(s, 400, helpful) for s in range(3)] for helpful in (0.3, 2.0))
    found = shift.compare(weak, strong, replicates=100)
    assert found["auroc"].low > 0 and found["aurc"].high < 0 and found["fpr95"].high < 0
    assert found["accuracy"].difference == 0
    same = shift.compare(weak, weak, replicates=20)["auroc"]
    assert same.difference == same.low == same.high == 0


def test_runs_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="1 runs against 2"):
        shift.compare([drawn(0)], [drawn(0), drawn(1)])
    with pytest.raises(ValueError, match="differ in shape"):
        shift.compare([drawn(0)], [drawn(0, n=61)])
    with pytest.raises(ValueError, match="expected \\(kinds, severities, n\\) twice"):
        shift.cells({"score": np.zeros(3), "correct": np.zeros(3, bool)})


def test_it_is_measured_on_the_first_test_images(tmp_path, monkeypatch):
    monkeypatch.setenv("FMFP_RECORDS", str(tmp_path))
    # Corruption that does nothing: every cell must show what the record shows of the clean images.
    monkeypatch.setattr(corruptions, "corrupt", lambda x, kind, severity, seed=0: x)
    settings = Settings(scale="smoke", train_size=130, test_size=80, device="cpu")
    record = train(settings, progress=False, measures=["shift"])
    assert records.attached(record, "shift") is not None and shift.measured([record]).keys() == {0}
    found = measures.load(record, "shift")
    assert found["score"].shape == found["correct"].shape == (15, 5, 20) and len(found["kinds"]) == 15
    assert str(found["origin"]) == "here"
    right = record.logits[:20].argmax(1) == record.labels[:20]
    assert (found["correct"] == right).all()
    assert np.abs(found["score"] - measures.log_odds(record.logits[:20])).max() < 0.05
