"""The metrics as other libraries like to have them: scorers for scikit-learn, an accumulator as in torchmetrics.

Neither library is imported, nor is torch; tensors of any device and type are understood.
"""

import numpy as np

from .intervals import metrics_of
from .predictions import from_arrays
from .statistics import HIGHER_IS_BETTER

METRICS = (
    "accuracy", "auroc", "aurc", "eaurc", "naurc", "augrc", "fpr95", "aupr_success", "aupr_error", "ece", "nll",
    "brier",
)  # fmt: skip


def _check(metric):
    if metric not in METRICS:
        raise ValueError(f"unknown metric {metric!r}; choose one of {', '.join(METRICS)}")
    return metric


def metric_function(metric: str, classes=None):
    """Return a function of true labels and predicted probabilities, for ``sklearn.metrics.make_scorer``.

    Parameters
    ----------
    metric : str
        A name from ``METRICS``.
    classes : sequence, optional
        The model's classes in the order of its columns (``classes_`` in scikit-learn); the sorted labels if not given,
        which must then hold every class.

    Returns
    -------
    callable
        ``f(y_true, probabilities)``, a float in natural units; `probabilities` (n, k), or (n,) of the second class.

    Examples
    --------
    >>> from sklearn.metrics import make_scorer
    >>> aurc = make_scorer(metric_function("aurc"), response_method="predict_proba", greater_is_better=False)
    """
    _check(metric)

    def function(y_true, probabilities):
        names = np.unique(y_true) if classes is None else np.asarray(classes)
        found = from_arrays(probabilities=probabilities, labels=y_true, classes=names)
        return metrics_of(found)[metric]

    function.__name__ = metric
    return function


def scorer(metric: str):
    """Return a scorer for scikit-learn's ``scoring=``: a function of estimator, X and y that is better when higher.

    Metrics that are better when lower get a minus sign. The classes are the estimator's own; a fold may lack one.

    Parameters
    ----------
    metric : str
        A name from ``METRICS``.

    Examples
    --------
    ``cross_val_score(model, X, y, scoring=scorer("aurc"))``
    """
    sign = 1 if _check(metric) in HIGHER_IS_BETTER else -1

    def score(estimator, X, y):
        return sign * metric_function(metric, estimator.classes_)(y, estimator.predict_proba(X))

    score.__name__ = metric
    return score


class FailureMetrics:
    """Metrics of predictions that arrive batch by batch, with the methods that a torchmetrics metric has.

    Parameters
    ----------
    metrics : sequence of str
        Names from ``METRICS``.

    Examples
    --------
    >>> metrics = FailureMetrics(("accuracy", "aurc"))
    >>> metrics.update([[2.0, 0.0], [1.0, 3.0]], [0, 1])
    >>> metrics.update([[0.0, 1.0]], [0])
    >>> {name: round(value, 3) for name, value in metrics.compute().items()}
    {'accuracy': 0.667, 'aurc': 0.111}
    """

    def __init__(self, metrics=METRICS):
        self.metrics = [_check(metric) for metric in metrics]
        self.reset()

    def reset(self) -> None:
        """Forget every batch."""
        self.scores, self.labels = [], []

    def update(self, scores, labels) -> None:
        """Take in a batch: logits or probabilities (n, k) and labels (n,), as arrays, lists or tensors.

        Parameters
        ----------
        scores : array_like or tensor, (n, k)
            Logits or probabilities of a batch.
        labels : array_like or tensor, (n,), int
            True classes.
        """
        scores, labels = _array(scores), _array(labels)
        if scores.ndim != 2 or labels.shape != scores.shape[:1]:
            raise ValueError(f"scores have shape {scores.shape} and labels {labels.shape}; expected (n, k) and (n,)")
        self.scores.append(scores)
        self.labels.append(labels)

    def compute(self) -> dict[str, float]:
        """Return the metrics of everything taken in, in natural units."""
        if not self.scores:
            raise ValueError("nothing to compute yet; call update first")
        found = metrics_of(from_arrays(logits=np.concatenate(self.scores), labels=np.concatenate(self.labels)))
        return {metric: found[metric] for metric in self.metrics}

    def __call__(self, scores, labels) -> dict[str, float]:
        """Take in a batch, and return the metrics of this batch alone."""
        self.update(scores, labels)
        alone = FailureMetrics(self.metrics)
        alone.update(scores, labels)
        return alone.compute()


def _array(values) -> np.ndarray:
    """Return what NumPy can hold of a tensor: detached, on the CPU, bfloat16 as float32."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        values = values.float() if values.is_floating_point() else values
    return np.asarray(values)
