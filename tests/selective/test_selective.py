"""Thresholds keep their promise in simulation, and give away little coverage for it."""

import re

import numpy as np
import pytest
from scipy.stats import beta, binom

from fmfp_lib import metrics, selective
from fmfp_lib.selective import choice

DRAWS = 2000


class Population:
    """Confidence is uniform in (0, 1); an item is wrong with probability `error(confidence)`, a step function."""

    def __init__(self, error, cells=100_000):
        self.error = error
        centres = (np.arange(cells) + 0.5) / cells
        below = np.append(np.cumsum(error(centres)[::-1])[::-1], 0) / cells
        self.at, self.mass = np.arange(cells + 1) / cells, below

    def draw(self, rng, n):
        confidence = rng.random(n)
        return confidence, rng.random(n) >= self.error(confidence)

    def risk(self, threshold):
        """The true selective risk of accepting above `threshold`."""
        threshold = np.clip(threshold, 0, 1)
        return np.interp(threshold, self.at, self.mass) / np.maximum(1 - threshold, 1e-12)

    def oracle(self, risk):
        """The largest coverage of all whose risk is at most `risk`."""
        kept = self.risk(self.at[:-1]) <= risk
        return 1 - self.at[:-1][kept].min()


USUAL = Population(lambda c: 0.4 * (1 - c) ** 2)  # errors grow rarer with confidence; 13 % in all
OVERCONFIDENT = Population(lambda c: np.where(c > 0.95, 0.03, 0.012 + 0.4 * (1 - c) ** 2))  # the surest err, too
BLIND = Population(lambda c: np.full_like(c, 0.0501))  # the score knows nothing, and the risk is just too high


def thresholds(population, n, risk, method, choose=None):
    rng = np.random.default_rng(0)
    choose = choose or (lambda c, k: selective.choose_threshold(c, k, risk, method=method).threshold)
    return np.array([choose(*population.draw(rng, n)) for _ in range(DRAWS)])


def kept(population, found, risk):
    """Share of draws in which the promise was kept; where nothing is accepted, it was."""
    return np.mean((found >= 1) | (population.risk(found) <= risk))


@pytest.mark.parametrize("method", selective.METHODS)
@pytest.mark.parametrize(
    ("population", "n", "risk"),
    [(USUAL, 1000, 0.05), (USUAL, 4000, 0.02), (OVERCONFIDENT, 2000, 0.06), (USUAL, 300, 0.1)],
)
def test_promise_is_kept_in_at_least_95_percent_of_draws(population, n, risk, method):
    assert kept(population, thresholds(population, n, risk, method), risk) >= 0.95


@pytest.mark.parametrize("method", selective.METHODS)
def test_worst_case_breaks_the_promise_as_often_as_allowed(method):
    """No threshold can keep it, and chance alone decides; what 2,000 draws show may differ by three deviations."""
    assert kept(BLIND, thresholds(BLIND, 1000, 0.05, method), 0.05) > 0.95 - 3 * np.sqrt(0.05 * 0.95 / DRAWS)


def test_fixed_sequence_needs_no_order_in_the_risk():
    risks = OVERCONFIDENT.risk(np.linspace(0, 0.99, 100))
    assert (np.diff(risks) > 0).any() and (np.diff(risks) < 0).any()  # it falls and rises
    for risk in (0.025, 0.031, 0.05):
        assert kept(OVERCONFIDENT, thresholds(OVERCONFIDENT, 2000, risk, "fixed"), risk) >= 0.95


def test_threshold_read_off_the_same_items_breaks_the_promise():
    def read_off(confidence, correct):
        coverage = metrics.coverage_at_risk(confidence, correct, 0.05)
        return np.sort(confidence)[::-1][max(int(coverage * len(confidence)) - 1, 0)]

    assert kept(USUAL, thresholds(USUAL, 1000, 0.05, None, read_off), 0.05) < 0.6


def test_level_that_the_thresholds_share_is_all_used_and_no_more():
    """Against errors at just the promised rate, `monotone` fails as often as it may: its level is no mere bound."""
    n, risk = 1000, 0.05
    places, level = choice._grid(n, risk, 0.05), choice._common_level(n, risk, 0.05)
    errors = np.cumsum(np.random.default_rng(1).random((10_000, n)) < risk, 1)[:, places - 1]
    anywhere = selective.passes(errors, places, risk, level).any(1).mean()
    assert anywhere == pytest.approx(selective.chance_of_any(places, risk, level), abs=0.007)
    assert 0.04 < anywhere < 0.057


@pytest.mark.parametrize(("method", "share"), [("fixed", 0.95), ("sgr", 0.92), ("monotone", 0.92)])
def test_large_samples_get_nearly_the_largest_coverage_that_there_is(method, share):
    rng, covered = np.random.default_rng(2), []
    for _ in range(20):
        found = selective.choose_threshold(*USUAL.draw(rng, 50_000), 0.02, method=method)
        covered.append(1 - found.threshold)
    assert share * USUAL.oracle(0.02) < np.mean(covered) < USUAL.oracle(0.02)


@pytest.mark.parametrize("method", selective.METHODS)
def test_ties_keep_the_promise_and_are_taken_whole(method):
    """Saturated confidences, many exactly 1, and the others on a grid of a hundredth."""
    levels = np.arange(100) / 100
    share = np.append(np.full(100, 0.6 / 100), 0.4)
    error, value = np.append(0.5 * (1 - levels), 0.01), np.append(levels, 1.0)
    rng, risk, fine, some = np.random.default_rng(3), 0.05, 0, 0
    for _ in range(DRAWS):
        kind = rng.choice(101, 1000, p=share)
        found = selective.choose_threshold(value[kind], rng.random(1000) >= error[kind], risk, method=method)
        above = value > found.threshold
        fine += not above.any() or (share * error)[above].sum() / share[above].sum() <= risk
        assert found.accepted == (value[kind] > found.threshold).sum()
        some += found.accepted >= 300
    assert fine >= 0.95 * DRAWS and some >= 0.9 * DRAWS


@pytest.mark.parametrize("method", selective.METHODS)
def test_edges(method):
    def choose(n, right=True, risk=0.02):
        return selective.choose_threshold(np.arange(n), np.full(n, right), risk, method=method)

    assert choose(1000).threshold == -np.inf and choose(1000).coverage == 1 and choose(1000).bound <= 0.02
    none = choose(1000, False)
    assert not none.found and none.threshold == np.inf and np.isnan(none.bound) and "1,000 items allow" in none.reason
    assert "at least 149 calibration items" in choose(148).reason
    assert not none.accepts([np.inf, 1e300]).any() and choose(1000).accepts([-np.inf, 0]).all()


@pytest.mark.parametrize("method", selective.METHODS)
def test_refusal_tells_of_a_test_that_failed(method):
    """Its counts lie above some confidence and break the promise, in print too, whatever the ties."""
    rng, refused = np.random.default_rng(5), 0
    for i in range(400):
        n, risk = int(rng.choice([300, 1000, 3000])), float(rng.choice([0.02, 0.05, 0.1]))
        confidence = rng.random(n).round(2 if i % 2 else 9)
        correct = rng.random(n) >= risk * rng.uniform(0.2, 1.5) + 0.2 * (1 - confidence)
        found = selective.choose_threshold(confidence, correct, risk, method=method)
        if told := re.search(r"of the ([\d,]+) most confident, (\d+) (?:is|are) wrong.*up to ([\d.]+) %", found.reason):
            refused += 1
            accepted, errors = int(told[1].replace(",", "")), int(told[2])
            bound = selective.upper_bound(errors, accepted, 1 - found.delta)
            assert risk < bound <= float(told[3]) / 100 < 1.011 * bound and float(told[3]) > 100 * risk, found.reason
            sizes = np.append(n - np.searchsorted(np.sort(confidence), confidence, "right"), n)
            assert accepted in sizes and errors == (~correct[np.argsort(-confidence, kind="stable")][:accepted]).sum()
    assert refused > 100


def test_refusals_word_for_word():
    rng = np.random.default_rng(61)
    confidence = rng.random(1000).round(2)
    correct = rng.random(1000) >= 0.05 + 0.2 * (1 - confidence)
    reason = selective.choose_threshold(confidence, correct, 0.1).reason  # not of the 114, whose bound is 9 %
    assert "of the 98 most confident, 5 are wrong, which leaves a risk of up to 10.5 % possible" in reason
    few = selective.choose_threshold(np.arange(251), np.ones(251), 0.02, method="sgr")
    assert few.reason.endswith("takes at least 252 calibration items by the method sgr; there are 251")
    assert selective.choose_threshold(np.arange(252), np.ones(252), 0.02, method="sgr").found


def test_all_items_alike_are_one_threshold():
    alike = np.ones(500)
    assert selective.choose_threshold(alike, alike, 0.02).threshold == -np.inf
    assert not selective.choose_threshold(alike, np.arange(500) % 2, 0.02).found


def test_bounds_are_those_of_the_binomial_distribution():
    errors, n = np.array([0, 3, 20, 50]), np.array([10, 100, 100, 50])
    assert np.allclose(selective.upper_bound(errors, n)[:3], beta.ppf(0.95, errors + 1, n - errors)[:3])
    assert selective.upper_bound(50, 50) == 1 and selective.upper_bound(0, 0) == 1
    low, high = selective.interval(errors, n)
    assert np.allclose(low[1:], beta.ppf(0.025, errors, n - errors + 1)[1:]) and low[0] == 0
    assert np.allclose(high[:3], beta.ppf(0.975, errors + 1, n - errors)[:3]) and high[3] == 1
    for risk in (0.01, 0.05, 0.3):
        fits = selective.upper_bound(errors, n, 0.9) <= risk
        assert np.array_equal(fits, selective.passes(errors, n, risk, 1 - 0.9))
    needed = selective.items_needed(0.02)
    assert (1 - 0.02) ** needed <= 0.05 < (1 - 0.02) ** (needed - 1)


def test_interval_covers_at_least_as_often_as_it_says():
    n, p = 80, 0.07
    low, high = selective.interval(np.arange(n + 1), np.full(n + 1, n))
    covered = binom.pmf(np.arange(n + 1), n, p)[(low <= p) & (p <= high)].sum()
    assert 0.95 <= covered < 0.99


def test_groups_keep_their_promises_together():
    rng, fine, risk = np.random.default_rng(4), 0, 0.1
    hard = Population(lambda c: 0.8 * (1 - c))
    for _ in range(500):
        drawn = [population.draw(rng, 600) for population in (USUAL, hard)]
        confidence, correct = (np.concatenate(parts) for parts in zip(*drawn, strict=True))
        found = selective.choose_by_group(confidence, correct, np.repeat(["easy", "hard"], 600), risk)
        assert list(found) == ["easy", "hard"] and found["easy"].level == pytest.approx(0.975)
        fine += all(p.risk(t.threshold) <= risk for p, t in zip((USUAL, hard), found.values(), strict=True) if t.found)
    assert fine >= 0.95 * 500 and found["easy"].coverage > found["hard"].coverage


def test_outcome_counts_what_the_threshold_lets_through():
    found = selective.outcome(0.5, [0.9, 0.5, 0.6, 0.1], [True, True, False, False])
    assert (found.n, found.accepted, found.errors, found.coverage, found.risk) == (4, 2, 1, 0.5, 0.5)
    assert (found.low, found.high) == selective.interval(1, 2)
    assert np.isnan(selective.outcome(1, [0.5], [True]).risk)


@pytest.mark.parametrize(("promised", "broken"), [(0.02, 0.04), (0.02, 0.06), (0.1, 0.15)])
def test_fewest_items_to_check(promised, broken):
    n, alarm = selective.items_to_check(promised, broken)

    def enough(size):
        counts = np.arange(size + 1)
        return ((binom.sf(counts - 1, size, promised) <= 0.01) & (binom.sf(counts - 1, size, broken) >= 0.9)).any()

    assert binom.sf(alarm - 1, n, promised) <= 0.01 and binom.sf(alarm - 1, n, broken) >= 0.9
    assert not any(enough(size) for size in range(1, n))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: selective.choose_threshold([0.5], [1], 2), "risk is 2"),
        (lambda: selective.choose_threshold([0.5], [1], 0.1, 1.0), "level is 1.0"),
        (lambda: selective.choose_threshold([0.5], [1], 0.1, method="best"), "fixed, sgr, monotone"),
        (lambda: selective.choose_threshold([np.nan], [1], 0.1), "NaN"),
        (lambda: selective.choose_threshold([0.5, 0.6], [1], 0.1), "shape"),
        (lambda: selective.choose_by_group([0.5], [1], [1, 2], 0.1), r"group has shape \(2,\)"),
        (lambda: selective.items_to_check(0.1, 0.05), "must be larger than promised"),
        (lambda: selective.upper_bound(3, 2), "0 <= errors <= n"),
    ],
)
def test_wrong_values_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
