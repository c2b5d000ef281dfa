"""Rounding to the significands of bfloat16 and TF32, and what it leaves of SAM's perturbation."""

import torch

from fmfp_lib import networks
from fmfp_lib.book import low_precision


def test_rounding_to_eight_bits_is_bfloat16():
    x = torch.randn(10_000, generator=torch.Generator().manual_seed(0))
    ours, torchs = low_precision.rounded(x, low_precision.BITS["bfloat16"]), x.bfloat16().float()
    # Torch rounds ties to even, which random numbers do not meet.
    assert torch.equal(ours, torchs)
    assert torch.equal(low_precision.rounded(x, 24 - 1), low_precision.rounded(low_precision.rounded(x, 23), 23))


def test_bfloat16_sees_little_of_a_small_perturbation_and_tf32_nearly_all():
    torch.manual_seed(0)
    model = networks.create("preact_resnet8_w8_s2", 10, 1)
    x, y = torch.randn(64, 1, 28, 28), torch.randint(0, 10, (64,))
    found = low_precision.perturbation_seen(model, x, y, 0.05)
    assert found["bfloat16"][0] < found["tf32"][0] <= 1
    assert found["bfloat16"][2] < found["tf32"][2] <= 1 + 1e-6
    large = low_precision.perturbation_seen(model, x, y, 50.0)
    assert large["bfloat16"][2] > 0.99 and abs(large["bfloat16"][1] - 1) < 0.01
