"""A record is whole or it is not there."""

import os

import numpy as np
import pytest

from fmfp_lib import records
from fmfp_lib.settings import Settings


@pytest.fixture(autouse=True)
def own_records(tmp_path, monkeypatch):
    monkeypatch.setenv("FMFP_RECORDS", str(tmp_path))


SETTINGS = Settings(device="cpu")


def save():
    return records.save(SETTINGS, (np.eye(10), np.arange(10)), (np.eye(10), np.arange(10)), [], {})


def test_round_trip():
    path = save()
    record = records.find(SETTINGS)
    assert record.path == path and record.metrics["accuracy"] == 1.0
    assert len(repr(record)) < 120 and "baseline" in repr(record)
    assert records.find(Settings(device="cpu", seed=1)) is None


def test_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "x"
    records.write_atomically(path, b"old")
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space"):
        records.write_atomically(path, b"new")
    assert path.read_bytes() == b"old" and [p.name for p in tmp_path.iterdir()] == ["x"]
