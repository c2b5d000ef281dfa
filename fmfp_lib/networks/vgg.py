"""VGG with batch norm (Simonyan & Zisserman 2015) for images of 32 pixels: VGG-16 and a small member, VGG-8."""

import torch
from torch import nn

from .initialise import he_fan_out, zero_biases


class VGG(nn.Module):
    """Five stages of convolutions, each ended by pooling; a head of three layers with dropout 0.5 before two of them.

    Depth 16 is configuration D; depth 8 has one convolution a stage. The stages are 1, 2, 4, 8 and 8 times `width`
    wide and the head as wide as the last; width 64 makes the paper's VGG-16 (15,253,578 parameters at 10 classes).

    Parameters
    ----------
    depth : int
        8 or 16, a key of `CONVOLUTIONS`.
    width : int
        Channels of the first stage.
    num_classes : int
        Number of classes.
    in_channels : int
        Channels of the images, 1 or 3.
    """

    CONVOLUTIONS = {8: (1, 1, 1, 1, 1), 16: (2, 2, 3, 3, 3)}

    def __init__(self, depth: int, width: int, num_classes: int, in_channels: int = 3):
        super().__init__()
        layers, channels = [], in_channels
        for repeats, factor in zip(self.CONVOLUTIONS[depth], (1, 2, 4, 8, 8), strict=True):
            for _ in range(repeats):
                layers += [nn.Conv2d(channels, factor * width, 3, padding=1), nn.BatchNorm2d(factor * width), nn.ReLU()]
                channels = factor * width
            layers.append(nn.MaxPool2d(2, ceil_mode=True))  # so that 28 pixels survive five poolings
        self.blocks = nn.Sequential(*layers)
        self.head = nn.Sequential(
            nn.Dropout(0.5),
            nn.Linear(channels, channels),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(channels, channels),
            nn.ReLU(),
        )
        self.classifier = nn.Linear(channels, num_classes)
        he_fan_out(self)
        zero_biases(*(layer for layer in self.blocks if isinstance(layer, nn.Conv2d)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map images (n, c, h, w) to logits (n, k)."""
        return self.classifier(self.head(self.blocks(x).mean((2, 3))))
