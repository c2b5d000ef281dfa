"""The map names every numbered part of the paper, and its links lead somewhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAP = ROOT / "book" / "map.md"
LINK = re.compile(r"\[[^\]]+\]\(([^)]+)\)")
NUMBERED = [
    *(f"Figure {i}" for i in range(1, 17)),
    *(f"Table {i}" for i in range(1, 6)),
    *(f"Equation {i}" for i in range(1, 11)),
    "Algorithm 1",
    *(f"Section {n}" for n in ("1", "2", "3.1", "3.2", "3.3", "4.1", "4.2", "5")),
    *(f"Supplement {a}" for a in "ABC"),
]


@pytest.mark.parametrize("part", NUMBERED)
def test_every_part_of_the_paper_has_a_row_with_a_link(part):
    rows = [line for line in MAP.read_text().splitlines() if re.match(rf"\| {re.escape(part)}(,| \|)", line)]
    assert len(rows) == 1 and LINK.search(rows[0])


def broken(text, root):
    """Return the links that lead nowhere; a notebook may still be missing if none of its number is there."""
    found = []
    for link in dict.fromkeys(LINK.findall(text)):
        target = (root / "book" / link).resolve()
        written = list((root / "notebooks").glob(f"{target.stem[:2]}_*.ipynb")) if target.suffix == ".ipynb" else [None]
        if written and not target.exists():
            found.append(link)
    return found


def test_links_lead_to_pages_and_notebooks():
    assert broken(MAP.read_text(), ROOT) == []


def test_a_broken_link_is_found(tmp_path):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "01_other.ipynb").write_text("")
    text = "[a](../notebooks/01_problem.ipynb) [b](none.md) [c](../notebooks/02_later.ipynb)"
    assert broken(text, tmp_path) == ["../notebooks/01_problem.ipynb", "none.md"]


def test_every_page_of_the_map_is_in_the_table_of_contents_once_written():
    contents = (ROOT / "book" / "_toc.yml").read_text()
    assert "book/map" in contents
    for link in LINK.findall(MAP.read_text()):
        target = (ROOT / "book" / link).resolve()
        if target.exists():
            assert str(target.relative_to(ROOT).with_suffix("")) in contents
