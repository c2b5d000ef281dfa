"""Student versions hold the exercises, no solution, and the same code."""

import re
from pathlib import Path

import make_course
import nbformat
import pytest

from fmfp_lib.book import in_jupyter

ROOT = Path(__file__).resolve().parent.parent
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
            elif len(line) > 20 and "{dropdown}" not in line:
                assert (make_course.plain(line) in text) == (fence is None), (path.name, line)
        raw = r"\{(cite|term|doc|dropdown|py:\w+)\}|\.\./book/|^\([\w-]+\)=$"
        assert "## Exercises" in text and not re.search(raw, text, re.MULTILINE), path.name
    sheet = (tmp_path / "answers.md").read_text("utf-8")
    count = sum(len(re.findall(r"\{dropdown\} Solution|answers\.solution\(", n.read_text("utf-8"))) for n in NOTEBOOKS)
    assert sheet.count("**Solution of exercise") == count and "AUROC = 5/6" in sheet


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_student_versions_run_the_code_at_classroom_scale_and_hide_what_the_book_hides(path):
    teacher = nbformat.read(path, as_version=4)
    codes = [c for c in make_course.student_version(teacher, path.stem).cells if c.cell_type == "code"]
    assert codes[1].source == make_course.SHOW_FOLDS and "parameters" in codes[0].metadata.tags
    assert 'scale = "classroom"' in codes[0].source and "smoke" not in codes[0].source.partition("#")[0]
    del codes[1]
    kept = [
        c
        for c in teacher.cells
        if c.cell_type == "code" and not {"solution", "remove-cell"} & set(c.metadata.get("tags", []))
    ]
    assert [c.source for c in codes[1 : len(kept)]] == [c.source for c in kept[1:]]
    assert all("xercise" in extra.source for extra in codes[len(kept) :])
    for cell in codes:
        hidden = bool({"remove-input", "hide-input"} & set(cell.metadata.get("tags", [])))
        assert cell.metadata.get("jupyter", {}).get("source_hidden", False) == hidden, cell.source


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_exercise_has_a_cell_for_its_answer(path):
    teacher = nbformat.read(path, as_version=4)
    text = "\n".join(c.source for c in teacher.cells if c.cell_type == "markdown").partition("## Exercises")[2]
    there = [c.source for c in make_course.student_version(teacher, path.stem).cells]
    answered = [m[1] for s in there if (m := re.match(r"(?:# E|\*\*Your answer to e)xercise (\d+)", s))]
    assert answered == re.findall(r"^(\d+)\. \*\*", text, re.MULTILINE) and len(answered) >= 4


def test_dropdowns_become_folds_also_inside_one_another():
    inner = "````{dropdown} The other networks\n| a |\n| --- |\n````"
    shown = in_jupyter.folds(f"Before\n`````{{dropdown}} All\n**b**\n\n{inner}\n`````\nafter")
    assert shown == (
        "Before\n\n<details>\n<summary>All</summary>\n\n**b**\n\n<details>\n<summary>The other networks</summary>\n\n"
        "| a |\n| --- |\n\n</details>\n\n</details>\n\nafter"
    )
    assert in_jupyter.folds("```python\n1\n```\n") == "```python\n1\n```\n"


def test_a_notebook_shows_folds_that_its_cells_compute():
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.display import Markdown

    shell = InteractiveShell.instance()
    try:
        in_jupyter.show_folds()
        shown, _ = shell.display_formatter.format(Markdown("```{dropdown} All\n1\n```"))
        assert shown["text/markdown"] == "<details>\n<summary>All</summary>\n\n1\n\n</details>"
    finally:
        InteractiveShell.clear_instance()


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


def test_the_quickstarts_student_version_trains_nothing(tmp_path, monkeypatch):
    import papermill

    monkeypatch.setenv("FMFP_RECORDS", str(tmp_path / "records"))
    (path,) = make_course.make(tmp_path, ["00"])
    papermill.execute_notebook(str(path), str(tmp_path / "out.ipynb"), cwd=str(ROOT), progress_bar=False)
    assert not list(tmp_path.glob("records/*.json"))


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


def test_the_four_weeks_name_every_notebook_and_no_meeting_is_longer_than_90_minutes():
    weeks = (ROOT / "book" / "teach.md").read_text("utf-8").partition("## Four weeks")[2].partition("Projects")[0]
    assert set(re.findall(r"`(\d\d_\w+)`", weeks)) == {p.stem for p in NOTEBOOKS} - {"00_quickstart"}
    for week in weeks.split("| --- | --- | --- | --- |")[1].splitlines()[1:5]:
        for meeting in week.split(" | ")[1:3]:
            minutes = [int(m) for m in re.findall(r"` (\d+)", meeting)]
            assert len(minutes) == len(re.findall(r"`\d\d_", meeting)) and sum(minutes) <= 90, meeting
