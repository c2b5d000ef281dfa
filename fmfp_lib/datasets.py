"""Data sets by name, as arrays in memory."""

import hashlib
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

EMBEDDED = Path(__file__).resolve().parent.parent / "data" / "fashion_mnist.npz"
EMBEDDED_SHA256 = "23c09f83c95ee198b114c0e722bacff79cc26fb73c664cdb9921f619b0bee1c5"


@dataclass(frozen=True)
class Dataset:
    """Images (n, c, h, w) uint8 and labels (n,) int64; `mean` and `std` (c,) of the training pixels in [0, 1].

    The validation images are a tenth of the training set that is never trained on.
    """

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_valid: np.ndarray
    y_valid: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    num_classes: int
    mean: np.ndarray
    std: np.ndarray


def folder() -> Path:
    """Return the folder for downloaded data: ``FMFP_DATA`` if set, else ``~/.cache/fmfp``."""
    return Path(os.environ.get("FMFP_DATA") or Path.home() / ".cache" / "fmfp")


def _npz(path: Path):
    if not path.is_file():
        raise ValueError(f"no data set at {path}; give a .npz file with x_train, y_train, x_test, y_test")
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in ("x_train", "y_train", "x_test", "y_test")}
    except Exception as error:  # a damaged zip raises one of many kinds
        raise ValueError(f"{path.name} is not a sound .npz with x_train, y_train, x_test, y_test: {error}") from None
    for part in ("train", "test"):
        x, y = arrays[f"x_{part}"], arrays[f"y_{part}"]
        if x.dtype != np.uint8 or x.ndim not in (3, 4):
            raise ValueError(
                f"{path.name}: x_{part} is {x.dtype} of shape {x.shape}; it must be uint8 of shape "
                "(n, h, w), (n, h, w, c) or (n, c, h, w) with 1 or 3 channels"
            )
        if x.ndim == 3:
            x = x[:, None]
        elif x.shape[1] not in (1, 3):
            x = x.transpose(0, 3, 1, 2)
        if x.shape[1] not in (1, 3):
            raise ValueError(f"{path.name}: x_{part} has {x.shape[1]} channels; 1 or 3 are accepted")
        if y.shape != x.shape[:1] or not np.issubdtype(y.dtype, np.integer) or not len(y) or y.min() < 0:
            raise ValueError(
                f"{path.name}: y_{part} is {y.dtype} of shape {y.shape}; it must be one integer from 0 an image"
            )
        arrays[f"x_{part}"], arrays[f"y_{part}"] = np.ascontiguousarray(x), y.astype(np.int64)
    if arrays["x_train"].shape[1:] != arrays["x_test"].shape[1:]:
        raise ValueError(f"{path.name}: training and test images differ in shape")
    return tuple(arrays.values())


def _embedded():
    if hashlib.sha256(EMBEDDED.read_bytes()).hexdigest() != EMBEDDED_SHA256:
        raise ValueError(f"{EMBEDDED.name} is damaged; restore it with git or make it again (data/README.md)")
    return _npz(EMBEDDED)


def _cifar(name: str):
    import torchvision

    parts = []
    for train in (True, False):
        try:
            data = getattr(torchvision.datasets, name)(folder(), train=train, download=True)
        except (OSError, RuntimeError) as error:
            raise ValueError(
                f"{name} is not in {folder()} and could not be downloaded ({error}); 170 MB are needed: connect to "
                "the internet, or put the official archive into that folder (FMFP_DATA names another)"
            ) from None
        parts += [np.ascontiguousarray(data.data.transpose(0, 3, 1, 2)), np.array(data.targets, np.int64)]
    return tuple(parts)


def _cifar10():
    place = folder() / "cifar-10-batches-bin"
    if not place.is_dir():
        return _cifar("CIFAR10")
    parts = []
    for names in ([f"data_batch_{i}" for i in range(1, 6)], ["test_batch"]):
        rows = []
        for name in names:
            data = np.fromfile(place / f"{name}.bin", np.uint8)
            if not len(data) or len(data) % 3073:
                raise ValueError(f"{place / name}.bin has {len(data)} bytes; rows of 3073 are expected")
            rows.append(data.reshape(-1, 3073))
        rows = np.concatenate(rows)
        parts += [rows[:, 1:].reshape(-1, 3, 32, 32).copy(), rows[:, 0].astype(np.int64)]
    return tuple(parts)


DATASETS = {"embedded": _embedded, "cifar10": _cifar10, "cifar100": lambda: _cifar("CIFAR100")}


@lru_cache(maxsize=4)
def _arrays(name: str, place: Path):
    return _npz(Path(name)) if name.endswith(".npz") else DATASETS[name]()


def _prefix(x, y, size, part):
    """Return the first `size` images of an order that takes classes in turn, so that any prefix is balanced."""
    size = len(y) if size is None else size
    if not 1 <= size <= len(y):
        raise ValueError(f"{part}_size is {size}; the data set has {len(y)}, so choose 1 to {len(y)}")
    rank = np.empty(len(y), np.int64)
    for label in np.unique(y):
        where = np.flatnonzero(y == label)
        rank[where] = np.arange(len(where))
    chosen = np.argsort(rank, kind="stable")[:size]
    return x[chosen], y[chosen]


def load(name: str, train_size: int | None = None, test_size: int | None = None) -> Dataset:
    """Load a data set, or the first, class-balanced part of it.

    Parameters
    ----------
    name : str
        One of ``DATASETS`` or a path ending in ``.npz`` with ``x_train, y_train, x_test, y_test``.
    train_size, test_size : int, optional
        Number of images; all where not given.

    Raises
    ------
    ValueError
        For an unknown name, missing or damaged files, or a size that the data set does not have.
    """
    from .settings import choose

    if not name.endswith(".npz"):
        choose("dataset", name, DATASETS)
    x_train, y_train, x_test, y_test = _arrays(name, folder())
    classes = int(max(y_train.max(), y_test.max())) + 1
    # The last tenth of an order that takes classes in turn is held out, whatever is trained on.
    x_train, y_train = _prefix(x_train, y_train, len(y_train), "train")
    kept = len(y_train) - len(y_train) // 10
    x_valid, y_valid, x_train, y_train = x_train[kept:], y_train[kept:], x_train[:kept], y_train[:kept]
    x_train, y_train = _prefix(x_train, y_train, train_size, "train")
    x_test, y_test = _prefix(x_test, y_test, test_size, "test")
    pixels = x_train.astype(np.float64) / 255
    mean, std = pixels.mean((0, 2, 3)), np.maximum(pixels.std((0, 2, 3)), 1e-8)
    return Dataset(name, x_train, y_train, x_valid, y_valid, x_test, y_test, classes, mean, std)
