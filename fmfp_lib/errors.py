"""The words of every refusal: what was given, what is accepted, and the nearest name."""

import difflib

TIME_IS_UP = 75  # the exit status of a command that stopped at a checkpoint: try again


class OutOfTime(Exception):
    """A run stopped at a checkpoint because its time was up; the same call goes on from there."""


def choose(kind: str, given: str, choices) -> str:
    """Return `given` if it is among `choices`; otherwise raise ValueError naming them and the nearest.

    Parameters
    ----------
    kind : str
        What is chosen, for the message.
    given : str
        The name given.
    choices : iterable of str
        The names accepted.

    Returns
    -------
    str
        `given`.
    """
    if given in choices:
        return given
    near = difflib.get_close_matches(str(given), list(choices), n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"unknown {kind} {given!r}; choose one of {', '.join(choices)}{hint}")


def one_line(error, fields) -> str:
    """Return a `pydantic.ValidationError` in one line; `fields` are the names that are accepted.

    Parameters
    ----------
    error : pydantic.ValidationError
        The error.
    fields : iterable of str
        Names that are accepted.

    Returns
    -------
    str
        What was given and what is accepted.
    """
    parts = []
    for item in error.errors():
        name = ".".join(map(str, item["loc"])) or "settings"
        if item["type"] == "extra_forbidden":
            near = difflib.get_close_matches(name, list(fields), n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            parts.append(f"unknown setting {name!r}; choose among {', '.join(fields)}{hint}")
        else:
            message = item["msg"].removeprefix("Value error, ")
            given = "" if item["type"] == "value_error" else f", given {item['input']!r}"
            parts.append(f"{name}: {message}{given}")
    return " | ".join(parts)
