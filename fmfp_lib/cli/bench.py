"""``fmfp bench``: the library beside plain references."""

import sys
from pathlib import Path
from typing import Annotated

import typer


def bench(
    device: Annotated[str, typer.Option(help="cpu or cuda")] = "cpu",
    repeats: Annotated[int, typer.Option(help="Turns of which the median is taken", min=1)] = 5,
    clock: Annotated[str, typer.Option(help="wall, or on a busy machine cpu: computing time on one thread")] = "wall",
    quick: Annotated[bool, typer.Option("--quick", help="Small sizes, to see that all of it runs")] = False,
    output: Annotated[Path, typer.Option("-o", "--output", help="Also keep the measurements in this file")] = None,
):
    """Measure the library beside plain references on this machine; print the book's table."""
    from ..errors import choose
    from ..paths import ROOT

    choose("device", device, ("cpu", "cuda"))
    choose("clock", clock, ("wall", "cpu"))
    import torch

    from ..book.speed import speed

    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("device 'cuda' was asked for, but torch finds no CUDA device; choose cpu")
    if not (ROOT / "benchmarks").is_dir():
        raise ValueError("the folder benchmarks/ is not there; measure in a checkout of the repository")
    if output and not output.absolute().parent.is_dir():
        raise ValueError(f"{output}: there is no folder {output.parent}")
    sys.path.insert(0, str(ROOT))
    from benchmarks import bench as harness

    if output:
        harness.read(output)  # a wrong file is told before the work
    found = harness.measure(device, repeats, quick, clock)
    print(speed({device: found}))
    if output:
        harness.write(output, device, found)
