"""What the risk-coverage explorer needs of a system, small enough to travel with a page. No torch.

It gets one bit per item, in order of falling confidence: is the prediction wrong? That is all it takes to know the
selective risk at any coverage exactly. Thresholds come at every half per cent of coverage, and the counts behind the
reliability diagram and the histograms bin by bin.
"""

import base64
from pathlib import Path

import numpy as np

ASSETS = Path(__file__).parent / "assets"
GRID = 200  # steps of coverage at which the threshold is kept
BINS = 15  # of the reliability diagram, as in `metrics.ece`
HALVES = 2 * BINS  # bins of the histograms: each bin of the diagram in two


def of_system(confidence, correct, metrics: dict) -> dict:
    """Return what the page needs of one system.

    Parameters
    ----------
    confidence, correct : ndarray of shape (n,)
    metrics : dict of str to float
        What is printed over the system's diagrams.

    Returns
    -------
    dict
        `errors`, base64 of one bit per item, most confident first, 1 where the prediction is wrong; `ties`, the first
        place (from 0) and the length of each group of equal confidence; `thresholds`, of the last confidence c
        accepted at coverage 0, 1/200, ... 1 (one item at coverage 0), base64 of int16, 1000 ln(c / (1 - c)), or for a
        score beyond [0, 1] of float32, c itself; `right` and `wrong`, counts in 30 equal, right-closed bins of
        confidence, and `confidence`, its sum in 15 bins, for a confidence within [0, 1]; and `metrics`, rounded.
    """
    n = len(confidence)
    order = np.argsort(-confidence, kind="stable")
    ordered = confidence[order]
    firsts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    lengths = np.diff(np.append(firsts, n))
    tied = lengths > 1
    accepted = np.maximum(np.ceil(np.arange(GRID + 1) * n / GRID - 1e-9).astype(int), 1)
    found = {
        "errors": _text(np.packbits(~correct[order])),
        "ties": np.stack([firsts[tied], lengths[tied]], 1).tolist(),
        **{name: round(value, 6) if np.isfinite(value) else None for name, value in metrics.items()},
    }
    if ordered[0] > 1 or ordered[-1] < 0:
        return found | {"thresholds": _text(ordered[accepted - 1].astype("<f4"))}
    with np.errstate(divide="ignore"):  # a confidence of 1 has infinite log-odds: the largest int16
        log_odds = np.log(ordered) - np.log1p(-ordered)
    thresholds = np.clip(np.rint(1000 * log_odds[accepted - 1]), -32767, 32767)
    half = np.clip(np.ceil(confidence * HALVES).astype(int) - 1, 0, HALVES - 1)
    return found | {
        "thresholds": _text(thresholds.astype("<i2")),
        "right": np.bincount(half[correct], minlength=HALVES).tolist(),
        "wrong": np.bincount(half[~correct], minlength=HALVES).tolist(),
        "confidence": [round(float(s), 3) for s in np.bincount(half // 2, confidence, BINS)],
    }


def _text(array) -> str:
    return base64.b64encode(array.tobytes()).decode()
