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


def create(name: str, num_classes: int, in_channels: int = 3, cosine: bool = False):
    """Return a freshly initialised network, whose last layer is called ``classifier``.

    Parameters
    ----------
    name : str
        One of ``NETWORKS``.
    num_classes, in_channels : int
        Size of the last layer (at least 2), and channels of the images.
    cosine : bool
        Replace the last layer by 16 times the cosine between features and class weights.

    Raises
    ------
    ValueError
        For an unknown name (the message lists the choices) or fewer than two classes.
    """
    from ..settings import choose

    if num_classes < 2:
        raise ValueError(f"num_classes is {num_classes}; at least 2 are needed")
    network = NETWORKS[choose("network", name, NETWORKS)](num_classes, in_channels)
    if cosine:
        from .heads import CosineClassifier

        network.classifier = CosineClassifier(network.classifier.in_features, num_classes)
    return network
