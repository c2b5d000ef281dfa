"""Set the threshold: images pass by, each is answered or referred, and both mistakes and referrals cost."""

import html

import numpy as np

from .. import datasets, selective
from ..metrics import softmax
from . import explorer, pieces, rungs
from .home import METHODS

PASSING, SEED = 60, 0
RISK = 0.05  # the largest share of wrong answers that the threshold with a guarantee allows
ERROR, REFERRAL = 10, 1  # what they cost at first
THRESHOLDS = (0.0, *np.arange(0.2, 0.9, 0.05).round(2), *np.arange(0.9, 0.97, 0.01).round(2),
              0.97, 0.975, 0.98, 0.985, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999, 0.99999)  # fmt: skip
WIDTH, HEIGHT = 420, 150


def counts(record) -> tuple[np.ndarray, np.ndarray]:
    """Return how many test images of a record are answered at each of `THRESHOLDS`, and how many answers are wrong."""
    accepted = record.confidence >= np.asarray(THRESHOLDS)[:, None]
    return accepted.sum(1), (accepted & ~record.correct).sum(1)


def cost(answered, wrong, n: int, error: float = ERROR, referral: float = REFERRAL) -> np.ndarray:
    """Return the cost per 1,000 images of answering some of `n` and referring the rest.

    Parameters
    ----------
    answered, wrong : array_like of int
        Images answered, and wrong answers among them.
    n : int
        All images.
    error, referral : float
        What one wrong answer and one referral cost.

    Returns
    -------
    ndarray
        In units of `error` and `referral`.
    """
    return 1000 * (error * np.asarray(wrong) + referral * (n - np.asarray(answered))) / n


def _system(method: str, record, places) -> dict:
    answered, wrong = counts(record)
    valid = softmax(record.valid_logits).max(1), record.valid_logits.argmax(1) == record.valid_labels
    promised = selective.choose_threshold(*valid, RISK, method="monotone").threshold
    kept = selective.outcome(promised, record.confidence, record.correct)
    style = explorer.style(method)
    return {
        "method": method, "name": style["name"], "light": style["light"], "dark": style["dark"],
        "confidence": [round(float(c), 6) for c in record.confidence[places]],
        "right": [int(c) for c in record.correct[places]],
        "answered": answered.tolist(), "wrong": wrong.tolist(),
        "promised": {"threshold": round(promised, 6) if np.isfinite(promised) else None,
                     "answered": kept.accepted, "wrong": kept.errors},
    }  # fmt: skip


def _curves(systems, n) -> str:
    """Return the curves of cost over the thresholds, one per network, as SVG; equal steps from stop to stop."""
    costs = [cost(s["answered"], s["wrong"], n) for s in systems]
    top, lines = max(c.max() for c in costs), []
    for system, values in zip(systems, costs, strict=True):
        x = np.linspace(0, WIDTH, len(values))
        points = " ".join(f"{a:.1f},{HEIGHT * (1 - b / top):.1f}" for a, b in zip(x, values, strict=True))
        lines.append(
            f'<polyline data-method="{system["method"]}" points="{points}" '
            f'style="--light:{system["light"]};--dark:{system["dark"]}"/>'
        )
    mark = f'<line class="game-mark" x1="0" x2="0" y1="0" y2="{HEIGHT}"/>'
    return (
        f'<svg viewBox="0 -2 {WIDTH} {HEIGHT + 4}" role="img" aria-label="Cost against the threshold, one curve '
        f'for each network">{"".join(lines)}{mark}</svg>'
    )


def page() -> str:
    """Return the game as HTML, its images, answers and script inside.

    Without scripts it shows the cost against the threshold at the first prices.
    """
    records = pieces.runs(METHODS)
    n = len(records["baseline"].labels)
    places = np.random.default_rng(SEED).choice(n, PASSING, replace=False)
    images = datasets.load(rungs.CLASS.regime["dataset"], test_size=n).x_test[places]
    strip = np.concatenate(list(images), axis=2)  # side by side
    systems = [_system(method, record, places) for method, record in records.items()]
    data = {"n": n, "risk": RISK, "width": WIDTH, "height": HEIGHT, "thresholds": [float(t) for t in THRESHOLDS],
            "strip": pieces.image_address(strip), "systems": systems}  # fmt: skip
    told = "; ".join(f"{s['name']} {min(cost(s['answered'], s['wrong'], n)):.0f}" for s in systems)
    choices = "".join(f'<option value="{i}">{html.escape(s["name"])}</option>' for i, s in enumerate(systems))
    legend = ", ".join(
        f'<span class="game-line" style="--light:{s["light"]};--dark:{s["dark"]}"></span> {html.escape(s["name"])}'
        for s in systems
    )
    first = THRESHOLDS.index(0.5)
    return f"""<div class="game">
<form onsubmit="return false">
<label>Network <select name="network">{choices}</select></label>
<label>A wrong answer costs <input name="error" type="number" min="0" max="1000" step="any" value="{ERROR}"></label>
<label>A referral costs <input name="referral" type="number" min="0" max="1000" step="any" value="{REFERRAL}"></label>
<label class="game-wide">Answer at a confidence of <output>50 %</output> or more
<input name="threshold" type="range" min="0" max="{len(THRESHOLDS) - 1}" value="{first}"></label>
<button type="button">Let {PASSING} images pass</button>
</form>
<p class="game-count" aria-live="off"></p>
<div class="game-strip"></div>
<ul class="game-said" aria-live="polite"></ul>
<figure class="game-curves">{_curves(systems, n)}
<figcaption>Cost of all {n:,} images against the threshold, from answering all (left) to hardly any
(right): {legend}.</figcaption></figure>
<noscript><p>Scripts are off in this browser, so no images pass. The least cost of 1,000 images, at {ERROR} for a wrong
answer and {REFERRAL} for a referral: {html.escape(told)}.</p></noscript>
{pieces.data(data)}
</div>
{pieces.script("threshold.js")}"""
