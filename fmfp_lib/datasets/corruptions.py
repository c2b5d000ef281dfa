"""Corruptions of small images, made on the fly: 15 kinds in 5 severities, for any data set.

The kinds and most strengths are those of CIFAR-10-C (Hendrycks & Dietterich 2019, *Benchmarking Neural Network
Robustness to Common Corruptions and Perturbations*); the code is not. Lengths in pixels are given for images of 32
pixels and grow with the image. What differs: frost is a drawn texture, not a photograph; fog and frost are sums of
smooth noise; glass blur, frost, elastic transform and pixelate are graded anew, so that each severity changes the
pixels more than the one before. Where CIFAR-10-C is at hand, ``datasets.shifted`` uses it.

Why no library: ``imagecorruptions`` was last released in 2020, and its strengths are ImageNet's, far too strong for 32
pixels. Its continuation ``imagecorruptions-imaug`` is kept up, with the same strengths, no image below 32 pixels, one
image at a time from one global random state, and needs OpenCV, numba and scikit-image. General augmentation libraries
(kornia, albumentations) have neither all the kinds nor these strengths. Here NumPy and SciPy corrupt a whole batch.
"""

from collections.abc import Callable

import numpy as np

from ..errors import choose
from . import corruption_kinds as kinds

SEVERITIES = (1, 2, 3, 4, 5)


def check(kind: str, severity: int) -> None:
    """Raise ValueError unless `kind` is one of `KINDS` and `severity` one of 1 to 5.

    Parameters
    ----------
    kind : str
        Name of a corruption, a key of `KINDS`.
    severity : int
        1 (slight) to 5.
    """
    choose("corruption", kind, KINDS)
    if severity not in SEVERITIES:
        raise ValueError(f"severity is {severity!r}; choose 1, 2, 3, 4 or 5")


def corrupt(x: np.ndarray, kind: str, severity: int, seed: int = 0) -> np.ndarray:
    """Return corrupted copies of images.

    The same images, kind, severity and seed give the same result; the i-th image's chance depends on i alone, so the
    first images of a batch come out the same however many follow.

    Parameters
    ----------
    x : ndarray
        Images (n, c, h, w) uint8, 1 or 3 channels, at least 8 pixels high and wide.
    kind : str
        One of `KINDS`.
    severity : int
        1 (slight) to 5.
    seed : int
        Source of chance.

    Returns
    -------
    ndarray
        Images (n, c, h, w) uint8.

    Raises
    ------
    ValueError
        For an unknown kind or severity, or images of another form.
    """
    check(kind, severity)
    x = np.asarray(x)
    if x.dtype != np.uint8 or x.ndim != 4 or x.shape[1] not in (1, 3) or min(x.shape[2:]) < 8:
        raise ValueError(
            f"images are {x.dtype} of shape {x.shape}; uint8 of shape (n, c, h, w) with 1 or 3 channels and at least "
            "8 pixels a side are accepted"
        )
    if not len(x):
        return x.copy()
    function, strengths = KINDS[kind]
    chance = Chance([seed, list(KINDS).index(kind), severity], len(x))
    result = function(x.astype(np.float32) / 255, strengths[severity - 1], chance)
    return np.rint(np.clip(result, 0, 1) * 255).astype(np.uint8)


class Chance:
    """Random arrays, one row per image. Each image has its own generator: its draws do not depend on the batch.

    Parameters
    ----------
    seed : int or sequence of int
        Source of chance.
    n : int
        Number of images.
    """

    def __init__(self, seed, n: int):
        self._rng, self.n = np.random.default_rng(seed), n

    def normal(self, *shape) -> np.ndarray:
        """Return standard normal values, `shape` for each image."""
        return self._rng.spawn(1)[0].standard_normal((self.n, *shape), np.float32)

    def uniform(self, low, high, *shape) -> np.ndarray:
        """Return values uniform in [low, high), `shape` for each image.

        Parameters
        ----------
        low, high : float
            Ends of the range.
        *shape : int
            Shape of the values of one image.

        Returns
        -------
        ndarray, (n, *shape), float32
            The values.
        """
        return low + (high - low) * self._rng.spawn(1)[0].random((self.n, *shape), np.float32)

    def poisson(self, rate) -> np.ndarray:
        """Return counts with the given rates (n, ...)."""
        return self._rng.spawn(1)[0].poisson(rate)


# What each does, and how strongly at severities 1 to 5.
KINDS: dict[str, tuple[Callable, tuple]] = {
    "gaussian_noise": (kinds.gaussian_noise, (0.04, 0.06, 0.08, 0.09, 0.10)),
    "shot_noise": (kinds.shot_noise, (500, 250, 100, 75, 50)),
    "impulse_noise": (kinds.impulse_noise, (0.01, 0.02, 0.03, 0.05, 0.07)),
    "defocus_blur": (kinds.defocus_blur, ((0.2, 0.26), (0.3, 0.38), (0.4, 0.49), (1, 0.25), (1.5, 0.15))),
    "glass_blur": (kinds.glass_blur, ((0.25, 0.5, 1), (0.3, 0.75, 1), (0.4, 1, 1), (0.4, 0.75, 2), (0.4, 1, 2))),
    "motion_blur": (kinds.motion_blur, (1, 1.5, 2, 2.25, 2.5)),
    "zoom_blur": (kinds.zoom_blur, (1.05, 1.10, 1.15, 1.20, 1.25)),
    "snow": (kinds.snow, ((0.1, 0.2, 1, 0.6, 3, 0.95), (0.1, 0.2, 1, 0.5, 4, 0.9), (0.15, 0.3, 1.75, 0.55, 4, 0.9),
                          (0.25, 0.3, 2.25, 0.6, 6, 0.85), (0.3, 0.3, 1.25, 0.65, 12, 0.8))),
    "frost": (kinds.frost, ((1, 0.2), (1, 0.3), (0.9, 0.4), (0.9, 0.45), (0.85, 0.5))),
    "fog": (kinds.fog, ((0.2, 3), (0.5, 3), (0.75, 2.5), (1, 2), (1.5, 1.75))),
    "brightness": (kinds.brightness, (0.05, 0.10, 0.15, 0.20, 0.30)),
    "contrast": (kinds.contrast, (0.75, 0.5, 0.4, 0.3, 0.15)),
    "elastic_transform": (kinds.elastic_transform, ((0.5, 0.8, 1.28), (0.75, 1.6, 1.28), (1, 2.4, 1.28),
                                                    (1.25, 3.2, 1.28), (1.5, 4, 1.28))),
    "pixelate": (kinds.pixelate, (0.95, 0.85, 0.75, 0.65, 0.55)),
    "jpeg_compression": (kinds.jpeg_compression, (80, 65, 58, 50, 40)),
}  # fmt: skip
