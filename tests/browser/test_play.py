"""The home page's slider and the pieces of Play, by pointer and by keyboard, on a phone and without scripts."""

import re

import numpy as np
import pytest

from fmfp_lib.book import film, home, quiz, rungs, threshold_game, valley

PHONE = {"width": 390}


def counts(page):
    return [float(text.replace(",", "")) for text in page.locator(".home-row output").all_inner_texts()]


def click_at(slider, share):
    box = slider.bounding_box()
    slider.click(position={"x": max(1, share * box["width"]), "y": box["height"] / 2})


def test_the_slider_counts_wrong_answers_as_the_library_does(visit, book):
    page, expected = visit(f"{book}/book/index.html"), home.errors(rungs.CLASS)
    slider = page.locator(".home-slider input")
    assert counts(page) == pytest.approx([expected[m][home.START - 1] for m in home.METHODS], abs=0.06)
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert counts(page) == pytest.approx([expected[m][home.START] for m in home.METHODS], abs=0.06)
    page.keyboard.press("End")
    assert counts(page) == pytest.approx([expected[m][-1] for m in home.METHODS], abs=0.6)
    click_at(slider, 0.001)
    assert counts(page) == pytest.approx([expected[m][0] for m in home.METHODS], abs=0.06)


@pytest.mark.parametrize("options", [{}, PHONE])
def test_the_home_page_never_scrolls_sideways_and_has_its_cards(visit, book, options):
    page = visit(f"{book}/book/index.html", **options)
    assert page.locator(".claim-card").count() == 15 and page.locator("article table").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    preview = page.locator('meta[property="og:image"]').get_attribute("content")
    assert page.locator('meta[name="description"]').count() and page.request.get(f"{book}/book/{preview}").ok


def test_the_film_runs_by_button_and_by_keyboard(visit, book):
    page, shares = visit(f"{book}/book/play.html"), film.frames(rungs.CLASS)
    slider, epoch = page.locator(".film input"), page.locator(".film output")
    slider.focus()
    page.keyboard.press("Home")
    assert epoch.inner_text() == "1"
    bar = page.locator('.film-picture[data-method="baseline"] .right').last
    first = film.height(shares["baseline"]["shares"][0, 0, -1])
    assert float(bar.get_attribute("height")) == pytest.approx(first, abs=1)
    said = page.locator('.film-picture[data-method="fmfp"] figcaption span').inner_text()
    numbers = [float(n) for n in re.findall(r"[\d.]+", said)]
    assert numbers == pytest.approx(shares["fmfp"]["numbers"][0], abs=0.06)
    click_at(slider, 0.5)
    assert 15 < int(epoch.inner_text()) < 35
    page.keyboard.press("Home")
    page.locator(".film button").click()
    page.wait_for_function("document.querySelector('.film output').textContent > 3")
    page.locator(".film button").click()
    assert page.locator(".film button").inner_text() == "Play" and int(epoch.inner_text()) < 50


@pytest.mark.parametrize("keys", [False, True])
def test_the_quiz_counts_the_readers_answers(visit, book, keys):
    page = visit(f"{book}/book/play.html", **PHONE)
    score = 0
    for number in range(1, quiz.PAIRS + 1):
        assert f"Pair {number} of" in page.locator(".quiz-ask").inner_text()
        if keys:
            page.locator(".quiz-pair button").first.focus()
            page.keyboard.press("Enter")
        else:
            page.locator(".quiz-pair button").first.click()
        score += page.locator(".quiz-said").inner_text().startswith("Yes")
        assert page.locator(".quiz-pair button.wrong").count() == 1
        if keys:
            page.keyboard.press("Enter")
        else:
            page.locator(".quiz-next").click()
    assert 0 < score < quiz.PAIRS and f"You ranked {score} of 10" in page.locator(".quiz-ask").inner_text()
    assert page.locator(".quiz-pair li").count() == 3
    page.locator(".quiz-next").click()
    assert "Pair 1 of" in page.locator(".quiz-ask").inner_text()


@pytest.mark.parametrize("keys", [False, True])
def test_the_threshold_game_costs_what_the_library_counts(visit, book, keys):
    page = visit(f"{book}/book/play.html", reduced_motion="reduce", **PHONE)
    record, game = rungs.CLASS.runs()["label_smoothing"][3], page.locator(".game")
    game.locator("[name=network]").select_option(label="label smoothing")
    game.locator("[name=error]").fill("20")
    slider = game.locator("[name=threshold]")
    slider.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert game.locator("output").inner_text() == "20 %" and not game.locator("figure").is_visible()
    if keys:
        game.locator("button").focus()
        page.keyboard.press("Enter")
    else:
        game.locator("button").click()
    assert game.locator(".game-strip span").count() == threshold_game.PASSING
    places = np.random.default_rng(threshold_game.SEED).choice(10_000, threshold_game.PASSING, replace=False)
    answered = record.confidence[places] >= 0.2
    wrong = int((answered & ~record.correct[places]).sum())
    assert game.locator(".wrong").count() == wrong
    assert f"{wrong} of them wrong" in game.locator(".game-count").inner_text()
    costs = threshold_game.cost(*threshold_game.counts(record), 10_000, 20, 1)
    said = game.locator(".game-said li").all_inner_texts()
    assert f"20 %, costs {costs[1]:,.0f} for" in said[0] and f"costs {costs.min():,.0f}." in said[1] and len(said) == 3
    assert game.locator("figure").is_visible()
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert game.locator(".game-strip span").count() == 0


def test_shaking_moves_the_balls_to_the_measured_losses(visit, book):
    page, box = visit(f"{book}/book/play.html"), ".valley"
    found = {m: valley.losses(rungs.CLASS.runs()[m][3]) for m in valley.METHODS}
    page.locator(f"{box} input").focus()
    page.keyboard.press("End")
    for line in (1, 2):
        for method, values in found.items():
            shown = page.locator(f'{box} [data-method="{method}"] figcaption span').inner_text()
            assert float(shown) == pytest.approx(values[line, -1], abs=0.02)
        if line == 1:
            page.locator(f"{box} button").focus()
            page.keyboard.press("Enter")
        else:
            page.locator(f"{box} button").click()
    shaken = page.locator(f"{box} output").first.inner_text()
    click_at(page.locator(f"{box} input"), 0.1)
    assert page.locator(f"{box} output").first.inner_text() != shaken


def test_without_scripts_numbers_still_stand_there(visit, book):
    page = visit(f"{book}/book/play.html", java_script_enabled=False)
    assert page.locator(".film-picture rect").count() == 3 * 2 * film.BINS
    assert "Pairs ranked rightly" in page.locator(".quiz noscript").inner_text()
    assert page.locator(".game-curves polyline").count() == 3 and page.locator(".game-curves").is_visible()
    assert "least cost" in page.locator(".game noscript").inner_text()
    assert page.locator(".valley-picture polyline").count() == len(valley.METHODS) * valley.LINES // 2
