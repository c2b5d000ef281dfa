"""The kinds of corruption: each takes images (n, c, h, w) in [0, 1], a strength, and a source of chance."""

import io

import numpy as np
from scipy import ndimage

from .smoothing import averaging, blurred, clouds, displaced, dragged, length, separable, zooming


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
    radius, edge = (length(x, v) for v in strength)
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
    sigma, reach = length(x, sigma), max(1, round(length(x, 1)))
    x = blurred(x, sigma)
    n, c, h, w = x.shape
    image, channel = np.arange(n)[:, None, None, None], np.arange(c)[:, None, None]
    for _ in range(rounds):
        up, left = np.floor(chance.uniform(0, reach + 1, 2, 1, h, w)).astype(int).swapaxes(0, 1)
        taken = chance.uniform(0, 1, 1, h, w) < share
        up, left = up * taken, left * taken
        x = x[image, channel, np.maximum(np.arange(h)[:, None] - up, 0), np.maximum(np.arange(w) - left, 0)]
    return blurred(x, sigma)


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
    return dragged(x, length(x, sigma), chance.uniform(-45, 45))


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
        total += separable(x, *(zooming(size, factor) for size in x.shape[2:]))
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
    flakes = separable(flakes, *(zooming(side, size) for side in x.shape[2:]))
    flakes = np.clip(np.where(flakes < threshold, 0, flakes), 0, 1)
    flakes = dragged(flakes, length(x, drag), chance.uniform(-135, -45))
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
    ridges = 1 - np.abs(2 * clouds(x, 1.7, chance) - 1)
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
    return (x + amount * clouds(x, decay, chance)) * brightest / (brightest + amount)


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
    corner, amount, sigma = (length(x, v) for v in strength)
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
        wander = amount * blurred(chance.uniform(-1, 1, h, w), sigma)
        shifts.append(affine + wander)
    return displaced(x, *shifts)


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
    down = [averaging(size, int(size * share)) for size in x.shape[2:]]
    up = [averaging(len(matrix), size) for matrix, size in zip(down, x.shape[2:], strict=True)]
    return separable(separable(x, *down), *up)


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
