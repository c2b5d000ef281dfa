"""Which prediction is wrong? Ten pairs of test images for a reader, beside what the networks' confidence says."""

import html

import numpy as np

from .. import datasets
from . import explorer, pieces, rungs
from .examples import CLASSES
from .home import METHODS

PAIRS, SEED = 10, 0


def chosen(records, pairs: int = PAIRS) -> np.ndarray:
    """Return pairs of test images, one answered rightly and one wrongly by all the networks, with the same answers.

    Parameters
    ----------
    records : sequence of records.Record
        One of each method, on one test set.
    pairs : int

    Returns
    -------
    ndarray, (pairs, 2), int
        Places of the correct and of the incorrect prediction in the test set; no image twice.

    Raises
    ------
    ValueError
        If there are too few such images.
    """
    predicted = np.array([r.logits.argmax(1) for r in records])
    agreed, correct = (predicted == predicted[0]).all(0), predicted[0] == records[0].labels
    right, wrong = (np.flatnonzero(agreed & (correct == side)) for side in (True, False))
    if min(len(right), len(wrong)) < pairs:
        raise ValueError(f"{len(right)} right and {len(wrong)} wrong answers common to all; expected {pairs} of each")
    rng = np.random.default_rng(SEED)
    return np.stack([rng.choice(kind, pairs, replace=False) for kind in (right, wrong)], 1)


def page() -> str:
    """Return the quiz as HTML, its images, answers and script inside."""
    records = list(pieces.runs(METHODS).values())
    dataset = rungs.CLASS.regime["dataset"]
    names, places = CLASSES[dataset], chosen(records)
    images = datasets.load(dataset, test_size=len(records[0].labels)).x_test
    swapped = np.random.default_rng(SEED + 1).random(len(places)) < 0.5
    rounds = []
    for pair, swap in zip(places, swapped, strict=True):
        shown = pair[::-1] if swap else pair
        rounds.append(
            {
                "images": [pieces.image_address(images[i]) for i in shown],
                "answers": [names[records[0].logits[i].argmax()] for i in shown],
                "truth": [names[records[0].labels[i]] for i in shown],
                "wrong": int(not swap),
            }
        )
    networks = []
    for method, record in zip(METHODS, records, strict=True):
        right, wrong = record.confidence[places].T
        networks.append({"name": explorer.style(method)["name"], "pairs": int((right > wrong).sum()),
                         "all": round(100 * record.metrics["auroc"], 1)})  # fmt: skip
    told = ", ".join(f"{n['name']} {n['pairs']} of {PAIRS} (all pairs: {n['all']} %)" for n in networks)
    return f"""<div class="quiz">
<noscript><p>Scripts are off in this browser, so the quiz cannot run. Pairs ranked rightly:
{html.escape(told)}.</p></noscript>
<p class="quiz-ask" aria-live="polite"></p>
<div class="quiz-pair"></div>
<p class="quiz-said" aria-live="polite"></p>
<button type="button" class="quiz-next" hidden>Next pair</button>
{pieces.data({"rounds": rounds, "networks": networks})}
</div>
{pieces.script("quiz.js")}"""
