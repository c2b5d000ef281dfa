"""A record is whole or it is not there."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from fmfp_lib import methods, records, schedule
from fmfp_lib.settings import Settings


@pytest.fixture(autouse=True)
def own_records(tmp_path, monkeypatch):
    monkeypatch.setenv("FMFP_RECORDS", str(tmp_path))


SETTINGS = Settings(device="cpu")


def save(scale=1):
    return records.save(SETTINGS, (scale * np.eye(10), np.arange(10)), (np.eye(10), np.arange(10)), [], {})


def test_round_trip():
    path = save()
    record = records.find(SETTINGS)
    assert record.path == path and record.metrics["accuracy"] == 1.0
    assert len(repr(record)) < 120 and "baseline" in repr(record)
    assert records.find(Settings(device="cpu", seed=1)) is None


def test_a_shipped_record_goes_before_a_copy_unless_an_attachment_is_wanted(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "SHIPPED", tmp_path / "shipped")
    monkeypatch.setenv("FMFP_RECORDS", str(records.SHIPPED))
    shipped = save()
    monkeypatch.setenv("FMFP_RECORDS", str(tmp_path / "own"))
    own = save(scale=2)
    assert records.find(SETTINGS).path == shipped and records.find(SETTINGS, shipped=False).path == own
    assert records.find(SETTINGS, attachments=["shift"]).path == shipped  # none has it: it is to be measured
    records.attach(records.read(own), "shift", {"score": np.zeros(3)})
    assert records.attached(records.find(SETTINGS), "shift") is None  # and that of the copy stays what it is
    assert records.find(SETTINGS, attachments=["shift"]).path == own
    assert records.find(SETTINGS, attachments=["shift", "weights"]).path == shipped


def test_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "x"
    records.write_atomically(path, b"old")
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space"):
        records.write_atomically(path, b"new")
    assert path.read_bytes() == b"old" and [p.name for p in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize("method", ["swa", "fmfp"])
def test_shipped_runs_continue_the_shipped_baseline(method):
    shared, apart = 0, []
    for path in records.SHIPPED.glob("*.json"):
        settings = Settings(**json.loads(path.read_text())["settings"])
        if settings.method != method:
            continue
        record, plain = records.read(path), records.find(settings.model_copy(update={"method": "baseline"}))
        start = schedule.shared_checkpoint(methods.METHODS[method], settings)
        if plain is not None and start is not None:
            seen = [[entry["train_loss"] for entry in r.history[: start[1]]] for r in (plain, record)]
            shared += 1
            if seen[0] != seen[1]:
                apart.append(record)
    assert shared > 10 and not apart


def test_shipped_records_stay_below_their_limit():
    assert sum(path.stat().st_size for path in records.SHIPPED.iterdir()) <= 90e6


def test_shipped_records_keep_their_names():
    # Records may be added; what version 0.1 has and no later one gave up stays, under the names that they have there.
    first = (Path(__file__).parent / "names_of_first_records.txt").read_text().split()
    assert len(first) == 105 and set(first) <= {path.stem for path in records.SHIPPED.glob("*.json")}


def test_labels_of_very_many_classes_are_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("FMFP_RECORDS", str(tmp_path))
    logits, labels = np.zeros((2, 40_000), np.float32), np.array([33_000, 39_999])
    path = records.save(Settings(scale="smoke").complete(), (logits, labels), (logits, labels), [], {})
    assert records.read(path).labels.tolist() == labels.tolist()
