"""What a killed run goes on from: its own checkpoint, or the one that it shares with the run it begins like."""

import io
import sys
import zipfile
from pathlib import Path

import torch

from .. import records
from ..methods import METHODS
from ..schedule import averaging_start, shared_checkpoint
from . import distributed


def state(run) -> bytes:
    """Return the whole state of a run, as ``torch.save`` writes it."""
    buffer = io.BytesIO()
    torch.save(
        {
            "epoch": run.epoch,
            "history": run.history,
            "model": run.model.state_dict(),
            "optimizer": run.optimizer.state_dict(),
            "generator": run.generator.get_state(),
            "correctness": run.correctness,
            "cpu_seconds": run.cpu_seconds,
            "average": None if run.average is None else run.average.state_dict(),
        },
        buffer,
    )
    return buffer.getvalue()


def _path(settings, kind: str) -> Path:
    # The state of a random generator is of one kind of device, and records do not tell devices apart.
    device = torch.device(settings.device).type
    return records.folder() / f".{settings.hash()}{'' if device == 'cpu' else '.' + device}.{kind}"


def own_path(settings) -> Path:
    """Return where the checkpoint of a run lies."""
    return _path(settings, "checkpoint")


def shared_path(settings) -> Path | None:
    """Return where the checkpoint lies that a run shares with the plain run of its objective, or None."""
    shared = shared_checkpoint(METHODS[settings.method], settings)
    if shared is None:
        return None
    return _shared_by(settings.model_copy(update={"method": shared[0]}))


def _shared_by(plain) -> Path:
    """Return where the checkpoint lies that a plain run leaves for others."""
    return _path(plain, "trunk")


def write(run) -> None:
    """Write the whole state atomically."""
    if distributed.first():
        records.write_atomically(run.checkpoint_path, state(run))


def write_shared(run) -> None:
    """At the epoch where averaging would start, leave the state for the methods that start from it."""
    if run.method.sam or run.method.averaging or run.settings.protocol != "paper":
        return
    if run.epoch == averaging_start(run.settings) < run.settings.epochs and distributed.first():
        records.write_atomically(_shared_by(run.settings), state(run))


def resume(run) -> None:
    """Continue from a run's own checkpoint, else from the shared one; a damaged one is named and set aside.

    Of several processes the first one reads, and all continue from what it found.
    """
    for path in filter(None, (run.checkpoint_path, shared_path(run.settings))):
        content = distributed.from_first(lambda path=path: path.read_bytes() if path.exists() else None)
        if content is None:
            continue
        try:
            _check_sums(content)
            _restore(run, torch.load(io.BytesIO(content), weights_only=True, map_location="cpu"))
        except Exception as error:  # torch.load raises many kinds, and each means the same here
            if distributed.first():
                records.set_aside(path, type(error).__name__)
            run.begin()  # some of it may have been restored
            continue
        if path == run.checkpoint_path and distributed.first():
            about = f"{run.settings.method} seed {run.settings.seed}"
            print(f"{about} goes on from epoch {run.epoch} of {run.settings.epochs}", file=sys.stderr)
        return


def _restore(run, saved):
    run.model.load_state_dict(saved["model"])
    run.optimizer.load_state_dict(saved["optimizer"])
    if saved["average"] is not None:
        run.average.load_state_dict(saved["average"])
    run.generator.set_state(saved["generator"])
    run.correctness.copy_(saved["correctness"])
    run.epoch, run.history, run.cpu_seconds = saved["epoch"], saved["history"], saved.get("cpu_seconds", 0.0)
    run.finished = None


def _check_sums(content: bytes):
    """Compare each part of a checkpoint with the checksum that ``torch.save`` wrote; ``torch.load`` does not."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        if damaged := file.testzip():
            raise zipfile.BadZipFile(f"{damaged} does not fit its checksum")
