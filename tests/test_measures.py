"""What is measured on a network is kept beside its record, and never without being asked for again."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from fmfp_lib import measures, records
from fmfp_lib.settings import Settings
from fmfp_lib.training import find_or_train, train


@pytest.fixture(autouse=True)
def own_records(tmp_path, monkeypatch):
    monkeypatch.setenv("FMFP_RECORDS", str(tmp_path))


def small(**values):
    return Settings(**({"scale": "smoke", "train_size": 130, "test_size": 40, "device": "cpu"} | values))


@pytest.fixture
def counted(monkeypatch):
    """Replace the measures by one that counts how often it is taken."""
    taken = []

    def measure(run, model):
        taken.append(run.settings.seed)
        return {"logits": run.logits(model, run.x_test)}

    monkeypatch.setattr(measures, "MEASURES", {"flatness": measure})
    return taken


def test_a_measure_is_taken_once(counted):
    record = train(small(), progress=False, measures=["flatness"])
    assert np.abs(measures.load(record, "flatness")["logits"] - record.logits).max() < 1 / 16
    again = train(small(), progress=False, measures=["flatness"])
    assert counted == [0] and again.sha256 == record.sha256
    assert measures.load(train(small(seed=1), progress=False), "flatness") is None


def test_a_finished_run_is_measured_from_its_weights_or_trained_again(counted, monkeypatch):
    kept = train(small(), progress=False, keep_weights=True)
    lost = train(small(seed=1), progress=False)
    trained = []
    from fmfp_lib.training import Run

    fit = Run.fit
    monkeypatch.setattr(Run, "fit", lambda run, *rest: trained.append(run.settings.seed) or fit(run, *rest))
    from_weights = train(small(), progress=False, measures=["flatness"])
    assert trained == [] and from_weights.sha256 == kept.sha256
    assert np.abs(measures.load(from_weights, "flatness")["logits"] - kept.logits).max() < 0.1  # half precision
    again = train(small(seed=1), progress=False, measures=["flatness"])
    assert trained == [1] and np.array_equal(again.logits, lost.logits)
    assert measures.load(again, "flatness") is not None


def test_what_is_damaged_or_of_another_record_is_set_aside(counted):
    record = train(small(), progress=False, measures=["flatness"])
    path = record.path.with_suffix(".flatness.npz")
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    with pytest.warns(UserWarning, match="flatness.npz is damaged"):
        assert measures.load(record, "flatness") is None
    other = train(small(seed=1), progress=False)
    other.path.with_suffix(".flatness.npz").write_bytes(whole)
    with pytest.warns(UserWarning, match="another version of the record"):
        assert measures.load(other, "flatness") is None
    train(small(), progress=False, measures=["flatness"])
    assert counted == [0, 0]


def test_a_measure_computes_in_float32_on_a_gpu_too(monkeypatch):
    def flags():
        cudnn = torch.backends.cudnn
        return torch.get_float32_matmul_precision(), cudnn.allow_tf32, cudnn.deterministic

    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)  # torch's own default
    run = SimpleNamespace(device=torch.device("cuda"), settings=small(), finished_model=lambda: None)
    before, seen = flags(), []
    monkeypatch.setattr(measures, "MEASURES", {"flatness": lambda run, model: seen.append(flags())})
    monkeypatch.setattr(records, "attached", lambda *place: None)
    monkeypatch.setattr(records, "attach", lambda *values: None)
    find_or_train._measure(None, run, ["flatness"])
    assert seen == [("highest", False, True)] and flags() == before


def test_an_unknown_measure_names_the_choices():
    with pytest.raises(ValueError, match="unknown measure 'flatnes'.*did you mean 'flatness'"):
        train(small(), measures=["flatnes"])


def test_every_measure_on_a_small_network(tmp_path):
    record = train(small(method="swa", network="vgg8_w8", epochs=5), progress=False, measures=measures.MEASURES)
    found = {name: measures.load(record, name) for name in measures.MEASURES}
    flat = found["flatness"]
    assert flat["loss"].shape == flat["margin"].shape == (len(flat["norms"]), 5)
    assert np.ptp(flat["loss"][0]) == 0 < np.ptp(flat["loss"][-1])  # norm 0 moves nothing
    assert np.isfinite(flat["sharpness"]) and np.isfinite(flat["eigenvalue"])
    for name in ("trust_score", "confidnet", "mc_dropout", "swag"):
        assert found[name]["score"].shape == (40,) and np.isfinite(found[name]["score"]).all()
    assert records.find(record.settings).sha256 == record.sha256


def test_a_measured_score_is_judged_by_the_predictions_it_belongs_to(monkeypatch):
    monkeypatch.setattr(measures, "MEASURES", {
        "confidnet": lambda run, model: {"score": (run.logits(model, run.x_test).argmax(1) == run.data.y_test) + 0.0},
        "swag": lambda run, model: {"score": np.arange(40.0), "correct": np.arange(40) >= 10},
    })  # fmt: skip
    record = train(small(), progress=False, measures=["confidnet", "swag"])
    assert measures.evaluate(record, "confidnet")["auroc"] == 1.0  # it knows the answers to the record's predictions
    assert measures.evaluate(record, "swag")["auroc"] == 1.0 and measures.evaluate(record, "swag")["fpr95"] == 0.0
    assert measures.evaluate(train(small(seed=1), progress=False), "swag") is None


def test_what_is_measured_on_a_shipped_run_does_not_go_beside_it(counted, tmp_path, monkeypatch):
    shipped, own = tmp_path / "shipped", tmp_path / "own"
    monkeypatch.setattr(records, "SHIPPED", shipped)
    monkeypatch.setenv("FMFP_RECORDS", str(shipped))
    name = train(small(), progress=False, keep_weights=True, measures=["flatness"]).path.stem
    (shipped / f"{name}.flatness.npz").write_bytes(b"damaged")
    monkeypatch.setenv("FMFP_RECORDS", str(own))
    before = {p: p.read_bytes() for p in shipped.iterdir()}
    with pytest.warns(UserWarning, match="flatness.npz is damaged .*; it came with the library and is left there"):
        record = train(small(), progress=False, measures=["flatness"])
    assert record.path.parent == shipped and measures.load(record, "flatness") is not None and counted == [0, 0]
    assert before == {p: p.read_bytes() for p in shipped.iterdir()}
    assert [p.name for p in own.glob("[!.]*")] == [f"{name}.flatness.npz"]
