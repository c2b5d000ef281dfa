"""Training objectives: logits (n, k) and labels (n,) to a scalar loss in nats."""

import torch.nn.functional as F


def cross_entropy(logits, labels, settings):
    """Return the mean of -log p(true class)."""
    return F.cross_entropy(logits, labels)


def label_smoothing(logits, labels, settings):
    """Return cross-entropy against (1 - epsilon) one-hot + epsilon uniform (Müller et al. 2019)."""
    return F.cross_entropy(logits, labels, label_smoothing=settings.epsilon)


OBJECTIVES = {"cross_entropy": cross_entropy, "label_smoothing": label_smoothing}
