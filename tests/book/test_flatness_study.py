"""How flat minima are, read from what was measured; lines between kept weights."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from fmfp_lib import measures
from fmfp_lib.book import flatness_study
from fmfp_lib.book.study import Group
from fmfp_lib.settings import Settings
from fmfp_lib.training import train


def rows(slope_within=1.0, seeds=5):
    """Methods that get flatter and have larger gaps; within a method the gap follows sharpness as told."""
    found = []
    for place, method in enumerate(("baseline", "sam", "swa", "fmfp")):
        for seed in range(seeds):
            sharp, gap = 10.0 - 2 * place + 0.1 * seed, 0.2 + 0.05 * place + 0.001 * slope_within * seed
            found.append(("toy", method, seed, sharp, sharp, sharp, gap, 0.5 + gap))
    return pd.DataFrame(found, columns=["group", "method", "seed", *flatness_study.SHARPNESS, "gap", "auroc"])


def test_differences_between_methods_can_hide_those_within():
    found = flatness_study.correlations(rows(slope_within=1.0), replicates=200)
    assert list(found["sharpness"]) == list(flatness_study.SHARPNESS)
    first = found.iloc[0]
    assert first["runs"] == 20 and first["value"] < -0.7 and first["high"] < 0
    assert first["within"][0] > 0.95
    text = flatness_study.correlation_table(rows(), 50).splitlines()
    assert text[0] == "**toy, 20 runs**" and len(text) == 7
    assert text[4].startswith("| rise of the loss at 20 % perturbation | **−0.")


def test_what_cannot_be_correlated_is_left_out():
    one = rows().query("method == 'sam'")
    for few in (one, rows().query("method in ('sam', 'swa')")):
        assert flatness_study.correlations(few).empty and flatness_study.correlation_table(few) == ""
    assert flatness_study.correlations(rows(seeds=1)).empty and len(flatness_study.correlations(rows(seeds=2))) == 3
    alone = rows(seeds=1).query("method != 'baseline'")
    few = flatness_study.correlations(pd.concat([alone, rows(seeds=3).query("method == 'baseline'")]), replicates=50)
    assert few["within"].map(lambda e: np.isnan(e[0])).all()  # one method with three seeds is not enough


def test_flatness_is_a_ratio_to_the_baseline_of_the_same_seed():
    found = flatness_study.against_baseline(rows())["toy"]
    assert list(found) == ["sam", "swa", "fmfp"]
    ratios = [(8 + 0.1 * s) / (10 + 0.1 * s) - 1 for s in range(5)]
    assert found["sam"][0] == pytest.approx(np.mean(ratios)) and found["sam"][2] < 0
    assert flatness_study.against_baseline(rows().query("method != 'baseline'")) == {}
    table = flatness_study.relative_table(rows()).splitlines()
    assert table[0] == "**toy**" and table[2] == (
        "| method | rise of the loss at 20 % perturbation | SAM's sharpness | largest Hessian eigenvalue |"
    )
    assert table[4].startswith(f"| SAM | **−{-100 * np.mean(ratios):.2f} [") and len(table) == 7


def test_the_table_shows_three_digits():
    line = flatness_study.flatness_table(rows()).splitlines()[5]
    line = line.replace("\u00a0", " ")
    assert line.startswith("| SAM | 5 | 8.20 ± 0.16 |") and line.endswith("| 25.20 ± 0.16 | 75.20 ± 0.16 |")


def test_whose_loss_rises_least_and_whose_margin_lasts_is_told():
    def measured(loss, margin):
        return {
            "norms": np.array([0.0, 0.2, 0.5]),
            "loss": np.array([[0, loss, 9]]),
            "margin": np.array([[1, margin, 0]]),
        }

    text = flatness_study.last_in_words({"baseline": measured(0.5, 0.8), "crl": measured(0.2, 0.6)})
    assert text == (
        "at 20 % the loss has risen least for CRL (by 0.20 nats, the baseline's by 0.50), and "
        "the margin has fallen least for baseline (by 0.20)"
    )


def test_the_outcome_of_crl_is_told():
    crl = rows().query("method == 'fmfp'").assign(method="crl")
    text = flatness_study.crl_in_words(pd.concat([rows(), crl.assign(gap=0.9, eigenvalue=99.0)]))
    assert "the largest mean gap on 1 of 1 networks" in text and text.endswith("and on 0 by the Hessian's eigenvalue.")
    assert "on 1 by the loss's rise" in text and flatness_study.crl_in_words(rows()) == ""


def test_correlations_are_counted_by_sign():
    found = pd.DataFrame({"low": [-0.9, -0.5, 0.1], "high": [-0.1, 0.2, 0.8]})
    assert flatness_study.signs_in_words(found) == "clearly negative 1, clearly positive 1, open 1"


def test_runs_that_were_measured_are_found(tmp_path, monkeypatch):
    monkeypatch.setenv("FMFP_RECORDS", str(tmp_path))
    arrays = {
        "norms": np.array([0.0, 0.1, 0.2]),
        "loss": np.array([[1.0, 1.0], [1.0, 2.0], [3.0, 4.0]]),
        "margin": np.zeros((3, 2)),
        "sharpness": np.array(0.5),
        "eigenvalue": np.array(7.0),
    }
    monkeypatch.setitem(measures.MEASURES, "flatness", lambda run, model: arrays)

    def run(method, seed, **options):
        settings = Settings(scale="smoke", train_size=130, test_size=60, device="cpu", method=method, seed=seed)
        return train(settings, progress=False, **options)

    runs = {
        "baseline": [run("baseline", 0, measures=["flatness"], keep_weights=True), run("baseline", 1)],
        "fmfp": [run("fmfp", 0, measures=["flatness"], keep_weights=True)],
        "sam": [run("sam", 0)],
    }
    group = Group("smoke", "embedded", "preact_resnet8_w8_s2", runs)
    found = flatness_study.measured([group])
    assert found["method"].tolist() == ["baseline", "fmfp"] and found["loss_rise"].tolist() == [2.5, 2.5]
    assert flatness_study.measured([]).empty
    curves = flatness_study.curves([group])[group.title]
    assert list(curves) == ["baseline", "fmfp"] and curves["fmfp"]["loss"].tolist() == [[1.0, 1.5, 3.5]]

    positions, losses = flatness_study.line(runs["baseline"][0], runs["fmfp"][0], points=3)
    assert positions.tolist() == [0, 0.5, 1] and np.isfinite(losses).all()
    itself = flatness_study.line(runs["baseline"][0], runs["baseline"][0], points=3)[1]
    assert itself == pytest.approx(np.full(3, losses[0]))
    with pytest.raises(ValueError, match="were not kept"):
        flatness_study.line(runs["baseline"][0], runs["baseline"][1])
    other = SimpleNamespace(weights={}, settings=Settings(scale="smoke", train_size=140).complete())
    with pytest.raises(ValueError, match="differ in train_size"):
        flatness_study.line(runs["baseline"][0], other)
