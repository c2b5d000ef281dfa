"""A data set as a few files of limited size, for machines without internet: images as lossless WebP, in zip archives.

CIFAR-10 takes some 100 MB instead of 163; what comes out is the official binary layout, byte for byte.
"""

import hashlib
import io
import json
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from ..datasets import catalogue, readers
from ..errors import choose

LAYOUTS = {"cifar10": "cifar-10-batches-bin", "cifar100": "cifar-100-binary"}
SHEET = 2500  # images of one file: 50 rows of 50
LIMIT = 60 * 2**20
_SIDE = 50


def _sheet(images) -> bytes:
    """Return at most 2,500 images (n, 3, 32, 32) of uint8 as one lossless WebP, 50 beside each other."""
    from PIL import Image

    padded = np.zeros((SHEET, 3, 32, 32), np.uint8)
    padded[: len(images)] = images
    rows = padded.reshape(_SIDE, _SIDE, 3, 32, 32).transpose(0, 3, 1, 4, 2).reshape(_SIDE * 32, _SIDE * 32, 3)
    file = io.BytesIO()
    Image.fromarray(rows).save(file, "WEBP", lossless=True, quality=80, method=4)
    return file.getvalue()


def _images(sheet: bytes, count: int) -> np.ndarray:
    from PIL import Image

    rows = np.asarray(Image.open(io.BytesIO(sheet)).convert("RGB"))
    return rows.reshape(_SIDE, 32, _SIDE, 32, 3).transpose(0, 2, 4, 1, 3).reshape(SHEET, 3, 32, 32)[:count]


def pack(name: str, folder: Path, limit: int = LIMIT) -> list[Path]:
    """Write a data set into ``<name>.part1.zip``, ``<name>.part2.zip``, ...

    Parameters
    ----------
    name : {'cifar10', 'cifar100'}
    folder : path-like
        Where the parts go.
    limit : int
        Bytes that no part exceeds.

    Returns
    -------
    list of Path
        The parts.

    Raises
    ------
    ValueError
        For another data set, one that is not at hand, or a limit below the size of one sheet of 2,500 images.
    """
    choose("packed data set", name, LAYOUTS)
    if catalogue.CATALOGUE[name].at_hand() is None:
        raise catalogue.missing(name)
    x_train, y_train, x_test, y_test = catalogue.CATALOGUE[name].read()
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    parts, size, archive = [], limit, None
    checksum = _checksum(x_train, y_train, x_test, y_test)
    about = {"name": name, "train": len(y_train), "test": len(y_test), "sha256": checksum}
    try:
        for part, images, labels in (("train", x_train, y_train), ("test", x_test, y_test)):
            for first in range(0, len(labels), SHEET):
                chosen = slice(first, first + SHEET)
                sheet, tags = _sheet(images[chosen]), labels[chosen].astype(np.uint8).tobytes()
                needed = len(sheet) + len(tags) + 2000  # two entries of the archive, and what describes it
                if needed > limit:
                    raise ValueError(f"limit is {limit} bytes; one sheet of {SHEET} images alone takes {needed}")
                if size + needed > limit:
                    if archive:
                        archive.close()
                    parts.append(folder / f"{name}.part{len(parts) + 1}.zip")
                    archive, size = zipfile.ZipFile(parts[-1], "w", zipfile.ZIP_STORED), 2000
                    archive.writestr("about.json", json.dumps(about))
                archive.writestr(f"{part}-{first:06d}.webp", sheet)
                archive.writestr(f"{part}-{first:06d}.labels", tags)
                size += needed
    finally:
        if archive:
            archive.close()
    return parts


def _checksum(*arrays) -> str:
    found = hashlib.sha256()
    for array in arrays:
        found.update(np.ascontiguousarray(array, np.uint8).tobytes())
    return found.hexdigest()


def _write_binary(place: Path, x_train, y_train, x_test, y_test) -> None:
    """Write a data set in one of the layouts of `readers.BINARY`, whole or not at all; coarse labels are 0."""
    files, before, _ = readers.BINARY[place.name]
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent) as folder:
        new = Path(folder) / place.name
        new.mkdir()
        for names, images, labels in zip(files, (x_train, x_test), (y_train, y_test), strict=True):
            rows = np.zeros((len(labels), before + 3072), np.uint8)
            rows[:, before - 1], rows[:, before:] = labels, images.reshape(len(labels), -1)
            for name, part in zip(names, np.array_split(rows, len(names)), strict=True):
                (new / f"{name}.bin").write_bytes(part.tobytes())
        new.rename(place)


def unpack(parts) -> Path:
    """Write what `pack` packed into the folder of data, in the official binary layout.

    Parameters
    ----------
    parts : sequence of path-like
        All parts of one data set, in any order.

    Returns
    -------
    Path
        Where the data set lies now.

    Raises
    ------
    ValueError
        If parts are missing, damaged or of several data sets, or the data set is there already.
    """
    about, sheets = {}, {}
    for path in map(Path, parts):
        try:
            with zipfile.ZipFile(path) as archive:
                told = json.loads(archive.read("about.json"))
                if not isinstance(told, dict) or set(told) != {"name", "train", "test", "sha256"}:
                    raise ValueError("its about.json says other things")
                about.setdefault(json.dumps(told, sort_keys=True), told)
                for entry in archive.namelist():
                    if entry.endswith(".webp"):
                        labels = np.frombuffer(archive.read(entry[:-5] + ".labels"), np.uint8)
                        sheets[entry] = _images(archive.read(entry), len(labels)), labels
        except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
            raise ValueError(f"{path} is no part that `fmfp data pack` wrote ({error})") from None
    if len(about) != 1:
        raise ValueError(f"the parts belong to {len(about)} data sets; all parts of one are accepted")
    (told,) = about.values()
    arrays = []
    for part in ("train", "test"):
        found = [sheets[entry] for entry in sorted(sheets) if entry.startswith(part)]
        count = sum(len(labels) for _, labels in found)
        if count != told[part]:
            raise ValueError(f"{count} of {told[part]} {part} images are there; give all parts of {told['name']}")
        arrays += [np.concatenate([images for images, _ in found]), np.concatenate([labels for _, labels in found])]
    if _checksum(*arrays) != told["sha256"]:
        raise ValueError(f"the parts of {told['name']} are damaged: their checksum differs; copy them again")
    place = readers.folder() / LAYOUTS[choose("packed data set", told["name"], LAYOUTS)]
    if place.exists():
        raise ValueError(f"{place} is there already; delete it to unpack anew")
    _write_binary(place, *arrays)
    return place
