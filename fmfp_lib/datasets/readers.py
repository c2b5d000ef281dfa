"""How each data set is read from its files: training images and labels, test images and labels."""

import hashlib
import os
import warnings
from pathlib import Path

import numpy as np

from ..paths import ROOT
from .image_files import ImageFiles, decode
from .split import first_images

EMBEDDED = ROOT / "data" / "fashion_mnist.npz"
EMBEDDED_SHA256 = "23c09f83c95ee198b114c0e722bacff79cc26fb73c664cdb9921f619b0bee1c5"


def folder() -> Path:
    """Return the folder for downloaded data: ``FMFP_DATA`` if set, else ``~/.cache/fmfp``."""
    return Path(os.environ.get("FMFP_DATA") or Path.home() / ".cache" / "fmfp")


def npz(path: Path):
    """Return the arrays of a file with ``x_train, y_train, x_test, y_test``; a last channel axis is moved."""
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
                f"{path.name}: y_{part} is {y.dtype} of shape {y.shape}; it must be one integer from 0 per image"
            )
        arrays[f"x_{part}"], arrays[f"y_{part}"] = np.ascontiguousarray(x), y.astype(np.int64)
    if arrays["x_train"].shape[1:] != arrays["x_test"].shape[1:]:
        raise ValueError(f"{path.name}: training and test images differ in shape")
    classes = int(max(arrays["y_train"].max(), arrays["y_test"].max())) + 1
    if classes > 10 * (len(arrays["y_train"]) + 100):
        raise ValueError(
            f"{path.name}: the largest label is {classes - 1:,}, for {len(arrays['y_train']):,} training images"
        )
    empty = np.flatnonzero(np.bincount(arrays["y_train"], minlength=classes) == 0)
    if len(empty):
        some = ", ".join(map(str, empty[:5])) + (", ..." if len(empty) > 5 else "")
        warnings.warn(
            f"{path.name}: no training image has label {some}; the network has {classes} outputs, one for each label "
            f"from 0 to {classes - 1}",
            stacklevel=2,
        )
    return tuple(arrays.values())


def embedded():
    """Return the Fashion-MNIST that ships with the library."""
    if hashlib.sha256(EMBEDDED.read_bytes()).hexdigest() != EMBEDDED_SHA256:
        raise ValueError(f"{EMBEDDED.name} is damaged; restore it with git or make it again (data/README.md)")
    return npz(EMBEDDED)


def cifar(name: str):
    """Return CIFAR-10 or CIFAR-100 from the python layout; torchvision compares every file with its own checksum."""
    import torchvision

    parts = []
    for train in (True, False):
        try:
            data = getattr(torchvision.datasets, name)(folder(), train=train)
        except RuntimeError as error:
            raise ValueError(f"{name} in {folder()} is damaged or not whole ({error}); delete it there") from None
        parts += [np.ascontiguousarray(data.data.transpose(0, 3, 1, 2)), np.array(data.targets, np.int64)]
    return tuple(parts)


# Files of the official binary layouts, bytes of labels before each image; the last byte is the label.
BINARY = {
    "cifar-10-batches-bin": (([f"data_batch_{i}" for i in range(1, 6)], ["test_batch"]), 1, 10),
    "cifar-100-binary": ((["train"], ["test"]), 2, 100),
}


def cifar10():
    """Return CIFAR-10, from the binary layout if it is there, else from the python layout."""
    place = folder() / "cifar-10-batches-bin"
    return _binary(place) if place.is_dir() else cifar("CIFAR10")


def cifar100():
    """Return CIFAR-100, from the binary layout if it is there, else from the python layout."""
    place = folder() / "cifar-100-binary"
    return _binary(place) if place.is_dir() else cifar("CIFAR100")


def _binary(place):
    (files, before, classes), parts = BINARY[place.name], []
    width = before + 3072
    for names in files:
        rows = []
        for name in names:
            path = place / f"{name}.bin"
            data = np.fromfile(path, np.uint8) if path.is_file() else np.empty(0, np.uint8)
            if not len(data) or len(data) % width:
                raise ValueError(f"{path} has {len(data)} bytes; rows of {width} are expected")
            rows.append(data.reshape(-1, width))
        rows = np.concatenate(rows)
        labels = rows[:, before - 1]
        if labels.max() >= classes:
            raise ValueError(f"{place} is damaged: it holds a label of {labels.max()}; 0 to {classes - 1} are expected")
        parts += [rows[:, before:].reshape(-1, 3, 32, 32).copy(), labels.astype(np.int64)]
    return tuple(parts)


def tiny_imagenet():
    """Return Tiny-ImageNet; its validation images are the test images."""
    place = folder() / "tiny-imagenet-200"
    try:
        number = {name: i for i, name in enumerate(sorted((place / "wnids.txt").read_text().split()))}
        notes = [line.split("\t")[:2] for line in (place / "val" / "val_annotations.txt").read_text().splitlines()]
        train = [sorted((place / "train" / name / "images").iterdir()) for name in number]
        y_test = np.array([number[name] for _, name in notes])
    except (OSError, KeyError, ValueError) as error:
        raise ValueError(f"{place} is not the official layout of Tiny-ImageNet: {error!r}; unpack it again") from None
    sizes = [len(paths) for paths in train]
    if not notes or len(set(sizes)) != 1 or not sizes[0]:
        raise ValueError(
            f"{place} is not whole: {len(notes)} test images, {min(sizes, default=0)} to {max(sizes, default=0)} "
            "training images per class, where all should have as many; unpack it again"
        )
    x_train = decode([path for paths in train for path in paths], 64, "tiny_imagenet")
    x_test = decode([place / "val" / "images" / name for name, _ in notes], 64, "tiny_imagenet")
    return x_train, np.repeat(np.arange(len(train)), sizes), x_test, y_test


def imagenet():
    """Return ImageNet, whose images stay on disk; its validation images are the test images."""
    place = folder() / "imagenet"
    parts, classes = [], {}
    for part in ("train", "val"):
        classes[part] = sorted(entry.name for entry in os.scandir(place / part) if entry.is_dir())
        paths, labels = [], []
        for label, name in enumerate(classes[part]):
            found = sorted(entry.path for entry in os.scandir(place / part / name) if entry.is_file())
            paths += found
            labels += [label] * len(found)
        parts += [ImageFiles(paths), np.array(labels, np.int64)]
    if not len(parts[0]) or not len(parts[2]) or classes["train"] != classes["val"]:
        raise ValueError(
            f"{place} is not whole: {len(parts[0]):,} training images in {len(classes['train'])} folders, "
            f"{len(parts[2]):,} test images in {len(classes['val'])}; both need the same folders, one per class"
        )
    return tuple(parts)


def cifar10_c(place, kind, severity, test_size):
    """Read one corruption of CIFAR-10-C at one severity, in the order of the test images.

    Parameters
    ----------
    place : Path
        Folder of CIFAR-10-C.
    kind : str
        Name of the corruption's file.
    severity : int
        1 (slight) to 5.
    test_size : int or None
        Number of images, or all.

    Returns
    -------
    tuple of ndarray
        Images (n, 3, 32, 32) uint8 and labels (n,) int64.

    Raises
    ------
    ValueError
        If a file is missing, damaged or of another shape.
    """
    try:
        x = np.load(place / f"{kind}.npy", mmap_mode="r", allow_pickle=False)
        y = np.load(place / "labels.npy", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ValueError(f"{place} is damaged or not whole ({error}); unpack CIFAR-10-C.tar again") from None
    if x.dtype != np.uint8 or x.shape[1:] != (32, 32, 3) or y.shape != x.shape[:1] or len(y) % 5 or not len(y):
        raise ValueError(
            f"{place / kind}.npy is {x.dtype} of shape {x.shape} with {len(y)} labels; uint8 of shape "
            "(50000, 32, 32, 3) is expected, five severities one after the other"
        )
    block = slice((severity - 1) * len(y) // 5, severity * len(y) // 5)
    x, y = x[block], y[block].astype(np.int64)
    test = first_images(y, test_size, "test")
    return np.ascontiguousarray(x[test].transpose(0, 3, 1, 2)), y[test]
