"""The home page's slider and the table of what our runs can see."""

import json
import re
from types import SimpleNamespace

import numpy as np
import pytest

from fmfp_lib.book import home, power, rungs


def run(wrong, n=1000):
    """A run that gives a wrong answer at each of the places `wrong`, from the surest on."""
    correct = ~np.isin(np.arange(n), wrong)
    return SimpleNamespace(scored=(-np.arange(n, dtype=float), correct))


RUNS = {
    "baseline": {3: run([500]), 4: run([600])},
    "label_smoothing": {3: run([0, 50, 700])},
    "fmfp": {3: run([999])},
    "swa": {3: run([1])},
}


class Known(rungs.Rung):
    def runs(self):
        return {m: {s: r for s, r in RUNS[m].items() if s in self.seeds} for m in self.methods if m in RUNS}


RUNG = Known("known", {}, (3, 4))


def test_errors_among_the_surest_are_counted_for_10_000_images():
    counts = home.errors(RUNG, coverages=(5, 10, 60, 100))
    assert counts["label_smoothing"] == pytest.approx([10, 20, 20, 30])
    assert counts["baseline"] == pytest.approx([0, 0, 5, 10]) and counts["fmfp"] == pytest.approx([0, 0, 0, 10])
    assert list(counts) == list(home.METHODS)


def test_seeds_that_chose_the_rung_are_not_counted(monkeypatch):
    monkeypatch.setitem(rungs.CHOSE, "known", (4,))
    assert RUNG.deciding.seeds == (3,) and home.errors(RUNG, coverages=(55, 100))["baseline"] == pytest.approx([10, 10])


def test_the_slider_shows_its_start_without_scripts():
    page = home.slider(RUNG)
    assert re.findall(r"<output>([\d.]+)</output>", page) == ["0.0", "20.0", "0.0"]
    data = json.loads(re.search(r"data-errors='(.*?)'", page)[1])
    assert len(data["fmfp"]) == 100 and data["label_smoothing"][9] == 20


def test_spread_is_that_of_the_seeds_and_of_the_images(monkeypatch):
    own = power.spread(rungs.CIFAR, "fmfp")
    runs = rungs.CIFAR.runs()
    gains = [run.metrics["auroc"] - runs["baseline"][s].metrics["auroc"] for s, run in runs["fmfp"].items()]
    assert own.seeds == pytest.approx(np.std(gains, ddof=1)) and 0.0005 < own.images < 0.005
    assert power.spread(rungs.CIFAR, "cosine") is None
    monkeypatch.setattr(power, "TRIALS", 5)
    table = power.rates().splitlines()
    assert len(table) == 8 and table[2].startswith("| none (0) | 3 |")
    assert len(power.seeds().splitlines()) == 2 + 2 * len(rungs.RUNGS)
