"""Networks by name.

A small member's name says its size: ``preact_resnet8_w32_s2`` has depth 8, width 32 and stem stride 2;
``resnet9_w32`` first stage 32 channels wide;
``wideresnet10_k2_s2`` widening factor 2; ``densenet22_g12_s2`` growth 12; ``convmixer64_d4_p2`` patch 2.
"""

from functools import partial
from importlib import import_module

from ..errors import choose


def _make(place: str, *sizes):
    """Return a constructor (num_classes, in_channels) of ``module.Class`` that imports torch only when called."""

    def construct(num_classes, in_channels):
        module, name = place.split(".")
        return getattr(import_module(f".{module}", __name__), name)(*sizes, num_classes, in_channels)

    return construct


_preact = partial(_make, "preact_resnet.PreActResNet")
_wide = partial(_make, "wideresnet.WideResNet")
_dense = partial(_make, "densenet.DenseNet")
_mixer = partial(_make, "convmixer.ConvMixer")
_resnet = partial(_make, "resnet.ResNet")

# The paper's, for images of 32 pixels.
NETWORKS = {
    "preact_resnet110": _preact(110, 16, 1),
    "wideresnet": _wide(28, 10, 1),
    "densenet": _dense(100, 12, 1),
    "convmixer": _mixer(256, 16, 8, 1),
    "mobilenet_v2": _make("mobile.MobileNetV2"),
    "efficientnet": _make("mobile.EfficientNetB0"),
    "vgg16": _make("vgg.VGG", 16, 64),
    "resnet18": _resnet(18, 1),
    "resnet50": _resnet(50, 1),
    # for 64 pixels (Tiny-ImageNet), and for ImageNet
    "resnet18_s2": _resnet(18, 2),
    "resnet50_s2": _resnet(50, 2),
    "resnet18_imagenet": _resnet(18, None),
    "resnet50_imagenet": _resnet(50, None),
}
# Small enough for a CPU.
NETWORKS |= {
    f"preact_resnet{depth}_w{width}_s{stride}": _preact(depth, width, stride)
    for depth in (8, 14, 20)
    for width in (8, 16, 32)
    for stride in (1, 2)
}
NETWORKS |= {
    f"resnet9_w{w}{form}": _make("resnet9.ResNet9", (w, 4 * w, 8 * w), pooling)
    for w in (8, 16, 32, 64)
    for form, pooling in (("", "max"), ("_mean", "mean"))
}
NETWORKS |= {f"wideresnet{d}_k{k}_s2": _wide(d, k, 2) for d in (10, 16) for k in (1, 2, 4)}
NETWORKS |= {f"densenet{d}_g{g}_s2": _dense(d, g, 2) for d in (16, 22, 40) for g in (8, 12)}
NETWORKS |= {f"vgg8_w{w}": _make("vgg.VGG", 8, w) for w in (8, 16, 32)}
NETWORKS |= {f"convmixer{w}_d{d}_p{p}": _mixer(w, d, 5, p) for w in (32, 64) for d in (4, 8) for p in (2, 4)}

# Their first weights are drawn as the authors' code draws them since format 2 of a run (`settings.FORMAT`); records of
# format 1 began with PyTorch's or torchvision's.
REDRAWN = frozenset(n for n in NETWORKS if n.startswith(("vgg", "wideresnet", "densenet", "efficientnet")))
REDRAWN |= {"resnet18", "resnet18_s2"}


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

    Returns
    -------
    torch.nn.Module
        From normalised images (n, c, h, w) to logits (n, num_classes).

    Raises
    ------
    ValueError
        For an unknown name (the message lists the choices) or fewer than two classes.
    """
    if num_classes < 2:
        raise ValueError(f"num_classes is {num_classes}; at least 2 are needed")
    network = NETWORKS[choose("network", name, NETWORKS)](num_classes, in_channels)
    if cosine:
        from .heads import CosineClassifier

        network.classifier = CosineClassifier(network.classifier.in_features, num_classes)
    return network
