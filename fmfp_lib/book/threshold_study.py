"""What a threshold's promise is worth: kept or broken over many draws of calibration items, and under a shift."""

from dataclasses import dataclass

import numpy as np

from .. import measures, metrics, scores, selective
from .markdown import table

READ_OFF = "read off the curve"  # the largest coverage whose risk on the calibration items themselves is small enough


def read_off(confidence, correct, risk: float) -> float:
    """Return the threshold of the largest coverage whose risk on these very items is at most `risk`: no promise.

    Parameters
    ----------
    confidence : array_like, (n,)
        Any finite score, higher for more trust.
    correct : array_like, (n,), bool
        Whether each prediction is correct.
    risk : float
        Selective risk, in [0, 1].

    Returns
    -------
    float
        Items of higher confidence are accepted: infinite for none, minus infinite for all.
    """
    count = int(round(metrics.coverage_at_risk(confidence, correct, risk) * len(confidence)))
    return float(np.sort(confidence)[::-1][count]) if 0 < count < len(confidence) else (-np.inf if count else np.inf)


@dataclass(frozen=True)
class Kept:
    """Outcomes of one way to choose a threshold, over draws of the calibration items: (draws,) each.

    Attributes
    ----------
    risk, coverage : ndarray
        In the population; the risk is NaN where nothing is accepted.
    """

    risk: np.ndarray
    coverage: np.ndarray

    def share(self, promised: float) -> float:
        """Return in what share of the draws the risk is at most `promised`; accepting nothing counts as kept."""
        return float(np.mean(~(self.risk > promised)))


def over_draws(confidence, correct, risk, level=0.95, size=1000, draws=200) -> dict[str, Kept]:
    """Take some items for a population, draw calibration items from it, and see what the thresholds give there.

    Parameters
    ----------
    confidence, correct : ndarray of shape (n,)
        Of the population.
    risk, level : float
        The promise.
    size : int
        Calibration items of each draw, with replacement.
    draws : int

    Returns
    -------
    dict of str to Kept
        For ``READ_OFF`` and each of ``selective.METHODS``.
    """
    rules = {READ_OFF: lambda c, k: read_off(c, k, risk)} | {
        m: lambda c, k, m=m: selective.choose_threshold(c, k, risk, level, m).threshold for m in selective.METHODS
    }
    rng, found = np.random.default_rng(0), {name: [] for name in rules}
    for _ in range(draws):
        drawn = rng.integers(0, len(confidence), size)
        for name, rule in rules.items():
            outcome = selective.outcome(rule(confidence[drawn], correct[drawn]), confidence, correct)
            found[name].append((outcome.risk, outcome.coverage))
    return {name: Kept(*np.transpose(rows)) for name, rows in found.items()}


def kept_table(found: dict, risk: float) -> str:
    """Return `over_draws` as Markdown: how often the promise was kept, and what coverage it cost.

    Parameters
    ----------
    found : dict
        What `over_draws` returns.
    risk : float
        Selective risk, in [0, 1].

    Returns
    -------
    str
        Markdown.
    """
    rows = [
        (
            name,
            f"{100 * kept.share(risk):.1f}",
            f"{100 * np.nanmean(kept.risk):.2f}" if kept.coverage.any() else "–",
            f"{100 * kept.coverage.mean():.1f}",
        )
        for name, kept in found.items()
    ]
    return table(("threshold", "promise kept, % of draws", "mean risk, %", "mean coverage, %"), rows)


def under_shift(record, risk: float, level: float = 0.95):
    """Choose a threshold on clean test images and apply it to others, clean and corrupted; None without ``shift``.

    Parameters
    ----------
    record : records.Record
        A finished run.
    risk : float
        Largest risk to promise, in (0, 1).
    level : float
        Probability with which the promise holds, in (0, 1).

    Returns
    -------
    threshold : selective.Threshold
        Chosen on the test images that the measure ``shift`` left out, by the log-odds of MSP as ``shift`` keeps them.
    clean : selective.Outcome
        On the other images as they are.
    shifted : dict of str to list of selective.Outcome
        On the same images under each corruption, by severity.
    """
    arrays = measures.load(record, "shift")
    if arrays is None:
        return None
    count = arrays["score"].shape[2]
    score = np.rint(64 * scores.log_odds(record.logits)) / 64
    correct = record.correct
    chosen = selective.choose_threshold(score[count:], correct[count:], risk, level)
    clean = selective.outcome(chosen.threshold, score[:count], correct[:count])
    shifted = {
        str(kind): [selective.outcome(chosen.threshold, s, k) for s, k in zip(own, right, strict=True)]
        for kind, own, right in zip(arrays["kinds"], arrays["score"].astype(float), arrays["correct"], strict=True)
    }
    return chosen, clean, shifted


def by_severity(clean, shifted) -> dict[str, np.ndarray]:
    """Return ``risk`` and ``coverage``, (6,): of the clean images, then pooled over corruptions at each severity.

    Parameters
    ----------
    clean : selective.Outcome
        On clean images.
    shifted : dict of str to list of selective.Outcome
        By corruption, then severity.

    Returns
    -------
    dict of str to ndarray, (6,)
        ``risk`` and ``coverage``, in [0, 1].
    """
    rows = [[clean]] + [list(cells) for cells in zip(*shifted.values(), strict=True)]
    accepted, errors, n = (
        np.array([sum(getattr(o, k) for o in row) for row in rows]) for k in ("accepted", "errors", "n")
    )
    with np.errstate(invalid="ignore"):
        return {"risk": errors / accepted, "coverage": accepted / n}
