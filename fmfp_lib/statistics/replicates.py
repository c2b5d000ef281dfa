"""Bootstrap replicates: drawn as counts, reduced to statistics, and kept, for one baseline is compared with many."""

import hashlib
from functools import lru_cache

import numpy as np

from .comparison import Comparison, from_replicates
from .seeds import mean_over_drawn_seeds

CHUNK = 2**20  # counts at once, replicates times images: what fits the cache
SHARED = 20_000_000  # counts, replicates times images: so many are kept and shared; more are drawn anew each time
KEPT: dict = {}  # statistics already computed, by the content of what they were computed from


def drawn_counts(n: int, replicates: int, seed: int):
    """Yield chunks (n, r) of how often each of n images was drawn with replacement.

    Parameters
    ----------
    n : int
        Number of images.
    replicates : int
        Number of bootstrap replicates.
    seed : int
        Of the random draws.

    Yields
    ------
    ndarray, (n, columns), float
        Counts of some of the replicates, in order.
    """
    yield from (_draw if n * replicates > SHARED else _shared_counts)(n, replicates, seed)


@lru_cache(4)
def _shared_counts(n, replicates, seed):
    """Return all the counts of `drawn_counts`: every classifier tested on n images has the same."""
    return list(_draw(n, replicates, seed))


def _draw(n, replicates, seed):
    rng = np.random.default_rng(seed)
    columns = min(replicates, max(CHUNK // n, 1))
    exact = np.float32 if n < 2**24 else np.float64  # counts are summed in their own type
    for first in range(0, replicates, columns):
        r = min(columns, replicates - first)
        drawn = rng.integers(0, n, (r, n)) * r + np.arange(r)[:, None]
        yield np.bincount(drawn.ravel(), minlength=n * r).reshape(n, r).astype(exact)


def replicates_of(arrays, n: int, names, prepare, replicates: int, seed: int) -> tuple[dict, dict]:
    """Return named statistics of the whole set, (1,) each, and of its replicates, (r,) each.

    Parameters
    ----------
    arrays : sequence of array_like
        What the statistics are computed from; they are computed once for each content.
    n : int
        Images, of which as many are drawn in each replicate.
    names : sequence of str
    prepare : callable
        From the names that are still missing to a function from counts (n, r) to a dictionary of (r,).
    replicates, seed : int
        Of the draws.

    Returns
    -------
    tuple of dict of str to ndarray
        Of the whole set, (1,) each, and of the replicates, (r,) each.
    """
    key = hashlib.sha256(repr((replicates, seed)).encode())
    for array in map(np.asarray, arrays):
        key.update(repr((array.shape, array.dtype.str)).encode() + array.tobytes())
    whole, drawn = KEPT.get(key.digest(), ({}, {}))
    if missing := [name for name in names if name not in drawn]:
        statistics = prepare(missing)
        parts = [statistics(counts) for counts in drawn_counts(n, replicates, seed)]
        whole = whole | statistics(np.ones((n, 1), np.float32))
        drawn = drawn | {name: np.concatenate([part[name] for part in parts]) for name in missing}
        if len(KEPT) > 1000:
            KEPT.clear()
        KEPT[key.digest()] = whole, drawn
    return whole, drawn


def compare_replicates(side_a, side_b, names, seed: int, draw_seeds: bool = True) -> dict[str, Comparison]:
    """Compare two methods from what `replicates_of` gives for each run, the runs of both sides paired by seed.

    Parameters
    ----------
    side_a, side_b : sequence of tuple
        What `replicates_of` returns for each run, in the same order of seeds.
    names : sequence of str
        Names of the statistics.
    seed : int
        Of the draw of seeds.
    draw_seeds : bool
        Whether seeds are drawn, too.

    Returns
    -------
    dict of str to Comparison
        By name.
    """
    result = {}
    for name in names:
        a, b = (float(np.mean([whole[name][0] for whole, _ in side])) for side in (side_a, side_b))
        differences = np.stack([y[name] - x[name] for (_, x), (_, y) in zip(side_a, side_b, strict=True)], 1)
        drawn = mean_over_drawn_seeds(differences, seed) if draw_seeds else differences.mean(1)
        result[name] = from_replicates(name, a, b, drawn)
    return result


def check_pairs(runs_a, runs_b) -> None:
    """Raise ValueError unless there are as many runs of each, and at least one.

    Parameters
    ----------
    runs_a, runs_b : sequence
        Runs of both methods.
    """
    if not len(runs_a) or len(runs_a) != len(runs_b):
        raise ValueError(f"{len(runs_a)} runs against {len(runs_b)}; give as many of each, paired by seed")
