"""Peaks, smoothing and early stopping, on histories written by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from fmfp_lib.book import training_curves


def run(auroc, accuracy=None, seed=0):
    accuracy = [0.5] * len(auroc) if accuracy is None else accuracy
    history = [{"epoch": 1, "train_loss": 1.0}]  # an epoch without a look
    history += [
        {"epoch": 2 * i + 2, "test_auroc": a, "test_accuracy": b, "test_aurc": a and 1 - a}
        for i, (a, b) in enumerate(zip(auroc, accuracy, strict=True))
    ]
    settings = SimpleNamespace(epochs=2 * len(auroc), seed=seed, method="baseline")
    return SimpleNamespace(settings=settings, history=history)


def test_a_curve_is_what_the_looks_saw():
    epochs, values = training_curves.curve(run([0.8, None, 0.9]), "auroc")
    assert epochs.tolist() == [2, 6] and values.tolist() == [0.8, 0.9]
    with pytest.raises(ValueError, match="choose among accuracy, auroc, aurc, ece"):
        training_curves.curve(run([0.8]), "fpr95")


def test_smoothing_averages_looks_and_their_epochs():
    epochs, values = training_curves.smoothed([2, 4, 6, 8, 10], [85, 87, 88, 87, 86], 3)
    assert epochs == pytest.approx([4, 6, 8]) and values == pytest.approx([260 / 3, 262 / 3, 87])
    assert [len(v) for v in training_curves.smoothed([2, 4], [1, 3], 5)] == [1, 1]
    with pytest.raises(ValueError, match="window is 0"):
        training_curves.smoothed([2], [1], 0)


def test_the_peak_and_what_is_lost_since():
    found = training_curves.peak(run([0.85, 0.87, 0.88, 0.87, 0.86]), window=1)
    assert (found.share, found.loss) == (0.6, pytest.approx(0.02))
    low = training_curves.peak(run([0.85, 0.87, 0.88, 0.87, 0.86]), "aurc", window=1)  # 1 - AUROC: lower is better
    assert low == found
    assert training_curves.peak(run([0.85, 0.86, 0.87]), window=1).loss == 0


def test_the_epoch_is_chosen_on_the_other_seeds():
    runs = [run([0.9, 0.8, 0.8], [0.1, 0.2, 0.3]), run([0.7, 0.8, 0.7], [0.1, 0.2, 0.4])]
    found = training_curves.early_stopping(runs, window=1)
    assert found["share"] == pytest.approx([2 / 3, 1 / 3])  # each takes the other's best epoch
    assert found["auroc"] == pytest.approx([0, 0]) and found["accuracy"] == pytest.approx([-0.1, -0.3])
    with pytest.raises(ValueError, match="at least 2"):
        training_curves.early_stopping(runs[:1])
    with pytest.raises(ValueError, match="same length"):
        training_curves.early_stopping([runs[0], run([0.8])])


def test_noise_alone_seems_to_peak_but_gains_nothing_when_chosen_on_other_seeds():
    rng = np.random.default_rng(0)
    groups = [[run((0.9 + 0.01 * rng.normal(size=40)).tolist()) for _ in range(3)] for _ in range(100)]
    assert np.mean([training_curves.peak(r).loss for runs in groups for r in runs]) > 0.005
    change = np.mean([training_curves.early_stopping(runs)["auroc"] for runs in groups])
    assert abs(change) < 0.0015  # 3 standard errors


def test_the_tables_say_what_was_computed():
    groups = [SimpleNamespace(title="toy", runs={"baseline": [run([0.8, 0.9, 0.7, 0.6]), run([0.8, 0.9, 0.7, 0.5])]})]
    row = training_curves.overfitting_table(groups, window=1).splitlines()[-1]
    assert row.startswith("| baseline | 50 | +35.00 [")
    row = training_curves.early_stopping_table(groups, window=1).splitlines()[-1]
    assert row.startswith("| baseline | 50 | +35.00 [") and row.endswith("| 0.00 [0.00,\u00a00.00] |")


def test_seeds_are_told_method_by_method_where_they_differ():
    group = SimpleNamespace(title="toy", runs={"baseline": [0, 1], "swa": [0], "fmfp": [0, 1]})
    assert training_curves.seeds_in_words([group]) == "toy: baseline and FMFP 2, SWA 1"
    group.runs.pop("swa")
    assert training_curves.seeds_in_words([group]) == "toy: 2"


def test_a_change_is_named_only_where_its_interval_has_one_sign():
    nan = float("nan")
    changes = [(1, 0.5, 2), (-1, -2, -0.5), (1, -1, 3), (-1, nan, nan)]
    said = ["x rises", "x falls", "the change in x is too close to call", "x falls (one seed, so no interval)"]
    assert [training_curves.direction("x", change) for change in changes] == said
    middle, end = [0.9] * 12, [0.8] * 8  # two windows: 40 to 60 %, 85 to 100 % of training
    group = SimpleNamespace(title="toy", runs={"baseline": [run(middle + end, [1 - v for v in middle + end])] * 2})
    assert training_curves.late_in_words(group) == (
        "toy: accuracy rises, +10.00 [+10.00,\u00a0+10.00] points; AUROC falls, −10.00 [−10.00,\u00a0−10.00] points"
    )
