"""Ranking metrics of many bootstrap replicates at once: a score is sorted once, a replicate is a column of counts."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np


class Ranked:
    """A score's test images, sorted once: ranking metrics of any number of replicates.

    Between two errors a ranking metric changes as the number of correct images does, so that only the groups of equal
    confidence that hold an error are looked at, and how many correct images lie between them.

    Parameters
    ----------
    confidence : ndarray, (n,)
        Finite scores.
    correct : ndarray, (n,), bool
        Whether each prediction is correct.
    """

    def __init__(self, confidence, correct):
        self.confidence, self.correct, n = confidence, correct, len(correct)
        self.n = n
        self.harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, n + 1))])  # H_0 to H_n
        self.harmonic_sums = np.append(0.0, np.cumsum(self.harmonic))  # of H_0 to H_(t - 1)
        order = np.argsort(-confidence, kind="stable")
        ordered, incorrect = confidence[order], ~correct[order]
        group = np.append(0, np.cumsum(ordered[1:] != ordered[:-1]))[:n]
        self.correct_images, self.correct_group = order[~incorrect], group[~incorrect]
        groups = self.error_groups = np.unique(group[incorrect])
        # Of each group with an error: the number of correct images before it, and down to its end.
        ends = [np.searchsorted(self.correct_group, groups, side) for side in ("left", "right")]
        self.bounds = np.unique(np.concatenate([[0, len(self.correct_images)], *ends]))
        self.mixed = bool((ends[0] < ends[1]).any())  # whether a group holds correct and incorrect images
        self.first, self.last = (np.searchsorted(self.bounds, end) for end in ends)
        # One row for the correct images between two bounds, then one for the errors of each group.
        segments = len(self.bounds) - 1
        row = np.empty(n, np.intp)
        row[self.correct_images] = np.repeat(np.arange(segments), np.diff(self.bounds))
        row[order[incorrect]] = segments + np.searchsorted(groups, group[incorrect])
        self.sums = sums_by_group(np.ones(n, np.float32), row, segments + len(groups))

    def drawn(self, counts) -> "Drawn":
        """Return what every ranking metric of some replicates is made of.

        Parameters
        ----------
        counts : ndarray, (n, r), float
            How often each replicate draws each image.

        Returns
        -------
        Drawn
            Counts in each group that holds an error.
        """
        sums, segments = self.sums @ counts, len(self.bounds) - 1
        return Drawn(self, counts, running_sum(sums[:segments]), sums[segments:])


@dataclass
class Drawn:
    """Replicates of one score: counts in each group that holds an error, from the most confident group down.

    Attributes
    ----------
    ranked : Ranked
        The score.
    counts : ndarray, (n, r)
        How often each image was drawn.
    correct : ndarray, (b, r)
        Correct images down to each of the score's bounds.
    errors : ndarray, (g, r)
        Errors in each group.
    """

    ranked: Ranked
    counts: np.ndarray
    correct: np.ndarray
    errors: np.ndarray

    @cached_property
    def errors_to(self):
        """Errors in the first 0 to g groups, (g + 1, r)."""
        return running_sum(self.errors)

    @cached_property
    def all_correct(self):
        """Correct images of each replicate, (r,)."""
        return self.correct[-1].astype(np.float64)

    @cached_property
    def all_errors(self):
        """Errors of each replicate, (r,)."""
        return self.errors_to[-1].astype(np.float64)

    @cached_property
    def correct_before(self):
        """Correct images before each group, (g, r)."""
        return self.correct[self.ranked.first]

    @cached_property
    def correct_within(self):
        """Correct images in each group, (g, r), or 0 where all groups are pure."""
        return self.correct[self.ranked.last] - self.correct_before if self.ranked.mixed else np.float32(0)

    @cached_property
    def before(self):
        """Images before each group, (g, r)."""
        return self.correct_before + self.errors_to[:-1]

    @cached_property
    def size(self):
        """Images in each group, (g, r)."""
        return self.errors + self.correct_within if self.ranked.mixed else self.errors

    @cached_property
    def share(self):
        """Share of errors among the images of each group, (g, r), or 1 where all groups are pure."""
        if not self.ranked.mixed:
            return np.float64(1)
        return self.errors / np.maximum(self.size, 1, dtype=np.float64)

    @cached_property
    def confidences(self):
        """Mean confidence of correct and of incorrect predictions of each replicate, each (r,)."""
        found = []
        for part in (1.0 * self.ranked.correct, 1.0 - self.ranked.correct):
            # `@` would wake BLAS threads, which wait badly on a busy machine.
            total, number = (np.einsum("n,nr->r", v, self.counts) for v in (self.ranked.confidence * part, part))
            with np.errstate(divide="ignore", invalid="ignore"):
                found.append(total / number)
        return found

    @cached_property
    def ranking(self) -> dict[str, np.ndarray]:
        """Each ranking metric, (r,)."""
        n, sums = self.ranked.n, self.ranked.harmonic_sums
        e, c = self.all_errors, self.all_correct
        # Spread over its group, an error at place t is among the first k images for every k >= t: sum 1 / k over these.
        before, after = self.before.astype(np.intp), (self.before + self.size).astype(np.intp)
        placed = self.share * (sums[after] - sums[before])
        risk = (e * self.ranked.harmonic[n] - placed.sum(0)) / n
        above = self.correct_before + self.correct_within / np.float64(2)
        ranked = np.einsum("gr,gr->r", self.errors.astype(np.float64), above)  # correct images above all errors
        r, undefined = e / n, (e == 0) | (c == 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            optimum = np.where(r < 1, r + (1 - r) * np.log1p(-r), 1.0)
            auroc = ranked / (c * e)
            fpr95 = (self.errors * (self.correct_before < self._nearest_to_95())).sum(0) / e
        return {
            "aurc": risk,
            "eaurc": risk - optimum,
            "augrc": (c * e - ranked + e * (e + 1) / 2) / n**2,
            "auroc": np.where(undefined, np.nan, auroc),
            "fpr95": np.where(undefined, np.nan, fpr95),
        }

    def _nearest_to_95(self):
        """Return the correct images (r,) accepted at the threshold whose TPR is nearest to 0.95, the first of them."""
        ranked, total, columns = self.ranked, self.all_correct, np.arange(self.counts.shape[1])
        if not len(ranked.correct_images):
            return total
        target = np.ceil(0.95 * total)
        # The threshold lies between two bounds; the images between the lowest and the highest are run through.
        bound = (self.correct < target).sum(0)
        low, high = max(bound.min() - 2, 0), max(bound.max(), 1)
        first, last = ranked.bounds[low], ranked.bounds[high]
        reached = self.correct[low] + running_sum(self.counts[ranked.correct_images[first:last]])[1:]
        group = ranked.correct_group[first:last]
        reached = reached[np.append(np.flatnonzero(np.diff(group)), len(group) - 1)]
        above = np.minimum((reached < target).sum(0), len(reached) - 1)
        upper, lower = reached[above, columns], reached[np.maximum(above - 1, 0), columns]
        with np.errstate(divide="ignore", invalid="ignore"):
            far = [np.abs(value / total - 0.95) for value in (lower, upper)]
        return np.where(far[0] <= far[1], lower, upper)


def running_sum(rows):
    """Return the sums over the first 0 to m rows.

    Parameters
    ----------
    rows : ndarray, (m, r)
        Numbers.

    Returns
    -------
    ndarray, (m + 1, r)
        Of the same type.
    """
    m, r = rows.shape
    block = max(int(np.sqrt(m)), 1)
    blocks = -(-m // block)
    sums = np.zeros((1 + blocks * block, r), rows.dtype)
    sums[1 : m + 1] = rows
    within = sums[1:].reshape(blocks, block, r)
    for i in range(1, block):
        within[:, i] += within[:, i - 1]
    for i in range(1, blocks):
        within[i] += within[i - 1, -1]
    return sums[: m + 1]


def sums_by_group(values, group, groups: int):
    """Return the matrix whose product with counts (n, r) sums values over each group.

    Parameters
    ----------
    values : ndarray, (n,)
        Of each image.
    group : ndarray, (n,), int
        Group of each image, 0 to groups - 1.
    groups : int
        Number of groups.

    Returns
    -------
    scipy.sparse.csr_array, (groups, n)
        One entry in each column.
    """
    from scipy.sparse import csr_array  # slow to import

    return csr_array((values, (group, np.arange(len(group)))), (groups, len(group)))
