"""A flat and a sharp valley: the training loss around trained weights, measured along random lines."""

import html

import numpy as np
import torch

from .. import flatness
from . import explorer, pieces

METHODS = ("baseline", "fmfp")
NORMS = tuple(np.linspace(0, 0.5, 11).round(2))  # sizes of the perturbation, as shares of each filter's norm
LINES, IMAGES = 6, 500
WIDTH, HEIGHT = 300, 160
TOP = 1.6  # nats; above, the drawing is cut off
NEAR, NEAR_TOP = NORMS[: NORMS.index(0.25) + 1], 0.3  # what the still figure shows: nearer, and larger


def losses(record, norms=NORMS, lines: int = LINES, images: int = IMAGES) -> np.ndarray:
    """Return the mean loss on training images after the weights are perturbed, in each random direction.

    Parameters
    ----------
    record : records.Record
        With its weights.
    norms : sequence of float
        Sizes of the perturbation, as shares of each filter's norm.
    lines : int
        Number of random directions.
    images : int
        Of the training set.

    Returns
    -------
    ndarray of shape (lines, norms)
        In nats.

    Raises
    ------
    ValueError
        If the weights were not kept.
    """
    from ..training import Run

    if record.weights is None:
        raise ValueError(f"the weights of {record.path.stem} were not kept; train it with --keep-weights")
    run = Run(record.settings.model_copy(update={"device": "cpu", "precision": "float32", "compile": False}))
    run.model.load_state_dict({name: torch.from_numpy(w) for name, w in record.weights.items()})
    return flatness.loss_under_perturbation(run.model, run.x_train[:images], run.y_train[:images], norms, lines)[0].T


def of_class() -> dict[str, np.ndarray]:
    """Return `losses` of the class's run of each of `METHODS`, by method."""
    return {method: losses(record) for method, record in pieces.runs(METHODS).items()}


def of_group(group) -> dict[str, np.ndarray]:
    """Return `losses` of the first seed of each of `METHODS` whose weights were kept; nothing where there is none.

    Parameters
    ----------
    group : study.Group
        Runs on one data set and network.

    Returns
    -------
    dict of str to ndarray of shape (lines, norms)
        In nats.
    """
    kept = {method: [r for r in group.runs.get(method, ()) if r.weights is not None] for method in METHODS}
    return {method: losses(runs[0]) for method, runs in kept.items() if runs}


def _place(position: float, loss: float) -> tuple[float, float]:
    """Return where a loss stands in the drawing; position in [-1, 1] is the perturbation, left or right."""
    return WIDTH * (1 + position) / 2, HEIGHT * (1 - min(loss, TOP) / TOP)


def picture(method: str, found: np.ndarray) -> str:
    """Return the valley of one method as SVG: pairs of directions make lines through it, a ball lies at its bottom.

    Parameters
    ----------
    method : str
        Key of `methods.METHODS`.
    found : ndarray of shape (lines, norms)
        What `losses` returns.

    Returns
    -------
    str
        HTML.
    """
    steps, curves = np.linspace(0, 1, found.shape[1]), []
    for left, right in zip(found[::2], found[1::2], strict=True):
        sides = [*zip(-steps[::-1], left[::-1], strict=True), *zip(steps[1:], right[1:], strict=True)]
        points = " ".join("{:.1f},{:.1f}".format(*_place(*side)) for side in sides)
        curves.append(f'<polyline points="{points}"/>')
    style = explorer.style(method)
    x, y = _place(0, found[:, 0].mean())
    name = html.escape(style["name"])
    mean = found.mean(0)
    return (
        f'<figure class="valley-picture" data-method="{method}" style="--light:{style["light"]};'
        f'--dark:{style["dark"]}"><figcaption><b>{name}</b>: loss <span>{mean[0]:.3f}</span></figcaption>'
        f'<svg viewBox="0 -8 {WIDTH} {HEIGHT + 16}" role="img" aria-label="{name}: training loss, '
        f'{mean[0]:.3f} in the middle and {mean[-1]:.2f} after a perturbation of {100 * NORMS[-1]:.0f} per cent">'
        f'{"".join(curves)}<circle cx="{x:.1f}" cy="{y:.1f}" r="6"/></svg></figure>'
    )


def page() -> str:
    """Return the valleys as HTML, the measured losses and the script inside."""
    found = of_class()
    data = {
        "norms": [float(n) for n in NORMS],
        "width": WIDTH,
        "height": HEIGHT,
        "top": TOP,
        "losses": {method: values.round(4).tolist() for method, values in found.items()},
    }
    pictures = "".join(picture(method, values) for method, values in found.items())
    return f"""<div class="valley">
<p><label>Shake the weights by <output>0 %</output> of their size
<input type="range" min="0" max="{len(NORMS) - 1}" value="0"></label>
<button type="button">Another direction</button></p>
<div class="film-pictures">{pictures}</div>
{pieces.data(data)}
</div>
{pieces.script("valley.js")}"""
