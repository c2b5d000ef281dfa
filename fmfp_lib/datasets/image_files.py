"""Images that stay on disk: the training loop's view of a data set that does not fit in memory."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
from tqdm import tqdm

SIZE, RESIZED = 224, 256
AREA, RATIO = (0.08, 1.0), (3 / 4, 4 / 3)


@cache
def _threads():
    return ThreadPoolExecutor(min(16, os.cpu_count() or 1), "decode")


class ImageFiles:
    """Images (n, 3, 224, 224) uint8 that are decoded when asked for, by a few threads, with the next batch ahead.

    Supports what the training loop uses of an array: ``len``, ``shape``, slices, index arrays (no pixel is read).
    Training views are random crops and flips, test views the centre, as is usual for ImageNet (Szegedy et al. 2015;
    He et al. 2016): area 8 to 100 %, ratio 3/4 to 4/3; the shorter side at 256, the middle 224.

    Parameters
    ----------
    paths : sequence of path
        One file an image.
    finish : callable, optional
        Applied to each decoded batch (n, 3, 224, 224) uint8; None returns it unchanged.
    """

    def __init__(self, paths, finish: Callable | None = None):
        self.paths, self.finish = np.asarray(paths, dtype=object), finish or (lambda x: x)

    def __len__(self):
        return len(self.paths)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """What the decoded array would have."""
        return len(self), 3, SIZE, SIZE

    def __getitem__(self, index) -> "ImageFiles":
        return ImageFiles(self.paths[index], self.finish)

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return np.asarray(_decode(_submit(_test_view, self.paths)), dtype)

    def finished_by(self, finish: Callable) -> "ImageFiles":
        """Return the same images with another `finish`."""
        return ImageFiles(self.paths, finish)

    def split(self, size: int) -> Iterator:
        """Yield the test views in batches of at most `size`, finished.

        Parameters
        ----------
        size : int
            Largest number of images in a batch.

        Returns
        -------
        iterator of Tensor
            Batches (b, 3, 224, 224).
        """
        parts = (self.paths[i : i + size] for i in range(0, len(self), size))
        return self._ahead(_submit(_test_view, part) for part in parts)

    def training_views(self, places, generator, shard=lambda x: x) -> Iterator:
        """Yield, for each index tensor of `places`, a random crop of each image at it, mirrored or not, finished.

        Chance comes from the torch `generator`: one draw per image, made in order, so threads change nothing. `shard`
        takes from a batch what this process decodes of it.

        Parameters
        ----------
        places : iterable of Tensor, (b,), int
            Indices of each batch.
        generator : torch.Generator
            Source of chance.
        shard : callable
            From the indices of a batch to those of this process.

        Returns
        -------
        iterator of Tensor
            Batches (b, 3, 224, 224).
        """

        places = list(places)
        sizes = [len(index) for index in places]
        # Everything is fetched from the device at once: one wait an epoch instead of two a batch.
        indices, seeds = (values.split(sizes) for values in _on_host(places, generator))

        def submitted():
            for index, seed in zip(indices, seeds, strict=True):
                yield _submit(_training_view, *map(shard, (self.paths[index.numpy()], seed.tolist())))

        return self._ahead(submitted())

    def _ahead(self, submitted):
        """Finish one batch while the next is being decoded."""
        waiting = next(submitted, None)
        while waiting is not None:
            following = next(submitted, None)
            yield self.finish(_decode(waiting))
            waiting = following


def _on_host(places, generator):
    """Return all indices, and a seed for each image, as tensors on the host."""
    import torch

    index = torch.cat(places)
    return index.cpu(), torch.randint(2**62, (len(index),), generator=generator, device=generator.device).cpu()


def _submit(view, *arguments):
    return [_threads().submit(view, *values) for values in zip(*arguments, strict=True)]


def _decode(futures):
    if not futures:
        return np.zeros((0, 3, SIZE, SIZE), np.uint8)
    return np.stack([f.result() for f in futures])


def decode(paths, size: int, name: str = "") -> np.ndarray:
    """Read many images of `size` x `size` pixels into one array (n, 3, size, size) uint8, with a bar called `name`.

    Parameters
    ----------
    paths : sequence of path-like
        The image files.
    size : int
        Height and width, in pixels.
    name : str
        Title of the progress bar.

    Returns
    -------
    ndarray, (n, 3, size, size), uint8
        The pixels.

    Raises
    ------
    ValueError
        If a file is missing, damaged or of another size.
    """
    result = np.empty((len(paths), 3, size, size), np.uint8)

    def read(place):
        pixels = _pixels(_open_rgb(paths[place]))
        if pixels.shape[1:] != (size, size):
            raise ValueError(f"{paths[place]} has {pixels.shape[2]} x {pixels.shape[1]} pixels, not {size} x {size}")
        result[place] = pixels

    for _ in tqdm(_threads().map(read, range(len(paths))), name, len(paths), unit="image", leave=False, disable=None):
        pass
    return result


def _open_rgb(path):
    from PIL import Image

    try:
        with Image.open(path) as image:
            return image.convert("RGB")
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:  # Pillow has no one kind for damage
        raise ValueError(f"{path} is not a sound image: {error}") from None


def _pixels(image):
    return np.asarray(image, np.uint8).transpose(2, 0, 1)


def _test_view(path):
    from PIL.Image import Resampling

    image = _open_rgb(path)
    w, h = image.size
    scale = RESIZED / min(w, h)
    image = image.resize((max(SIZE, round(w * scale)), max(SIZE, round(h * scale))), Resampling.BILINEAR)
    left, top = (image.size[0] - SIZE) // 2, (image.size[1] - SIZE) // 2
    return _pixels(image.crop((left, top, left + SIZE, top + SIZE)))


def _training_view(path, seed):
    from PIL.Image import Resampling, Transpose

    image, rng = _open_rgb(path), np.random.default_rng(seed)
    left, top, w, h = crop_box(*image.size, rng)
    image = image.resize((SIZE, SIZE), Resampling.BILINEAR, (left, top, left + w, top + h))
    return _pixels(image.transpose(Transpose.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else image)


def crop_box(width: int, height: int, rng) -> tuple[int, int, int, int]:
    """Return left, top, width and height of a random crop; the largest centred one after ten crops that do not fit.

    The rule is that of torchvision's RandomResizedCrop, which draws from one generator for the whole process and so
    cannot be used by several threads reproducibly.

    Parameters
    ----------
    width, height : int
        Of the image, in pixels.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    tuple of int
        Left, top, width and height, in pixels.
    """
    for _ in range(10):
        area = width * height * rng.uniform(*AREA)
        ratio = np.exp(rng.uniform(*np.log(RATIO)))
        w, h = round(np.sqrt(area * ratio)), round(np.sqrt(area / ratio))
        if 0 < w <= width and 0 < h <= height:
            return int(rng.integers(width - w + 1)), int(rng.integers(height - h + 1)), w, h
    w, h = min(width, round(height * RATIO[1])), min(height, round(width / RATIO[0]))
    return (width - w) // 2, (height - h) // 2, w, h
