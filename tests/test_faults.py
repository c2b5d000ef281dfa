"""What goes wrong on real machines, each fault injected for real; ``make faults`` keeps the results for the book.

The first line of a docstring here is the fault and the rest is what happens; `says` keeps what the user sees. The
book's table is made from these (scripts/faults.py).
"""

import hashlib
import http.server
import io
import itertools
import json
import os
import pickle
import random
import re
import resource
import shutil
import signal
import ssl
import subprocess
import sys
import tarfile
import threading
import time
import warnings
import zipfile
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch

from fmfp_lib import datasets, records
from fmfp_lib.book.study import Study
from fmfp_lib.datasets import loading, readers
from fmfp_lib.datasets.downloads import Archive, fetch, unpack
from fmfp_lib.settings import Settings
from fmfp_lib.training import Run, checkpoint, train

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = Settings(method="fmfp", epochs=6, device="cpu")
OPTIONS = ["--method", "fmfp", "--epochs", "6", "--device", "cpu", "--threads", "1", "--keep-weights"]
COMMAND = [sys.executable, "-m", "fmfp_lib.cli", "train", *OPTIONS]
# The same with a checkpoint after every epoch, and a pause in which to be interrupted; neither changes the result.
SLOW = """
import time, fmfp_lib.training as t
from fmfp_lib.training import loop
loop.CHECKPOINT_SECONDS, epoch = 0, t.Run.train_epoch
t.Run.train_epoch = lambda run: (time.sleep(0.3), epoch(run))[1]
"""
SLOW_COMMAND = [sys.executable, "-c", f"{SLOW}\nfrom fmfp_lib.cli import main; main()", "train", *OPTIONS]


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("FMFP_RECORDS", str(tmp_path))
    monkeypatch.setenv("FMFP_DATA", str(tmp_path))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # jobs in the background ignore it
    loading.kept_arrays.cache_clear()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    loading.kept_arrays.cache_clear()


@pytest.fixture
def says(record_property, tmp_path):
    """Keep what the user sees, which must be one line."""

    def keep(text):
        line = str(text).strip()
        assert line and "\n" not in line and "Traceback" not in line
        record_property("says", line.replace(str(tmp_path), "…").replace(str(ROOT), "…"))

    return keep


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """The files of the same run when nothing disturbs it."""
    place = tmp_path_factory.mktemp("whole")
    subprocess.run(COMMAND, check=True, capture_output=True, env=os.environ | {"FMFP_RECORDS": str(place)})
    return files(place)


def files(place):
    """Return name to content of the files in a folder, without those with a dot."""
    return {p.name: p.read_bytes() for p in place.iterdir() if p.is_file() and not p.name.startswith(".")}


def goes_on_to(whole, place):
    """Check that the same run, started again, leaves what an undisturbed one leaves, to the byte, and no rubbish."""
    train(SETTINGS, keep_weights=True, progress=False)
    assert files(place) == whole
    assert not [p.name for p in place.iterdir() if p.name.startswith(".") and p.suffix != ".lock"]


def wait_for_checkpoint(place, process):
    while not list(place.glob(".*.checkpoint")) and process.poll() is None:
        time.sleep(0.02)
    assert process.poll() is None, process.communicate()


def fmfp(*words, **options):
    return subprocess.run([sys.executable, "-m", "fmfp_lib.cli", *words], capture_output=True, text=True, **options)


def save(fill=0, **values):
    """Write a small record of SETTINGS without training."""
    logits = np.eye(10) * 4 + fill
    return records.save(SETTINGS, (logits, np.arange(10)), (logits, np.arange(10)), [{"epoch": 1}], {}, **values)


@pytest.fixture
def disk(tmp_path):
    """A disk of 64 kB of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    if not shutil.which("mount") or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("a small disk can be mounted by root on Linux only")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


class TestInterrupted:
    """Runs that are cut off."""

    def test_killed_during_training(self, tmp_path, whole, says, capsys):
        """Killed (SIGKILL) during training.

        No record is left. The same command goes on from the last checkpoint, at most 20 seconds of training back, and
        ends with the record of an undisturbed run, byte for byte.
        """
        process = subprocess.Popen(SLOW_COMMAND, stderr=subprocess.DEVNULL)
        wait_for_checkpoint(tmp_path, process)
        process.kill()
        assert process.wait() == -signal.SIGKILL and not files(tmp_path)
        goes_on_to(whole, tmp_path)
        says(capsys.readouterr().err)

    def test_killed_while_a_checkpoint_is_written(self, tmp_path, whole, says, capsys):
        """Killed while a checkpoint is written.

        The checkpoint before it is untouched, and the same command goes on from there. The half-written file is
        removed when the run is finished.
        """
        code = """
import os, signal
fsync, calls = os.fsync, []
def dies_at_the_third(handle):
    calls.append(handle)
    if len(calls) == 3:
        os.truncate(handle, 1000)
        os.kill(os.getpid(), signal.SIGKILL)
    fsync(handle)
os.fsync = dies_at_the_third
"""
        process = subprocess.run([sys.executable, "-c", code + SLOW_COMMAND[2], *SLOW_COMMAND[3:]], capture_output=True)
        assert process.returncode == -signal.SIGKILL and not files(tmp_path)
        assert len(list(tmp_path.glob(".*.checkpoint"))) == len(list(tmp_path.glob("..*.checkpoint.*"))) == 1
        goes_on_to(whole, tmp_path)
        said = capsys.readouterr().err
        assert "goes on from epoch 2 of 6" in said
        says(said)

    def test_killed_while_a_record_is_written(self, tmp_path):
        """Killed while a record is written, at each of eleven calls to the disk.

        The record is there whole or not at all. Where a run was being trained again (`--force`), the old record and
        its weights stay until the new ones are whole.
        """
        weights = {"w": np.zeros(3, np.float32)}
        outcomes = set()
        for again in (False, True):
            for name, times in (("fsync", 3), ("replace", 5), ("chmod", 3)):
                for number in range(times):
                    shutil.rmtree(tmp_path)
                    if again:
                        save(fill=0, weights=weights)
                    child = os.fork()
                    if not child:  # it dies at this call
                        original, calls = getattr(os, name), []

                        def dies(*values, original=original, calls=calls, number=number):
                            calls.append(values)
                            if len(calls) == number + 1:
                                os.kill(os.getpid(), signal.SIGKILL)
                            return original(*values)

                        setattr(os, name, dies)
                        save(fill=1, weights={"w": np.ones(3, np.float32)})
                        os._exit(1)
                    assert os.waitpid(child, 0)[1] == signal.SIGKILL
                    with warnings.catch_warnings():
                        warnings.simplefilter("error")  # nothing may be found damaged
                        found = records.find(SETTINGS)
                    fill = None if found is None else found.logits.min()
                    assert fill in ((0, 1) if again else (None, 1))
                    assert fill is None or (found.weights["w"] == fill).all()
                    outcomes.add((again, fill))
                    save(fill=2)
                    assert records.find(SETTINGS).logits.min() == 2 and len(list(tmp_path.glob(".*"))) == 0
        assert outcomes == {(False, None), (False, 1), (True, 0), (True, 1)}

    def test_two_processes_on_the_same_run(self, tmp_path, whole, says):
        """Two processes on the same run.

        The second waits for the first and takes its record. There is one record, and it is sound.
        """
        both = [subprocess.Popen(COMMAND, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
        printed = {process.communicate()[0] for process in both}
        assert [process.returncode for process in both] == [0, 0] and len(printed) == 1
        assert files(tmp_path) == whole
        says(printed.pop())

    def test_ctrl_c_on_the_command_line(self, tmp_path, whole, says):
        """Ctrl-C on the command line.

        The run stops with exit code 130, and the same command goes on from the last checkpoint.
        """
        process = subprocess.Popen(SLOW_COMMAND, stderr=subprocess.PIPE, text=True)
        wait_for_checkpoint(tmp_path, process)
        process.send_signal(signal.SIGINT)
        says(process.communicate()[1])
        assert process.returncode == 130 and not files(tmp_path)
        goes_on_to(whole, tmp_path)

    def test_ctrl_c_in_a_notebook_under_papermill(self, tmp_path, whole, says):
        """Ctrl-C in a notebook under papermill.

        Papermill stops, and so does the notebook's kernel. The notebook, started again, goes on from the last
        checkpoint.
        """
        notebook = nbformat.v4.new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
        code = f"{SLOW}\nfrom fmfp_lib.settings import Settings\nt.train(Settings({{}}), keep_weights=True)"
        values = SETTINGS.model_dump(include={"method", "epochs", "device"})
        code = code.format(", ".join(f"{name}={value!r}" for name, value in values.items()))
        notebook.cells = [nbformat.v4.new_code_cell(f"import torch; torch.set_num_threads(1)\n{code}")]
        nbformat.write(notebook, tmp_path / "training.ipynb")
        command = [sys.executable, "-m", "papermill", "training.ipynb", "out.ipynb"]
        process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
        wait_for_checkpoint(tmp_path, process)
        process.send_signal(signal.SIGINT)
        errors = process.communicate(timeout=60)[1]
        assert process.returncode != 0
        says(errors.strip().splitlines()[-1])
        assert not list(tmp_path.glob("*.json"))
        for path in tmp_path.glob("*.ipynb"):
            path.unlink()
        goes_on_to(whole, tmp_path)

    def test_clock_set_back(self, tmp_path, monkeypatch, whole):
        """The clock runs backwards from 1975; files come from the year 2100.

        Nothing depends on the clock: a checkpoint from the future is taken up, and a finished run counts as finished.
        """

        def write_and_stop(run):
            records.write_atomically(run.checkpoint_path, checkpoint.state(run))
            raise KeyboardInterrupt

        hours = itertools.count(5 * 365 * 86400, -3600)
        monkeypatch.setattr(time, "time", lambda: next(hours))
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr("fmfp_lib.training.loop.CHECKPOINT_SECONDS", 0)
            patch.setattr(Run, "checkpoint", write_and_stop)
            train(SETTINGS)
        future = 4_102_444_800
        for path in tmp_path.glob(".*.checkpoint"):
            os.utime(path, (future, future))
        goes_on_to(whole, tmp_path)
        for name in whole:
            os.utime(tmp_path / name, (future, future))
        train(SETTINGS, keep_weights=True)
        assert all((tmp_path / name).stat().st_mtime == future for name in whole)


class TestDisk:
    """Disks that do not take what is written."""

    def test_disk_full(self, tmp_path, disk, monkeypatch, says):
        """The disk is full (a disk of 64 kB) when a checkpoint or a record is written.

        The run ends with exit code 1. Finished records stay, no half file is left, and when there is room the same
        command goes on.
        """
        monkeypatch.setenv("FMFP_RECORDS", str(disk))
        finished = train(Settings(device="cpu"), progress=False)
        before = files(disk)
        monkeypatch.setattr("fmfp_lib.training.loop.CHECKPOINT_SECONDS", 0)
        with pytest.raises(OSError, match="No space left on device: .*checkpoint"):
            train(SETTINGS, progress=False)
        (disk / ".filler").write_bytes(bytes(40_000))
        result = fmfp("train", *OPTIONS)
        assert result.returncode == 1
        says(result.stderr)
        assert files(disk) == before and not list(disk.glob(".*.*.*")) and records.find(finished.settings)
        subprocess.run(["mount", "-o", "remount,size=4m", str(disk)], check=True)
        train(SETTINGS, progress=False)
        assert len(files(disk)) == 4

    def test_write_refused_half_way(self, tmp_path, says):
        """A write is refused half way (a limit on the size of files).

        As on a full disk: no half file is left, and the run can be started again.
        """
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (3000, limits[1]))
            with pytest.raises(OSError) as caught:
                train(SETTINGS, progress=False)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            signal.signal(signal.SIGXFSZ, ignored)
        says(caught.value)
        assert not files(tmp_path) and [p.suffix for p in tmp_path.glob(".*")] == [".lock"]
        train(SETTINGS, progress=False)
        assert len(files(tmp_path)) == 2

    def test_read_only_results_folder(self, disk, monkeypatch, says):
        """The folder of results cannot be written to (a read-only disk).

        Finished runs are found as ever. A run that is not there is refused before it is trained, and a damaged record
        is named and left where it is.
        """
        monkeypatch.setenv("FMFP_RECORDS", str(disk))
        sound = train(Settings(device="cpu"), progress=False)
        damaged = save()
        damaged.write_text(damaged.read_text()[:100])
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        assert train(Settings(device="cpu")).path == sound.path
        with pytest.warns(UserWarning, match="left where it is, since it cannot be renamed: Read-only file system"):
            assert records.find(SETTINGS) is None
        result = fmfp("train", "--seed", "1", "--device", "cpu")
        assert result.returncode == 1
        says(result.stderr)


def truncated(data):
    return [data[:size] for size in (0, 1, len(data) // 2, len(data) - 2)]  # a last newline may go


def flipped(data, count):
    """Yield the bytes with one random bit flipped, `count` times."""
    rng = random.Random(0)
    for _ in range(count):
        changed = bytearray(data)
        changed[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        yield bytes(changed)


class TestDamaged:
    """Files that are not as they were written."""

    @pytest.mark.parametrize("suffix", [".json", ".npz", ".weights.npz"])
    def test_truncated_record(self, suffix, says):
        """A record is truncated: each of its files, at four lengths.

        It is named, set aside under another name, and trained again; damaged weights leave the record itself whole.
        """
        data = save(weights={"w": np.ones(3)}).with_suffix(suffix).read_bytes()
        for damaged in truncated(data):
            path = save(weights={"w": np.ones(3)})
            path.with_suffix(suffix).write_bytes(damaged)
            with pytest.warns(UserWarning, match="is damaged") as caught:
                found = records.find(SETTINGS)
                assert (found.weights if suffix == ".weights.npz" else found) is None
        says(caught[0].message)

    @pytest.mark.parametrize("suffix", [".json", ".npz", ".weights.npz"])
    def test_bit_flipped_record(self, suffix, says):
        """A bit flips in a record: 200 places in each of its files.

        Settings, history, logits, labels and weights come back as they were written, or the record is named and set
        aside.
        """
        path = save(weights={"w": np.ones(3)})
        whole = {p: p.read_bytes() for p in path.parent.glob(f"{path.stem}.*")}
        good, refused = records.read(path), 0
        for damaged in flipped(path.with_suffix(suffix).read_bytes(), 200):
            for place, data in whole.items():
                place.write_bytes(data)
            path.with_suffix(suffix).write_bytes(damaged)
            with warnings.catch_warnings(record=True) as caught:
                found = records.find(SETTINGS)
                weights = found and found.weights
            if found is not None:
                assert found.settings == good.settings and found.history == good.history
                assert np.array_equal(found.logits, good.logits) and np.array_equal(found.labels, good.labels)
                assert weights is None or (weights["w"] == 1).all()
            if found is None or weights is None:
                refused += 1
                says(caught[0].message)
        assert refused > 20

    def test_record_of_another_version(self, says):
        """A record was written by another version of the library.

        It is named and set aside with its arrays, so that the version that wrote it can still read it.
        """
        path = save(weights={"w": np.ones(3)})
        text = path.read_text()
        path.write_text(text.replace('"format":4', '"format":5'))
        before = files(path.parent)
        with pytest.warns(UserWarning, match="format 5; this version reads format 4") as caught:
            assert records.find(SETTINGS) is None
        says(caught[0].message)
        save(fill=1)
        kept = {name.removesuffix(".damaged"): data for name, data in files(path.parent).items() if "damaged" in name}
        assert kept == before and records.find(SETTINGS).logits.min() == 1

    @pytest.mark.parametrize("harm", ["truncated", "bit-flipped", "other version"])
    def test_damaged_checkpoint(self, tmp_path, harm, says):
        """A checkpoint is truncated, bit-flipped (20 places) or of another version.

        It is named and set aside, and the run starts from the beginning.
        """
        run = Run(SETTINGS)
        run.train_epoch()
        good = checkpoint.state(run)
        other = torch.load(io.BytesIO(good), weights_only=True)
        other["model"].pop("classifier.weight")
        buffer = io.BytesIO()
        torch.save(other, buffer)
        cases = {"truncated": truncated(good), "bit-flipped": flipped(good, 20), "other version": [buffer.getvalue()]}
        refused = 0
        for data in cases[harm]:
            run.checkpoint_path.write_bytes(data)
            again = Run(SETTINGS)
            with warnings.catch_warnings(record=True) as caught:
                again.resume()
            if again.epoch == 0:
                refused += 1
                says(caught[0].message)
                assert list(again.model.state_dict()) == list(run.model.state_dict())
            else:  # a bit that nothing depends on
                assert harm == "bit-flipped" and checkpoint.state(again) == good
        assert refused == len(list(tmp_path.glob(".*.damaged*"))) >= (15 if harm == "bit-flipped" else 1)

    @pytest.mark.parametrize("harm", ["truncated", "bit-flipped", "other version"])
    def test_damaged_data_set(self, tmp_path, monkeypatch, harm, says):
        """A data set is truncated, bit-flipped or lacks an array: the embedded one, a user's .npz, CIFAR-10's binaries.

        It is named, with what is expected, before anything is trained. CIFAR-10's binary files have no checksums of
        their own, so of flipped bits only those in a label out of range are noticed there.
        """
        rng, place = np.random.default_rng(0), tmp_path / "cifar-10-batches-bin"
        place.mkdir()
        arrays = {
            "x_train": rng.integers(0, 256, (30, 8, 8), np.uint8),
            "y_train": np.arange(30) % 3,
            "x_test": rng.integers(0, 256, (6, 8, 8), np.uint8),
            "y_test": np.arange(6) % 3,
        }
        np.savez(tmp_path / "mine.npz", **arrays)
        good, mine = datasets.load(str(tmp_path / "mine.npz")), (tmp_path / "mine.npz").read_bytes()
        embedded = readers.EMBEDDED.read_bytes()
        rows = np.zeros((10, 3073), np.uint8)
        for name in [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]:
            (place / f"{name}.bin").write_bytes(rows.tobytes())
        datasets.load("cifar10")
        rows[3, 0] = 128
        np.savez(tmp_path / "without.npz", **{name: a for name, a in arrays.items() if name != "y_test"})
        cases = {
            "truncated": [("mine", truncated(mine)), ("embedded", truncated(embedded)),
                          ("cifar10", [rows.tobytes()[:-1], b""])],
            "bit-flipped": [("mine", flipped(mine, 50)), ("embedded", flipped(embedded, 10)),
                            ("cifar10", [rows.tobytes()])],
            "other version": [("mine", [(tmp_path / "without.npz").read_bytes()])],
        }  # fmt: skip
        where = {"mine": tmp_path / "mine.npz", "embedded": tmp_path / "e.npz", "cifar10": place / "data_batch_2.bin"}
        monkeypatch.setattr(readers, "EMBEDDED", where["embedded"])
        for name, versions in cases[harm]:
            refused = 0
            for data in versions:
                where[name].write_bytes(data)
                loading.kept_arrays.cache_clear()
                try:
                    found = datasets.load(str(where[name]) if name == "mine" else name)
                    assert name == "mine" and np.array_equal(found.x_train, good.x_train)  # a bit that nothing reads
                except ValueError as error:
                    refused += 1
                    says(error)
            assert refused


class TestParameters:
    """Values that make no sense."""

    @pytest.mark.parametrize(
        ("values", "expected"),
        [
            ({"learning_rate": float("nan")}, "learning_rate: .*finite number, given nan"),
            ({"momentum": float("nan")}, "momentum: .*given nan"),
            ({"epsilon": 1.5}, "epsilon: .*less than 1, given 1.5"),
            ({"epochs": 0}, "epochs: .*greater than or equal to 1, given 0"),
            ({"epochs": 2.5}, "epochs: .*integer.*given 2.5"),
            ({"seed": "three"}, "seed: .*integer.*given 'three'"),
            ({"seed": None}, "seed: .*integer.*given None"),
            ({"method": ["fmfp"]}, "method: .*string, given"),
            ({"rho": float("inf")}, "rho: .*finite number, given inf"),
            ({"batchsize": 64}, "unknown setting 'batchsize'.*did you mean 'batch_size'"),
        ],
    )
    def test_in_python(self, values, expected, says):
        """Out of range, NaN and mistyped in Python.

        `Settings` refuses them with a ValueError: what was given, and what is accepted.
        """
        with pytest.raises(ValueError, match=expected) as caught:
            Settings(**values)
        says(caught.value)

    @pytest.mark.parametrize(
        ("words", "expected"),
        [
            (["train", "--epochs", "0"], "greater than or equal to 1, given 0"),
            (["train", "--seed", "three"], "valid integer.* .given: train --seed three;"),
            (["train", "--epochs", "nan"], "integer"),
            (["train", "--sede", "1"], "No such option: --sede"),
            (["doctor", "--seconds", "nan"], "seconds"),
            (["run", "01_problem", "-p", "coverage", "nan"], "coverage is 'nan'; it must be a float"),
            (["run", "01_problem", "-p", "coverage", "1.5"], "coverage is 1.5; numbers from 0.01 to 1 are accepted"),
        ],
    )
    def test_on_the_command_line(self, words, expected, says):
        """Out of range, NaN and mistyped on the command line.

        Exit code 2, before anything is trained.
        """
        result = fmfp(*words)
        assert result.returncode == 2
        says(result.stderr)
        assert re.search(expected, result.stderr)

    def test_through_papermill(self, tmp_path, says):
        """Out of range, NaN and mistyped through papermill.

        The notebook stops at its second cell, before anything is trained; the last line that papermill prints names
        the parameter and what is accepted.
        """
        started = []
        for value in ("1.5", "nan", "much"):
            command = [sys.executable, "-m", "papermill", "notebooks/01_problem.ipynb", f"{tmp_path}/{value}.ipynb"]
            command += ["-p", "coverage", value, "--start-timeout", "300"]  # three at once, on a busy machine
            started.append(subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True))
        expected = ("1.5; numbers from 0.01 to 1", "nan; numbers from 0.01 to 1", "'much' (str); it must be a float")
        for process, words in zip(started, expected, strict=True):
            last = process.communicate()[1].strip().splitlines()[-1]
            assert process.returncode == 1 and f"ValueError: parameter coverage is {words}" in last
            says(last)
        assert not list(tmp_path.glob("*.json"))

    @pytest.mark.parametrize(
        "names", [{"replicates": 0}, {"seeds": [-1]}, {"seeds": ["a"]}, {"coverages": [0.5, np.nan]}]
    )
    def test_in_a_list(self, names, says):
        """Out of range, NaN and mistyped in a notebook, alone or inside a list.

        As above.
        """
        with pytest.raises(ValueError, match=f"parameter {list(names)[0]} is .*numbers from .* are accepted") as caught:
            Study.from_notebook(names, replicates=200, coverages=[0.8])
        says(caught.value)


class Malicious:
    """Unpickling it makes a folder."""

    def __init__(self, marker):
        self.marker = str(marker)

    def __reduce__(self):
        return os.mkdir, (self.marker,)


@pytest.fixture
def marker(tmp_path):
    """A folder that only an unpickled `Malicious` makes; that it would is tried first."""
    path = tmp_path / "unpickled"
    pickle.loads(pickle.dumps(Malicious(path)))
    path.rmdir()
    yield path
    assert not path.exists()


class TestStrangers:
    """Files from strangers."""

    @pytest.mark.parametrize("kind", ["zip", "bare"])
    @pytest.mark.parametrize("suffix", ["checkpoint", "trunk"])
    def test_pickle_in_a_checkpoint(self, marker, kind, suffix, says):
        """A checkpoint holds a malicious pickle.

        It is not unpickled (`weights_only=True`): it is named and set aside, and the run starts from the beginning.
        """
        run = Run(SETTINGS)
        path = run.checkpoint_path if suffix == "checkpoint" else checkpoint.shared_path(run.settings)
        content = {"epoch": 1, "model": Malicious(marker)}
        torch.save(content, path) if kind == "zip" else path.write_bytes(pickle.dumps(content))
        with pytest.warns(UserWarning, match="is damaged .* set aside") as caught:
            run.resume()
        says(caught[0].message)
        assert run.epoch == 0 and not path.exists()

    @pytest.mark.parametrize("kind", ["zip", "bare"])
    def test_pickle_in_a_record(self, marker, kind, says):
        """A record holds a malicious pickle, its checksum being right.

        It is not unpickled (`allow_pickle=False`): the record is named and set aside.
        """
        path = save()
        with np.load(path.with_suffix(".npz")) as file:
            arrays = dict(file)
        arm(path.with_suffix(".npz"), marker, arrays, kind)
        content = json.loads(path.read_text())
        content["sha256"] = hashlib.sha256(path.with_suffix(".npz").read_bytes()).hexdigest()
        path.write_text(json.dumps(content))
        with pytest.warns(UserWarning, match="is damaged .* set aside") as caught:
            assert records.find(SETTINGS) is None
        says(caught[0].message)

    @pytest.mark.parametrize("kind", ["zip", "bare"])
    def test_pickle_in_kept_weights(self, marker, kind, says):
        """The weights kept beside a record hold a malicious pickle.

        They are not unpickled: they are named and set aside, and the record stays.
        """
        path = save(weights={"w": np.ones(3)})
        found = records.find(SETTINGS)
        with np.load(path.with_suffix(".weights.npz")) as file:
            arrays = dict(file)
        arm(path.with_suffix(".weights.npz"), marker, arrays, kind)
        with pytest.warns(UserWarning, match="is damaged .* set aside") as caught:
            assert found.weights is None
        says(caught[0].message)

    @pytest.mark.parametrize("kind", ["zip", "bare"])
    def test_pickle_in_a_users_npz(self, tmp_path, marker, kind, says):
        """A data set from elsewhere (.npz) holds a malicious pickle.

        It is not unpickled: the data set is refused.
        """
        y = np.arange(20) % 2
        arrays = {"x_train": np.zeros((20, 8, 8), np.uint8), "y_train": y, "x_test": np.zeros((20, 8, 8), np.uint8)}
        arm(tmp_path / "mine.npz", marker, arrays | {"y_test": y}, kind)
        with pytest.raises(ValueError, match="mine.npz is not a sound .npz") as caught:
            datasets.load(str(tmp_path / "mine.npz"))
        says(caught.value)

    def test_pickle_in_an_official_data_set(self, tmp_path, marker, says):
        """A file of CIFAR-10's python layout (pickles, officially) is replaced by a malicious one.

        torchvision compares every file with a pinned checksum before it opens any: the data set is refused.
        """
        place = tmp_path / "cifar-10-batches-py"
        place.mkdir()
        for name in [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch", "batches.meta"]:
            (place / name).write_bytes(pickle.dumps(Malicious(marker)))
        with pytest.raises(ValueError, match="damaged or not whole") as caught:
            datasets.load("cifar10")
        says(caught.value)

    @pytest.mark.parametrize("suffix", ["zip", "tar"])
    @pytest.mark.parametrize("name", ["../evil", "a/../../evil", "/tmp/fmfp-evil/evil", "..\\evil", "C:\\evil"])
    def test_archive_with_names_that_lead_out(self, tmp_path, suffix, name, says):
        """An archive (.zip, .tar) has members named `../evil` or `/tmp/evil`.

        It is refused, and nothing of it stays.
        """
        place = tmp_path / "data"
        place.mkdir()
        path = place / f"x.{suffix}"
        pack(path, ["a/good", name])
        with pytest.raises(ValueError, match="leads out of it") as caught:
            unpack(path, "a", place)
        says(caught.value)
        assert [p.name for p in place.iterdir()] == [path.name]
        assert not list(tmp_path.glob("**/*evil")) and not Path("/tmp/fmfp-evil").exists()

    @pytest.mark.parametrize("suffix", ["zip", "tar"])
    @pytest.mark.parametrize("target", ["../..", "/tmp", "../../../outside"])
    def test_archive_with_links_that_lead_out(self, tmp_path, suffix, target, says):
        """An archive has a symbolic or hard link that leads out, and a member that would be written through it.

        It is refused, and nothing of it stays.
        """
        place = tmp_path / "data"
        place.mkdir()
        path = place / f"x.{suffix}"
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE)[: 1 if suffix == "zip" else 2]:
            pack(path, ["a/good"], link=("a/link", target, kind), after=["a/link/evil"])
            with pytest.raises(ValueError, match="is a link") as caught:
                unpack(path, "a", place)
            says(caught.value)
            assert [p.name for p in place.iterdir()] == [path.name]
        assert not list(tmp_path.glob("**/evil")) and not Path("/tmp/evil").exists()

    @pytest.mark.parametrize("suffix", ["zip", "tar"])
    def test_damaged_archive(self, tmp_path, suffix, says):
        """An archive is truncated, or lacks the folder that it should hold.

        It is refused, and nothing of it stays.
        """
        path = tmp_path / f"x.{suffix}"
        pack(path, [f"a/{i}" for i in range(50)])
        assert (unpack(path, "a", tmp_path) / "49").read_bytes() == b"content"
        other = tmp_path / "other"
        other.mkdir()
        with pytest.raises(ValueError, match="holds no folder 'b'"):
            unpack(path, "b", other)
        path.write_bytes(path.read_bytes()[:3000])
        with pytest.raises(ValueError, match=f"x.{suffix} cannot be unpacked") as caught:
            unpack(path, "a", other)
        says(caught.value)
        assert not list(other.iterdir())

    def test_server_that_is_not_who_it_says(self, tmp_path, server, says):
        """A download comes from a server whose certificate nobody vouches for.

        Not a byte is taken.
        """
        with pytest.raises(ValueError, match="certificate verify failed") as caught:
            fetch(server, tmp_path / "data", progress=False, pause=0)
        says(caught.value)
        assert [p.suffix for p in (tmp_path / "data").iterdir()] == [".lock"]

    def test_server_that_leads_away_from_tls(self, tmp_path, server, monkeypatch, says):
        """A download is led away from https to http.

        It is not followed.
        """
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "server.pem"))
        away = Archive(server.url + "?away", server.file, server.md5, server.bytes, server.folder)
        with pytest.raises(ValueError, match="leads away from https") as caught:
            fetch(away, tmp_path / "data", progress=False, pause=0)
        says(caught.value)
        assert [p.suffix for p in (tmp_path / "data").iterdir()] == [".lock"]

    def test_download_with_another_content(self, tmp_path, server, monkeypatch, says):
        """A download does not have the pinned checksum.

        It is deleted; with the right content it is kept. Every data set that can be downloaded is asked for by https
        and has such a checksum.
        """
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "server.pem"))
        assert fetch(server, tmp_path / "right", progress=False).read_bytes() == CONTENT
        wrong = Archive(server.url, server.file, "0" * 32, server.bytes, server.folder)
        with pytest.raises(ValueError, match="the official file has") as caught:
            fetch(wrong, tmp_path / "data", progress=False)
        says(caught.value)
        assert [p.suffix for p in (tmp_path / "data").iterdir()] == [".lock"]
        archives = [source.archive for source in datasets.CATALOGUE.values() if source.archive]
        assert all(a.url.startswith("https://") and len(bytes.fromhex(a.md5)) == 16 for a in archives)


def arm(path, marker, arrays, kind):
    """Write a .npz whose first array, or whose whole content, is a malicious pickle."""
    if kind == "bare":
        path.write_bytes(pickle.dumps(Malicious(marker)))
        return
    evil = np.empty(1, object)
    evil[0] = Malicious(marker)
    np.savez(path, **(arrays | {list(arrays)[0]: evil}))
    with np.load(path, allow_pickle=True) as file:  # it would work
        file[list(arrays)[0]]
    marker.rmdir()


def pack(path, names, link=None, after=()):
    """Write a .zip or .tar with a small file under each name, a link (name, target, type of a .tar), and more files."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as file:
            for name in names:
                file.writestr(name, b"content")
            if link:
                member = zipfile.ZipInfo(link[0])
                member.create_system, member.external_attr = 3, 0o120777 << 16  # a symbolic link of Unix
                file.writestr(member, link[1])
            for name in after:
                file.writestr(name, b"content")
        return

    def add(file, name):
        member = tarfile.TarInfo(name)
        member.size = 7
        file.addfile(member, io.BytesIO(b"content"))

    with tarfile.open(path, "w") as file:
        for name in names:
            add(file, name)
        if link:
            member = tarfile.TarInfo(link[0])
            member.linkname, member.type = link[1:]
            file.addfile(member)
        for name in after:
            add(file, name)


CONTENT = bytes(range(256)) * 40


@pytest.fixture
def server(tmp_path):
    """An archive on a https server on this machine, whose certificate only ``server.pem`` vouches for."""
    certificate = str(tmp_path / "server.pem")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
               "-keyout", certificate + ".key", "-out", certificate, "-days", "2", "-subj", "/CN=localhost",
               "-addext", "subjectAltName=DNS:localhost"]  # fmt: skip
    if not shutil.which("openssl"):
        pytest.skip("a certificate is made by openssl, which is not here")
    subprocess.run(command, check=True, capture_output=True)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(302 if "away" in self.path else 200)
            self.send_header("Location", "http://localhost/a.zip")
            self.end_headers()
            self.wfile.write(CONTENT)

        def log_message(self, *words):
            pass

    server = http.server.ThreadingHTTPServer(("localhost", 0), Handler)
    server.handle_error = lambda *details: None  # a client that hangs up
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate + ".key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
    url = f"https://localhost:{server.server_address[1]}/a.zip"
    yield Archive(url, "a.zip", hashlib.md5(CONTENT).hexdigest(), len(CONTENT), "a")
    server.shutdown()
    server.server_close()


class TestDeterminism:
    """The same twice."""

    def test_trained_twice(self, tmp_path, whole):
        """The same settings are trained by two processes on the same machine, with the same number of threads.

        Their records are the same byte for byte: logits, labels, weights, settings and history.
        """
        place = tmp_path / "again"
        subprocess.run(COMMAND, check=True, capture_output=True, env=os.environ | {"FMFP_RECORDS": str(place)})
        assert files(place) == whole and len(whole) == 3
