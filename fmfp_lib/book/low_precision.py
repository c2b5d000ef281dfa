"""What rounding the weights to bfloat16 or TF32 leaves of SAM's perturbation."""

import torch

from ..training import Run
from . import markdown, names, rungs

BITS = {"bfloat16": 8, "tf32": 11}  # of the significand, the leading one included


def rounded(x: torch.Tensor, bits: int) -> torch.Tensor:
    """Return float32 `x` rounded to the nearest number whose significand has `bits` bits (ties away from zero).

    Parameters
    ----------
    x : Tensor, float32
        Any shape.
    bits : int
        Bits of the significand, the implicit one included.

    Returns
    -------
    Tensor, float32
        Of the same shape.
    """
    drop = 24 - bits
    whole = x.contiguous().view(torch.int32)
    return (((whole + (1 << (drop - 1))) >> drop) << drop).view(torch.float32)


def perturbation_seen(model, x, y, rho: float = 0.05) -> dict[str, tuple[float, float, float]]:
    """Return what passes in low precision see of SAM's perturbation of the convolutions' and the classifier's weights.

    Parameters
    ----------
    model : torch.nn.Module
    x : torch.Tensor
        Images (n, c, h, w), as the network takes them.
    y : torch.Tensor
        Labels (n,).
    rho : float
        Norm of the perturbation.

    Returns
    -------
    dict of str to tuple of float
        For each of `BITS`: the share of weights whose rounded value changes at all, the norm of the change that a pass
        sees over the norm of the intended one, and the cosine between the two.
    """
    parameters = list(model.parameters())
    gradients = torch.autograd.grad(torch.nn.functional.cross_entropy(model.eval()(x), y), parameters)
    scale = rho / torch.stack([g.norm() for g in gradients]).norm()
    pairs = [(p.detach(), scale * g) for p, g in zip(parameters, gradients, strict=True) if p.ndim > 1]
    intended = torch.cat([e.flatten() for _, e in pairs])
    found = {}
    for name, bits in BITS.items():
        seen = torch.cat([(rounded(w + e, bits) - rounded(w, bits)).flatten() for w, e in pairs])
        cosine = torch.nn.functional.cosine_similarity(seen, intended, 0)
        found[name] = float((seen != 0).double().mean()), float(seen.norm() / intended.norm()), float(cosine)
    return found


def low_precision() -> str:
    """Return `perturbation_seen` on the class's rung as a Markdown table, from the baselines whose weights are kept."""
    rows = []
    for method in ("baseline", "fmfp"):
        for record in rungs.CLASS.runs().get(method, {}).values():
            if record.weights is None:
                continue
            run = Run(record.settings)
            run.model.load_state_dict({name: torch.from_numpy(a) for name, a in record.weights.items()})
            found = perturbation_seen(run.model, run.x_train[:500], run.y_train[:500])
            for kind, (share, norm, cosine) in found.items():
                about = f"{names.name(method)}, seed\N{NO-BREAK SPACE}{record.settings.seed}", kind
                rows.append([*about, f"{100 * share:.0f}", f"{norm:.2f}", f"{cosine:.2f}"])
    heading = [
        "network",
        "passes in",
        "weights that the perturbation still changes, %",
        "norm seen / intended",
        "cosine",
    ]
    return markdown.table(heading, rows, 2) if rows else "No weights of the class's rung are kept here yet."
