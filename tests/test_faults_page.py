"""The book's table of faults cannot fall behind the tests that inject them."""

import json

import faults


def test_every_fault_has_a_kept_result_and_none_failed():
    kept = json.loads(faults.RESULTS.read_text())["results"]
    assert list(kept) == [name for tests in faults.faults().values() for name in tests]
    assert all(result["outcome"].startswith(("passed", "skipped: ")) for result in kept.values())


def test_every_row_of_the_table_is_whole():
    rows = [line for line in faults.table().splitlines() if line.startswith("| ") and not line.startswith("| ---")]
    assert len(rows) > 30
    for row in rows:
        assert row.replace("\\|", "").count("|") == 5 and all(cell.strip() for cell in row.split("|")[1:-1])
