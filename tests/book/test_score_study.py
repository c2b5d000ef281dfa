"""Scores against MSP on finished runs: counts and words follow from the comparisons."""

import numpy as np

from fmfp_lib import scores, statistics
from fmfp_lib.book import score_study
from fmfp_lib.book.study import Group
from fmfp_lib.records import Record
from fmfp_lib.settings import Settings

RNG = np.random.default_rng(0)


def made_up(seed, method="baseline"):
    """A run on which doubling the logits changes nothing, but MSP hides behind a third class what the gap shows."""
    rng = np.random.default_rng(seed)
    z = 2 * rng.normal(size=(600, 4))
    y = np.where(rng.random(600) < 0.7, z.argmax(1), rng.integers(0, 4, 600))
    return Record(Settings(seed=seed, method=method), z[:300], y[:300], z[300:], y[300:], [], {}, None)


GROUP = Group(
    "smoke", "embedded", "preact_resnet8_w8_s2", {"baseline": [made_up(0), made_up(1)], "swa": [made_up(2, "swa")]}
)


def test_every_score_is_compared_on_every_group():
    found = score_study.by_method([GROUP], ("auroc",), 20)
    assert set(found) == {"baseline", "swa"} and list(found["swa"]) == score_study.OTHERS
    (compared,) = found["swa"]["gini"].values()
    record = GROUP.runs["swa"][0]
    correct = record.logits.argmax(1) == record.labels
    from fmfp_lib.metrics import auroc

    gain = auroc(scores.gini(record.logits), correct) - auroc(scores.log_odds(record.logits), correct)
    assert np.isclose(compared["auroc"].difference, gain)
    table = score_study.verdict_table(found).splitlines()
    assert len(table) == 4 and table[2].startswith("| baseline | 1 |")
    assert list(score_study.of_method(found, "swa")) == [GROUP.title]
    assert score_study.of_method(found, "sam") == {}


class Found:
    """A comparison with a given outcome."""

    def __init__(self, difference, certain):
        self.difference, self.certain, self.better = difference, certain, difference > 0


def test_words_name_the_score_that_wins_most_often():
    none = {key: {"a": {"auroc": Found(-0.01, False)}} for key in score_study.OTHERS}
    wins = none | {"gini": {"a": {"auroc": Found(0.02, True)}}}
    loses = none | {"gini": {"a": {"auroc": Found(-0.02, True)}}}
    text = score_study.in_words({"baseline": wins, "swa": wins, "fmfp": loses})
    assert "Gini gains most often: in 2 of 3 cases" in text and "in 1 below (mean +0.67 points)" in text
    assert "loses on networks trained by FMFP" in text and "margin 0 and 0 (−1.00)" in text


def test_mutual_information_of_ensembles_and_what_was_measured():
    rows = score_study.ensembles([GROUP], ("auroc",), 20)
    assert [(m, count) for _, m, count, _ in rows] == [("baseline", 2)] and 0 <= rows[0][3]["auroc"].a <= 1
    found = statistics.compare_scores(*[[(s, s > 0)] for s in RNG.normal(size=(2, 50))], ("auroc", "augrc"), 20)
    table = score_study.measured_table([(GROUP, "baseline", "swag", 1, found)])
    assert table.startswith(f"````{{dropdown}} {GROUP.title}\n| trained by") and "| baseline | SWAG | 1 |" in table


def test_table_has_a_line_for_each_score():
    lines = score_study.score_table().splitlines()
    assert len(lines) == 2 + len(scores.SCORES) and "{cite}`granese2021doctor`" in score_study.score_table()
