"""The API page's table of other libraries is what they say where they are installed: ``pip install '.[others]'``."""

import json

import pytest

from fmfp_lib.book import other_libraries


def test_other_libraries_say_what_the_page_says():
    pytest.importorskip("torchmetrics")
    pytest.importorskip("netcal")
    shipped = json.loads(other_libraries.FILE.read_text())["values"]
    assert list(shipped) == list(other_libraries.ROWS)
    for name, values in other_libraries.measure()["values"].items():
        assert values == pytest.approx(shipped[name], abs=other_libraries.TOLERANCE), name


def test_the_page_names_every_metric_that_differs():
    shipped = json.loads(other_libraries.FILE.read_text())["values"]
    for name, why in other_libraries.ROWS.items():
        ours = shipped[name].pop("ours")
        differs = any(value != pytest.approx(ours, abs=other_libraries.TOLERANCE) for value in shipped[name].values())
        assert differs == bool(why), name
    assert all(name in other_libraries.libraries() for name in other_libraries.ROWS)
