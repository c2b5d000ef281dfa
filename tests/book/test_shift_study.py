"""Failure prediction under corruption: what is measured, and means over corruptions with their intervals."""

import numpy as np
import pytest

from fmfp_lib import measures, metrics, records, scores
from fmfp_lib.book import shift_study
from fmfp_lib.datasets import corruptions
from fmfp_lib.settings import Settings
from fmfp_lib.statistics.replicates import drawn_counts
from fmfp_lib.training import train


def drawn(seed, n=60, helpful=1.0):
    """Scores that know something of correctness, in 3 x 2 cells."""
    rng = np.random.default_rng(seed)
    correct = rng.random((3, 2, n)) < 0.7
    return {"score": helpful * correct + rng.normal(0, 1, correct.shape), "correct": correct}


def test_the_mean_is_over_all_cells_and_leaves_out_the_undefined():
    arrays = drawn(0)
    found = shift_study.cells(arrays)
    assert found["auroc"][2, 1] == pytest.approx(metrics.auroc(arrays["score"][2, 1], arrays["correct"][2, 1]))
    assert shift_study.mean(arrays)["aurc"] == pytest.approx(found["aurc"].mean())
    arrays["correct"][0, 0] = True  # no error, so no AUROC
    assert np.isnan(shift_study.cells(arrays)["auroc"][0, 0])
    rest = found["auroc"].ravel()[1:]
    assert shift_study.mean(arrays)["auroc"] == pytest.approx(rest.mean())


def test_the_bootstrap_is_that_of_repeated_images():
    arrays = drawn(1, n=25)
    whole, replicates = (values["auroc"] for values in shift_study._replicates(arrays, 3, 7))
    assert whole[0] == pytest.approx(shift_study.mean(arrays)["auroc"])
    (counts,) = drawn_counts(25, 3, 7)
    for row, value in zip(counts.T.astype(int), replicates, strict=True):
        again = {key: np.repeat(a, row, axis=2) for key, a in arrays.items()}
        assert value == pytest.approx(shift_study.mean(again)["auroc"])


def test_a_better_score_is_found_better_and_a_method_equals_itself():
    weak, strong = ([drawn(s, 400, helpful) for s in range(3)] for helpful in (0.3, 2.0))
    found = shift_study.compare(weak, strong, replicates=100)
    assert found["auroc"].low > 0 and found["aurc"].high < 0 and found["fpr95"].high < 0
    assert found["accuracy"].difference == 0
    same = shift_study.compare(weak, weak, replicates=20)["auroc"]
    assert same.difference == same.low == same.high == 0


def test_a_page_says_where_its_images_came_from(monkeypatch):
    from types import SimpleNamespace as N

    def group(title, *origins):
        return N(title=title, runs={"baseline": [N(settings=N(seed=s), origin=o) for s, o in enumerate(origins)]})

    monkeypatch.setattr(
        measures, "load", lambda record, name: {"origin": np.array(record.origin)} if record.origin else None
    )
    found = shift_study.origins([group("a", "here", None), group("b", "here", "CIFAR-10-C"), group("c", None)])
    assert found == {"a": "made here", "b": "made here and those of CIFAR-10-C"}


def test_runs_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="1 runs against 2"):
        shift_study.compare([drawn(0)], [drawn(0), drawn(1)])
    with pytest.raises(ValueError, match="differ in shape"):
        shift_study.compare([drawn(0)], [drawn(0, n=61)])
    with pytest.raises(ValueError, match="expected \\(kinds, severities, n\\) twice"):
        shift_study.cells({"score": np.zeros(3), "correct": np.zeros(3, bool)})


def test_it_is_measured_on_the_first_test_images(tmp_path, monkeypatch):
    monkeypatch.setenv("FMFP_RECORDS", str(tmp_path))
    # Corruption that does nothing: every cell must show what the record shows of the clean images.
    monkeypatch.setattr(corruptions, "corrupt", lambda x, kind, severity, seed=0: x)
    settings = Settings(scale="smoke", train_size=130, test_size=80, device="cpu")
    record = train(settings, progress=False, measures=["shift"])
    assert records.attached(record, "shift") is not None and shift_study.measured([record]).keys() == {0}
    found = measures.load(record, "shift")
    assert found["score"].shape == found["correct"].shape == (15, 5, 20) and len(found["kinds"]) == 15
    assert str(found["origin"]) == "here"
    right = record.logits[:20].argmax(1) == record.labels[:20]
    assert (found["correct"] == right).all()
    assert np.abs(found["score"] - scores.log_odds(record.logits[:20])).max() < 0.05


def test_each_severity_has_its_means_and_its_confidence():
    arrays = drawn(3)
    found = shift_study.by_severity(arrays)
    assert found["accuracy"] == pytest.approx(arrays["correct"].mean((0, 2))) and found["auroc"].shape == (2,)
    arrays["score"] = np.full(arrays["score"].shape, np.log(0.8 / 0.2))
    assert shift_study.by_severity(arrays)["confidence"] == pytest.approx([0.8, 0.8])


def test_pooling_counts_clean_images_for_half():
    arrays = {"score": np.array([[[1.0, 0.0]], [[1.0, 0.0]]]), "correct": np.zeros((2, 1, 2), bool)}
    plain = {"score": np.array([[[2.0, 3.0]]]), "correct": np.ones((1, 1, 2), bool)}
    found = shift_study.pooled(arrays, plain)
    assert found["accuracy"] == 0.5 and found["auroc"] == 1.0  # clean and right stand above corrupted and wrong


def test_groups_are_compared_over_the_seeds_that_were_measured(monkeypatch):
    from types import SimpleNamespace as Some

    kept = {("baseline", s): drawn(s, 200, 0.3) for s in range(3)} | {("fmfp", s): drawn(s, 200, 2.0) for s in range(2)}
    monkeypatch.setattr(measures, "load", lambda r, name: kept.get((r.settings.method, r.settings.seed)))
    runs = {m: [Some(settings=Some(method=m, seed=s)) for s in range(4)] for m in ("baseline", "fmfp", "crl")}
    for r in (r for side in runs.values() for r in side):
        r.logits, r.labels = np.eye(10)[np.arange(200) % 10] * 5.0, np.arange(200) % 10 * (np.arange(200) % 3 > 0)
    group = Some(title="toy", runs=runs)
    (found,) = shift_study.comparisons([group], ["baseline", "fmfp", "crl", "swa"], replicates=30)
    assert list(found) == ["fmfp"]
    whole = [[kept[m, s] for s in range(2)] for m in ("baseline", "fmfp")]
    assert found["fmfp"]["auroc"].difference == shift_study.compare(*whole, 30)["auroc"].difference > 0
    (only,) = shift_study.comparisons([group], ["fmfp"], replicates=30, kind=1)
    part = [np.mean([shift_study.cells(a)["auroc"][1].mean() for a in side]) for side in whole]
    assert only["fmfp"]["auroc"].difference == pytest.approx(part[1] - part[0])
    text = shift_study.clean_and_shifted([group]).splitlines()
    cells = [line.split(" | ")[:2] for line in text[4:]]
    assert text[0] == "**toy**" and cells == [["| baseline", "3"], ["| FMFP", "2"]]
    assert text[2].split(" | ")[2:6] == [
        *(f"AUROC %, {where}" for where in ("clean", "corrupted", "pooled")),
        "Accuracy %, clean",
    ]
    rest = shift_study.clean_and_shifted([group], ("aurc", "fpr95")).splitlines()[2]
    assert rest.count("clean") == rest.count("corrupted") == 2 and "pooled" not in rest
    whole = [shift_study.pooled(kept["fmfp", s], shift_study.clean(runs["fmfp"][s], 200))["auroc"] for s in range(2)]
    assert text[5].split(" | ")[4].startswith(f"{100 * np.mean(whole):.2f}")
    assert shift_study.of_record(runs["crl"][0]) is None
    assert shift_study.of_record(runs["fmfp"][0]) == shift_study.mean(kept["fmfp", 0])
