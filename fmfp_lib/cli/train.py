"""``fmfp train``."""

import json
from typing import Annotated

import typer

_MEASURES = (
    "Also measure on the network, repeatable: fit, flatness, trust_score, confidnet, mc_dropout, swag, shift, "
    "nearest_neighbours, mahalanobis, mc_information"
)
_MORE = "Any other setting, such as rho=0.1 or batch_size=64 (the class Settings has them all); may be repeated"


def _seeds(text: str) -> list[int]:
    """Return the seeds in a text such as ``0,1,2``."""
    from ..settings import Settings

    try:
        return list(dict.fromkeys(Settings(seed=int(word)).seed for word in text.split(",")))
    except ValueError:
        raise ValueError(f"seeds is {text!r}; whole numbers from 0 on, with commas, are accepted: 0,1,2") from None


def _named(more, taken) -> dict[str, str]:
    """Return the settings that ``--set NAME=VALUE`` gives."""
    found = {}
    for text in more:
        name, equals, value = text.partition("=")
        if not equals or name in taken or name in found:
            raise ValueError(f"--set {text}: NAME=VALUE is accepted, for settings that have no option of their own")
        found[name] = value
    return found


def _train_side_by_side(settings, seeds, threads, minutes, words):
    """Train one run a seed, a process each, and print the paths of their records."""
    from .. import records, side_by_side

    runs = [settings.model_copy(update={"seed": seed}) for seed in seeds]
    jobs, threads = side_by_side.shares(len(runs), settings.complete().device, threads=threads)
    side_by_side.train_all(runs, jobs, threads, minutes, words)
    for run in runs:
        print(records.find(run).path)


def train(
    dataset: Annotated[str, typer.Option(help="A data set's name, or a path ending in .npz")] = "embedded",
    network: Annotated[str, typer.Option(help="A network's name; the scale's own if not given")] = None,
    method: Annotated[str, typer.Option(help="A name from the method table")] = "baseline",
    scale: Annotated[str, typer.Option(help="smoke, classroom, workstation or paper")] = "smoke",
    seed: Annotated[int, typer.Option(help="Seed of weights, order and augmentation")] = 0,
    seeds: Annotated[str, typer.Option(help="Several seeds side by side, such as 0,1,2, a process each")] = None,
    protocol: Annotated[str, typer.Option(help="paper or code")] = "paper",
    epochs: Annotated[int, typer.Option(help="Instead of the scale's")] = None,
    train_size: Annotated[int, typer.Option(help="Training images, instead of the scale's")] = None,
    test_size: Annotated[int, typer.Option(help="Test images, instead of the scale's")] = None,
    sam_gradient: Annotated[str, typer.Option(help="global or local: SAM's first pass under torchrun")] = "global",
    more: Annotated[list[str], typer.Option("--set", metavar="NAME=VALUE", help=_MORE)] = [],
    device: Annotated[str, typer.Option(help="auto, cpu or cuda")] = "auto",
    precision: Annotated[str, typer.Option(help="auto, float32, tf32 or bfloat16, of training's passes")] = "auto",
    compile_: Annotated[bool, typer.Option("--compile", help="Compile the network (pays on CUDA)")] = False,
    threads: Annotated[int, typer.Option(help="CPU threads; torch's choice if not given")] = None,
    minutes: Annotated[float, typer.Option(help="Stop at a checkpoint then; the same command continues")] = None,
    force: Annotated[bool, typer.Option("--force", help="Train again even if a record exists")] = False,
    keep_weights: Annotated[bool, typer.Option("--keep-weights", help="Write the weights beside the record")] = False,
    measure: Annotated[list[str], typer.Option(help=_MEASURES)] = [],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a path")] = False,
):
    """Train one network, or find its record; print the path of the record last."""
    from ..settings import Settings

    values = dict(
        dataset=dataset, network=network, method=method, scale=scale, seed=seed, protocol=protocol, epochs=epochs,
        train_size=train_size, test_size=test_size, sam_gradient=sam_gradient, device=device, precision=precision,
        compile=compile_,
    )  # fmt: skip
    settings = Settings(**values, **_named(more, values))
    if threads is not None and threads < 1:
        raise ValueError(f"threads is {threads}; it must be at least 1")
    import torch

    from .. import training
    from ..training import distributed

    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("device 'cuda' was asked for, but torch finds no CUDA device; choose cpu or auto")
    if minutes is not None and not 0 < minutes < float("inf"):
        raise ValueError(f"minutes is {minutes}; a positive number is accepted")
    if seeds is not None:
        if as_json or force or distributed.size() > 1:
            raise ValueError("--seeds goes with neither --json nor --force nor torchrun; train the seeds one by one")
        words = ["--keep-weights"] * keep_weights + [word for name in measure for word in ("--measure", name)]
        return _train_side_by_side(settings, _seeds(seeds), threads, minutes, words)
    if threads:
        torch.set_num_threads(threads)
    record = training.train(settings, force=force, keep_weights=keep_weights, measures=measure, minutes=minutes)
    if not distributed.first():
        return
    if as_json:
        # JSON has no NaN: a metric that is not defined (all right, say) is null.
        metrics = {k: v if v == v else None for k, v in record.metrics.items()}
        print(json.dumps({"settings": record.settings.model_dump(), "metrics": metrics, "path": str(record.path)}))
    else:
        print(record.path)
