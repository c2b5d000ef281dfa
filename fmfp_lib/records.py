"""What a finished run leaves: ``<hash>.npz`` (test logits and labels) and ``<hash>.json`` (everything else).

Metrics are never stored: they are computed from the logits when asked for. The JSON file is written last and
holds the checksum of the arrays, so a run that was cut off leaves no record, and a damaged one is found out.
"""

import hashlib
import json
import os
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .settings import Settings

SHIPPED = Path(__file__).resolve().parent.parent / "data" / "records"


class DamagedRecord(ValueError):
    """A record whose files do not fit together."""


@dataclass(frozen=True)
class Record:
    """A finished run: `logits` (n, k) float32 and `labels` (n,) of the test set, settings, history per epoch."""

    settings: Settings
    logits: np.ndarray
    labels: np.ndarray
    history: list
    environment: dict
    path: Path

    @property
    def metrics(self) -> dict[str, float]:
        """All metrics of the test set, computed now."""
        from .metrics import evaluate

        return evaluate(self.logits, self.labels)


def folder() -> Path:
    """Return the folder for new records: ``FMFP_RECORDS`` if set, else ``data/records``."""
    return Path(os.environ.get("FMFP_RECORDS") or SHIPPED)


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` under a temporary name, flush it to disk and rename: `path` is whole or untouched."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def set_aside(path: Path, reason) -> None:
    """Rename a damaged file to ``*.damaged`` (never deleting it) and warn with the reason."""
    target = path.with_name(path.name + ".damaged")
    number = 1
    while target.exists():
        number += 1
        target = path.with_name(f"{path.name}.damaged{number}")
    path.rename(target)
    warnings.warn(f"{path.name} is damaged ({reason}); set aside as {target.name}", stacklevel=2)


def save(settings: Settings, logits, labels, history: list, environment: dict) -> Path:
    """Write the record of a finished run and return the path of its JSON file."""
    import io

    buffer = io.BytesIO()
    np.savez_compressed(buffer, logits=np.asarray(logits, np.float32), labels=np.asarray(labels, np.int64))
    path = folder() / f"{settings.hash()}.json"
    content = {
        "sha256": hashlib.sha256(buffer.getvalue()).hexdigest(),
        "settings": settings.complete().model_dump(),
        "environment": environment,
        "history": history,
    }
    write_atomically(path.with_suffix(".npz"), buffer.getvalue())
    write_atomically(path, (json.dumps(content, indent=1) + "\n").encode())
    return path


def read(path: Path) -> Record:
    """Read one record.

    Raises
    ------
    DamagedRecord
        If a file is missing, cannot be parsed, or does not fit its checksum or its name.
    """
    try:
        content = json.loads(path.read_text())
        data = path.with_suffix(".npz").read_bytes()
        if hashlib.sha256(data).hexdigest() != content["sha256"]:
            raise ValueError("the arrays do not fit their checksum")
        settings = Settings(**content["settings"])
        if settings.hash() != path.stem:
            raise ValueError("the settings do not fit the file's name")
        with np.load(path.with_suffix(".npz"), allow_pickle=False) as arrays:
            logits, labels = arrays["logits"], arrays["labels"]
        return Record(settings, logits, labels, content["history"], content["environment"], path)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedRecord(f"{path.name}: {error}") from error


def find(settings: Settings) -> Record | None:
    """Return the record of a finished run, or None. A damaged record is named, set aside, and counts as none."""
    for place in dict.fromkeys((folder(), SHIPPED)):
        path = place / f"{settings.hash()}.json"
        if path.exists():
            try:
                return read(path)
            except DamagedRecord as error:
                set_aside(path, error)
    return None


def load_all() -> list[Record]:
    """Return every sound record of both folders, sorted by name."""
    paths = {p.stem: p for place in (SHIPPED, folder()) for p in place.glob("*.json")}
    return [read(paths[name]) for name in sorted(paths)]
