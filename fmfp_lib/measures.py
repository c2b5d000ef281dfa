"""What is measured on a network itself, once, and kept beside its record as ``<hash>.<measure>.npz``.

A record holds logits on the test set and no weights. Flatness, features and the like need the network: they are
measured where it is at hand, right after training or from kept weights, and loaded ever after.
"""

import numpy as np

from . import confidence, datasets, flatness, records, scores
from .errors import choose
from .metrics import evaluate_confidence, softmax
from .scores import log_odds

FLATNESS_IMAGES = 500  # of the training set
EIGENVALUE_IMAGES = 200  # a product with the Hessian costs several passes
FLATNESS_NORMS = (0.05, 0.1, 0.2, 0.4)  # relative norms of the random perturbations
GAP_QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
SHIFT_IMAGES = 1000  # of the test set, and at most a quarter of it


def _flatness(run, model):
    """Loss and margin under perturbation on training images, SAM's sharpness, largest Hessian eigenvalue."""
    x, y = run.x_train[:FLATNESS_IMAGES], run.y_train[:FLATNESS_IMAGES]
    few = x[:EIGENVALUE_IMAGES], y[:EIGENVALUE_IMAGES]
    loss, margin = flatness.loss_under_perturbation(model, x, y, (0.0, *FLATNESS_NORMS), directions=5)
    return {
        "norms": np.array((0.0, *FLATNESS_NORMS)),
        "loss": loss,
        "margin": margin,
        "sharpness": np.array(flatness.sam_sharpness(model, x, y, run.settings.rho or 0.05)),
        "eigenvalue": np.array(flatness.hessian_eigenvalue(model, *few, iterations=40, tolerance=0.05)),
    }


def _fit(run, model):
    """How well the network fits its training images, not augmented; the true class's lead there; the seconds."""
    logits, labels = run.logits(model, run.x_train).astype(np.float64), run.data.y_train
    rows = np.arange(len(labels))
    others = logits.copy()
    others[rows, labels] = -np.inf
    gap, p = logits[rows, labels] - others.max(1), softmax(logits)
    return {
        "accuracy": np.array((gap > 0).mean()),
        "nll": np.array(-np.log(np.maximum(p[rows, labels], 1e-300)).mean()),
        "quantiles": np.array(GAP_QUANTILES),
        "gap": np.quantile(gap, GAP_QUANTILES).astype(np.float32),
        "cpu_seconds": np.array(run.cpu_seconds if run.cpu_seconds and run.device.type == "cpu" else np.nan),
    }


def _trust_score(run, model):
    """Trust Score of every test image, on the features before the last layer."""
    predictions = run.logits(model, run.x_test).argmax(1)
    features = [confidence.features(model, x) for x in (run.x_test, run.x_train)]
    score = confidence.trust_score(features[0], predictions, features[1], run.data.y_train)
    return {"score": score.astype(np.float32)}


def _nearest_neighbours(run, model):
    """Distance of every test image to its 50th nearest training image, by the features before the last layer."""
    test, train = (confidence.features(model, x) for x in (run.x_test, run.x_train))
    k = min(scores.NEIGHBOURS, len(train))
    return {"score": scores.nearest_neighbours(test, train, k).astype(np.float32)}


def _mahalanobis(run, model):
    """Mahalanobis distance of every test image to the nearest class mean of the training images, by those features."""
    test, train = (confidence.features(model, x) for x in (run.x_test, run.x_train))
    return {"score": scores.mahalanobis(test, train, run.data.y_train).astype(np.float32)}


def _mc_information(run, model):
    """Mutual information of prediction and dropout mask, over 20 masks, as a score of the network's own prediction."""
    members = confidence.mc_dropout_members(model, run.x_test)
    return {"score": scores.mutual_information(members).astype(np.float32)}


def _confidnet(run, model):
    """ConfidNet's confidence in every test image: 100 epochs for its head, 10 of fine-tuning; fewer in short runs."""
    import torch

    longest = run.settings.epochs
    fitted = confidence.fit_confidnet(
        model, run.x_train, run.y_train, run.x_valid, torch.from_numpy(run.data.y_valid),
        epochs=min(100, longest), fine_tune_epochs=min(10, longest), seed=run.settings.seed,
    )  # fmt: skip
    return {"score": fitted.confidence(run.x_test).astype(np.float32), "history": np.array(fitted.history)}


def _as_score(logits, run):
    """Return confidence and correctness of a prediction that may differ from the record's."""
    p = softmax(logits)
    return {"score": p.max(1).astype(np.float32), "correct": p.argmax(1) == run.data.y_test}


def _mc_dropout(run, model):
    """MSP and correctness of the mean prediction over 20 dropout masks."""
    return _as_score(confidence.mc_dropout(model, run.x_test), run)


def _swag(run, model):
    """MSP and correctness of the mean prediction over 20 networks drawn by SWAG, for a method that averages."""
    fresh = type(run)(run.settings)
    fresh.resume()
    return _as_score(confidence.swag_from_run(fresh), run)


def _shift(run, model):
    """Confidence and correctness under every corruption at every severity, on the first test images."""
    from .datasets.corruptions import KINDS, SEVERITIES

    count = max(1, min(SHIFT_IMAGES, len(run.data.y_test) // 4))
    score = np.empty((len(KINDS), len(SEVERITIES), count), np.float16)
    correct = np.empty(score.shape, bool)
    for i, kind in enumerate(KINDS):
        for j, severity in enumerate(SEVERITIES):
            shifted = datasets.shifted(run.settings.dataset, kind, severity, count)
            logits = run.logits(model, run.images.normalised(shifted.x)).astype(np.float64)
            # To the nearest 1/64: it moves no cell's AUROC by more than 0.0003, and the file is a sixth smaller.
            score[i, j], correct[i, j] = np.rint(64 * log_odds(logits)) / 64, logits.argmax(1) == shifted.y
    return {"score": score, "correct": correct, "kinds": np.array(list(KINDS)), "origin": np.array(shifted.origin)}


MEASURES = {
    "fit": _fit, "flatness": _flatness, "trust_score": _trust_score, "confidnet": _confidnet, "mc_dropout": _mc_dropout,
    "swag": _swag, "shift": _shift, "nearest_neighbours": _nearest_neighbours, "mahalanobis": _mahalanobis,
    "mc_information": _mc_information,
}  # fmt: skip


def check(name: str) -> str:
    """Return `name` if it is a measure; otherwise raise ValueError naming the choices."""
    return choose("measure", name, MEASURES)


def load(record: records.Record, name: str) -> dict[str, np.ndarray] | None:
    """Return what was measured on a record's network, or None if it was not.

    Parameters
    ----------
    record : records.Record
    name : str
        ``fit``: training `accuracy` and `nll` (nats), `gap` (q,) between the logits of the true and of the best other
        class at `quantiles` (q,), all on the training images without augmentation; `cpu_seconds` of the training, NaN
        where it was not timed or ran on a GPU;
        ``flatness``: `norms` (m,), `loss` and `margin` (m, directions), `sharpness`, `eigenvalue`;
        ``trust_score``, ``confidnet``, ``nearest_neighbours``, ``mahalanobis``, ``mc_information``: `score` (n,) of the
        test images, growing with trust;
        ``mc_dropout``, ``swag``: `score` and `correct` (n,), since the prediction changes too;
        ``shift``: `score` (log-odds of the MSP) and `correct` (15, 5, n) by corruption and severity, `kinds` (15,),
        `origin` of the images. Its metrics are computed by ``shift``.

    Returns
    -------
    dict of str to ndarray or None
        The arrays of the measure.

    Raises
    ------
    ValueError
        For an unknown measure.
    """
    return records.attached(record, check(name))


def evaluate(record: records.Record, name: str) -> dict[str, float] | None:
    """Return the ranking metrics of a measured score, or None if it was not measured.

    Where a measure does not predict itself, it is the record's own predictions that are judged.

    Parameters
    ----------
    record : records.Record
        A finished run.
    name : str
        Key of `MEASURES`.

    Returns
    -------
    dict of str to float or None
        By metric, in natural units.
    """
    found = load(record, name)
    if found is None:
        return None
    correct = found.get("correct", record.correct)
    return evaluate_confidence(found["score"], correct)
