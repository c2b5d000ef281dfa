"""MobileNet-v2 (Sandler et al. 2018) and EfficientNet-B0 (Tan & Le 2019) for images of 32 pixels."""

import torch
from torch import nn
from torchvision.models.efficientnet import MBConv, MBConvConfig
from torchvision.ops import SqueezeExcitation

from .initialise import he_fan_out, uniform_by_fan_in


class _InvertedResidual(nn.Module):
    """Expand, filter each channel, project; a shortcut where the shape stays."""

    def __init__(self, in_channels, out_channels, expansion, stride):
        super().__init__()
        hidden = expansion * in_channels
        self.inner = nn.Sequential(
            nn.Conv2d(in_channels, hidden, 1, bias=False), nn.BatchNorm2d(hidden), nn.ReLU(),
            nn.Conv2d(hidden, hidden, 3, stride, 1, groups=hidden, bias=False), nn.BatchNorm2d(hidden), nn.ReLU(),
            nn.Conv2d(hidden, out_channels, 1, bias=False), nn.BatchNorm2d(out_channels),
        )  # fmt: skip
        self.has_shortcut = stride == 1 and in_channels == out_channels

    def forward(self, x):
        return x + self.inner(x) if self.has_shortcut else self.inner(x)


class MobileNetV2(nn.Module):
    """Stem stride 1, stride 2 only at 64 and 160 channels, head of 1280.

    Parameters
    ----------
    num_classes : int
        Number of classes.
    in_channels : int
        Channels of the images, 1 or 3.
    """

    STAGES = ((1, 16, 1, 1), (6, 24, 2, 1), (6, 32, 3, 1), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))

    def __init__(self, num_classes: int, in_channels: int = 3):
        super().__init__()
        layers, channels = [nn.Conv2d(in_channels, 32, 3, 1, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU()], 32
        for expansion, out, repeats, stride in self.STAGES:
            for index in range(repeats):
                layers.append(_InvertedResidual(channels, out, expansion, 1 if index else stride))
                channels = out
        layers += [nn.Conv2d(channels, 1280, 1, bias=False), nn.BatchNorm2d(1280), nn.ReLU()]
        self.blocks = nn.Sequential(*layers)
        self.classifier = nn.Linear(1280, num_classes)
        he_fan_out(self)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map images (n, c, h, w) to logits (n, k)."""
        return self.classifier(self.blocks(x).mean((2, 3)))


class EfficientNetB0(nn.Module):
    """EfficientNet-B0 of torchvision's blocks with stem stride 1, no dropout and no dropped paths.

    Batch norm has PyTorch's defaults; the released code's settings differ from layer to layer (the book's page on
    networks), one of its stages keeps the stride that is 2 here, and it has dropout.

    Parameters
    ----------
    num_classes : int
        Number of classes.
    in_channels : int
        Channels of the images, 1 or 3.
    """

    STAGES = (
        (1, 3, 1, 32, 16, 1), (6, 3, 2, 16, 24, 2), (6, 5, 2, 24, 40, 2), (6, 3, 2, 40, 80, 3),
        (6, 5, 1, 80, 112, 3), (6, 5, 2, 112, 192, 4), (6, 3, 1, 192, 320, 1),
    )  # fmt: skip

    def __init__(self, num_classes: int, in_channels: int = 3):
        super().__init__()
        layers = [nn.Conv2d(in_channels, 32, 3, 1, 1, bias=False), nn.BatchNorm2d(32), nn.SiLU()]
        for expansion, kernel, stride, channels, out, repeats in self.STAGES:
            for index in range(repeats):
                config = MBConvConfig(
                    expansion, kernel, 1 if index else stride, out if index else channels, out, num_layers=1
                )
                layers.append(MBConv(config, 0.0, nn.BatchNorm2d))
        layers += [nn.Conv2d(320, 1280, 1, bias=False), nn.BatchNorm2d(1280), nn.SiLU()]
        self.blocks = nn.Sequential(*layers)
        self.classifier = nn.Linear(1280, num_classes)
        he_fan_out(self)
        for module in self.modules():  # squeeze and excitation are linear layers in the released code
            if isinstance(module, SqueezeExcitation):
                uniform_by_fan_in(module.fc1)
                uniform_by_fan_in(module.fc2)
        uniform_by_fan_in(self.classifier)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map images (n, c, h, w) to logits (n, k)."""
        return self.classifier(self.blocks(x).mean((2, 3)))
