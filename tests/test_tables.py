"""What the README and the book show comes from the records and the registries."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fmfp_lib import figures, metrics, records, tables
from fmfp_lib.methods import METHODS
from fmfp_lib.networks import NETWORKS
from fmfp_lib.settings import Settings
from fmfp_lib.statistics import Comparison
from fmfp_lib.study import Group

ROOT = Path(__file__).resolve().parent.parent


def test_readme_shows_what_the_records_say():
    assert tables.at_a_glance() in (ROOT / "README.md").read_text()


def test_tables_name_everything_in_the_registries():
    methods, networks = tables.methods(), tables.networks()
    assert all(f"`{m}`" in methods for m in METHODS if "+" not in m)
    assert all(f"`{n}`" in networks for n in NETWORKS)


@pytest.fixture
def runs(tmp_path, monkeypatch):
    monkeypatch.setenv("FMFP_RECORDS", str(tmp_path))
    monkeypatch.setattr(records, "SHIPPED", tmp_path)
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 80)
    for method in ("baseline", "mixup+fmfp"):
        for seed in (0, 1):
            test = rng.normal(size=(80, 4)) + 2 * np.eye(4)[labels], labels
            history = [{"epoch": e, "train_loss": 1.0, "test_auroc": 0.5 + e / 10} for e in (1, 2)]
            records.save(Settings(method=method, seed=seed), test, test, history, {})
    return records.load_all()


def test_metric_table_has_a_row_a_metric_and_a_column_a_method(runs):
    table = tables.metric_table(runs)
    assert list(table) == ["baseline", "mixup + FMFP"] and list(table.index)[0] == "Accuracy %"
    values = [100 * r.metrics["auroc"] for r in runs if r.settings.method == "baseline"]
    assert table.loc["AUROC %", "baseline"] == f"{np.mean(values):.2f} ± {np.std(values, ddof=1):.2f}"
    assert tables.plus_minus(pd.Series([0.5]), 100) == "50.00"


def test_differences_are_taken_seed_by_seed(runs):
    found = tables.against_baseline(runs, ["mixup+fmfp", "sam"], ("auroc",))
    value = {(r.settings.method, r.settings.seed): r.metrics["auroc"] for r in runs}
    expected = np.mean([value["mixup+fmfp", s] - value["baseline", s] for s in (0, 1)])
    assert list(found) == ["mixup+fmfp"] and found["mixup+fmfp"]["auroc"].difference == pytest.approx(expected)
    assert len(tables.finished(method=["baseline"], seed=1)) == 1


def test_figures_show_every_method(runs):
    figure = figures.calibration_against_ranking({"a": runs, "b": runs}, ["mixup+fmfp"])
    assert len(figure.axes) == 2 and figure.axes[1].get_legend().get_texts()[0].get_text() == "mixup + FMFP"
    groups = {m: [r for r in runs if r.settings.method == m] for m in ("baseline", "mixup+fmfp")}
    lines = figures.training_curves(groups, ["test_auroc"], ["AUROC"]).axes[0].lines
    assert np.allclose(lines[0].get_ydata(), [60, 70])


def test_differences_may_be_of_statistics_of_confidence(runs):
    found = tables.against_baseline(runs, ["mixup+fmfp"], ("overlap", "auroc", "selective_risk@0.5"), 20)
    assert list(found["mixup+fmfp"]) == ["overlap", "auroc", "selective_risk@0.5"]
    value = {(r.settings.method, r.settings.seed): metrics.overlap(*figures.confidence_and_correct(r)) for r in runs}
    expected = np.mean([value["mixup+fmfp", s] - value["baseline", s] for s in (0, 1)])
    assert found["mixup+fmfp"]["overlap"].difference == pytest.approx(expected)
    head, _, row = tables.difference_table(found).splitlines()
    assert head == "| method | overlap % | AUROC % | risk at 50 % coverage, % |"
    assert f"{100 * expected:+.2f}" in row


def test_words_follow_the_intervals():
    def row(low, high):
        return {"ece": Comparison("ece", 0.0, 0.0, (low + high) / 2, low, high, np.empty(0))}

    found = {"mixup": row(-2, -1), "cs_kd": row(1, 2), "focal": row(-1, 2), "l1_norm": row(-3, -1)}
    text = "lower for mixup and L1 norm; higher for CS-KD; too close to call for focal"
    assert tables.in_words(found, "ece") == text
    assert tables.in_words({"mixup": found["mixup"]}, "ece") == "lower for mixup; higher for no method"
    tally = tables.tally(r["ece"] for r in found.values())
    assert tally == "lower in 2 of 4 (2 beyond doubt), higher in 2 of 4 (1 beyond doubt)"
    assert tables.names(["mixup", "sam", "fmfp"]) == "mixup, SAM and FMFP"


def test_calibration_error_of_right_predictions_stands_beside_what_calibration_asks(runs):
    group = Group("smoke", "embedded", "preact_resnet8_w8_s2", {"baseline": runs[:1]})
    confidence, correct = figures.confidence_and_correct(runs[0])
    cells = tables.right_predictions([group]).splitlines()[2].split(" | ")
    probabilities = metrics.softmax(runs[0].logits)[correct]
    assert cells[3] == f"{100 * metrics.ece(probabilities, runs[0].labels[correct]):.2f}"
    assert cells[4].startswith(f"{100 * (1 - metrics.calibrated_right_confidence(confidence)):.2f}")
