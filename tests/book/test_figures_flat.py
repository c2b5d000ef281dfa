"""What the figures of section 4 draw."""

from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex

from fmfp_lib.book import figures
from fmfp_lib.book.study import Group
from fmfp_lib.settings import Settings


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def record(method, auroc, seed=0):
    history = [{"epoch": i + 1, "test_auroc": a, "test_accuracy": 1 - a} for i, a in enumerate(auroc)]
    settings = Settings(method=method, seed=seed, epochs=len(auroc)).complete()
    return SimpleNamespace(settings=settings, history=history)


def test_training_is_drawn_as_the_mean_of_smoothed_seeds():
    runs = {"baseline": [record("baseline", [0.1, 0.2, 0.3, 0.4]), record("baseline", [0.3, 0.4, 0.5, 0.6], 1)]}
    group = Group("smoke", "embedded", "preact_resnet8_w8_s2", runs)
    figure = figures.late_training([group], ["baseline", "fmfp"], ("auroc", "accuracy"), window=2, first=0.5)
    auroc, accuracy = figure.axes
    line = auroc.lines[0]
    assert line.get_xdata().tolist() == [2.5, 3.5]  # from half of the epochs on
    assert line.get_ydata() == pytest.approx([35, 45]) and accuracy.lines[0].get_ydata() == pytest.approx([65, 55])
    assert not auroc.collections  # two methods asked for: no shade
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["baseline"]


def test_methods_are_drawn_over_the_seeds_that_all_have():
    runs = {
        "baseline": [record("baseline", [0.1, 0.2]), record("baseline", [0.5, 0.6], 1)],
        "fmfp": [record("fmfp", [0.1, 0.3])],
    }
    group = Group("smoke", "embedded", "preact_resnet8_w8_s2", runs)
    (axis,) = figures.late_training([group], ["baseline", "fmfp"], ("auroc",), window=1, first=0).axes
    assert axis.lines[0].get_ydata() == pytest.approx([10, 20]) and axis.lines[1].get_ydata() == pytest.approx([10, 30])


def test_an_image_stands_beside_the_probabilities_it_is_given():
    runs = [
        SimpleNamespace(settings=Settings(method=m), labels=np.array([2, 1]), logits=np.log([p, [0.1, 0.8, 0.1]]))
        for m, p in (("baseline", [0.7, 0.2, 0.1]), ("fmfp", [0.4, 0.3, 0.3]))
    ]
    images = np.random.default_rng(0).random((2, 8, 8))
    figure = figures.class_probabilities(images, runs, [0, 1], ("shoe", "bag", "coat"))
    left, right = figure.axes[:2]
    assert left.get_title() == "coat, not shoe" and figure.axes[2].get_title() == "bag"
    bold, wrong = right.get_yticklabels()[2], right.get_yticklabels()[0]
    assert bold.get_fontweight() == "bold" and wrong.get_color() == figures.INCORRECT
    assert np.array_equal(left.images[0].get_array(), images[0])
    assert [bar.get_width() for bar in right.patches] == pytest.approx([70, 20, 10, 40, 30, 30])
    assert [t.get_text() for t in right.get_yticklabels()] == ["shoe", "bag", "coat"]


def test_a_perturbation_raises_the_loss_and_lowers_the_margin():
    loss, margin = np.array([[0.1, 0.4], [0.3, 0.6]]), np.array([[0.9, 0.5]])
    found = {"norms": np.array([0.0, 0.2]), "loss": loss, "margin": margin}
    figure = figures.under_perturbation({"toy": {"fmfp": found}})
    loss, margin = figure.axes
    assert loss.lines[0].get_xdata().tolist() == [0, 20] and loss.lines[0].get_ydata() == pytest.approx([0.2, 0.5])
    assert margin.lines[0].get_ydata() == pytest.approx([0.9, 0.5])


def test_a_valley_has_its_bottom_in_the_middle_and_the_first_methods_mean_beside_it():
    left, right = [0.1, 0.4], [0.1, 0.8]
    figure = figures.valleys({"baseline": np.array([left, right]), "fmfp": np.array([left, left])}, (0, 0.5), 1.6)
    baseline, fmfp = figure.axes
    assert baseline.lines[0].get_xdata().tolist() == [-50, 0, 50] and baseline.get_ylim() == (0, 1.6)
    assert baseline.lines[0].get_ydata().tolist() == [0.4, 0.1, 0.8] and len(baseline.lines) == 2
    assert fmfp.lines[-1].get_linestyle() == "--" and fmfp.lines[-1].get_ydata() == pytest.approx([0.6, 0.1, 0.6])
    near = figures.valleys({"fmfp": np.array([left, right])}, (0,), 1.6).axes[0]
    assert near.lines[0].get_xdata().tolist() == [0]  # what lies further is not drawn
    assert figures.valleys({"fmfp": np.full((2, 2), 2.0)}, (0, 0.5), 1.6).axes[0].get_ylim() == (0, 2.4)


def test_runs_are_points_of_their_methods_colour():
    import pandas as pd

    rows = pd.DataFrame({"group": ["toy"] * 3, "method": ["baseline", "baseline", "sam"], "sharpness": [1.0, 2.0, 3.0],
                         "gap": [0.2, 0.1, 0.3]})  # fmt: skip
    (axis,) = figures.flatness_against(rows, {"sharpness": "SAM's sharpness"}).axes
    assert axis.collections[0].get_offsets().tolist() == [[1, 20], [2, 10]] and axis.get_xlabel() == "SAM's sharpness"
    assert to_hex(axis.collections[1].get_facecolor()[0]) == figures.colour("sam")


def test_lines_are_named_by_where_they_end_also_if_another_panel_has_more():
    lines = {"few": {"swa": ([0, 1], [0.1, 0.2])}, "toy": {"swa": ([0, 1], [0.1, 0.2]), "sam": ([0, 1], [0.1, 0.9])}}
    figure = figures.loss_lines(lines)
    assert figure.axes[1].lines[1].get_ydata().tolist() == [0.1, 0.9]
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["SWA", "SAM"]


def test_an_image_is_shown_under_every_corruption():
    figure = figures.corrupted_images(np.full((1, 16, 16), 100, np.uint8), severity=5)
    assert len(figure.axes) == 16 and figure.axes[1].get_title() == "gaussian noise"
    assert np.ptp(figure.axes[0].images[0].get_array()) == 0 < np.ptp(figure.axes[1].images[0].get_array())


def test_severity_zero_are_the_clean_images(monkeypatch):
    from fmfp_lib import measures

    rng = np.random.default_rng(0)
    arrays = {"score": rng.normal(size=(3, 5, 40)), "correct": rng.random((3, 5, 40)) < 0.5}
    monkeypatch.setattr(measures, "load", lambda record, name: arrays)
    labels = np.arange(40) % 2
    run = SimpleNamespace(settings=Settings(), labels=labels, logits=np.eye(2)[labels * (np.arange(40) > 9)] * 3.0)
    group = Group("smoke", "embedded", "preact_resnet8_w8_s2", {"baseline": [run]})
    accuracy = figures.metrics_by_severity([group], ["baseline", "fmfp"]).axes[0]
    solid, dashed = accuracy.lines
    assert solid.get_ydata()[0] == pytest.approx(100 * (run.logits.argmax(1) == labels).mean())
    assert solid.get_ydata()[1:] == pytest.approx(100 * arrays["correct"].mean((0, 2))) and len(dashed.get_ydata()) == 6


def test_kinds_are_drawn_with_their_intervals():
    from fmfp_lib.statistics import Comparison

    found = {"fog": Comparison("auroc", 0, 0.02, 0.02, 0.01, 0.03, None)}
    found["snow"] = Comparison("auroc", 0, 0, 0, 0, 0, None)
    (axis,) = figures.differences_by_kind({"toy": found}).axes
    assert [t.get_text() for t in axis.get_yticklabels()] == ["fog", "snow"]
    assert axis.collections[0].get_segments()[0].tolist() == [[1, 0], [3, 0]]
