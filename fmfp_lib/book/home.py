"""The home page's slider: how many wrong answers each method lets through among its surest ones."""

import html
import json
from dataclasses import replace

import numpy as np

from ..metrics import selective_risk_at
from . import explorer, names, pieces, rungs

METHODS = ("baseline", "label_smoothing", "fmfp")
COVERAGES = tuple(range(1, 101))  # percent of the test images that are answered
START = 10  # where the slider stands first, and what the page shows without scripts


def errors(rung: rungs.Rung, methods=METHODS, coverages=COVERAGES) -> dict[str, np.ndarray]:
    """Return how many wrong answers each method gives among its most confident ones, mean over the seeds that decide.

    Parameters
    ----------
    rung : rungs.Rung
    methods : sequence of str
        Those without finished runs are left out.
    coverages : sequence of int
        Percent of the test images that are answered.

    Returns
    -------
    dict of str to ndarray, (coverages,)
        For 10,000 test images, whatever their number is.
    """
    found = {}
    for method, runs in replace(rung.deciding, methods=tuple(methods)).runs().items():
        risks = [[selective_risk_at(*r.scored, c / 100) * c * 100 for c in coverages] for r in runs.values()]
        found[method] = np.mean(risks, 0)
    return found


def _bar(method: str, count: float, widest: float) -> str:
    style = explorer.style(method)
    return (
        f'<div class="home-row"><span>{html.escape(style["name"])}</span>'
        f'<span class="home-bar" data-method="{method}" style="--light:{style["light"]};--dark:{style["dark"]};'
        f'width:{max(100 * count / max(widest, 1e-9), 0.5):.1f}%"></span>'
        f"<output>{count:.1f}</output></div>"
    )


def slider(rung: rungs.Rung = rungs.CLASS) -> str:
    """Return the slider with its bars as HTML; without scripts the bars stand at `START` percent.

    Parameters
    ----------
    rung : rungs.Rung
        With finished runs of `METHODS`.

    Returns
    -------
    str
        HTML, its data and script inside.
    """
    counts = errors(rung)
    at = COVERAGES.index(START)
    bars = "".join(_bar(method, counts[method][at], max(c[at] for c in counts.values())) for method in METHODS)
    seeds = len(rung.deciding.seeds)
    data = json.dumps({method: [round(float(v), 1) for v in values] for method, values in counts.items()})
    words = ", ".join(f"{names.name(m)} {counts[m][at]:.1f}" for m in METHODS)
    return f"""<div class="home-slider" data-errors='{data}'>
<label for="home-coverage">Answer only the surest <b>{START}</b> % of 10,000 images. How many of these answers
are wrong? Mean of {seeds} networks:</label>
<input id="home-coverage" type="range" min="1" max="100" value="{START}">
<div role="img" aria-label="{html.escape(words)}">{bars}</div>
</div>
{pieces.script("home.js")}"""
