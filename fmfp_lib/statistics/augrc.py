"""What AUGRC is made of: ranking and number of errors; where two metrics disagree; whether effects add up."""

import numpy as np

from .bootstrap import compare_methods, metric_replicates
from .comparison import REPLICATES, Comparison, from_replicates
from .seeds import mean_over_drawn_seeds


def augrc_from(auroc, error_rate, n):
    """Return the AUGRC of `n` images, which AUROC and error rate determine (Traub et al. 2024).

    An error is accepted at its own place and at every later one, so AUGRC counts, for each error, the images at or
    below it: correct ones, which AUROC counts too, and other errors, whose number is given. With error rate r,
    AUGRC = (1 - AUROC) r (1 - r) + r^2 / 2 + r / 2n; ties count half, in both.

    Parameters
    ----------
    auroc : float or ndarray
        In [0, 1].
    error_rate : float or ndarray
        In [0, 1].
    n : int
        Number of images.

    Returns
    -------
    float or ndarray
        In [0, (n + 1) / (2n)].
    """
    r = error_rate
    return (1 - auroc) * r * (1 - r) + r * r / 2 + r / (2 * n)


def augrc_sources(runs_a, runs_b, replicates: int = REPLICATES, seed: int = 0) -> dict[str, Comparison]:
    """Split a difference in AUGRC into what comes from ranking and what from the number of errors.

    Each part is the change when one of AUROC and error rate moves from a's value to b's, averaged over the two orders
    in which they can move; the two parts add up to the whole.

    Parameters
    ----------
    runs_a, runs_b : sequence of (logits, labels)
        As in `compare_methods`.
    replicates, seed : int
        As in `paired_bootstrap`.

    Returns
    -------
    dict of str to Comparison
        ``augrc``, ``by_ranking`` and ``by_errors``, whose `metric` is ``augrc`` throughout.
    """
    compare_methods(runs_a, runs_b, ("auroc",), replicates, seed)  # checks the arguments; what it draws is kept
    parts = {"augrc": [], "by_ranking": [], "by_errors": []}
    for run_a, run_b in zip(runs_a, runs_b, strict=True):
        ends = [metric_replicates(*run, ("auroc", "accuracy"), replicates, seed) for run in (run_a, run_b)]
        # The whole set first, then its replicates.
        (u, r), (v, q) = (
            (np.append(whole["auroc"], drawn["auroc"]), 1 - np.append(whole["accuracy"], drawn["accuracy"]))
            for whole, drawn in ends
        )
        n = len(run_a[1])
        corners = {(i, j): augrc_from((u, v)[i], (r, q)[j], n) for i in (0, 1) for j in (0, 1)}
        parts["augrc"].append(corners[1, 1] - corners[0, 0])
        parts["by_ranking"].append((corners[1, 0] - corners[0, 0] + corners[1, 1] - corners[0, 1]) / 2)
        parts["by_errors"].append((corners[0, 1] - corners[0, 0] + corners[1, 1] - corners[1, 0]) / 2)
    result = {}
    for name, values in parts.items():
        values = np.stack(values, 1)
        drawn = mean_over_drawn_seeds(values[1:], seed)
        result[name] = from_replicates("augrc", 0.0, float(values[0].mean()), drawn)
    return result


def interaction(whole: Comparison, parts) -> Comparison:
    """Compare what several ingredients do together with the sum of what each does alone.

    Parameters
    ----------
    whole : Comparison
        All ingredients against the baseline.
    parts : sequence of Comparison
        One ingredient each against the same baseline, made with the same draws (as `compare_methods` does for equal
        numbers of runs, replicates and seed).

    Returns
    -------
    Comparison
        `a` is the sum of the parts' differences, `b` the whole's: a difference of 0 means that effects add up.

    Raises
    ------
    ValueError
        If metrics or numbers of replicates differ, or there are no parts.
    """
    parts = list(parts)
    if not parts or {(c.metric, len(c.replicates)) for c in parts} != {(whole.metric, len(whole.replicates))}:
        raise ValueError("whole and parts must be comparisons in one metric with equally many replicates")
    added = float(sum(c.difference for c in parts))
    drawn = whole.replicates - np.sum([c.replicates for c in parts], 0)
    return from_replicates(whole.metric, added, whole.difference, drawn)


def reordered(runs, first: str, second: str, replicates: int = REPLICATES, seed: int = 0) -> list[tuple]:
    """Return the pairs of methods that two metrics, better when lower, put in opposite orders.

    Parameters
    ----------
    runs : dict of str to sequence of (logits, labels)
        Runs of each method, paired by seed.
    first, second : str
        Metrics from ``RANKING``.
    replicates : int
        Number of bootstrap replicates.
    seed : int
        Of the random draws.

    Returns
    -------
    list of (str, str, Comparison, Comparison)
        Two methods a and b, and b against a in each metric; `first` prefers b and `second` prefers a.
    """
    both = first, second
    whole = {m: [metric_replicates(*run, both, replicates, seed)[0] for run in part] for m, part in runs.items()}
    ranks = {m: {k: np.mean([values[k][0] for values in part]) for k in both} for m, part in whole.items()}
    found = []
    for a in runs:
        for b in runs:
            if ranks[b][first] < ranks[a][first] and ranks[b][second] > ranks[a][second]:
                found.append((a, b, *compare_methods(runs[a], runs[b], (first, second), replicates, seed).values()))
    return found
