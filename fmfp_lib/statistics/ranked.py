"""Ranking metrics of many bootstrap replicates at once: a score is sorted once, a replicate is a vector of counts."""

import numpy as np


class Ranked:
    """A score's test images, sorted once: ranking metrics of any number of replicates.

    Parameters
    ----------
    confidence : ndarray, (n,)
        Finite scores.
    correct : ndarray, (n,), bool
        Whether each prediction is correct.
    """

    def __init__(self, confidence, correct):
        n = self.n = len(correct)
        self.harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, n + 1))])  # H_0 to H_n
        order = self.order = np.argsort(-confidence, kind="stable")
        ordered, incorrect = confidence[order], ~correct[order]
        # Correct and incorrect images apart, each by confidence. Images of equal confidence form one group.
        self.correct_images, self.error_images = order[~incorrect], order[incorrect]
        ends = np.append(np.flatnonzero(ordered[1:] != ordered[:-1]), n - 1)
        self.ends = None if len(ends) == n else ends  # last places of the groups, where some have several images
        # Correct and incorrect images down to each group's end.
        correct_to, errors_to = (np.append(0, np.cumsum(kind)[ends]) for kind in (~incorrect, incorrect))
        # Errors happen only in groups with an error, and the TPR grows only in groups with a correct image.
        group, step = np.flatnonzero(np.diff(errors_to)), np.flatnonzero(np.diff(correct_to)) + 1
        self.correct_to, self.errors_to = ((kind[group], kind[group + 1]) for kind in (correct_to, errors_to))
        self.correct_at, self.errors_at = correct_to[step], errors_to[step]

    def ranking(self, counts) -> dict[str, np.ndarray]:
        """Return each ranking metric (r,) for the replicates' `counts` (r, n)."""
        n, harmonic = self.n, self.harmonic
        correct, false = (_running_sum(counts.take(images, 1)) for images in (self.correct_images, self.error_images))
        all_correct, all_errors = correct[:, -1], false[:, -1]
        # Of each group with an error: places before it and down to its end, and errors in it.
        (first, last), (false_first, false_last) = self.correct_to, self.errors_to
        false_before, correct_before = false.take(false_first, 1), correct.take(first, 1)
        before, after = correct_before + false_before, correct.take(last, 1) + false.take(false_last, 1)
        errors, size = (false.take(false_last, 1) - false_before).astype(np.float64), after - before
        h_after = harmonic[after]
        # A group's errors are spread evenly over its places, j e / t of them among the first T + j images, and at
        # every later place all e are: the sum over j of (j e / t) / (T + j), and of e over the places further down.
        within = errors - errors / np.maximum(size, 1) * before * (h_after - harmonic[before])
        risk = (within + errors * (harmonic[n] - h_after)).sum(1) / n
        generalised = (errors * (size + 1) / 2 + errors * (n - after)).sum(1) / n**2
        r = all_errors / n
        with np.errstate(divide="ignore", invalid="ignore"):
            optimum = np.where(r < 1, r + (1 - r) * np.log1p(-r), 1.0)
            ranked = (errors * (correct_before + (size - errors) / 2)).sum(1)
            auroc = ranked / (all_correct * all_errors.astype(np.float64))
            fpr95 = self._false_at_95(correct.take(self.correct_at, 1), false) / all_errors
        undefined = (all_errors == 0) | (all_correct == 0)
        return {
            "aurc": risk,
            "eaurc": risk - optimum,
            "augrc": generalised,
            "auroc": np.where(undefined, np.nan, auroc),
            "fpr95": np.where(undefined, np.nan, fpr95),
        }

    def _false_at_95(self, correct, false):
        """Return the errors accepted at the threshold whose TPR is nearest to 0.95, the first of them."""
        found = np.zeros(len(correct))
        for row, (reached, errors) in enumerate(zip(correct, false, strict=True)):
            total = reached[-1] if len(reached) else 0
            if total:
                above = np.searchsorted(reached, np.int32(np.ceil(0.95 * total)))
                nearest = reached[max(above - 1, 0) : above + 1]
                nearest = nearest[np.abs(nearest / total - 0.95).argmin()]
                found[row] = errors[self.errors_at[np.searchsorted(reached, nearest)]]
        return found


def _running_sum(drawn):
    """Return sums (r, m + 1) over the first 0 .. m images of `drawn` (r, m)."""
    sums = np.zeros((len(drawn), drawn.shape[1] + 1), np.int32)
    np.cumsum(drawn, 1, np.int32, sums[:, 1:])
    return sums
