"""How a record lies in its file: logits as two halves of 16-bit integers, the history by column, all compressed."""

import io

import numpy as np


def pack(arrays: dict) -> bytes:
    """Return arrays as the bytes of a compressed ``.npz`` file.

    Parameters
    ----------
    arrays : dict of str to ndarray

    Returns
    -------
    bytes
    """
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def to_bytes(logits, labels, scale):
    """Return logits (n, k) as bytes (2, k, n), sorted by label: the high and the low halves of 16-bit integers.

    Parameters
    ----------
    logits : array_like, (n, k)
    labels : array_like, (n,)
    scale : float
        What one step of the integers stands for.

    Returns
    -------
    ndarray, (2, k, n), uint8
    """
    logits = np.asarray(logits, np.float64)
    if not len(logits):
        return np.zeros((2, logits.shape[1], 0), np.uint8)
    whole = np.rint(logits / scale)
    far = logits.max(1, keepdims=True) - logits > 5
    whole = np.where(far, 8 * np.rint(whole / 8), whole)
    rows, top = np.arange(len(logits)), logits.argmax(1)
    tied = whole.argmax(1) != top  # rounding made another class equal to the predicted one
    whole[rows[tied], top[tied]] = whole[tied].max(1) + 1
    whole = whole[np.argsort(labels, kind="stable")].astype(np.int16).T
    return np.stack([whole >> 8, whole & 255]).astype(np.uint8)


def from_bytes(halves, labels, scale):
    """Return the logits of which `to_bytes` made bytes.

    Parameters
    ----------
    halves : ndarray, (2, k, n), uint8
    labels, scale
        As they were given to `to_bytes`.

    Returns
    -------
    ndarray, (n, k), float32
    """
    whole = (halves[0].astype(np.uint16) << 8 | halves[1]).view(np.int16).T
    logits = np.empty(whole.shape, np.float32)
    logits[np.argsort(labels, kind="stable")] = whole * scale
    return logits


def to_columns(history):
    """Return the names that rows of numbers have, and their values as (names, rows) float32; what is missing is NaN.

    Parameters
    ----------
    history : list of dict
        One for each epoch.

    Returns
    -------
    names : ndarray of str
    values : ndarray, (names, rows), float32
    """
    names = list(dict.fromkeys(name for row in history for name in row))
    values = [[np.nan if row.get(name) is None else row[name] for row in history] for name in names]
    return np.array(names, np.str_), np.array(values, np.float32).reshape(len(names), len(history))


def to_rows(names, values):
    """Return the history of which `to_columns` made columns, without what is missing.

    Parameters
    ----------
    names : ndarray of str
    values : ndarray, (names, rows)

    Returns
    -------
    list of dict
    """
    rows = [{name: float(v) for name, v in zip(names.tolist(), row, strict=True) if v == v} for row in values.T]
    return [row | {"epoch": int(row["epoch"])} for row in rows]
