"""Several runs at once, each a process of its own.

A small network leaves a large GPU, or a CPU of many cores, mostly idle. Of the ways to fill it this is the one that
changes no result: every run computes what it would compute alone, byte for byte on a CPU. Stacked weights
(``torch.func``) would need every objective, batch norm and SAM a second time; streams of one process share Python's
lock, which is what a small network waits for. On CUDA the processes share the device through NVIDIA's multi-process
service where it is installed: on an H100 eight small networks were trained at 3 to 9 times the speed of one.
"""

import os
import shutil
import subprocess
import tempfile
import time

from . import grid, records
from .errors import TIME_IS_UP, OutOfTime
from .settings import Settings

CUDA_JOBS = 14  # processes on one device


def shares(runs: int, device: str, jobs: int | None = None, threads: int | None = None) -> tuple[int, int]:
    """Return how many runs to train at once, and on how many CPU threads each.

    Parameters
    ----------
    runs : int
        All runs.
    device : {'cpu', 'cuda'}
    jobs, threads : int, optional
        As asked for; filled in from the machine if not given.

    Returns
    -------
    tuple of int
        Both at least 1.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if jobs is None:
        jobs = CUDA_JOBS if device == "cuda" else max(1, cores // (threads or 1))
    jobs = max(1, min(jobs, runs))
    return jobs, threads or max(1, cores // jobs)


def _served(device: str, folder: str) -> dict[str, str] | None:
    """Start NVIDIA's multi-process service for this folder, if there is one; return the environment that finds it."""
    if device != "cuda" or not shutil.which("nvidia-cuda-mps-control") or "CUDA_MPS_PIPE_DIRECTORY" in os.environ:
        return None
    served = os.environ | {"CUDA_MPS_PIPE_DIRECTORY": folder, "CUDA_MPS_LOG_DIRECTORY": folder}
    started = subprocess.run(["nvidia-cuda-mps-control", "-d"], env=served, capture_output=True)
    return served if started.returncode == 0 else None


def _last_line(log) -> str:
    lines = log.read_text("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "nothing"


def train_all(runs: list[Settings], jobs: int, threads: int, minutes: float | None = None, more=()) -> None:
    """Train the runs that have no record, `jobs` of them at a time, in the order given.

    A run starts after the one whose checkpoint it shares (`grid.waits_for`). What a run prints goes to
    ``logs/<hash>.log`` in the folder of records.

    Parameters
    ----------
    runs : list of Settings
    jobs : int
        Processes at once.
    threads : int
        CPU threads of each.
    minutes : float, optional
        When the time is up, those in progress stop at a checkpoint and no other begins.
    more : sequence of str
        Further words for each ``fmfp train``.

    Raises
    ------
    OutOfTime
        If runs are left unfinished when the time is up.
    ValueError
        If runs fail: in one line, which, with the last line that each printed. The others are finished first.
    """
    import shlex

    end = float("inf") if minutes is None else time.monotonic() + 60 * minutes
    waiting = {s.hash(): s for s in runs if more or records.find(s) is None}
    total, running, failed, cut = len(waiting), {}, [], []
    logs = records.folder() / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        served = _served(runs[0].complete().device, folder) if runs else None
        try:
            while running or waiting and time.monotonic() < end:
                in_progress = {name: waiting.get(name) for name in (*waiting, *running)}
                ready = [name for name, s in waiting.items() if not grid.waits_for(s, in_progress)]
                for name in ready[: jobs - len(running)] if time.monotonic() < end else []:
                    words = [*shlex.split(grid.command(waiting.pop(name), threads)), *more]
                    if minutes is not None:
                        words += ["--minutes", f"{max(end - time.monotonic(), 0.6) / 60:.4f}"]
                    with open(logs / f"{name}.log", "ab") as log:
                        running[name] = subprocess.Popen(words, stdout=log, stderr=log, env=served)
                time.sleep(0.05)
                for name in [name for name, process in running.items() if process.poll() is not None]:
                    status = running.pop(name).returncode
                    if status:
                        (cut if status == TIME_IS_UP else failed).append(name)
        finally:
            for process in running.values():
                process.terminate()
            if served:
                subprocess.run(["nvidia-cuda-mps-control"], input=b"quit\n", env=served, capture_output=True)
    if failed:
        words = "; ".join(f"{name}: {_last_line(logs / f'{name}.log')}" for name in failed)
        raise ValueError(f"{len(failed)} of {total} runs failed, and last said: {words}")
    if cut or waiting:
        done = total - len(cut) - len(waiting)
        raise OutOfTime(f"{done} of {total} runs finished, {len(cut)} cut off at a checkpoint")
