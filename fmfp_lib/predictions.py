"""Predictions of any model, checked: what was right, how confident it was, and what was unusual. No torch."""

import re
from dataclasses import dataclass, replace

import numpy as np

from .metrics import evaluate_confidence
from .metrics.one_pass import per_sample
from .metrics.probabilities import blocks, first_off_one

SPLITS = {
    **dict.fromkeys(("calibration", "calib", "cal", "validation", "valid", "val", "dev"), "calibration"),
    **dict.fromkeys(("test", "eval", "evaluation", "holdout"), "test"),
}
SATURATED = 1e-3  # share of confidences at exactly 1 from which on it is worth a word


@dataclass(frozen=True)
class Predictions:
    """Checked predictions of one system on n items; what is not known is None.

    Attributes
    ----------
    name : str
        Of the system.
    kind : {'logits', 'probabilities', 'confidence'}
        What was given.
    confidence : ndarray of shape (n,)
        Maximum softmax probability, or the score that was given.
    correct : ndarray of shape (n,)
        bool.
    loss : ndarray of shape (n,) or None
        -log p(true class) in nats.
    brier : ndarray of shape (n,) or None
        Squared distance between the probabilities and the one-hot label.
    log_odds : ndarray of shape (n,) or None
        Of the confidence, from logits: they keep the order of what rounds to 1.
    labels, predicted : ndarray of shape (n,) or None
        Names of classes.
    group : ndarray of shape (n,) or None
        What each item belongs to.
    split : ndarray of shape (n,) or None
        ``calibration``, ``test``, or nothing for an item that belongs to neither.
    id : ndarray of shape (n,) or None
        Name of each item.
    notes : tuple of str
        What was unusual, a sentence each.
    """

    name: str
    kind: str
    confidence: np.ndarray
    correct: np.ndarray
    loss: np.ndarray | None = None
    brier: np.ndarray | None = None
    log_odds: np.ndarray | None = None
    labels: np.ndarray | None = None
    predicted: np.ndarray | None = None
    group: np.ndarray | None = None
    split: np.ndarray | None = None
    id: np.ndarray | None = None
    notes: tuple = ()

    def __len__(self):
        return len(self.confidence)

    @property
    def is_probability(self) -> bool:
        """Whether every confidence lies in [0, 1], so that one can ask how well calibrated it is."""
        return bool(self.confidence.min() >= 0 and self.confidence.max() <= 1)

    @property
    def ranked_by(self) -> np.ndarray:
        """What ranking metrics see, (n,): the log-odds where logits were given, else the confidence."""
        return self.confidence if self.log_odds is None else self.log_odds

    def take(self, chosen) -> "Predictions":
        """Return the predictions on some of the items: `chosen` holds indices, or is (n,) bool."""
        return replace(self, **{k: v[chosen] for k, v in vars(self).items() if isinstance(v, np.ndarray)})

    def part(self, name: str) -> "Predictions | None":
        """Return the items of the split ``calibration`` or ``test``, or None where there are none."""
        mine = np.zeros(0, bool) if self.split is None else self.split == name
        return self.take(mine) if mine.any() else None


def from_arrays(*, logits=None, probabilities=None, confidence=None, correct=None, labels=None, predicted=None,
                classes=None, group=None, split=None, id=None, notes=(),
                name: str = "predictions") -> Predictions:  # fmt: skip
    """Check arrays and return them as `Predictions`.

    Parameters
    ----------
    logits, probabilities : array_like of shape (n, k), optional
        With `labels`. Of two classes one column, or (n,), is enough: the second's.
    confidence : array_like of shape (n,), optional
        With `correct`, or with `predicted` and `labels`.
    correct : array_like of shape (n,), optional
        True and false, or 1 and 0.
    labels, predicted : array_like of shape (n,), optional
        True and predicted classes: integers from 0, or names of `classes`; `labels` may be one-hot, (n, k).
    classes : sequence of length k, optional
        Names in the order of the columns.
    group, split, id : array_like of shape (n,), optional
        By item, `group`: what it belongs to; `split`: ``calibration`` (``validation``) or ``test``; `id`: its name.
    notes : sequence of str
        What is to be said of these arrays already.
    name : str
        Of the system.

    Returns
    -------
    Predictions
        Checked, with notes on what is unusual.

    Raises
    ------
    ValueError
        In one line that says what was given and what is accepted.
    """
    notes = [*notes]
    if labels is not None and (logits is not None or probabilities is not None):
        kind, found = _from_scores(logits, probabilities, labels, classes, notes)
        others = dict(confidence=confidence, correct=correct, predicted=predicted)
        if unused := _given(probabilities=None if logits is None else probabilities, **others):
            notes.append(f"Not used, since {kind} and labels are there: {', '.join(unused)}.")
    elif confidence is not None and (correct is not None or (predicted is not None and labels is not None)):
        kind, found = "confidence", _from_confidence(confidence, correct, labels, predicted)
        if unused := _given(logits=logits, probabilities=probabilities):
            notes.append(f"Not used, since no labels are there: {', '.join(unused)}.")
    else:
        _refuse(logits=logits, probabilities=probabilities, confidence=confidence, correct=correct, labels=labels,
                predicted=predicted)  # fmt: skip
    n = len(found["correct"])
    found |= {k: _text(_vector(v, k, n)) for k, v in _given(group=group, id=id).items()}
    if split is not None:
        found["split"] = _split(_text(_vector(split, "split", n)), notes)
    result = Predictions(name, kind, **found)
    return replace(result, notes=(*notes, *_doubts(result)))


def _refuse(**arrays):
    raise ValueError(
        f"it holds {', '.join(_given(**arrays)) or 'nothing that is known here'}; expected logits and labels, "
        "probabilities and labels, confidence and correct, or confidence, predicted and labels"
    )


def _from_scores(logits, probabilities, labels, classes, notes):
    """Return the kind of the scores of all classes, and what follows from them."""
    scores = np.asarray(logits if logits is not None else probabilities)
    kind, scores = _scores(scores, "probabilities" if logits is None else "logits", notes)
    n, k = scores.shape
    classes = _classes(classes, k)
    labels = _labels(np.asarray(labels), n, classes, notes)
    predicted = np.concatenate([scores[part].argmax(1) for part in blocks(scores)])
    found = dict(correct=predicted == labels, labels=classes[labels], predicted=classes[predicted])
    return kind, found | (_of_logits if kind == "logits" else _of_probabilities)(scores, labels)


def _from_confidence(confidence, correct, labels, predicted):
    """Return what follows from the confidence of the predicted class alone."""
    confidence = _vector(confidence, "confidence")
    n = len(confidence)
    if confidence.dtype.kind not in "fiu":
        raise ValueError(f"confidence is {confidence.dtype}; expected numbers")
    _refuse_nan(confidence, "confidence")
    found = {k: _class_names(_vector(v, k, n), k) for k, v in _given(labels=labels, predicted=predicted).items()}
    if correct is None:
        plain = {k: _plain(names) for k, names in found.items()}
        if len(np.unique([*plain.values()])) < len(np.unique([*found.values()])):  # some are written in two ways
            found = plain
        if not np.isin(found["labels"], found["predicted"]).any():
            both = (f"{name} {_few(np.unique(found[name]))}" for name in ("labels", "predicted"))
            raise ValueError(f"labels and predicted have no class in common: {'; '.join(both)}")
        found["correct"] = found["labels"] == found["predicted"]
    else:
        found["correct"] = _correct(_vector(correct, "correct", n))
    return found | {"confidence": confidence.astype(np.float64)}


def _given(**arrays):
    return {name: array for name, array in arrays.items() if array is not None}


# -- checks ---------------------------------------------------------------------------------------------------


def _vector(values, name, n=None):
    values = np.asarray(values)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1 or not len(values):
        raise ValueError(f"{name} has shape {values.shape}; expected one value for each item")
    if n is not None and len(values) != n:
        raise ValueError(f"{name} has {len(values):,} entries for {n:,} items")
    return values


def _refuse_nan(values, name):
    missing = np.isnan(values)
    if missing.any():
        raise ValueError(
            f"{name} is NaN in {missing.sum():,} of {len(values):,} items, first in row {missing.argmax()}"
        )


def _text(values):
    """Return names as text; whole numbers have no decimals, whatever their type, and what is missing is empty."""
    return np.array([_word(value) for value in np.asarray(values).tolist()])


def _word(value):
    if isinstance(value, (str, bytes)):
        return (value if isinstance(value, str) else value.decode(errors="replace")).strip()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if str(value) in ("None", "nan", "NaT", "<NA>") else str(value)


def _class_names(values, name):
    """Return a class for each item, as text; none may be missing."""
    words = _text(values)
    missing = np.isin(words, ("", "nan"))
    if missing.any():
        raise ValueError(
            f"{name} is missing in {missing.sum():,} of {len(values):,} items, first in row {missing.argmax()}"
        )
    return words


_WHOLE = re.compile(r"-?\d+\.0*").fullmatch
_TRUTH = {"true": "1", "false": "0"}


def _plain(words):
    """Return names in one way of writing: 1 for 1.0 and for true, 0 for 0.0 and for false."""
    return np.array([_TRUTH.get(w.lower()) or (w.partition(".")[0] if _WHOLE(w) else w) for w in words.tolist()])


def _correct(values):
    words = _plain(_text(values))
    unknown = sorted(set(words.tolist()) - {"0", "1"})
    if unknown:
        raise ValueError(f"correct holds {_few(unknown[:1])}; expected true and false, or 1 and 0")
    return words == "1"


def _scores(values, kind, notes):
    """Return what the scores are, by what they hold, and the scores (n, k)."""
    if values.dtype.kind not in "fiu":
        raise ValueError(f"{kind} are {values.dtype}; expected numbers")
    values = values[:, None] if values.ndim == 1 else values
    if values.ndim != 2 or not values.size:
        raise ValueError(f"{kind} have shape {values.shape}; expected (n, k) for n items and k classes")
    for part in blocks(values):
        bad = ~np.isfinite(values[part]).all(1)
        if bad.any():
            row = part.start + int(bad.argmax())
            what = "NaN" if np.isnan(values[row]).any() else "infinite values"
            raise ValueError(f"{kind} hold {what}, first in row {row}; all must be finite")
    if values.shape[1] == 1:  # of the second of two classes
        inside = kind == "probabilities" or (values.min() >= 0 and values.max() <= 1)
        values = np.concatenate([1 - values if inside else np.zeros_like(values), values], 1)
    row = first_off_one(values)
    if kind == "logits" and row is None:
        notes.append("The logits are probabilities (each row lies in [0, 1] and sums to one) and are taken as such.")
        return "probabilities", values
    if kind == "probabilities" and row is not None:
        low, high, total = values[row].min(), values[row].max(), values[row].sum(dtype=np.float64)
        raise ValueError(
            f"probabilities must lie in [0, 1] and sum to one in each row; row {row} runs from {low:.4g} to {high:.4g} "
            f"and sums to {total:.4g} (if these are logits, call them so, in a .npz or a table)"
        )
    return kind, np.maximum(values, 0) if kind == "probabilities" and values.min() < 0 else values


def _classes(classes, k):
    if classes is None:
        return np.array([str(i) for i in range(k)])
    classes = _text(_vector(classes, "classes"))
    if len(classes) != k or len(set(classes.tolist())) != k:
        raise ValueError(f"classes holds {len(set(classes.tolist()))} different names for {k} columns")
    return classes


def _labels(labels, n, classes, notes):
    """Return labels as indices of `classes`, (n,)."""
    k = len(classes)
    if labels.ndim == 2 and labels.shape[1] == k and labels.dtype.kind in "fiub":
        if not np.isin(labels, (0, 1)).all() or not (labels.sum(1) == 1).all():
            raise ValueError(f"labels have shape {labels.shape} and are not one-hot; expected one class for each item")
        notes.append("The labels are one-hot; the class of each row was taken.")
        labels = labels.argmax(1)
    labels = _vector(labels, "labels", n)
    names, place = np.unique(_class_names(labels, "labels"), return_inverse=True)
    index = _columns(names, classes, notes)
    unknown = [name for name in names.tolist() if name not in index]
    if unknown:
        hint = "; do they count from 1? They must from 0" if unknown == [str(k)] and "0" not in names else ""
        raise ValueError(f"labels hold {unknown[0]!r}, but the classes of the {k} columns are {_few(classes)}{hint}")
    labels = np.array([index[name] for name in names.tolist()])[place]
    absent = classes[np.bincount(labels, minlength=k) == 0]
    if len(absent):
        notes.append(f"No item belongs to {len(absent)} of the {k} classes: {_few(absent)}.")
    return labels


def _columns(names, classes, notes):
    """Return the column of each class by its name in the labels, or by its number from 0 where classes have names."""
    index = {name: i for i, name in enumerate(classes.tolist())}
    if set(names.tolist()) <= set(index):
        return index
    written = dict(zip(names.tolist(), _plain(names).tolist(), strict=True))
    plain = {name: i for i, name in enumerate(_plain(classes).tolist())}
    if len(plain) < len(index) or not set(written.values()) <= set(plain):
        plain = {str(i): i for i in range(len(index))}
        numbers = {int(name) for name in index if name.isdecimal()}
        if not set(written.values()) <= set(plain) or (numbers & {*map(int, written.values())} and "0" not in written):
            return index  # no numbers from 0, or they might be names
        if numbers:
            notes.append(f"The labels are taken for numbers of the columns from 0; their classes are {_few(index)}.")
    return {name: plain[word] for name, word in written.items()}


def _few(names):
    names = [str(name) or "(none)" for name in names]
    return ", ".join(names[:6]) + (f", ... {names[-1]}" if len(names) > 6 else "")


def _split(words, notes):
    words = np.char.lower(words)
    known = np.array([SPLITS.get(word, "") for word in words])
    if not known.astype(bool).any():
        raise ValueError(f"split holds {_few(np.unique(words))}; expected calibration (or validation) and test")
    if left := int((known == "").sum()):
        notes.append(f"{left:,} items of the split {_few(np.unique(words[known == '']))} are left out.")
    return known


def _of_logits(logits, labels):
    sample = per_sample(logits, labels)
    return {name: getattr(sample, name) for name in ("confidence", "loss", "brier", "log_odds")}


def _of_probabilities(probabilities, labels):
    parts = []
    for part in blocks(probabilities):
        p = probabilities[part].astype(np.float64)
        true = p[np.arange(len(p)), labels[part]]
        with np.errstate(divide="ignore"):
            parts.append((np.minimum(p.max(1), 1), -np.log(np.minimum(true, 1)), np.vecdot(p, p) - 2 * true + 1))
    return {
        k: np.concatenate(v) for k, v in zip(("confidence", "loss", "brier"), zip(*parts, strict=True), strict=True)
    }


def _doubts(predictions):
    """Yield what the numbers themselves show: what is infinite, cannot be calibrated, or cannot be ranked."""
    confidence, correct = predictions.confidence, predictions.correct
    if predictions.loss is not None and (impossible := int(np.isinf(predictions.loss).sum())):
        yield f"The true class has a probability of exactly 0 in {impossible:,} items, so the NLL is infinite."
    if not predictions.is_probability:
        low, high = confidence.min(), confidence.max()
        yield f"The confidence runs from {low:.4g} to {high:.4g}, not within [0, 1], so calibration is left out."
        return

    rounded = confidence.astype(np.float32)
    ones = (rounded if predictions.kind == "logits" else confidence) == 1
    if ones.mean() < SATURATED:
        return
    if predictions.kind == "logits":
        exact, lost = evaluate_confidence(predictions.log_odds, correct), evaluate_confidence(rounded, correct)
        still = int((confidence == 1).sum())
        yield (
            f"A softmax in float32 would make {ones.sum():,} confidences exactly 1 ({_ranges(lost, lost)}); ranked, as "
            f"here, by the log-odds of the logits, the values are {_ranges(exact, exact)}."
            + (f" In float64 {still:,} are still 1, and no threshold of confidence parts them." if still else "")
        )
    else:
        best, worst = (evaluate_confidence(confidence + ones * right, correct) for right in (correct, ~correct))
        yield (
            f"{ones.sum():,} confidences are exactly 1, {(ones & ~correct).sum():,} of them wrong, so their order is "
            f"lost; with it the values could be {_ranges(worst, best)}. Logits keep it."
        )


def _ranges(worst, best):
    auroc = dict.fromkeys(f"{100 * one['auroc']:.2f}" for one in (worst, best))
    aurc = dict.fromkeys(f"{1000 * one['aurc']:.2f}" for one in (best, worst))
    return f"AUROC {' to '.join(auroc)} %, AURC {' to '.join(aurc)} ×10⁻³"
