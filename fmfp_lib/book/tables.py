"""Tables that the book and the README show, made from the library's own registries and from finished records."""

import textwrap

import numpy as np
import pandas as pd

from .. import cost
from ..methods import CALIBRATION, FLAT, METHODS
from ..metrics import calibrated_right_confidence
from ..settings import Settings
from . import lookup, rungs
from .compare import against_baseline, by_method, by_seed, classified, pair_by_seed, paired_runs
from .markdown import difference_table, grouped, plus_minus, signed, table
from .names import DISPLAY, joined, name
from .words import glance_in_words, in_words, span


def frame(records) -> pd.DataFrame:
    """Return one row per record: data set, network, method, seed and every metric in natural units."""
    rows = []
    for record in records:
        s = record.settings
        row = {"dataset": s.dataset, "network": s.network, "train_size": s.train_size, "epochs": s.epochs}
        rows.append(row | {"method": s.method, "seed": s.seed} | record.metrics)
    return pd.DataFrame(rows)


def metric_table(records) -> pd.DataFrame:
    """Return mean ± standard deviation over seeds in the paper's units, as text: a row a metric, a column a method."""
    return pd.DataFrame(
        {
            name(m): {
                head: plus_minus([r.metrics[k] for r in runs.values()], unit) for k, (unit, head) in DISPLAY.items()
            }
            for m, runs in by_method(records).items()
        }
    )


def right_predictions(groups) -> str:
    """Return, as Markdown, the calibration error of all and of correct predictions, mean ± deviation over seeds.

    The last column is what correct predictions of a calibrated network with the same confidences would have.
    """
    rows = []
    for group in groups:
        for method, runs in group.runs.items():
            found = []
            for record in runs:
                right = record.confidence[record.correct].mean()
                found.append((record.metrics["ece"], 1 - right, 1 - calibrated_right_confidence(record.confidence)))
            cells = [plus_minus(values, 100) for values in zip(*found, strict=True)]
            rows.append((group.title, name(method), *cells))
    heading = ("method", "ECE %", "ECE of correct %", "ECE of correct if calibrated, %")
    return grouped(heading, rows, "The other networks: ECE of correct predictions")


GLANCE = (*CALIBRATION, "crl", *FLAT)


def at_a_glance() -> str:
    """Return the README's results, Markdown: on the first rung of each data set, each method against the baseline.

    As everywhere, the seeds are those that decide (`rungs.Rung.deciding`).
    """
    first, parts = {}, []
    for group in rungs.groups(rungs.shown("classroom")):
        first.setdefault(group.dataset, group)
    for group in first.values():
        found, settings = against_baseline(group.records, GLANCE), group.records[0].settings
        seeds = span(len(runs) for method, runs in group.runs.items() if method in GLANCE)
        regime = f"{settings.epochs} epochs, {seeds} seeds"
        parts += [
            f"**{group.title}** (`{settings.network}`, {regime}), change against the baseline:",
            difference_table(found),
            textwrap.fill(glance_in_words(found), 120),
        ]
    return "\n\n".join(parts)


def methods() -> str:
    """Return the method table as Markdown, from the registry itself."""
    rows = [
        (
            f"`{key}`",
            m.summary,
            ", ".join(filter(None, ("SAM" * m.sam, (m.averaging or "").upper()))),
            f"${m.equation}$",
        )
        for key, m in METHODS.items()
        if "+" not in key
    ]
    return table(("name", "what it is", "SAM, average", "loss"), rows, words=4)


def networks() -> str:
    """Return, as Markdown, the chapters' names of networks, and all with their parameters at 10 and 100 classes."""
    import torch

    from ..networks import NETWORKS, create

    def parameters(key, classes):
        with torch.device("meta"):
            return f"{sum(p.numel() for p in create(key, classes).parameters()):,}"

    rows = [(f"`{key}`", parameters(key, 10), parameters(key, 100)) for key in NETWORKS]
    called = joined(f"{name(key)} is `{key}`" for key in (rung.regime["network"] for rung in rungs.RUNGS))
    return f"In the chapters, {called}.\n\n" + table(("name", "parameters, 10 classes", "100 classes"), rows)


def datasets() -> str:
    """Return the catalogue of data sets as Markdown, from the registry itself."""
    from ..datasets import CATALOGUE

    rows = []
    for key, source in CATALOGUE.items():
        size = f"{source.archive.bytes / 1e6:,.0f} MB" if source.archive else "by hand" if source.by_hand else "ships"
        images = f"{source.train:,} + {source.test:,}"
        part = "" if source.folders else f" (part of {name(key)})"
        rows.append(
            (f"[`{key}`]({source.page}){part}", f"{source.classes:,}", images, source.shape, size, source.licence)
        )
    return table(("name", "classes", "training + test images", "pixels", "download", "terms"), rows, align="lrrlrl")


def corruptions() -> str:
    """Return the kinds of corruption with what they do and their strengths, as Markdown, from the registry itself."""
    from ..datasets.corruptions import KINDS

    rows = [
        (f"`{key}`", function.__doc__.partition("\n")[0].rstrip("."), " · ".join(map(str, strengths)))
        for key, (function, strengths) in KINDS.items()
    ]
    return table(("kind", "what it does", "strength at severities 1 to 5"), rows, words=3)


# The regimes that were tried: network, training images, epochs.
REGIMES = (
    ("preact_resnet8_w16_s2", 1000, 100),
    ("preact_resnet8_w16_s2", 1000, 200),
    ("preact_resnet8_w16_s2", 2000, 100),
    ("preact_resnet8_w16_s2", 2000, 200),
    ("preact_resnet8_w32_s2", 1000, 100),
)


def regime_search() -> str:
    """Return the search for the classroom regime as Markdown: each regime's differences from its baseline."""
    searched, rows = ("baseline", "label_smoothing", "fmfp"), []
    for network, size, epochs in REGIMES:
        regime = dict(network=network, train_size=size, epochs=epochs, padding=4)
        runs = lookup.whole(lookup.plan(searched, (0, 1, 2), scale="classroom", dataset="embedded", **regime))
        if len(runs) < len(searched):
            continue
        baseline, smoothed, fmfp = (100 * np.array([r.metrics["auroc"] for r in runs[m]]) for m in searched)
        changes = smoothed - baseline, fmfp - baseline
        both = (changes[0] < 0) & (changes[1] > 0)
        cells = [",\u00a0".join(map(signed, change)) for change in changes]
        held = f"{both.sum()}\u00a0of\u00a0{len(both)}"
        rows.append((f"`{network}`", f"{size:,}", epochs, plus_minus(baseline), *cells, held))
    heading = ("network", "images", "epochs", "baseline AUROC %", "label smoothing: change of AUROC by seed, points",
               "FMFP: change of AUROC by seed, points", "held")  # fmt: skip
    return table(heading, rows)


def protocols() -> str:
    """Return, as Markdown, what following the code instead of the paper changes on the class's rung, seed by seed.

    A method is compared over the seeds trained by both protocols, at least two.
    """
    rung = rungs.CLASS
    regime = rung.regime
    paper, code = (
        lookup.trained(lookup.plan(METHODS, rung.seeds, protocol=protocol, **regime)) for protocol in ("paper", "code")
    )
    found, counts = {}, set()
    for method in METHODS:
        sides = pair_by_seed(*(by_seed(runs.get(method, ())) for runs in (paper, code)))
        if len(sides[0]) > 1:
            found[method] = paired_runs(*map(classified, sides))
            counts.add(len(sides[0]))
    if not found:
        return "Nothing has been trained by the code's protocol yet."
    return (
        f"Change where the code is followed instead of the paper, `{regime['network']}` on Fashion-MNIST, "
        f"{'-'.join(map(str, sorted(counts)))} seeds (95 % interval, bold where it excludes 0):\n\n"
        f"{difference_table(found)}\n\nWhere the code is followed, AUROC is {in_words(found, 'auroc')}; ECE is "
        f"{in_words(found, 'ece')}."
    )


# What the paper trains: epochs, training images (a tenth held out), networks. It gives no epochs for ImageNet; 90 are
# usual.
CELLS = {
    "cifar10": (
        200,
        45_000,
        ("preact_resnet110", "wideresnet", "densenet", "convmixer", "mobilenet_v2", "efficientnet", "vgg16"),
    ),
    "tiny_imagenet": (90, 90_000, ("resnet18_s2", "resnet50_s2")),
    "imagenet": (90, 1_153_051, ("resnet18_imagenet", "resnet50_imagenet")),
}


def _two_digits(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"


def gpu_hours() -> str:
    """Return, as Markdown, the operations an image and the estimated hours of one run for each of the paper's cells."""
    heading = ("data", "network", "GFLOP an image", "baseline, h", "SAM, h", "SWA, h", "FMFP, h")
    rows = []
    for dataset, (epochs, images, networks) in CELLS.items():
        counts = [
            cost.passes(
                Settings(dataset=dataset, epochs=epochs, train_size=images, device="cpu", method=method),
                from_checkpoint=True,
            )
            for method in ("baseline", "sam", "swa", "fmfp")
        ]
        for network in networks:
            work = sum(cost.operations(network, dataset))
            cells = [_two_digits(work * images * count / cost.SUSTAINED / 3600) for count in counts]
            rows.append((dataset, f"`{network}`", f"{work / 1e9:.1f}", *cells))
    return table(heading, rows, words=2)
