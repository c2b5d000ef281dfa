"""Stage the book, run its notebooks with papermill, build the HTML: ``python scripts/build_book.py [--scale S]``."""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import papermill

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "_build"
STAGE = BUILD / "src"


def execute(notebook: Path, scale: str):
    """Run one staged notebook; it is replaced only by a whole run."""
    unfinished = notebook.with_suffix(".unfinished.ipynb")
    # A book's numbers are those of three seeds.
    papermill.execute_notebook(str(notebook), str(unfinished), {"scale": scale, "seeds": [0, 1, 2]}, cwd=str(ROOT))
    content = nbformat.read(unfinished, as_version=4)
    for cell in content.cells:
        if "parameters" in cell.metadata.get("tags", []):
            cell.metadata["tags"].append("remove-input")  # the injected values stand right below
    nbformat.write(content, notebook)
    unfinished.unlink()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", default="classroom", choices=("smoke", "classroom", "workstation", "paper"))
    scale = parser.parse_args().scale
    os.environ["TQDM_DISABLE"] = "1"
    shutil.rmtree(STAGE, ignore_errors=True)
    for name in ("book", "notebooks"):
        shutil.copytree(ROOT / name, STAGE / name, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    shutil.copy(ROOT / "_config.yml", STAGE)
    for notebook in sorted((STAGE / "notebooks").glob("*.ipynb")):
        execute(notebook, scale)
    command = [
        sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", str(STAGE),
        "--toc", str(STAGE / "book" / "_toc.yml"),
        "--config", str(STAGE / "_config.yml"), "--path-output", str(BUILD / "output"), "-W", "-n",
        "--keep-going", "--all",
    ]  # fmt: skip
    subprocess.run(command, check=True, cwd=STAGE)
    shutil.rmtree(BUILD / "html", ignore_errors=True)
    shutil.copytree(BUILD / "output" / "_build" / "html", BUILD / "html")
    print(f"\nThe book is ready. Open {BUILD / 'html' / 'index.html'}")


if __name__ == "__main__":
    main()
