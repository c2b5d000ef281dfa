"""The API page names every attribute on its own, and leaves out what Python writes about named tuples."""

from pathlib import Path

import api_page
import yaml

from fmfp_lib.datasets import Shifted

ROOT = Path(__file__).resolve().parent.parent
DOCSTRING = """Counts, of what:

Attributes
----------
n, errors : int
    How many,

    and how many of these are wrong.
risk : float
low, high : float or None

Returns
-------
a, b : int
    As they stand."""


def test_attributes_that_share_a_line_stand_one_a_line():
    description = ["    How many,", "", "    and how many of these are wrong."]
    expected = [*DOCSTRING.splitlines()[:4], "n : int", *description, "errors : int", *description, "risk : float",
                "low : float or None", "high : float or None", *DOCSTRING.splitlines()[10:]]  # fmt: skip
    assert api_page.split_attributes(DOCSTRING.splitlines()) == expected


class App(dict):
    def connect(self, event, function, priority=500):
        self[event] = function, priority


def test_sphinx_is_told_before_napoleon():
    app = App()
    api_page.setup(app)
    docstring, priority = app["autodoc-process-docstring"]
    lines = DOCSTRING.splitlines()
    docstring(app, "class", "Counts", None, None, lines)
    assert "errors : int" in lines and priority < 500  # napoleon's
    signature, _ = app["autodoc-process-signature"]
    assert signature(app, "class", "A", None, None, "(a, b=<factory>)", None) == ("(a, b=...)", None)
    assert signature(app, "module", "a", None, None, None, None) == (None, None)
    skip, _ = app["autodoc-skip-member"]
    assert skip(app, "class", "x", Shifted.x, False, None) and skip(app, "class", "f", len, False, None) is None


def test_the_book_is_built_with_it():
    sphinx = yaml.safe_load((ROOT / "_config.yml").read_text())["sphinx"]
    assert (ROOT / "_build" / "src" / sphinx["local_extensions"]["api_page"] / "api_page.py").resolve().exists()
