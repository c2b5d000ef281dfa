"""A narrow residual network of convolutions and pooling, after Page's ResNet-9 (2018) and airbench (Jordan 2024)."""

import torch
import torch.nn.functional as F
from torch import nn

from .initialise import he_fan_out


class _Stage(nn.Module):
    """A 3x3 convolution, 2x2 max pooling, batch norm and ReLU; then the same without pooling, beside a shortcut."""

    def __init__(self, in_channels, channels):
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(in_channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels)
        self.conv2, self.norm2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels)

    def forward(self, x):
        x = F.relu(self.norm1(F.max_pool2d(self.conv1(x), 2)))
        return x + F.relu(self.norm2(self.conv2(x)))


class ResNet9(nn.Module):
    """A 2x2 convolution to 24 channels, three stages, global pooling and a classifier.

    Parameters
    ----------
    widths : tuple of int
        Channels of the three stages. Width 32, 128 and 256: 1.1 million parameters and 44 million multiply-adds for a
        32-pixel image.
    pooling : {'max', 'mean'}
        `max` pools by the maximum and divides the logits by 3, as Page's network does; `mean` pools by the mean and
        leaves the logits alone, as the paper's networks do.
    num_classes, in_channels : int
    """

    def __init__(self, widths: tuple[int, int, int], pooling: str, num_classes: int, in_channels: int = 3):
        super().__init__()
        self.pooling = pooling
        self.stem = nn.Conv2d(in_channels, 24, 2)
        ins = (24, *widths[:-1])
        self.blocks = nn.Sequential(*(_Stage(a, b) for a, b in zip(ins, widths, strict=True)))
        self.classifier = nn.Linear(widths[-1], num_classes)
        he_fan_out(self)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map images (n, c, h, w) to logits (n, k)."""
        x = self.blocks(F.gelu(self.stem(x)))
        return self.classifier(x.amax((2, 3))) / 3 if self.pooling == "max" else self.classifier(x.mean((2, 3)))
