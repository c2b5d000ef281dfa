"""Wide residual networks (Zagoruyko & Komodakis 2016), without dropout."""

from torch import nn

from .initialise import zero_biases
from .preact_resnet import PreActResNet


class WideResNet(PreActResNet):
    """Three stages of ``(depth - 4) / 6`` pre-activation blocks, 16 k, 32 k and 64 k channels wide, after a stem of 16.

    Depth 28 and factor 10 make the paper's network (36,479,194 parameters at 10 classes).

    Parameters
    ----------
    depth : int
        Number of layers with weights.
    factor : int
        k: how many times wider than a ResNet.
    stem_stride : int
        Stride of the first convolution, 1 or 2.
    num_classes : int
        Number of classes.
    in_channels : int
        Channels of the images, 1 or 3.
    """

    def __init__(self, depth: int, factor: int, stem_stride: int, num_classes: int, in_channels: int = 3):
        if depth < 10 or (depth - 4) % 6:
            raise ValueError(f"depth is {depth}; it must be 6 n + 4 with n at least 1, such as 10, 16 or 28")
        nn.Module.__init__(self)
        self.build(16, [16 * factor * 2**i for i in range(3)], (depth - 4) // 6, stem_stride, num_classes, in_channels)
        zero_biases(self.classifier)
