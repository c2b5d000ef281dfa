"""Crop and flip for whole batches, on the batch's own device."""

import torch
import torch.nn.functional as F


def crop_and_flip(x: torch.Tensor, padding: int, generator: torch.Generator, fill: torch.Tensor) -> torch.Tensor:
    """Pad every image, cut it back at a place of its own, and mirror every second one on average.

    Parameters
    ----------
    x : torch.Tensor
        Normalised images (n, c, h, w).
    padding : int
        Pixels added on each side (4 in the paper).
    generator : torch.Generator
        Source of chance, on the device of `x`.
    fill : torch.Tensor
        Value of the padding per channel (c,): a normalised black.

    Returns
    -------
    torch.Tensor
        Images (n, c, h, w), channels last.
    """
    n, _, h, w = x.shape
    options = {"generator": generator, "device": x.device}
    top, left = torch.randint(0, 2 * padding + 1, (2, n), **options)
    flip = torch.randint(0, 2, (n, 1), **options).bool()
    if not padding:
        return torch.where(flip.view(n, 1, 1, 1), x.flip(3), x).contiguous(memory_format=torch.channels_last)
    fill = fill.view(1, -1, 1, 1)
    padded = F.pad(x - fill, (padding,) * 4).add_(fill).permute(0, 2, 3, 1)
    rows = top[:, None] + torch.arange(h, device=x.device)
    columns = torch.arange(w, device=x.device).expand(n, w)
    columns = left[:, None] + torch.where(flip, w - 1 - columns, columns)
    image = torch.arange(n, device=x.device)[:, None, None]
    return padded[image, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
