"""The film and the quiz: what their pages show comes from the records."""

import json
import re

import numpy as np
import pytest

from fmfp_lib import datasets
from fmfp_lib.book import film, quiz, rungs


def data(page):
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', page, re.S)[1])


def test_each_frame_shows_the_shares_of_the_records():
    found = film.frames(rungs.CLASS, ("baseline",))["baseline"]
    runs = rungs.CLASS.runs()["baseline"].values()
    counts = np.sum([r.histograms[-1] for r in runs], 0, dtype=float)
    assert found["shares"].shape == (50, 2, film.BINS) and np.allclose(found["shares"].sum(2), 1)
    assert found["shares"][-1, 1, -1] == pytest.approx(counts[1, -2:].sum() / counts[1].sum())
    assert found["numbers"][-1, 0] == pytest.approx(100 * np.mean([r.history[-1]["test_accuracy"] for r in runs]))
    assert film.frames(rungs.CLASS, ("cosine",)) == {}


def test_the_film_stands_at_its_end_without_scripts():
    page = film.page()
    assert page.count("<svg") == 3 and "<output>50</output>" in page and len(page) < 60_000
    assert data(page)["epochs"][-1] == 50 and film.height(0.25) == film.HEIGHT / 4


def test_every_pair_has_one_wrong_answer_that_all_networks_give():
    records = [rungs.CLASS.runs()[m][3] for m in quiz.METHODS]
    places = quiz.chosen(records)
    assert len(set(places.ravel())) == 2 * quiz.PAIRS
    for record in records:
        assert record.correct[places[:, 0]].all() and not record.correct[places[:, 1]].any()
        assert (record.logits[places].argmax(2) == records[0].logits[places].argmax(2)).all()
    with pytest.raises(ValueError, match="expected 5000 of each"):
        quiz.chosen(records, 5000)


def test_the_quiz_shows_the_images_and_answers_of_the_records():
    page = quiz.page()
    rounds, networks = data(page)["rounds"], data(page)["networks"]
    assert len(rounds) == quiz.PAIRS and {r["wrong"] for r in rounds} == {0, 1}
    for r in rounds:
        assert r["answers"][r["wrong"]] != r["truth"][r["wrong"]]
        assert r["answers"][1 - r["wrong"]] == r["truth"][1 - r["wrong"]]
    record = rungs.CLASS.runs()["baseline"][3]
    places = quiz.chosen([rungs.CLASS.runs()[m][3] for m in quiz.METHODS])
    assert networks[0]["all"] == round(100 * record.metrics["auroc"], 1)
    assert networks[0]["pairs"] == sum(record.confidence[a] > record.confidence[b] for a, b in places)
    images = datasets.load("embedded", test_size=10_000).x_test
    shown = {source for r in rounds for source in r["images"]}
    assert quiz._image(images[places[0, 1]]) in shown
