"""Data sets by name: arrays in memory, or images that stay on disk where they do not fit."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..errors import choose
from . import own, readers
from .catalogue import CATALOGUE, DATASETS, missing
from .image_files import ImageFiles
from .split import first_images, training_and_validation


@dataclass(frozen=True)
class Dataset:
    """Images (n, c, h, w) uint8 and labels (n,) int64; `mean` and `std` (c,) of the training pixels in [0, 1].

    The validation images are a tenth of the training set that is never trained on. ImageNet's images are `ImageFiles`.
    """

    name: str
    x_train: np.ndarray | ImageFiles
    y_train: np.ndarray
    x_valid: np.ndarray | ImageFiles
    y_valid: np.ndarray
    x_test: np.ndarray | ImageFiles
    y_test: np.ndarray
    num_classes: int
    mean: np.ndarray
    std: np.ndarray


@lru_cache(maxsize=4)
def kept_arrays(name: str, place: Path, stamp: tuple | None):
    """Return all of a data set, kept for the next call: training images and labels, test images and labels.

    Parameters
    ----------
    name : str
        Key of `DATASETS`, or the path of a .npz file.
    place : Path
        Folder for data; the cache tells folders apart by it.
    stamp : tuple or None
        What `own.stamp` says of a .npz file, so that a changed one is read again; None for a name.

    Returns
    -------
    tuple of ndarray
        Training images (n, c, h, w) uint8 and labels (n,) int64, then those of the test set.
    """
    if stamp:
        return readers.npz(Path(name))
    if DATASETS[name].at_hand() is None:
        raise missing(name)
    return DATASETS[name].read()


def arrays(name: str):
    """Return `kept_arrays` of a data set, given its name or path."""
    path = own.path_of(name)
    return kept_arrays(path or name, readers.folder(), own.stamp(path) if path else None)


def mean_and_std(x):
    """Return mean and standard deviation (c,) of the pixels in [0, 1], from their exact counts."""
    counts = np.zeros((x.shape[1], 256))
    for start in range(0, len(x), 1000):
        for channel, pixels in enumerate(np.moveaxis(x[start : start + 1000], 1, 0)):
            counts[channel] += np.bincount(pixels.ravel(), minlength=256)
    share, values = counts / counts.sum(1, keepdims=True), np.arange(256) / 255
    mean = share @ values
    return mean, np.sqrt((share * (values - mean[:, None]) ** 2).sum(1))


# ImageNet's, as everyone uses them; its pixels are not counted, since its images are not all read.
_IMAGENET_MEAN_AND_STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


def load(name: str, train_size: int | None = None, test_size: int | None = None, protocol: str = "paper") -> Dataset:
    """Load a data set, or the first, class-balanced part of it.

    Parameters
    ----------
    name : str
        One of ``DATASETS`` or a path (str or Path) ending in ``.npz`` with ``x_train, y_train, x_test, y_test``.
    train_size, test_size : int, optional
        Number of images; all where not given.
    protocol : {'paper', 'code'}
        Which tenth of the training images is held out for validation: the last of an order that takes classes in
        turn, or that of the released code (seed 42).

    Returns
    -------
    Dataset
        Images (n, c, h, w) uint8 and labels (n,).

    Raises
    ------
    ValueError
        For an unknown name, missing or damaged files, or a size that the data set does not have.
    """
    if not own.path_of(name):
        choose("dataset", name, DATASETS)
    choose("protocol", protocol, ("paper", "code"))
    x_train, y_train, x_test, y_test = arrays(name)
    classes = int(max(y_train.max(), y_test.max())) + 1
    kept, held_out = training_and_validation(y_train, protocol)
    train = kept[first_images(y_train[kept], train_size, "train")]
    test = first_images(y_test, test_size, "test")
    x = x_train[train]
    mean, std = _IMAGENET_MEAN_AND_STD if isinstance(x, ImageFiles) else mean_and_std(x)
    return Dataset(
        name, x, y_train[train], x_train[held_out], y_train[held_out], x_test[test], y_test[test], classes,
        mean, np.maximum(std, 1e-8),
    )  # fmt: skip


class Shifted(NamedTuple):
    """Corrupted test images `x` (n, c, h, w) uint8, their labels `y` (n,), and `origin`: ``CIFAR-10-C`` or ``here``."""

    x: np.ndarray
    y: np.ndarray
    origin: str


def shifted(
    name: str, kind: str, severity: int, test_size: int | None = None, seed: int = 0, official: bool = True
) -> Shifted:
    """Return a data set's test images, in the order of `load`, under one corruption.

    Parameters
    ----------
    name : str
        As in `load`.
    kind : str
        One of ``corruptions.KINDS``.
    severity : int
        1 to 5.
    test_size : int, optional
        Number of images; all where not given.
    seed : int
        Of corruptions that are made here.
    official : bool
        For ``cifar10``, use the images of CIFAR-10-C (Hendrycks & Dietterich 2019) if they are at hand; otherwise,
        and for every other data set, ``corruptions.corrupt`` makes them.

    Returns
    -------
    Shifted
        Images (n, c, h, w) uint8, labels (n,), and where they come from.

    Raises
    ------
    ValueError
        For an unknown kind, severity or data set, or missing or damaged files.
    """
    from .corruptions import check, corrupt

    check(kind, severity)
    place = CATALOGUE["cifar10_c"].at_hand()
    if name == "cifar10" and official and place:
        return Shifted(*readers.cifar10_c(place, kind, severity, test_size), "CIFAR-10-C")
    if not own.path_of(name):
        choose("dataset", name, DATASETS)
    *_, x, y = arrays(name)
    test = first_images(y, test_size, "test")
    return Shifted(corrupt(np.asarray(x[test]), kind, severity, seed), y[test], "here")
