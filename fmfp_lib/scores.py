"""Confidence scores in one table: what each is made of, how it is fitted, and who proposed it. No torch.

``SCORES`` holds those of `confidence` and of this module. Every score has shape (n,) and grows with trust;
``metrics.evaluate_confidence`` judges it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from . import confidence
from .metrics import aurc, softmax
from .metrics.checks import check_labels, check_matrix

NEIGHBOURS = 50
TEMPERATURES = tuple(np.geomspace(0.1, 10, 21).round(4).tolist())


# -- from logits ----------------------------------------------------------------------------------------------


def log_odds(logits, temperature: float = 1.0) -> np.ndarray:
    """Return log(p / (1 - p)), (n,), of the maximum softmax probability p at a temperature.

    It orders items as p does, but never rounds to one value what p rounds to 1.

    Parameters
    ----------
    logits : array_like of shape (n, k)
    temperature : float
        By which the logits are divided.

    Returns
    -------
    ndarray, (n,)
        Any real number.
    """
    ordered = np.sort(np.asarray(logits, np.float64) / temperature, 1)
    others = ordered[:, :-1] - ordered[:, -2:-1]
    return ordered[:, -1] - ordered[:, -2] - np.log(np.exp(others).sum(1))


def gini(logits) -> np.ndarray:
    """Return the sum of the squared probabilities, (n,), in [1/k, 1]: one minus their Gini impurity.

    DOCTOR (Granese et al. 2021) rejects by 1 / gini - 1, which orders items alike; without the labels it is an estimate
    of the odds that a class drawn from the probabilities is another than the true one.
    """
    p = softmax(check_matrix(logits, "logits"))
    return np.vecdot(p, p)


def fit_temperature_by_aurc(valid_logits, valid_labels, grid=TEMPERATURES) -> float:
    """Return the temperature at which MSP has the smallest AURC on validation data; 1 where none beats it.

    Unlike ``confidence.fit_temperature``, which fits the NLL, it asks for the ranking itself (Cattelan & Silva 2024).

    Parameters
    ----------
    valid_logits : array_like of shape (n, k)
    valid_labels : array_like of shape (n,)
    grid : sequence of float
        Candidates.

    Returns
    -------
    float
        A value of `grid`, or 1.
    """
    z = check_matrix(valid_logits, "logits")
    correct = z.argmax(1) == check_labels(valid_labels, *z.shape)
    return min((1.0, *grid), key=lambda t: aurc(log_odds(z, t), correct))  # the first of equals


# -- from the logits of several networks ----------------------------------------------------------------------


def mutual_information(members) -> np.ndarray:
    """Return minus the mutual information of prediction and network, (n,), in nats: in [-ln m, 0] for m members.

    It is the entropy of the mean probabilities minus the mean of the members' entropies: how much the members
    contradict each other, whatever they agree to be unsure of (as in BALD, Houlsby et al. 2011).

    Parameters
    ----------
    members : sequence of array_like of shape (n, k)
        Logits of networks of several seeds, or of one network under several dropout masks.
    """
    within = np.mean([confidence.entropy(z) for z in members], 0)
    return np.minimum(confidence.entropy(confidence.ensemble(members)) - within, 0)


# -- from features --------------------------------------------------------------------------------------------


def _check_features(features, train_features):
    x, train = np.asarray(features, np.float64), np.asarray(train_features, np.float64)
    if x.ndim != 2 or train.ndim != 2 or x.shape[1:] != train.shape[1:] or not len(x) or not len(train):
        raise ValueError(f"features have shape {x.shape} and train_features {train.shape}; expected (n, d) and (m, d)")
    if not np.isfinite(x).all() or not np.isfinite(train).all():
        raise ValueError("features hold NaN or infinite values; all must be finite")
    return x, train


def nearest_neighbours(features, train_features, k: int = NEIGHBOURS) -> np.ndarray:
    """Return minus the distance to the k-th nearest training item, (n,), in [-2, 0] (Sun et al. 2022).

    Parameters
    ----------
    features : array_like of shape (n, d)
    train_features : array_like of shape (m, d)
        Both are divided by their norms first.
    k : int
        At most m.

    Returns
    -------
    ndarray, (n,)
        In [-2, 0].
    """
    from sklearn.neighbors import NearestNeighbors

    x, train = _check_features(features, train_features)
    if not 1 <= k <= len(train):
        raise ValueError(f"k is {k}; with {len(train)} training items it must be 1 to {len(train)}")
    x, train = (a / np.maximum(np.linalg.norm(a, axis=1, keepdims=True), 1e-12) for a in (x, train))
    return -NearestNeighbors(n_neighbors=k).fit(train).kneighbors(x)[0][:, -1]


def mahalanobis(features, train_features, train_labels) -> np.ndarray:
    """Return minus the squared Mahalanobis distance to the nearest class mean, (n,), at most 0 (Lee et al. 2018).

    All classes share one covariance, that of the training features about their class means.

    Parameters
    ----------
    features : array_like of shape (n, d)
    train_features : array_like of shape (m, d)
    train_labels : array_like of shape (m,)

    Returns
    -------
    ndarray, (n,)
        At most 0.
    """
    x, train = _check_features(features, train_features)
    labels = np.asarray(train_labels)
    if labels.shape != train.shape[:1]:
        raise ValueError(f"train_labels have shape {labels.shape}; expected ({len(train)},), one an item")
    classes, place = np.unique(labels, return_inverse=True)
    means = np.stack([train[place == i].mean(0) for i in range(len(classes))])
    centred = train - means[place]
    precision = np.linalg.pinv(centred.T @ centred / len(train), hermitian=True)
    distances = [np.einsum("ni,ij,nj->n", x - mean, precision, x - mean, optimize=True) for mean in means]
    return -np.min(distances, 0)


# -- the table ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Score:
    """A confidence score.

    Attributes
    ----------
    takes : {'logits', 'features', 'members'}
        Of what `function` makes it: logits (n, k); features of the items and of the training items, and for some the
        training labels; or logits of several networks.
    function : callable
        Returns (n,), growing with trust.
    formula : str
        In LaTeX; the page *After training* says what the letters mean.
    source : str
        Whose idea it was: a key of the bibliography, or nothing.
    fit : callable or None
        From validation logits and labels to a further argument of `function`.
    """

    takes: str
    function: Callable
    formula: str
    source: str = ""
    fit: Callable | None = None


def _at(fit):
    """Return what fits a temperature and gives MSP's log-odds there."""
    return dict(function=log_odds, fit=fit, formula=r"$\max_j p_j$ of $z / T$")


SCORES = {
    "msp": Score("logits", confidence.msp, r"$\max_j p_j$", "hendrycks2017baseline"),
    "margin": Score("logits", confidence.margin, r"$p_{(1)} - p_{(2)}$"),
    "entropy": Score("logits", confidence.entropy, r"$\sum_j p_j \log p_j$"),
    "gini": Score("logits", gini, r"$\sum_j p_j^2$", "granese2021doctor"),
    "energy": Score("logits", confidence.energy, r"$\log \sum_j e^{z_j}$", "liu2020energy"),
    "max_logit": Score("logits", confidence.max_logit, r"$\max_j z_j$"),
    "p_norm_max_logit": Score(
        "logits",
        confidence.p_norm_max_logit,
        r"$\max_j \bar z_j / \Vert \bar z \Vert_q$",
        "cattelan2024fix",
        confidence.fit_p,
    ),
    "temperature_nll": Score("logits", source="guo2017calibration", **_at(confidence.fit_temperature)),
    "temperature_aurc": Score("logits", source="cattelan2024fix", **_at(fit_temperature_by_aurc)),
    "mutual_information": Score("members", mutual_information, r"$-\mathrm{MI}$", "houlsby2011bald"),
    "nearest_neighbours": Score("features", nearest_neighbours, r"$-\Vert f - f_{(k)} \Vert$", "sun2022knn"),
    "mahalanobis": Score(
        "features", mahalanobis, r"$-\min_c (f - \mu_c)^\top \Sigma^{-1} (f - \mu_c)$", "lee2018mahalanobis"
    ),
    "trust_score": Score("features", confidence.trust_score, r"$d_{\text{other}} / d_{\text{own}}$", "jiang2018trust"),
}
