"""Pre-activation residual networks for small images (He et al., ECCV 2016)."""

import torch
import torch.nn.functional as F
from torch import nn

from .initialise import he_fan_out


class _EverySecond(nn.Conv2d):
    """A 1x1 convolution on every second pixel: what stride 2 means, by another way.

    With fewer than 16 channels in channels-last layout, torch 2.14 on CPUs with AVX-512 writes past its memory in the
    backward pass of the strided convolution itself.
    """

    def __init__(self, in_channels: int, channels: int):
        super().__init__(in_channels, channels, 1, bias=False)

    def forward(self, x):
        return super().forward(x[:, :, ::2, ::2])


class PreActBlock(nn.Module):
    """Two 3x3 convolutions, each after batch norm and ReLU; where the shape changes, the 1x1 shortcut starts
    from the already normalised and rectified input, as the paper's code has it.

    Parameters
    ----------
    in_channels, channels : int
        Channels that come in and go out.
    stride : int
        Of the first convolution.
    """

    def __init__(self, in_channels: int, channels: int, stride: int):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(in_channels)
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.shortcut = None
        if stride == 2 and in_channels < 16:
            self.shortcut = _EverySecond(in_channels, channels)
        elif stride != 1 or in_channels != channels:
            self.shortcut = nn.Conv2d(in_channels, channels, 1, stride, bias=False)

    def forward(self, x):
        y = F.relu(self.norm1(x))
        x = x if self.shortcut is None else self.shortcut(y)
        return x + self.conv2(F.relu(self.norm2(self.conv1(y))))


class PreActResNet(nn.Module):
    """Three stages of ``(depth - 2) / 6`` blocks with `width`, 2 `width` and 4 `width` channels.

    Depth 110 and width 16 make the paper's PreAct-ResNet110 (1,730,522 parameters at 10 classes).
    `stem_stride` 2 halves the image at once: a quarter of the cost, for CPUs.

    Parameters
    ----------
    depth : int
        Number of layers with weights.
    width : int
        Channels of the first stage.
    stem_stride : int
        Stride of the first convolution, 1 or 2.
    num_classes : int
        Number of classes.
    in_channels : int
        Channels of the images, 1 or 3.
    """

    def __init__(self, depth: int, width: int, stem_stride: int, num_classes: int, in_channels: int = 3):
        super().__init__()
        if depth < 8 or (depth - 2) % 6:
            raise ValueError(f"depth is {depth}; it must be 6 n + 2 with n at least 1, such as 8, 14 or 110")
        widths = [width * 2**stage for stage in range(3)]
        self.build(width, widths, (depth - 2) // 6, stem_stride, num_classes, in_channels)

    def build(self, stem, widths, blocks_a_stage, stem_stride, num_classes, in_channels):
        """Make the layers: a stem, one stage a width, batch norm, classifier.

        Parameters
        ----------
        stem : int
            Channels of the stem.
        widths : sequence of int
            Channels of each stage.
        blocks_a_stage : int
            Blocks in each stage.
        stem_stride : int
            Stride of the first convolution, 1 or 2.
        num_classes : int
            Number of classes.
        in_channels : int
            Channels of the images, 1 or 3.
        """
        self.stem = nn.Conv2d(in_channels, stem, 3, stem_stride, 1, bias=False)
        blocks, channels = [], stem
        for stage, out in enumerate(widths):
            for index in range(blocks_a_stage):
                blocks.append(PreActBlock(channels, out, 2 if stage and not index else 1))
                channels = out
        self.blocks = nn.Sequential(*blocks)
        self.norm = nn.BatchNorm2d(channels)
        self.classifier = nn.Linear(channels, num_classes)
        he_fan_out(self)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map images (n, c, h, w) to logits (n, k)."""
        x = F.relu(self.norm(self.blocks(self.stem(x))))
        return self.classifier(x.mean((2, 3)))
