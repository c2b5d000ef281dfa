"""Ways to score a prediction's trustworthiness, beside the maximum softmax probability (MSP).

`logits`, `temperature` and `ensembles` work on logits (n, k) alone, in NumPy, so on any record; `distances` works on
features; the rest needs the network itself, and loads torch when called. Every score has shape (n,) and grows with
trust; ``metrics.evaluate_confidence`` judges it.
"""

from .confidnet import ConfidNet, fit_confidnet
from .distances import trust_score
from .dropout import mc_dropout, mc_dropout_members
from .ensembles import ensemble, neighbouring_ensembles
from .forward import features
from .logits import P_GRID, SCORES, energy, entropy, fit_p, margin, max_logit, msp, p_norm_max_logit
from .swag import Swag, swag_from_run, swag_logits
from .temperature import TEMPERATURES, fit_temperature, scale, temperature_scaled, temperature_sweep

__all__ = [
    "ConfidNet", "P_GRID", "SCORES", "Swag", "TEMPERATURES", "energy", "ensemble", "entropy", "features",
    "fit_confidnet", "fit_p", "fit_temperature", "margin", "max_logit", "mc_dropout", "mc_dropout_members", "msp",
    "neighbouring_ensembles", "p_norm_max_logit", "scale", "swag_from_run", "swag_logits", "temperature_scaled",
    "temperature_sweep", "trust_score",
]  # fmt: skip
