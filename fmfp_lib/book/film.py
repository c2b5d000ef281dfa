"""Confidence of correct and of incorrect predictions over training, as a film with a slider."""

import html

import numpy as np

from . import explorer, pieces, rungs
from .home import METHODS

BINS = 25  # drawn: two of the records' bins each
WIDTH, HEIGHT = 300, 120  # of a picture, in its own pixels; the axis lies in the middle
SHOWN = ("test_accuracy", "test_auroc", "test_ece")


def frames(rung: rungs.Rung, methods=METHODS) -> dict[str, dict]:
    """Return what each method's film shows, mean over the seeds whose records keep histograms.

    Parameters
    ----------
    rung : rungs.Rung
    methods : sequence of str
        Those without such runs are left out.

    Returns
    -------
    dict of str to dict
        ``epochs`` (f,) int; ``shares`` (f, 2, bins): of the correct and of the incorrect predictions, the share in each
        bin of confidence; ``numbers`` (f, 3): accuracy, AUROC and ECE in percent.
    """
    found, finished = {}, rung.runs()
    for method in methods:
        runs = [r for r in finished.get(method, {}).values() if r.histograms is not None]
        if not runs:
            continue
        rows = [[e for e in r.history if "test_accuracy" in e] for r in runs]
        counts = np.sum([r.histograms for r in runs], 0, dtype=np.float64)
        counts = counts.reshape(*counts.shape[:2], BINS, -1).sum(3)
        found[method] = {
            "epochs": np.array([e["epoch"] for e in rows[0]]),
            "shares": counts / np.maximum(counts.sum(2, keepdims=True), 1),
            "numbers": 100 * np.mean([[[e[name] for name in SHOWN] for e in own] for own in rows], 0, dtype=np.float64),
        }
    return found


def height(share: float) -> float:
    """Return how high a bar is, in the picture's pixels: its area grows with the square root of the share."""
    return round(float(np.sqrt(share)) * HEIGHT / 2, 1)


def picture(method: str, film: dict) -> str:
    """Return one method's picture at the end of training, as SVG: correct predictions upwards, incorrect downwards.

    Parameters
    ----------
    method : str
    film : dict
        One value of `frames`.

    Returns
    -------
    str
        HTML.
    """
    width, bars = WIDTH / BINS, []
    for kind, shares in zip(("right", "wrong"), film["shares"][-1], strict=True):
        for number, share in enumerate(shares):
            tall = height(share)
            y = HEIGHT / 2 - (tall if kind == "right" else 0)
            bars.append(
                f'<rect class="{kind}" x="{number * width:.1f}" width="{width - 1:.1f}" y="{y:.1f}" height="{tall}"/>'
            )
    said = _said(film["numbers"][-1])
    name = html.escape(explorer.style(method)["name"])
    return (
        f'<figure class="film-picture" data-method="{method}"><figcaption><b>{name}</b>: <span>{said}</span>'
        f'</figcaption><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{name}, confidence of correct, '
        f'and of incorrect predictions">{"".join(bars)}'
        f'<line x1="0" x2="{WIDTH}" y1="{HEIGHT / 2}" y2="{HEIGHT / 2}"/></svg></figure>'
    )


def _said(numbers) -> str:
    return "accuracy {:.1f} %, AUROC {:.1f} %, ECE {:.1f} %".format(*numbers)


def page() -> str:
    """Return the film as HTML, its data and script inside; without scripts it shows the end of training."""
    films = frames(rungs.CLASS)
    epochs = next(iter(films.values()))["epochs"].tolist()
    data = {
        "epochs": epochs, "height": HEIGHT,
        "films": {method: {"shares": (1000 * film["shares"]).round().astype(int).tolist(),
                           "numbers": film["numbers"].round(1).tolist()} for method, film in films.items()},
    }  # fmt: skip
    pictures = "".join(picture(method, film) for method, film in films.items())
    last = len(epochs) - 1
    return f"""<div class="film">
<p><button type="button">Play</button> <label>Epoch <output>{epochs[-1]}</output>
<input type="range" min="0" max="{last}" value="{last}" aria-label="epoch"></label></p>
<div class="film-pictures">{pictures}</div>
{pieces.data(data)}
</div>
{pieces.script("film.js")}"""
