"""``fmfp doctor``: what is installed, found, and how fast it is here."""

import os
import platform
import time
from typing import Annotated

import typer


def doctor(seconds: Annotated[float, typer.Option(help="How long to measure each speed", min=0, max=3600)] = 5.0):
    """Report versions, device, threads, data found and speed; on a GPU, compare ten steps with the CPU's."""
    import numpy
    import torch
    import torchvision

    from .. import __version__, datasets, paths, records
    from ..book.speed import measured

    print(
        f"fmfp_lib {__version__}, Python {platform.python_version()}, torch {torch.__version__}, "
        f"torchvision {torchvision.__version__}, numpy {numpy.__version__}"
    )
    cuda = torch.cuda.is_available()
    print(
        f"device: {torch.cuda.get_device_name() if cuda else 'cpu'}; {torch.get_num_threads()} threads "
        f"of {os.cpu_count()} cores"
    )
    if (devices := torch.cuda.device_count()) > 1:
        print(f"one run on all devices: torchrun --nproc-per-node {devices} -m fmfp_lib.cli train ...")
    if not paths.INSTALLED:
        grid = measured("Grid")
        gain = f" ({grid[0]['ratio']:.1f} times as fast as one run on all, when measured)" if grid else ""
        print(
            "many runs: snakemake --profile profiles/local trains the grid of grid.yml, one single-threaded run a "
            "core" + gain
        )
    for what, place in (("shipped", records.SHIPPED), ("new", records.folder())):
        print(f"{what} records: {place} ({len(list(place.glob('*.json')))} finished runs)")
    print(f"downloaded data: {datasets.folder()} ({'there' if datasets.folder().exists() else 'nothing yet'})")
    for network in ("preact_resnet8_w16_s2", "resnet9_w32"):
        _compare_precisions(network, "cuda" if cuda else "cpu", seconds)
    if cuda:
        print(f"CPU and CUDA losses in float32 differ by at most {_gap_of_devices():.3g} over ten steps")


def _compare_precisions(network, device, seconds):
    """Print how fast a network trains in each precision, and which one is worth asking for."""
    from .. import cost, precision
    from ..settings import Settings
    from ..training import Run

    speeds = {}
    for name in precision.available(device):
        run = Run(Settings(scale="classroom", network=network, train_size=1000, epochs=1000, precision=name))
        speeds[name] = _images_per_second(run, seconds)
        work = sum(cost.operations(network, "embedded"))
        print(
            f"speed in {name}: {speeds[name]:,.0f} images/s, {network}, embedded data: "
            f"{speeds[name] * work / 1e9:,.1f} GFLOP/s"
        )
    best = max(speeds, key=speeds.get)
    gain = speeds[best] / max(speeds["float32"], 1e-9) if speeds[best] else 1.0
    if gain > 1.1:
        print(
            f"--precision {best} trains {network} {gain:.1f} times as fast as float32; evaluation and SAM's steps stay "
            "in float32"
        )
    else:
        print(f"no precision is clearly faster than float32 for {network} here")


def _images_per_second(run, seconds):
    """Train for `seconds` and return the images taken per second."""
    start, images = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        float(run.train_epoch()[0])
        images += len(run.x_train)
    return images / (time.perf_counter() - start)


def _gap_of_devices() -> float:
    """Return the largest difference between the losses of ten equal steps on the CPU and on the GPU."""
    import torch

    from ..settings import Settings
    from ..training import Run, batches

    losses = {}
    for device in ("cpu", "cuda"):
        run = Run(Settings(scale="smoke", epochs=10, device=device, precision="float32"))
        index = torch.arange(128, device=device)
        batch = batches.fill(run, run.x_train[:128], run.y_train[:128], index, 0)
        losses[device] = []
        for _ in range(10):
            run.optimizer.zero_grad()
            losses[device].append(float(run.loss_and_gradient(batch)[0]))
            run.optimizer.step()
    return max(abs(a - b) for a, b in zip(losses["cpu"], losses["cuda"], strict=True))
