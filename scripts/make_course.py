"""Make student versions of the notebooks: ``python scripts/make_course.py [NAME ...] [--out FOLDER]``.

Every ``{dropdown} Solution ...`` is left out; all else stays as it is. NAME picks notebooks by how their names begin.
"""

import argparse
import re
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
OPENING = re.compile(r"(?P<fence>`{3,}|:{3,})\{dropdown\}\s*(?P<title>.*)", re.IGNORECASE)


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


def student_version(notebook):
    """Return a copy of `notebook` without solutions; cells that held nothing else are left out."""
    copy = nbformat.from_dict(notebook)
    cells = []
    for cell in copy.cells:
        if cell.cell_type == "markdown" and "{dropdown}" in cell.source.lower():
            cell.source = without_solutions(cell.source)
            if not cell.source.strip():
                continue
        cells.append(cell)
    copy.cells = cells
    return copy


def make(out: Path, names=()) -> list[Path]:
    """Write the student versions into `out` and return their paths.

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
    written = []
    for path in found:
        if not names or any(path.stem.startswith(name) for name in names):
            nbformat.write(student_version(nbformat.read(path, as_version=4)), out / path.name)
            written.append(out / path.name)
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
    print(f"{len(written)} notebooks without solutions in {arguments.out}")


if __name__ == "__main__":
    main()
