"""The record of some settings: found, or trained if there is none."""

import copy
import math
import platform
import time
from contextlib import nullcontext
from functools import partial

import numpy as np
import torch
from filelock import FileLock

from .. import measures as _measures
from .. import records
from ..precision import computing_in
from ..settings import Settings
from . import distributed
from .loop import Run


def train(
    settings: Settings,
    force: bool = False,
    progress: bool = True,
    shipped: bool = True,
    keep_weights: bool = False,
    measures=(),
    minutes: float | None = None,
) -> records.Record:
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
    minutes : float, optional
        Stop after the first epoch that ends later than so many minutes from now; the same call goes on from there.

    Returns
    -------
    records.Record
        Logits and labels of the test set, settings and history.

    Raises
    ------
    ValueError
        For data that are missing or do not fit, an unknown measure, or measures asked of several processes or, but for
        ``fit``, of images that stay in their files (ImageNet's).
    FloatingPointError
        If the training loss, or a logit in evaluation, is no longer finite.
    OutOfTime
        If `minutes` were over before the last epoch.
    """
    until = math.inf if minutes is None else time.monotonic() + 60 * minutes
    settings = settings.complete()
    wanted = [_measures.check(name) for name in measures] + ["weights"] * keep_weights
    if measures and distributed.size() > 1:
        raise ValueError("measures are taken by one process: train with --keep-weights, then measure without torchrun")
    if settings.dataset == "imagenet" and (refused := sorted({*measures} - {"fit"})):
        raise ValueError(
            f"on imagenet, whose images stay in their files, only fit is measured, not {', '.join(refused)}"
        )
    find = partial(_find, settings, wanted, force, shipped)
    record, complete = distributed.from_first(find)
    if complete:
        return record
    with _lock(settings):
        record, complete = distributed.from_first(find)  # another program may have finished it meanwhile
        return record if complete else _completed(record, Run(settings), progress, until, keep_weights, measures)


def _completed(record, run, progress, until, keep_weights, measures):
    """Train a run to its end, or take its weights from its record, measure it, and return the record."""
    if record is None or record.weights is None:
        run.resume()
        run.fit(progress, until)
        record = _save(run, keep_weights)
    else:
        run.model.load_state_dict({name: torch.from_numpy(a) for name, a in record.weights.items()})
    _measure(record, run, measures)
    return record


def _find(settings, wanted, force, shipped):
    """Return the record of some settings or None, and whether all that is `wanted` lies beside it."""
    record = None if force else records.find(settings, shipped, wanted)
    return record, record is not None and all(records.attached(record, name) is not None for name in wanted)


def _lock(settings):
    """Return what keeps other programs from training the same run meanwhile."""
    folder = records.folder()
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / f".{settings.hash()}.lock") if distributed.first() else nullcontext()


def _save(run, keep_weights):
    """Write the record of a run that is trained to its end, and return it."""
    model = run.finished_model()
    weights = {name: t.cpu().numpy() for name, t in model.state_dict().items()} if keep_weights else None
    test = run.logits(model, run.x_test), run.data.y_test
    valid = run.logits(model, run.x_valid), run.data.y_valid

    def write():
        path = records.save(run.settings, test, valid, run.history, environment(run.settings), weights)
        run.checkpoint_path.unlink(missing_ok=True)
        return records.read(path)

    return distributed.from_first(write)


def _measure(record, run, measures):
    """Keep beside a record those of `measures` that are not there yet."""
    for name in measures:
        if records.attached(record, name) is None:
            # The copy is not compiled: a compiled network passes over hooks and has no second derivatives.
            model = copy.deepcopy(run.finished_model()) if run.settings.compile else run.finished_model()
            with computing_in("float32", run.device.type):
                records.attach(record, name, _measures.MEASURES[name](run, model))


def environment(settings: Settings) -> dict:
    """Return what the result may depend on beyond the settings."""
    device = torch.cuda.get_device_name() if settings.device == "cuda" else platform.processor() or "cpu"
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "machine": platform.machine(),
        "device": device,
        "threads": torch.get_num_threads(),
        "processes": distributed.size(),
    }
