"""Scores from distances between features."""

import numpy as np


def trust_score(features, predictions, train_features, train_labels, k: int = 10, alpha: float = 0.0) -> np.ndarray:
    """Return the distance to the nearest other class over that to the predicted class (Jiang et al. 2018).

    Parameters
    ----------
    features : array_like of shape (n, d)
    predictions : array_like of shape (n,)
        Predicted classes.
    train_features, train_labels : array_like of shape (m, d) and (m,)
        What the distances are measured to.
    k : int
        A training point's density is judged by the distance to its k-th neighbour in its class.
    alpha : float
        Share of each class's points, those of lowest density, to leave out; in [0, 1).

    Returns
    -------
    ndarray of shape (n,)
        Zero or positive; above 1 where the predicted class is nearest. 0 where it has no training point.

    Raises
    ------
    ValueError
        For wrong shapes, NaN, fewer than two classes in `train_labels`.
    """
    from sklearn.neighbors import NearestNeighbors

    x, train = (np.asarray(a, np.float64) for a in (features, train_features))
    predictions, labels = np.asarray(predictions), np.asarray(train_labels)
    if x.ndim != 2 or train.ndim != 2 or x.shape[1] != train.shape[1] or not len(x):
        raise ValueError(f"features have shape {x.shape} and train_features {train.shape}; expected (n, d) and (m, d)")
    if predictions.shape != x.shape[:1] or labels.shape != train.shape[:1]:
        raise ValueError(f"predictions have shape {predictions.shape} and train_labels {labels.shape}; one per row")
    if not np.isfinite(x).all() or not np.isfinite(train).all():
        raise ValueError("features hold NaN or infinite values; all must be finite")
    classes = np.unique(labels)
    if len(classes) < 2 or k < 1 or not 0 <= alpha < 1:
        raise ValueError(f"{len(classes)} classes, k {k}, alpha {alpha}; expected at least 2, at least 1, and [0, 1)")

    distances = np.empty((len(x), len(classes)))
    for column, label in enumerate(classes):
        points = train[labels == label]
        if alpha > 0 and len(points) > 1:
            neighbours = NearestNeighbors(n_neighbors=min(k, len(points) - 1)).fit(points)
            radius = neighbours.kneighbors()[0][:, -1]  # without an argument a point is not its own neighbour
            points = points[radius <= np.quantile(radius, 1 - alpha)]
        distances[:, column] = NearestNeighbors(n_neighbors=1).fit(points).kneighbors(x)[0][:, 0]
    own = predictions[:, None] == classes
    to_own = np.where(own, distances, np.inf).min(1)
    to_other = np.where(own, np.inf, distances).min(1)
    return (to_other + 1e-12) / (to_own + 1e-12)
