"""Checks of a student's numbers: the notebook holds a hash of the answer, so that the answer cannot be read off."""

import hashlib
import math

DIGITS = 2  # after the point, to which an answer must be right, give or take one in the last


def hashed(exercise: str, name: str, value: float) -> str:
    """Return what a student's notebook holds in place of an answer.

    Parameters
    ----------
    exercise : str
        Such as ``00_quickstart/1``.
    name : str
        Of the number asked for.
    value : float
        The answer; rounded to `DIGITS` after the point.

    Returns
    -------
    str
        12 hexadecimal digits.
    """
    text = f"{exercise}:{name}:{round(value * 10**DIGITS)}"
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def check(exercise: str, **answers) -> None:
    """Print which of a student's numbers are right.

    Parameters
    ----------
    exercise : str
        Such as ``00_quickstart/1``.
    **answers
        By name: the student's number, or ``...`` for none yet, and the hash of the right one.
    """
    for name, (given, expected) in answers.items():
        if given is ...:
            said = "not answered yet"
        elif isinstance(given, bool) or not isinstance(given, (int, float)) or not math.isfinite(given):
            said = f"{given!r} is no number"
        else:
            near = (given + step / 10**DIGITS for step in (-1, 0, 1))
            said = "right" if expected in [hashed(exercise, name, value) for value in near] else "not right yet"
        print(f"{name}: {said}")
