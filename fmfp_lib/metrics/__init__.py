"""Every metric of the paper, in the conventions of its published numbers. NumPy in, floats out.

Confidence, (n,), may be any score that grows with trust; the paper's is the maximum softmax probability (MSP).
`correct`, (n,) bool, is True where the prediction equals the label. All values are in natural units: fractions and
nats. Wrong shapes, NaN and no samples at all raise ValueError.

A metric that is not defined is NaN: AUROC, FPR-95%TPR, NAURC and the overlap need both correct and incorrect
predictions, AUPR-Success a correct and AUPR-Error an incorrect one.

Ties: samples of equal confidence form one threshold. Risk-coverage metrics give every sample of a tied group
the group's error rate, so no value depends on the order of the samples; without ties this is the published
convention exactly.
"""

from .calibration import (
    BINS,
    brier,
    calibrated_right_confidence,
    ece,
    ece_adaptive,
    ece_classwise,
    nll,
    reliability_curve,
)
from .logits import log_softmax, softmax
from .one_pass import evaluate
from .ranking import (
    augrc,
    aupr_error,
    aupr_success,
    aurc,
    auroc,
    eaurc,
    evaluate_confidence,
    fpr95,
    naurc,
    overlap,
)
from .risk_coverage import (
    coverage_at_risk,
    error_weights,
    generalised_risk_curve,
    risk_coverage_curve,
    selective_risk_at,
)

__all__ = [
    "BINS",
    "augrc",
    "aupr_error",
    "aupr_success",
    "aurc",
    "auroc",
    "brier",
    "calibrated_right_confidence",
    "coverage_at_risk",
    "eaurc",
    "ece",
    "ece_adaptive",
    "ece_classwise",
    "error_weights",
    "evaluate",
    "evaluate_confidence",
    "fpr95",
    "generalised_risk_curve",
    "log_softmax",
    "naurc",
    "nll",
    "overlap",
    "reliability_curve",
    "risk_coverage_curve",
    "selective_risk_at",
    "softmax",
]
