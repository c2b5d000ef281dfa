"""What a finished run leaves: ``<hash>.npz`` (logits and labels) and ``<hash>.json`` (everything else).

Logits are kept to the nearest 1/128, and to 1/16 where they lie more than 5 below the largest of their row; the
prediction is kept exactly. Measured over the shipped runs, this moves no ranking metric by more than its fourth decimal
(FPR-95%TPR, a step function, by at most 0.002) and makes a record a third smaller. In the file they lie sorted by
label, which packs better; the labels tell the order, so that nothing is lost.

What else is kept of a run is *attached*: ``<hash>.weights.npz`` holds the network's state in half precision, and
``measures`` adds more. An attachment names the record that it was made with.

Metrics are never stored: they are computed from the logits when asked for. The JSON file holds the checksum of the
arrays, so a damaged record is found out. The arrays are written first, under a name that waits, and get their own when
the JSON file is there: a run that was cut off leaves no record, and one that is trained again replaces the old record
whole or not at all.
"""

import hashlib
import io
import itertools
import json
import os
import tempfile
import warnings
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from . import paths, record_layout
from .datasets import own
from .metrics import evaluate, softmax
from .settings import Settings

SHIPPED = paths.ROOT / "data" / "records"  # read, and written only if FMFP_RECORDS names it
LAYOUT = 4  # of the files; raised when they are written in another way
HISTOGRAM_BINS = 50  # of equal width in [0, 1]


class DamagedRecord(ValueError):
    """A record whose files do not fit together."""


@dataclass(frozen=True)
class Record:
    """A finished run: `logits` (n, k) float32 and `labels` (n,) of the test set, `valid_logits` and `valid_labels` of
    the validation set, settings, history per epoch, environment.

    `histograms` (m, 2, bins) counts the correct and the incorrect predictions by confidence at each of the m
    evaluations during training, those epochs of `history` that have ``test_accuracy``; None in older records.
    """

    settings: Settings
    logits: np.ndarray
    labels: np.ndarray
    valid_logits: np.ndarray
    valid_labels: np.ndarray
    history: list
    environment: dict
    path: Path
    sha256: str = ""
    histograms: np.ndarray | None = None

    def __repr__(self):
        s = self.settings
        return f"Record({s.method}, {s.network}, {s.dataset}, seed {s.seed}, {s.epochs} epochs, {self.path.name})"

    @cached_property
    def metrics(self) -> dict[str, float]:
        """All metrics of the test set."""
        return evaluate(self.logits, self.labels)

    @cached_property
    def confidence(self) -> np.ndarray:
        """Maximum softmax probability of each test image, (n,)."""
        return softmax(self.logits).max(1)

    @cached_property
    def correct(self) -> np.ndarray:
        """Whether each prediction is correct, (n,) bool."""
        return self.logits.argmax(1) == self.labels

    @property
    def scored(self) -> tuple[np.ndarray, np.ndarray]:
        """`confidence` and `correct`, as the ranking metrics take them."""
        return self.confidence, self.correct

    @property
    def weights(self) -> dict[str, np.ndarray] | None:
        """State of the network by name, or None if it was not kept; floats were kept in half precision."""
        arrays = attached(self, "weights")
        if arrays is None:
            return None
        return {name: a.astype(np.float32) if a.dtype == np.float16 else a for name, a in arrays.items()}


def folder() -> Path:
    """Return the folder for new records: ``FMFP_RECORDS`` if set, else ``records`` in a checkout, which git ignores.

    An installed package, which nothing is written into, keeps them in ``fmfp/records`` under ``XDG_DATA_HOME``, by
    default ``~/.local/share``.
    """
    if named := os.environ.get("FMFP_RECORDS"):
        return Path(named)
    if not paths.INSTALLED:
        return paths.ROOT / "records"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "fmfp" / "records"


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` under a temporary name, flush it to disk and rename: `path` is whole or untouched.

    Parameters
    ----------
    path : Path
        The file.
    data : bytes
        Its content.

    Raises
    ------
    OSError
        If it cannot be written; the message names `path`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException as error:
        Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise OSError(error.errno, error.strerror or str(error), str(path)) from None
        raise


def set_aside(path: Path, reason, *others: Path) -> None:
    """Rename a damaged file, and `others` that belong to it, to ``*.damaged`` (never deleting them), and warn.

    Where they cannot be renamed, or came with the library, the warning says so.

    Parameters
    ----------
    path : Path
        The damaged file.
    reason : str or Exception
        What is wrong with it.
    *others : Path
        Files that belong to it.
    """
    if path.parent == SHIPPED != folder().resolve():
        warnings.warn(f"{path.name} is damaged ({reason}); it came with the library and is left there", stacklevel=2)
        return
    for number in itertools.count(1):
        ending = f".damaged{number if number > 1 else ''}"
        targets = [p.with_name(p.name + ending) for p in (path, *others)]
        if not any(target.exists() for target in targets):
            break
    try:
        for source, target in zip((path, *others), targets, strict=True):
            source.rename(target)
        outcome = f"set aside as {targets[0].name}"
    except OSError as error:
        outcome = f"left where it is, since it cannot be renamed: {error.strerror}"
    warnings.warn(f"{path.name} is damaged ({reason}); {outcome}", stacklevel=2)


def save(settings: Settings, test, valid, history: list, environment: dict, weights: dict | None = None) -> Path:
    """Write the record of a finished run and return the path of its JSON file.

    Parameters
    ----------
    settings : Settings
    test, valid : tuple of ndarray
        Logits (n, k) and labels (n,) of the test and of the validation set.
    history : list of dict
        One entry an epoch.
    environment : dict
        Versions, machine, threads.
    weights : dict of str to ndarray, optional
        State of the network.

    Returns
    -------
    Path
        The record's JSON file.
    """
    largest = max(np.abs(test[0]).max(), np.abs(valid[0]).max(initial=0))
    scale = np.float64(max(1 / 128, largest / 32000))
    classes = test[0].shape[1]
    kind = np.uint8 if classes <= 256 else np.int16 if classes <= 2**15 else np.int32
    names, values = record_layout.to_columns([{k: v for k, v in row.items() if k != "histogram"} for row in history])
    histograms = [row["histogram"] for row in history if "histogram" in row]
    data = record_layout.pack({
        "scale": scale,
        "logits": record_layout.to_bytes(*test, scale), "labels": np.asarray(test[1], kind),
        "valid_logits": record_layout.to_bytes(*valid, scale), "valid_labels": np.asarray(valid[1], kind),
        "history_names": names, "history": values,
        **({"histograms": np.array(histograms, np.uint16)} if histograms else {}),
    })  # fmt: skip
    sha256, path = hashlib.sha256(data).hexdigest(), folder() / f"{settings.hash()}.json"
    content = {
        "format": LAYOUT,
        "sha256": sha256,
        **({"data": own.checksum(settings.dataset)} if own.path_of(settings.dataset) else {}),
        "settings": settings.complete().model_dump(),
        "environment": environment,
    }
    if weights is not None:
        halved = {name: a.astype(np.float16) if a.dtype == np.float32 else a for name, a in weights.items()}
        write_atomically(_waiting(path, sha256, ".weights.npz"), _pack_attachment(halved, sha256))
    write_atomically(_waiting(path, sha256, ".npz"), data)
    write_atomically(path, (json.dumps(content, separators=(",", ":")) + "\n").encode())
    _settle(path, sha256)
    # Temporary files of a process that was killed while writing this run.
    for pattern in (f".{path.stem}.waiting-*", f"..{path.stem}.*", f".{path.name}.*"):
        for left in path.parent.glob(pattern):
            left.unlink(missing_ok=True)
    return path


def _waiting(path, sha256, suffix):
    return path.with_name(f".{path.stem}.waiting-{sha256[:16]}{suffix}")


def _settle(path, sha256):
    """Give the arrays that the JSON file at `path` names their own names, unless they have them."""
    for suffix in (".weights.npz", ".npz"):
        waiting = _waiting(path, sha256, suffix)
        if waiting.exists():
            with suppress(FileNotFoundError):  # another process was faster
                os.replace(waiting, path.with_suffix(suffix))


def read(path: Path) -> Record:
    """Read one record.

    Parameters
    ----------
    path : Path
        The record's JSON file.

    Returns
    -------
    Record
        The record.

    Raises
    ------
    DamagedRecord
        If a file is missing, cannot be parsed, or does not fit its checksum or its name.
    """
    try:
        content = json.loads(path.read_text())
        if content.get("format") != LAYOUT:
            raise ValueError(f"it has format {content.get('format')}; this version reads format {LAYOUT}")
        _settle(path, content["sha256"])
        data = path.with_suffix(".npz").read_bytes()
        if hashlib.sha256(data).hexdigest() != content["sha256"]:
            raise ValueError("the arrays do not fit their checksum")
        settings = Settings(**content["settings"])
        if path.stem not in _names(settings, content.get("data")):
            raise ValueError("the settings do not fit the file's name")
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            labels, valid_labels = (arrays[name].astype(np.int64) for name in ("labels", "valid_labels"))
            logits = record_layout.from_bytes(arrays["logits"], labels, arrays["scale"])
            valid_logits = record_layout.from_bytes(arrays["valid_logits"], valid_labels, arrays["scale"])
            history = record_layout.to_rows(arrays["history_names"], arrays["history"])
            histograms = arrays["histograms"] if "histograms" in arrays else None
        return Record(
            settings, logits, labels, valid_logits, valid_labels, history, content["environment"], path,
            content["sha256"], histograms,
        )  # fmt: skip
    except Exception as error:  # what others wrote may be wrong in any way
        raise DamagedRecord(f"{path.name}: {_why(error)}") from error


def _why(error):
    return f"it lacks {error}" if isinstance(error, KeyError) else " ".join(str(error).split()) or type(error).__name__


def _pack_attachment(arrays, sha256):
    return record_layout.pack({**arrays, "_record": np.array(sha256)})


def attach(record: Record, name: str, arrays: dict) -> None:
    """Keep `arrays` (name to ndarray) of a record as ``<hash>.<name>.npz`` in `folder`, wherever the record lies.

    Parameters
    ----------
    record : records.Record
        A finished run.
    name : str
        Name of what is kept.
    arrays : dict of str to ndarray
        The arrays.
    """
    write_atomically(folder() / f"{record.path.stem}.{name}.npz", _pack_attachment(arrays, record.sha256))


def attached(record: Record, name: str) -> dict[str, np.ndarray] | None:
    """Return what was attached to a record, or None; what is damaged or of another version of it is set aside.

    It lies in `folder` or beside the record. Where `folder` has a copy of a shipped record, trained anew, what is
    attached to the copy is left alone.

    Parameters
    ----------
    record : records.Record
        A finished run.
    name : str
        Name of what was kept.

    Returns
    -------
    dict of str to ndarray or None
        The arrays.
    """
    for place in dict.fromkeys((folder(), record.path.parent)):
        path = place / f"{record.path.stem}.{name}.npz"
        if not path.exists():
            continue
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = {key: file[key] for key in file.files}
            if str(arrays.pop("_record")) == record.sha256:
                return arrays
            if place == record.path.parent:
                raise ValueError("it belongs to another version of the record")
        except Exception as error:  # a damaged zip raises one of many kinds
            set_aside(path, _why(error))
    return None


def _names(settings, data=None):
    """Return the names that a record of `settings` may have, today's first; `data` is a checksum, if known."""
    return dict.fromkeys((settings.hash(data=data), settings.hash(1, data)))


def find(settings: Settings, shipped: bool = True, attachments=()) -> Record | None:
    """Return the record of a finished run, or None. A damaged record is named, set aside, and counts as none.

    Parameters
    ----------
    settings : Settings
        Complete settings of the run; a record of any others is not looked at.
    shipped : bool
        Whether records that come with the library count. They go first, so that a run trained again on another machine
        changes no page of the book.
    attachments : sequence of str
        What should be beside it: a record that has them all goes before one that does not.

    Returns
    -------
    Record or None
        The record.
    """
    names, found = _names(settings), []
    places = dict.fromkeys((SHIPPED, folder()) if shipped else (folder(),))
    for path in (place / f"{name}.json" for place in places for name in names):
        if path.exists():
            try:
                found.append(read(path))
            except DamagedRecord as error:
                others = [p for p in path.parent.glob(f"{path.stem}.*") if p != path and ".damaged" not in p.name]
                set_aside(path, str(error).removeprefix(f"{path.name}: "), *others)
            else:
                if all(attached(found[-1], what) is not None for what in attachments):
                    return found[-1]
    return found[0] if found else None
