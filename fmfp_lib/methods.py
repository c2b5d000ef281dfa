"""The table of methods: an objective, plus optionally SAM, plus optionally weight averaging.

FMFP is ``sam=True, averaging="swa"``; the whole comparison of the paper is the dictionary ``METHODS``.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Method:
    """One row of the comparison.

    Attributes
    ----------
    losses : tuple of str
        Names from ``objectives.LOSSES``; the loss is their sum.
    sam : bool
        Take sharpness-aware steps (Foret et al. 2021).
    sam_every : int
        Take them at every k-th step only, and plain steps between (SAM-k in Liu et al. 2022).
    perturbed_parameters : {'all', 'batch_norm'}
        Which weights they perturb (``training.sam.perturbed_parameters``).
    averaging : {None, 'swa', 'ema'}
        Average the weights: once an epoch late in training (Izmailov et al. 2018), or exponentially after each step.
    cosine : bool
        Classify by the cosine between features and class weights, times 16, instead of by their product.
    summary : str
        One line for tables and help texts.
    equation : str
        The loss in LaTeX, for the book.
    """

    losses: tuple[str, ...] = ("cross_entropy",)
    sam: bool = False
    sam_every: int = 1
    perturbed_parameters: str = "all"
    averaging: str | None = None
    cosine: bool = False
    summary: str = ""
    equation: str = r"-\log p_y"


OBJECTIVES: dict[str, Method] = {
    "baseline": Method(summary="cross-entropy; confidence is the maximum softmax probability"),
    "mixup": Method(
        ("mixup",), summary="images and labels mixed in pairs, lambda ~ Beta(0.3, 0.3)",
        equation=r"-\lambda \log p_{y}(\tilde x) - (1-\lambda) \log p_{y'}(\tilde x)",
    ),
    "label_smoothing": Method(
        ("label_smoothing",), summary="targets mixed with the uniform distribution, epsilon 0.05",
        equation=r"-(1-\epsilon) \log p_y - \frac{\epsilon}{k} \sum_j \log p_j",
    ),
    "focal": Method(
        ("focal",), summary="easy images weigh less, gamma 2", equation=r"-(1-p_y)^{\gamma} \log p_y",
    ),
    "cs_kd": Method(
        ("cross_entropy", "cs_kd"), summary="predictions pulled towards another image of the class, temperature 4",
        equation=r"-\log p_y + T^2 \, \mathrm{KL}(p_T(x') \,\Vert\, p_T(x))",
    ),
    "l1_norm": Method(
        ("cross_entropy", "l1_norm"), summary="small logits: strength 0.01 on their L1 norm",
        equation=r"-\log p_y + 0.01 \, \Vert z \Vert_1",
    ),
    "crl": Method(
        ("cross_entropy", "crl"), summary="confidence ranked by the history of correctness",
        equation=r"-\log p_y + L_{\mathrm{rank}}",
    ),
    "regmixup": Method(
        ("cross_entropy", "regmixup"), summary="cross-entropy plus half of mixup's loss",
        equation=r"-\log p_y + \tfrac12 L_{\mathrm{mixup}}",
    ),
}  # fmt: skip

FLATNESS: dict[str, dict] = {
    "sam": dict(sam=True),
    "swa": dict(averaging="swa"),
    "ema": dict(averaging="ema"),
    "fmfp": dict(sam=True, averaging="swa"),
}

# The same effect for less: fewer steps take two passes, or the first pass stops at batch norm's weights.
CHEAPER: dict[str, dict] = {
    "sam_k2": dict(sam=True, sam_every=2),
    "sam_k5": dict(sam=True, sam_every=5),
    "sam_bn": dict(sam=True, perturbed_parameters="batch_norm"),
    "fmfp_k2": dict(sam=True, sam_every=2, averaging="swa"),
    "fmfp_k5": dict(sam=True, sam_every=5, averaging="swa"),
    "fmfp_bn": dict(sam=True, perturbed_parameters="batch_norm", averaging="swa"),
}

_FLAT_SUMMARIES = {
    "sam": "sharpness-aware minimisation",
    "swa": "stochastic weight averaging",
    "ema": "exponential moving average of the weights",
    "fmfp": "flat minima for failure prediction: SAM and SWA together",
    "sam_k2": "SAM at every second step",
    "sam_k5": "SAM at every fifth step",
    "sam_bn": "SAM that perturbs the weights of batch norm alone (SAM-ON, Müller et al. 2023)",
    "fmfp_k2": "FMFP, SAM at every second step",
    "fmfp_k5": "FMFP, SAM at every fifth step",
    "fmfp_bn": "FMFP, SAM perturbs the weights of batch norm alone",
}

METHODS: dict[str, Method] = {
    **OBJECTIVES,
    **{name: Method(summary=_FLAT_SUMMARIES[name], **flat) for name, flat in (FLATNESS | CHEAPER).items()},
    # Every objective with every kind of flatness: ``mixup+fmfp`` and so on.
    **{
        f"{name}+{kind}": replace(method, summary=f"{name} with {kind}", **flat)
        for name, method in OBJECTIVES.items()
        if name != "baseline"
        for kind, flat in FLATNESS.items()
    },
    "cosine": Method(cosine=True, summary="cosine-similarity classifier"),
    "sure": Method(
        ("cross_entropy", "regmixup", "crl"),
        sam=True,
        averaging="swa",
        cosine=True,
        summary="RegMixup, CRL, cosine classifier, SAM and SWA together (SURE, Li et al. 2024)",
        equation=r"-\log p_y + \tfrac12 L_{\mathrm{mixup}} + L_{\mathrm{rank}}",
    ),
}

# The two families that the paper compares with the baseline, in its order.
CALIBRATION = ("mixup", "label_smoothing", "focal", "cs_kd", "l1_norm")
FLAT = ("sam", "swa", "fmfp")
