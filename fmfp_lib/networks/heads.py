"""Last layers."""

import torch.nn.functional as F
from torch import nn


class CosineClassifier(nn.Linear):
    """Logits are `scale` times the cosine between the features and each class's weights (Gidaris & Komodakis 2018).

    Parameters
    ----------
    in_features : int
        Number of features.
    num_classes : int
        Number of classes.
    scale : float
        Factor of the cosine.
    """

    def __init__(self, in_features: int, num_classes: int, scale: float = 16.0):
        super().__init__(in_features, num_classes, bias=False)
        self.scale = scale

    def forward(self, x):
        return self.scale * F.linear(F.normalize(x, dim=1), F.normalize(self.weight, dim=1))
