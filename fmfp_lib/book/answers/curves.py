"""Answers that are read off curves and bins."""

import numpy as np

from ... import metrics
from .. import names
from ..markdown import signed
from ..training_curves import curve, smoothed


def halved_risk(confidence, correct, who: str) -> str:
    """Say at which coverage a curve of selective risk reaches half of its risk at full coverage.

    Parameters
    ----------
    confidence : array_like, (n,)
        Any finite score, higher for more trust.
    correct : array_like, (n,), bool
        Whether each prediction is correct.
    who : str
        Whose curve it is.

    Returns
    -------
    str
        A sentence.
    """
    risk = 1 - np.mean(correct)
    at = metrics.coverage_at_risk(confidence, correct, risk / 2)
    return (
        f"The risk of {who} is {100 * risk:.1f} % at full coverage, and half of that at a coverage of {100 * at:.0f} %."
    )


def coverage_at(scored: dict, risk: float) -> str:
    """Say how many images each network answers at a selective risk, and how many stay without an answer.

    Parameters
    ----------
    scored : dict of str to tuple of ndarray
        Confidence and correctness, (n,) each, by the network's name.
    risk : float
        Selective risk, in [0, 1].

    Returns
    -------
    str
        A sentence.
    """
    parts = []
    for who, (confidence, correct) in scored.items():
        n, at = len(correct), metrics.coverage_at_risk(confidence, correct, risk)
        parts.append(f"{who} answers {100 * at:.0f} % ({round(n * (1 - at)):,} of {n:,} images go unanswered)")
    return f"At a risk of {100 * risk:.1f} %, {'; '.join(parts)}."


def bins(confidence, correct) -> str:
    """Say which bin adds most to ECE, and which has the largest gap.

    Parameters
    ----------
    confidence : array_like, (n,)
        Probabilities, in [0, 1].
    correct : array_like, (n,), bool
        Whether each prediction is correct.

    Returns
    -------
    str
        Sentences.
    """
    mean, accuracy, share = metrics.reliability_curve(confidence, correct)
    gap = abs(mean - accuracy)
    most, widest = int((share * gap).argmax()), int(gap.argmax())

    def told(i):
        own = 100 * share[i] * gap[i]
        return (f"holds {100 * share[i]:.{1 if share[i] >= 0.001 else 2}f} % of the images with a gap of "
                f"{100 * gap[i]:.1f} points, so it adds {f'{own:.2f}' if own >= 0.005 else 'less than 0.01'} of ECE's "
                f"{100 * (share * gap).sum():.2f} points")  # fmt: skip

    first = f"The bin of mean confidence {mean[most]:.2f} adds most: it {told(most)}."
    if most == widest:
        return first + " It has the largest gap, too."
    return first + f" The largest gap is another bin's, of mean confidence {mean[widest]:.2f}: it {told(widest)}."


def widest_gap(runs: dict, between=(0.01, 1.0)) -> str:
    """Say at which coverage a curve of selective risk is furthest from the baseline's, in points and in proportion.

    Where the baseline makes no error there is no proportion, which is said too.

    Parameters
    ----------
    runs : dict of str to list of records.Record
        By method, the baseline among them.
    between : tuple of float
        Smallest and largest coverage that count.

    Returns
    -------
    str
        Sentences.
    """
    curves = {}
    for method, records in runs.items():
        found = [metrics.risk_coverage_curve(*r.scored) for r in records]
        curves[method] = np.mean([risk for _, risk in found], 0)
        coverage = found[0][0]
    seen = (coverage >= between[0]) & (coverage <= between[1])
    base, at = curves["baseline"][seen], coverage[seen]
    gaps = {m: abs(risk[seen] - base) for m, risk in curves.items() if m != "baseline"}
    method = max(gaps, key=lambda m: gaps[m].max())
    i = int(gaps[method].argmax())
    shares = {m: np.divide(gap, base, out=np.full_like(gap, -1), where=base > 0) for m, gap in gaps.items()}
    other = max(shares, key=lambda m: shares[m].max())
    j = int(shares[other].argmax())

    def told(method, i):
        return (f"{names.name(method)} at a coverage of {100 * at[i]:.1f} %, {100 * base[i]:.2f} → "
                f"{100 * curves[method][seen][i]:.2f} %")  # fmt: skip

    text = f"Furthest in points: {told(method, i)}."
    if not base.any():
        return f"{text} The baseline makes no error at these coverages, so no ratio exists."
    if base[0] > 0:
        return f"{text} Furthest in proportion: {told(other, j)}."
    start = 100 * at[(base > 0).argmax()]
    none = f"Where the baseline makes no error, below a coverage of {start:.1f} %, no ratio exists"
    return f"{text} {none}; beyond, furthest in proportion: {told(other, j)}."


def least_ece(sweeps: dict, temperatures, fitted: dict) -> str:
    """Say, for each network, which temperature has the least ECE, and which were fitted.

    Parameters
    ----------
    sweeps : dict of str to list of dict
        A title; what `confidence.temperature_sweep` returned for each seed.
    temperatures : ndarray of shape (m,)
        Of the sweeps.
    fitted : dict of str to dict of str to list of float
        A title; ``ts_valid`` and ``ts_optimal``, by seed.

    Returns
    -------
    str
        A sentence.
    """
    parts = []
    for title, sweep in sweeps.items():
        least = temperatures[np.mean([run["ece"] for run in sweep], 0).argmin()]
        valid, test = (np.mean(fitted[title][key]) for key in ("ts_valid", "ts_optimal"))
        parts.append(f"{title}: least ECE at T = {least:.2f}, fitted {valid:.2f} (validation) and {test:.2f} (test)")
    return "; ".join(parts) + "."


def opening(runs: dict) -> str:
    """Say when the distance of each method's confidence in correct predictions from the baseline's opens, and what it
    does as the learning rate first falls.

    Parameters
    ----------
    runs : dict of str to list of records.Record
        By method, the baseline among them.

    Returns
    -------
    str
        Sentences.
    """

    places = {"at 10 %": 0.1, "just before 40 %": 0.38, "at 45 %": 0.45, "at the end": 1.0}

    def at_places(records):
        seen = [[e.get("confidence_right") for e in r.history] for r in records]
        values = 100 * np.mean([[c for c in own if c is not None] for own in seen], 0)
        return values[[max(round(p * len(values)) - 1, 0) for p in places.values()]]

    values = {m: at_places(records) for m, records in runs.items()}
    distances = {m: v - values["baseline"] for m, v in values.items() if m != "baseline"}
    early, late, narrower, wider = [], [], [], []
    for method, (start, before, after, end) in ((m, np.abs(d)) for m, d in distances.items()):
        (early if start >= end / 2 else late).append(method)
        (narrower if after < before else wider).append(method)
    opens = [f"at once for {names.listed(early)} (at 10 % half of the final distance, or more, is there)"] * bool(early)
    opens += [f"late for {names.listed(late)}"] * bool(late)
    moves = ", ".join(f"{signed(v[2] - v[1], 1)} ({names.name(m)})" for m, v in values.items())
    does = [f"{verb} for {names.listed(m)}" for verb, m in (("narrows", narrower), ("does not narrow", wider)) if m]
    parts = [
        f"{names.name(m)} " + ", ".join(f"{signed(v, 1)} {word}" for v, word in zip(d, places, strict=True))
        for m, d in distances.items()
    ]
    return (
        f"The distance opens {' and '.join(opens)}. From just before 40 % to 45 % of the epochs, as the learning rate "
        f"falls, the curves move by {moves} points: the distance {' and '.join(does)}. Points from the baseline's "
        f"curve, by the share of the epochs that have passed: {'; '.join(parts)}."
    )


def steepest(records, window: int) -> str:
    """Say between which shares of training smoothed curves rise most.

    Parameters
    ----------
    records : list of records.Record
        Runs of one method, with equally many evaluations.
    window : int
        Evaluations in a moving average.

    Returns
    -------
    str
        A sentence.
    """
    parts = []
    for quantity, what in (("accuracy", "accuracy"), ("auroc", "AUROC")):
        curves = [smoothed(*curve(r, quantity), window) for r in records]
        epochs, values = curves[0][0], np.mean([v for _, v in curves], 0)
        if len(epochs) < 3:
            return "There are too few evaluations to see a rise."
        later = epochs >= 0.15 * records[0].settings.epochs  # after the rise at the start, which every training has
        rises = np.where(later[:-1], np.diff(values), -np.inf)
        i = int(rises.argmax())
        share = 100 * epochs[i : i + 2] / records[0].settings.epochs
        when = f"between {share[0]:.0f} and {share[1]:.0f} % of the epochs"
        parts.append(f"{what} {when}, by {signed(100 * rises[i], 1)} points")
    return f"After the start, the steepest step of the smoothed curves: {'; '.join(parts)}."


def beginnings(curves: dict) -> str:
    """Say where each method's loss begins without a perturbation, and how far it rises.

    Parameters
    ----------
    curves : dict of str to dict of str to ndarray
        By method: ``loss`` (runs, m), as `flatness_study.curves` returns it for one network.

    Returns
    -------
    str
        A sentence.
    """
    told = {m: (found["loss"][:, 0].mean(), np.ptp(found["loss"].mean(0)[[0, -1]])) for m, found in curves.items()}
    parts = (f"{names.name(m)} begins at {first:.3f} and ends {rise:.2f} higher" for m, (first, rise) in told.items())
    return f"In nats: {'; '.join(parts)}."


def ends(lines: dict) -> str:
    """Say which end of each line between two solutions is lower, and where its lowest and highest points lie.

    Parameters
    ----------
    lines : dict of str to tuple of ndarray
        By method: places from 0 (the baseline) to 1, and the loss there.

    Returns
    -------
    str
        Sentences.
    """
    parts = []
    for method, (places, losses) in lines.items():
        lower = names.name(method) if losses[-1] < losses[0] else names.name("baseline")
        low, high = (places[i] for i in (losses.argmin(), losses.argmax()))
        parts.append(
            f"To {names.name(method)}: {losses[0]:.3f} → {losses[-1]:.3f} nats, so {lower}'s end is lower; lowest at "
            f"{100 * low:.0f} % of the way, highest at {100 * high:.0f} % ({losses.max():.3f})"
        )
    return ". ".join(parts) + "."


def over_confidence(found: dict) -> str:
    """Say at which severity mean confidence is furthest above accuracy.

    Parameters
    ----------
    found : dict of str to ndarray, (5,)
        Mean confidence minus accuracy at severities 1 to 5, by the network's name.

    Returns
    -------
    str
        A sentence.
    """
    parts = [
        f"{who}: at severity {gap.argmax() + 1}, {signed(100 * gap.max(), 1)} points" for who, gap in found.items()
    ]
    return "Where mean confidence is furthest above accuracy: " + "; ".join(parts) + "."


def above_promise(kept, risk: float) -> str:
    """Say where the risks of a threshold without a guarantee lie over many draws.

    Parameters
    ----------
    kept : threshold_study.Kept
    risk : float
        The promise, in [0, 1].

    Returns
    -------
    str
        A sentence.
    """
    return (
        f"On average the risk is {100 * np.nanmean(kept.risk):.2f} %, and {100 * (1 - kept.share(risk)):.0f} % of the "
        f"draws lie above the promised {100 * risk:g} %."
    )


def tempered(records, temperatures=(1.0, 1.5, 3.0)) -> str:
    """Say what a temperature does to the gap of the mean confidences and to AUROC.

    Parameters
    ----------
    records : list of records.Record
    temperatures : sequence of float

    Returns
    -------
    str
        A sentence.
    """
    parts = []
    for t in temperatures:
        rows = []
        for r in records:
            c, correct = metrics.softmax(r.logits / t).max(1), r.logits.argmax(1) == r.labels
            rows.append((c[correct].mean() - c[~correct].mean(), metrics.auroc(c, correct)))
        gap, auroc = 100 * np.mean(rows, 0)
        parts.append(f"T = {t:g}: gap {gap:.1f} points, AUROC {auroc:.1f} %")
    return "; ".join(parts) + "."
