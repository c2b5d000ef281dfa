"""The accuracy ladder: exact settings, effects with intervals, slopes, and the paper's cells."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.collections import PathCollection

from fmfp_lib import grid, statistics, training
from fmfp_lib.book import figures, ladder, ladder_words, rungs

ROOT = Path(__file__).resolve().parents[2]


def test_published_effects_have_the_accuracy_that_their_aurc_implies():
    found = ladder.published_effects()
    assert len(found) == 96
    cell = found.query("dataset == 'cifar10' and network == 'preact_resnet110' and method == 'label_smoothing'").iloc[0]
    assert cell["auroc"] == pytest.approx(-0.0887) and cell["classes"] == 10
    r = 1 - cell["accuracy"]
    assert r + (1 - r) * np.log1p(-r) == pytest.approx((9.94 - 7.94) / 1000)
    # Table 2 prints the same baselines again: the two must imply one accuracy.
    again = found.query("table == 'table2' and dataset == 'cifar10' and network == 'preact_resnet110'")
    assert again["accuracy"].iloc[0] == pytest.approx(cell["accuracy"], abs=1e-3)


@pytest.fixture
def small(tmp_path, monkeypatch):
    monkeypatch.setenv("FMFP_RECORDS", str(tmp_path))
    regime = dict(scale="smoke", dataset="embedded", network="preact_resnet8_w8_s2", train_size=130, test_size=60)
    rung = rungs.Rung("small", regime | {"epochs": 2, "device": "cpu"}, (0, 1), ("baseline", "label_smoothing"))
    for settings in rung.all_settings():
        training.train(settings, progress=False)
    return rung


def test_effects_are_those_of_the_rungs_own_runs(small):
    # Runs of the same method and seed that are not the rung's change nothing.
    training.train(small.settings("label_smoothing", 1).model_copy(update={"epsilon": 0.3}), progress=False)
    training.train(small.settings("baseline", 1).model_copy(update={"batch_size": 64}), progress=False)
    (effect,) = ladder.effects(small, replicates=20)
    runs = small.runs()
    assert effect.seeds == (0, 1) and set(runs) == {"baseline", "label_smoothing"}
    means = {m: np.mean([r.metrics["accuracy"] for r in found.values()]) for m, found in runs.items()}
    assert effect.accuracy == pytest.approx(means["baseline"])
    assert effect.changes["accuracy"].difference == pytest.approx(means["label_smoothing"] - means["baseline"])
    assert set(rungs.QUANTITIES) < set(effect.changes)


def test_a_method_counts_once_all_its_seeds_are_there(small):
    wider = rungs.Rung("wider", small.regime, (0, 1, 2), small.methods + ("fmfp",))
    assert not ladder.effects(wider, replicates=5)
    training.train(small.settings("label_smoothing", 2), progress=False)
    assert not ladder.effects(wider, replicates=5)  # the baseline lacks it still
    training.train(small.settings("baseline", 2), progress=False)
    (effect,) = ladder.effects(wider, replicates=5)
    assert effect.method == "label_smoothing" and effect.seeds == (0, 1, 2)


def test_the_methods_of_the_curves_may_have_more_seeds(small):
    wider = replace(small, seeds=(0,), more=(1,), methods=(*small.methods, "focal"))
    seeds = {m: [s.seed for s in wider.all_settings() if s.method == m] for m in wider.methods}
    assert seeds == {"baseline": [0, 1], "label_smoothing": [0, 1], "focal": [0]}
    for seed in (0, 1):
        training.train(small.settings("focal", seed), progress=False)
    effects = {e.method: e.seeds for e in ladder.effects(wider, replicates=5)}
    assert effects == {"label_smoothing": (0, 1), "focal": (0,)} and tuple(wider.runs()["focal"]) == (0,)


def test_fewer_images_are_drawn_beside_the_rungs(small, monkeypatch):
    fewer = rungs.Rung("fewer", small.regime | {"train_size": 100}, (0, 1), small.methods)
    for settings in fewer.all_settings():
        training.train(settings, progress=False)
    monkeypatch.setattr(ladder, "shown", lambda scale: (small,))
    monkeypatch.setattr(ladder, "variations", lambda kind, scale, whole: {100: fewer, 130: small})
    assert [(e.rung, e.method) for e in ladder.drawn("smoke", 5)] == [
        ("small", "label_smoothing"), ("fewer", "label_smoothing")]  # fmt: skip
    monkeypatch.setattr(ladder_words, "variations", ladder.variations)
    text = ladder_words.sizes_in_words("smoke", 5)
    assert (
        text.startswith("* **PreAct-ResNet-8**: label smoothing changes AUROC by ")
        and "with 100 images, at an accuracy of " in text
    )
    assert text.count("images") == 2


def test_it_is_said_after_how_many_epochs_a_change_is_clear(monkeypatch):
    def effect(method, difference):
        return ladder.Effect("rung", method, (0, 1, 2), 0.88, {"auroc": comparison(difference, 0.002, 0)})

    found = {12: [effect("label_smoothing", 0.0)], 25: [effect("label_smoothing", -0.02)],
             50: [effect("label_smoothing", -0.03), effect("fmfp", 0.0)]}  # fmt: skip
    monkeypatch.setattr(ladder, "by_length", lambda *_: found)
    assert ladder_words.lengths_in_words() == (
        "* **Longer training** (PreAct-ResNet-8 on Fashion-MNIST, for 12, 25 and 50 epochs; the figure at the top has "
        "50): label smoothing clearly lowers AUROC after 25 and 50."
    )
    found[50].append(effect("fmfp", 0.02))
    assert ladder_words.lengths_in_words().endswith("after 25 and 50; FMFP clearly raises AUROC after 50.")
    monkeypatch.setattr(ladder, "by_length", lambda *_: {12: found[12]})
    assert ladder_words.lengths_in_words() == "* With 12 epochs no change of AUROC is clear."


def test_it_is_said_where_a_change_is_clear():
    def effect(method, difference, accuracy, network="vgg8_w16"):
        return ladder.Effect("rung", method, (0,), accuracy, {"auroc": comparison(difference, 0.002, 0)}, "cifar10",
                             network)  # fmt: skip

    effects = [effect("fmfp", 0.0, 0.7), effect("label_smoothing", -0.02, 0.8), effect("label_smoothing", 0.0, 0.9),
               effect("label_smoothing", 0.02, 0.85), effect("label_smoothing", -0.02, 0.75)]  # fmt: skip
    assert ladder_words.where_in_words(effects, ("label_smoothing", "fmfp")).splitlines() == [
        "* **label smoothing**: clearly lower in 2 of 4 (VGG-8 on CIFAR-10 at 75 and 80 %), "
        "clearly higher in 1 of 4 (VGG-8 on CIFAR-10 at 85 %).",
        "* **FMFP**: not clear in any of 1.",
    ]
    assert [line[:6] for line in ladder_words.where_in_words(effects).splitlines()] == ["* **FM", "* **la"]  # all


def test_it_is_said_at_which_doses_ece_lies_below_the_baselines():
    def doses(*differences):
        changes = ({"ece": comparison(difference, 0.002, 0)} for difference in differences)
        return {
            e: [ladder.Effect("", "label_smoothing", (0,), 0.8, change)]
            for e, change in zip((0.1, 0.2), changes, strict=True)
        }

    assert ladder.dose_in_words({"a": doses(-0.02, 0.02), "b": doses(-0.01, 0.05)}) == (
        "On both networks ECE is clearly below the baseline's at 0.1; clearly above the baseline's at 0.2."
    )
    assert ladder.dose_in_words({"a": doses(0.0, 0.02), "b": doses(0.01, 0.05)}) == (
        "On a ECE is not clearly different from the baseline's at 0.1; clearly above the baseline's at 0.2. "
        "On b ECE is clearly above the baseline's at 0.1 and 0.2."
    )


def test_it_is_said_first_what_the_ladder_shows():
    def effect(method, difference, accuracy=0.8, rung="rung"):
        return ladder.Effect(rung, method, (0, 1, 2), accuracy, {"auroc": comparison(difference, 0.002, 0)})

    effects = [effect("label_smoothing", -0.02, 0.85), effect("label_smoothing", 0.0, 0.93)]
    lengths = {25: [effect("label_smoothing", -0.02)], 50: [effect("label_smoothing", -0.02), effect("fmfp", 0.02)]}
    assert ladder_words.take_away(effects, lengths, {25: [0.96]}) == (
        "Label smoothing clearly lowers AUROC on 1 of 2 networks, 85 to 85 % accurate, and not clearly on one that is "
        "93 % accurate: accuracy alone does not decide. On one network, trained for longer and longer, the harm is "
        "first clear after 25 epochs (training accuracy 96 %) and FMFP's gain is first clear after 50 epochs."
    )
    none = ladder_words.take_away(effects[1:], {}, {})
    assert "on 0 of 1 networks." in none and "clear at no length" in none
    unfitted = effect("label_smoothing", 0.0, 0.7, rungs.EARLY[0].title)
    told = ladder_words.slopes([*effects, unfitted, effect("fmfp", 0.0)], ("label_smoothing", "fmfp")).splitlines()
    assert told[0].startswith("Over all networks the slope is clear for ")
    assert "; over those that have fitted, for label smoothing (" in told[0]
    assert told[-2].startswith("| FMFP | 1 | – | 1 | – |") and "| label smoothing | 3 |" in told[-3]


def test_the_papers_value_is_set_beside_the_interval():
    def said(difference):
        change = {"auroc": comparison(difference, 0.002, 0)}
        return ladder_words._beside_published(ladder.Effect("rung", "label_smoothing", (0,), 0.91, change, "cifar10"))

    near, far = said(-0.025), said(0.0)
    assert near == " (the paper's nearest value, −2.51, is within the interval)"
    assert far == " (the paper's nearest value, −2.51, is 2.1 below the interval)"


def test_points_of_like_accuracy_are_drawn_side_by_side():
    from fmfp_lib.book.figures.ladder import _apart

    assert _apart([90.0, 70.0, 90.5, 90.2], 1) == [90.0, 70.0, 92.0, 91.0]


def comparison(difference, noise, seed):
    drawn = difference + noise * np.random.default_rng(seed).standard_normal(4000)
    return statistics.Comparison("auroc", 0.0, difference, difference, *np.percentile(drawn, [2.5, 97.5]), drawn)


def test_slope_and_its_interval():
    x = np.array([0.80, 0.88, 0.94])
    effects = [
        ladder.Effect("rung", "label_smoothing", (0,), a, {"auroc": comparison(-0.5 * (a - 0.7), 0.004, i)})
        for i, a in enumerate(x)
    ]
    value, low, high = ladder.slope(effects, "auroc", x)
    deviation = 0.004 / np.sqrt(((x - x.mean()) ** 2).sum())
    assert value == pytest.approx(-0.5)
    assert (high - low) / 2 == pytest.approx(1.96 * deviation, rel=0.1)
    for wrong in (x[:1], [0.9, 0.9, 0.9]):
        with pytest.raises(ValueError, match="at least two different"):
            ladder.slope(effects, "auroc", wrong)


def test_figures_show_what_they_are_given():
    effects = [
        ladder.Effect("rung", "fmfp", (0, 1, 2), 0.88, {"auroc": comparison(0.01, 0.002, 0),
                                                        "selective_risk@0.1": comparison(-0.004, 0.001, 1)})
    ]  # fmt: skip
    published = ladder.published_effects()
    figure = figures.effects_against_accuracy(effects, published, ("fmfp", "label_smoothing"))
    panel = figure.axes[0]
    (ours,) = panel.containers
    assert ours.lines[0].get_xydata()[0] == pytest.approx([88, 1])
    hollow = [c for c in panel.collections if isinstance(c, PathCollection) and not c.get_facecolors().size]
    cells = sum(len(points.get_offsets()) for points in hollow)
    assert cells == (published["method"] == "fmfp").sum()
    surest = figures.effects_against_accuracy(effects, published, ("fmfp",), "selective_risk@0.1")
    assert "1,000 surest" in surest.get_supylabel()
    both = figures.effects_against_setting({"a": {50: effects, 100: effects}, "b": {50: effects}},
                                           [("fmfp", "auroc"), ("fmfp", "selective_risk@0.1")])  # fmt: skip
    assert [axis.get_xscale() for axis in both.axes] == ["log", "log"]
    points = [tuple(point.lines[0].get_xydata()[0]) for point in both.axes[0].containers]
    assert points == [(50, 1), (100, 1), (50 * 2**0.1, 1)]
    assert "1,000 surest" in both.axes[1].get_ylabel() and len(both.legends[0].texts) == 2


def test_the_grid_file_names_the_ladders_runs():
    planned = {s.hash() for s in grid.Grids.read(ROOT / "grids" / "ladder.yml").runs()}
    assert planned == {s.hash() for rung in rungs.every() for s in rung.all_settings()}
