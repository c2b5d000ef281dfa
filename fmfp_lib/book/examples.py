"""Single test images that a network gets wrong with great confidence, and what other networks say of them."""

from dataclasses import dataclass

import numpy as np

from .. import datasets
from ..metrics import softmax
from ..statistics import over_seeds
from . import markdown, names
from .compare import by_seed, pair_by_seed

CLASSES = {
    "embedded": ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"),
    "cifar10": ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
}
CONFIDENT = 0.9


def classes(dataset: str, count: int) -> tuple[str, ...]:
    """Return the names of a data set's `count` classes; where the book has none, their numbers.

    Parameters
    ----------
    dataset : str
        Name of the data set.
    count : int
        Number of classes.

    Returns
    -------
    tuple of str
        One name per class.
    """
    names = CLASSES.get(dataset, ())
    return names if len(names) == count else tuple(map(str, range(count)))


def confident_errors(record, at_least: float = CONFIDENT) -> np.ndarray:
    """Return where among the test images (m,) a run is wrong with a confidence of `at_least`.

    Parameters
    ----------
    record : records.Record
        A finished run.
    at_least : float
        Smallest confidence of a confident error, in [0, 1].

    Returns
    -------
    ndarray, (m,), int
        Positions in the test set.
    """
    p = softmax(record.logits)
    return np.flatnonzero((p.argmax(1) != record.labels) & (p.max(1) >= at_least))


def spread(chooser, judge, count: int = 4) -> np.ndarray:
    """Return `count` of the chooser's errors (count,), evenly over how much the judge changes its wrong class.

    Of all its errors, ordered by the judge's probability for the wrong class minus the chooser's own, the middle one of
    each of `count` equal parts: from lowered most to raised most, so that nothing is picked for effect.

    Parameters
    ----------
    chooser : records.Record
        The run whose confident errors are taken.
    judge : records.Record
        The run that is asked about them.
    count : int
        Number of errors to take.

    Returns
    -------
    ndarray, (count,), int
        Positions in the test set.

    Raises
    ------
    ValueError
        If there are fewer errors than `count`.
    """
    errors = confident_errors(chooser, 0.0)
    if not 1 <= count <= len(errors):
        raise ValueError(f"count is {count}; it must lie between 1 and the {len(errors)} errors that there are")
    rows, predicted = np.arange(len(errors)), chooser.logits[errors].argmax(1)
    change = softmax(judge.logits[errors])[rows, predicted] - softmax(chooser.logits[errors])[rows, predicted]
    middle = ((np.arange(count) + 0.5) / count * len(errors)).astype(int)
    return errors[np.argsort(change, kind="stable")[middle]]


@dataclass(frozen=True)
class Opinion:
    """What a judge says of the confident errors of another run.

    Attributes
    ----------
    confidence : float
        Its mean probability for the wrong class that the other run predicted.
    correct : float
        The share of these images on which it is correct.
    """

    confidence: float
    correct: float


def opinion(chooser, judge, at_least: float = CONFIDENT) -> Opinion:
    """Return what `judge` says of the confident errors of `chooser`; NaN where there are none.

    The chooser's own opinion is biased: the images were chosen for its errors. Any other network, one of the same
    method too, errs less on them. Compare judges, and leave out the chooser.

    Parameters
    ----------
    chooser : records.Record
        The run whose confident errors are taken.
    judge : records.Record
        The run that is asked about them.
    at_least : float
        Smallest confidence of a confident error, in [0, 1].

    Returns
    -------
    Opinion
        Mean probability of the predicted, wrong class, and the share of the images classified correctly.
    """
    images = confident_errors(chooser, at_least)
    if not len(images):
        return Opinion(float("nan"), float("nan"))
    p, predicted = softmax(judge.logits[images]), chooser.logits[images].argmax(1)
    correct = judge.logits[images].argmax(1) == judge.labels[images]
    return Opinion(float(p[np.arange(len(images)), predicted].mean()), float(correct.mean()))


def opinions(group, method: str, at_least: float = CONFIDENT) -> tuple[list[Opinion], list[Opinion]]:
    """Return what the runs of `method`, and what those of the baseline, say of another baseline's confident errors.

    One opinion a seed that both have; the errors are those of the baseline of the next such seed, so that no judge
    shares its first epochs with the run that chose. Both lists are empty where there are fewer than two seeds.

    Parameters
    ----------
    group : study.Group
        Runs on one data set and network.
    method : str
        Key of `methods.METHODS`.
    at_least : float
        Smallest confidence of a confident error, in [0, 1].

    Returns
    -------
    tuple of list of Opinion
        Those of `method`, then those of the baseline, in the same order.
    """
    sides = pair_by_seed(*(by_seed(group.runs.get(m, ())) for m in (method, "baseline")))
    if len(sides[0]) < 2:
        return [], []
    choosers = sides[1][1:] + sides[1][:1]
    return tuple([opinion(a, b, at_least) for a, b in zip(choosers, side, strict=True)] for side in sides)


def mean_opinions(group, method: str, at_least: float = CONFIDENT) -> tuple[float, float, float] | None:
    """Return how sure of its wrong class an erring baseline is, and a second baseline, and a run of `method`.

    Parameters
    ----------
    group : study.Group
        Runs on one data set and network.
    method : str
        Key of `methods.METHODS`.
    at_least : float
        Smallest confidence of a confident error, in [0, 1]; who judges whom, `opinions` says.

    Returns
    -------
    tuple of float, or None
        Mean probabilities of the wrong class, in [0, 1], mean over seeds; None with fewer than two seeds, or without
        confident errors.
    """
    others, baselines = opinions(group, method, at_least)
    if not others:
        return None
    own = [opinion(r, r, at_least) for r in group.runs["baseline"]]
    means = [float(np.mean([o.confidence for o in side])) for side in (own, baselines, others)]
    return None if np.isnan(means).any() else tuple(means)


def clear_in_words(changes, other: str) -> str:
    """Say on how many networks a number is clearly lower, or higher, than that of `other`.

    Parameters
    ----------
    changes : iterable of tuple of float
        One per network: the difference from `other`, and the ends of its interval.
    other : str
        Whom it is compared with, in words.

    Returns
    -------
    str
        The end of a sentence.
    """
    changes = list(changes)
    counts = {"lower": sum(high < 0 for *_, high in changes), "higher": sum(low > 0 for _, low, _ in changes)}
    clear = [f"clearly {way} on {count}" for way, count in counts.items() if count]
    if not clear:
        return f"does not clearly differ from {other}'s on any of {len(changes)} networks"
    return f"is, against {other}'s, {' and '.join(clear)} of {len(changes)} networks"


def opinion_table(groups, methods, at_least: float = CONFIDENT) -> str:
    """Return, as Markdown, what runs say of the confident errors of another seed's baseline.

    A table per group, a row per method: mean probability of the wrong class, and its difference from that of a baseline
    judge with a 95 % interval over seeds; the same for the share of images that are classified correctly.

    Parameters
    ----------
    groups : iterable of study.Group
        The finished runs to show.
    methods : sequence of str
        Keys of `methods.METHODS`.
    at_least : float
        Smallest confidence of a confident error, in [0, 1].

    Returns
    -------
    str
        Markdown.
    """
    heads = ("judge", "wrong class %", "minus a baseline judge", "correct class %", "minus a baseline judge")
    rows = []
    for group in groups:
        for method in methods:
            sides = opinions(group, method, at_least)
            if sides[0]:
                pairs = [
                    [np.array([getattr(o, quantity) for o in side]) for side in sides]
                    for quantity in ("confidence", "correct")
                ]
                itself = all(np.array_equal(*pair, equal_nan=True) for pair in pairs)  # the judge is the baseline
                cells = []
                for own, other in pairs:
                    cells.append(f"{100 * np.nanmean(own):.1f}")
                    cells.append("" if itself else markdown.interval(over_seeds(own - other), 100))
                rows.append((group.title, names.name(method), *cells))
    return markdown.grouped(heads, rows, "The other networks: judges")


def images(record, index) -> np.ndarray:
    """Return test images (m, h, w, c) of a run at `index` (m,), values in [0, 1]; grey ones as (m, h, w).

    Parameters
    ----------
    record : records.Record
        A finished run.
    index : array_like, (m,), int
        Positions in the test set.

    Returns
    -------
    ndarray, (m, h, w, c) or (m, h, w)
        In [0, 1].
    """
    s = record.settings
    x = np.asarray(datasets.load(s.dataset, s.train_size, s.test_size, s.protocol).x_test[index])
    return x[:, 0] / 255 if x.shape[1] == 1 else x.transpose(0, 2, 3, 1) / 255
