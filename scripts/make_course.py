"""Make student versions of the notebooks: ``python scripts/make_course.py [NAME ...] [--out FOLDER]``.

Every ``{dropdown} Solution ...`` goes into the teacher's sheet ``answers.md``, and so does what a cell tagged
``solution`` computed when the book was built. Each exercise gets a cell for its answer, which checks the number where
one is asked for. Citations, terms and links of the book become plain text, other dropdowns folds in HTML; the code that
the book hides is hidden, and its cells tagged ``remove-cell`` are left out.
NAME picks notebooks by how their names begin.
"""

import argparse
import re
import uuid
from functools import cache
from pathlib import Path

import nbformat
import yaml

from fmfp_lib.book.exercises import hashed
from fmfp_lib.book.in_jupyter import OPENING, folds

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
EXECUTED = ROOT / "_build" / "src" / "notebooks"  # with outputs, once the book has been built
SEEDS = {"00_quickstart": "seeds = [3]"}  # which come with the book; the notebook itself trains another
DROPPED = {"solution", "remove-cell"}
HIDDEN = {"remove-input", "hide-input"}
SHOW_FOLDS = "from fmfp_lib.book.in_jupyter import show_folds\n\nshow_folds()"
EXERCISE = re.compile(
    r"^(\d+)\. \*\*(By hand|Read the (?:figure|table)|Change the code|Think)\.\*\* ?(.*)$", re.MULTILINE
)


def without_solutions(text: str) -> str:
    """Return Markdown `text` without its dropdowns whose title begins with *Solution*.

    Raises
    ------
    ValueError
        If such a dropdown is not closed.
    """
    kept, closing = [], None
    for line in text.splitlines():
        if closing is not None:
            if re.fullmatch(closing, line.strip()):
                closing = None
            continue
        opening = OPENING.fullmatch(line.strip())
        if opening and opening["title"].lower().startswith("solution"):
            fence = opening["fence"]
            closing = re.escape(fence[0]) + f"{{{len(fence)},}}"
            continue
        kept.append(line)
    if closing is not None:
        raise ValueError("a dropdown with a solution is not closed")
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).rstrip()


@cache
def _cited() -> dict[str, str]:
    """Return author and year of each entry of the bibliography."""
    found = {}
    for entry in re.finditer(r"@\w+\{([^,]+),(.*)", (ROOT / "book" / "references.bib").read_text("utf-8")):
        authors = re.search(r"author=\{(.*?)\}, \w+=", entry[2])
        names = [name.split(",")[0].strip("{} ") for name in authors[1].split(" and ")] if authors else [entry[1]]
        year = re.search(r"year=\{(\d+)\}", entry[2])
        who = names[0] if len(names) == 1 else f"{names[0]} and {names[1]}" if len(names) == 2 else f"{names[0]} et al."
        found[entry[1]] = f"{who}, {year[1]}" if year else who
    return found


def plain(text: str) -> str:
    """Return Markdown `text` with the book's citations, terms, references and links to its pages as plain words.

    Labels, which only the book's links need, are left out.
    """

    def cited(match):
        return "(" + "; ".join(_cited().get(key.strip(), key.strip()) for key in match[1].split(",")) + ")"

    text = re.sub(r"\{cite(?::\w)?\}`([^`]+)`", cited, text)
    text = re.sub(r"^\([\w-]+\)=\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"\{term\}`([^`<]+?)(?: <[^`]*>)?`", r"\1", text)
    text = re.sub(r"\{doc\}`(?:([^`<]+) <[^`]*>|[^`]*/([^`/]+))`", lambda m: f"*{m[1] or m[2]}* (in the book)", text)
    text = re.sub(r"\{py:\w+\}`~?([^`]+)`", r"`\1`", text)
    return re.sub(r"\[([^\]]+)\]\(\.\./book/[^)]*\)", r"\1 (in the book)", text)


def solutions(text: str) -> str:
    """Return the solutions in Markdown `text`, each under its title."""
    found = re.finditer(r"^(`{3,}|:{3,})\{dropdown\} (Solution.*)\n([\s\S]*?)\n\1\s*$", text, re.MULTILINE)
    return "\n\n".join(f"**{m[2]}.** {m[3]}" for m in found)


def computed(cell, executed) -> str:
    """Return the solution that a code cell computes, from the executed copy of its notebook, or where to see it."""
    same = (c for c in executed if c.cell_type == "code" and c.source == cell.source)
    shown = [o.data["text/markdown"] for c in same for o in c.outputs if "text/markdown" in o.get("data", {})]
    number = re.search(r"answers\.solution\((\d+)", cell.source)[1]
    missing = f"```{{dropdown}} Solution of exercise {number}\nComputed when the book is built; see its page.\n```"
    return solutions(shown[0] if shown else missing)


def answer_cells(name: str, text: str) -> list:
    """Return a cell for the answer to each exercise in Markdown `text`, with a check where a number is asked for."""
    asked, cells = yaml.safe_load((ROOT / "scripts" / "course_answers.yml").read_text("utf-8")), []
    for number, kind, _ in EXERCISE.findall(text):
        key = f"{name}/{number}"
        if key in asked:
            names = [str(n) for n in asked[key]]
            blanks = "\n".join(f"{n} = ..." for n in names)
            checks = ", ".join(f'{n}=({n}, "{hashed(key, n, asked[key][n])}")' for n in names)
            head = f"# Exercise {number}: put your numbers in place of the dots."
            source = [head, "from fmfp_lib.book.exercises import check", "", blanks, f'check("{key}", {checks})']
            cells.append(nbformat.v4.new_code_cell("\n".join(source)))
        elif kind == "Change the code":
            cells.append(nbformat.v4.new_code_cell(f"# Exercise {number}\n"))
        else:
            cells.append(nbformat.v4.new_markdown_cell(f"**Your answer to exercise {number}:**"))
    for place, cell in enumerate(cells):
        cell["id"] = uuid.uuid5(uuid.NAMESPACE_URL, f"{name}/{place}").hex[:8]  # the same each time
    return cells


def given_parameters(name: str, source: str) -> str:
    """Return the cell of parameters `source` of notebook `name` at classroom scale, with seeds that the book has."""
    source = source.replace('scale = "smoke"', 'scale = "classroom"')
    return re.sub(r"(?m)^seeds = \[\d+\]", SEEDS[name], source) if name in SEEDS else source


def student_version(notebook, name: str = ""):
    """Return a copy of `notebook` without solutions and with cells for answers, at classroom scale."""
    copy = nbformat.from_dict(notebook)
    cells = []
    for cell in copy.cells:
        after, tags = [], set(cell.metadata.get("tags", []))
        if tags & DROPPED:
            continue
        if cell.cell_type == "markdown":
            after = answer_cells(name, cell.source) if "## Exercises" in cell.source else []
            if "{dropdown}" in cell.source.lower():
                cell.source = folds(without_solutions(cell.source))
            cell.source = plain(cell.source)
            if not cell.source.strip():
                continue
        elif "parameters" in tags:
            cell.source = given_parameters(name, cell.source)
            after = [nbformat.v4.new_code_cell(SHOW_FOLDS, id="folds", metadata={"jupyter": {"source_hidden": True}})]
        elif tags & HIDDEN:
            cell.metadata["jupyter"] = {"source_hidden": True}
        cells += [cell, *after]
    copy.cells = cells
    return copy


def make(out: Path, names=()) -> list[Path]:
    """Write the student versions and the teacher's sheet of answers into `out`; return the notebooks' paths.

    Raises
    ------
    ValueError
        If a name fits no notebook.
    """
    found = sorted(NOTEBOOKS.glob("*.ipynb"))
    for name in names:
        if not any(path.stem.startswith(name) for path in found):
            raise ValueError(f"no notebook begins with {name!r}; there are {', '.join(p.stem for p in found)}")
    out.mkdir(parents=True, exist_ok=True)
    written, sheet = [], []
    for path in found:
        if not names or any(path.stem.startswith(name) for name in names):
            notebook = nbformat.read(path, as_version=4)
            nbformat.write(student_version(notebook, path.stem), out / path.name)
            written.append(out / path.name)
            ran = EXECUTED / path.name
            executed = nbformat.read(ran, as_version=4).cells if ran.exists() else []
            there = [
                solutions(c.source) if c.cell_type == "markdown" else computed(c, executed)
                for c in notebook.cells
                if c.cell_type == "markdown" or "solution" in c.metadata.get("tags", [])
            ]
            sheet.append(f"# {path.stem}\n\n" + plain("\n\n".join(filter(None, there))))
    (out / "answers.md").write_text("\n\n".join(sheet) + "\n", "utf-8")
    return written


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--out", type=Path, default=ROOT / "_build" / "course")
    arguments = parser.parse_args()
    try:
        written = make(arguments.out, arguments.names)
    except ValueError as error:
        parser.error(str(error))
    print(f"{len(written)} notebooks without solutions in {arguments.out}; the solutions are in its answers.md")


if __name__ == "__main__":
    main()
