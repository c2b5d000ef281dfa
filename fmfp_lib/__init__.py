"""A companion to *Rethinking Confidence Calibration for Failure Prediction* (Zhu et al., ECCV 2022).

Nothing is imported here: ``fmfp_lib.metrics`` needs NumPy alone, and torch is loaded where it is used.
"""

__version__ = "0.1.0"
