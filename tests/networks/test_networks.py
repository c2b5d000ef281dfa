"""Every network runs; the paper's have the released number of parameters."""

import pytest
import torch

from fmfp_lib import networks, records
from fmfp_lib.settings import Settings

PUBLISHED = {
    "preact_resnet110": (1_730_522, 1_736_372), "wideresnet": (36_479_194, 36_536_884),
    "densenet": (769_162, 800_032), "convmixer": (1_339_402, 1_362_532), "mobilenet_v2": (2_237_770, 2_353_060),
    "efficientnet": (4_020_358, 4_135_648), "vgg16": (15_253_578, 15_299_748), "resnet18": (11_173_962, 11_220_132),
}  # fmt: skip


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_are_those_of_the_release(name):
    for classes, published in zip((10, 100), PUBLISHED[name], strict=True):
        with torch.device("meta"):
            network = networks.create(name, classes)
        assert sum(p.numel() for p in network.parameters()) == published


@pytest.mark.parametrize("name", networks.NETWORKS)
def test_every_network_runs_forward_and_backward(name):
    imagenet = name.endswith("imagenet")
    channels, size = (3, 64) if imagenet else (1, 28)
    network = networks.create(name, 7, channels)
    assert isinstance(network.classifier, torch.nn.Linear)
    logits = network(torch.randn(2, channels, size, size))
    assert logits.shape == (2, 7)
    torch.nn.functional.cross_entropy(logits, torch.tensor([0, 3])).backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in network.parameters())


def test_cosine_head_bounds_the_logits():
    network = networks.create("densenet16_g8_s2", 5, cosine=True)
    assert network(torch.randn(4, 3, 32, 32)).abs().max() <= 16 + 1e-4


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: networks.create("densnet", 10), "did you mean 'densenet'"),
        (lambda: networks.create("resnet18", 1), "at least 2"),
        (lambda: networks.create("resnet18_imagenet", 10, 1), "takes 3"),
        (lambda: networks._wide(11, 1, 1)(10, 3), "6 n \\+ 4"),
        (lambda: networks._dense(12, 8, 1)(10, 3), "6 n \\+ 4"),
        (lambda: networks._preact(9, 8, 1)(10, 3), "6 n \\+ 2"),
    ],
)
def test_wrong_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_every_second_pixel_is_what_stride_two_takes():
    from fmfp_lib.networks.preact_resnet import _EverySecond

    layer, strided = _EverySecond(8, 16), torch.nn.Conv2d(8, 16, 1, 2, bias=False)
    strided.load_state_dict(layer.state_dict())
    x = torch.randn(3, 8, 7, 10)
    assert torch.allclose(layer(x), strided(x), atol=1e-6)


def first_weights(name):
    torch.manual_seed(0)
    return networks.create(name, 10)


@pytest.mark.parametrize("name", ["vgg16", "wideresnet16_k2_s2", "densenet40_g12_s2", "preact_resnet20_w16_s1"])
def test_convolutions_begin_with_he_over_fan_out(name):
    layers = [m for m in first_weights(name).modules() if isinstance(m, torch.nn.Conv2d) and m.weight.numel() > 4000]
    for layer in layers:
        fan_out = layer.weight.shape[0] * layer.kernel_size[0] ** 2
        assert float(layer.weight.detach().std()) == pytest.approx((2 / fan_out) ** 0.5, rel=0.05)


@pytest.mark.parametrize("name", ["wideresnet16_k2_s2", "densenet40_g12_s2"])
def test_classifiers_begin_with_zero_biases_where_the_authors_set_them(name):
    assert not first_weights(name).classifier.bias.any()
    assert first_weights("preact_resnet20_w16_s1").classifier.bias.any()


def test_vgg_resnet18_and_efficientnet_begin_as_the_released_code_has_them():
    vgg = [m for m in first_weights("vgg16").blocks if isinstance(m, torch.nn.Conv2d)]
    assert not any(layer.bias.any() for layer in vgg)
    conv = first_weights("resnet18").network.layer4[1].conv2
    bound = (1 / conv.weight[0].numel()) ** 0.5  # PyTorch's default: uniform within this
    assert float(conv.weight.detach().abs().max()) == pytest.approx(bound, rel=0.01)
    efficient = first_weights("efficientnet")
    assert float(efficient.classifier.weight.detach().abs().max()) == pytest.approx(1 / 35, rel=0.01)
    squeeze = [m for m in efficient.modules() if type(m).__name__ == "SqueezeExcitation"][-1]
    assert float(squeeze.fc1.weight.detach().abs().max()) == pytest.approx(1 / 33, rel=0.01)


def test_redrawn_networks_have_a_name_of_their_own_and_older_records_are_still_found():
    shipped = Settings(dataset="cifar10", network="vgg8_w16", seed=0, train_size=5000, epochs=200, test_size=10_000)
    assert shipped.hash() != shipped.hash(1) and records.find(shipped).path.stem == shipped.hash(1)
    same = Settings(scale="classroom", network="preact_resnet8_w32_s2")
    assert same.hash() == same.hash(1)
