"""Chance that leaves the caller's random numbers as they were."""

from contextlib import contextmanager


@contextmanager
def seeded(seed: int, device="cpu"):
    """Let torch's own generators of the CPU and of `device` start from `seed` inside the block; restore them after it.

    ``torch.manual_seed`` would also seed every other device.

    Parameters
    ----------
    seed : int
    device : str or torch.device

    Yields
    ------
    None
    """
    import torch

    device = torch.device(device)
    cuda = device.type == "cuda"
    with torch.random.fork_rng([device] if cuda else []):
        torch.default_generator.manual_seed(seed)
        if cuda:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield
