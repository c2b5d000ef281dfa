"""Where the files that come with the library lie.

In a checkout ``data/`` and ``notebooks/`` lie beside the package; a wheel carries them inside it (see pyproject.toml).
"""

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
