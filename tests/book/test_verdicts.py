"""From intervals to verdicts, and how often they err when the truth is known."""

import numpy as np
import pytest

from fmfp_lib.book import nearest, verdicts
from fmfp_lib.book.verdicts import AGAINST, FOR, OPEN, Drawn

YES, PARTLY, UNDECIDED, NO, NONE = verdicts.VERDICTS


def drawn(low, high, **claimed):
    """A comparison whose replicates are spread evenly, with this 95 % interval."""
    width = (high - low) / 0.95
    return Drawn(np.linspace(low - width / 40, high + width / 40, 1001), **({"below": 0.0} | claimed))


@pytest.mark.parametrize(
    ("interval", "claimed", "expected"),
    [
        ((-2, -0.5), dict(below=0), FOR),
        ((-2, 0.5), dict(below=0), OPEN),
        ((0.5, 2), dict(below=0), AGAINST),
        ((-0.2, 0.4), dict(above=-0.5, below=0.5), FOR),
        ((-0.2, 0.6), dict(above=-0.5, below=0.5), OPEN),
        ((0.6, 0.8), dict(above=-0.5, below=0.5), AGAINST),
        ((np.nan, np.nan), dict(below=0), OPEN),
    ],
)
def test_position_of_an_interval(interval, claimed, expected):
    assert verdicts.position(*interval, **claimed) == expected
    if np.isfinite(interval[0]):
        assert drawn(*interval, **claimed).interval == pytest.approx(interval)
        assert drawn(*interval, **claimed).position == expected


@pytest.mark.parametrize(
    ("intervals", "expected"),
    [
        ([], NONE),
        ([(-2, -1)], YES),
        ([(-2, 1)], UNDECIDED),
        ([(1, 2)], NO),
        ([(-2, -1), (-2, 0.5)], YES),  # their mean is clear
        ([(-0.4, 0.2), (-0.4, 0.2), (-0.4, 0.2)], UNDECIDED),
        ([(-1.2, -0.2), (-1, 4)], PARTLY),  # one is clear, their mean is not
        ([(-6, -5), (1, 2)], PARTLY),  # the mean is clear for it, one is clear against
        ([(-2, -1), (5, 6)], PARTLY),
        ([(-4, 2), (1, 2)], UNDECIDED),  # one is clear against, their mean is not
    ],
)
def test_a_part_is_decided_by_the_mean_and_by_each(intervals, expected):
    assert verdicts.decide(drawn(*interval) for interval in intervals) == expected


def test_one_clear_comparison_of_many_must_stay_clear_after_holm():
    nearly = drawn(-2.01, -0.01)  # by itself it excludes 0
    assert nearly.position == FOR and verdicts.decide([nearly]) == YES
    others = [drawn(-1, 2)] * 5
    assert verdicts.decide([nearly, *others]) == UNDECIDED
    assert verdicts.decide([drawn(-2, -1), *others]) == PARTLY


def test_what_a_claim_presupposes_must_be_clear():
    unsure = Drawn(np.linspace(-2, -1, 101), below=0.0, sure=False)
    assert unsure.position == OPEN and verdicts.decide([unsure]) == UNDECIDED
    with pytest.raises(ValueError, match="expected one range"):
        verdicts.pooled([drawn(-2, -1), drawn(-2, -1, below=1.0)])


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([], NONE), ([NONE, NONE], NONE), ([YES, NONE], PARTLY), ([YES, YES], YES), ([YES, NO], PARTLY),
        ([YES, NO, NO], PARTLY), ([NO, PARTLY], PARTLY), ([NO, NO, UNDECIDED], NO), ([NO, UNDECIDED], UNDECIDED),
        ([UNDECIDED, NONE], UNDECIDED), ([PARTLY], PARTLY), ([NO, NONE], NO),
    ],
)  # fmt: skip
def test_parts_combine(parts, expected):
    assert verdicts.combine(parts) == expected


def test_unknown_verdicts_are_refused():
    with pytest.raises(ValueError, match="choose among supported"):
        verdicts.combine(["maybe"])


# Points of AUROC, as on the ladder's rungs (`test_claims_numbers` holds them against the records).
SPREAD = verdicts.Spread(seeds=0.5, images=0.35)


@pytest.mark.parametrize("seeds", [3, 5])
@pytest.mark.parametrize("parts", [1, 5])
def test_without_an_effect_no_claim_is_supported_or_contradicted(seeds, parts):
    found = verdicts.simulated(0.0, SPREAD, seeds, parts=parts, trials=400, replicates=200)
    error = 3 * np.sqrt(0.025 * 0.975 / 400)  # of the simulation
    assert found[YES] <= 0.025 + error and found[NO] <= 0.025 + error
    assert sum(found.values()) == pytest.approx(1)


def test_the_published_effect_is_found():
    found = verdicts.simulated(-2.5, SPREAD, 3, trials=200, replicates=200)
    assert found[YES] >= 0.8 and found[NO] == 0


def test_what_pairs_of_networks_err_apart_shrinks_with_more_images():
    spread = verdicts.Spread(seeds=0.5, images=0.35, pairs=0.5)
    assert (wider := spread.on(4)).seeds == pytest.approx(0.25) and wider.images == pytest.approx(0.175)
    assert verdicts.images_needed(0.5, spread, 10_000) > 10_000  # none were enough if the seeds kept their spread
    assert verdicts.images_needed(0.5, verdicts.Spread(0.5, 0.35), 10_000) is None
    assert verdicts.seeds_needed(1.5, spread) > verdicts.seeds_needed(1.5, SPREAD)  # the interval counts it twice


def test_what_is_not_defined_speaks_for_neither_side():
    nothing = Drawn(np.full(99, np.nan), below=0.0)
    assert nothing.p_value(FOR) == nothing.p_value(AGAINST) == 1


def test_more_seeds_are_needed_for_smaller_effects():
    wanted = [verdicts.seeds_needed(effect, SPREAD) for effect in (3.0, 1.5, 1.2)]
    assert wanted[0] == 3 and wanted == sorted(wanted) and wanted[2] > 3
    assert verdicts.seeds_needed(-1.5, SPREAD) == wanted[1]
    assert verdicts.seeds_needed(0.5, SPREAD) is None  # however many seeds: the images are too few
    assert verdicts.images_needed(0.5, SPREAD, 10_000, seeds=40) > 10_000
    assert verdicts.images_needed(3.0, SPREAD, 10_000) == 10_000
    assert verdicts.images_needed(0.1, SPREAD, 10_000) is None  # however many images: the seeds differ too much
    size, rng = wanted[1], np.random.default_rng(1)
    hits = 0
    for trial in range(300):
        truth = 1.5 + SPREAD.seeds * rng.normal(size=size) + SPREAD.images * rng.normal()
        from fmfp_lib.statistics import mean_over_drawn_seeds

        values = mean_over_drawn_seeds(truth + SPREAD.images * rng.normal(size=(300, 1)), trial)
        hits += np.percentile(values, 2.5) > 0
    assert hits / 300 > 0.7


def test_the_nearest_cell_has_as_many_classes_and_the_closest_accuracy():
    value, where = nearest.cell("baseline", "label_smoothing", "auroc", 10, 0.885)
    assert value == pytest.approx(-0.0251) and where == "EfficientNet, CIFAR-10, 90.2 %"
    assert nearest.cell("baseline", "label_smoothing", "auroc", 100, 0.885)[1].endswith("CIFAR-100, 79.9 %")
    assert np.isnan(nearest.cell("baseline", "label_smoothing", "auroc", 7, 0.885)[0])
    assert np.isnan(nearest.cell("baseline", "fmfp", "overlap", 10, 0.9)[0])
