"""Data sets by name: arrays in memory, or images that stay on disk where they do not fit.

`CATALOGUE` says of each what it is, how large, and where from; `get` downloads, `load` reads, `shifted` corrupts.
"""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .downloads import Archive, fetch, unpack
from .image_files import ImageFiles, decode
from .paths import ROOT

EMBEDDED = ROOT / "data" / "fashion_mnist.npz"
EMBEDDED_SHA256 = "23c09f83c95ee198b114c0e722bacff79cc26fb73c664cdb9921f619b0bee1c5"


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
    """Read the python layout; torchvision compares every file with its own checksum."""
    import torchvision

    parts = []
    for train in (True, False):
        try:
            data = getattr(torchvision.datasets, name)(folder(), train=train)
        except RuntimeError as error:
            raise ValueError(f"{name} in {folder()} is damaged or not whole ({error}); delete it there") from None
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
            path = place / f"{name}.bin"
            data = np.fromfile(path, np.uint8) if path.is_file() else np.empty(0, np.uint8)
            if not len(data) or len(data) % 3073:
                raise ValueError(f"{path} has {len(data)} bytes; rows of 3073 are expected")
            rows.append(data.reshape(-1, 3073))
        rows = np.concatenate(rows)
        if rows[:, 0].max() > 9:
            raise ValueError(f"{place} is damaged: it holds a label of {rows[:, 0].max()}; 0 to 9 are expected")
        parts += [rows[:, 1:].reshape(-1, 3, 32, 32).copy(), rows[:, 0].astype(np.int64)]
    return tuple(parts)


def _tiny_imagenet():
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
            "training images a class, where all should have as many; unpack it again"
        )
    x_train = decode([path for paths in train for path in paths], 64, "tiny_imagenet")
    x_test = decode([place / "val" / "images" / name for name, _ in notes], 64, "tiny_imagenet")
    return x_train, np.repeat(np.arange(len(train)), sizes), x_test, y_test


def _imagenet():
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
            f"{len(parts[2]):,} test images in {len(classes['val'])}; both need the same folders, one a class"
        )
    return tuple(parts)


@dataclass(frozen=True)
class Source:
    """One row of the catalogue.

    Attributes
    ----------
    read : callable or None
        Returns training images and labels, test images and labels; None where there is only a test set.
    classes : int
        How many.
    train : int
        Training images, before the validation split.
    test : int
        Test images.
    shape : str
        Channels x height x width.
    licence : str
        Terms of use.
    page : str
        Address at which they and the data are explained.
    folders : tuple of str
        The data set is at hand if one of these lies in `folder()`; it ships with the library if there are none.
    archive : Archive, optional
        What `get` downloads.
    by_hand : str
        How to get it where it cannot be downloaded without an account.
    scales : dict of str to dict
        What a scale fills in differently for this data set.
    """

    read: Callable | None
    classes: int
    train: int
    test: int
    shape: str
    licence: str
    page: str
    folders: tuple[str, ...] = ()
    archive: Archive | None = None
    by_hand: str = ""
    scales: dict[str, dict] = field(default_factory=dict)

    def at_hand(self) -> Path | None:
        """Return where the data lies, or None."""
        if not self.folders:
            return EMBEDDED
        return next((folder() / name for name in self.folders if (folder() / name).is_dir()), None)


_KRIZHEVSKY = "https://www.cs.toronto.edu/~kriz"

CATALOGUE: dict[str, Source] = {
    "embedded": Source(
        _embedded, 10, 10_000, 10_000, "1×28×28", "MIT", "https://github.com/zalandoresearch/fashion-mnist",
    ),
    "cifar10": Source(
        _cifar10, 10, 50_000, 10_000, "3×32×32", "none stated; asks to be cited", f"{_KRIZHEVSKY}/cifar.html",
        ("cifar-10-batches-bin", "cifar-10-batches-py"),
        Archive(f"{_KRIZHEVSKY}/cifar-10-python.tar.gz", "cifar-10-python.tar.gz", "c58f30108f718f92721af3b95e74349a",
                170_498_071, "cifar-10-batches-py"),
    ),
    "cifar100": Source(
        lambda: _cifar("CIFAR100"), 100, 50_000, 10_000, "3×32×32", "none stated; asks to be cited",
        f"{_KRIZHEVSKY}/cifar.html", ("cifar-100-python",),
        Archive(f"{_KRIZHEVSKY}/cifar-100-python.tar.gz", "cifar-100-python.tar.gz",
                "eb9058c3a382ffc7106e4002c42a8d85", 169_001_437, "cifar-100-python"),
    ),
    "tiny_imagenet": Source(
        _tiny_imagenet, 200, 100_000, 10_000, "3×64×64", "non-commercial, as ImageNet",
        "https://cs231n.stanford.edu", ("tiny-imagenet-200",),
        Archive("https://cs231n.stanford.edu/tiny-imagenet-200.zip", "tiny-imagenet-200.zip",
                "90528d7ca1a48142e341f4ef8d21d0de", 248_100_043, "tiny-imagenet-200"),
        scales={"paper": dict(epochs=90, train_size=90_000, network="resnet18_s2")},
    ),
    "imagenet": Source(
        _imagenet, 1000, 1_281_167, 50_000, "3×224×224", "non-commercial, on registration",
        "https://image-net.org/download.php", ("imagenet",),
        by_hand="register at https://image-net.org/download.php, get ILSVRC2012_img_train.tar and "
                "ILSVRC2012_img_val.tar (155 GB) and lay the images out as imagenet/train/<wnid>/ and "
                "imagenet/val/<wnid>/",
        scales={"paper": dict(epochs=90, train_size=1_153_051, test_size=50_000, network="resnet18_imagenet")},
    ),
    "cifar10_c": Source(
        None, 10, 0, 50_000, "3×32×32", "CC BY 4.0", "https://zenodo.org/records/2535967", ("CIFAR-10-C",),
        Archive("https://zenodo.org/records/2535967/files/CIFAR-10-C.tar?download=1", "CIFAR-10-C.tar",
                "56bf5dcef84df0e2308c6dcbcbbd8499", 2_918_471_680, "CIFAR-10-C"),
    ),
}  # fmt: skip

DATASETS = {name: source for name, source in CATALOGUE.items() if source.read}


def _missing(name: str) -> ValueError:
    source = CATALOGUE[name]
    if source.archive is None:
        return ValueError(f"{name} is not in {folder()}; {source.by_hand} there (FMFP_DATA names another folder)")
    return ValueError(
        f"{name} is not in {folder()}; get it by `fmfp data get {name}` ({source.archive.bytes / 1e6:,.0f} MB), or put "
        f"{source.archive.file}, unpacked, into that folder (FMFP_DATA names another)"
    )


def get(name: str, progress: bool = True) -> Path:
    """Download and unpack a data set, unless it is at hand, and return where it lies.

    Raises
    ------
    ValueError
        For an unknown name, a data set that only its owner hands out, a broken download or a wrong checksum.
    """
    from .settings import choose

    source = CATALOGUE[choose("dataset", name, CATALOGUE)]
    if (place := source.at_hand()) is not None:
        return place
    if source.archive is None:
        raise _missing(name)
    return unpack(fetch(source.archive, folder(), progress), source.archive.folder, folder())


@lru_cache(maxsize=4)
def _arrays(name: str, place: Path):
    if name.endswith(".npz"):
        return _npz(Path(name))
    if DATASETS[name].at_hand() is None:
        raise _missing(name)
    return DATASETS[name].read()


def _in_turn(y):
    """Return an order that takes classes in turn, so that any prefix is balanced."""
    rank = np.empty(len(y), np.int64)
    for label in np.unique(y):
        where = np.flatnonzero(y == label)
        rank[where] = np.arange(len(where))
    return np.argsort(rank, kind="stable")


def _first(y, size, part):
    """Return where the first `size` images of that order are."""
    size = len(y) if size is None else size
    if not 1 <= size <= len(y):
        raise ValueError(f"{part}_size is {size}; the data set has {len(y)}, so choose 1 to {len(y)}")
    return _in_turn(y)[:size]


def _split(y, protocol):
    """Return where the images to train on are, and where the held-out tenth is, whatever is trained on.

    The paper does not say which images it holds out: here, the last tenth of an order that takes classes in turn. The
    released code takes the first tenth of a shuffled order with seed 42.
    """
    tenth = len(y) // 10
    if protocol == "code":
        order = np.random.RandomState(42).permutation(len(y))
        return order[tenth:], order[:tenth]
    order = _in_turn(y)
    return order[: len(y) - tenth], order[len(y) - tenth :]


def _mean_and_std(x):
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
        One of ``DATASETS`` or a path ending in ``.npz`` with ``x_train, y_train, x_test, y_test``.
    train_size, test_size : int, optional
        Number of images; all where not given.
    protocol : {'paper', 'code'}
        Which tenth of the training images is held out for validation: the last of an order that takes classes in
        turn, or that of the released code (seed 42).

    Raises
    ------
    ValueError
        For an unknown name, missing or damaged files, or a size that the data set does not have.
    """
    from .settings import choose

    if not name.endswith(".npz"):
        choose("dataset", name, DATASETS)
    choose("protocol", protocol, ("paper", "code"))
    x_train, y_train, x_test, y_test = _arrays(name, folder())
    classes = int(max(y_train.max(), y_test.max())) + 1
    kept, held_out = _split(y_train, protocol)
    train = kept[_first(y_train[kept], train_size, "train")]
    test = _first(y_test, test_size, "test")
    x = x_train[train]
    mean, std = _IMAGENET_MEAN_AND_STD if isinstance(x, ImageFiles) else _mean_and_std(x)
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

    Raises
    ------
    ValueError
        For an unknown kind, severity or data set, or missing or damaged files.
    """
    from .corruptions import check, corrupt
    from .settings import choose

    check(kind, severity)
    place = CATALOGUE["cifar10_c"].at_hand()
    if name == "cifar10" and official and place:
        return Shifted(*_cifar10_c(place, kind, severity, test_size), "CIFAR-10-C")
    if not name.endswith(".npz"):
        choose("dataset", name, DATASETS)
    *_, x, y = _arrays(name, folder())
    test = _first(y, test_size, "test")
    return Shifted(corrupt(np.asarray(x[test]), kind, severity, seed), y[test], "here")


def _cifar10_c(place, kind, severity, test_size):
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
    test = _first(y, test_size, "test")
    return np.ascontiguousarray(x[test].transpose(0, 3, 1, 2)), y[test]
