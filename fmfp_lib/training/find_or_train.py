"""The record of some settings: found, or trained if there is none."""

import platform
from contextlib import nullcontext

import numpy as np
import torch
from filelock import FileLock

from .. import measures as _measures
from .. import records
from ..settings import Settings
from . import distributed
from .loop import Run


def train(
    settings: Settings, force: bool = False, progress: bool = True, shipped: bool = True, keep_weights: bool = False,
    measures=(),
) -> records.Record:  # fmt: skip
    """Return the record of `settings`, training only if there is none.

    Parameters
    ----------
    settings : Settings
        What to train; gaps are filled from the scale.
    force : bool
        Train again even if a record exists; the old one is kept until the new one is whole.
    progress : bool
        Show a bar with the time left.
    shipped : bool
        Also accept a record that comes with the repository; False trains on this machine.
    keep_weights : bool
        Keep the network's state beside the record.
    measures : sequence of str
        Names from ``measures.MEASURES``: measured on the network and kept beside the record. A finished run that lacks
        one is measured from its weights, or trained again if they were not kept.

    Returns
    -------
    records.Record
        Logits and labels of the test set, settings and history.

    Raises
    ------
    ValueError
        For data that are missing or do not fit, an unknown measure, or measures asked of several processes.
    FloatingPointError
        If the training loss is no longer finite.
    """
    settings = settings.complete()
    wanted = [_measures.check(name) for name in measures] + ["weights"] * keep_weights
    if measures and distributed.size() > 1:
        raise ValueError("measures are taken by one process: train with --keep-weights, then measure without torchrun")

    def find():
        found = None if force else records.find(settings, shipped)
        return found, found is not None and all(records.attached(found, name) is not None for name in wanted)

    found, whole = distributed.from_first(find)
    if whole:
        return found
    place = records.folder()
    place.mkdir(parents=True, exist_ok=True)
    with FileLock(place / f".{settings.hash()}.lock") if distributed.first() else nullcontext():
        found, whole = distributed.from_first(find)  # another program may have finished it meanwhile
        if whole:
            return found
        run = Run(settings)
        if found is None or found.weights is None:
            found, model = _trained(run, progress, keep_weights)
        else:
            model = run.model
            model.load_state_dict({name: torch.from_numpy(a) for name, a in found.weights.items()})
        for name in (name for name in measures if records.attached(found, name) is None):
            records.attach(found, name, _measures.MEASURES[name](run, model))
    return found


def _trained(run, progress, keep_weights):
    """Train a run to its end; return its record and the network."""
    run.resume()
    run.fit(progress)
    model = run.finished_model()
    state = {name: t.cpu().numpy() for name, t in model.state_dict().items()} if keep_weights else None
    test = run.logits(model, run.x_test), run.data.y_test
    valid = run.logits(model, run.x_valid), run.data.y_valid

    def save():
        about = environment(run.settings) | {"cpu_seconds": round(run.cpu_seconds)}
        path = records.save(run.settings, test, valid, run.history, about, state)
        run.checkpoint_path.unlink(missing_ok=True)
        return records.read(path)

    return distributed.from_first(save), model


def environment(settings: Settings) -> dict:
    """Return what the result may depend on beyond the settings."""
    device = torch.cuda.get_device_name() if settings.device == "cuda" else platform.processor() or "cpu"
    return {
        "python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__,
        "machine": platform.machine(), "device": device, "threads": torch.get_num_threads(),
        "processes": distributed.size(),
    }  # fmt: skip
