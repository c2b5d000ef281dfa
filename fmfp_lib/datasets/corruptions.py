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

import io
from collections.abc import Callable

import numpy as np
from scipy import ndimage

from ..errors import choose

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


# -- what they are made of -----------------------------------------------------------------------------------
# Most are linear in rows and in columns: one small matrix for each, whatever the number of images.


def _separable(x, rows, columns):
    return np.asarray(rows, np.float32) @ x @ np.asarray(columns, np.float32).T


def _blurring(size, sigma):
    return ndimage.gaussian_filter1d(np.eye(size), sigma, axis=0, mode="reflect")


def _blurred(x, sigma):
    return _separable(x, _blurring(x.shape[-2], sigma), _blurring(x.shape[-1], sigma)) if sigma > 0 else x


def _reading(size, at):
    """Return the matrix that reads a row of `size` pixels at the places `at`, linearly between its pixels."""
    at = np.clip(at, 0, size - 1)
    low = np.minimum(at.astype(int), size - 2)
    matrix = np.zeros((len(at), size))
    matrix[np.arange(len(at)), low] = 1 - (at - low)
    matrix[np.arange(len(at)), low + 1] += at - low
    return matrix


def _zooming(size, factor):
    """Return the matrix that enlarges the middle of a row of `size` pixels by `factor`."""
    middle = (size - 1) / 2
    return _reading(size, middle + (np.arange(size) - middle) / factor)


def _averaging(size, into):
    """Return the matrix that shrinks a row of `size` pixels to `into` by averaging over what each of them covers."""
    edges, pixels = np.linspace(0, size, into + 1), np.arange(size)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    overlap = np.maximum(overlap, 0)
    return overlap / overlap.sum(1, keepdims=True)


def _length(x, pixels):
    """Return a length given for 32 pixels in pixels of `x`."""
    return pixels * min(x.shape[-2:]) / 32


def _moved(x, dy, dx):
    """Return images read linearly at (y + dy, x + dx), each (n, h, w) or broadcastable, mirrored at the edges."""
    n, c, h, w = x.shape
    places = []
    for shift, size, grid in ((dy, h, np.arange(h)[:, None]), (dx, w, np.arange(w))):
        place = np.abs(grid + shift) % (2 * (size - 1))
        place = np.minimum(place, 2 * (size - 1) - place)
        low = np.minimum(place.astype(np.int32), size - 2)
        places.append((low, (place - low).astype(np.float32)[:, None]))
    (y, fy), (z, fz) = places
    image = np.arange(n)[:, None, None]
    y, z, image = np.broadcast_arrays(y, z, image)
    pixels = x.transpose(0, 2, 3, 1).reshape(-1, c)  # one look-up brings all channels
    start = (image * h + y) * w + z

    def corner(offset):
        return np.moveaxis(pixels[start + offset], -1, 1)

    upper = corner(0) * (1 - fz) + corner(1) * fz
    lower = corner(w) * (1 - fz) + corner(w + 1) * fz
    return upper * (1 - fy) + lower * fy


def _dragged(x, sigma, degrees):
    """Blur along one side of a line: half a Gaussian of width `sigma`, at an angle (n,) of its own for each image."""
    angle = np.deg2rad(degrees)[:, None, None]
    steps = np.linspace(0, 2.5 * sigma, min(int(2.5 * sigma) + 2, 24))
    weights = np.exp(-(steps**2) / (2 * sigma**2))
    total = np.zeros_like(x)
    for step, weight in zip(steps, weights / weights.sum(), strict=True):
        total += np.float32(weight) * _moved(x, step * np.sin(angle), step * np.cos(angle))
    return total


def _clouds(x, decay, chance):
    """Return smooth noise (n, 1, h, w) in [0, 1]: octaves from coarse to fine, each `decay` times weaker."""
    h, w = x.shape[-2:]
    total, cells, strength = 0, 1, 1.0
    while cells < 2 * min(h, w):
        noise = chance.uniform(-1, 1, 1, cells + 1, cells + 1)
        places = [_reading(cells + 1, np.linspace(0, cells, size, endpoint=False)) for size in (h, w)]
        total = total + np.float32(strength) * _separable(noise, *places)
        cells, strength = 2 * cells, strength / decay
    low, high = total.min((2, 3), keepdims=True), total.max((2, 3), keepdims=True)
    return (total - low) / (high - low)


# -- the kinds: images (n, c, h, w) in [0, 1], strength, chance ----------------------------------------------


def gaussian_noise(x, sigma, chance):
    """Add normal noise.

    Parameters
    ----------
    x : ndarray, (n, c, h, w), float32
        Images in [0, 1].
    sigma : float
        Standard deviation, of a range of 1.
    chance : Chance
        Source of the random numbers of these n images.

    Returns
    -------
    ndarray, (n, c, h, w)
        Corrupted images, not yet clipped to [0, 1].
    """
    return x + np.float32(sigma) * chance.normal(*x.shape[1:])


def shot_noise(x, photons, chance):
    """Count photons: Poisson with `photons` for a white pixel.

    Parameters
    ----------
    x : ndarray, (n, c, h, w), float32
        Images in [0, 1].
    photons : float
        Expected count of a white pixel.
    chance : Chance
        Source of the random numbers of these n images.

    Returns
    -------
    ndarray, (n, c, h, w)
        Corrupted images, not yet clipped to [0, 1].
    """
    return chance.poisson(x * photons) / photons


def impulse_noise(x, share, chance):
    """Make a share of the values black or white.

    Parameters
    ----------
    x : ndarray, (n, c, h, w), float32
        Images in [0, 1].
    share : float
        Share of the values that changes, in [0, 1].
    chance : Chance
        Source of the random numbers of these n images.

    Returns
    -------
    ndarray, (n, c, h, w)
        Corrupted images, not yet clipped to [0, 1].
    """
    u = chance.uniform(0, 1, *x.shape[1:])
    return np.where(u < share / 2, 0, np.where(u > 1 - share / 2, 1, x))


def defocus_blur(x, strength, chance):
    """Average over a disc with a soft edge.

    Parameters
    ----------
    x : ndarray, (n, c, h, w), float32
        Images in [0, 1].
    strength : tuple of float
        Radius of the disc and width of its edge, in pixels of an image 32 wide.
    chance : Chance
        Source of the random numbers of these n images.

    Returns
    -------
    ndarray, (n, c, h, w)
        Corrupted images, not yet clipped to [0, 1].
    """
    radius, edge = (_length(x, v) for v in strength)
    reach = int(np.ceil(radius + 2 * edge))
    fine = (np.arange((2 * reach + 1) * 8) + 0.5) / 8 - reach - 0.5  # eight samples a pixel
    disc = np.float64(fine[:, None] ** 2 + fine**2 <= radius**2)
    disc = ndimage.gaussian_filter(disc, 8 * edge, mode="constant")
    disc = disc.reshape(2 * reach + 1, 8, 2 * reach + 1, 8).sum((1, 3))
    return ndimage.convolve(x, np.float32(disc / disc.sum())[None, None], mode="reflect")


def glass_blur(x, strength, chance):
    """Blur, take a share of the pixels from a random neighbour above or to the left, blur.

    Parameters
    ----------
    x : ndarray, (n, c, h, w), float32
        Images in [0, 1].
    strength : tuple
        Width of the blur, share of the pixels that move, number of rounds.
    chance : Chance
        Source of the random numbers of these n images.

    Returns
    -------
    ndarray, (n, c, h, w)
        Corrupted images, not yet clipped to [0, 1].
    """
    sigma, share, rounds = strength
    sigma, reach = _length(x, sigma), max(1, round(_length(x, 1)))
    x = _blurred(x, sigma)
    n, c, h, w = x.shape
    image, channel = np.arange(n)[:, None, None, None], np.arange(c)[:, None, None]
    for _ in range(rounds):
        up, left = np.floor(chance.uniform(0, reach + 1, 2, 1, h, w)).astype(int).swapaxes(0, 1)
        taken = chance.uniform(0, 1, 1, h, w) < share
        up, left = up * taken, left * taken
        x = x[image, channel, np.maximum(np.arange(h)[:, None] - up, 0), np.maximum(np.arange(w) - left, 0)]
    return _blurred(x, sigma)


def motion_blur(x, sigma, chance):
    """Drag along a line, up to 45 degrees from the horizontal.

    Parameters
    ----------
    x : ndarray, (n, c, h, w), float32
        Images in [0, 1].
    sigma : float
        Spread along the line, in pixels of an image 32 wide.
    chance : Chance
        Source of the random numbers of these n images.

    Returns
    -------
    ndarray, (n, c, h, w)
        Corrupted images, not yet clipped to [0, 1].
    """
    return _dragged(x, _length(x, sigma), chance.uniform(-45, 45))


def zoom_blur(x, largest, chance):
    """Average over magnifications from 1 to `largest`.

    Parameters
    ----------
    x : ndarray, (n, c, h, w), float32
        Images in [0, 1].
    largest : float
        Largest magnification, above 1.
    chance : Chance
        Source of the random numbers of these n images.

    Returns
    -------
    ndarray, (n, c, h, w)
        Corrupted images, not yet clipped to [0, 1].
    """
    factors = np.arange(1, largest + 0.005, 0.01)
    total = x.copy()
    for factor in factors:
        total += _separable(x, *(_zooming(size, factor) for size in x.shape[2:]))
    return total / (len(factors) + 1)


def snow(x, strength, chance):
    """Bleach the image and let flakes fall, twice over.

    Parameters
    ----------
    x : ndarray, (n, c, h, w), float32
        Images in [0, 1].
    strength : tuple of float
        Mean and spread of the noise, magnification, threshold, length of the fall, share of the image kept.
    chance : Chance
        Source of the random numbers of these n images.

    Returns
    -------
    ndarray, (n, c, h, w)
        Corrupted images, not yet clipped to [0, 1].
    """
    mean, spread, size, threshold, drag, kept = strength
    flakes = mean + np.float32(spread) * chance.normal(1, *x.shape[2:])
    flakes = _separable(flakes, *(_zooming(side, size) for side in x.shape[2:]))
    flakes = np.clip(np.where(flakes < threshold, 0, flakes), 0, 1)
    flakes = _dragged(flakes, _length(x, drag), chance.uniform(-135, -45))
    gray = (x * _LUMINANCE).sum(1, keepdims=True) if x.shape[1] == 3 else x
    bleached = kept * x + (1 - kept) * np.maximum(x, 1.5 * gray + 0.5)
    return bleached + flakes + flakes[:, :, ::-1, ::-1]


_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)[:, None, None]


def frost(x, strength, chance):
    """Lay ice over the image: bright ridges where smooth noise changes sign.

    Parameters
    ----------
    x : ndarray, (n, c, h, w), float32
        Images in [0, 1].
    strength : tuple of float
        Share of the image kept, and brightness of the ice.
    chance : Chance
        Source of the random numbers of these n images.

    Returns
    -------
    ndarray, (n, c, h, w)
        Corrupted images, not yet clipped to [0, 1].
    """
    kept, ice = strength
    ridges = 1 - np.abs(2 * _clouds(x, 1.7, chance) - 1)
    return kept * x + ice * (0.35 + 0.65 * ridges**2)


def fog(x, strength, chance):
    """Add clouds, and darken to the former range.

    Parameters
    ----------
    x : ndarray, (n, c, h, w), float32
        Images in [0, 1].
    strength : tuple of float
        Brightness of the clouds, and decay of their detail.
    chance : Chance
        Source of the random numbers of these n images.

    Returns
    -------
    ndarray, (n, c, h, w)
        Corrupted images, not yet clipped to [0, 1].
    """
    amount, decay = strength
    brightest = x.max((1, 2, 3), keepdims=True)
    return (x + amount * _clouds(x, decay, chance)) * brightest / (brightest + amount)


def brightness(x, amount, chance):
    """Raise the value of hue-saturation-value.

    Parameters
    ----------
    x : ndarray, (n, c, h, w), float32
        Images in [0, 1].
    amount : float
        Added to the value, of a range of 1.
    chance : Chance
        Source of the random numbers of these n images.

    Returns
    -------
    ndarray, (n, c, h, w)
        Corrupted images, not yet clipped to [0, 1].
    """
    value = x.max(1, keepdims=True)
    brighter = np.minimum(value + amount, 1)
    return np.where(value > 0, x * brighter / np.maximum(value, 1e-6), brighter)


def contrast(x, kept, chance):
    """Draw every pixel towards the mean of its channel.

    Parameters
    ----------
    x : ndarray, (n, c, h, w), float32
        Images in [0, 1].
    kept : float
        Share of the contrast kept, in [0, 1].
    chance : Chance
        Source of the random numbers of these n images.

    Returns
    -------
    ndarray, (n, c, h, w)
        Corrupted images, not yet clipped to [0, 1].
    """
    mean = x.mean((2, 3), keepdims=True)
    return mean + np.float32(kept) * (x - mean)


def elastic_transform(x, strength, chance):
    """Stretch the image by three points that move, then let every place wander smoothly.

    Parameters
    ----------
    x : ndarray, (n, c, h, w), float32
        Images in [0, 1].
    strength : tuple of float
        Stretch, wandering and its smoothness, in pixels of an image 32 wide.
    chance : Chance
        Source of the random numbers of these n images.

    Returns
    -------
    ndarray, (n, c, h, w)
        Corrupted images, not yet clipped to [0, 1].
    """
    corner, amount, sigma = (_length(x, v) for v in strength)
    h, w = x.shape[2:]
    reach = min(h, w) // 3
    y, z = ((np.arange(size) - size // 2) / reach for size in (h, w))
    # Corners (1, 1), (1, -1), (-1, -1) of a square, each moved by up to `corner`; the affine map between.
    moved = chance.uniform(-corner, corner, 3, 2)
    first, second, third = moved[:, 0], moved[:, 1], moved[:, 2]
    along_y, along_z, middle = (second - third) / 2, (first - second) / 2, (first + third) / 2
    shifts = []
    for axis in (0, 1):
        affine = (
            middle[:, axis, None, None] + along_y[:, axis, None, None] * y[:, None] + along_z[:, axis, None, None] * z
        )
        wander = amount * _blurred(chance.uniform(-1, 1, h, w), sigma)
        shifts.append(affine + wander)
    return _moved(x, *shifts)


def pixelate(x, share, chance):
    """Shrink to a share of the pixels a side and enlarge again, both by averaging.

    Parameters
    ----------
    x : ndarray, (n, c, h, w), float32
        Images in [0, 1].
    share : float
        Share of the pixels per side, in (0, 1].
    chance : Chance
        Source of the random numbers of these n images.

    Returns
    -------
    ndarray, (n, c, h, w)
        Corrupted images, not yet clipped to [0, 1].
    """
    down = [_averaging(size, int(size * share)) for size in x.shape[2:]]
    up = [_averaging(len(matrix), size) for matrix, size in zip(down, x.shape[2:], strict=True)]
    return _separable(_separable(x, *down), *up)


def jpeg_compression(x, quality, chance):
    """Write and read as JPEG.

    Parameters
    ----------
    x : ndarray, (n, c, h, w), float32
        Images in [0, 1].
    quality : int
        Of JPEG, 1 to 100.
    chance : Chance
        Source of the random numbers of these n images.

    Returns
    -------
    ndarray, (n, c, h, w)
        Corrupted images, not yet clipped to [0, 1].
    """
    from PIL import Image

    result = np.empty_like(x)
    for place, image in enumerate(np.rint(x * 255).astype(np.uint8)):
        buffer = io.BytesIO()
        Image.fromarray(image[0] if len(image) == 1 else image.transpose(1, 2, 0)).save(buffer, "JPEG", quality=quality)
        pixels = np.asarray(Image.open(buffer), np.float32) / 255
        result[place] = pixels if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
    return result


# What each does, and how strongly at severities 1 to 5.
KINDS: dict[str, tuple[Callable, tuple]] = {
    "gaussian_noise": (gaussian_noise, (0.04, 0.06, 0.08, 0.09, 0.10)),
    "shot_noise": (shot_noise, (500, 250, 100, 75, 50)),
    "impulse_noise": (impulse_noise, (0.01, 0.02, 0.03, 0.05, 0.07)),
    "defocus_blur": (defocus_blur, ((0.2, 0.26), (0.3, 0.38), (0.4, 0.49), (1, 0.25), (1.5, 0.15))),
    "glass_blur": (glass_blur, ((0.25, 0.5, 1), (0.3, 0.75, 1), (0.4, 1, 1), (0.4, 0.75, 2), (0.4, 1, 2))),
    "motion_blur": (motion_blur, (1, 1.5, 2, 2.25, 2.5)),
    "zoom_blur": (zoom_blur, (1.05, 1.10, 1.15, 1.20, 1.25)),
    "snow": (snow, ((0.1, 0.2, 1, 0.6, 3, 0.95), (0.1, 0.2, 1, 0.5, 4, 0.9), (0.15, 0.3, 1.75, 0.55, 4, 0.9),
                    (0.25, 0.3, 2.25, 0.6, 6, 0.85), (0.3, 0.3, 1.25, 0.65, 12, 0.8))),
    "frost": (frost, ((1, 0.2), (1, 0.3), (0.9, 0.4), (0.9, 0.45), (0.85, 0.5))),
    "fog": (fog, ((0.2, 3), (0.5, 3), (0.75, 2.5), (1, 2), (1.5, 1.75))),
    "brightness": (brightness, (0.05, 0.10, 0.15, 0.20, 0.30)),
    "contrast": (contrast, (0.75, 0.5, 0.4, 0.3, 0.15)),
    "elastic_transform": (elastic_transform, ((0.5, 0.8, 1.28), (0.75, 1.6, 1.28), (1, 2.4, 1.28), (1.25, 3.2, 1.28),
                                              (1.5, 4, 1.28))),
    "pixelate": (pixelate, (0.95, 0.85, 0.75, 0.65, 0.55)),
    "jpeg_compression": (jpeg_compression, (80, 65, 58, 50, 40)),
}  # fmt: skip
