"""Comparisons of finished runs, paired by seed, each with its 95 % interval."""

import numpy as np

from ..metrics import softmax
from ..statistics import RANKING, REPLICATES, SUMS, augrc_sources, compare_methods, compare_scores

METRICS = ("accuracy", "auroc", "aurc", "ece")  # compared unless others are named


def by_seed(records) -> dict:
    """Return runs of one method by their seed.

    Raises
    ------
    ValueError
        If two runs have the same seed; the message names their files.
    """
    found = {}
    for record in records:
        other = found.setdefault(record.settings.seed, record)
        if other is not record:
            paths = f"{other.path} and {record.path}"
            raise ValueError(f"{paths} are both seed {record.settings.seed} of {record.settings.method}; keep one")
    return found


def by_method(records) -> dict[str, dict]:
    """Return runs by their method, then by their seed."""
    methods = dict.fromkeys(r.settings.method for r in records)
    return {method: by_seed(r for r in records if r.settings.method == method) for method in methods}


def pair_by_seed(*sides: dict) -> list[list]:
    """Return what each of the `sides`, dictionaries by seed, has for the seeds that all of them have, in order."""
    seeds = sorted(set.intersection(*map(set, sides)))
    return [[side[seed] for seed in seeds] for side in sides]


def classified(records) -> list[tuple]:
    """Return logits (n, k) and labels (n,) of each run."""
    return [(r.logits, r.labels) for r in records]


def against_baseline(
    records, methods, metrics=METRICS, replicates: int = REPLICATES, reference: str = "baseline"
) -> dict:
    """Compare methods with the baseline (or another `reference`) of the same network, seed by seed.

    Parameters
    ----------
    records : list of records.Record
        Of one data set, network and regime.
    methods : sequence of str
        What to compare; those without a record that has a reference of the same seed are left out.
    metrics : sequence of str
        Names of metrics, as `metrics.evaluate` returns them.
    replicates : int
        Number of bootstrap replicates.
    reference : str
        The method that the others are compared with.

    Returns
    -------
    dict of str to dict of str to statistics.Comparison
        Method, then metric.
    """
    return method_pairs(records, {method: (reference, method) for method in methods}, metrics, replicates)


def method_pairs(records, pairs, metrics=METRICS, replicates: int = REPLICATES) -> dict:
    """Compare methods with any others, seed by seed.

    Parameters
    ----------
    records : list of records.Record
        Of one data set, network and regime.
    pairs : dict of str to (str, str)
        A label for each comparison, and its two methods: the second is compared with the first. Pairs without a
        common seed are left out.
    metrics : sequence of str
        Names of metrics, as `metrics.evaluate` returns them.
    replicates : int
        Number of bootstrap replicates.

    Returns
    -------
    dict of str to dict of str to statistics.Comparison
        Label, then metric.
    """
    runs, result = by_method(records), {}
    for label, methods in pairs.items():
        sides = pair_by_seed(*(runs.get(method, {}) for method in methods))
        if sides[0]:
            result[label] = paired_runs(*map(classified, sides), metrics, replicates)
    return result


def of_common_seeds(runs: dict[str, list]) -> dict[str, list]:
    """Return each method's records of those seeds that all methods have, in the order of the seeds.

    Parameters
    ----------
    runs : dict of str to list of records.Record
        By method.

    Returns
    -------
    dict of str to list of records.Record
    """
    return dict(zip(runs, pair_by_seed(*map(by_seed, runs.values())), strict=True))


def paired_runs(runs_a, runs_b, metrics=METRICS, replicates: int = REPLICATES) -> dict:
    """Compare runs (logits, labels), paired by seed, in metrics and in statistics of confidence (MSP), as named.

    `statistics.compare_methods` takes the metrics and `statistics.compare_scores` the rest, with the same draws.

    Parameters
    ----------
    runs_a : sequence of tuple
        Logits (n, k) and labels (n,) of each seed's run of the first method.
    runs_b : sequence of tuple
        The same of the second method, with the same seeds in the same order.
    metrics : sequence of str
        Names of metrics, as `metrics.evaluate` returns them.
    replicates : int
        Number of bootstrap replicates.

    Returns
    -------
    dict of str to statistics.Comparison
        By metric.
    """
    plain = [m for m in metrics if m in RANKING + SUMS]
    rest = [m for m in metrics if m not in RANKING + SUMS]
    found = compare_methods(runs_a, runs_b, plain, replicates) if plain else {}
    if rest:
        scores = [[(softmax(z).max(1), z.argmax(1) == y) for z, y in runs] for runs in (runs_a, runs_b)]
        found |= compare_scores(*scores, rest, replicates)
    return {m: found[m] for m in metrics}


def augrc_parts(records, methods, replicates: int = REPLICATES) -> dict:
    """Split each method's change of AUGRC from the baseline, seed by seed, into its ranking's part and its errors'.

    Parameters
    ----------
    records : list of records.Record
        Of one data set, network and regime.
    methods : sequence of str
        Those without a record that has a baseline of the same seed are left out.
    replicates : int
        Number of bootstrap replicates.

    Returns
    -------
    dict of str to dict of str to statistics.Comparison
        Method, then ``augrc``, ``by_ranking`` and ``by_errors``, as `statistics.augrc_sources` gives them.
    """
    runs, result = by_method(records), {}
    for method in methods:
        sides = pair_by_seed(runs.get("baseline", {}), runs.get(method, {}))
        if sides[0]:
            result[method] = augrc_sources(*map(classified, sides), replicates)
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
    replicates : int
        Number of bootstrap replicates.

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
        fitted = () if fit is None else (fit(record.valid_logits, record.valid_labels),)
        value = np.asarray(score(record.logits.copy(), *fitted), np.float64)
        if value.shape != record.correct.shape or not np.isfinite(value).all():
            raise ValueError(
                f"the score gave an array of shape {value.shape}, {np.sum(~np.isfinite(value))} of its values NaN or "
                f"infinite; it must give one finite number an image, shape {record.correct.shape}"
            )
        plain.append(record.scored)
        scored.append((value, record.correct))
    return compare_scores(plain, scored, metrics, replicates)
