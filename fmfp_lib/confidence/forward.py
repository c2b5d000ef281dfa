"""What a network makes of images.

Images `x` (n, c, h, w) are normalised tensors, as ``training.Run`` holds them. Networks run in eval mode and in
float32, and come back in the modes that they had.
"""

import numpy as np

BATCH = 500


def check_images(x, model=None):
    """Raise ValueError unless `x` are finite images (n, c, h, w), n >= 1, and `model` ends in a ``classifier``.

    Parameters
    ----------
    x : Tensor, (n, c, h, w)
        Normalised images.
    model : nn.Module, optional
        The network that gets them.

    Raises
    ------
    ValueError
        For no images, images that are not finite, or a network without a layer ``classifier``.
    """
    import torch

    if x.dim() < 2 or not len(x) or not torch.isfinite(x).all():
        raise ValueError(f"x has shape {tuple(x.shape)}; expected finite images (n, c, h, w), n >= 1")
    if model is not None and not hasattr(model, "classifier"):
        raise ValueError("the network's last layer must be called classifier")


def outputs(model, x) -> np.ndarray:
    """Return what `model` makes of `x`, in batches.

    Parameters
    ----------
    model : nn.Module
        A network; it comes back in the mode it had.
    x : Tensor, (n, c, h, w)
        Normalised images.

    Returns
    -------
    ndarray, (n, k), float32
        The outputs, on the CPU.
    """
    import torch

    from ..flatness import evaluation_mode

    device = next(model.parameters()).device
    with evaluation_mode(model), torch.no_grad():
        return torch.cat([model(part.to(device)).float() for part in x.split(BATCH)]).cpu().numpy()


def features(model, x) -> np.ndarray:
    """Return what enters ``model.classifier``, (n, d) float32, for images `x` (n, c, h, w).

    Parameters
    ----------
    model : nn.Module
        A network; it comes back in the mode it had.
    x : Tensor, (n, c, h, w)
        Normalised images.

    Returns
    -------
    ndarray, (n, d), float32
        The features, on the CPU.
    """
    import torch

    check_images(x, model)
    seen = []
    hook = model.classifier.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].float()))
    try:
        outputs(model, x)
    finally:
        hook.remove()
    return torch.cat(seen).cpu().numpy()
