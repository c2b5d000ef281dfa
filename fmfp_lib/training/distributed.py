"""One run on several devices: ``torchrun --nproc-per-node N -m fmfp_lib.cli train ...``.

Every process draws the same global batch and sends its own part of it through the network. The logits of all parts are
gathered, so that every process computes the loss of the whole batch by the code that one process would use; gradients
flow back into its own part alone, and their sum over the processes is the gradient of the whole batch. Batch norm takes
its statistics, and dropout its masks, from the whole batch too. One process and several then differ by rounding alone.

With one process every function here hands back what it is given.
"""

import datetime
import os
from contextlib import contextmanager
from typing import NamedTuple

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import nn

# A process may wait while the first one waits for a run that others are training; torchrun ends all if one dies.
PATIENCE = datetime.timedelta(days=7)
_batch = 0  # size of the batch that the network has a part of at the moment


@contextmanager
def processes():
    """Join the processes that torchrun started, and leave them at the end.

    Yields
    ------
    None
    """
    local = int(os.environ["LOCAL_RANK"])
    if local < torch.cuda.device_count():
        torch.cuda.set_device(local)
    dist.init_process_group(timeout=PATIENCE)  # gloo for tensors on the CPU, NCCL for those on CUDA
    try:
        yield
    finally:
        dist.destroy_process_group()


def size() -> int:
    """Return the number of processes that train together."""
    return dist.get_world_size() if dist.is_initialized() else 1


def first() -> bool:
    """Return whether this process is the one that writes."""
    return not dist.is_initialized() or dist.get_rank() == 0


def check(settings) -> None:
    """Raise ValueError if the processes cannot share the completed `settings`."""
    if settings.batch_size < size():
        raise ValueError(
            f"batch_size is {settings.batch_size}, less than an image for each of the {size()} processes; "
            f"give --nproc-per-node at most {settings.batch_size}"
        )
    here = int(os.environ.get("LOCAL_WORLD_SIZE", 1)) if size() > 1 else 1
    if settings.device == "cuda" and here > torch.cuda.device_count():
        raise ValueError(
            f"{here} processes were started for {torch.cuda.device_count()} CUDA devices; "
            f"give --nproc-per-node at most {torch.cuda.device_count()}, or --device cpu"
        )


def from_first(function):
    """Return in every process what `function` returns in the first one, or raise what it raises there."""
    if size() == 1:
        return function()
    answer = [None, None]
    if first():
        try:
            answer = [function(), None]
        except Exception as error:
            answer = [None, error]
    dist.broadcast_object_list(answer)
    if answer[1] is not None:
        raise answer[1]
    return answer[0]


def first_then_rest(function):
    """Return `function` called in every process, in the first one before all others: it may download a file."""
    if size() == 1:
        return function()
    result = []
    from_first(lambda: result.append(function()))
    return result[0] if result else function()


# -- a batch in parts ------------------------------------------------------------------------------------------


def _place(n: int) -> slice:
    return slice(*(n * rank // size() for rank in (dist.get_rank(), dist.get_rank() + 1)))


class Part(NamedTuple):
    """This process's images of a batch, where the others' are not at hand.

    Attributes
    ----------
    images : torch.Tensor
        (n / processes, c, h, w).
    batch : int
        Length n of the whole batch.
    """

    images: torch.Tensor
    batch: int


def part(x):
    """Return this process's part of a batch `x` of length n; parts differ by one at most."""
    global _batch
    if size() == 1:
        return x
    if isinstance(x, Part):
        _batch = x.batch
        return x.images
    _batch = len(x)
    return x[_place(_batch)]


def whole(x):
    """Return all images (n, c, h, w) of a batch `x`: those that are missing come from the other processes."""
    return gather(*x) if isinstance(x, Part) else x


def gather(x: torch.Tensor, n: int | None = None) -> torch.Tensor:
    """Return the batch (n, ...) of which `x` is this process's part; gradients flow into this part alone.

    `n` is the length of the batch that was last divided, if not given.

    Parameters
    ----------
    x : torch.Tensor
        This process's part, (n / processes, ...).
    n : int, optional
        Length of the whole batch.

    Returns
    -------
    torch.Tensor
        (n, ...).
    """
    if size() == 1:
        return x
    n = _batch if n is None else n
    place = _place(n)
    whole = x.new_zeros(n, *x.shape[1:])
    whole[place] = x.detach()
    dist.all_reduce(whole)
    return torch.cat([whole[: place.start], x, whole[place.stop :]])


def split(function):
    """Return `function`, a network say, such that every process computes its part of the batch and has all of it."""
    return function if size() == 1 else lambda x: gather(function(part(x)))


@torch.no_grad()
def add_gradients(model: nn.Module) -> None:
    """Replace the gradients of each process by their sum over all."""
    if size() == 1:
        return
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    flat = torch.cat([g.flatten() for g in gradients])  # one message instead of one a tensor
    dist.all_reduce(flat)
    sums = flat.split([g.numel() for g in gradients])
    torch._foreach_copy_(gradients, [s.view(g.shape) for s, g in zip(sums, gradients, strict=True)])


# -- layers that look beyond one image ---------------------------------------------------------------------------


class _Sum(torch.autograd.Function):
    """The sum of a tensor over all processes; so is its gradient."""

    @staticmethod
    def forward(ctx, x):
        x = x.clone()
        dist.all_reduce(x)
        return x

    backward = forward


class SynchronisedBatchNorm(nn.BatchNorm2d):
    """Batch norm with the statistics of the whole batch on any device; ``nn.SyncBatchNorm`` works on CUDA alone."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Normalise this process's part (n, c, h, w) of a batch."""
        if not self.training:
            return super().forward(x)
        place = _place(_batch)
        if len(x) != place.stop - place.start:
            raise RuntimeError(f"batch norm met {len(x)} images, not this process's part of a batch; call `part` first")
        count = _batch * x.shape[2:].numel()
        mean = _Sum.apply(x.sum((0, 2, 3))) / count
        centred = x - mean.view(1, -1, 1, 1)
        variance = _Sum.apply(centred.square().sum((0, 2, 3))) / count
        if self.track_running_stats:
            with torch.no_grad():
                self.num_batches_tracked += 1
                # As in torch: without a momentum, the running statistics are the mean over all batches.
                share = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
                self.running_mean.lerp_(mean, share)
                self.running_var.lerp_(variance * (count / (count - 1)), share)
        scale = self.weight * (variance + self.eps).rsqrt()
        return centred * scale.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)


class PartOfDropout(nn.Dropout):
    """Dropout that draws the masks of the whole batch and applies those of this process's part."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Drop features of this process's part (n, ...) of a batch."""
        if not self.training:
            return x
        return x * F.dropout(x.new_ones(_batch, *x.shape[1:]), self.p)[_place(_batch)]


def synchronise(model: nn.Module) -> nn.Module:
    """Return `model` with its batch norm and dropout looking at the whole batch; the names of its weights stay."""
    if size() == 1:
        return model
    for layer in model.modules():
        if type(layer) is nn.Dropout:
            layer.__class__ = PartOfDropout
        elif type(layer) is nn.BatchNorm2d and not next(layer.parameters()).is_cuda:
            layer.__class__ = SynchronisedBatchNorm
    return nn.SyncBatchNorm.convert_sync_batchnorm(model) if next(model.parameters()).is_cuda else model
