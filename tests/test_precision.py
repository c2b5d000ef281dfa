"""Precision says how a run is computed, and leaves its name and its evaluation alone."""

import json

import numpy as np
import pytest
import torch

from fmfp_lib import precision, records, training
from fmfp_lib.settings import Settings

SMALL = dict(scale="smoke", train_size=130, test_size=40, epochs=2, device="cpu")
needs_bfloat16 = pytest.mark.skipif(not precision.bfloat16_is_native("cpu"), reason="no bfloat16 in this CPU")


@pytest.fixture(autouse=True)
def own_records(tmp_path, monkeypatch):
    monkeypatch.setenv("FMFP_RECORDS", str(tmp_path))


def test_device_precision_and_compilation_leave_the_name_alone(monkeypatch):
    name = Settings(**SMALL).hash()
    assert Settings(**SMALL | {"compile": True}).hash() == Settings(**SMALL | {"device": "auto"}).hash() == name
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert Settings(**SMALL | {"device": "auto"}).complete().device == "cuda"
    assert Settings(**SMALL | {"device": "auto"}).hash() == Settings(**SMALL | {"device": "cuda"}).hash() == name
    assert Settings(**SMALL | {"rho": 0.1}).hash() != name


def test_every_shipped_record_has_its_old_name():
    for path in records.SHIPPED.glob("*.json"):
        settings = Settings(**json.loads(path.read_text())["settings"])
        assert path.stem in (settings.hash(), settings.hash(1))


def test_what_the_device_lacks_is_refused(monkeypatch):
    with pytest.raises(ValueError, match="tf32.*a CPU does not have"):
        Settings(**SMALL, precision="tf32").complete()
    monkeypatch.setattr(precision, "bfloat16_is_native", lambda device: False)
    with pytest.raises(ValueError, match="bfloat16.*emulate.*choose float32"):
        Settings(**SMALL, precision="bfloat16").complete()
    assert precision.resolve("auto", "cpu", "bfloat16") == precision.resolve("auto", "cpu") == "float32"
    assert precision.resolve("auto", "cuda") == "tf32"


@needs_bfloat16
def test_bfloat16_trains_otherwise_and_evaluates_in_float32():
    runs = [training.Run(Settings(**SMALL, precision=name)) for name in ("float32", "bfloat16")]
    plain, low = (run.logits(run.model, run.x_test) for run in runs)
    assert (plain == low).all()  # not trained yet: the same weights, evaluated alike
    weights = []
    for run in runs:
        run.train_epoch()
        weights.append(torch.cat([p.detach().flatten() for p in run.model.parameters()]))
    assert weights[1].dtype == torch.float32
    assert 1e-6 < (weights[0] - weights[1]).abs().max() < 0.1


@needs_bfloat16
def test_sam_steps_are_float32():
    """With bfloat16's passes SAM's steps end where float32's do, to the bit."""
    weights = []
    for name in ("float32", "bfloat16"):
        run = training.Run(Settings(**SMALL, method="sam", precision=name))
        run.train_epoch()
        weights.append(torch.cat([p.detach().flatten() for p in run.model.parameters()]))
    assert torch.equal(*weights)


def test_histograms_count_every_evaluated_image():
    record = training.train(Settings(**SMALL), progress=False)
    evaluated = [row for row in record.history if "test_accuracy" in row]
    assert record.histograms.shape == (len(evaluated), 2, records.HISTOGRAM_BINS)
    assert (record.histograms.sum((1, 2)) == 40).all()
    share = record.histograms.sum(2)[:, 0] / 40
    assert np.allclose(share, [row["test_accuracy"] for row in evaluated])


def test_fit_is_measured_on_the_training_images():
    from fmfp_lib import measures

    record = training.train(Settings(**SMALL | {"epochs": 30}, padding=0), progress=False, measures=["fit"])
    found = measures.load(record, "fit")
    assert 0 <= found["accuracy"] <= 1 and (np.diff(found["gap"]) >= 0).all() and found["cpu_seconds"] > 0
    assert np.interp(0, found["gap"], found["quantiles"]) == pytest.approx(1 - found["accuracy"], abs=0.06)


def test_without_padding_only_the_mirror_remains():
    from fmfp_lib.datasets.augment import crop_and_flip

    x = torch.arange(2 * 3 * 4 * 5.0).reshape(2, 3, 4, 5)
    seen = [crop_and_flip(x, 0, torch.Generator().manual_seed(seed), torch.zeros(3)) for seed in range(8)]
    kinds = {tuple(torch.equal(a, b) for a, b in zip(out, x, strict=True)) for out in seen}
    assert len(kinds) > 1
    assert all(torch.equal(a, b) or torch.equal(a, b.flip(2)) for out in seen for a, b in zip(out, x, strict=True))


def test_float32_is_always_available_and_first():
    assert precision.available("cpu")[0] == "float32" and "tf32" not in precision.available("cpu")
    for name in precision.available("cpu"):
        assert precision.resolve(name, "cpu") == name
