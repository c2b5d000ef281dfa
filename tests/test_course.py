"""Student versions hold the exercises, no solution, and the same code."""

import re
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
import make_course  # noqa: E402

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SOLUTION = "```{dropdown} Solution of exercise 1\nIt is 5/6.\n```"


def test_a_solution_goes_and_all_else_stays():
    other = "````{dropdown} Proof\n```\ncode\n```\n````"
    text = f"## Exercises\n\n1. **By hand.** How much?\n\n{SOLUTION}\n{other}\n{SOLUTION.replace('1', '2')}\n\nThe end."
    assert make_course.without_solutions(text) == f"## Exercises\n\n1. **By hand.** How much?\n\n{other}\n\nThe end."


@pytest.mark.parametrize("mark", ["````", ":::", "::::"])
def test_every_kind_of_fence_is_closed_by_its_own(mark):
    text = f"before\n{mark}{{dropdown}} Solution\n```python\ninner = 1\n```\n{mark}\nafter"
    assert make_course.without_solutions(text) == "before\nafter"


def test_an_unclosed_solution_is_an_error():
    with pytest.raises(ValueError, match="not closed"):
        make_course.without_solutions(SOLUTION.removesuffix("```"))


def test_student_versions_keep_exercises_and_code_and_no_solution(tmp_path):
    written = make_course.make(tmp_path)
    assert [p.name for p in written] == [p.name for p in NOTEBOOKS] and NOTEBOOKS
    for path, original in zip(written, NOTEBOOKS, strict=True):
        student, teacher = (nbformat.read(p, as_version=4) for p in (path, original))
        nbformat.validate(student)
        text = "\n".join(c.source for c in student.cells if c.cell_type == "markdown")
        source = "\n".join(c.source for c in teacher.cells if c.cell_type == "markdown")
        assert "{dropdown} solution" in source.lower(), original.name  # there was something to remove
        assert "solution of exercise" not in text.lower(), path.name
        # What stood inside a solution is gone; what stood outside is there.
        fence = None
        for line in source.splitlines():
            if fence is None and "{dropdown} Solution" in line:
                fence = line.partition("{")[0]
            elif line == fence:
                fence = None
            elif len(line) > 20:
                assert (make_course.plain(line) in text) == (fence is None), (path.name, line)
        assert "## Exercises" in text and not re.search(r"\{(cite|term|doc|py:\w+)\}`|\.\./book/", text), path.name
        codes = [
            [c.source for c in n.cells if c.cell_type == "code" and "solution" not in c.metadata.get("tags", [])]
            for n in (student, teacher)
        ]
        assert not any("solution" in c.metadata.get("tags", []) for c in student.cells)
        reads = path.stem not in make_course.TRAINING
        given = [s.replace('scale = "smoke"', 'scale = "classroom"') if reads else s for s in codes[1]]
        assert codes[0][: len(given)] == given and all("xercise" in extra for extra in codes[0][len(given) :])
    sheet = (tmp_path / "answers.md").read_text("utf-8")
    count = sum(len(re.findall(r"\{dropdown\} Solution|answers\.solution\(", n.read_text("utf-8"))) for n in NOTEBOOKS)
    assert sheet.count("**Solution of exercise") == count and "AUROC = 5/6" in sheet


def test_a_computed_solution_is_what_the_built_page_shows():
    cell = nbformat.v4.new_code_cell("Markdown(answers.solution(4, text))")
    shown = "````{dropdown} Solution of exercise 4\nAt 78 %.\n````"
    output = nbformat.v4.new_output("display_data", {"text/markdown": shown})
    ran = nbformat.v4.new_code_cell(cell.source, outputs=[output])
    assert make_course.computed(cell, [ran]) == "**Solution of exercise 4.** At 78 %."
    assert make_course.computed(cell, []).startswith("**Solution of exercise 4.** Computed when the book is built")


def test_checks_accept_the_solutions_numbers_and_refuse_others(capsys):
    import yaml

    from fmfp_lib.book.exercises import check, hashed

    asked = yaml.safe_load((ROOT / "scripts" / "course_answers.yml").read_text("utf-8"))
    assert len(asked) >= 20
    for key, numbers in asked.items():
        path = ROOT / "notebooks" / f"{key.split('/')[0]}.ipynb"
        assert f"Solution of exercise {key.split('/')[1]}" in path.read_text("utf-8"), key
        for name, value in numbers.items():
            check(key, **{name: (value, hashed(key, name, value))})
            assert capsys.readouterr().out == f"{name}: right\n"
            check(key, **{name: (value + 0.03, hashed(key, name, value))})
            assert capsys.readouterr().out == f"{name}: not right yet\n"
    check("a/1", x=(..., ""), y=("0.5", ""))
    assert capsys.readouterr().out == "x: not answered yet\ny: '0.5' is no number\n"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_code_inside_a_dropdown_ends_it_early(path):
    """A block of code needs a shorter fence than the dropdown around it, or the rest of the solution shows."""
    for cell in nbformat.read(path, as_version=4).cells:
        fence = None
        for line in cell.source.splitlines() if cell.cell_type == "markdown" else ():
            mark, info = re.match(r"(`*)(.*)", line).groups()
            if len(mark) < 3 or fence and len(mark) < len(fence):
                continue
            assert fence is None or not info, (cell.id, line)
            fence = mark if fence is None else None
        assert fence is None, cell.id


def test_notebooks_are_picked_by_name_and_a_wrong_name_is_said(tmp_path):
    assert [p.name for p in make_course.make(tmp_path, ["00"])] == ["00_quickstart.ipynb"]
    with pytest.raises(ValueError, match="no notebook begins with '99'; there are 00_quickstart"):
        make_course.make(tmp_path, ["99"])


def test_a_student_version_runs_at_smoke_scale(tmp_path, monkeypatch):
    import papermill

    monkeypatch.setenv("FMFP_RECORDS", str(tmp_path / "records"))
    (path,) = make_course.make(tmp_path, ["00"])
    papermill.execute_notebook(str(path), str(tmp_path / "out.ipynb"), cwd=str(ROOT), progress_bar=False)


def test_the_timetable_links_every_notebook_and_counts_its_exercises():
    import build_book

    code = "<pre>5 % 3</pre><script>1 % 2</script>"
    assert build_book.mended(f"<p>10 % of it</p>{code}") == f"<p>10\u00a0% of it</p>{code}"

    table = build_book.timetable({path: 12.4 for path in NOTEBOOKS}).splitlines()[2:]
    assert len(table) == len(NOTEBOOKS)
    for row, path in zip(table, NOTEBOOKS, strict=True):
        assert f"](../notebooks/{path.name})" in row and row.endswith("| 12 |")
        text = "\n".join(c.source for c in nbformat.read(path, as_version=4).cells)
        assert int(row.split(" | ")[1]) == len(re.findall(r"\{dropdown\} Solution|answers\.solution", text)) >= 4, (
            path.name
        )


def test_the_courses_speak_of_notebooks_that_exist():
    text = (ROOT / "book" / "teach.md").read_text() + (ROOT / "book" / "slides" / "slides.md").read_text()
    named, there = set(re.findall(r"\b\d\d_[a-z_]+\b", text)), {p.stem[:2]: p.stem for p in NOTEBOOKS}
    assert len(named) >= 12 and {there.get(name[:2], name) for name in named} == named  # one may still be to come
