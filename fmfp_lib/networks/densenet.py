"""DenseNet-BC (Huang et al. 2017)."""

import torch
import torch.nn.functional as F
from torch import nn

from .initialise import he_fan_out, zero_biases


class _Layer(nn.Module):
    """A bottleneck of 4 growth channels and a 3x3 convolution, whose `growth` outputs join the input's."""

    def __init__(self, in_channels, growth):
        super().__init__()
        self.norm1, self.conv1 = nn.BatchNorm2d(in_channels), nn.Conv2d(in_channels, 4 * growth, 1, bias=False)
        self.norm2, self.conv2 = nn.BatchNorm2d(4 * growth), nn.Conv2d(4 * growth, growth, 3, 1, 1, bias=False)

    def forward(self, x):
        # In place, since batch norm's own output is needed by nothing else: a tenth of a step, and the same bits.
        return torch.cat([x, self.conv2(F.relu_(self.norm2(self.conv1(F.relu_(self.norm1(x))))))], 1)


class DenseNet(nn.Module):
    """Three dense blocks of ``(depth - 4) / 6`` layers; transitions halve the channels and the image.

    Depth 100 and growth 12 make the paper's network (769,162 parameters at 10 classes).

    Parameters
    ----------
    depth : int
        Number of layers with weights.
    growth : int
        Channels that each layer adds.
    stem_stride : int
        Stride of the first convolution, 1 or 2.
    num_classes : int
        Number of classes.
    in_channels : int
        Channels of the images, 1 or 3.
    """

    def __init__(self, depth: int, growth: int, stem_stride: int, num_classes: int, in_channels: int = 3):
        super().__init__()
        if depth < 10 or (depth - 4) % 6:
            raise ValueError(f"depth is {depth}; it must be 6 n + 4 with n at least 1, such as 16, 22 or 100")
        channels = 2 * growth
        layers = [nn.Conv2d(in_channels, channels, 3, stem_stride, 1, bias=False)]
        for block in range(3):
            if block:
                layers += [
                    nn.BatchNorm2d(channels),
                    nn.ReLU(),
                    nn.Conv2d(channels, channels // 2, 1, bias=False),
                    nn.AvgPool2d(2),
                ]
                channels //= 2
            for _ in range((depth - 4) // 6):
                layers.append(_Layer(channels, growth))
                channels += growth
        self.blocks = nn.Sequential(*layers, nn.BatchNorm2d(channels), nn.ReLU())
        self.classifier = nn.Linear(channels, num_classes)
        he_fan_out(self)
        zero_biases(self.classifier)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map images (n, c, h, w) to logits (n, k)."""
        return self.classifier(self.blocks(x).mean((2, 3)))
