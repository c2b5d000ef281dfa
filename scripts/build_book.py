"""Stage the book, run its notebooks with papermill, build the HTML: ``python scripts/build_book.py [--scale S]``."""

import argparse
import importlib.util
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import citation
import faults
import make_course
import make_slides
import nbformat
import papermill
import yaml

from fmfp_lib.book import (
    claims,
    claims_cards,
    explorer,
    figures,
    film,
    home,
    ladder,
    ladder_words,
    low_precision,
    other_libraries,
    power,
    quiz,
    rungs,
    score_study,
    speed,
    tables,
    threshold_game,
    valley,
)
from fmfp_lib.cli.run import QUIET_KERNEL

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "_build"
STAGE = BUILD / "src"
# These train there and then, into a folder of their own: what they leave is not taken for the book's records.
TRAINED_LIVE = {"00_quickstart": {}, "13_own_data": {"seeds": [0, 1, 2]}}
RECORDS = os.environ.get("FMFP_RECORDS", "")
SHARP = "--InlineBackend.figure_formats=svg"  # of the notebooks' figures


def execute(notebook: Path, scale: str) -> float:
    """Run one staged notebook and return how many seconds it took; it is replaced only by a whole run."""
    start = time.perf_counter()
    unfinished = notebook.with_suffix(".unfinished.ipynb")
    values = {"scale": scale} | TRAINED_LIVE.get(notebook.stem, {})
    os.environ["FMFP_RECORDS"] = str(BUILD / "records") if notebook.stem in TRAINED_LIVE else RECORDS
    options = dict(cwd=str(ROOT), progress_bar=False, extra_arguments=[*QUIET_KERNEL, SHARP])
    papermill.execute_notebook(str(notebook), str(unfinished), values, **options)
    content = nbformat.read(unfinished, as_version=4)
    for cell in content.cells:
        tags = cell.metadata.get("tags", [])
        if "parameters" in tags:
            tags.append("hide-input")
            for name, value in values.items():  # what was run, not the default
                cell.source = re.sub(rf"(?m)^{name} = .*?(?=  #|$)", f"{name} = {json.dumps(value)}", cell.source)
            cell.metadata["mystnb"] = {"code_prompt_show": "Parameters", "code_prompt_hide": "Parameters"}
        elif "injected-parameters" in tags:
            tags.append("remove-cell")
    nbformat.write(content, notebook)
    unfinished.unlink()
    print(f"ran {notebook.name}", flush=True)
    return time.perf_counter() - start


def timetable(seconds: dict) -> str:
    """Return, as Markdown, each notebook (path to seconds) with a link, its exercises and the time that it took."""
    lines = ["| notebook | exercises | seconds, here |", "| --- | ---: | ---: |"]
    for path, taken in seconds.items():
        text = "\n".join(c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "markdown")
        title = re.search(r"^# (.*)$", text, re.MULTILINE)[1]
        exercises = len(re.findall(r"^\d+\. \*\*", text.partition("## Exercises")[2], re.MULTILINE))
        lines.append(f"| [{title}](../notebooks/{path.name}), `{path.stem}` | {exercises} | {taken:.0f} |")
    return "\n".join(lines) + "\n"


# What readers of the page by ear would stumble on, and what stands there instead.
MENDS = (
    ('class="bd-sidebar-primary bd-sidebar"', 'class="bd-sidebar-primary bd-sidebar" role="complementary"'),
    (' role="doc-biblioentry"', ' role="listitem"'),  # entries of an element with the role "list"
    ("<th></th>", "<td></td>"),  # an empty corner heads nothing
    ('<th scope="col"></th>', "<td></td>"),
    ('<th class="head"><p></p></th>', '<td class="head"></td>'),
    ("</li>\n<ul><li>", "\n<ul><li>"),  # lists within lists, among the sources
    ("</ul><li>", "</ul></li>\n<li>"),
)


# Beside the download of a notebook, the one for students.
DOWNLOAD = re.compile(r'(<li><a href="\.\./_sources/notebooks/(\w+\.ipynb)"[\s\S]*?</li>)')
STUDENTS = r"""\1
      <li><a href="../course/\2" download class="btn btn-sm dropdown-item" title="Download without solutions">
<span class="btn__icon-container"><i class="fas fa-graduation-cap"></i></span>
<span class="btn__text-container">.ipynb, no solutions</span>
</a></li>"""


# A number keeps its percent sign on its line; code stays as it is.
PERCENT = re.compile(r"<(pre|code|script|style)\b[\s\S]*?</\1>|(?<=\d) %")


def mended(page: str) -> str:
    """Mend a page of Sphinx 7.4 and its theme, and drop the inline scripts written twice: a second `const` fails."""
    for wrong, right in MENDS:
        page = page.replace(wrong, right)
    page = DOWNLOAD.sub(STUDENTS, page)
    page = PERCENT.sub(lambda found: found[0] if found[0].startswith("<") else "\u00a0%", page)
    seen = set()
    lines = [
        line
        for line in page.splitlines(keepends=True)
        if not (line.startswith("    <script>") and line in seen or seen.add(line))
    ]
    return "".join(lines)


def cards() -> str:
    """Return the home page's claim cards."""
    return claims_cards.cards(claims.evaluate(), "../notebooks/10_claims.html")


# What is made from the registries and the records, so that no page can fall behind them: file, function.
TEXTS = {
    "_cards.html": cards,
    **{f"_{make.__name__}.txt": make for make in (
        power.rates, power.seeds, tables.regime_search, tables.protocols, ladder.pilots, ladder.race,
        low_precision.low_precision, other_libraries.libraries, tables.methods, tables.networks, tables.datasets,
        tables.corruptions, score_study.score_table, tables.gpu_hours, speed.speed,
    )},
    "_ladder.txt": ladder_words.in_words, "_lengths.txt": ladder_words.lengths_in_words,
    "_gain.txt": ladder_words.gain_in_words, "_sizes.txt": ladder_words.sizes_in_words, "_faults.txt": faults.table,
    "_home.html": home.slider, "_film.html": film.page, "_quiz.html": quiz.page,
    "_threshold.html": threshold_game.page, "_valley.html": valley.page,
}  # fmt: skip


def pictures() -> None:
    """Draw what pages show that are no notebooks, and say what the figure of effects shows."""
    effects = ladder.drawn()
    (STAGE / "book" / "_where.txt").write_text(ladder_words.where_in_words(effects) + "\n")
    for name, form in (("effects_against_accuracy", {}), ("effects_on_a_phone", {"columns": 2, "width": 4.4})):
        picture = figures.effects_against_accuracy(effects, ladder.published_effects(), rungs.HOME, **form)
        for kind in ("svg", "png"):  # the page shows the first; social previews take the second
            picture.savefig(STAGE / "book" / "images" / f"{name}.{kind}", dpi=160, bbox_inches="tight")
    shown = [(method, quantity) for method in rungs.CURVES[1:] for quantity in ("auroc", rungs.QUANTITIES[2])]
    picture = figures.effects_against_setting({rungs.CLASS.title: ladder.by_length()}, shown, columns=2)
    picture.savefig(STAGE / "book" / "images" / "effects_against_length.svg", bbox_inches="tight")
    cheaper = replace(rungs.CLASS, methods=("baseline", *figures.CHEAPER))
    picture = figures.cost_benefit(rungs.groups([cheaper])[0].records)
    picture.savefig(STAGE / "book" / "images" / "cost_benefit.svg")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", default="classroom", choices=("smoke", "classroom", "workstation", "paper"))
    scale = parser.parse_args().scale
    os.environ["TQDM_DISABLE"] = "1"
    shutil.rmtree(STAGE, ignore_errors=True)
    for name in ("book", "notebooks"):
        shutil.copytree(ROOT / name, STAGE / name, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    cited = citation.load()
    config = citation.with_repository(yaml.safe_load((ROOT / "_config.yml").read_text()), cited)
    (STAGE / "_config.yml").write_text(yaml.safe_dump(config, allow_unicode=True))
    for name in ("paper", "companion"):
        (STAGE / "book" / f"_cite_{name}.txt").write_text(getattr(citation, name)(cited))
    notebooks = sorted((STAGE / "notebooks").glob("*.ipynb"))
    # One job a core, each on one thread, which NumPy learns when it is loaded: faster than one after another on all.
    os.environ["OMP_NUM_THREADS"] = "1"
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        executed = pool.map(execute, notebooks, itertools.repeat(scale))
        others = [pool.submit(make_slides.make, BUILD / "slides"), pool.submit(explorer.write, STAGE / "book")]
        others.append(pool.submit(pictures))
        texts = {name: pool.submit(make) for name, make in TEXTS.items()}
        seconds = dict(zip(notebooks, executed, strict=True))
        for name, made in texts.items():
            (STAGE / "book" / name).write_text(made.result().rstrip("\n") + "\n", "utf-8")
        for made in others:
            made.result()
    (STAGE / "book" / "_timetable.txt").write_text(timetable(seconds))
    shutil.rmtree(BUILD / "output", ignore_errors=True)  # Sphinx keeps pages of source code that it takes for current
    command = [
        sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", str(STAGE),
        "--toc", str(STAGE / "book" / "_toc.yml"),
        "--config", str(STAGE / "_config.yml"), "--path-output", str(BUILD / "output"), "-W", "-n",
        "--keep-going", "--all",
    ]  # fmt: skip
    # Jupyter Book ends with a path of its own, which is not where the book will lie; it speaks only if it fails.
    built = subprocess.run(command, cwd=STAGE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
    if built.returncode:
        sys.exit(f"{built.stdout}\nJupyter Book failed; see above")
    shutil.rmtree(BUILD / "html", ignore_errors=True)
    shutil.copytree(BUILD / "output" / "_build" / "html", BUILD / "html")
    shutil.copy(STAGE / "book" / "images" / "effects_against_accuracy.png", BUILD / "html" / "_images")
    make_course.make(BUILD / "html" / "course")
    for page in (BUILD / "html").rglob("*.html"):
        page.write_text(mended(page.read_text("utf-8")), "utf-8")
    # Formulas are set by MathJax; only the parts that the pages load are laid beside them.
    mathjax = Path(importlib.util.find_spec("sphinx-mathjax-offline").origin).parent / "static" / "mathjax"
    for part in ("tex-chtml.js", "output/chtml/fonts"):
        target = BUILD / "html" / "_static" / "mathjax" / part
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (mathjax / part).is_dir() else shutil.copy)(mathjax / part, target)
    shutil.copytree(BUILD / "slides", BUILD / "html" / "slides")
    print(f"\nThe book is ready. Open {BUILD / 'html' / 'index.html'}")


if __name__ == "__main__":
    main()
