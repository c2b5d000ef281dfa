"""Commands in a notebook, as a terminal shows them."""

import os
import shlex
import subprocess
import sys
from pathlib import Path


def fmfp(command: str, folder=".") -> int:
    """Run ``fmfp`` with the words of `command` in `folder`, print what it prints, and return its exit code.

    Parameters
    ----------
    command : str
        The words after ``fmfp``.
    folder : path-like
        Where it is run.

    Returns
    -------
    int
        0 if it succeeded.
    """
    words = [sys.executable, "-m", "fmfp_lib.cli", *shlex.split(command)]
    # Plain text of a fixed width, and this very library, wherever the folder is.
    library = str(Path(__file__).resolve().parents[2])
    own = {"COLUMNS": "80", "FORCE_COLOR": "", "PYTHONIOENCODING": "utf-8"}
    own["PYTHONPATH"] = os.pathsep.join(filter(None, (library, os.environ.get("PYTHONPATH"))))
    done = subprocess.run(words, cwd=folder, env=os.environ | own, capture_output=True, encoding="utf-8")
    print(f"$ fmfp {command}", done.stdout + done.stderr, sep="\n\n")
    return done.returncode
