"""What the README and the book show comes from the records and the registries."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fmfp_lib import confidence, metrics, records, statistics
from fmfp_lib.book import compare, figures, markdown, names, rungs, tables, words
from fmfp_lib.book.study import Group, finished
from fmfp_lib.datasets import CATALOGUE
from fmfp_lib.datasets.corruptions import KINDS
from fmfp_lib.methods import METHODS
from fmfp_lib.networks import NETWORKS
from fmfp_lib.settings import Settings
from fmfp_lib.statistics import Comparison

ROOT = Path(__file__).resolve().parents[2]


def test_readme_shows_what_the_records_say():
    assert tables.at_a_glance() in (ROOT / "README.md").read_text()


def test_tables_name_everything_in_the_registries():
    methods, networks = tables.methods(), tables.networks()
    assert all(f"`{m}`" in methods for m in METHODS if "+" not in m)
    assert all(f"`{n}`" in networks for n in NETWORKS)
    assert all(f"`{n}`" in tables.datasets() for n in CATALOGUE)
    heading, _, *kinds = tables.corruptions().split("\n")  # a line each, no more
    assert [line.split("`")[1] for line in kinds] == list(KINDS)
    assert all(line.count("|") == heading.count("|") for line in kinds)


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
    return [records.read(path) for path in sorted(tmp_path.glob("*.json"))]


def test_metric_table_has_a_row_a_metric_and_a_column_a_method(runs):
    table = tables.metric_table(runs)
    assert list(table) == ["baseline", "mixup + FMFP"] and list(table.index)[0] == "Accuracy %"
    values = [100 * r.metrics["auroc"] for r in runs if r.settings.method == "baseline"]
    assert table.loc["AUROC %", "baseline"] == f"{np.mean(values):.2f}\u00a0±\u00a0{np.std(values, ddof=1):.2f}"
    assert markdown.plus_minus(pd.Series([0.5]), 100) == "50.00"
    assert markdown.interval((0.5, 0.0004, 1.0)) == "**+0.50 [+0.0004,\u00a0+1.00]**"
    assert markdown.interval((0.5, -0.0004, 1.0)) == "+0.50 [\u22120.0004,\u00a0+1.00]"
    assert markdown.interval((-0.001, -1.0, 0.0)) == "0.00 [\u22121.00,\u00a00.00]"
    assert markdown.plus_minus([np.nan, np.nan]) == markdown.interval((np.nan,) * 3) == "not defined"
    assert markdown.plus_minus([1, 3, np.nan]) == "2.00\u00a0±\u00a01.41 (defined for 2 of 3)"
    assert markdown.plus_minus([1, np.nan]) == "1.00 (defined for 1 of 2)"


def test_differences_are_taken_seed_by_seed(runs):
    found = compare.against_baseline(runs, ["mixup+fmfp", "sam"], ("auroc",))
    value = {(r.settings.method, r.settings.seed): r.metrics["auroc"] for r in runs}
    expected = np.mean([value["mixup+fmfp", s] - value["baseline", s] for s in (0, 1)])
    assert list(found) == ["mixup+fmfp"] and found["mixup+fmfp"]["auroc"].difference == pytest.approx(expected)
    base = [r for r in runs if r.settings.method == "baseline"]
    common = compare.of_common_seeds({"all": base[::-1], "one": base[1:]})
    assert {name: [r.settings.seed for r in own] for name, own in common.items()} == {"all": [1], "one": [1]}


def test_figures_show_every_method(runs):
    figure = figures.calibration_against_ranking({"a": runs, "b": runs}, ["mixup+fmfp"])
    assert len(figure.axes) == 2 and figure.legends[0].get_texts()[0].get_text() == "mixup + FMFP"
    groups = {m: [r for r in runs if r.settings.method == m] for m in ("baseline", "mixup+fmfp")}
    lines = figures.training_curves(groups, ["test_auroc"], ["AUROC"]).axes[0].lines
    assert np.allclose(lines[0].get_ydata(), [60, 70])


def baseline_runs(count=2):
    return finished("classroom", ["baseline"])[0].records[:count]


def test_the_code_is_compared_with_the_paper_method_by_method(tmp_path, monkeypatch):
    monkeypatch.setenv("FMFP_RECORDS", str(tmp_path))
    monkeypatch.setattr(records, "SHIPPED", tmp_path)
    assert "Nothing has been trained" in tables.protocols()
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 80)
    for method, protocol, seed in [(m, p, s) for m in ("swa", "focal") for p in ("paper", "code") for s in (0, 1)]:
        wrong = 3 if protocol == "paper" else 1 + 2 * seed
        logits = rng.normal(size=(80, 4)) + 6 * np.eye(4)[(labels + (np.arange(80) < wrong)) % 4]
        settings = Settings(**rungs.CLASS.regime, method=method, protocol=protocol, seed=seed)
        if (method, protocol, seed) != ("focal", "code", 1):  # one seed alone decides nothing
            records.save(settings, (logits, labels), (logits[:8], labels[:8]), [], {})
    text = tables.protocols()
    assert "| SWA | +1.25" in text and "focal" not in text and ", 2 seeds " in text


def test_a_score_that_orders_as_msp_does_differs_by_nothing():
    records = baseline_runs()
    found = compare.against_msp(records, lambda z: np.log(confidence.msp(z)) * 3, replicates=20)
    assert all(c.difference == c.low == c.high == 0 for c in found.values())
    # Fitted on validation data, passed on as the second argument.
    seen = []

    def score(logits, fitted):
        seen.append(fitted)
        return confidence.msp(logits)

    compare.against_msp(records, score, fit=lambda z, y: len(y), replicates=2)
    assert seen == [1000, 1000]


def test_a_worse_score_is_found_out_and_a_wrong_one_named():
    records = baseline_runs()
    found = compare.against_msp(records, lambda z: -confidence.msp(z), metrics=("auroc",), replicates=30)["auroc"]
    assert found.certain and found.b == pytest.approx(1 - found.a)
    for wrong in (lambda z: z, lambda z: confidence.msp(z)[:5], lambda z: np.full(len(z), np.nan)):
        with pytest.raises(ValueError, match="one finite number an image"):
            compare.against_msp(records, wrong, replicates=2)


def test_pairs_are_compared_like_the_baseline():
    records = finished("classroom", ["baseline", "fmfp"])[0].records
    found = compare.method_pairs(records, {"x": ("baseline", "fmfp"), "none": ("baseline", "nothing")}, ("auroc",), 30)
    expected = compare.against_baseline(records, ["fmfp"], ("auroc",), 30)["fmfp"]["auroc"]
    assert list(found) == ["x"]
    assert (found["x"]["auroc"].difference, found["x"]["auroc"].low) == (expected.difference, expected.low)


def test_differences_may_be_of_statistics_of_confidence(runs):
    found = compare.against_baseline(runs, ["mixup+fmfp"], ("overlap", "auroc", "selective_risk@0.5"), 20)
    assert list(found["mixup+fmfp"]) == ["overlap", "auroc", "selective_risk@0.5"]
    value = {(r.settings.method, r.settings.seed): metrics.overlap(*r.scored) for r in runs}
    expected = np.mean([value["mixup+fmfp", s] - value["baseline", s] for s in (0, 1)])
    assert found["mixup+fmfp"]["overlap"].difference == pytest.approx(expected)
    head, _, row = markdown.difference_table(found).splitlines()
    assert head == "| method | overlap % | AUROC % | risk at 50 % coverage, % |"
    assert f"{100 * expected:+.2f}" in row


def test_words_follow_the_intervals():
    def row(low, high):
        return {"ece": Comparison("ece", 0.0, 0.0, (low + high) / 2, low, high, np.empty(0))}

    found = {"mixup": row(-2, -1), "cs_kd": row(1, 2), "focal": row(-1, 2), "l1_norm": row(-3, -1)}
    text = "clearly lower for mixup and L1 norm; clearly higher for CS-KD; too close to call for focal loss"
    assert words.in_words(found, "ece") == text
    assert words.in_words({"mixup": found["mixup"]}, "ece") == "clearly lower for mixup"
    only = {"focal": found["focal"], "mixup": found["mixup"]}
    moved = "falls for mixup and L1 norm, grows for CS-KD, and is too close to call for focal loss"
    assert words.moves(found, "ece", rises="grows") == moved and words.moves(only, "ece") == "falls for mixup only"
    assert words.moves({"focal": found["focal"]}, "ece") == "does not clearly change"
    text = "of the four methods, mixup and L1 norm clearly lower ECE; CS-KD clearly raises it"
    assert words.of_all(found, "ece") == text
    assert words.of_all(only, "ece") == "of the two methods, mixup clearly lowers ECE; none clearly raises it"
    assert words.of_all({"cs_kd": found["cs_kd"]}, "ece") == "CS-KD, the only one run, clearly raises ECE"
    tally = words.tally(r["ece"] for r in found.values())
    assert tally == "lower in 2 of 4 (2 clearly), higher in 2 of 4 (1 clearly)"
    assert words.lowest(found, "ece") == ["baseline", *found]  # all equal
    same = Comparison("ece", 0.0, 0.0, 0.0, -1, 1, np.empty(0))
    assert words.tally([same]) == "lower in 0 of 1 (0 clearly), higher in 0 of 1 (0 clearly), equal in 1"
    found["focal"] = {"ece": Comparison("ece", 0.0, -0.5, -0.5, -1, 0, np.empty(0))}
    found["mixup"] = {"ece": Comparison("ece", 0.0, -0.50001, -0.50001, -1, 0, np.empty(0))}
    assert words.lowest(found, "ece") == ["mixup", "focal"]
    assert names.listed(["mixup", "sam", "fmfp"]) == "mixup, SAM and FMFP"


def test_grouped_rows_stand_under_their_groups_name_all_but_the_first_folded():
    rows = [("a", "x", "1"), ("a", "y", "2"), ("b", "x", "3")]
    blocks = markdown.grouped(("method", "value"), rows, "The other networks: values").split("\n\n")
    head = "| method | value |\n| --- | ---: |"
    assert blocks == [
        "**a**",
        f"{head}\n| x | 1 |\n| y | 2 |",
        "````{dropdown} The other networks: values\n**b**",
        f"{head}\n| x | 3 |\n````",
    ]
    assert markdown.folded({}) == "" and "dropdown" not in markdown.grouped(("method", "value"), rows[:2])


def test_a_wide_table_is_split_and_its_first_column_repeated():
    rows = [("x", "1", "2", "3"), ("y", "4", "5", "6")]
    text = markdown.split(("method", "a", "b", "c"), rows, 2, "More")
    shown, title, hidden = text.partition("\n\n```{dropdown} More\n")
    assert shown == "| method | a | b |\n| --- | ---: | ---: |\n| x | 1 | 2 |\n| y | 4 | 5 |"
    assert title and hidden == "| method | c |\n| --- | ---: |\n| x | 3 |\n| y | 6 |\n```"
    assert "dropdown" not in markdown.split(("method", "a"), [("x", "1")], 1)


def test_the_gain_in_augrc_is_split_seed_by_seed(runs):
    assert compare.augrc_parts(runs, ["sam"], 20) == {}
    found = compare.augrc_parts(runs, ["mixup+fmfp"], 20)["mixup+fmfp"]
    a, b = ([(r.logits, r.labels) for r in runs if r.settings.method == m] for m in ("baseline", "mixup+fmfp"))
    expected = statistics.augrc_sources(a, b, 20)
    assert {k: c.difference for k, c in found.items()} == {k: c.difference for k, c in expected.items()}


def test_what_errors_carry_is_a_span_over_networks():
    def parts(augrc, ranking, half=0.1):
        values = {"augrc": augrc, "by_ranking": ranking, "by_errors": augrc - ranking}
        return {k: Comparison("augrc", 0.0, v, v, v - half, v + half, np.empty(0)) for k, v in values.items()}

    said = words.carried_by_errors([parts(-2.0, -1.0), parts(-2.0, -0.05)])
    assert said == (
        "fewer errors carry 50 to 98 % of FMFP's gain in AUGRC; "
        "the part of a better ranking is clear on 1 of 2 networks"
    )
    assert "where it falls (1 of 2 networks)" in words.carried_by_errors([parts(-2.0, 0.0), parts(1.0, 0.5)], "swa")
    assert words.carried_by_errors([parts(1.0, 0.5)]) == "FMFP lowers AUGRC on no network"


def test_the_readmes_sentence_follows_the_intervals():
    def row(**signs):
        return {m: Comparison(m, 0.0, s, s, s - 0.5, s + 0.5, np.empty(0)) for m, s in signs.items()}

    found = {
        "mixup": row(ece=-1, auroc=-1, aurc=1),
        "focal": row(ece=-1, auroc=0, aurc=0),
        "fmfp": row(ece=-1, auroc=-1, aurc=-1),
    }
    assert words.glance_in_words(found) == (
        "Counting only changes whose 95 % interval excludes 0: among the calibration methods (mixup and focal loss), "
        "ECE falls for mixup and focal loss; their AUROC falls for mixup; both for mixup. Of all methods, AURC falls "
        "for FMFP and rises for mixup."
    )


def test_calibration_error_of_right_predictions_stands_beside_what_calibration_asks(runs):
    group = Group("smoke", "embedded", "preact_resnet8_w8_s2", {"baseline": runs[:1]})
    confidence, correct = runs[0].scored
    cells = tables.right_predictions([group]).splitlines()[4].split(" | ")
    probabilities = metrics.softmax(runs[0].logits)[correct]
    assert cells[2] == f"{100 * metrics.ece(probabilities, runs[0].labels[correct]):.2f}"
    assert cells[3].startswith(f"{100 * (1 - metrics.calibrated_right_confidence(confidence)):.2f}")


def test_a_span_is_the_lowest_and_the_highest():
    assert [words.span(v) for v in ([4, 3, 5], (3, 3), [-2.2, 7])] == ["3 to 5", "3", "\u22122 to 7"]
