"""Downloads that go on after a break, are checked against a pinned checksum, and are unpacked without path escape.

Why no library: pooch checks and shows progress but starts again after a break; torchvision's helper starts again too,
and falls back from https to http.
"""

import contextlib
import hashlib
import http.client
import os
import shutil
import ssl
import stat
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from filelock import FileLock
from tqdm import tqdm

CHUNK = 1 << 20
TRIES = 4  # in a row without a single new byte
BREAKS = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError, ssl.SSLError)


@dataclass(frozen=True)
class Archive:
    """A file to download: `url`, its name `file`, `md5`, size in `bytes`, and the `folder` that it unpacks to."""

    url: str
    file: str
    md5: str
    bytes: int
    folder: str


class _StayOnTLS(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, request, response, code, message, headers, url):
        if request.full_url.startswith("https:") and not url.startswith("https:"):
            raise urllib.error.HTTPError(url, code, "the server leads away from https", headers, response)
        return super().redirect_request(request, response, code, message, headers, url)


def md5(path: Path) -> str:
    """Return the MD5 checksum of a file, which finds damage, not malice."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def fetch(archive: Archive, place: Path, progress: bool = True, pause: float = 0.5) -> Path:
    """Download an archive, going on where an earlier attempt broke off, and return its path.

    The bytes gather in ``<file>.part``; the file gets its name only when its checksum is right.

    Parameters
    ----------
    archive : Archive
        What to download.
    place : Path
        The folder for it.
    progress : bool
        Show a bar with the time left.
    pause : float
        Seconds before the first new attempt after a break; doubled for each that follows without a new byte.

    Returns
    -------
    Path
        The archive, whole and checked.

    Raises
    ------
    ValueError
        If the server cannot be reached or breaks off for good (what came so far is kept), or the checksum is wrong.
    """
    place.mkdir(parents=True, exist_ok=True)
    target, part = place / archive.file, place / f"{archive.file}.part"
    with FileLock(place / f".{archive.file}.lock"):
        if target.exists():
            _check(target, archive, f"delete {target} and get it again")
            return target
        have, tries = part.stat().st_size if part.exists() else 0, 0
        options = {"unit": "B", "unit_scale": True, "desc": archive.file, "disable": None if progress else True}
        with tqdm(total=archive.bytes, initial=have, **options) as bar:
            while have < archive.bytes:
                before, reason = have, "the connection ended early"
                try:
                    _receive(archive, part, have, bar)
                except BREAKS as error:
                    reason = error
                    if isinstance(error, urllib.error.HTTPError) and error.code < 500:
                        tries = TRIES  # asking again would not help
                have = part.stat().st_size if part.exists() else 0
                tries = 0 if have > before else tries + 1
                if have < archive.bytes:
                    if tries >= TRIES:
                        raise ValueError(
                            f"the download of {archive.file} broke off at {have:,} of {archive.bytes:,} bytes "
                            f"({reason}); the same command goes on from there, or get the file from {archive.url} "
                            f"and put it into {place}"
                        )
                    time.sleep(pause * 2**tries)
        try:
            _check(part, archive, "what was downloaded is deleted; get it again")
        except ValueError:
            part.unlink()  # going on from wrong bytes would never end well
            raise
        part.replace(target)
    return target


def _receive(archive, part, have, bar):
    """Append to `part` until the server stops; begin again where it does not know ranges."""
    request = urllib.request.Request(archive.url, headers={"User-Agent": "fmfp_lib", "Range": f"bytes={have}-"})
    with urllib.request.build_opener(_StayOnTLS).open(request, timeout=60) as answer:
        if answer.headers.get_content_type() == "text/html":  # a login page, say
            raise ValueError(
                f"{archive.url} answered with a web page instead of {archive.file}; what came before is kept. Open the "
                "address in a browser, or get the file another way"
            )
        goes_on = answer.status == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        if answer.status == 206 and not goes_on:
            raise http.client.HTTPException("the server answered with another range than the one asked for")
        if not goes_on:
            bar.reset()
            have = 0
        with open(part, "ab" if goes_on else "wb") as file:
            # Never more than the archive has, whatever the server sends.
            while have < archive.bytes and (chunk := answer.read(min(CHUNK, archive.bytes - have))):
                file.write(chunk)
                have += len(chunk)
                bar.update(len(chunk))


def _check(path, archive, remedy):
    found = md5(path)
    if found != archive.md5:
        raise ValueError(
            f"{path.name} has {path.stat().st_size:,} bytes and MD5 {found}; the official file has {archive.bytes:,} "
            f"and {archive.md5}; {remedy}"
        )


def unpack(path: Path, folder: str, place: Path) -> Path:
    """Unpack a .tar, .tar.gz or .zip archive that holds one `folder`, and return where it lies in `place`.

    It is unpacked beside its place and renamed when whole, so that half of it is never taken for all.

    Parameters
    ----------
    path : Path
        The archive.
    folder : str
        The folder that it holds.
    place : Path
        Where that folder is put.

    Returns
    -------
    Path
        The unpacked folder.

    Raises
    ------
    ValueError
        If the archive is damaged, lacks the folder, or holds a link, a device or a name that would leave it.
    """
    temporary = Path(tempfile.mkdtemp(dir=place, prefix=".unpacking-"))
    try:
        with contextlib.closing(_files(path)) as files:
            for name, file in files:
                with file:
                    parts = PurePosixPath(name.replace("\\", "/"))
                    if parts.is_absolute() or ".." in parts.parts or ":" in name:
                        raise ValueError(f"the name {name!r} leads out of it")
                    target = temporary / parts
                    target.parent.mkdir(parents=True, exist_ok=True)
                    with target.open("wb") as copy:
                        shutil.copyfileobj(file, copy)
        if not (temporary / folder).is_dir():
            raise ValueError(f"it holds no folder {folder!r}")
        os.replace(temporary / folder, place / folder)
    except (
        tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, ValueError, FileExistsError, IsADirectoryError,
        NotADirectoryError,
    ) as error:  # fmt: skip
        raise ValueError(f"{path.name} cannot be unpacked: {error}") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return place / folder


def _files(path):
    """Yield the name of each file in an archive, and the open file; what is neither file nor folder is refused."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                if stat.S_ISLNK(entry.external_attr >> 16):
                    raise ValueError(f"{entry.filename!r} is a link")
                if not entry.is_dir():
                    yield entry.filename, archive.open(entry)
    else:
        with tarfile.open(path) as archive:
            for entry in archive:
                if not (entry.isreg() or entry.isdir()):
                    raise ValueError(f"{entry.name!r} is a link or a device")
                if not entry.isdir():
                    yield entry.name, archive.extractfile(entry)
