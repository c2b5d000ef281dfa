"""No value depends on the order of the samples: every public function of metrics, statistics and confidence."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmfp_lib import confidence, metrics, statistics

INFINITE = np.array([-np.inf, np.inf])


class Sample:
    """Logits of a few samples with ties or saturation, a score with ties and infinite values, and two runs."""

    def __init__(self, seed, kind):
        rng = np.random.default_rng(seed)
        n, k = int(rng.integers(4, 60)), int(rng.integers(2, 6))
        scale = {"plain": 2, "ties": 1, "saturated": 300}[kind]
        self.y = rng.integers(0, k, n)
        self.z, self.other = (scale * rng.normal(size=(n, k)) for _ in range(2))
        if kind == "ties":
            self.z, self.other = self.z.round(), self.other.round()
        self.score = rng.normal(size=n).round(1)
        self.score[rng.random(n) < 0.2] = rng.choice(INFINITE)
        self.x = rng.normal(size=(n, 3)).round(1)
        self.derive()

    def derive(self):
        self.p = metrics.softmax(self.z)
        self.msp, self.correct = self.p.max(1), self.z.argmax(1) == self.y
        self.runs = [(self.z, self.y)], [(self.other, self.y)]
        self.scores = [(self.score, self.correct)], [(self.msp, self.correct)]

    def shuffled(self, order):
        moved = object.__new__(Sample)
        for name in ("z", "other", "y", "score", "x"):
            setattr(moved, name, getattr(self, name)[order])
        moved.derive()
        return moved


def points(comparisons):
    """The samples' own values; which of them a replicate draws does depend on their order."""
    return [(c.a, c.b, c.difference) for c in comparisons.values()]


def ranked(s):
    found = statistics.Ranked(s.score, s.correct).drawn(np.ones((len(s.y), 1), np.float32)).ranking
    return [found[name] for name in sorted(found)]


STATISTICS = ("overlap", "selective_risk@0.3", *statistics.RANKING)
SAME = {
    **{f"metrics.{name}": lambda s, f=getattr(metrics, name): f(s.score, s.correct) for name in (
        "augrc", "aupr_error", "aupr_success", "aurc", "auroc", "eaurc", "evaluate_confidence", "fpr95",
        "generalised_risk_curve", "naurc", "overlap", "risk_coverage_curve")},
    **{f"metrics.{name}": lambda s, f=getattr(metrics, name): f(s.p, s.y) for name in (
        "brier", "ece", "ece_adaptive", "ece_classwise")},
    "metrics.coverage_at_risk": lambda s: metrics.coverage_at_risk(s.score, s.correct, 0.2),
    "metrics.selective_risk_at": lambda s: metrics.selective_risk_at(s.score, s.correct, 0.3),
    "metrics.reliability_curve": lambda s: metrics.reliability_curve(s.msp, s.correct),
    "metrics.calibrated_right_confidence": lambda s: metrics.calibrated_right_confidence(s.msp),
    "metrics.evaluate": lambda s: metrics.evaluate(s.z, s.y),
    "metrics.nll": lambda s: metrics.nll(s.z, s.y),
    "statistics.Ranked": ranked,
    "statistics.augrc_sources": lambda s: points(statistics.augrc_sources(*s.runs, replicates=2)),
    "statistics.compare_methods": lambda s: points(
        statistics.compare_methods(*s.runs, statistics.RANKING + statistics.SUMS, replicates=2)),
    "statistics.paired_bootstrap": lambda s: points(statistics.paired_bootstrap(s.z, s.other, s.y, replicates=2)),
    "statistics.compare_scores": lambda s: points(statistics.compare_scores(*s.scores, STATISTICS, replicates=2)),
    "statistics.reordered": lambda s: [found[:2] for found in statistics.reordered(
        dict(zip("ab", s.runs, strict=True)), "aurc", "augrc", replicates=2)],
    "statistics.correlation_replicates": lambda s: statistics.correlation_replicates(s.msp, s.z[:, 0], 1)[0],
    "statistics.rank_correlation": lambda s: statistics.rank_correlation(s.msp, s.z[:, 0], replicates=1)[0],
    "confidence.fit_p": lambda s: confidence.fit_p(s.z, s.y),
    "confidence.fit_temperature": lambda s: confidence.fit_temperature(s.z, s.y),
    "confidence.temperature_sweep": lambda s: list(
        confidence.temperature_sweep(s.z, s.y, np.array([0.1, 1, 5])).values()),
}  # fmt: skip
MOVES = {  # a value for each sample
    **{f"metrics.{name}": lambda s, f=getattr(metrics, name): f(s.z) for name in ("log_softmax", "softmax")},
    **{f"confidence.{name}": lambda s, f=getattr(confidence, name): f(s.z) for name in (
        "energy", "entropy", "margin", "max_logit", "msp", "p_norm_max_logit")},
    "confidence.ensemble": lambda s: confidence.ensemble([s.z, s.other]),
    "confidence.neighbouring_ensembles": lambda s: np.stack(
        confidence.neighbouring_ensembles([s.z, s.other, s.z + s.other], 2), 1),
    "confidence.scale": lambda s: confidence.scale(s.z, 0.5),
    "confidence.trust_score": lambda s: confidence.trust_score(s.x, s.z.argmax(1), *TRAIN, k=2),
}  # fmt: skip
_rng = np.random.default_rng(0)
TRAIN = _rng.normal(size=(60, 3)).round(1), np.arange(60) % 6
OTHERS = {  # no samples among their arguments, or a network, whose training draws them by place
    "metrics": {"error_weights"},
    "statistics": {"Comparison", "augrc_from", "from_replicates", "holm", "interaction", "mean_over_drawn_seeds",
                   "over_seeds", "sign_test"},
    "confidence": {"ConfidNet", "Swag", "features", "fit_confidnet", "mc_dropout", "mc_dropout_members",
                   "swag_from_run", "swag_logits", "temperature_scaled"},
}  # fmt: skip


def same(a, b):
    if isinstance(a, dict):
        assert list(a) == list(b)
        a, b = list(a.values()), list(b.values())
    if isinstance(a, (list, tuple)):
        assert len(a) == len(b)
        for one, other in zip(a, b, strict=True):
            same(one, other)
    elif isinstance(a, (str, type(None))):
        assert a == b
    else:
        np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-9)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [*SAME, *MOVES])
@settings(deadline=None, max_examples=30)
@given(st.integers(0, 100_000), st.sampled_from(["plain", "ties", "saturated"]), st.booleans())
def test_no_value_depends_on_the_order_of_the_samples(name, seed, kind, by_label):
    sample = Sample(seed, kind)
    order = np.argsort(sample.y, kind="stable") if by_label else np.random.default_rng(seed).permutation(len(sample.y))
    moved = sample.shuffled(order)
    if name in SAME:
        same(SAME[name](sample), SAME[name](moved))
    else:
        same(np.asarray(MOVES[name](sample))[order], np.asarray(MOVES[name](moved)))


@pytest.mark.parametrize("module", [metrics, statistics, confidence])
def test_every_public_function_is_among_them(module):
    short = module.__name__.split(".")[-1]
    tested = {name.split(".")[1] for name in (*SAME, *MOVES) if name.startswith(f"{short}.")}
    public = {name for name in module.__all__ if callable(getattr(module, name))}
    assert tested | OTHERS[short] == public and not tested & OTHERS[short]
