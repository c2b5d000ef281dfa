"""ResNet-18 and ResNet-50 (He et al. 2016): torchvision's, with a stem for small images where asked."""

import torch
import torchvision
from torch import nn

from .initialise import torch_default


class ResNet(nn.Module):
    """torchvision's ResNet; `stem_stride` 1 or 2 puts a 3x3 convolution without pooling in place of its stem.

    Stride 1 is the 32-pixel form, stride 2 the 64-pixel form (Tiny-ImageNet), None the form for ImageNet.

    Parameters
    ----------
    depth : int
        18 or another depth that torchvision has.
    stem_stride : int or None
        1, 2, or None for torchvision's stem.
    num_classes : int
        Number of classes.
    in_channels : int
        Channels of the images, 1 or 3.
    """

    def __init__(self, depth: int, stem_stride: int | None, num_classes: int, in_channels: int = 3):
        super().__init__()
        network = getattr(torchvision.models, f"resnet{depth}")(num_classes=num_classes)
        if stem_stride is not None:
            network.conv1 = nn.Conv2d(in_channels, 64, 3, stem_stride, 1, bias=False)
            network.maxpool = nn.Identity()
            if depth == 18:  # the released code's; it has no other depth
                torch_default(network)
            else:
                nn.init.kaiming_normal_(network.conv1.weight, mode="fan_out", nonlinearity="relu")
        elif in_channels != 3:
            raise ValueError(f"in_channels is {in_channels}; the ImageNet form takes 3")
        self.classifier, network.fc = network.fc, nn.Identity()
        self.network = network

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map images (n, c, h, w) to logits (n, k)."""
        return self.classifier(self.network(x))
