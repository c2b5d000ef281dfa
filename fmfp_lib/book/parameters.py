"""The parameters of notebooks: names, types and ranges are checked before anything runs."""

from ..errors import choose

# Accepted values of the numbers that notebooks take beside a run's settings.
RANGES = {
    "replicates": (1, 100_000), "coverage": (0.01, 1), "coverages": (0.01, 1), "confident": (0, 1),
    "window": (1, 1000), "points": (2, 1000), "severity": (1, 5), "seeds": (0, 2**31 - 1),
    "risk": (0.0001, 0.9), "level": (0.5, 0.9999), "draws": (1, 100_000),
}  # fmt: skip


def check_parameters(names: dict, **defaults) -> None:
    """Reject notebook parameters that papermill injected under an unknown name, with another type or out of range.

    Parameters
    ----------
    names : dict
        The notebook's ``globals()``.
    **defaults
        The notebook's parameters, each with a value of the accepted type.

    Raises
    ------
    ValueError
        In one line: what was given, what is accepted, and the nearest name.
    """
    plain = (str, int, float, bool, list, dict, tuple, type(None))
    for name, value in names.items():
        # Constants that a notebook imports are in capitals, parameters are not.
        if name.startswith("_") or name.isupper() or name in ("In", "Out") or not isinstance(value, plain):
            continue
        choose("parameter", name, sorted(defaults))
        if type(value) is not type(defaults[name]):
            raise ValueError(
                f"parameter {name} is {value!r} ({type(value).__name__}); "
                f"it must be a {type(defaults[name]).__name__}, such as {defaults[name]!r}"
            )
        if name in RANGES:
            low, high = RANGES[name]
            for item in value if isinstance(value, list) else [value]:
                if type(item) not in (int, float) or not low <= item <= high:
                    raise ValueError(f"parameter {name} is {value!r}; numbers from {low} to {high} are accepted")
