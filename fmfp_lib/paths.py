"""Where files lie: those that come with the library, and new records.

In a checkout ``data/`` and ``notebooks/`` lie beside the package; a wheel carries them inside it (see pyproject.toml).
"""

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
INSTALLED = (_PACKAGE / "data").is_dir()
ROOT = _PACKAGE if INSTALLED else _PACKAGE.parent  # has data/ and notebooks/
BENCHMARKS = ROOT / "data" / "benchmarks.json"  # what `fmfp bench` measured, by device


def present(path: Path) -> Path:
    """Return `path`, a file or folder that comes with the library; raise ValueError if it is missing."""
    if not path.exists():
        raise ValueError(f"{path}, which comes with the library, is missing; install it again")
    return path


def new_records() -> Path:
    """Return the folder for new records: ``FMFP_RECORDS`` if set, else ``records`` in a checkout, which git ignores.

    An installed package, which nothing is written into, keeps them in ``fmfp/records`` under ``XDG_DATA_HOME``, by
    default ``~/.local/share``.
    """
    if named := os.environ.get("FMFP_RECORDS"):
        return Path(named)
    if not INSTALLED:
        return ROOT / "records"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "fmfp" / "records"
