"""The data behind the book's risk-coverage explorer: every finished run, small enough to travel with the page.

Of each run the page gets one bit an image, in order of falling confidence: is the prediction wrong? That is all it
takes to know the selective risk at any coverage exactly. Thresholds come at every half per cent of coverage, and the
counts behind the reliability diagram and the histograms bin by bin.
"""

import base64
import json
from pathlib import Path

import numpy as np
from matplotlib.colors import to_hex, to_rgb

from ..methods import METHODS
from ..metrics import evaluate
from . import figures, names
from .study import shown

GRID = 200  # steps of coverage at which the threshold is kept
BINS = 15  # of the reliability diagram, as in `metrics.ece`
HALVES = 2 * BINS  # bins of the histograms: each bin of the diagram in two
BACKGROUNDS = {"light": "#ffffff", "dark": "#14181e"}  # of the book's theme
DEFAULT = ("baseline", "label_smoothing", "fmfp")  # what the page opens with, and its still picture shows

# A method without a colour of its own takes a relative's, with dashes; an objective keeps its colour with a flat method
# on top, and the dashes say which.
_RELATIVES = {
    "regmixup": ("mixup", "2 3"), "ema": ("swa", "2 3"), "cosine": ("baseline", "2 3"), "sure": ("fmfp", "2 3"),
    "sam_k2": ("sam", "4 2"), "sam_k5": ("sam", "1 2"), "sam_bn": ("sam", "8 3 2 3"),
    "fmfp_k2": ("fmfp", "4 2"), "fmfp_k5": ("fmfp", "1 2"), "fmfp_bn": ("fmfp", "8 3 2 3"),
}  # fmt: skip
_DASHES = {"": "", "sam": "8 3 2 3", "swa": "4 2", "ema": "1 2", "fmfp": "8 3"}


def _luminance(rgb) -> float:
    rgb = np.asarray(rgb)
    return float(np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ (0.2126, 0.7152, 0.0722))


def _readable(rgb, background: str) -> str:
    """Return the colour (``#rrggbb``), moved no further from `background` than a contrast of 3 to 1 asks for (WCAG)."""
    ground = _luminance(to_rgb(background))
    towards = np.zeros(3) if ground > 0.5 else np.ones(3)
    for share in np.linspace(0, 1, 51):
        mixed = (1 - share) * np.asarray(rgb) + share * towards
        low, high = sorted((_luminance(mixed), ground))
        if (high + 0.05) / (low + 0.05) >= 3:
            break
    return to_hex(mixed)


def _both(rgb) -> dict[str, str]:
    return {theme: _readable(rgb, background) for theme, background in BACKGROUNDS.items()}


def style(method: str) -> dict[str, str]:
    """Return a method's name in print, its colours in the light and the dark theme (``#rrggbb``), and its dashes.

    Dashes are as SVG has them; empty means solid.
    """
    objective, _, flat = method.partition("+")
    relative, dashes = _RELATIVES.get(objective, (objective, ""))
    dashes = f"{dashes} {_DASHES[flat]}".strip()
    return {"name": names.name(method), **_both(figures.colour(relative)), "dashes": dashes}


def _text(array) -> str:
    return base64.b64encode(array.tobytes()).decode()


def run(record) -> dict:
    """Return what the page needs of one finished run.

    Parameters
    ----------
    record : records.Record

    Returns
    -------
    dict
        `seed`; `errors`, base64 of one bit an image, most confident first, 1 where the prediction is wrong; `ties`,
        the first place (from 0) and the length of each group of equal confidence; `thresholds`, base64 of int16,
        1000 ln(c / (1 - c)) of the last confidence c accepted at coverage 0, 1/200, ... 1 (one image at coverage 0);
        `right` and `wrong`, counts in 30 equal, right-closed bins of confidence; `confidence`, its sum in 15 bins;
        `accuracy`, `auroc`, `aurc` and `ece` as `metrics.evaluate` has them.
    """
    confidence, correct = figures.confidence_and_correct(record)
    n = len(confidence)
    order = np.argsort(-confidence, kind="stable")
    ordered = confidence[order]
    firsts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    lengths = np.diff(np.append(firsts, n))
    tied = lengths > 1
    accepted = np.maximum(np.ceil(np.arange(GRID + 1) * n / GRID - 1e-9).astype(int), 1)
    with np.errstate(divide="ignore"):  # a confidence of 1 has infinite log-odds: the largest int16
        log_odds = np.log(ordered) - np.log1p(-ordered)
    thresholds = np.clip(np.rint(1000 * log_odds[accepted - 1]), -32767, 32767)
    half = np.clip(np.ceil(confidence * HALVES).astype(int) - 1, 0, HALVES - 1)
    metrics = evaluate(record.logits, record.labels)
    return {
        "seed": record.settings.seed,
        "errors": _text(np.packbits(~correct[order])),
        "ties": np.stack([firsts[tied], lengths[tied]], 1).tolist(),
        "thresholds": _text(thresholds.astype("<i2")),
        "right": np.bincount(half[correct], minlength=HALVES).tolist(),
        "wrong": np.bincount(half[~correct], minlength=HALVES).tolist(),
        "confidence": [round(float(s), 3) for s in np.bincount(half // 2, confidence, BINS)],
        **{name: round(metrics[name], 6) for name in ("accuracy", "auroc", "aurc", "ece")},
    }


def content(groups) -> dict:
    """Return what the page needs of several `study.Group`: their runs, and how each method is drawn.

    Raises
    ------
    ValueError
        If there is no group, or the test sets within one differ in size.
    """
    if not groups:
        raise ValueError("no finished runs to explore; the explorer needs at least one group")
    shown = [method for method in METHODS if any(method in group.runs for group in groups)]
    entries = []
    for group in groups:
        sizes = {len(record.labels) for record in group.records}
        if len(sizes) > 1:
            raise ValueError(f"{group.title}: test sets of {sorted(sizes)} images; expected one size a group")
        settings = group.records[0].settings.complete()
        entries.append({
            "dataset": group.dataset, "network": group.network, "scale": group.scale,
            "dataset_name": names.name(group.dataset), "network_name": names.name(group.network),
            "train_size": settings.train_size, "epochs": settings.epochs, "n": sizes.pop(),
            "runs": {method: [run(record) for record in records] for method, records in group.runs.items()},
        })  # fmt: skip
    return {
        "grid": GRID, "bins": BINS, "default": [m for m in DEFAULT if m in shown] or shown[:1],
        "right": _both(figures.RIGHT), "wrong": _both(figures.WRONG),
        "methods": {method: style(method) for method in shown}, "groups": entries,
    }  # fmt: skip


def write(book: Path, groups=None) -> None:
    """Write ``assets/explorer_data.js`` and the page's still picture ``images/explorer.png`` into the folder `book`.

    `groups` defaults to every finished run that the book shows. The data are a script, because a page opened from
    disk may load scripts, but nothing else.
    """
    if groups is None:
        groups = shown(METHODS)
    text = json.dumps(content(groups), separators=(",", ":"))
    for name in ("assets", "images"):
        (book / name).mkdir(parents=True, exist_ok=True)
    (book / "assets" / "explorer_data.js").write_text(f"window.fmfpExplorer={text};\n")
    runs = groups[0].runs
    drawn = [runs[m][0] for m in DEFAULT if m in runs] or groups[0].records[:1]
    still = figures.risk_coverage_plot(drawn)
    highest = max(1 - record.metrics["accuracy"] for record in drawn)
    still.axes[0].set_ylim(0, 110 * highest)  # the first few images may be wrong by chance; they stay outside
    still.savefig(book / "images" / "explorer.png", dpi=130, facecolor="white", bbox_inches="tight")
