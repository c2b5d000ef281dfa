"""``fmfp paper``."""

from typing import Annotated

import typer


def paper(
    minutes: Annotated[float, typer.Option(help="Time limit; interrupted runs continue at the next call")] = 25,
    tflops: Annotated[float, typer.Option(help="Operations a second, in 10^12; default: an H100's")] = None,
    jobs: Annotated[int, typer.Option(help="Runs at once", min=1)] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda")] = "auto",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be trained, and train nothing")] = False,
):
    """Train the most valuable unfinished runs of the paper's tables in so many minutes."""
    from .. import datasets, records, side_by_side
    from ..errors import OutOfTime, choose
    from . import paper_plan

    choose("device", device, ("auto", "cpu", "cuda"))
    if not 0 < minutes < float("inf"):
        raise ValueError(f"minutes is {minutes}; a positive number is accepted")
    if tflops is not None and not 0 < tflops < float("inf"):
        raise ValueError(f"tflops is {tflops}; a positive number is accepted")
    planned = paper_plan.plan(minutes, None if tflops is None else 1e12 * tflops)
    total = planned.finished + planned.left + len(planned.chosen)
    print(f"{planned.finished} of {total} runs of the paper's tables on CIFAR are finished.", end="")
    print(f" In {minutes:g} minutes:" if planned.chosen else "")
    for settings in planned.chosen:
        estimate = planned.minutes[settings.hash()]
        run = f"{settings.dataset} {settings.network} {settings.method} seed {settings.seed}"
        print(f"  {run}: {estimate:.1f} min alone")
    if dry_run or not planned.chosen:
        return
    for name in dict.fromkeys(s.dataset for s in planned.chosen):
        if datasets.CATALOGUE[name].at_hand() is None:
            raise ValueError(f"{name} is not at hand: `fmfp data get {name}`, or `fmfp data unpack` of what was packed")
    runs = [s.model_copy(update={"device": device}) for s in planned.chosen]
    jobs, threads = side_by_side.shares(len(runs), runs[0].complete().device, jobs)
    try:
        side_by_side.train_all(runs, jobs, threads, minutes)
    except OutOfTime as error:
        print(f"{error}; the same command goes on from there")
    print(f"records: {records.folder()}")
