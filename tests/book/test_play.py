"""The film and the quiz: what their pages show comes from the records."""

import json
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from fmfp_lib import datasets, selective
from fmfp_lib.book import film, pieces, quiz, rungs, threshold_game, valley


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
    assert pieces.image_address(images[places[0, 1]]) in shown


def test_the_threshold_game_counts_as_the_library_does():
    page = data(threshold_game.page())
    places = np.random.default_rng(threshold_game.SEED).choice(page["n"], threshold_game.PASSING, replace=False)
    for system in page["systems"]:
        record = rungs.CLASS.runs()[system["method"]][3]
        for threshold, answered, wrong in zip(page["thresholds"], system["answered"], system["wrong"], strict=True):
            found = selective.outcome(np.nextafter(threshold, -1), record.confidence, record.correct)
            assert (found.accepted, found.errors) == (answered, wrong)
        assert system["right"] == record.correct[places].astype(int).tolist()
        promise = system["promised"]
        assert 0 < promise["wrong"] / promise["answered"] < threshold_game.RISK
    assert threshold_game.cost([8, 0], [2, 0], 10, 10, 1).tolist() == [2200, 1000]


def test_a_valley_is_the_measured_loss_and_the_ball_lies_at_its_bottom():
    record = rungs.CLASS.runs()["fmfp"][3]
    found = valley.losses(record, (0.0, 0.3), lines=2, images=64)
    assert found.shape == (2, 2) and found[0, 0] == found[1, 0] < found[:, 1].min()
    picture = valley.picture("fmfp", found)
    x, y = valley._place(0, found[0, 0])
    assert f'cx="{x:.1f}" cy="{y:.1f}"' in picture and picture.count("<polyline") == 1
    assert valley.of_group(SimpleNamespace(runs={"baseline": [SimpleNamespace(weights=None)]})) == {}
    bare = replace(record, path=record.path.with_name("0.json"))
    with pytest.raises(ValueError, match="were not kept; train it with --keep-weights"):
        valley.losses(bare)
