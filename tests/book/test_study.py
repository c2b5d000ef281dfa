"""A notebook's parameters are checked before anything is trained."""

import inspect
import re
from pathlib import Path

import pytest

from fmfp_lib import intervals, records
from fmfp_lib.book import study
from fmfp_lib.book.study import Study, finished
from fmfp_lib.statistics import REPLICATES

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def own_records(tmp_path, monkeypatch):
    monkeypatch.setenv("FMFP_RECORDS", str(tmp_path))


def test_gaps_are_filled_with_what_the_book_shows(capsys):
    found = Study.from_notebook({"scale": "smoke", "networks": [], "seeds": [], "methods": ["baseline", "fmfp"]})
    assert (found.dataset, found.networks, found.seeds) == ("embedded", ["preact_resnet8_w8_s2"], [0])
    assert "mean nothing" in capsys.readouterr().out
    found = Study.from_notebook({"scale": "classroom", "seeds": [7]})
    assert found.seeds == [7] and found.networks == study.SHOWN["classroom"]["networks"]
    assert "mean nothing" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ({"scael": "smoke"}, "did you mean 'scale'"),
        ({"scale": "smok"}, "scale"),
        ({"seeds": 3}, "must be a list"),
        ({"seeds": [-1]}, "seed"),
        ({"networks": ["resnet10"]}, "unknown network 'resnet10'"),
        ({"methods": ["fmpf"]}, "did you mean 'fmfp'"),
        ({"methods": []}, "name at least one method"),
        ({"dataset": "cifar"}, "unknown dataset"),
        ({"share": "x"}, "share"),
    ],
)
def test_wrong_parameters_are_named_in_one_line(names, said):
    with pytest.raises(ValueError, match=said) as caught:
        Study.from_notebook(names, share=0.5)
    assert "\n" not in str(caught.value)


def test_runs_are_trained_once_and_found_again():
    first = Study.from_notebook({"methods": ["baseline", "swa"]}).groups()
    assert [(g.title, list(g.runs), len(g.records)) for g in first] == [
        ("Fashion-MNIST, PreAct-ResNet-8", ["baseline", "swa"], 2)
    ]
    stamps = [r.path.stat().st_mtime_ns for r in first[0].records]
    again = Study.from_notebook({"methods": ["baseline", "swa"]}).groups()
    assert [r.path.stat().st_mtime_ns for r in again[0].records] == stamps


def test_finished_runs_come_sorted_by_seed_and_without_training(tmp_path):
    groups = finished("classroom", ["baseline", "mixup+ema"])  # nobody has trained the second
    assert all(list(g.runs) == ["baseline"] for g in groups)
    assert [g.network for g in groups] == study.SHOWN["classroom"]["networks"]
    assert all([r.settings.seed for r in g.runs["baseline"]] == [3, 4, 5, 6, 7] for g in groups)
    assert not list(tmp_path.iterdir()) and records.folder() == tmp_path


def test_a_group_keeps_the_methods_asked_for():
    group = study.Group("smoke", "embedded", "preact_resnet8_w8_s2", {"baseline": [1, 2], "crl": [3], "fmfp": [4]})
    part = group.only(["fmfp", "sam", "baseline"])
    assert part.runs == {"fmfp": [4], "baseline": [1, 2]} and part.title == group.title and part.records == [4, 1, 2]


def test_every_bootstrap_of_the_book_has_as_many_replicates_as_the_glossary_says():
    notebooks = {path.name: path.read_text("utf-8") for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert len(notebooks) > 10
    for name, text in notebooks.items():
        assert set(re.findall(r"\breplicates = ?(\d+)", text)) <= {str(REPLICATES)}, name
        assert not re.search(r"\breplicates */|replicates=(?!replicates|1000)", text), name
    glossary = " ".join((ROOT / "book" / "glossary.md").read_text("utf-8").split())
    compared = inspect.signature(intervals.compare).parameters["replicates"].default
    assert (
        f"A bootstrap in this book has {REPLICATES:,} replicates (that of `fmfp compare` {compared:,} or more)"
        in glossary
    )
