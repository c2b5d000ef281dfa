"""Training losses: each is a function of tensors, returns a scalar in nats, and serves in any training loop.

A loss says by the names of its arguments what it needs: of a batch (`labels`, `history`), of the network's outputs
(`logits`, `mixed_logits`, `partner_logits`), or of the settings (`epsilon`, `gamma`). `total` adds up the losses of a
method for one `Batch`, and asks the network for the outputs that they need and no others.
"""

import inspect
from dataclasses import dataclass
from functools import cache

import torch
import torch.nn.functional as F


def cross_entropy(logits, labels):
    """Return the mean of -log p(true class).

    Parameters
    ----------
    logits : torch.Tensor of shape (n, k)
    labels : torch.Tensor of shape (n,)

    Returns
    -------
    torch.Tensor
        Scalar, in nats.
    """
    return F.cross_entropy(logits, labels)


def label_smoothing(logits, labels, epsilon: float = 0.05):
    """Return cross-entropy against (1 - epsilon) one-hot + epsilon uniform (Szegedy et al. 2016; Müller et al. 2019).

    The paper's equation 8 leaves the true class out of the uniform part: with k classes this is equation 8 for
    (k - 1) / k times `epsilon`.

    Parameters
    ----------
    logits : torch.Tensor of shape (n, k)
    labels : torch.Tensor of shape (n,)
    epsilon : float
        Share of the uniform distribution, in [0, 1).

    Returns
    -------
    torch.Tensor
        Scalar, in nats.
    """
    return F.cross_entropy(logits, labels, label_smoothing=epsilon)


def focal(logits, labels, gamma: float = 2.0, warm_up: bool = False):
    """Return the mean of -(1 - p)^gamma log p of the true class (Lin et al. 2017; Mukhoti et al. 2020).

    The released code keeps p above 1e-4; this does not.

    Parameters
    ----------
    logits : torch.Tensor of shape (n, k)
    labels : torch.Tensor of shape (n,)
    gamma : float
        At least 0, where the loss is cross-entropy.
    warm_up : bool
        Return plain cross-entropy, with which the released code begins.

    Returns
    -------
    torch.Tensor
        Scalar, in nats.
    """
    if warm_up:
        return cross_entropy(logits, labels)
    log_p = F.log_softmax(logits, 1).gather(1, labels[:, None])[:, 0]
    rest = 1 - log_p.exp()
    if gamma < 1:
        rest = rest.clamp_min(torch.finfo(rest.dtype).tiny)  # where it is 0 the gradient would be infinity times 0
    return -(rest**gamma * log_p).mean()


def mix(images, share: float, order):
    """Return ``share`` of each image plus ``1 - share`` of its partner.

    Parameters
    ----------
    images : torch.Tensor of shape (n, c, h, w)
    share : float
        In [0, 1]; mixup draws it from Beta(alpha, alpha), once a batch.
    order : torch.Tensor of shape (n,)
        Which image of the batch is the partner of each: a permutation.

    Returns
    -------
    torch.Tensor
        Of the same shape.
    """
    return share * images + (1 - share) * images[order]


def mixup(mixed_logits, labels, share: float, order):
    """Return cross-entropy against equally mixed labels (Zhang et al. 2018; Thulasidasan et al. 2019).

    Parameters
    ----------
    mixed_logits : torch.Tensor of shape (n, k)
        Of the images that `mix` returns.
    labels : torch.Tensor of shape (n,)
        Of the images before they were mixed.
    share, order
        As given to `mix`.

    Returns
    -------
    torch.Tensor
        Scalar, in nats.
    """
    return share * F.cross_entropy(mixed_logits, labels) + (1 - share) * F.cross_entropy(mixed_logits, labels[order])


def regmixup(mixed_logits, labels, share: float, order):
    """Return half of `mixup`, a regulariser beside the plain loss (Pinto et al. 2022).

    The weight of 1/2 is that of SURE's code; Pinto et al. weigh both losses alike. The `alpha` of a run is mixup's 0.3,
    where both mix more evenly.

    Parameters
    ----------
    mixed_logits, labels, share, order
        As in `mixup`.

    Returns
    -------
    torch.Tensor
        Scalar, in nats.
    """
    return 0.5 * mixup(mixed_logits, labels, share, order)


def l1_norm(logits, l1_strength: float = 0.01):
    """Return strength times the mean over images of the sum of absolute logits (Joo & Chung 2020), to be added.

    Parameters
    ----------
    logits : torch.Tensor of shape (n, k)
    l1_strength : float

    Returns
    -------
    torch.Tensor
        Scalar, in nats.
    """
    return l1_strength * logits.abs().sum(1).mean()


def cs_kd(logits, partner_logits, temperature: float = 4.0):
    """Return T^2 KL(p_T(partner) || p_T(image)) (Yun et al. 2020), to be added to cross-entropy.

    Parameters
    ----------
    logits : torch.Tensor of shape (n, k)
    partner_logits : torch.Tensor of shape (n, k)
        Of another image of the same class for each, computed without gradient.
    temperature : float
        T, positive.

    Returns
    -------
    torch.Tensor
        Scalar, in nats.
    """
    divergence = F.kl_div(
        F.log_softmax(logits / temperature, 1), F.softmax(partner_logits / temperature, 1), reduction="batchmean"
    )
    return temperature**2 * divergence


def correctness_share(counts, index):
    """Return the `history` that `crl` takes: each count as a share between the least (0) and the largest (1).

    Parameters
    ----------
    counts : torch.Tensor of shape (m,)
        How often each training image was classified correctly so far.
    index : torch.Tensor of shape (n,)
        Places of the batch's images among them.

    Returns
    -------
    torch.Tensor
        From 0 to 1, (n,).
    """
    low, high = counts.min(), counts.max()
    return (counts[index] - low) / (high - low).clamp(min=1)


def crl(logits, history):
    """Return the correctness ranking loss (Moon et al. 2020), to be added to cross-entropy with weight 1.

    Neighbours in the batch are compared: the image that was classified correctly more often so far should be more
    confident, by a margin equal to the difference of their histories.

    Parameters
    ----------
    logits : torch.Tensor of shape (n, k)
    history : torch.Tensor of shape (n,)
        How often each image was classified correctly so far, from 0 to 1; see `correctness_share`.

    Returns
    -------
    torch.Tensor
        Scalar, in nats.
    """
    confidence = F.softmax(logits, 1).amax(1)
    difference = history - history.roll(-1)
    return F.relu(difference.abs() - difference.sign() * (confidence - confidence.roll(-1))).mean()


LOSSES = {f.__name__: f for f in (cross_entropy, label_smoothing, focal, mixup, regmixup, l1_norm, cs_kd, crl)}


@dataclass
class Batch:
    """One step's images, and what chance and the run's past add to them; SAM's two passes see the same.

    Attributes
    ----------
    images : torch.Tensor
        Normalised, (n, c, h, w).
    labels : torch.Tensor
        (n,).
    index : torch.Tensor
        Places of the images in the training set, (n,).
    seed : int
        Decides dropout's masks.
    warm_up : bool
        Whether the released code would still train by plain cross-entropy.
    share, order : float and torch.Tensor, optional
        How `mix` mixes the images.
    partners : torch.Tensor, optional
        For each image another one of its class, (n, c, h, w).
    history : torch.Tensor, optional
        `correctness_share` of the images, (n,).
    """

    images: torch.Tensor
    labels: torch.Tensor
    index: torch.Tensor
    seed: int = 0
    warm_up: bool = False
    share: float | None = None
    order: torch.Tensor | None = None
    partners: torch.Tensor | None = None
    history: torch.Tensor | None = None


@cache
def needs(*losses: str) -> frozenset[str]:
    """Return the names of all arguments that the named losses take.

    Parameters
    ----------
    *losses : str
        Names from ``LOSSES``.
    """
    return frozenset(name for loss in losses for name in inspect.signature(LOSSES[loss]).parameters)


def outputs(needed, model, batch: Batch) -> dict:
    """Return what a network makes of a batch, as far as it is needed.

    Parameters
    ----------
    needed : collection of str
        As `needs` returns it.
    model : callable
        From images (n, c, h, w) to logits (n, k).
    batch : Batch

    Returns
    -------
    dict of str to torch.Tensor
        Those of ``logits, mixed_logits, partner_logits`` that are needed, (n, k), float32. No gradient flows through
        the partners'.
    """
    found = {}
    if "logits" in needed:
        found["logits"] = model(batch.images).float()
    if "mixed_logits" in needed:
        found["mixed_logits"] = model(mix(batch.images, batch.share, batch.order)).float()
    if "partner_logits" in needed:
        with torch.no_grad():
            found["partner_logits"] = model(batch.partners).float()
    return found


def total(losses, model, batch: Batch, settings):
    """Return the sum of a method's losses over one batch.

    Parameters
    ----------
    losses : sequence of str
        Names from ``LOSSES``.
    model : callable
        From images (n, c, h, w) to logits (n, k).
    batch : Batch
        Filled with what the losses need.
    settings : settings.Settings
        Their strengths.

    Returns
    -------
    loss : torch.Tensor
        Scalar, in nats.
    logits : torch.Tensor or None
        Of the images themselves, (n, k); None if no loss needs them.
    """
    found = outputs(needs(*losses), model, batch)
    given = dict(settings) | vars(batch) | found
    loss = sum(LOSSES[name](**{argument: given[argument] for argument in needs(name)}) for name in losses)
    return loss, found.get("logits")
