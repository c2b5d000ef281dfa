"""What the figures draw: data, labels, legends."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from seaborn.utils import relative_luminance

from fmfp_lib import datasets
from fmfp_lib.book import audit, examples, figures
from fmfp_lib.book.figures import style
from fmfp_lib.book.study import Group
from fmfp_lib.records import Record
from fmfp_lib.settings import Settings
from fmfp_lib.statistics import Comparison


def run(method, seed, n=120):
    rng = np.random.default_rng([seed, len(method)])
    labels = rng.integers(0, 4, n)
    logits = rng.normal(size=(n, 4)) + 2 * np.eye(4)[labels]
    return Record(Settings(method=method, seed=seed), logits, labels, logits, labels, [], {}, Path("nowhere.json"))


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture
def group():
    runs = {m: [run(m, 0), run(m, 1)] for m in ("baseline", "mixup")}
    return Group("smoke", "embedded", "preact_resnet8_w8_s2", runs)


def change(metric, difference, half=0.01):
    return Comparison(metric, 0.0, difference, difference, difference - half, difference + half, np.empty(0))


def texts(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_histograms_of_three_methods_stand_in_a_row_under_one_legend(group):
    figure = figures.confidence_histograms([run(m, 0) for m in ("baseline", "mixup", "fmfp")])
    assert len({axis.get_position().y0 for axis in figure.axes}) == 1
    assert texts(figure) == ["correct predictions", "incorrect predictions"]
    assert not any(axis.get_legend() for axis in figure.axes)
    correct, incorrect = (entry.get_facecolor()[:3] for entry in figure.legends[0].legend_handles)
    assert correct == to_rgb(style.CORRECT) and incorrect == to_rgb(style.INCORRECT)


def test_histograms_wrap_after_two(group):
    figure = figures.confidence_histograms(group.runs["baseline"] + group.runs["mixup"][:1], ["a", "b", "c"])
    assert [axis.get_title() for axis in figure.axes] == ["a", "b", "c"]
    assert figure.axes[0].get_position().y0 > figure.axes[2].get_position().y0
    areas = [patch.get_height() * patch.get_width() for patch in figure.axes[0].patches]
    assert sum(areas) == pytest.approx(2)  # one density of right and one of incorrect predictions


def test_two_questions_have_two_answers():
    figure = figures.two_questions({"one value": (np.full(10, 0.75), np.arange(10) < 5)})
    left, right = figure.axes
    assert left.get_title() == "one value: ECE 25.0 %" and right.get_title() == "one value: AUROC 50.0 %"
    assert left.collections[1].get_offsets().tolist() == [[0.75, 0.5]]


def test_points_are_seeds_and_their_mean(group):
    values = {"here": {m: [r.metrics for r in runs] for m, runs in group.runs.items()}}
    figure = figures.metric_points(values, ["ece", "auroc"])
    assert [axis.get_xlabel() for axis in figure.axes] == ["ECE %", "AUROC %"]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["baseline", "mixup"]
    expected = [100 * r.metrics["auroc"] for r in group.runs["mixup"]]
    seeds, mean = figure.axes[1].collections[2:4]
    np.testing.assert_allclose(seeds.get_offsets()[:, 0], expected)
    np.testing.assert_allclose(mean.get_offsets(), [[np.mean(expected), 1]])


def test_risk_coverage_is_the_mean_over_seeds(group):
    figure = figures.risk_coverage_panels([group], (0.5, 1))
    line = figure.axes[0].lines[1]
    full = [1 - r.metrics["accuracy"] for r in group.runs["mixup"]]
    assert line.get_xdata()[0] == pytest.approx(50) and line.get_ydata()[-1] == pytest.approx(100 * np.mean(full))
    assert texts(figure) == ["baseline", "mixup"] and figure.axes[0].get_title() == group.title


def test_changes_of_selective_risk_stand_at_their_coverage():
    found = {"mixup": {f"selective_risk@{c}": change("x", c / 100) for c in (0.5, 0.9)} | {"ece": change("ece", 1)}}
    axis = figures.differences_by_coverage({"here": found}).axes[0]
    dots = axis.lines[1]
    np.testing.assert_allclose(dots.get_xdata(), [50, 90])
    np.testing.assert_allclose(dots.get_ydata(), [0.5, 0.9])
    np.testing.assert_allclose([s[:, 1] for s in axis.collections[0].get_segments()], [[-0.5, 1.5], [-0.1, 1.9]])


def test_curves_over_temperature_mark_the_fitted_ones():
    runs = [{"ece": [0.1, 0.2], "auroc": [0.8, 0.9]}, {"ece": [0.3, 0.4], "auroc": [1, 1]}]
    marks = {"here": {"ts_valid": [1.0, 2.0], "ts_optimal": [1.2]}}
    figure = figures.temperature_curves({"here": runs}, [0.5, 2], marks)
    np.testing.assert_allclose([axis.lines[0].get_ydata() for axis in figure.axes], [[20, 30], [90, 95]])
    assert [line.get_xdata()[0] for line in figure.axes[0].lines[1:]] == [1, 1.5, 1.2]
    assert [tick.get_text() for tick in figure.axes[1].get_xticklabels()] == ["0.5", "1", "2"]
    assert texts(figure) == ["TS-valid", "TS-optimal"]


def test_shift_of_confidence_has_incorrect_across_and_correct_up():
    found = {"mixup": {m: change(m, d) for m, d in (("confidence_wrong", -0.2), ("confidence_right", -0.1))}}
    axis = figures.confidence_shift({"here": found}).axes[0]
    assert axis.lines[0].get_xydata().tolist() == [[-20, -10]]
    assert "incorrect" in axis.get_xlabel() and "for correct" in axis.get_ylabel()


def test_a_marker_is_hollow_where_the_interval_holds_zero():
    found = {"mixup": {"ece": change("ece", 0.5)}, "fmfp": {"ece": change("ece", 0.001)}}
    axis = figures.effects({"here": found}, ("ece",), title="above").axes[0]
    faces = [line.get_markerfacecolor() for line in axis.lines if len(line.get_xdata()) == 1]
    assert axis.get_title(loc="left") == "above" and [face == "white" for face in faces] == [False, True]


def test_a_network_keeps_its_marker_in_every_figure_of_a_page():
    found = {"fmfp": {"ece": change("ece", 0.5)}}
    alone = figures.effects({"second": found}, ("ece",), among=["first", "second"]).axes[0]
    both = figures.effects({"first": found, "second": found}, ("ece",)).axes[0]
    markers = [{line.get_label(): line.get_marker() for line in axis.lines} for axis in (alone, both)]
    assert markers[0]["second"] == markers[1]["second"] != markers[1]["first"]


def contrast(*colours):
    low, high = sorted(map(relative_luminance, colours))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("method", ["baseline", "label_smoothing", "fmfp", "crl"])
def test_a_methods_colour_is_deep_enough_for_marks_or_for_text(method):
    assert contrast(figures.colour(method), "white") >= 3
    assert contrast(figures.colour(method, contrast=4.5), "white") >= 4.5


def test_every_count_of_wins_is_readable_on_its_cell():
    def in_the_dark(colour):  # invert(0.935) hue-rotate(180deg), as the style sheet has it
        weights, rgb = np.array([0.213, 0.715, 0.072]), 0.935 - 0.87 * np.array(to_rgb(colour))
        return np.clip(2 * weights @ rgb - rgb, 0, 1)

    axis = figures.wins_heatmap({"Table 2": audit.wins(("sam", "swa", "fmfp"), "crl")}).axes[0]
    cells = axis.collections[0]
    for text, shade in zip(axis.texts, cells.to_rgba(cells.get_array().ravel()), strict=True):
        for shown in (to_rgb, in_the_dark):
            assert contrast(shown(shade), shown(text.get_color())) >= 4.5, text.get_text()


def test_sample_images_stand_under_the_name_of_their_class():
    data = datasets.load("embedded", 100, 40)
    axes = np.array(figures.sample_images(data, 2).axes).reshape(2, 10)
    assert [axis.get_title() for axis in axes[0]] == list(examples.CLASSES["embedded"])
    shown = axes[1, 3].images[0].get_array()
    assert np.array_equal(shown, data.x_test[np.flatnonzero(data.y_test == 3)[1], 0])
