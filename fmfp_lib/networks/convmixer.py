"""ConvMixer (Trockman & Kolter 2022)."""

import torch
from torch import nn


class _Residual(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return x + self.inner(x)


class ConvMixer(nn.Module):
    """A patch embedding, then `depth` pairs of a depthwise convolution (with shortcut) and a pointwise one.

    Width 256, depth 16, kernel 8 and patch 1 make the paper's network (1,339,402 parameters at 10 classes).

    Parameters
    ----------
    width : int
        Channels.
    depth : int
        Number of pairs of convolutions.
    kernel : int
        Size of the depthwise convolution.
    patch : int
        Size and stride of the patch embedding.
    num_classes : int
        Number of classes.
    in_channels : int
        Channels of the images, 1 or 3.
    """

    def __init__(self, width: int, depth: int, kernel: int, patch: int, num_classes: int, in_channels: int = 3):
        super().__init__()

        def rest(channels):
            return nn.GELU(), nn.BatchNorm2d(channels)

        layers = [nn.Conv2d(in_channels, width, patch, patch), *rest(width)]
        for _ in range(depth):
            depthwise = nn.Conv2d(width, width, kernel, groups=width, padding="same")
            layers += [_Residual(nn.Sequential(depthwise, *rest(width))), nn.Conv2d(width, width, 1), *rest(width)]
        self.blocks = nn.Sequential(*layers)
        self.classifier = nn.Linear(width, num_classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map images (n, c, h, w) to logits (n, k)."""
        return self.classifier(self.blocks(x).mean((2, 3)))
