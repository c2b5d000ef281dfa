"""Networks by name. A name of the family says depth, width and stem: ``preact_resnet8_w32_s2``."""

from functools import partial


def _preact(depth, width, stem_stride, num_classes, in_channels):
    from .preact_resnet import PreActResNet

    return PreActResNet(depth, width, stem_stride, num_classes, in_channels)


NETWORKS = {"preact_resnet110": partial(_preact, 110, 16, 1)}
NETWORKS |= {
    f"preact_resnet{depth}_w{width}_s{stride}": partial(_preact, depth, width, stride)
    for depth in (8, 14, 20)
    for width in (8, 16, 32)
    for stride in (1, 2)
}


def create(name: str, num_classes: int, in_channels: int = 3):
    """Return a freshly initialised network.

    Parameters
    ----------
    name : str
        One of ``NETWORKS``.
    num_classes, in_channels : int
        Size of the last layer (at least 2), and channels of the images.

    Raises
    ------
    ValueError
        For an unknown name (the message lists the choices) or fewer than two classes.
    """
    from ..settings import choose

    if num_classes < 2:
        raise ValueError(f"num_classes is {num_classes}; at least 2 are needed")
    return NETWORKS[choose("network", name, NETWORKS)](num_classes, in_channels)
