"""Metrics of the order of the confidences: AURC and its relatives, AUROC, FPR-95%TPR, AUPR, from one sort."""

import numpy as np

from .checks import check_confidence


class Ranking:
    """Samples sorted by confidence, descending, with what every ranking metric needs.

    Each method is the metric of the same name below; `optimum` is the AURC of the best possible order.

    Parameters
    ----------
    confidence : array_like, (n,)
        Any finite score, higher for more trust.
    correct : array_like, (n,), bool
        Whether each prediction is correct.
    """

    def __init__(self, confidence, correct):
        confidence, correct = check_confidence(confidence, correct)
        n = self.n = len(confidence)
        self.order = order = np.argsort(confidence)[::-1]  # in any order within ties, which are one threshold
        ordered, incorrect = confidence[order], ~correct[order]
        self.ends = np.append(np.flatnonzero(ordered[1:] != ordered[:-1]), n - 1)  # last sample of each tied group
        self.taken = self.ends + 1
        self.false = np.cumsum(incorrect)[self.ends].astype(np.float64)  # errors accepted down to each threshold
        self.true = self.taken - self.false
        self.errors, self.successes = self.false[-1], self.true[-1]
        self.k = np.arange(1, n + 1)
        if len(self.ends) == n:
            self.accepted = self.false
        else:  # spread each group's errors evenly over its places
            self.accepted = np.interp(self.k, np.append(0, self.taken), np.append(0.0, self.false))
        self.risk = self.accepted / self.k

    def aurc(self):
        """Return AURC, in [0, 1]."""
        return float(self.risk.mean())

    def eaurc(self):
        """Return E-AURC: AURC minus its continuous optimum."""
        r = self.errors / self.n
        return self.aurc() - float(r + (1 - r) * np.log1p(-r) if r < 1 else 1.0)

    def optimum(self):
        """Return the smallest AURC that any order of these predictions has, in [0, 1]."""
        return float((np.maximum(self.k - self.successes, 0) / self.k).mean())

    def naurc(self):
        """Return NAURC, 0 for the best order and 1 for none; NaN without errors or without correct predictions."""
        if not self.errors or not self.successes:
            return float("nan")
        optimum = self.optimum()
        return float((self.aurc() - optimum) / (self.errors / self.n - optimum))

    def augrc(self):
        """Return AUGRC, in [0, (n + 1) / (2n)]."""
        return float(self.accepted.mean() / self.n)

    def auroc(self):
        """Return AUROC, in [0, 1]; NaN without errors or without correct predictions."""
        if not self.errors or not self.successes:
            return float("nan")
        tpr, fpr = np.append(0, self.true) / self.successes, np.append(0, self.false) / self.errors
        return float(np.trapezoid(tpr, fpr))

    def fpr95(self):
        """Return FPR-95%TPR, in [0, 1]; NaN without errors or without correct predictions."""
        if not self.errors or not self.successes:
            return float("nan")
        tpr, fpr = np.append(0, self.true) / self.successes, np.append(0, self.false) / self.errors
        return float(fpr[np.argmin(np.abs(tpr - 0.95))])

    def aupr_success(self):
        """Return AUPR-Success, in [0, 1]; NaN without correct predictions."""
        if not self.successes:
            return float("nan")
        precision, recall = np.append(1.0, self.true / self.taken), np.append(0, self.true) / self.successes
        return float(np.trapezoid(precision, recall))

    def aupr_error(self):
        """Return AUPR-Error, in [0, 1]; NaN without errors."""
        if not self.errors:
            return float("nan")
        # The same thresholds from the other end: samples at or below each are called errors.
        caught = self.errors - np.append(0, self.false[:-1])
        precision = caught / (self.n - np.append(0, self.taken[:-1]))
        return float((precision * np.diff(np.append(0, self.false))).sum() / self.errors)

    def all(self):
        """Return every metric by its name."""
        return {
            "aurc": self.aurc(), "eaurc": self.eaurc(), "fpr95": self.fpr95(), "auroc": self.auroc(),
            "aupr_success": self.aupr_success(), "aupr_error": self.aupr_error(),
            "augrc": self.augrc(), "naurc": self.naurc(),
        }  # fmt: skip


def evaluate_confidence(confidence, correct) -> dict[str, float]:
    """Return every ranking metric of any score: `confidence` (n,), `correct` (n,) bool.

    Parameters
    ----------
    confidence : array_like, (n,)
        Any finite score, higher for more trust.
    correct : array_like, (n,), bool
        Whether each prediction is correct.

    Returns
    -------
    dict of str to float
        By metric, in natural units.

    Raises
    ------
    ValueError
        For different shapes, no samples, NaN, or `correct` with other values than 0 and 1.
    """
    return Ranking(confidence, correct).all()


def aurc(confidence, correct) -> float:
    """Return the area under the risk-coverage curve, in [0, 1]: mean over k of (errors among the k first) / k.

    (The trapezoid variant divided by 1 - 1/n exists elsewhere and differs slightly.)

    Parameters
    ----------
    confidence : array_like, (n,)
        Any finite score, higher for more trust.
    correct : array_like, (n,), bool
        Whether each prediction is correct.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    ValueError
        For different shapes, no samples, NaN, or `correct` with other values than 0 and 1.

    Examples
    --------
    >>> round(aurc([0.9, 0.8, 0.7, 0.6, 0.5], [1, 1, 0, 1, 0]), 4)
    0.1967
    """
    return Ranking(confidence, correct).aurc()


def eaurc(confidence, correct) -> float:
    """Return AURC minus the continuous optimum r + (1 - r) ln(1 - r) (Geifman et al. 2019), r the error rate.

    Being measured against the continuous optimum, it can fall a little below 0 in small samples.

    Parameters
    ----------
    confidence : array_like, (n,)
        Any finite score, higher for more trust.
    correct : array_like, (n,), bool
        Whether each prediction is correct.

    Returns
    -------
    float
        Below 1.

    Raises
    ------
    ValueError
        For different shapes, no samples, NaN, or `correct` with other values than 0 and 1.
    """
    return Ranking(confidence, correct).eaurc()


def naurc(confidence, correct) -> float:
    """Return AURC on a scale where 0 is the best possible order and 1 is no order (Cattelan & Silva 2024).

    Parameters
    ----------
    confidence : array_like, (n,)
        Any finite score, higher for more trust.
    correct : array_like, (n,), bool
        Whether each prediction is correct.

    Returns
    -------
    float
        NaN without errors or without correct predictions.

    Raises
    ------
    ValueError
        For different shapes, no samples, NaN, or `correct` with other values than 0 and 1.
    """
    return Ranking(confidence, correct).naurc()


def augrc(confidence, correct) -> float:
    """Return the area under the generalised risk-coverage curve: mean over k of (errors among the k first) / n.

    It is the expected risk of silent failures (Traub et al. 2024). Their own code takes trapezoids from coverage 0 on,
    which gives r / (2n) less, with the error rate r; so this one reaches (n + 1) / (2n), and theirs 1/2.

    Parameters
    ----------
    confidence : array_like, (n,)
        Any finite score, higher for more trust.
    correct : array_like, (n,), bool
        Whether each prediction is correct.

    Returns
    -------
    float
        In [0, (n + 1) / (2n)].

    Raises
    ------
    ValueError
        For different shapes, no samples, NaN, or `correct` with other values than 0 and 1.
    """
    return Ranking(confidence, correct).augrc()


def auroc(confidence, correct) -> float:
    """Return the area under the ROC curve, in [0, 1]; positives are correct predictions.

    Parameters
    ----------
    confidence : array_like, (n,)
        Any finite score, higher for more trust.
    correct : array_like, (n,), bool
        Whether each prediction is correct.

    Returns
    -------
    float
        In [0, 1]; NaN without errors or without correct predictions.

    Raises
    ------
    ValueError
        For different shapes, no samples, NaN, or `correct` with other values than 0 and 1.

    Examples
    --------
    >>> round(auroc([0.9, 0.8, 0.7, 0.6, 0.5], [1, 1, 0, 1, 0]), 4)
    0.8333
    """
    return Ranking(confidence, correct).auroc()


def fpr95(confidence, correct) -> float:
    """Return the share of errors accepted at the ROC point whose TPR is nearest to 0.95, in [0, 1].

    All points of the curve are candidates. The released code takes them from scikit-learn, which leaves out those on a
    straight line. That moves the value by less than 0.1 points on average for 10,000 samples (0.6 at most in what we
    tried), by up to 5 points for 2,000, and by up to 19 for 300.

    Parameters
    ----------
    confidence : array_like, (n,)
        Any finite score, higher for more trust.
    correct : array_like, (n,), bool
        Whether each prediction is correct.

    Returns
    -------
    float
        In [0, 1]; NaN without errors or without correct predictions.

    Raises
    ------
    ValueError
        For different shapes, no samples, NaN, or `correct` with other values than 0 and 1.
    """
    return Ranking(confidence, correct).fpr95()


def aupr_success(confidence, correct) -> float:
    """Return the trapezoid area under the precision-recall curve; positives are correct predictions.

    Parameters
    ----------
    confidence : array_like, (n,)
        Any finite score, higher for more trust.
    correct : array_like, (n,), bool
        Whether each prediction is correct.

    Returns
    -------
    float
        In [0, 1]; NaN without correct predictions.

    Raises
    ------
    ValueError
        For different shapes, no samples, NaN, or `correct` with other values than 0 and 1.
    """
    return Ranking(confidence, correct).aupr_success()


def aupr_error(confidence, correct) -> float:
    """Return the average precision (step sum) of -confidence; positives are errors.

    Parameters
    ----------
    confidence : array_like, (n,)
        Any finite score, higher for more trust.
    correct : array_like, (n,), bool
        Whether each prediction is correct.

    Returns
    -------
    float
        In [0, 1]; NaN without errors.

    Raises
    ------
    ValueError
        For different shapes, no samples, NaN, or `correct` with other values than 0 and 1.
    """
    return Ranking(confidence, correct).aupr_error()


def overlap(confidence, correct) -> float:
    """Return how far the confidences of correct and incorrect predictions overlap: the smallest sum, over all
    thresholds, of the share of correct predictions rejected and the share of incorrect ones accepted.

    It is one minus the Kolmogorov-Smirnov distance of the two: 0 means that a threshold keeps them apart, 1 that none
    does better than chance. Like every ranking metric, and unlike the overlap of two histograms, it does not change
    when confidence is rescaled.

    Parameters
    ----------
    confidence : array_like, (n,)
        Any finite score, higher for more trust.
    correct : array_like, (n,), bool
        Whether each prediction is correct.

    Returns
    -------
    float
        In [0, 1]; NaN without errors or without correct predictions.

    Raises
    ------
    ValueError
        For different shapes, no samples, NaN, or `correct` with other values than 0 and 1.

    Examples
    --------
    >>> round(overlap([0.9, 0.8, 0.7, 0.6, 0.5], [1, 1, 0, 1, 0]), 4)
    0.3333
    """
    ranking = Ranking(confidence, correct)
    if not ranking.errors or not ranking.successes:
        return float("nan")
    distance = np.max(ranking.true / ranking.successes - ranking.false / ranking.errors)
    return float(1 - max(distance, 0.0))
