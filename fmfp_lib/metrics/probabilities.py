"""Whether an array holds probabilities of classes: rows in [0, 1] that sum to one, as far as rounding leaves them."""

import numpy as np

_BLOCK = 1 << 22  # elements worked on at once
_DIGITS = range(2, 6)  # decimals that probabilities may be rounded to
_MOST_OFF, _MOST_BELOW = 0.5, 0.05  # that rounding may move a row's sum and an entry, however many classes there are


def blocks(values):
    """Yield slices of the rows of `values` (n, k), of as many elements as are worked on at once.

    Yields
    ------
    slice
        Of rows.
    """
    step = max(1, _BLOCK // max(1, values.shape[1]))
    for first in range(0, len(values), step):
        yield slice(first, min(first + step, len(values)))


def are_probabilities(values) -> bool:
    """Return whether each row of `values` (n, k) is a distribution, within what its type and decimals can hold."""
    return values.ndim == 2 and values.dtype.kind in "fiu" and values.size > 0 and first_off_one(values) is None


def first_off_one(values) -> int | None:
    """Return the first row of `values` (n, k) that is no distribution, or None."""
    usual = 1e-2 if values.dtype == np.float16 else 1e-3
    row = _first_off(values, usual, 1e-6)
    if row is None or not (open_ := _left_open(values)):
        return row
    return _first_off(values, max(usual, min(open_, _MOST_OFF)), min(open_, _MOST_BELOW))


def _first_off(values, tolerance, below):
    for part in blocks(values):
        block = values[part]
        wrong = np.abs(block.sum(1, dtype=np.float64) - 1) > tolerance + 1e-6
        wrong |= (block.min(1) < -below - 1e-6) | (block.max(1) > 1 + tolerance)
        if wrong.any():
            return part.start + int(wrong.argmax())
    return None


def _left_open(values):
    """Return how far decimals leave a row's sum open: half a unit of the last for each class; 0 if none is the last."""
    digits = iter(_DIGITS)
    last = next(digits)
    for part in blocks(values):
        block = values[part].astype(np.float64)
        while last is not None and np.abs(block - block.round(last)).max() >= 1e-7:
            last = next(digits, None)
        if last is None:
            return 0.0
    return values.shape[1] * 0.5 * 10.0**-last
