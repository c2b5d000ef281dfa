"""Computed solutions say what stands in the figures' data."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from fmfp_lib.book import answers, ladder
from fmfp_lib.book.evidence import Evidence
from fmfp_lib.book.threshold_study import Kept
from fmfp_lib.statistics import Comparison

CONFIDENCE = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
CORRECT = np.array([True, True, False, True, False])


def change(difference, half, metric="auroc"):
    return Comparison(metric, 0.0, difference, difference, difference - half, difference + half, np.array([difference]))


def record(logits, labels, epochs=20, history=()):
    logits, labels = np.asarray(logits, float), np.asarray(labels)
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    scored = p.max(1), logits.argmax(1) == labels
    return SimpleNamespace(logits=logits, labels=labels, scored=scored, history=history,
                           settings=SimpleNamespace(epochs=epochs))  # fmt: skip


def test_a_solution_is_folded():
    assert answers.solution(2, "Half.") == "````{dropdown} Solution of exercise 2\nHalf.\n````"


def test_coverages_are_read_off_the_curves():
    # The selective risks are 0, 0, 1/3, 1/4, 2/5.
    assert answers.halved_risk(CONFIDENCE, CORRECT, "FMFP") == (
        "The risk of FMFP is 40.0 % at full coverage, and half of that at a coverage of 40 %."
    )
    said = answers.coverage_at({"a": (CONFIDENCE, CORRECT), "b": (CONFIDENCE, ~CORRECT)}, 0.25)
    assert "At a risk of 25.0 %, a answers 80 % (1 of 5 images go unanswered); b answers 0 % (5 of 5" in said


def test_the_bin_that_adds_most_need_not_have_the_largest_gap():
    confidence = np.repeat([0.95, 0.5], [90, 10])
    correct = np.concatenate([np.arange(90) < 72, np.zeros(10)]).astype(bool)
    said = answers.bins(confidence, correct)  # 0.9 x 15 points against 0.1 x 50
    assert "0.95 adds most: it holds 90.0 % of the images with a gap of 15.0 points, so it adds 13.50" in said
    assert "another bin's, of mean confidence 0.50" in said and "adds 5.00 of ECE's 18.50 points" in said
    assert answers.bins(confidence[:90], correct[:90]).endswith("the largest gap, too.")


def test_methods_that_only_calibrate():
    rows = {"mixup": (-0.02, 0.01, 0.002), "focal": (-0.01, -0.02, 0.01), "cs_kd": (0.01, 0.01, 0.1)}
    found = {m: {"ece": change(a, 0.001, "ece"), "auroc": change(b, h)} for m, (a, b, h) in rows.items()}
    assert answers.only_calibrated(found) == (
        "Left in ECE: mixup and focal loss. Of these, not left in AUROC: mixup; clearly higher in AUROC: mixup."
    )


def test_where_two_risk_curves_differ_most():
    base = record([[4, 0], [3, 0], [2, 0], [1, 0]], [0, 0, 1, 0])  # risks 0, 0, 1/3, 1/4
    other = record([[3, 0], [4, 0], [2, 0], [1, 0]], [0, 1, 0, 0])  # risks 1, 1/2, 1/3, 1/4
    said = answers.widest_gap({"baseline": [base], "focal": [other]}, (0.3, 1.0))
    assert said == (
        "Furthest in points: focal loss at a coverage of 50.0 %, 0.00 → 50.00 %. Where the baseline makes no error, "
        "below a coverage of 75.0 %, no ratio exists; beyond, furthest in proportion: focal loss at a coverage of 75.0 "
        "%, 33.33 → 33.33 %."
    )
    assert answers.widest_gap({"baseline": [base], "focal": [other]}, (0.3, 0.5)).endswith("so no ratio exists.")


def test_what_a_second_method_adds():
    row = {m: change(0.02, 0.01, m) for m in ("ece", "auroc", "aurc")}
    assert answers.added({"n": row, "o": row}).splitlines()[0] == (
        "- n: ECE by **+2.00 [+1.00,\u00a0+3.00]** points, AUROC by **+2.00 [+1.00,\u00a0+3.00]**, "
        "AURC ×10³ by **+20.00 [+10.00,\u00a0+30.00]**"
    )


def test_least_ece_beside_the_fitted_temperatures():
    sweep = [{"ece": np.array([0.2, 0.1, 0.3])}, {"ece": np.array([0.3, 0.1, 0.1])}]
    fitted = {"n": {"ts_valid": [1.4, 1.6], "ts_optimal": [1.7, 1.9]}}
    said = answers.least_ece({"n": sweep}, np.array([1.0, 2.0, 4.0]), fitted)
    assert said == "n: least ECE at T = 2.00, fitted 1.50 (validation) and 1.80 (test)."


def test_narrowed_gaps_and_lower_auroc():
    rows = {"mixup": (-0.1, -0.01), "focal": (-0.1, 0.01), "cs_kd": (0.1, -0.01)}
    found = {m: {"confidence_gap": change(a, 0), "auroc": change(b, 0)} for m, (a, b) in rows.items()}
    said = answers.narrowed({"n": found})
    assert said.startswith("Below the line: n: mixup and focal loss. AUROC is lower in the mean for 1 of these 2, ")
    assert said.endswith("for 1 of the 1 above it.")
    assert answers.narrowed({"n": {"cs_kd": found["cs_kd"]}}) == (
        "None, on any network; yet AUROC is lower in the mean in 1 of 1 comparisons."
    )


def test_distances_of_curves_during_training():
    def runs(values):
        return [record([[1, 0]], [0], history=[{"confidence_right": v} for v in values])]

    said = answers.opening({"baseline": runs([0.5] * 10), "mixup": runs([0.5, 0.5, 0.5, 0.4, 0.3] + [0.2] * 5)})
    assert "mixup 0.0 at 10 %, −10.0 just before 40 %, −10.0 at 45 %, −30.0 at the end" in said
    assert (
        said.startswith("The distance opens late for mixup. From") and "the distance does not narrow for mixup." in said
    )


def test_the_steepest_step_after_the_start():
    history = [{"epoch": e + 1, "test_accuracy": 0.1 * min(e, 2) + (0.05 if e > 10 else 0), "test_auroc": 0.5 + e / 100}
               for e in range(20)]  # fmt: skip
    said = answers.steepest([record([[1, 0]], [0], history=history)], 1)
    assert "accuracy between 55 and 60 % of the epochs, by +5.0 points" in said
    assert "too few" in answers.steepest([record([[1, 0]], [0], history=history[:2])], 1)


def test_beginnings_and_ends_of_loss_curves():
    assert answers.beginnings({"fmfp": {"loss": np.array([[0.1, 0.5], [0.3, 0.9]])}}) == (
        "In nats: FMFP begins at 0.200 and ends 0.50 higher."
    )
    said = answers.ends({"swa": (np.array([0.0, 0.5, 1.0]), np.array([0.2, 0.05, 0.1]))})
    assert "To SWA: 0.200 → 0.100 nats, so SWA's end is lower; lowest at 50 % of the way, highest at 0 %" in said


def test_shift():
    over = {"a": np.array([0.1, 0.2, 0.4, 0.3, 0.2])}
    assert answers.over_confidence(over).endswith("a: at severity 3, +40.0 points.")
    said = answers.widest_kind({"fog": change(0, 0.01), "gaussian_noise": change(0, 0.05)}, np.array([0.8, 0.3]))
    assert (
        "Gaussian noise: 10.0 points wide, where the median kind has 6.0" in said
        and "correct on 30 % there, the least accurate of the 2 kinds" in said
    )


def test_a_score_by_the_networks_it_is_used_on():
    other = {"fmfp": {"auroc": change(-0.01, 0)}}
    mine = {title: {"baseline": {"auroc": change(a, 0)}} | other for title, a in (("x", 0.0), ("y", -0.04))}
    said = answers.by_networks(mine)
    assert "most on networks trained by baseline (−2.00 points), least on those trained by FMFP (−1.00" in said


def effect(difference, half, accuracy=0.9):
    changes = {"auroc": change(difference, half), "ece": change(difference, half, "ece")}
    return ladder.Effect("rung", "label_smoothing", (0,), accuracy, changes)


def test_values_at_which_an_interval_excludes_zero():
    said = answers.from_value({12: [effect(0.01, 0.02)], 50: [effect(-0.03, 0.01)]}, "label_smoothing", "epochs")
    assert "12 epochs: +1.00, includes zero; 50 epochs: −3.00, below zero." in said


def test_published_cells_beside_an_interval():
    rows = [(0.7, -0.01), (0.88, -0.03), (0.92, -0.06), (0.95, -0.08)]
    published = pd.DataFrame([{"method": "label_smoothing", "accuracy": a, "auroc": v} for a, v in rows])
    said = answers.nearest_cells(published, effect(-0.03, 0.01), count=2)
    assert "2 nearest cells: −3.00 at 88 %, −6.00 at 92 %" in said and "holds 1 of them" in said


def test_promises_without_a_guarantee():
    said = answers.above_promise(Kept(np.array([0.04, 0.06, 0.06, 0.04]), np.ones(4)), 0.05)
    assert said == "On average the risk is 5.00 %, and 50 % of the draws lie above the promised 5 %."


@pytest.mark.parametrize("gain, needed", [(-0.02, "2, with 2 passes"), (-0.05, "more than 2")])
def test_how_many_baselines_match(gain, needed):
    costs = {"baseline": [(1, 0.0), (2, -0.03)], "fmfp": [(1.4, gain)]}
    series = {m: [(cost, {"augrc": change(value, 0)}) for cost, value in points] for m, points in costs.items()}
    said = answers.matching({"n": series})
    assert f"n: {needed}" in said


def test_methods_that_are_better_everywhere():
    def row(difference, half):
        return {"augrc": change(difference, half, "augrc")}

    one = {"fmfp": row(-0.02, 0.01), "cosine": row(0.0, 0.01), "sure": row(-0.015, 0.01), "ema": row(-0.02, 0.01)}
    said = answers.good_on_all({"a": one, "b": one | {"ema": row(0.0, 0.01)}})
    assert said.startswith("On every network: FMFP and SURE.") and "On a, SURE is nearer to FMFP." in said


def test_temperature_changes_the_gap_and_the_judges_are_told_apart():
    said = answers.tempered([record([[3, 0], [1, 0]], [0, 1])], (1.0, 3.0))
    assert "T = 1: gap 22.2 points, AUROC 100.0 %" in said and "T = 3: gap 14.8 points" in said
    said = answers.judges({"n": (0.95, 0.6, 0.5)})
    assert "n: −35.0 points for a second baseline; FMFP has −45.0, of which −10.0 are its own." in said
    assert answers.judges({}) == "One seed cannot judge another."


def test_open_lines_are_named():
    rows = [("a", -0.01, -0.02, 0.01), ("b", 0.01, -0.02, 0.03), ("c", -0.05, -0.06, -0.04)]
    found = [Evidence("", g, "FMFP − baseline", "aurc", v, lo, hi, 3, below=0.0) for g, v, lo, hi in rows]
    assert answers.open_lines(found) == "There are 1 such lines: a (FMFP − baseline)."
    assert answers.open_lines(found[1:]) == "There are 0 such lines."
    assert answers.open_lines(found[:1] * 4, most=1) == "There are 4 such lines: a (FMFP − baseline) and others."
