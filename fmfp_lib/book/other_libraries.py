"""Our metrics beside other libraries', on one shipped run: the table of the API page."""

import json

import numpy as np

from .. import metrics
from ..paths import ROOT
from . import markdown, rungs

FILE = ROOT / "data" / "other_libraries.json"
LIBRARIES = ("scikit-learn", "torchmetrics", "netcal")
# Metric, and what is to be said where a library's number is another one.
ROWS = {
    "accuracy": "",
    "auroc": "",
    "auroc, logits × 30": "ours ranks by log-odds, theirs by probabilities, of which many round to 1",
    "aupr_error": "",
    "aupr_success": "",
    "aupr_success, 100 images": "ours joins the curve's points by lines, as the paper's code does; theirs by steps",
    "fpr95": "",
    "ece": "",
    "nll": "",
    "brier": "",
}
TOLERANCE = 2e-5  # torchmetrics sums in float32


def measure() -> dict:
    """Return every metric as each library computes it, and the libraries' versions; needs torchmetrics and netcal.

    Returns
    -------
    dict
        ``versions``: by library; ``values``: by metric and library, ``ours`` among them, in natural units.
    """
    from importlib.metadata import version

    run = rungs.CLASS.runs()["baseline"][rungs.CLASS.seeds[-1]]
    logits = run.logits.astype(np.float32)
    variants = {"": (logits, run.labels), "logits × 30": (30 * logits, run.labels),
                "100 images": (logits[::100], run.labels[::100])}  # fmt: skip
    computed = {name: _values(*variant) for name, variant in variants.items()}
    values = {row: computed[variant][name] for row in ROWS for name, _, variant in [row.partition(", ")]}
    return {"versions": {name: version(name) for name in LIBRARIES}, "values": values}


def _values(logits, labels):
    """Return each metric by library, from float32 logits."""
    import torch
    from netcal.metrics import ECE
    from sklearn import metrics as sk
    from torchmetrics.functional import classification as tm

    p = torch.tensor(logits).softmax(1)
    y, (c, predicted) = torch.tensor(labels.astype(int)), p.max(1)
    correct = (predicted == y).int()
    ours = metrics.evaluate(logits, labels)
    own = [a.double().numpy() for a in (p, c)] + [correct.numpy(), 1 - correct.numpy()]
    (q, sure, right, wrong), classes, bins = own, p.shape[1], metrics.BINS
    q = q / q.sum(1, keepdims=True)
    fpr, tpr, _ = sk.roc_curve(right, sure, drop_intermediate=False)
    theirs = {
        "accuracy": (sk.accuracy_score(labels, q.argmax(1)), tm.multiclass_accuracy(p, y, classes, average="micro")),
        "auroc": (sk.roc_auc_score(right, sure), tm.binary_auroc(c, correct)),
        "aupr_error": (
            sk.average_precision_score(wrong, -sure),
            tm.binary_average_precision(1 - c.double(), 1 - correct),
        ),
        "aupr_success": (sk.average_precision_score(right, sure), tm.binary_average_precision(c, correct)),
        "fpr95": (fpr[tpr >= 0.95][0], 1 - tm.binary_specificity_at_sensitivity(c, correct, 0.95)[0]),
        "ece": (None, tm.multiclass_calibration_error(p, y, classes, bins, "l1"), ECE(bins).measure(q, labels)),
        "nll": (sk.log_loss(labels, q, labels=np.arange(classes)),),
        "brier": (sk.brier_score_loss(labels, q, labels=np.arange(classes), scale_by_half=False),),
    }
    return {
        name: {"ours": ours[name]}
        | {library: float(v) for library, v in zip(LIBRARIES, values, strict=False) if v is not None}
        for name, values in theirs.items()
    }


def libraries() -> str:
    """Return the table, as Markdown, from what was last measured."""
    found = json.loads(FILE.read_text())
    heading = ["metric", "ours", *(f"{name} {found['versions'][name]}" for name in LIBRARIES), "why they differ"]
    rows = [
        [name, *(f"{values[one]:.4f}" if one in values else "–" for one in ("ours", *LIBRARIES)), ROWS[name]]
        for name, values in found["values"].items()
    ]
    return markdown.table(heading, rows, align="lrrrrl")
