"""A network on test images: its logits, and what is noted of them during training."""

import numpy as np
import torch

from ..metrics import ece, evaluate, softmax
from ..precision import computing_in
from ..randomness import seeded
from ..records import HISTOGRAM_BINS
from . import averaging, building, distributed

BATCH = 500
HISTORY_IMAGES = 2000  # of the test set, for evaluation during training


@torch.no_grad()
def logits(model: torch.nn.Module, x, num_classes: int, device: torch.device) -> np.ndarray:
    """Return logits (n, k) of normalised images `x` (n, c, h, w), in float32 and in eval mode.

    Parameters
    ----------
    model : torch.nn.Module
    x : torch.Tensor
        Normalised images.
    num_classes : int
        k, also where `x` is empty.
    device : torch.device
        Where `model` lies.

    Returns
    -------
    ndarray, (n, k), float32
    """
    model.eval()
    with computing_in("float32", device.type), building.uncompiled():
        forward = distributed.split(model)
        parts = [forward(part).float() for part in x.split(BATCH)] if len(x) else []
    return torch.cat(parts).cpu().numpy() if parts else np.zeros((0, num_classes), np.float32)


def finished_model(run) -> torch.nn.Module:
    """Return the network of a run as it would be used now: the average, with batch-norm statistics of its own, if any.

    The statistics are computed on augmented training images drawn from a generator of their own, and with dropout's
    masks of their own, so asking changes nothing in the run.
    """
    if run.average is None or run.average.n_averaged == 0:
        return run.model
    seed = run.settings.seed + 2**32 * run.epoch
    generator = torch.Generator(run.device).manual_seed(seed)
    batches = (distributed.part(x) for x, _, _ in run.images.batches(generator))
    with seeded(seed, run.device), computing_in("float32", run.device.type):
        return averaging.with_batch_norm_statistics(run.average, batches)


def during_training(run) -> dict:
    """Return `history_entry` of a run's network as it would be used now, on the first 2,000 test images."""
    found = logits(run.finished_model(), run.x_test[:HISTORY_IMAGES], run.data.num_classes, run.device)
    if not np.isfinite(found).all():
        raise diverged(run, "a logit of a test image is not finite")
    return history_entry(found, run.data.y_test[:HISTORY_IMAGES])


def diverged(run, what: str) -> FloatingPointError:
    """Return the error that says in which epoch a run diverged, and what may help.

    Parameters
    ----------
    run : loop.Run
    what : str
        Is no longer finite.

    Returns
    -------
    FloatingPointError
    """
    rate = run.settings.learning_rate
    return FloatingPointError(f"{what} in epoch {run.epoch}; a smaller learning_rate may help (given {rate})")


def history_entry(logits: np.ndarray, labels: np.ndarray) -> dict:
    """Return test metrics, and a histogram of the confidence of correct and of incorrect predictions.

    Parameters
    ----------
    logits : ndarray of shape (n, k)
    labels : ndarray of shape (n,)

    Returns
    -------
    dict
        ``test_accuracy, test_auroc, test_aurc, test_ece, test_ece_right, confidence_right, confidence_wrong``, None
        where a value is not defined; ``histogram``, counts (2, bins).
    """
    p, values = softmax(logits), evaluate(logits, labels)
    confidence, correct = p.max(1), p.argmax(1) == labels
    sides = confidence[correct], confidence[~correct]
    histogram = [np.histogram(side, HISTOGRAM_BINS, (0, 1))[0].tolist() for side in sides]
    entry = {f"test_{name}": values[name] for name in ("accuracy", "auroc", "aurc", "ece")}
    entry["test_ece_right"] = ece(p[correct], labels[correct]) if correct.any() else np.nan
    entry["confidence_right"], entry["confidence_wrong"] = (side.mean() if len(side) else np.nan for side in sides)
    return {name: none_if_undefined(float(value)) for name, value in entry.items()} | {"histogram": histogram}


def none_if_undefined(value: float) -> float | None:
    """Return `value`, or None for NaN and infinity, which JSON does not have."""
    return value if np.isfinite(value) else None
