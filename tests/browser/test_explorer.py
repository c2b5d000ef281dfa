"""The explorer in a browser: its numbers, its keyboard, small screens, both themes, scripts off."""

import json
import re

import numpy as np
import pytest

from fmfp_lib import metrics
from fmfp_lib.book import explorer
from fmfp_lib.book.study import Group, finished
from fmfp_lib.records import Record
from fmfp_lib.settings import Settings

from .conftest import BOOK

PAGE = "/book/explorer.html"
METHODS = ["baseline", "mixup", "cs_kd"]


@pytest.fixture(scope="module")
def group():
    return finished("classroom", METHODS)[0]


def opened(visit, book, view="", **options):
    page = visit(f"{book}{PAGE}{view}", **options)
    page.wait_for_selector("#explorer:not([hidden]) tbody tr")
    page.wait_for_function("document.querySelector('.explorer-status').textContent")
    return page


def table(page):
    """Return what the table says: method, then column, the numbers as printed."""
    rows = page.eval_on_selector_all(
        "#explorer tbody tr",
        """rows => rows.map(row => [row.dataset.method,
        ...[...row.cells].slice(1).map(cell => cell.innerText)])""",
    )
    names = ("threshold", "coverage", "risk", "through", "away")
    return {method: dict(zip(names, cells, strict=True)) for method, *cells in rows}


def numbers(text):
    return [float(number.replace(",", "")) for number in re.findall(r"[\d.,]+", text)]


def expected(record, k):
    confidence, correct = record.scored
    wrong = np.count_nonzero(~correct[np.argsort(-confidence, kind="stable")][:k])
    return {
        "threshold": np.sort(confidence)[::-1][k - 1],
        "coverage": 100 * k / len(correct),
        "risk": 100 * wrong / k,
        "through": wrong,
        "away": len(correct) - k - (np.count_nonzero(~correct) - wrong),
    }


@pytest.mark.parametrize("coverage", [0.5, 37.5, 80, 100])
def test_numbers_of_one_seed_are_the_librarys(visit, book, group, coverage):
    page = opened(visit, book, f"#methods={','.join(METHODS)}&seed=5&coverage={coverage}")
    found = table(page)
    assert list(found) == METHODS
    for method, cells in found.items():
        record = group.runs[method][2]
        want = expected(record, int(np.ceil(coverage / 100 * 10_000)))
        assert want["risk"] / 100 == pytest.approx(metrics.selective_risk_at(*record.scored, coverage / 100), abs=1e-4)
        assert numbers(cells["threshold"]) == [pytest.approx(want["threshold"], abs=3e-4)]
        for name in ("coverage", "risk"):
            assert cells[name] == f"{want[name]:.2f}"
        for name in ("through", "away"):
            assert numbers(cells[name]) == [want[name]]


def test_ties_odd_sizes_and_missing_seeds(visit, book):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 717)
    none = np.zeros((0, 4)), np.zeros(0, int)

    def made_up(method, seed):
        logits = np.round(rng.normal(size=(717, 4)) + 1.5 * np.eye(4)[labels])  # whole numbers: many are tied
        return Record(Settings(method=method, seed=seed), logits.astype(np.float32), labels, *none, [], {}, None)

    runs = {"baseline": [made_up("baseline", 0), made_up("baseline", 1)], "sam": [made_up("sam", 1)]}
    content = explorer.content([Group("classroom", "embedded", "preact_resnet8_w16_s2", runs)])
    page = opened(visit, book)
    script = f"window.fmfpExplorer={json.dumps(content)}"
    page.route("**/explorer_data.js", lambda route: route.fulfill(body=script, content_type="text/javascript"))
    page.goto(f"{book}/index.html")
    page.goto(f"{book}{PAGE}#methods=baseline,sam&risk=20")
    found = table(page)
    for method, records in runs.items():
        curves = [metrics.risk_coverage_curve(*r.scored)[1] for r in records]
        accepted = page.evaluate(
            "method => fmfpExplorer.groups[0].runs[method].map(run => Array.from(run.accepted))", method
        )
        assert np.allclose(accepted, [np.append(0, risk * np.arange(1, 718)) for risk in curves], 0, 1e-9)
        coverage = [metrics.coverage_at_risk(*r.scored, 0.2) for r in records]
        assert numbers(found[method]["coverage"])[0] == pytest.approx(100 * np.mean(coverage), abs=0.006)
    assert "seeds: 1" in page.inner_text("tr[data-method=sam]")
    page.select_option("[name=seed]", "0")
    assert list(table(page)) == ["baseline"] and page.is_disabled("[name=method][value=sam]")


@pytest.mark.parametrize("risk", [0.3, 5, 8])
def test_means_at_a_tolerated_risk_are_the_librarys(visit, book, group, risk):
    page = opened(visit, book, f"#methods=baseline,mixup&risk={risk}")
    for method, cells in table(page).items():
        runs = [record.scored for record in group.runs[method]]
        coverage = [100 * metrics.coverage_at_risk(*run, risk / 100) for run in runs]
        mean, deviation = numbers(cells["coverage"])
        assert mean == pytest.approx(np.mean(coverage), abs=0.006)
        assert deviation == pytest.approx(np.std(coverage, ddof=1), abs=0.006)
        points = [expected(r, round(c * 100)) for r, c in zip(group.runs[method], coverage, strict=True)]
        for name, tolerance in (("through", 0.06), ("away", 0.06), ("risk", 0.006), ("threshold", 0.006)):
            want = np.mean([p[name] for p in points])
            assert numbers(cells[name])[0] == pytest.approx(want, abs=tolerance if want < 100 else 0.6)


def test_diagrams_follow_the_choice(visit, book, group):
    page = opened(visit, book, "#methods=baseline,mixup&seed=4")
    cards = page.eval_on_selector_all(".explorer-cards figure", "cards => cards.map(c => c.innerText)")
    assert len(cards) == 2
    for method, text in zip(("baseline", "mixup"), cards, strict=True):
        found = group.runs[method][1].metrics
        for name in ("accuracy", "ece", "auroc"):
            assert f"{100 * found[name]:.1f}\u00a0%" in text
    bars = page.eval_on_selector_all(
        ".explorer-cards figure:first-child .bar", "bars => bars.map(b => b.getBBox().height)"
    )
    confidence, correct = group.runs["baseline"][1].scored
    index = np.ceil(confidence * 15).astype(int)
    assert bars == pytest.approx([130 * correct[index == i].mean() for i in np.unique(index)], abs=1e-3)  # pixels
    page.select_option("[name=network]", "vgg8_w16")
    assert page.input_value("[name=seed]") == "4" and "vgg8" in page.url
    assert page.eval_on_selector(".explorer-cards figure", "c => c.innerText") != cards[0]


def test_everything_works_by_keyboard(visit, book):
    page = opened(visit, book)
    before = table(page)["baseline"]["through"]
    said = page.inner_text(".explorer-status")
    for _ in range(200):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name === 'coverage'"):
            break
    page.keyboard.press("ArrowRight")
    page.wait_for_function("text => document.querySelector('.explorer-status').textContent !== text", arg=said)
    assert page.inner_text(".explorer-fixed > div:first-of-type .explorer-value") == "20.5 %"
    assert page.get_attribute("[name=coverage]", "aria-valuetext") == "20.5 %"
    assert numbers(table(page)["baseline"]["through"])[0] > numbers(before)[0]
    assert page.get_attribute(".explorer-status", "role") == "status"  # read out when it changes
    page.wait_for_function("location.hash.includes('coverage=20.5')")
    style = "getComputedStyle(document.activeElement)"
    assert page.evaluate(f"[{style}.outlineStyle, parseFloat({style}.outlineWidth)]") == ["solid", 3]
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.name") == "risk"
    page.keyboard.press("End")
    page.wait_for_function("document.querySelector('tbody td:nth-child(3)').innerText.startsWith('100.00')")
    page.focus("[name=method][value=swa]")
    page.keyboard.press("Space")
    assert "swa" in table(page) and page.locator(".explorer-cards figure").count() == 4
    names = page.eval_on_selector_all(
        "#explorer :is(input, select)",
        """controls => controls.map(c =>
        c.getAttribute('aria-label') || (c.labels[0] || {}).textContent || '')""",
    )
    assert all(name.strip() for name in names)


def test_the_line_can_be_dragged(visit, book):
    page = opened(visit, book)
    box = page.locator(".explorer-curves svg").bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 46 + (box["width"] - 60) / 2, box["y"] + 60, steps=4)
    page.mouse.up()
    page.mouse.move(box["x"] + 10, box["y"] + 60)
    page.wait_for_function("document.querySelector('[name=coverage]').value === '50'")
    page.check("[name=fixed][value=risk]")
    page.wait_for_selector(".explorer-handle.level")
    page.locator(".explorer-curves svg").click(position={"x": 300, "y": 20})
    page.wait_for_function("document.querySelector('[name=risk]').value > 10")


def test_the_difference_from_the_baseline_and_the_surest_answers_alone(visit, book, group):
    page = opened(visit, book, "#methods=baseline,mixup&seed=4&coverage=10")
    assert page.input_value("[name=view]") == "risk" and page.locator(".explorer-curves .dot").count() == 2
    page.select_option("[name=view]", "difference")
    page.select_option("[name=zoom]", "20")
    page.wait_for_function("location.hash.includes('view=difference&zoom=20')")
    assert page.locator(".explorer-curves .dot").count() == 0
    assert "risk minus baseline" in page.text_content(".explorer-curves svg")
    lines = page.eval_on_selector_all(
        ".explorer-curves .line",
        """lines => lines.map(line =>
        line.getAttribute('d').slice(1).split('L').map(point => point.split(' ').map(Number)))""",
    )
    baseline, mixup = map(np.array, lines)
    assert np.ptp(baseline[:, 1]) == 0  # the first method is its own reference
    risk = [metrics.selective_risk_at(*group.runs[m][1].scored, 0.2) for m in ("baseline", "mixup")]
    labels = page.eval_on_selector_all(
        ".explorer-curves svg text[text-anchor=end]",
        """texts => texts.map(t =>
        [Number(t.textContent), Number(t.getAttribute('y')) - 4])""",
    )
    (low, at_low), (high, at_high) = labels[0], labels[-1]
    drawn = low + (mixup[-1, 1] - at_low) / (at_high - at_low) * (high - low)
    assert drawn == pytest.approx(100 * (risk[1] - risk[0]), abs=0.02)
    page = opened(visit, book, "#methods=baseline,mixup&view=difference&zoom=20&coverage=50")
    assert page.locator(".explorer-handle").is_hidden()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_no_sideways_scrolling_and_readable_in_both_themes(visit, book, width, theme):
    every = "#methods=" + ",".join(["baseline", "label_smoothing", "cs_kd", "fmfp"]) + "&risk=0.5"
    page = opened(visit, book, every, width=width, theme=theme)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    wide = page.eval_on_selector_all(
        "#explorer *",
        """(all, width) => all.filter(e =>
        e.getBoundingClientRect().right > width + 1).map(e => e.outerHTML.slice(0, 80))""",
        width,
    )
    assert wide == []
    assert page.get_attribute("html", "data-theme") == theme
    line = page.eval_on_selector(".explorer-curves .line", "line => getComputedStyle(line).stroke")
    shade = page.evaluate("fmfpExplorer.methods.baseline")[theme]
    assert line == f"rgb({', '.join(str(int(shade[i : i + 2], 16)) for i in (1, 3, 5))})"


def test_it_is_redrawn_when_the_window_turns(visit, book):
    page = opened(visit, book)
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("document.querySelector('.explorer-curves svg').clientWidth < 380")
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_a_link_opens_its_view_and_bad_addresses_are_named(visit, book):
    page = opened(visit, book)
    page.click("text=One incorrect answer in twenty")
    page.wait_for_selector(".explorer-handle.level")
    assert list(table(page)) == ["baseline", "swa", "fmfp"] and page.input_value("[name=risk]") == "5"
    page = opened(visit, book, "#dataset=mars&methods=baseline,fmpf&coverage=x")
    assert list(table(page)) == ["baseline"]
    assert all(name in page.inner_text(".explorer-note") for name in ("mars", "fmpf", "coverage “x”"))
    page.uncheck("[name=method][value=baseline]")
    page.wait_for_function("document.querySelector('.explorer-status').innerText.includes('at least one method')")


def test_it_opens_from_disk(visit):
    page = visit((BOOK / PAGE[1:]).as_uri())
    page.wait_for_selector("#explorer:not([hidden]) tbody tr")
    assert page.locator(".explorer-still").is_hidden()


def test_the_picture_stands_in_where_scripts_are_off(visit, book):
    page = visit(book + PAGE, java_script_enabled=False)
    assert page.locator(".explorer-still img").is_visible() and not page.locator("#explorer").is_visible()
    assert page.locator("noscript p").is_visible()
