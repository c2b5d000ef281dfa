"""Blurs, zooms, moves and clouds of whole batches of images, which the corruptions are made of.

Most are linear in rows and in columns: one small matrix for each, whatever the number of images.
"""

import numpy as np
from scipy import ndimage


def separable(x, rows, columns):
    """Return images with one matrix applied to their rows and one to their columns.

    Parameters
    ----------
    x : ndarray, (n, c, h, w)
    rows : array_like, (h', h)
    columns : array_like, (w', w)

    Returns
    -------
    ndarray, (n, c, h', w')
    """
    return np.asarray(rows, np.float32) @ x @ np.asarray(columns, np.float32).T


def _blurring(size, sigma):
    return ndimage.gaussian_filter1d(np.eye(size), sigma, axis=0, mode="reflect")


def blurred(x, sigma):
    """Return images blurred by a Gaussian, mirrored at the edges.

    Parameters
    ----------
    x : ndarray, (n, c, h, w)
    sigma : float
        In pixels; 0 leaves the images as they are.

    Returns
    -------
    ndarray, (n, c, h, w)
    """
    return separable(x, _blurring(x.shape[-2], sigma), _blurring(x.shape[-1], sigma)) if sigma > 0 else x


def _reading(size, at):
    """Return the matrix that reads a row of `size` pixels at the places `at`, linearly between its pixels."""
    at = np.clip(at, 0, size - 1)
    low = np.minimum(at.astype(int), size - 2)
    matrix = np.zeros((len(at), size))
    matrix[np.arange(len(at)), low] = 1 - (at - low)
    matrix[np.arange(len(at)), low + 1] += at - low
    return matrix


def zooming(size, factor):
    """Return the matrix that enlarges the middle of a row of `size` pixels by `factor`.

    Parameters
    ----------
    size : int
    factor : float
        Above 1.

    Returns
    -------
    ndarray, (size, size)
    """
    middle = (size - 1) / 2
    return _reading(size, middle + (np.arange(size) - middle) / factor)


def averaging(size, into):
    """Return the matrix that shrinks a row of `size` pixels to `into` by averaging over what each of them covers.

    Parameters
    ----------
    size, into : int

    Returns
    -------
    ndarray, (into, size)
    """
    edges, pixels = np.linspace(0, size, into + 1), np.arange(size)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    overlap = np.maximum(overlap, 0)
    return overlap / overlap.sum(1, keepdims=True)


def length(x, pixels):
    """Return a length given for 32 pixels in pixels of `x`.

    Parameters
    ----------
    x : ndarray, (n, c, h, w)
    pixels : float

    Returns
    -------
    float
        In pixels of the shorter side.
    """
    return pixels * min(x.shape[-2:]) / 32


def displaced(x, dy, dx):
    """Return images read linearly at (y + dy, x + dx), mirrored at the edges.

    Parameters
    ----------
    x : ndarray, (n, c, h, w)
    dy, dx : ndarray
        (n, h, w) or broadcastable to it, in pixels.

    Returns
    -------
    ndarray, (n, c, h, w)
    """
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


def dragged(x, sigma, degrees):
    """Blur along one side of a line: half a Gaussian of width `sigma`, at an angle (n,) of its own for each image.

    Parameters
    ----------
    x : ndarray, (n, c, h, w)
    sigma : float
        In pixels.
    degrees : ndarray, (n,)

    Returns
    -------
    ndarray, (n, c, h, w)
    """
    angle = np.deg2rad(degrees)[:, None, None]
    steps = np.linspace(0, 2.5 * sigma, min(int(2.5 * sigma) + 2, 24))
    weights = np.exp(-(steps**2) / (2 * sigma**2))
    total = np.zeros_like(x)
    for step, weight in zip(steps, weights / weights.sum(), strict=True):
        total += np.float32(weight) * displaced(x, step * np.sin(angle), step * np.cos(angle))
    return total


def clouds(x, decay, chance):
    """Return smooth noise (n, 1, h, w) in [0, 1]: octaves from coarse to fine, each `decay` times weaker.

    Parameters
    ----------
    x : ndarray, (n, c, h, w)
        Gives the size.
    decay : float
    chance : corruptions.Chance

    Returns
    -------
    ndarray, (n, 1, h, w), float32
    """
    h, w = x.shape[-2:]
    total, cells, strength = 0, 1, 1.0
    while cells < 2 * min(h, w):
        noise = chance.uniform(-1, 1, 1, cells + 1, cells + 1)
        places = [_reading(cells + 1, np.linspace(0, cells, size, endpoint=False)) for size in (h, w)]
        total = total + np.float32(strength) * separable(noise, *places)
        cells, strength = 2 * cells, strength / decay
    low, high = total.min((2, 3), keepdims=True), total.max((2, 3), keepdims=True)
    return (total - low) / (high - low)
