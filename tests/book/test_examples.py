"""Confident errors, and who says what of them."""

from types import SimpleNamespace

import numpy as np
import pytest

from fmfp_lib import datasets
from fmfp_lib.book import examples
from fmfp_lib.settings import Settings

LABELS = np.array([0, 0, 1, 1])


def run(probabilities, method="baseline", seed=0):
    """A record that gives class 0 these probabilities, out of two classes."""
    p = np.array(probabilities)
    logits = np.log(np.stack([p, 1 - p], 1))
    return SimpleNamespace(logits=logits, labels=LABELS, settings=SimpleNamespace(method=method, seed=seed))


def test_errors_are_confident_from_the_threshold_on():
    record = run([0.05, 0.4, 0.95, 0.2])  # wrong on the first three, with confidence 0.95, 0.6, 0.95
    assert examples.confident_errors(record).tolist() == [0, 2]
    assert examples.confident_errors(record, 0.5).tolist() == [0, 1, 2]


def test_an_opinion_is_of_the_class_that_was_wrongly_predicted():
    found = examples.opinion(run([0.05, 0.9, 0.95, 0.2]), run([0.7, 0.1, 0.6, 0.9]))
    assert found.confidence == pytest.approx((0.3 + 0.6) / 2) and found.correct == 0.5
    assert np.isnan(examples.opinion(run([0.9, 0.9, 0.1, 0.1]), run([0.5, 0.5, 0.5, 0.5])).correct)


def test_judge_and_chooser_never_share_a_seed():
    wrong, good = [0.05, 0.9, 0.1, 0.1], [0.9, 0.9, 0.1, 0.1]
    runs = {"baseline": [run(wrong, seed=3), run(good, seed=5)], "fmfp": [run(wrong, "fmfp", 3), run(good, "fmfp", 5)]}
    group = SimpleNamespace(title="toy", runs=runs)
    own, other = examples.opinions(group, "fmfp")
    # Seed 3 judges the errors of baseline 5, which has none; seed 5 judges those of baseline 3.
    assert np.isnan(own[0].confidence) and own[1].confidence == pytest.approx(0.1) and own[1] == other[1]
    alone = SimpleNamespace(runs={"baseline": runs["baseline"][:1], "fmfp": runs["fmfp"]})
    assert examples.opinions(alone, "fmfp") == ([], [])
    table = examples.opinion_table([group], ["baseline"])
    assert table.startswith("**toy**\n\n| judge |") and "| baseline | 10.0 |  | 100.0 |  |" in table


def test_examples_are_spread_over_what_the_judge_changes():
    chooser = run([0.1, 0.1, 0.9, 0.9])  # wrong everywhere, with 0.9
    judge = run([0.9, 0.06, 0.4, 0.95])  # gives the wrong class 0.1, 0.94, 0.4, 0.95
    assert examples.spread(chooser, judge, 4).tolist() == [0, 2, 1, 3]
    assert examples.spread(chooser, judge, 1).tolist() == [1]
    with pytest.raises(ValueError, match="between 1 and the 4 errors"):
        examples.spread(chooser, judge, 5)


def test_what_is_clear_nowhere_does_not_clearly_differ():
    assert (
        examples.clear_in_words([(0, -1, 1)] * 2, "another")
        == "does not clearly differ from another's on any of 2 networks"
    )
    clear = [(-1, -2, -0.5), (0, -1, 1)]
    assert examples.clear_in_words(clear, "another") == "is, against another's, clearly lower on 1 of 2 networks"


def test_classes_have_names_where_the_book_knows_them():
    assert examples.classes("embedded", 10)[9] == "ankle boot" and examples.classes("cifar10", 10)[0] == "airplane"
    assert examples.classes("own.npz", 3) == ("0", "1", "2")


def test_images_are_those_of_the_test_set():
    settings = Settings(scale="smoke").complete()
    shown = examples.images(SimpleNamespace(settings=settings), [3, 1])
    data = datasets.load("embedded", settings.train_size, settings.test_size)
    assert shown.shape == (2, 28, 28) and np.array_equal(shown[1] * 255, data.x_test[1, 0])
