"""Training objectives as terms that add up: each maps one forward pass to a scalar loss in nats.

A term sees a `Pass`: one batch, the network, and what chance drew for the batch. SAM takes two passes over the
same batch with the same draws.
"""

from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F


class Batch:
    """One step's images `x` (n, c, h, w), labels `y` (n,), their places `index` (n,) in the training set.

    All chance depends on the run's seed, the epoch and the step, and on nothing before them, so a resumed run needs no
    state: `rng` (NumPy's) feeds the draws, which are made once and shared by all passes, and `seed` dropout's masks.
    """

    def __init__(self, x, y, index, epoch, step, run):
        self.x, self.y, self.index, self.epoch, self.run = x, y, index, epoch, run
        self.settings = run.settings
        place = [run.settings.seed, epoch, step]
        self.rng = np.random.default_rng(place)
        self.seed = int(np.random.SeedSequence(place).generate_state(1, np.uint64)[0] >> 1)

    @cached_property
    def mixing(self):
        """Share of the image itself, lambda ~ Beta(alpha, alpha), and the order of the partners (n,)."""
        share = float(self.rng.beta(self.settings.alpha, self.settings.alpha))
        return share, torch.from_numpy(self.rng.permutation(len(self.y))).to(self.y.device, non_blocking=True)

    @cached_property
    def same_class(self):
        """For each image another one, augmented, of its class (n, c, h, w)."""
        u = torch.from_numpy(self.rng.random(len(self.y))).to(self.y.device, non_blocking=True)
        return self.run.images_of_class(self.y, u)


class Pass:
    """A batch seen by a network: `logits` (n, k) of the images themselves are computed when first asked for."""

    def __init__(self, batch: Batch, model):
        self.batch, self.model = batch, model
        self.y, self.settings = batch.y, batch.settings

    @cached_property
    def logits(self):
        return self.model(self.batch.x).float()

    @cached_property
    def mixed_cross_entropy(self):
        share, order = self.batch.mixing
        x = self.batch.x
        logits = self.model(share * x + (1 - share) * x[order]).float()
        return share * F.cross_entropy(logits, self.y) + (1 - share) * F.cross_entropy(logits, self.y[order])


def cross_entropy(step: Pass):
    """Mean of -log p(true class)."""
    return F.cross_entropy(step.logits, step.y)


def label_smoothing(step: Pass):
    """Cross-entropy against (1 - epsilon) one-hot + epsilon uniform (Szegedy et al. 2016; Müller et al. 2019).

    The paper's equation 8 leaves the true class out of the uniform part: with k classes this is equation 8 for
    (k - 1) / k times `epsilon`.
    """
    return F.cross_entropy(step.logits, step.y, label_smoothing=step.settings.epsilon)


def focal(step: Pass):
    """Mean of -(1 - p)^gamma log p (Lin et al. 2017; Mukhoti et al. 2020).

    The released code trains its first nine epochs by plain cross-entropy; ``protocol="code"`` does so for the first
    5 %, ten of 200.
    """
    settings = step.settings
    if settings.protocol == "code" and step.batch.epoch < 0.05 * settings.epochs:
        return cross_entropy(step)
    log_p = F.log_softmax(step.logits, 1).gather(1, step.y[:, None])[:, 0]
    return -((1 - log_p.exp()) ** settings.gamma * log_p).mean()


def mixup(step: Pass):
    """Cross-entropy of mixed images against equally mixed labels (Zhang et al. 2018; Thulasidasan et al. 2019)."""
    return step.mixed_cross_entropy


def regmixup(step: Pass):
    """Mixup as a regulariser beside the plain loss (Pinto et al. 2022), as an additive term.

    The weight of 1/2 is that of SURE's code; Pinto et al. weigh both losses alike. `alpha` is mixup's 0.3, where both
    mix more evenly.
    """
    return 0.5 * step.mixed_cross_entropy


def l1_norm(step: Pass):
    """Strength times the mean over images of the sum of absolute logits (Joo & Chung 2020), an additive term."""
    return step.settings.l1_strength * step.logits.abs().sum(1).mean()


def cs_kd(step: Pass):
    """T^2 KL(p_T(partner) || p_T(image)) with a fixed partner of the same class (Yun et al. 2020), additive."""
    temperature = step.settings.temperature
    with torch.no_grad():
        partner = step.model(step.batch.same_class).float()
    divergence = F.kl_div(
        F.log_softmax(step.logits / temperature, 1), F.softmax(partner / temperature, 1), reduction="batchmean"
    )
    return temperature**2 * divergence


def crl(step: Pass):
    """Correctness ranking loss (Moon et al. 2020), additive with weight 1.

    Neighbours in the batch are compared: the image that was classified rightly more often so far should be more
    confident, by a margin equal to the difference of their normalised counts.
    """
    history, index = step.batch.run.correctness, step.batch.index
    confidence = F.softmax(step.logits, 1).amax(1)
    low, high = history.min(), history.max()
    share = (history[index] - low) / (high - low).clamp(min=1)
    difference = share - share.roll(-1)
    return F.relu(difference.abs() - difference.sign() * (confidence - confidence.roll(-1))).mean()


TERMS = {f.__name__: f for f in (cross_entropy, label_smoothing, focal, mixup, regmixup, l1_norm, cs_kd, crl)}


def total(terms, step: Pass):
    """Return the sum of the named terms."""
    return sum(TERMS[name](step) for name in terms)
