"""Stage the book, run its notebooks with papermill, build the HTML: ``python scripts/build_book.py [--scale S]``."""

import argparse
import importlib.util
import itertools
import os
import shutil
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import nbformat
import papermill

from fmfp_lib import claims, cost, explorer, figures, tables

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "_build"
STAGE = BUILD / "src"
TRAINED_LIVE = {"00_quickstart": {"seeds": [0, 1, 2]}}  # parameters beside the scale, where a notebook leaves no gap


def execute(notebook: Path, scale: str):
    """Run one staged notebook; it is replaced only by a whole run."""
    unfinished = notebook.with_suffix(".unfinished.ipynb")
    values = {"scale": scale} | TRAINED_LIVE.get(notebook.stem, {})
    known = papermill.inspect_notebook(str(notebook))
    values = {name: value for name, value in values.items() if name in known}
    papermill.execute_notebook(str(notebook), str(unfinished), values, cwd=str(ROOT), progress_bar=False)
    content = nbformat.read(unfinished, as_version=4)
    for cell in content.cells:
        if "parameters" in cell.metadata.get("tags", []):
            cell.metadata["tags"].append("remove-input")  # the injected values stand right below
    nbformat.write(content, notebook)
    unfinished.unlink()
    print(f"ran {notebook.name}", flush=True)


def without_repeats(page: str) -> str:
    """Drop what Sphinx 7.4 writes twice: the inline scripts of extensions, whose second `const` is an error."""
    seen = set()
    lines = [line for line in page.splitlines(keepends=True)
             if not (line.startswith("    <script>") and line in seen or seen.add(line))]  # fmt: skip
    return "".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", default="classroom", choices=("smoke", "classroom", "workstation", "paper"))
    scale = parser.parse_args().scale
    os.environ["TQDM_DISABLE"] = "1"
    shutil.rmtree(STAGE, ignore_errors=True)
    for name in ("book", "notebooks"):
        shutil.copytree(ROOT / name, STAGE / name, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    shutil.copy(ROOT / "_config.yml", STAGE)
    # Tables are made from the registries and the records, so that no page can fall behind them.
    registries = (tables.methods, tables.networks, tables.datasets, tables.corruptions)
    for make in (*registries, tables.at_a_glance, tables.regime_search, tables.speed, cost.gpu_hours):
        (STAGE / "book" / f"_{make.__name__}.txt").write_text(make() + "\n")
    explorer.write(STAGE / "book")
    picture = figures.cost_benefit(tables.classroom())
    picture.savefig(STAGE / "book" / "images" / "cost_benefit.png", dpi=160)
    # One notebook a core, each on one thread: faster than one after another on all of them.
    os.environ["OMP_NUM_THREADS"] = "1"
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        verdicts = pool.submit(claims.summary)
        list(pool.map(execute, sorted((STAGE / "notebooks").glob("*.ipynb")), itertools.repeat(scale)))
        (STAGE / "book" / "_claims.txt").write_text(verdicts.result() + "\n")
    command = [
        sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", str(STAGE),
        "--toc", str(STAGE / "book" / "_toc.yml"),
        "--config", str(STAGE / "_config.yml"), "--path-output", str(BUILD / "output"), "-W", "-n",
        "--keep-going", "--all",
    ]  # fmt: skip
    subprocess.run(command, check=True, cwd=STAGE)
    shutil.rmtree(BUILD / "html", ignore_errors=True)
    shutil.copytree(BUILD / "output" / "_build" / "html", BUILD / "html")
    for page in (BUILD / "html").rglob("*.html"):
        page.write_text(without_repeats(page.read_text("utf-8")), "utf-8")
    # Formulas are set by MathJax; only the parts that the pages load are laid beside them.
    mathjax = Path(importlib.util.find_spec("sphinx-mathjax-offline").origin).parent / "static" / "mathjax"
    for part in ("tex-chtml.js", "output/chtml/fonts"):
        target = BUILD / "html" / "_static" / "mathjax" / part
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (mathjax / part).is_dir() else shutil.copy)(mathjax / part, target)
    print(f"\nThe book is ready. Open {BUILD / 'html' / 'index.html'}")


if __name__ == "__main__":
    main()
