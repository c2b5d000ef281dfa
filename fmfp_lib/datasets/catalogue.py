"""What each data set is, how large, and where it comes from."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import choose
from ..paths import present
from . import readers
from .downloads import Archive, fetch, unpack
from .readers import folder


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
        """Return where the data lies, or None; raise ValueError if what ships with the library is missing."""
        if not self.folders:
            return present(readers.EMBEDDED)
        return next((folder() / name for name in self.folders if (folder() / name).is_dir()), None)


_KRIZHEVSKY = "https://www.cs.toronto.edu/~kriz"
CATALOGUE: dict[str, Source] = {
    "embedded": Source(
        readers.embedded, 10, 10_000, 10_000, "1×28×28", "MIT", "https://github.com/zalandoresearch/fashion-mnist",
        scales=dict.fromkeys(("workstation", "paper"), dict(train_size=9000)),
    ),
    "cifar10": Source(
        readers.cifar10, 10, 50_000, 10_000, "3×32×32", "none stated; asks to be cited", f"{_KRIZHEVSKY}/cifar.html",
        ("cifar-10-batches-bin", "cifar-10-batches-py"),
        Archive(f"{_KRIZHEVSKY}/cifar-10-python.tar.gz", "cifar-10-python.tar.gz", "c58f30108f718f92721af3b95e74349a",
                170_498_071, "cifar-10-batches-py"),
    ),
    "cifar100": Source(
        readers.cifar100, 100, 50_000, 10_000, "3×32×32", "none stated; asks to be cited",
        f"{_KRIZHEVSKY}/cifar.html", ("cifar-100-binary", "cifar-100-python"),
        Archive(f"{_KRIZHEVSKY}/cifar-100-python.tar.gz", "cifar-100-python.tar.gz",
                "eb9058c3a382ffc7106e4002c42a8d85", 169_001_437, "cifar-100-python"),
    ),
    "tiny_imagenet": Source(
        readers.tiny_imagenet, 200, 100_000, 10_000, "3×64×64", "non-commercial, as ImageNet",
        "https://cs231n.stanford.edu", ("tiny-imagenet-200",),
        Archive("https://cs231n.stanford.edu/tiny-imagenet-200.zip", "tiny-imagenet-200.zip",
                "90528d7ca1a48142e341f4ef8d21d0de", 248_100_043, "tiny-imagenet-200"),
        scales={"paper": dict(epochs=90, train_size=90_000, network="resnet18_s2")},
    ),
    "imagenet": Source(
        readers.imagenet, 1000, 1_281_167, 50_000, "3×224×224", "non-commercial, on registration",
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


def missing(name: str) -> ValueError:
    """Return the error that says how to get a data set that is not at hand."""
    source = CATALOGUE[name]
    if source.archive is None:
        return ValueError(f"{name} is not in {folder()}; {source.by_hand} there (FMFP_DATA names another folder)")
    return ValueError(
        f"{name} is not in {folder()}; get it by `fmfp data get {name}` ({source.archive.bytes / 1e6:,.0f} MB), or put "
        f"{source.archive.file}, unpacked, into that folder (FMFP_DATA names another)"
    )


def get(name: str, progress: bool = True) -> Path:
    """Download and unpack a data set, unless it is at hand, and return where it lies.

    Parameters
    ----------
    name : str
        Key of `CATALOGUE`.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    Path
        The unpacked folder.

    Raises
    ------
    ValueError
        For an unknown name, a data set that only its owner hands out, a broken download or a wrong checksum.
    """
    source = CATALOGUE[choose("dataset", name, CATALOGUE)]
    if (place := source.at_hand()) is not None:
        return place
    if source.archive is None:
        raise missing(name)
    return unpack(fetch(source.archive, folder(), progress), source.archive.folder, folder())
