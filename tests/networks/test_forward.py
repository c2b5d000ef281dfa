"""Each network against an independent forward pass of some twenty lines that takes its weights."""

import pytest
import torch
import torch.nn.functional as F

from fmfp_lib import networks


def random_network(name, size=32):
    """Return a network in eval mode with random batch norm, wide enough to reach values above 6, and an image batch."""
    torch.manual_seed(0)
    network = networks.create(name, 10) if isinstance(name, str) else name(10, 3)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 2.0)
            torch.nn.init.normal_(module.bias, std=0.5)
            torch.nn.init.normal_(module.running_mean, std=0.3)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
    return network.eval(), torch.randn(2, 3, size, size)


class Weights:
    """The weights of a network by name, and the layers that use them."""

    def __init__(self, network):
        self.state = network.state_dict()

    def has(self, name):
        return f"{name}.weight" in self.state

    def conv(self, name, x, stride=1, padding=0, groups=1):
        bias = self.state.get(f"{name}.bias")
        return F.conv2d(x, self.state[f"{name}.weight"], bias, stride, padding, groups=groups)

    def norm(self, name, x):
        mean, var, scale, shift = (
            self.state[f"{name}.{kind}"][:, None, None] for kind in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / (var + 1e-5) ** 0.5 * scale + shift

    def linear(self, name, x):
        return x @ self.state[f"{name}.weight"].T + self.state[f"{name}.bias"]

    def classify(self, x):
        return self.linear("classifier", x.mean((2, 3)))


def relu(x):
    return x * (x > 0)


def preact_resnet(w, x, blocks, stem_stride):
    """Also of WideResNet: what differs are the widths, which lie in the weights."""
    x = w.conv("stem", x, stem_stride, 1)
    for i in range(3 * blocks):
        stride = 2 if i in (blocks, 2 * blocks) else 1  # the second and third stage halve the image
        y = relu(w.norm(f"blocks.{i}.norm1", x))
        shortcut = w.conv(f"blocks.{i}.shortcut", y, stride) if w.has(f"blocks.{i}.shortcut") else x
        y = relu(w.norm(f"blocks.{i}.norm2", w.conv(f"blocks.{i}.conv1", y, stride, 1)))
        x = shortcut + w.conv(f"blocks.{i}.conv2", y, 1, 1)
    return w.classify(relu(w.norm("norm", x)))


def densenet(w, x, layers, stem_stride):
    x, at = w.conv("blocks.0", x, stem_stride, 1), 1
    for block in range(3):
        if block:
            y = relu(w.norm(f"blocks.{at}", x))
            x, at = F.avg_pool2d(w.conv(f"blocks.{at + 2}", y), 2), at + 4
        for _ in range(layers):
            y = w.conv(f"blocks.{at}.conv1", relu(w.norm(f"blocks.{at}.norm1", x)))
            x = torch.cat([x, w.conv(f"blocks.{at}.conv2", relu(w.norm(f"blocks.{at}.norm2", y)), 1, 1)], 1)
            at += 1
    return w.classify(relu(w.norm(f"blocks.{at}", x)))


def vgg(w, x, convolutions):
    at = 0
    for count in convolutions:
        for _ in range(count):
            x, at = relu(w.norm(f"blocks.{at + 1}", w.conv(f"blocks.{at}", x, 1, 1))), at + 3
        x, at = F.max_pool2d(x, 2, ceil_mode=True), at + 1
    x = x.mean((2, 3))
    for layer in ("head.1", "head.4"):
        x = relu(w.linear(layer, x))
    return w.linear("classifier", x)


def convmixer(w, x, depth, kernel, patch):
    x = w.norm("blocks.2", F.gelu(w.conv("blocks.0", x, patch)))
    before, after = (kernel - 1) // 2, kernel // 2  # "same": an even kernel has one pixel more behind than before
    for at in range(3, 3 + 4 * depth, 4):
        padded = F.pad(x, (before, after, before, after))
        y = F.gelu(w.conv(f"blocks.{at}.inner.0", padded, groups=x.shape[1]))
        x = x + w.norm(f"blocks.{at}.inner.2", y)
        x = w.norm(f"blocks.{at + 3}", F.gelu(w.conv(f"blocks.{at + 1}", x)))
    return w.classify(x)


def mobilenet_v2(w, x):
    x, at, channels = relu(w.norm("blocks.1", w.conv("blocks.0", x, 1, 1))), 3, 32
    stages = (16, 1, 1), (24, 2, 1), (32, 3, 1), (64, 4, 2), (96, 3, 1), (160, 3, 2), (320, 1, 1)
    for width, repeats, stride in stages:
        for i in range(repeats):
            name, step = f"blocks.{at}.inner", 1 if i else stride
            y = relu(w.norm(f"{name}.1", w.conv(f"{name}.0", x)))
            y = relu(w.norm(f"{name}.4", w.conv(f"{name}.3", y, step, 1, groups=y.shape[1])))
            y = w.norm(f"{name}.7", w.conv(f"{name}.6", y))
            x, at = x + y if step == 1 and width == channels else y, at + 1
            channels = width
    return w.classify(relu(w.norm(f"blocks.{at + 1}", w.conv(f"blocks.{at}", x))))


CASES = {
    "preact_resnet8_w8_s2": (preact_resnet, 1, 2),
    "preact_resnet14_w16_s1": (preact_resnet, 2, 1),
    "preact_resnet110": (preact_resnet, 18, 1),
    "wideresnet10_k2_s2": (preact_resnet, 1, 2),
    "wideresnet16_k1_s2": (preact_resnet, 2, 2),
    "densenet16_g8_s2": (densenet, 2, 2),
    "densenet22_g12_s2": (densenet, 3, 2),
    "vgg8_w8": (vgg, (1, 1, 1, 1, 1)),
    "vgg16": (vgg, (2, 2, 3, 3, 3)),
    "convmixer32_d4_p2": (convmixer, 4, 5, 2),
    "mobilenet_v2": (mobilenet_v2,),
}


@pytest.mark.parametrize("name", CASES)
def test_forward_pass_is_that_of_the_reference(name):
    reference, *sizes = CASES[name]
    network, x = random_network(name, 28 if name == "vgg8_w8" else 32)
    with torch.no_grad():
        expected, found = reference(Weights(network), x, *sizes), network(x)
    assert expected.std() > 0.01
    assert torch.allclose(found, expected, rtol=1e-3, atol=1e-3 * float(expected.abs().max()))


def test_convmixer_with_the_papers_even_kernel():
    network, x = random_network(networks._mixer(16, 2, 8, 1))
    with torch.no_grad():
        expected = convmixer(Weights(network), x, 2, 8, 1)
        assert torch.allclose(network(x), expected, atol=1e-3 * float(expected.abs().max()))


SLIPS = {
    "preact_resnet8_w8_s2": ("fmfp_lib.networks.preact_resnet.F.relu", F.relu6),
    "densenet16_g8_s2": ("fmfp_lib.networks.densenet.F.relu_", F.relu6),
    "mobilenet_v2": ("torch.nn.ReLU.forward", lambda self, x: F.relu6(x)),
    "vgg8_w8": ("torch.nn.ReLU.forward", lambda self, x: F.relu6(x)),
    "convmixer32_d4_p2": ("torch.nn.GELU.forward", lambda self, x: F.relu(x)),
}


@pytest.mark.parametrize("name", SLIPS)
def test_another_activation_is_noticed(name, monkeypatch):
    monkeypatch.setattr(*SLIPS[name])
    with pytest.raises(AssertionError):
        test_forward_pass_is_that_of_the_reference(name)
