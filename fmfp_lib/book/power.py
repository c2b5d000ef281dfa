"""How often the verdicts err, and what our runs can see: from the spread of our own runs."""

import numpy as np

from ..statistics import compare_methods
from . import markdown, names, nearest, rungs, verdicts
from .compare import classified, pair_by_seed

METHODS = ("label_smoothing", "fmfp")
TRIALS = 1000  # simulated claims in each cell of the table


def spread(rung: rungs.Rung, method: str, metric: str = "auroc") -> verdicts.Spread | None:
    """Return how far a method's difference from the baseline wanders on one rung.

    Parameters
    ----------
    rung : rungs.Rung
    method : str
        Compared with the baseline, seed by seed.
    metric : str
        As `metrics.evaluate` names it.

    Returns
    -------
    verdicts.Spread or None
        In natural units; None with fewer than three common seeds.
    """
    runs = rung.runs()
    sides = pair_by_seed(runs.get("baseline", {}), runs.get(method, {}))
    if len(sides[0]) < 3:
        return None
    values = [b.metrics[metric] - a.metrics[metric] for a, b in zip(*sides, strict=True)]
    runs, seeds = [classified(side) for side in sides], len(values)

    def variance(*pairs):
        """Of the mean over these pairs of runs, from one test set to another."""
        return np.var(compare_methods(*zip(*pairs, strict=True), (metric,), draw_seeds=False)[metric].replicates)

    pairs = list(zip(*runs, strict=True))
    together, alone = variance(*pairs), np.mean([variance(pair) for pair in pairs])
    own = max(alone - together, 0.0) * seeds / (seeds - 1)  # what the pairs' errors do not share
    common = max(together - own / seeds, 0.0)
    return verdicts.Spread(float(np.std(values, ddof=1)), float(np.sqrt(common)), float(np.sqrt(own)))


def _nearest(rung, method):
    """Return the paper's effect on AUROC in the cell nearest to a rung, in natural units."""
    base = list(rung.runs().get("baseline", {}).values())
    accuracy = float(np.mean([r.metrics["accuracy"] for r in base]))
    return nearest.cell("baseline", method, "auroc", base[0].logits.shape[1], accuracy)[0]


def rates() -> str:
    """Return, as Markdown, how often each verdict comes out on claims whose truth is known.

    Claims of one part, tested on as many networks as the ladder has rungs, with the spread of label smoothing on the
    most accurate one.
    """
    rung = rungs.RUNGS[-1]
    found, effect = spread(rung, "label_smoothing"), _nearest(rung, "label_smoothing")
    rows = []
    for words, share in (("none", 0.0), ("a third of the published", 1 / 3), ("the published", 1.0)):
        for seeds in (3, 5):
            out = verdicts.simulated(share * effect, found, seeds, len(rungs.RUNGS), trials=TRIALS)
            points = markdown.signed(100 * share * effect, 1) if share else "0"
            rows.append([f"{words} ({points})", seeds, *(f"{100 * out[v]:.1f}" for v in verdicts.VERDICTS[:4])])
    return markdown.table(["true effect, points of AUROC", "seeds", *(f"{v}, %" for v in verdicts.VERDICTS[:4])], rows)


def seeds() -> str:
    """Return, as Markdown, how many seeds and images each rung would need to show the paper's nearest effect."""
    rows = []
    for rung in rungs.RUNGS:
        for method in METHODS:
            own = spread(rung, method)
            if own is None:
                continue
            published = _nearest(rung, method)
            needed = [verdicts.seeds_needed(share * published, own) for share in (1, 0.5)]
            images = len(next(iter(rung.runs()["baseline"].values())).labels)
            wanted = verdicts.images_needed(0.25 * published, own, images)
            rows.append([rung.title, names.name(method), markdown.signed(100 * published),
                         f"{100 * own.seeds:.2f}", f"{100 * own.images:.2f}",
                         *("more than 64" if n is None else n for n in needed),
                         "no number is enough" if wanted is None else f"{wanted:,}"])  # fmt: skip
    heading = ["rung", "method", "the paper's nearest effect, points", "spread between seeds, on these images",
               "spread between test sets", "seeds needed", "seeds for half the effect",
               "test images for a quarter of the effect, 5 seeds"]  # fmt: skip
    return markdown.table(heading, rows)
