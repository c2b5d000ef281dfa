"""A reader's own data set: a ``.npz`` file, known by what it contains and not by where it lies."""

import hashlib
import os
from functools import lru_cache
from pathlib import Path


def path_of(name) -> str | None:
    """Return the absolute path of a reader's own data set, or None for a name.

    Parameters
    ----------
    name : str or os.PathLike
        A path that ends in ``.npz``, in capitals or not, relative or not, ``~`` allowed; or a data set's name.

    Returns
    -------
    str or None
        The path, whatever the working directory is later.
    """
    text = os.fspath(name)
    return str(Path(text).expanduser().resolve()) if text.lower().endswith(".npz") else None


def stamp(path: str) -> tuple[int, int]:
    """Return when a file was written, in nanoseconds, and its size in bytes; raise ValueError if it is missing."""
    if not Path(path).is_file():
        raise ValueError(f"no data set at {path}; give a .npz file with x_train, y_train, x_test, y_test")
    found = os.stat(path)
    return found.st_mtime_ns, found.st_size


def checksum(path: str) -> str:
    """Return the SHA-256 of a file, in hexadecimal; read again only once the file has changed."""
    return _checksum(path, stamp(path))


@lru_cache(64)
def _checksum(path, _):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
