"""The bootstrap by counts equals the bootstrap by repetition; verdicts follow their rule."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from fmfp_lib import metrics, statistics
from fmfp_lib.statistics import bootstrap, scores
from fmfp_lib.statistics.replicates import drawn_counts


def classifier(seed, n=60, k=4, ties=True):
    rng = np.random.default_rng(seed)
    logits = 2 * rng.normal(size=(n, k))
    return logits.round(0) if ties else logits


def naive(logits, labels, replicates, seed):
    n, rows = len(labels), []
    for counts in drawn_counts(n, replicates, seed):
        for row in counts.T.astype(int):
            chosen = np.repeat(np.arange(n), row)
            rows.append(metrics.evaluate(logits[chosen], labels[chosen]))
    return {name: np.array([row[name] for row in rows]) for name in statistics.RANKING + statistics.SUMS}


@settings(deadline=None)  # a busy machine is no failure
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
    _, drawn = bootstrap.metric_replicates(classifier(1), labels, statistics.SUMS, 40, 3)
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


# -- few seeds, and biased metrics ------------------------------------------------------------------------------


def test_few_seeds_are_drawn_for_what_they_are_worth():
    values = np.array([[1.0, 2.0, 6.0]] * 400)
    drawn = statistics.mean_over_drawn_seeds(values, seed=1)
    widening = 4.302653 / 1.96 * np.sqrt(3 / 2)
    chosen = np.random.default_rng([1, 3]).integers(0, 3, (400, 3))
    assert drawn == pytest.approx(3 + widening * (values[0][chosen].mean(1) - 3), rel=1e-6)
    assert (statistics.mean_over_drawn_seeds(values[:, :1]) == 1).all()


@pytest.mark.parametrize("seeds", [2, 3, 5])
@pytest.mark.parametrize("ratio", [0.5, 2.0, 1e6])  # how much seeds vary, against how much images do
def test_without_an_effect_about_one_interval_in_twenty_is_certain(seeds, ratio):
    rng, wrong, trials = np.random.default_rng(0), 0, 600
    for trial in range(trials):
        found = ratio * np.sqrt(seeds) * rng.normal(size=seeds) + rng.normal()
        drawn = statistics.mean_over_drawn_seeds(found + rng.normal(size=(300, 1)), trial)
        low, high = np.percentile(drawn, [2.5, 97.5])
        wrong += not low <= 0 <= high
    assert wrong / trials < 0.09  # 5 %, three standard errors and the percentiles' own noise


def test_interval_over_seeds_is_students():
    mean, low, high = statistics.over_seeds([1.0, 2.0, 3.0])
    assert mean == 2 and (low, high) == pytest.approx((2 - 4.302653 / 3**0.5, 2 + 4.302653 / 3**0.5))
    assert np.isnan(statistics.over_seeds([1.0])[1])


def test_clusters_are_drawn_whole():
    rng = np.random.default_rng(0)
    methods = np.repeat(np.arange(4), 5)
    x, y = (rng.normal(size=4)[methods] + 0.01 * rng.normal(size=20) for _ in range(2))
    apart, together = (statistics.rank_correlation(x, y, 300, clusters=c) for c in (None, methods))
    assert apart[0] == together[0] and together[2] - together[1] > apart[2] - apart[1]
    assert np.isnan(statistics.rank_correlation(np.ones(5), np.arange(5), 10)).all()


def test_rank_correlation_is_spearmans():
    from scipy.stats import spearmanr

    rng = np.random.default_rng(0)
    x = rng.normal(size=40).round(1)
    y = x + rng.normal(size=40)
    rho, low, high = statistics.rank_correlation(x, y, 300)
    assert rho == pytest.approx(spearmanr(x, y).statistic) and 0 < low < rho < high < 1
    with pytest.raises(ValueError, match="n >= 3"):
        statistics.rank_correlation([1, 2], [1, 2])


def test_holm_by_hand():
    assert statistics.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert statistics.holm([0.5, 0.9]) == pytest.approx([1, 1])
    with pytest.raises(ValueError, match="one a test"):
        statistics.holm([1.2])


def overlap(confidence, correct):
    """All thresholds, one by one."""
    best = 1.0
    for threshold in [*np.unique(confidence), np.inf]:
        accepted = confidence >= threshold
        best = min(best, np.mean(~accepted[correct]) + np.mean(accepted[~correct]))
    return best


SLOW = {
    "confidence_right": lambda c, y: c[y].mean(),
    "confidence_wrong": lambda c, y: c[~y].mean(),
    "confidence_gap": lambda c, y: c[y].mean() - c[~y].mean(),
    "overlap": overlap,
    **{name: getattr(metrics, name) for name in statistics.RANKING},
    "selective_risk@0.8": lambda c, y: metrics.selective_risk_at(c, y, 0.8),
    "selective_risk@0.33": lambda c, y: metrics.selective_risk_at(c, y, 0.33),
}


@settings(deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_statistics_of_scores_equal_repetition(seed, ties):
    rng = np.random.default_rng(seed)
    confidence, correct = rng.random(40), rng.random(40) < 0.7
    confidence = confidence.round(1) if ties else confidence
    whole, drawn = scores.score_replicates(confidence, correct, tuple(SLOW), 4, seed)
    samples = [np.repeat(np.arange(40), row) for chunk in drawn_counts(40, 4, seed) for row in chunk.T.astype(int)]
    for name, metric in SLOW.items():
        if 0 < correct.sum() < 40:
            assert whole[name][0] == pytest.approx(metric(confidence, correct))
        for i, value in zip(samples, drawn[name], strict=True):
            if 0 < correct[i].sum() < 40:
                assert value == pytest.approx(metric(confidence[i], correct[i])), name


def test_scores_are_compared_with_the_draws_of_the_metrics():
    labels = np.random.default_rng(0).integers(0, 4, 60)
    a, b = ([(classifier(s, ties=False), labels) for s in seeds] for seeds in ((0, 1, 2), (3, 4, 5)))
    scored = [[(metrics.softmax(z).max(1), z.argmax(1) == y) for z, y in runs] for runs in (a, b)]
    found = statistics.compare_scores(*scored, statistics.RANKING, 50)
    for name, expected in statistics.compare_methods(a, b, statistics.RANKING, 50).items():
        assert found[name].difference == pytest.approx(expected.difference)
        assert (found[name].low, found[name].high) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize("name", ["f1", "selective_risk@0", "selective_risk@1.5", "selective_risk@", "selective_risk"])
def test_an_unknown_statistic_names_the_choices(name):
    run = (np.ones(3), np.array([True, False, True]))
    with pytest.raises(ValueError, match="choose among confidence_right"):
        statistics.compare_scores([run], [run], (name,), 5)


# -- what goes into a difference ------------------------------------------------------------------------------


@given(st.integers(0, 10_000), st.booleans())
def test_augrc_is_determined_by_auroc_and_error_rate(seed, ties):
    rng = np.random.default_rng(seed)
    confidence, correct = rng.random(50), rng.random(50) < 0.7
    confidence = confidence.round(1) if ties else confidence
    if 0 < correct.sum() < 50:
        found = statistics.augrc_from(metrics.auroc(confidence, correct), 1 - correct.mean(), 50)
        assert found == pytest.approx(metrics.augrc(confidence, correct))


def runs_of(seeds, n=80):
    labels = np.random.default_rng(0).integers(0, 4, n)
    rngs = [np.random.default_rng(s) for s in seeds]
    return [(2 * np.eye(4)[labels] + rng.normal(size=(n, 4)), labels) for rng in rngs]


def test_sources_of_augrc_add_up_to_the_difference():
    a, b = runs_of((1, 2, 3)), runs_of((4, 5, 6))
    found = statistics.augrc_sources(a, b, 40)
    whole = statistics.compare_methods(a, b, ("augrc",), 40)["augrc"]
    assert found["augrc"].difference == pytest.approx(whole.difference)
    assert (found["augrc"].low, found["augrc"].high) == pytest.approx((whole.low, whole.high))
    parts = found["by_ranking"].replicates + found["by_errors"].replicates
    assert parts == pytest.approx(found["augrc"].replicates)


def test_a_change_of_confidence_alone_is_all_ranking():
    runs = runs_of((1, 2))
    # The same predictions, each row's logits stretched by a factor of its own: other confidences, the same errors.
    stretched = [(z * np.random.default_rng(9).uniform(0.5, 2, (len(z), 1)), y) for z, y in runs]
    found = statistics.augrc_sources(runs, stretched, 30)
    assert found["by_errors"].difference == 0 and not found["by_errors"].replicates.any()
    assert found["by_ranking"].difference == pytest.approx(found["augrc"].difference) != 0


def test_interaction_is_the_whole_less_the_sum_of_the_parts():
    base, one, two, both = (runs_of(seeds) for seeds in ((0, 1, 2), (3, 4, 5), (6, 7, 8), (9, 10, 11)))
    whole, first, second = (statistics.compare_methods(base, x, ("auroc",), 50)["auroc"] for x in (both, one, two))
    found = statistics.interaction(whole, [first, second])
    assert found.difference == pytest.approx(whole.difference - first.difference - second.difference)
    assert found.low <= found.difference <= found.high
    # An ingredient that does nothing leaves the whole as it is.
    none = statistics.compare_methods(base, base, ("auroc",), 50)["auroc"]
    alone = statistics.interaction(first, [first, none])
    assert alone.difference == 0 and alone.low == alone.high == 0
    for parts in ([], [statistics.compare_methods(base, one, ("auroc",), 40)["auroc"]]):
        with pytest.raises(ValueError, match="equally many"):
            statistics.interaction(whole, parts)


def test_one_error_at_the_top_turns_the_order_of_aurc_against_that_of_augrc():
    """The pair of the book: one early error and nine last ones, against ten errors in the lowest third."""
    n, labels = 100, np.zeros(100, int)
    early, spread = np.r_[0, 91:100], np.arange(60, 100, 4)

    def logits(wrong):
        z = np.zeros((n, 2))
        z[:, 0] = np.linspace(5, 1, n)
        z[wrong] = z[wrong][:, ::-1]
        return z

    runs = {"early": [(logits(early), labels)], "spread": [(logits(spread), labels)]}
    found = statistics.reordered(runs, "aurc", "augrc", 20)
    assert [(a, b) for a, b, *_ in found] == [("early", "spread")]
    assert found[0][2].difference < 0 < found[0][3].difference


def test_seeds_can_be_kept_as_they_are():
    """Images alone vary then: with one and the same run for every seed nothing else could."""
    a, b = runs_of((1,)) * 3, runs_of((2,)) * 3
    kept = statistics.compare_methods(a, b, ("auroc",), 60, draw_seeds=False)["auroc"]
    single = statistics.compare_methods(a[:1], b[:1], ("auroc",), 60, draw_seeds=False)["auroc"]
    assert kept.replicates == pytest.approx(single.replicates)
    a, b = runs_of((1, 2, 3)), runs_of((4, 5, 6))
    both = [
        np.ptp(statistics.compare_methods(a, b, ("auroc",), 400, draw_seeds=d)["auroc"].replicates)
        for d in (True, False)
    ]
    assert both[1] < both[0]


def simulated(seed, n, scale):
    """A classifier of two classes whose logits are true log-odds times `scale`: calibrated for 1."""
    rng = np.random.default_rng(seed)
    odds = 2.5 * rng.normal(size=n)
    labels = (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(int)
    return labels, np.stack([np.zeros(n), scale * odds], 1)


@pytest.mark.parametrize("metric", ["accuracy", "ece", "nll", "brier", "auroc", "aurc", "fpr95"])
def test_intervals_of_every_metric_cover_at_their_rate(metric):
    # A calibrated classifier against an over-confident one with other errors; the truth is the mean over test sets.
    def pair(seed, n=1000):
        labels, good = simulated(seed, n, 1.0)
        noise = np.random.default_rng(seed + 10**6).normal(size=n)
        return good, 1.8 * (good + np.stack([0 * noise, noise], 1)), labels

    values = [[metrics.evaluate(z, y)[metric] for z in (a, b)] for a, b, y in map(pair, range(1000, 1300))]
    truth = np.subtract(*np.mean(values, 0)[::-1])
    covered = []
    for seed in range(150):
        a, b, y = pair(seed)
        c = statistics.compare_methods([(a, y)], [(b, y)], (metric,), 300, 10**7 + seed)[metric]
        covered.append(c.low <= truth <= c.high)
    assert 0.88 <= np.mean(covered)  # 0.95, the percentiles' noise, and three standard errors of the simulation


def test_replicates_of_ece_are_moved_to_its_estimate():
    labels, good = simulated(3, 1000, 1.0)
    c = statistics.compare_methods([(3 * good, labels)], [(good, labels)], ("ece",), 300)["ece"]
    assert c.replicates.mean() == pytest.approx(c.difference) and c.low < c.difference < c.high


def test_replicates_without_a_correct_image_are_undefined_and_leave_the_others_alone():
    confidence, correct = np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, False, False, False])
    ranked = statistics.Ranked(confidence, correct)
    none, one = np.array([0, 2, 1, 1.0]), np.array([2, 0, 1, 1.0])
    alone = ranked.drawn(none[:, None]).ranking
    assert np.isnan([alone["auroc"], alone["fpr95"]]).all() and alone["eaurc"] == pytest.approx(0)
    both = ranked.drawn(np.stack([none, one], 1)).ranking
    assert np.isnan(both["auroc"][0]) and both["auroc"][1] == 1 and both["fpr95"][1] == 0
