"""A record is whole or it is not there."""

import os
import signal
import subprocess
import sys
import time

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
    assert records.find(Settings(device="cpu", seed=1)) is None


@pytest.mark.parametrize("suffix", [".json", ".npz"])
@pytest.mark.parametrize("harm", ["truncate", "flip"])
def test_damaged_record_is_named_and_set_aside(suffix, harm):
    path = save().with_suffix(suffix)
    data = bytearray(path.read_bytes())
    if harm == "truncate":
        data = data[: len(data) // 2]
    else:
        data[len(data) // 4] ^= 0x10
    path.write_bytes(data)
    with pytest.warns(UserWarning, match="is damaged"):
        assert records.find(SETTINGS) is None
    save()
    assert records.find(SETTINGS) is not None


def test_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "x"
    records.write_atomically(path, b"old")
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space"):
        records.write_atomically(path, b"new")
    assert path.read_bytes() == b"old" and [p.name for p in tmp_path.iterdir()] == ["x"]


COMMAND = [sys.executable, "-m", "fmfp_lib.cli", "train", "--epochs", "6", "--device", "cpu", "--threads", "1"]


def test_killed_run_resumes_to_identical_logits(tmp_path):
    code = "import fmfp_lib.training as t; t.CHECKPOINT_SECONDS = 0; from fmfp_lib.cli import main; main()"
    options = ["--method", "fmfp", "--keep-weights", "--train-size", "1000", "--epochs", "12"]
    command = [sys.executable, "-c", code, *COMMAND[3:], *options]
    outcome = {}
    for name, kill in (("whole", False), ("cut", True)):
        place = tmp_path / name
        environment = os.environ | {"FMFP_RECORDS": str(place)}
        if kill:
            process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
            while not list(place.glob(".*.checkpoint")) and process.poll() is None:
                time.sleep(0.01)
            process.send_signal(signal.SIGKILL)
            process.wait()
            assert not list(place.glob("*.json")) and list(place.glob(".*.checkpoint"))
        path = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.split()[-1]
        outcome[name] = np.load(path.replace(".json", ".weights.npz"))
    assert len(outcome["whole"].files) > 10
    assert all(np.array_equal(outcome["whole"][name], outcome["cut"][name]) for name in outcome["whole"].files)


def test_two_processes_that_want_the_same_run_leave_one_sound_record(tmp_path):
    both = [subprocess.Popen(COMMAND, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) for _ in range(2)]
    paths = {process.communicate()[0].split()[-1].decode() for process in both}
    assert [process.returncode for process in both] == [0, 0] and len(paths) == 1
    assert len(records.read(type(tmp_path)(paths.pop())).labels) == 256


def test_a_full_disk_leaves_no_half_record_and_one_line(tmp_path):
    # A limit on the size of files makes every write beyond it fail, as on a full disk.
    code = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000)); from fmfp_lib.cli import main; main()"
    )
    result = subprocess.run([sys.executable, "-c", code, *COMMAND[3:]], capture_output=True, text=True)
    assert result.returncode == 1 and "fmfp: [Errno 27]" in result.stderr and "Traceback" not in result.stderr
    assert [p.name for p in tmp_path.iterdir() if p.suffix != ".lock"] == []
    subprocess.run(COMMAND, check=True, capture_output=True)
    assert len(list(tmp_path.glob("*.json"))) == 1


def test_ctrl_c_leaves_no_half_record_and_a_run_that_resumes(tmp_path):
    code = "import fmfp_lib.training as t; t.CHECKPOINT_SECONDS = 0; from fmfp_lib.cli import main; main()"
    command = [sys.executable, "-c", code, *COMMAND[3:], "--epochs", "60", "--train-size", "1000"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while not list(tmp_path.glob(".*.checkpoint")) and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    errors = process.communicate()[1]
    assert process.returncode == 130 and "Traceback" not in errors
    assert not list(tmp_path.glob("*.json")) and list(tmp_path.glob(".*.checkpoint"))
