"""Files of predictions, of any model and framework: what `fmfp evaluate`, `compare` and `threshold` read. No torch.

For every item a file holds ``logits`` or ``probabilities`` of each class and ``labels``; or ``confidence``, any score
that grows with trust, and ``correct``; or ``confidence``, ``predicted`` and ``labels``. It may hold ``group`` (what an
item belongs to), ``split`` (``calibration`` or ``test``) and ``id``.

In an ``.npz`` these are arrays. In a ``.csv`` or ``.parquet`` they are columns; logits and probabilities have one for
each class, such as ``logit_0`` or ``prob_cat``. A ``.npy`` holds logits, probabilities or confidence alone; a second
holds the labels, or for a confidence whether each prediction is right. Other usual names are understood (``NAMES``).
"""

import re
from pathlib import Path

import numpy as np

from .metrics.probabilities import are_probabilities
from .predictions import Predictions, from_arrays

# What each array may be called.
NAMES = {
    "logits": ("logits", "logit"),
    "probabilities": ("probabilities", "probability", "probs", "prob", "proba", "predict_proba", "softmax"),
    "confidence": ("confidence", "conf", "score"),
    "correct": ("correct", "is_correct", "right", "hit"),
    "labels": ("labels", "label", "y_true", "y_test", "y", "target", "targets", "true", "label_ids"),
    "predicted": ("predicted", "predictions", "prediction", "pred", "y_pred"),
    "classes": ("classes", "class_names"),
    "group": ("group", "groups"),
    "split": ("split",),
    "id": ("id", "ids"),
}
_ROLES = {name: role for role, names in NAMES.items() for name in names}
_OF_A_CLASS = re.compile(rf"({'|'.join(NAMES['logits'] + NAMES['probabilities'])})[_ .:-](.+)", re.IGNORECASE)


def read(path, labels=None) -> Predictions:
    """Read a file of predictions and check it.

    Parameters
    ----------
    path : str or Path
        Ends in ``.npz``, ``.csv``, ``.parquet`` or ``.npy``. Its name is the system's.
    labels : str or Path, optional
        A second ``.npy`` with the labels (or, for a confidence, with what is correct), if `path` is one.

    Returns
    -------
    Predictions
        Checked, with notes on what is unusual.

    Raises
    ------
    ValueError
        In one line, for a file that cannot be read or used, saying what was given and what is accepted.
    """
    path = Path(path).expanduser()
    try:
        ending = path.suffix.lower()
        if ending not in _READERS:
            raise ValueError(f"the name ends in {path.suffix!r}; accepted are {', '.join(_READERS)}")
        if not path.is_file():
            raise ValueError("it is a folder; name a file" if path.is_dir() else "there is no such file")
        if ending == ".npy":
            return from_arrays(name=path.stem, **_npy(path, labels))
        if labels is not None:
            raise ValueError(f"labels in a file of their own go with a .npy; a {ending} holds its own")
        return from_arrays(name=path.stem, **_READERS[ending](path))
    except (ValueError, OSError) as error:
        raise ValueError(f"{path}: {_one_line(error)}") from None


def _one_line(error):
    return " ".join(str(error).split()) or type(error).__name__


def _load(path):
    try:
        return np.load(path, allow_pickle=False)
    except Exception as error:  # a damaged file raises one of many kinds
        raise ValueError(_why_not(error, "it")) from None


def _why_not(error, what):
    if "allow_pickle" in str(error):
        return f"{what} is no plain array; save numbers, and names as str (nothing is unpickled here)"
    return f"{what} cannot be read: {_one_line(error)}"


def _npz(path):
    file, found = _load(path), {}
    if isinstance(file, np.ndarray):
        raise ValueError("it holds one array as an .npy does; give it that ending")
    with file:
        for name in file.files:
            try:
                found[name] = file[name]
            except Exception as error:
                raise ValueError(_why_not(error, name)) from None
    return _by_role(found)


def _npy(path, labels):
    if labels is None:
        raise ValueError("a .npy holds no labels; add --labels LABELS.npy, or save both in one .npz")
    scores, labels = _load(path), _load(Path(labels).expanduser())
    if not isinstance(scores, np.ndarray) or not isinstance(labels, np.ndarray):
        raise ValueError("predictions and --labels must both be .npy files; give a .npz alone, without --labels")
    if scores.ndim == 1:
        return {"confidence": scores, "correct": labels}
    inside = scores.dtype.kind in "fiu" and scores.size and scores.min() >= 0 and scores.max() <= 1
    return {"probabilities" if inside or are_probabilities(scores) else "logits": scores, "labels": labels}


def _csv(path):
    import pandas as pd

    with path.open(errors="replace") as file:
        head = file.readline()
    options = dict(sep=max(",;\t", key=head.count), skipinitialspace=True)
    columns = pd.read_csv(path, nrows=0, **options).columns
    # Names stay as they are written: 01 is no 1, and a class may be called None.
    named = [c for c in columns if _ROLES.get(c.strip().lower()) in ("labels", "predicted", "group", "split", "id")]
    missing = {c: [""] if c in named else ["", "NaN", "nan", "NA"] for c in columns}
    frame = pd.read_csv(path, dtype=dict.fromkeys(named, str), keep_default_na=False, na_values=missing, **options)
    names = [c for c in named if _ROLES[c.strip().lower()] in ("group", "split", "id")]
    return _table(frame.fillna(dict.fromkeys(names, "")))


def _parquet(path):
    import pandas as pd

    try:
        return _table(pd.read_parquet(path))
    except ImportError:
        raise ValueError("a .parquet needs the package pyarrow: pip install pyarrow, or fmfp-lib[parquet]") from None


_READERS = {".npz": _npz, ".csv": _csv, ".parquet": _parquet, ".npy": _npy}


def _table(frame):
    """Return a table's columns by their roles, those of one class each joined."""
    if not len(frame):
        raise ValueError("it has no rows")
    found, families = {}, {}
    for column, values in frame.items():
        if match := _OF_A_CLASS.fullmatch(str(column).strip()):
            families.setdefault(_ROLES[match[1].lower()], {})[match[2]] = values
        elif not str(column).startswith("Unnamed:"):  # an index that was saved along
            listed = isinstance(values.iloc[0], (list, np.ndarray))
            found[str(column)] = np.stack(values.to_list()) if listed else values.to_numpy()
    columns = _by_role(found)
    for role, members in families.items():
        if role in columns:
            raise ValueError(f"{role} come twice: in one column, and in one for each class; keep one")
        names = list(members)
        if all(name.isdecimal() for name in names):
            names.sort(key=int)
        for name in names:
            if members[name].to_numpy().dtype.kind not in "fiu":
                raise ValueError(f"column {members[name].name!r} holds {members[name].dtype}; expected numbers")
        columns[role] = np.stack([members[name].to_numpy() for name in names], 1)
        if len(names) == 1:
            columns[role] = _second_of_two(role, columns[role], names[0])
        elif names != [str(i) for i in range(len(names))]:
            columns["classes"] = np.array(names)
    return columns


def _second_of_two(role, values, name):
    """Return the column of the second of two classes, from that of the class `name` alone."""
    if name not in ("0", "1"):
        raise ValueError(
            f"{role} have one column alone, of the class {name!r}; expected one for each class, or 0 or 1 of two"
        )
    return values if name == "1" else 1 - values if role == "probabilities" else -values


def _by_role(found):
    """Return arrays by their roles; those whose names mean nothing here are left out, with a note."""
    columns, called, left = {}, {}, []
    for name, array in found.items():
        role = _ROLES.get(name.strip().lower())
        if role == "predicted" and np.ndim(array) == 2:  # what the Trainer of Hugging Face calls its logits
            role = "logits"
        if role is None:
            left.append(name)
        elif role in columns:
            raise ValueError(f"{called[role]!r} and {name!r} both stand for {role}; keep one")
        else:
            columns[role], called[role] = array, name
    if left:
        columns["notes"] = [f"Left out, as the name means nothing here: {', '.join(left[:10])}."]
    return columns
