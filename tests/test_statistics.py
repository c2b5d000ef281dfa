"""The bootstrap by counts equals the bootstrap by repetition; verdicts follow their rule."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from fmfp_lib import metrics, statistics


def classifier(seed, n=60, k=4, ties=True):
    rng = np.random.default_rng(seed)
    logits = 2 * rng.normal(size=(n, k))
    return logits.round(0) if ties else logits


def naive(logits, labels, replicates, seed):
    n, rows = len(labels), []
    for counts in statistics._counts(n, replicates, seed):
        for row in counts:
            chosen = np.repeat(np.arange(n), row)
            rows.append(metrics.evaluate(logits[chosen], labels[chosen]))
    return {name: np.array([row[name] for row in rows]) for name in statistics.RANKING + statistics.SUMS}


@given(st.integers(0, 10_000), st.booleans(), st.integers(2, 60))
def test_counts_equal_repetition(seed, ties, n):
    a, b = classifier(seed, n, ties=ties), classifier(seed + 1, n, ties=ties)
    labels = np.random.default_rng(seed + 2).integers(0, 4, n)
    found = statistics.paired_bootstrap(a, b, labels, replicates=5, seed=seed)
    first, second = naive(a, labels, 5, seed), naive(b, labels, 5, seed)
    for name, comparison in found.items():
        np.testing.assert_allclose(comparison.replicates, second[name] - first[name], atol=1e-12)
        assert comparison.a == pytest.approx(metrics.evaluate(a, labels)[name], nan_ok=True, abs=1e-12)


def test_sums_equal_repetition():
    labels = np.random.default_rng(0).integers(0, 4, 60)
    _, drawn = statistics._replicates(classifier(1), labels, statistics.SUMS, 40, 3)
    expected = naive(classifier(1), labels, 40, 3)
    for name in statistics.SUMS:
        np.testing.assert_allclose(drawn[name], expected[name], atol=1e-12)


def test_a_method_against_itself_differs_by_nothing():
    labels = np.random.default_rng(0).integers(0, 4, 60)
    runs = [(classifier(s), labels) for s in range(3)]
    for comparison in statistics.compare_methods(runs, runs, statistics.RANKING + statistics.SUMS, 50).values():
        assert comparison.difference == comparison.low == comparison.high == 0 and not comparison.certain


def test_a_better_ranking_is_found_with_certainty():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 2000)
    right = rng.random(2000) < 0.8
    chosen = np.where(right, labels, 1 - labels)
    good, bad = (np.where(right, 2.0, 1.0) + 0.5 * rng.random(2000) for _ in range(2))
    bad = rng.permutation(bad)
    a, b = (c[:, None] * np.eye(2)[chosen] for c in (bad, good))
    found = statistics.paired_bootstrap(a, b, labels, 200)
    assert all(c.better and c.certain for c in found.values())
    assert statistics.verdict(found.values()) == "supported"
    assert statistics.verdict(found.values(), better=False) == "not supported"
    two = statistics.compare_methods([(a, labels)] * 2, [(b, labels)] * 2, ("auroc", "accuracy"), 200)
    assert two["auroc"].difference == pytest.approx(found["auroc"].difference) and two["accuracy"].difference == 0


def test_intervals_cover_at_their_rate():
    # Two equally good classifiers: the true difference is 0, and about 95 % of the intervals hold it.
    covered = 0
    for seed in range(100):
        labels = np.random.default_rng(seed).integers(0, 4, 150)
        found = statistics.paired_bootstrap(
            classifier(seed + 1000, 150, ties=False), classifier(seed + 2000, 150, ties=False), labels, 200, seed
        )
        covered += not found["augrc"].certain
    assert 87 <= covered <= 100


def test_sign_test_is_the_binomial_test():
    for wins, losses in ((5, 0), (7, 3), (2, 9), (0, 0), (4, 4)):
        expected = binomtest(wins, wins + losses).pvalue if wins + losses else 1.0
        assert statistics.sign_test(wins, losses) == pytest.approx(expected)


def comparison(low, high):
    return statistics.Comparison("auroc", 0.0, 0.0, (low + high) / 2, low, high, np.zeros(1))


@pytest.mark.parametrize(
    ("intervals", "expected"),
    [
        ([], "not testable here"),
        ([(1, 2), (-0.5, 2)], "supported"),
        ([(-0.5, 2), (-0.5, 2), (1, 2)], "partly"),
        ([(1, 2), (1, 2), (-2, 1)], "partly"),
        ([(1, 2), (-2, -1)], "not supported"),
        ([(-1, 2), (-1, 2), (-2, -1)], "not supported"),
    ],
)
def test_verdicts(intervals, expected):
    assert statistics.verdict([comparison(*interval) for interval in intervals]) == expected


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: statistics.paired_bootstrap(classifier(0), classifier(1), np.zeros(60, int), 0), "at least 1"),
        (lambda: statistics.paired_bootstrap(classifier(0), classifier(1), np.zeros(59, int)), "expected \\(60,\\)"),
        (lambda: statistics.compare_methods([], []), "paired by seed"),
        (lambda: statistics.compare_methods([(classifier(0), np.zeros(60, int))] * 2, [0]), "2 runs against 1"),
        (lambda: statistics.compare_methods([(classifier(0), np.zeros(60, int))] * 1, [0], ("f1",)), "unknown metric"),
        (lambda: statistics.sign_test(-1, 2), "negative"),
    ],
)
def test_wrong_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_importing_loads_no_torch():
    subprocess.run([sys.executable, "-c", "import sys, fmfp_lib.statistics; assert 'torch' not in sys.modules"],
                   check=True)  # fmt: skip
