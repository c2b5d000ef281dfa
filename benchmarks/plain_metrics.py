"""The paper's ten metrics as research code usually computes them: metric by metric, each with its own sort or loop.

Written from the definitions in `fmfp_lib.metrics`, without ties in mind. It takes what such code is given, logits and
their softmax, and checks nothing.
"""

import math

import numpy as np
from sklearn import metrics as sk


def accuracy(p, labels):
    correct = 0
    for row, label in zip(p, labels, strict=True):
        correct += int(np.argmax(row) == label)
    return correct / len(labels)


def risks(p, labels):
    """Return the error rate among the k most confident samples, for k = 1 .. n, and over all."""
    pairs = []
    for row, label in zip(p, labels, strict=True):
        pairs.append((float(np.max(row)), int(np.argmax(row) != label)))
    pairs.sort(key=lambda pair: pair[0], reverse=True)
    found, errors = [], 0
    for k, (_, wrong) in enumerate(pairs, 1):
        errors += wrong
        found.append(errors / k)
    return found, errors / len(pairs)


def aurc_and_eaurc(p, labels):
    found, r = risks(p, labels)
    aurc = sum(found) / len(found)
    return aurc, aurc - (r + (1 - r) * math.log(1 - r))


def fpr95(confidence, correct):
    fpr, tpr, _ = sk.roc_curve(correct, confidence, drop_intermediate=False)
    return fpr[np.argmin(np.abs(tpr - 0.95))]


def aupr_success(confidence, correct):
    precision, recall, _ = sk.precision_recall_curve(correct, confidence)
    return sk.auc(recall, precision)


def ece(p, labels, bins=15):
    confidence, correct, total = p.max(1), p.argmax(1) == labels, 0.0
    for low, high in zip(np.linspace(0, 1, bins + 1)[:-1], np.linspace(0, 1, bins + 1)[1:], strict=True):
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            total += abs(correct[inside].mean() - confidence[inside].mean()) * inside.mean()
    return total


def nll(logits, labels):
    z = logits.astype(np.float64)
    z = z - z.max(1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(1, keepdims=True))
    return -np.mean([log_p[i, label] for i, label in enumerate(labels)])


def brier(p, labels):
    target = np.zeros_like(p)
    for i, label in enumerate(labels):
        target[i, label] = 1
    return np.mean(np.sum((p - target) ** 2, 1))


def evaluate(p, logits, labels):
    """Return the ten metrics of softmax probabilities `p` (n, k) and `logits` (n, k) against `labels` (n,)."""
    aurc, eaurc = aurc_and_eaurc(p, labels)
    confidence, correct = p.max(1), p.argmax(1) == labels
    return {
        "accuracy": accuracy(p, labels), "aurc": aurc, "eaurc": eaurc, "fpr95": fpr95(confidence, correct),
        "auroc": sk.roc_auc_score(correct, confidence), "aupr_success": aupr_success(confidence, correct),
        "aupr_error": sk.average_precision_score(~correct, -confidence), "ece": ece(p, labels),
        "nll": nll(logits, labels), "brier": brier(p, labels),
    }  # fmt: skip
