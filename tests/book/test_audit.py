"""The audit's statements against values worked out by hand and by brute force."""

import numpy as np
import pytest
from scipy.special import xlog1py
from scipy.stats import ttest_ind_from_stats

from fmfp_lib import metrics
from fmfp_lib.book import audit

KEY = ("table2", "cifar10", "preact_resnet110")


def test_the_error_rate_is_recovered():
    # r + (1 - r) ln(1 - r) at r = 0.0626: 0.0626 - 0.9374 * 0.064645 = 0.0020015
    assert 100 * (1 - audit.error_rate(2.00e-3)) == pytest.approx(93.74, abs=0.005)
    rates = np.array([0, 1e-3, 0.0626, 0.3, 0.9, 1])
    np.testing.assert_allclose(audit.error_rate(rates + xlog1py(1 - rates, -rates)), rates, atol=1e-12)
    with pytest.raises(ValueError, match="in \\[0, 1\\]"):
        audit.error_rate(-0.1)


def test_implied_accuracies_with_their_rounding():
    found = audit.accuracies()
    row = found.loc[(*KEY, "baseline")]  # 9.94 - 7.94 = 2.00
    assert row["accuracy"] == pytest.approx(93.74, abs=0.005) and row["low"] < row["accuracy"] < row["high"]
    assert row["high"] - row["low"] < 0.04
    assert len(found) == 118 and found["accuracy"].between(60, 97).all()


def test_the_baselines_two_printings_differ_in_one_cell():
    cells = audit.repeated()
    differing = cells[cells["differs"]]
    assert len(cells) == 48 and len(differing) == 1
    only = differing.iloc[0]
    assert (only["dataset"], only["network"], only["metric"]) == ("cifar100", "preact_resnet110", "aupr_error")
    assert (only["mean_first"], only["mean_second"]) == (66.54, 66.34)
    assert only["between"] == ("l1_norm", "fmfp")  # 66.44 and 66.52


def test_one_pair_of_rows_shares_every_standard_deviation():
    pairs = audit.identical_spreads()
    first, second = pairs.iloc[0], pairs.iloc[1]
    assert {first["a"][1], first["b"][1]} == {"resnet18", "resnet50"} and first["a"][2] == first["b"][2] == "fmfp"
    assert first["same"] == first["columns"] == 8
    assert second["same"] <= second["columns"] / 2


def test_the_nearest_rows_are_those_of_cs_kd():
    first = audit.near_rows().iloc[0]
    assert {first["a"], first["b"]} == {("cifar10", n, "cs_kd") for n in ("densenet", "convmixer")}
    # AUPR-Error: 40.08 ± 4.30 and 41.35 ± 0.78
    assert first["largest"] == pytest.approx(1.27 / np.sqrt((4.30**2 + 0.78**2) / 2))


def test_wins_are_counted_cell_by_cell():
    row = audit.wins(["fmfp"], "baseline", ("table2",), ["aupr_error"]).iloc[0]
    # FMFP - baseline, CIFAR-10: +0.79 +0.98 +4.38 +5.22, CIFAR-100: +0.18 +0.12 -2.15 -0.82
    assert (row["cells"], row["wins"], row["losses"]) == (8, 6, 2)
    assert row["p"] == pytest.approx(2 * (1 + 8 + 28) / 256)
    fpr = audit.wins(["sam"], "baseline", ("table2",), ["fpr95"]).iloc[0]  # lower is better; one of eight is higher
    assert (fpr["wins"], fpr["losses"]) == (7, 1)
    table3 = audit.wins(["fmfp"], "crl", ("table3",))
    assert list(table3["wins"]) == [4, 4, 4] and (table3["clear_wins"] == 0).all()  # no standard deviations printed


def test_adjusting_for_many_tests_leaves_no_single_one_of_table_2():
    frame = audit.flat_wins()
    assert len(frame) == 54 and frame["p"].min() == pytest.approx(2 / 256) and (frame["p_holm"] > 0.05).all()


def test_welch_is_scipys():
    expected = ttest_ind_from_stats(9.94, 1.29, 3, 5.57, 0.11, 3, equal_var=False).pvalue
    assert audit.welch(9.94, 1.29, 5.57, 0.11) == pytest.approx(expected)


def test_best_counts_each_cell():
    best = audit.best()
    assert best.loc["auroc", "fmfp"] == best.loc["auroc", "cells"] == 8
    assert (best.drop(columns="cells").sum(axis=1) >= best["cells"]).all()


def ranked(correct):
    """Correctness from the most to the least confident."""
    correct = np.asarray(correct, bool)
    return -np.arange(len(correct), dtype=float), correct


def test_no_ranking_leaves_its_range_and_the_ends_are_reached():
    rng = np.random.default_rng(0)
    n, errors = 4000, 400
    right = np.ones(n - errors, bool)
    for sharpness in (0.0, 0.5, 2.0):
        correct = np.concatenate([right, ~right[:errors]])
        correct = correct[np.argsort(rng.normal(size=n) - sharpness * correct)]
        low, high = audit.aurc_range(0.1, metrics.auroc(*ranked(correct)))
        assert low - 1e-3 < metrics.aurc(*ranked(correct)) < high + 1e-3
    block = np.concatenate([right[:3000], ~right[:errors], right[3000:]])
    assert metrics.aurc(*ranked(block)) == pytest.approx(
        audit.aurc_range(0.1, metrics.auroc(*ranked(block)))[0], abs=3e-4
    )
    split = np.concatenate([~right[:100], right, ~right[:300]])
    assert metrics.aurc(*ranked(split)) == pytest.approx(
        audit.aurc_range(0.1, metrics.auroc(*ranked(split)))[1], abs=1e-3
    )


def test_every_row_is_possible_and_a_spoilt_one_is_found(monkeypatch):
    found = audit.possible()
    assert len(found) == 118 and found.apply(lambda c: c.dropna().astype(bool).all()).all()
    cells = audit.load().copy()

    def spoil(metric, value):
        spoilt = cells.copy()
        where = (spoilt["table"] == KEY[0]) & (spoilt["dataset"] == KEY[1]) & (spoilt["network"] == KEY[2])
        spoilt.loc[where & (spoilt["method"] == "fmfp") & (spoilt["metric"] == metric), "mean"] = value
        monkeypatch.setattr(audit, "load", lambda: spoilt)
        return audit.possible().loc[(*KEY, "fmfp")]

    assert not spoil("auroc", 85.0)["aurc_auroc"]
    assert not spoil("aupr_success", 99.4)["aupr"]
    assert not spoil("brier", 2.0)["brier"]
    assert not spoil("nll", 0.3)["nll"]
    assert not spoil("fpr95", 0.5)["fpr"]
    assert spoil("ece", 0.4).drop("brier").all()
    spoilt = cells.copy()
    spoilt.loc[0, "std"] = 0.0
    monkeypatch.setattr(audit, "load", lambda: spoilt)
    assert len(audit.unusual_cells()) == 1


def test_the_row_whose_aupr_stands_apart():
    share = audit.aupr_share()
    far = share["distance"].abs()
    assert far.idxmax() == ("table4", "cifar100", "mobilenet_v2", "mixup") and far.nlargest(2).iloc[1] < 0.5 * far.max()


def test_both_parts_of_a_change_of_aurc_add_up():
    part = audit.accuracy_part()
    np.testing.assert_allclose(part["optimum"] + part["eaurc"], part["aurc"], atol=1e-9)
    row = part.loc[(*KEY, "fmfp")]
    assert row["aurc"] == pytest.approx(5.57 - 9.94) and row["eaurc"] == pytest.approx(3.92 - 7.94)
    assert len(part) == 118 - 8 - 8 - 4 - 2  # without the baseline's rows


def test_the_texts_numbers_are_the_tables():
    quoted = audit.quoted()
    assert len(quoted) == 4 and np.allclose(quoted["text"], quoted["tables"])
    assert audit.unusual_cells().empty
