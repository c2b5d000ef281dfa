"""Pages of `fmfp evaluate` and `compare`, opened from disk: the explorer, small screens, both themes, axe's rules."""

import re

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

from fmfp_lib import intervals, metrics
from fmfp_lib.book import report, report_page
from fmfp_lib.predictions import from_arrays

RNG = np.random.default_rng(0)
LOGITS = 3 * RNG.normal(size=(3000, 5))
GAP = np.diff(np.sort(LOGITS, 1)[:, -2:], axis=1)[:, 0]
LABELS = (LOGITS.argmax(1) + (RNG.random(3000) < 0.6 * np.exp(-GAP))) % 5
GROUP = RNG.choice(["a rather long name of a group", "b", "c"], 3000)
FIRST = from_arrays(logits=LOGITS, labels=LABELS, group=GROUP, name="first")
OTHER = from_arrays(logits=LOGITS + RNG.normal(size=LOGITS.shape), labels=LABELS, name="other")
SCORE = from_arrays(confidence=GAP * 7 - 3, correct=LOGITS.argmax(1) == LABELS, name="a mere score")


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Address of a page of each kind."""
    folder = tmp_path_factory.mktemp("pages")
    for system in (FIRST, SCORE):
        page = report_page.evaluation(report.summary(system, 50), system)
        (folder / f"{system.name[0]}.html").write_text(page, "utf-8")
    both = [report.summary(s, 10) for s in (FIRST, OTHER)]
    page = report_page.comparison(intervals.compare([FIRST, OTHER], replicates=50), [FIRST, OTHER], both)
    (folder / "compared.html").write_text(page, "utf-8")
    return {path.stem: path.as_uri() for path in folder.glob("*.html")}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", ["f", "a", "compared"])
def test_page_fits_and_can_be_read_by_all(visit, pages, name, width, theme):
    page = visit(pages[name], width, theme)
    page.wait_for_selector("#explorer:not([hidden]) tbody tr")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    found = Axe().run(page).response["violations"]
    assert not [f"{rule['id']}: {node['html'][:150]}" for rule in found for node in rule["nodes"]]
    page.click("#theme")
    assert page.evaluate("document.documentElement.dataset.theme") != theme


def test_explorer_of_the_page_says_what_the_library_says(visit, pages):
    page = visit(pages["f"])
    page.wait_for_selector("#explorer:not([hidden]) tbody tr")
    assert page.is_hidden(".explorer-row") and page.is_hidden(".explorer-methods")
    page.fill("input[name=coverage]", "50")
    page.wait_for_function("document.querySelector('#explorer tbody').textContent.includes('50.00')")
    cells = page.eval_on_selector_all("#explorer tbody td", "cells => cells.map(cell => cell.innerText)")
    threshold, coverage, risk, *_ = (float(re.sub(r"[^\d.]", "", cell)) for cell in cells)
    assert coverage == 50 and risk == pytest.approx(
        100 * metrics.selective_risk_at(FIRST.confidence, FIRST.correct, 0.5), abs=5e-3
    )
    assert threshold == pytest.approx(np.sort(FIRST.confidence)[1500], abs=1e-3)


def test_scores_beyond_probabilities_have_a_curve_and_no_calibration(visit, pages):
    page = visit(pages["a"])
    page.wait_for_selector("#explorer:not([hidden]) tbody tr")
    page.fill("input[name=coverage]", "50")
    page.wait_for_function("document.querySelector('#explorer tbody').textContent.includes('50.00')")
    threshold = page.eval_on_selector("#explorer tbody td", "cell => cell.innerText").lstrip("≈")
    assert float(threshold) == pytest.approx(np.sort(SCORE.confidence)[1500], rel=1e-3)
    assert page.locator(".explorer-cards figure").count() == 0 and page.is_hidden(".explorer-legend")


def test_systems_are_drawn_beside_each_other(visit, pages):
    page = visit(pages["compared"])
    page.wait_for_selector("#explorer:not([hidden]) tbody tr")
    assert page.locator("#explorer tbody tr").count() == page.locator(".explorer-cards figure").count() == 2
    page.uncheck("input[value=s1]")
    assert page.locator("#explorer tbody tr").count() == 1
