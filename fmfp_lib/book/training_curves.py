"""What happens to a test metric during training: does it peak before the end, and would stopping there have helped?

A run is evaluated on the first 2,000 test images about fifty times (``HISTORY_POINTS``); its history keeps accuracy,
AUROC, AURC and ECE of each evaluation, and no predictions. Intervals are therefore Student's, over seeds.
"""

from dataclasses import dataclass

import numpy as np

from ..statistics import HIGHER_IS_BETTER, over_seeds
from . import markdown, names
from .special_evidence import late_change

WINDOW = 5  # evaluations: a tenth of training


def curve(record, metric: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the epochs (m,) at which a run looked at the test set and what it saw there (m,), in natural units.

    Parameters
    ----------
    record : records.Record
    metric : str
        ``accuracy``, ``auroc``, ``aurc`` or ``ece``. Evaluations at which it was not defined are left out.

    Returns
    -------
    tuple of ndarray, (m,)
        Epochs, and the metric in natural units.

    Raises
    ------
    ValueError
        If no evaluation has the metric.
    """
    seen = [(e["epoch"], e[f"test_{metric}"]) for e in record.history if e.get(f"test_{metric}") is not None]
    if not seen:
        raise ValueError(f"no evaluation on the test set has {metric!r}; choose among accuracy, auroc, aurc, ece")
    epochs, values = np.array(seen).T
    return epochs, values


def smoothed(epochs, values, window: int = WINDOW) -> tuple[np.ndarray, np.ndarray]:
    """Return moving averages of `values` over `window` evaluations and their mean epochs, (m - window + 1,) each.

    Fewer evaluations than `window` are averaged all together.

    Parameters
    ----------
    epochs : array_like, (m,)
        Epochs of the evaluations.
    values : array_like, (m,)
        The metric there.
    window : int
        Number of consecutive evaluations that are averaged.

    Returns
    -------
    tuple of ndarray
        Mean epochs and averages.
    """
    if window < 1:
        raise ValueError(f"window is {window}; it must be at least 1")
    kernel = np.full(min(window, len(values)), 1 / min(window, len(values)))
    return np.convolve(epochs, kernel, "valid"), np.convolve(values, kernel, "valid")


@dataclass(frozen=True)
class Peak:
    """The best of a run's smoothed curve against its last.

    Attributes
    ----------
    share : float
        Where it is, as a share of the epochs.
    loss : float
        How much worse the last is than the best, zero or positive: also for a curve of pure noise.
    """

    share: float
    loss: float


def peak(record, metric: str = "auroc", window: int = WINDOW) -> Peak:
    """Return where a run's smoothed curve is best, and how much worse its end is.

    Parameters
    ----------
    record : records.Record
        A finished run.
    metric : str
        Name of a metric, as `metrics.evaluate` returns it.
    window : int
        Number of consecutive evaluations that are averaged.

    Returns
    -------
    Peak
        Its place as a share of training, and the loss since, in natural units.
    """
    epochs, values = smoothed(*curve(record, metric), window)
    values = values if metric in HIGHER_IS_BETTER else -values
    best = int(values.argmax())
    return Peak(float(epochs[best] / record.settings.epochs), float(values[best] - values[-1]))


def early_stopping(records, metric: str = "auroc", window: int = WINDOW) -> dict[str, np.ndarray]:
    """Return what stopping early changes in each run, the epoch being chosen on the other seeds.

    Chosen on the run itself, the best epoch is the best partly by chance; a choice made on other seeds has no part in
    this run's chance (though all seeds see the same test images).

    Parameters
    ----------
    records : list of records.Record
        Runs of one method, at least two seeds, of equal length.
    metric : str
        What the choice maximises (or minimises, where lower is better).
    window : int
        Evaluations that are averaged.

    Returns
    -------
    dict of str to ndarray of shape (seeds,)
        ``share`` of the epochs at which to stop; ``accuracy``, ``auroc``, ``aurc``: there minus at the end, all
        smoothed.
    """
    if len(records) < 2:
        raise ValueError(f"{len(records)} run given; choosing the epoch on other seeds needs at least 2")
    seen = {m: [smoothed(*curve(r, m), window) for r in records] for m in {"accuracy", "auroc", "aurc", metric}}
    if len({tuple(epochs) for curves in seen.values() for epochs, _ in curves}) > 1:
        raise ValueError("the runs looked at the test set at different epochs; all must have the same length")
    values = {m: np.array([v for _, v in curves]) for m, curves in seen.items()}
    sign = 1 if metric in HIGHER_IS_BETTER else -1
    others = (values[metric].sum(0) - values[metric]) / (len(records) - 1)
    chosen, rows = (sign * others).argmax(1), np.arange(len(records))
    epochs = seen[metric][0][0]
    found = {"share": epochs[chosen] / records[0].settings.epochs}
    return found | {m: values[m][rows, chosen] - values[m][:, -1] for m in ("accuracy", "auroc", "aurc")}


# -- in words -------------------------------------------------------------------------------------------------


def direction(label: str, estimate) -> str:
    """Say whether something rises or falls, or that its interval leaves both open.

    Parameters
    ----------
    label : str
        What changes.
    estimate : tuple of float
        The change and the ends of its interval.

    Returns
    -------
    str
        A clause.
    """
    value, low, high = estimate
    if not low <= high:
        return f"{label} {'rises' if value > 0 else 'falls'} (one seed, so no interval)"
    way = "rises" if low > 0 else "falls" if high < 0 else None
    return f"{label} {way}" if way else f"the change in {label} is too close to call"


def late_in_words(group) -> str:
    """Say how the baseline's AUROC and accuracy change from the middle of training to its end (`late_change`).

    Returns
    -------
    str
        A clause without a full stop.
    """
    parts = []
    for metric, label in (("accuracy", "accuracy"), ("auroc", "AUROC")):
        change = over_seeds([late_change(r, metric) for r in group.runs["baseline"]])
        parts.append(f"{direction(label, change)}, {markdown.interval(change, 100, bold=False)} points")
    return f"{group.title}: {parts[0]}; {parts[1]}"


def seeds_in_words(groups) -> str:
    """Say how many seeds each group has, method by method where the numbers differ.

    Parameters
    ----------
    groups : iterable of study.Group
        The finished runs to show.

    Returns
    -------
    str
        A list without a full stop.
    """
    parts = []
    for group in groups:
        methods = {}
        for method, runs in group.runs.items():
            methods.setdefault(len(runs), []).append(names.name(method))
        told = [f"{names.joined(own)} {count}" for count, own in methods.items()]
        parts.append(f"{group.title}: {', '.join(told) if len(told) > 1 else next(iter(methods), 0)}")
    return "; ".join(parts)


def overfitting_table(groups, window: int = WINDOW) -> str:
    """Return, as Markdown, how much worse AUROC ends than its best, and how it changes from middle to end.

    One table per group, one row per method: the peak (share of training, mean over seeds), the loss since, the changes
    of AUROC and of accuracy between the two windows of `late_change`, with 95 % intervals over seeds.

    Parameters
    ----------
    groups : iterable of study.Group
        The finished runs to show.
    window : int
        Number of consecutive evaluations that are averaged.

    Returns
    -------
    str
        Markdown.
    """

    def cells(runs):
        peaks = [peak(r, window=window) for r in runs]
        late = [over_seeds([late_change(r, m) for r in runs]) for m in ("auroc", "accuracy")]
        return [
            f"{100 * np.mean([p.share for p in peaks]):.0f}",
            markdown.interval(over_seeds([p.loss for p in peaks]), 100, bold=False),
            markdown.interval(late[0], 100),
            markdown.interval(late[1], 100),
        ]

    heading = ("method", "best at, % of training", "best − last (smoothed)", "AUROC, end − middle",
               "accuracy, end − middle")  # fmt: skip
    rows = [(g.title, names.name(method), *cells(runs)) for g in groups for method, runs in g.runs.items()]
    return markdown.grouped(heading, rows, "The other networks: best against last")


def early_stopping_table(groups, metric: str = "auroc", window: int = WINDOW) -> str:
    """Return, as Markdown, what `early_stopping` changes: one table per group, one row per method of several seeds.

    Parameters
    ----------
    groups : iterable of study.Group
        The finished runs to show.
    metric : str
        Name of a metric, as `metrics.evaluate` returns it.
    window : int
        Number of consecutive evaluations that are averaged.

    Returns
    -------
    str
        Markdown.
    """

    def cells(runs):
        found = early_stopping(runs, metric, window)
        shown = [markdown.interval(over_seeds(found[m]), names.DISPLAY[m][0]) for m in ("auroc", "aurc", "accuracy")]
        return [f"{100 * found['share'].mean():.0f}", *shown]

    rows = [
        (g.title, names.name(method), *cells(runs)) for g in groups for method, runs in g.runs.items() if len(runs) > 1
    ]
    heading = ("method", "stop at, % of training", "AUROC %", "AURC ×10³", "accuracy %")
    return markdown.grouped(heading, rows, "The other networks: stopping early")
