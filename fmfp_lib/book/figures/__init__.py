"""Figures of the book, by subject."""

from .calibration import (
    calibration_against_ranking,
    class_probabilities,
    confidence_histograms,
    confidence_shift,
    temperature_curves,
    two_questions,
)
from .cost import (
    CHEAPER,
    cost_against_gain,
    cost_benefit,
)
from .flatness import (
    flatness_against,
    loss_lines,
    under_perturbation,
    valleys,
)
from .images import (
    sample_images,
)
from .ladder import (
    effects_against_accuracy,
    effects_against_setting,
)
from .ranking import (
    differences_by_coverage,
    effects,
    error_weights,
    metric_points,
    risk_coverage_panels,
    risk_coverage_plot,
    two_risks,
    wins_heatmap,
)
from .shift import (
    corrupted_images,
    differences_by_kind,
    metrics_by_severity,
)
from .style import (
    CORRECT,
    INCORRECT,
    colour,
    readable,
)
from .thresholds import (
    promise_under_shift,
    promises_kept,
)
from .training import (
    late_training,
    training_curves,
)

__all__ = [
    "CHEAPER",
    "CORRECT",
    "INCORRECT",
    "calibration_against_ranking",
    "class_probabilities",
    "colour",
    "confidence_histograms",
    "confidence_shift",
    "corrupted_images",
    "cost_against_gain",
    "cost_benefit",
    "differences_by_coverage",
    "differences_by_kind",
    "effects",
    "effects_against_accuracy",
    "effects_against_setting",
    "error_weights",
    "flatness_against",
    "late_training",
    "loss_lines",
    "metric_points",
    "metrics_by_severity",
    "promise_under_shift",
    "promises_kept",
    "readable",
    "risk_coverage_panels",
    "risk_coverage_plot",
    "sample_images",
    "temperature_curves",
    "training_curves",
    "two_questions",
    "two_risks",
    "under_perturbation",
    "valleys",
    "wins_heatmap",
]
