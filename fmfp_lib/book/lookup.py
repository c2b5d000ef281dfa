"""Finished runs by their settings."""

from .. import records as _records
from ..settings import SCALES


def finished(**wanted) -> list:
    """Return the sound records whose settings equal `wanted`; a list among the values means any of them.

    Examples
    --------
    ``finished(dataset="embedded", network="preact_resnet8_w32_s2", epochs=100, method=["baseline", "fmfp"])``
    """

    def fits(settings):
        return all(
            getattr(settings, key) in value if isinstance(value, (list, tuple)) else getattr(settings, key) == value
            for key, value in wanted.items()
        )

    return _records.load_all(fits)


def classroom() -> list:
    """Return the finished classroom runs of the regime's own network."""
    return finished(dataset="embedded", protocol="paper", **SCALES["classroom"])
