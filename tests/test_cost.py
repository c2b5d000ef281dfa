"""What a run costs, against counts made by hand."""

import pytest

from fmfp_lib import cost
from fmfp_lib.settings import Settings


def test_vgg8_is_counted_as_by_hand():
    # Stages of 8, 16, 32, 64 and 64 channels on 28, 14, 7, 4 and 2 pixels, three linear layers; two operations each.
    channels, pixels = (1, 8, 16, 32, 64, 64), (28, 14, 7, 4, 2)
    layers = [9 * a * b * p**2 for a, b, p in zip(channels, channels[1:], pixels, strict=False)]
    linear = [64 * 64, 64 * 64, 64 * 10]
    forward, backward = cost.operations("vgg8_w8", "embedded")
    assert forward == 2 * sum(layers + linear)
    assert backward == 2 * 2 * sum(layers + linear) - 2 * layers[0]  # nobody asks for the gradient of the images


@pytest.mark.parametrize("network", ["convmixer32_d4_p4", "mobilenet_v2", "densenet16_g8_s2", "preact_resnet8_w8_s2"])
def test_backward_costs_twice_the_forward_pass_also_where_channels_are_grouped(network):
    forward, backward = cost.operations(network)
    assert 1.8 * forward < backward <= 2 * forward


def test_sam_counts_twice_and_what_is_shared_is_left_out():
    def passes(method, **options):
        return cost.passes(Settings(scale="paper", method=method, device="cpu"), **options)

    assert [passes(m) for m in ("baseline", "sam", "swa", "fmfp", "sam_k2")] == [200, 400, 200, 280, 300]
    assert [passes(m, from_checkpoint=True) for m in ("baseline", "swa", "fmfp")] == [200, 80, 160]
    assert passes("fmfp") < cost.passes(Settings(scale="paper", method="fmfp", protocol="code", device="cpu"))


def test_hours_are_operations_over_rate():
    settings = Settings(dataset="cifar10", scale="paper", network="resnet18", device="cpu")
    work = sum(cost.operations("resnet18")) * 45_000 * 200
    assert cost.hours(settings, rate=work / 3600) == pytest.approx(1)
