"""Comparisons of finished runs, paired by seed, each with its 95 % interval."""

import numpy as np

from ..metrics import softmax
from ..statistics import RANKING, REPLICATES, SUMS, compare_methods, compare_scores


def against_baseline(
    records, methods, metrics=("accuracy", "auroc", "aurc", "ece"), replicates: int = REPLICATES,
    reference: str = "baseline",
) -> dict:  # fmt: skip
    """Compare methods with the baseline (or another `reference`) of the same network, seed by seed.

    Parameters
    ----------
    records : list of records.Record
        Of one data set, network and regime.
    methods : sequence of str
        What to compare; those without a record that has a reference of the same seed are left out.

    Returns
    -------
    dict of str to dict of str to statistics.Comparison
        Method, then metric.
    """
    runs = {(r.settings.method, r.settings.seed): (r.logits, r.labels) for r in records}
    result = {}
    for method in methods:
        seeds = sorted(s for m, s in runs if m == method and (reference, s) in runs)
        if seeds:
            pairs = [[runs[m, s] for s in seeds] for m in (reference, method)]
            result[method] = paired_runs(*pairs, metrics, replicates)
    return result


def paired_runs(runs_a, runs_b, metrics=("accuracy", "auroc", "aurc", "ece"), replicates: int = REPLICATES) -> dict:
    """Compare runs (logits, labels), paired by seed, in metrics and in statistics of confidence (MSP), as named.

    `statistics.compare_methods` takes the metrics and `statistics.compare_scores` the rest, with the same draws.
    """
    plain = [m for m in metrics if m in RANKING + SUMS]
    rest = [m for m in metrics if m not in RANKING + SUMS]
    found = compare_methods(runs_a, runs_b, plain, replicates) if plain else {}
    if rest:
        scores = [[(softmax(z).max(1), z.argmax(1) == y) for z, y in runs] for runs in (runs_a, runs_b)]
        found |= compare_scores(*scores, rest, replicates)
    return {m: found[m] for m in metrics}


def method_pairs(records, pairs, metrics=("accuracy", "auroc", "aurc", "ece"), replicates: int = REPLICATES) -> dict:
    """Compare methods with others than the baseline, seed by seed.

    Parameters
    ----------
    records : list of records.Record
        Of one data set, network and regime.
    pairs : dict of str to (str, str)
        A label for each comparison, and its two methods: the second is compared with the first. Pairs without a
        common seed are left out.

    Returns
    -------
    dict of str to dict of str to statistics.Comparison
        Label, then metric.
    """
    runs = {(r.settings.method, r.settings.seed): (r.logits, r.labels) for r in records}
    result = {}
    for label, methods in pairs.items():
        seeds = sorted({s for m, s in runs if m == methods[0]} & {s for m, s in runs if m == methods[1]})
        if seeds:
            result[label] = compare_methods(*([runs[m, s] for s in seeds] for m in methods), metrics, replicates)
    return result


def against_msp(records, score, fit=None, metrics=("auroc", "aurc", "augrc"), replicates: int = REPLICATES) -> dict:
    """Compare a confidence score with the maximum softmax probability on the same networks and test images.

    Parameters
    ----------
    records : list of records.Record
        Finished runs on one test set, such as one method's seeds.
    score : callable
        From logits (n, k) to confidence (n,), growing with trust. The predictions stay the network's own.
    fit : callable, optional
        From validation logits (m, k) and labels (m,) to what `score` gets as its second argument.
    metrics : sequence of str
        As `statistics.compare_scores` takes them.

    Returns
    -------
    dict of str to statistics.Comparison
        `a` is MSP's and `b` the score's.

    Raises
    ------
    ValueError
        If the score does not give one finite number an image.

    Examples
    --------
    ``against_msp(group.runs["baseline"], p_norm_max_logit, fit=fit_p)``
    """
    plain, scored = [], []
    for record in records:
        correct = record.logits.argmax(1) == record.labels
        fitted = () if fit is None else (fit(record.valid_logits, record.valid_labels),)
        value = np.asarray(score(record.logits.copy(), *fitted), np.float64)
        if value.shape != correct.shape or not np.isfinite(value).all():
            raise ValueError(
                f"the score gave an array of shape {value.shape}, {np.sum(~np.isfinite(value))} of its values NaN or "
                f"infinite; it must give one finite number an image, shape {correct.shape}"
            )
        plain.append((softmax(record.logits).max(1), correct))
        scored.append((value, correct))
    return compare_scores(plain, scored, metrics, replicates)
