"""Means of several predictions."""

import numpy as np

from ..metrics import log_softmax
from ..metrics.checks import check_matrix


def ensemble(members) -> np.ndarray:
    """Return the logarithm of the members' mean probability (n, k), itself logits: softmax gives the mean back.

    Parameters
    ----------
    members : sequence of array_like of shape (n, k)
        Logits of at least one network each, such as the records of one setting with several seeds
        (Lakshminarayanan et al. 2017).
    """
    members = [check_matrix(z, "logits") for z in members]
    shapes = sorted({z.shape for z in members})
    if len(shapes) != 1:
        raise ValueError(f"the members have shapes {shapes}; expected at least one member, all of one shape (n, k)")
    return np.logaddexp.reduce([log_softmax(z) for z in members]) - np.log(len(members))


def neighbouring_ensembles(members, k: int) -> list[np.ndarray]:
    """Return as many ensembles as there are members, each of `k` neighbours in a circle, so that each is in k of them.

    For k = 1 these are the members themselves; for k = len(members) all are the same.

    Parameters
    ----------
    members : sequence of array_like, (n, k)
        Logits of each network.
    k : int
        Networks in an ensemble, 1 to the number of members.

    Returns
    -------
    list of ndarray, (n, k)
        Logits of each ensemble.
    """
    members = list(members)
    if not 1 <= k <= len(members):
        raise ValueError(f"k is {k}; with {len(members)} members it must be 1 to {len(members)}")
    return [ensemble([members[(i + j) % len(members)] for j in range(k)]) for i in range(len(members))]
