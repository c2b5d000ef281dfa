"""A step's batch: its images, and all that chance and the run's past add to them."""

import numpy as np
import torch

from .. import objectives
from ..schedule import warms_up
from . import distributed


def fill(run, images, labels, index, step: int) -> objectives.Batch:
    """Return a batch with what the losses of a run need.

    All chance depends on the run's seed, the epoch and the step, and on nothing before them, so that a resumed run
    needs no state for it; only the views of CS-KD's partners come from the generator that augments all images.

    Parameters
    ----------
    run : loop.Run
    images : torch.Tensor
        Augmented, (n, c, h, w).
    labels, index : torch.Tensor
        Labels, and places in the training set, (n,).
    step : int
        Number of the step in its epoch, from 0.

    Returns
    -------
    objectives.Batch
    """
    settings, needed = run.settings, objectives.needs(*run.method.losses)
    place = [settings.seed, run.epoch, step]
    rng = np.random.default_rng(place)
    seed = int(np.random.SeedSequence(place).generate_state(1, np.uint64)[0] >> 1)

    def on_device(array):
        return torch.from_numpy(array).to(labels.device, non_blocking=True)

    batch = objectives.Batch(images, labels, index, seed, warms_up(settings, run.epoch))
    if "mixed_logits" in needed:
        batch.images = distributed.whole(images)  # the other losses look at each image alone
        batch.share = float(rng.beta(settings.alpha, settings.alpha))
        batch.order = on_device(rng.permutation(len(labels)))
    if "partner_logits" in needed:
        batch.partners = run.images.of_class(labels, on_device(rng.random(len(labels))), run.generator)
    if "history" in needed:
        batch.history = objectives.correctness_share(run.correctness, index)
    return batch
