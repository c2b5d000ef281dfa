"""Promises over draws and under a shift: what is counted is what happened."""

import numpy as np
import pytest

from fmfp_lib import measures, records, selective
from fmfp_lib.book import figures, threshold_study

RNG = np.random.default_rng(0)
CONFIDENCE = RNG.random(4000)
CORRECT = RNG.random(4000) >= 0.4 * (1 - CONFIDENCE) ** 2


@pytest.fixture(scope="module")
def draws():
    return threshold_study.over_draws(CONFIDENCE, CORRECT, 0.05, size=1500, draws=100)


def test_a_threshold_read_off_keeps_its_promise_about_every_second_time_and_a_guarantee_nearly_always(draws):
    kept = {name: found.share(0.05) for name, found in draws.items()}
    assert list(kept) == [threshold_study.READ_OFF, *selective.METHODS]
    assert 0.3 < kept[threshold_study.READ_OFF] < 0.7 and all(kept[m] >= 0.9 for m in selective.METHODS)
    rows = threshold_study.kept_table(draws, 0.05).splitlines()[2:]
    assert len(rows) == 4 and rows[1].startswith(f"| fixed | {100 * kept['fixed']:.1f} |")
    figures.promises_kept(draws, 0.05)


def test_read_off_accepts_as_much_as_the_curve_allows():
    confidence, correct = np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, True, False, True])
    assert threshold_study.read_off(confidence, correct, 0.1) == 0.7  # two are accepted: those above
    assert threshold_study.read_off(confidence, correct, 0.5) == -np.inf
    assert threshold_study.read_off(confidence, ~correct, 0.1) == np.inf


def test_nothing_accepted_breaks_no_promise():
    assert threshold_study.Kept(np.array([np.nan, 0.04, 0.06]), np.zeros(3)).share(0.05) == pytest.approx(2 / 3)


def test_shift_breaks_the_promise_of_shipped_networks():
    path = sorted(records.SHIPPED.glob("*.shift.npz"))[0]
    record = records.read(path.with_name(path.name.replace(".shift.npz", ".json")))
    chosen, clean, shifted = threshold_study.under_shift(record, 0.05)
    arrays = measures.load(record, "shift")
    count = arrays["score"].shape[2]
    assert chosen.n == len(record.labels) - count and clean.n == count and len(shifted) == 15
    first = next(iter(shifted.values()))[4]
    accepted = arrays["score"][0, 4].astype(float) > chosen.threshold
    assert (first.accepted, first.errors) == (accepted.sum(), (accepted & ~arrays["correct"][0, 4]).sum())
    found = threshold_study.by_severity(clean, shifted)
    assert found["risk"].shape == (6,) and found["risk"][5] > 0.05 > found["risk"][0]
    assert found["coverage"][0] == clean.coverage > found["coverage"][5]
    shown = figures.promise_under_shift({("a network", "fmfp"): found, ("a network", "baseline"): found}, 0.05)
    assert [line.get_color() for line in shown.axes[1].lines] == [figures.colour(m) for m in ("fmfp", "baseline")]
