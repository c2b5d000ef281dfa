"""What the paper's own tables say about its claims, in words."""

from ..methods import CALIBRATION, FLAT
from . import audit
from .names import DISPLAY, name


def _won(frame, method, metric, against="baseline"):
    row = frame[(frame["method"] == method) & (frame["metric"] == metric) & (frame["against"] == against)].iloc[0]
    return int(row["wins"]), int(row["losses"]), int(row["cells"])


def ece() -> str:
    """Return what the paper's text says of the ECE of the calibration methods."""
    lower = sum(own < base for base, own in audit.QUOTED_ECE.values())
    return (
        f"No table has the ECE of these methods; section 3.2 quotes it for mixup and focal loss on two networks "
        f"(CIFAR-10), lower than the baseline's in {lower} of {len(audit.QUOTED_ECE)} cases."
    )


def harm() -> str:
    """Return in how many cells of Tables 1 and 4 each calibration method ranks worse."""
    frame = audit.calibration_wins()
    words = []
    for method in CALIBRATION:
        (_, lower, cells), (_, higher, _) = (_won(frame, method, m) for m in ("auroc", "aurc"))
        words.append(f"{name(method)} {lower} and {higher}")
    adjusted = frame[frame["metric"].isin(["auroc", "aurc"])]
    certain = int((adjusted["p_holm"] < 0.05).sum())
    return (
        f"Tables 1 and 4, {cells} cells per method; lower AUROC and higher AURC than the baseline's in: "
        f"{', '.join(words)}. Sign tests, adjusted for {len(frame)} pairs of metric and method: {certain} of these "
        f"{len(adjusted)} below 0.05."
    )


def flat() -> str:
    """Return in how many cells of Table 2 the flat methods win."""
    frame = audit.flat_wins()
    lines = []
    for other in ("baseline", "crl"):
        words = []
        for method in FLAT:
            won = [_won(frame, method, m, other) for m in ("auroc", "aurc", "fpr95")]
            words.append(f"{name(method)} {', '.join(str(w) for w, _, _ in won)}")
        lines.append(f"against {name(other)}: {'; '.join(words)}")
    part = frame[frame["metric"].isin(["aurc", "eaurc", "auroc", "fpr95", "aupr_success", "aupr_error"])]
    cells = _won(frame, "fmfp", "auroc")[2]
    return (
        f"Table 2, wins out of {cells} cells on AUROC, AURC and FPR-95%TPR, {'; '.join(lines)}. Over all "
        f"six failure-prediction metrics: {part['wins'].sum()} of {part['cells'].sum()}."
    )


def best() -> str:
    """Return in how many cells of Table 2 FMFP is the best of all."""
    best, quoted = audit.best(), audit.quoted()
    gains = " and ".join(f"{row.tables:+.2f}" for row in quoted.itertuples() if "gain" in row.what)
    auroc, aurc = best.loc["auroc"], best.loc["aurc"]
    return (
        f"Table 2: FMFP has the best AUROC in {auroc['fmfp']} of {auroc['cells']} cells and the best AURC in "
        f"{aurc['fmfp']}; its gains in AUROC with ResNet110 (CIFAR-10, CIFAR-100), "
        f"recomputed from the cells: {gains}."
    )


def calibration() -> str:
    """Return in how many cells of Table 2 FMFP is better calibrated than the baseline."""
    frame = audit.flat_wins()
    words = [f"{DISPLAY[m][1].split()[0]} in {_won(frame, 'fmfp', m)[0]}" for m in ("ece", "nll", "brier")]
    cells = _won(frame, "fmfp", "ece")[2]
    return f"Table 2: of {cells} cells, FMFP is below the baseline by {', by '.join(words)}."


def other(table: str, label: str) -> str:
    """Return in how many cells of one table FMFP wins; `label` is what it is called.

    Parameters
    ----------
    table : str
        Key of a published table.
    label : str
        Its name in the text.

    Returns
    -------
    str
        A sentence.
    """
    lines = []
    for other in ("baseline", "crl"):
        frame = audit.wins(["fmfp"], other, (table,), ("auroc", "aurc", "fpr95"))
        words = [f"{DISPLAY[r.metric][1].split()[0]} {r.wins} of {r.cells}" for r in frame.itertuples()]
        lines.append(f"against {name(other)} {', '.join(words)}")
    return f"{label}, cells won by FMFP: {'; '.join(lines)}."


def tally(claim: str) -> str:
    """Return in how many of the paper's own cells a claim holds, in a few words; empty where no table has any.

    Parameters
    ----------
    claim : str
        ``C1`` to ``C15``.

    Returns
    -------
    str
        Such as ``60 of 60 cells, by AUROC``.
    """

    def won(frames, metrics, losses=False):
        parts = [frame[frame["metric"].isin(metrics)] for frame in frames]
        return sum(part["losses" if losses else "wins"].sum() for part in parts), sum(p["cells"].sum() for p in parts)

    def tables(table):
        return [audit.wins(["fmfp"], other, (table,), ("auroc",)) for other in ("baseline", "crl")]

    if claim == "C1":
        lower, cells = sum(own < base for base, own in audit.QUOTED_ECE.values()), len(audit.QUOTED_ECE)
    elif claim == "C2":
        lower, cells = won([audit.calibration_wins()], ["auroc"], losses=True)
    elif claim == "C7":
        lower, cells = won([audit.flat_wins()], ["auroc"])
    elif claim == "C8":
        best = audit.best().loc["auroc"]
        lower, cells = best["fmfp"], best["cells"]
    elif claim == "C9":
        frame = audit.flat_wins()
        own = frame[(frame["method"] == "fmfp") & (frame["against"] == "baseline")]
        lower, cells = won([own], ["ece", "nll", "brier"])
    elif claim in ("C11", "C14"):
        lower, cells = won(tables("table3" if claim == "C11" else "table5"), ["auroc"])
    else:
        return ""
    # A claim of several metrics is counted by the one that decides it.
    what = {"C1": "quoted cases, of mixup and focal loss", "C9": "cells"}.get(claim, "cells, by AUROC")
    return f"{int(lower)} of {int(cells)} {what}"
