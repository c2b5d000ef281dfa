"""Corruptions: every kind, every severity, the same again for the same seed."""

import numpy as np
import pytest
from scipy import ndimage

from fmfp_lib import datasets
from fmfp_lib.datasets.corruptions import KINDS, corrupt


def images(channels, size, n=30):
    """Return real images brought to `size` pixels, with some grain and a grey that differs from channel to channel."""
    x = datasets.load("embedded", test_size=n).x_test.astype(float)
    x = ndimage.zoom(x, (1, 1, size / 28, size / 28), order=1) * 0.7
    x += ndimage.gaussian_filter(np.random.default_rng(0).normal(0, 30, x.shape), (0, 0, 0.7, 0.7))
    x = x + np.array([20, 40, 60][:channels])[:, None, None]
    return np.uint8(x.clip(0, 255))


def distortion(x, kind, severity):
    return np.sqrt(np.mean((corrupt(x, kind, severity) - x.astype(float)) ** 2))


def test_the_kinds_are_the_fifteen_of_cifar_10_c():
    assert len(KINDS) == 15 and all(len(strengths) == 5 for _, strengths in KINDS.values())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("channels", "size"), [(1, 28), (3, 32), (3, 64)])
def test_each_severity_changes_the_pixels_more_than_the_one_before(kind, channels, size):
    x = images(channels, size)
    out = corrupt(x, kind, 3)
    assert out.dtype == np.uint8 and out.shape == x.shape
    found = [distortion(x, kind, severity) for severity in (1, 2, 3, 4, 5)]
    assert found[0] > 0.5 and np.all(np.diff(found) > 0)


@pytest.mark.parametrize("kind", KINDS)
def test_same_seed_same_images_whatever_follows_them(kind):
    x = images(3, 32)
    out = corrupt(x, kind, 4, seed=7)
    assert np.array_equal(out, corrupt(x, kind, 4, seed=7))
    assert np.abs(out[:5].astype(int) - corrupt(x[:5], kind, 4, seed=7)).max() <= 1  # sums may round differently
    by_chance = kind not in ("defocus_blur", "zoom_blur", "brightness", "contrast", "pixelate", "jpeg_compression")
    assert np.array_equal(out, corrupt(x, kind, 4, seed=8)) != by_chance
    assert np.array_equal(corrupt(x[[0, 0]], kind, 4)[0], corrupt(x[[0, 0]], kind, 4)[1]) != by_chance


def test_noise_has_the_strength_it_says():
    x = np.full((50, 3, 32, 32), 128, np.uint8)
    assert corrupt(x, "gaussian_noise", 3).std() == pytest.approx(0.08 * 255, rel=0.01)
    assert corrupt(x, "shot_noise", 3).std() == pytest.approx(255 * np.sqrt(128 / 255 / 100), rel=0.02)
    assert np.mean(corrupt(x, "impulse_noise", 5) != 128) == pytest.approx(0.07, abs=0.003)
    assert np.all(corrupt(x, "brightness", 2) == 128 + 25 + 1)  # 25.5 more, rounded
    for kind in ("defocus_blur", "glass_blur", "motion_blur", "zoom_blur", "contrast", "elastic_transform", "pixelate"):
        assert np.abs(corrupt(x, kind, 5).astype(int) - 128).max() <= 1, kind  # nothing to blur or to move


def test_motion_is_along_a_line_and_pixels_become_blocks():
    x = np.zeros((20, 1, 32, 32), np.uint8)
    x[:, :, 16, 16] = 255
    for image in corrupt(x, "motion_blur", 5)[:, 0]:
        rows, columns = np.nonzero(image > 8)
        assert np.linalg.svd(np.cov(np.stack([rows, columns])))[1][1] < 0.4 and np.ptp(columns) >= 3
    x = np.tile(np.arange(64, dtype=np.uint8) % 2 * 255, (1, 1, 64, 1))
    assert len(np.unique(corrupt(x, "pixelate", 5))) < 40  # 35 of 64 columns are left


@pytest.mark.parametrize(
    ("x", "kind", "severity", "message"),
    [
        (np.zeros((1, 1, 28, 28), np.uint8), "gausian_noise", 1, "did you mean 'gaussian_noise'"),
        (np.zeros((1, 1, 28, 28), np.uint8), "fog", 6, "severity is 6; choose 1"),
        (np.zeros((1, 1, 28, 28), np.uint8), "fog", 0, "severity is 0; choose 1"),
        (np.zeros((1, 1, 28, 28)), "fog", 1, "float64 of shape"),
        (np.zeros((1, 28, 28, 3), np.uint8), "fog", 1, r"shape \(1, 28, 28, 3\)"),
        (np.zeros((28, 28), np.uint8), "fog", 1, r"shape \(28, 28\)"),
    ],
)
def test_wrong_input_is_named(x, kind, severity, message):
    with pytest.raises(ValueError, match=message):
        corrupt(x, kind, severity)


def test_no_image_stays_no_image():
    assert corrupt(np.zeros((0, 3, 32, 32), np.uint8), "snow", 1).shape == (0, 3, 32, 32)
