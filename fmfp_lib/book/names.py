"""How methods, networks, data sets and metrics are called in print."""

NAMES = {
    "baseline": "baseline", "label_smoothing": "label smoothing", "focal": "focal loss", "cs_kd": "CS-KD",
    "l1_norm": "L1 norm",
    "crl": "CRL", "regmixup": "RegMixup", "sam": "SAM", "swa": "SWA", "ema": "EMA", "fmfp": "FMFP", "sure": "SURE",
    "sam_k2": "SAM, 1 step in 2", "sam_k5": "SAM, 1 step in 5", "sam_bn": "SAM, batch norm",
    "fmfp_k2": "FMFP, 1 step in 2", "fmfp_k5": "FMFP, 1 step in 5", "fmfp_bn": "FMFP, batch norm",
    "confidnet": "ConfidNet",
    "msp": "MSP", "p_norm_max_logit": "p-norm", "max_logit": "largest logit", "trust_score": "Trust Score",
    "gini": "Gini", "temperature_nll": "temperature by NLL", "temperature_aurc": "temperature by AURC",
    "mutual_information": "mutual information", "nearest_neighbours": "nearest neighbours",
    "mahalanobis": "Mahalanobis", "mc_information": "MC-dropout, mutual information",
    "mc_dropout": "MC-dropout", "swag": "SWAG", "ts_valid": "TS-valid", "ts_optimal": "TS-optimal",
    "embedded": "Fashion-MNIST", "cifar10": "CIFAR-10", "cifar100": "CIFAR-100", "cifar10_c": "CIFAR-10-C",
    "tiny_imagenet": "Tiny-ImageNet", "imagenet": "ImageNet",
    "preact_resnet110": "ResNet110", "wideresnet": "WRN-28-10", "densenet": "DenseNet-BC", "convmixer": "ConvMixer",
    "mobilenet_v2": "MobileNet-v2", "efficientnet": "EfficientNet", "vgg16": "VGG-16", "resnet18": "ResNet-18",
    "resnet50": "ResNet-50", "table1": "Table 1", "table2": "Table 2", "table3": "Table 3", "table4": "Table 4",
    "table5": "Table 5", "preact_resnet8": "PreAct-ResNet-8", "densenet16": "DenseNet-BC-16",
    "densenet22": "DenseNet-BC-22", "vgg8": "VGG-8",
    "resnet9": "ResNet-9", "resnet9_w64": "wide ResNet-9",
}  # fmt: skip
# The units in which the paper prints each metric: factor, heading.
DISPLAY = {
    "accuracy": (100, "Accuracy %"), "aurc": (1000, "AURC ×10³"), "eaurc": (1000, "E-AURC ×10³"),
    "fpr95": (100, "FPR-95%TPR %"), "auroc": (100, "AUROC %"), "aupr_success": (100, "AUPR-S %"),
    "aupr_error": (100, "AUPR-E %"), "ece": (100, "ECE %"), "nll": (10, "NLL ×10"), "brier": (100, "Brier %"),
    "augrc": (1000, "AUGRC ×10³"),
}  # fmt: skip
# What `statistics.compare_scores` and the evidence for the claims add to them.
_SCORES = {
    "confidence_right": (100, "confidence of correct %"),
    "confidence_wrong": (100, "confidence of incorrect %"),
    "confidence_gap": (100, "confidence gap, points"),
    "overlap": (100, "overlap %"),
    "selective_risk": (100, "mean risk at 10 to 80 % coverage, %"),
    "late_auroc": (100, "AUROC, end minus middle of training, points"),
    "late_auroc_gain": (100, "late change of AUROC minus the baseline's, points"),
    "late_accuracy": (100, "accuracy, end minus middle of training, points"),
    "loss_rise": (1, "rank correlation of the loss's rise and the gap"),
    "sharpness": (1, "rank correlation of SAM's sharpness and the gap"),
    "eigenvalue": (1, "rank correlation of the Hessian's largest eigenvalue and the gap"),
}


def display(metric: str) -> tuple[float, str]:
    """Return the factor and the heading with which a metric, or a statistic of a score, is printed."""
    if metric.startswith("selective_risk@"):
        return 100, f"risk at {100 * float(metric.partition('@')[2]):.0f} % coverage, %"
    return (DISPLAY | _SCORES)[metric]


def name(key: str) -> str:
    """Return a method, network or data set as print has it: ``mixup+fmfp`` becomes ``mixup + FMFP``.

    A small network goes by its family and depth: ``densenet22_g8_s2`` becomes ``DenseNet-BC-22``.
    """
    return " + ".join(NAMES.get(part) or NAMES.get(part.split("_g")[0].split("_w")[0], part) for part in key.split("+"))


def joined(words) -> str:
    """Return several words, at least one, as a sentence lists them: ``12, 25 and 50``."""
    *most, last = map(str, words)
    return f"{', '.join(most)} and {last}" if most else last


def listed(methods) -> str:
    """Return several methods as a sentence lists them: ``mixup, CS-KD and FMFP``; none is ``no method``."""
    return joined([name(m) for m in methods] or ["no method"])
