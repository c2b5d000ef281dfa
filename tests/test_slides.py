"""The deck is made of its source, its figures and the records, and of nothing from outside."""

import re
from pathlib import Path

import make_slides
import pytest

from fmfp_lib import statistics
from fmfp_lib.book import published

ROOT = Path(__file__).resolve().parent.parent
TEXT = make_slides.SOURCE.read_text()


def test_the_source_names_only_what_exists_and_uses_all_of_it():
    assert set(re.findall(r"\{\{(\w+)\}\}", TEXT)) == set(make_slides.VALUES)
    assert set(re.findall(r"\(figure:(\w+)\)", TEXT)) == set(make_slides.FIGURES)


def test_a_lecture_of_about_twenty_slides_each_with_notes_whose_minutes_fit():
    slides = make_slides.parse(TEXT)
    assert 18 <= len(slides) <= 24 and all(notes for _, notes in slides)
    words = {"One": 1, "Two": 2, "Three": 3, "Four": 4}
    minutes = [words[m[1]] for _, notes in slides if (m := re.match(r"(\w+) minutes?[.,]", notes))]
    assert len(minutes) >= len(slides) - 1 and 40 <= sum(minutes) <= 50


def test_figures_have_alternative_text():
    assert all(len(alt) > 30 for alt in re.findall(r"!\[(.*?)\]", TEXT))


def test_values_and_figures_are_put_in_and_unknown_ones_named():
    assert make_slides.fill("a {{x}} b {{y}}", {"x": "1", "y": lambda: "2"}) == "a 1 b 2"
    with pytest.raises(ValueError, match="unknown value 'z' in the slides; choose among x"):
        make_slides.fill("{{z}}", {"x": ""})
    with pytest.raises(ValueError, match="unknown figure 'f' in the slides; choose among g"):
        make_slides.render([("![a](figure:f)", "")], "t", {"g": "g.svg"})


def test_the_deck_is_whole_and_asks_nothing_of_the_internet(tmp_path):
    import matplotlib.pyplot as plt

    drawings = {name: plt.figure for name in make_slides.FIGURES}
    values = {name: f"<i>{name}</i>" for name in make_slides.VALUES}
    page = make_slides.make(tmp_path, values=values, drawings=drawings)
    text = page.read_text()
    count = len(make_slides.parse(TEXT))
    assert text.count("<section") == count and text.count('<aside class="notes">') == count
    assert f'id="s{count}"' in text and "{{" not in text and "figure:" not in text
    assert "<title>Rethinking confidence calibration" in text
    assert not re.findall(r"(?:src|href)=\"(?:https?:)?//", text) and "@import" not in text
    for image in re.findall(r'src="(.*?)"', text):
        assert (tmp_path / image).stat().st_size > 0
    assert len(re.findall("<img", text)) == len(make_slides.FIGURES)


def test_numbers_are_the_records_and_the_papers():
    assert make_slides.auroc_by_hand() == "(6 pairs: 0.833)" and make_slides.aurc_by_hand() == "(0.197)"
    cell = published.cell("table2", "cifar10", "preact_resnet110", "fmfp", "auroc")
    assert f'<em class="published">{cell}</em>' in make_slides.published_table2()
    group = make_slides.groups()[0]
    assert group.title in make_slides.scope().replace("\u2011", "-") and "5 seeds" in make_slides.scope()


def test_an_interpreting_sentence_follows_its_numbers(monkeypatch):
    def sources(low, high):
        parts = [
            statistics.Comparison("augrc", 0, -d, -d, *ends, None)
            for d, ends in ((0.01, (-1, -0.1)), (0.004, (low, high)), (0.006, (-1, -0.1)))
        ]
        return {"one": dict(zip(("augrc", "by_ranking", "by_errors"), parts, strict=True))}

    monkeypatch.setattr(make_slides, "_sources", lambda: sources(-0.01, 0.01))
    assert "carry 60 % of FMFP's gain in AUGRC; the part of a better ranking is clear on 0" in make_slides.sources_say()
    monkeypatch.setattr(make_slides, "_sources", lambda: sources(-0.02, -0.01))
    assert "clear on 1 of 1" in make_slides.sources_say()
