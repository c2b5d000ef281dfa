"""``fmfp train | run | claims | data | bench | doctor`` on the command line, and `cli_predictions`."""

import json
import os
import platform
import sys
import time
import warnings
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from . import cli_predictions

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.add_typer(cli_predictions.app)
QUIET_KERNEL = ["--IPKernelApp.log_level=ERROR"]  # its newest versions warn, at every start, of listening on localhost
_MEASURES = (
    "Also measure on the network, repeatable: fit, flatness, trust_score, confidnet, mc_dropout, swag, shift, "
    "nearest_neighbours, mahalanobis, mc_information"
)
_MORE = "Any other setting, such as rho=0.1 or batch_size=64 (the class Settings has them all); may be repeated"


@app.command()
def train(
    dataset: Annotated[str, typer.Option(help="A data set's name, or a path ending in .npz")] = "embedded",
    network: Annotated[str, typer.Option(help="A network's name; the scale's own if not given")] = None,
    method: Annotated[str, typer.Option(help="A name from the method table")] = "baseline",
    scale: Annotated[str, typer.Option(help="smoke, classroom, workstation or paper")] = "smoke",
    seed: Annotated[int, typer.Option(help="Seed of weights, order and augmentation")] = 0,
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
    force: Annotated[bool, typer.Option("--force", help="Train again even if a record exists")] = False,
    keep_weights: Annotated[bool, typer.Option("--keep-weights", help="Write the weights beside the record")] = False,
    measure: Annotated[list[str], typer.Option(help=_MEASURES)] = [],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a path")] = False,
):
    """Train one network, or find its record; print the path of the record last."""
    from .settings import Settings

    values = dict(
        dataset=dataset, network=network, method=method, scale=scale, seed=seed, protocol=protocol, epochs=epochs,
        train_size=train_size, test_size=test_size, sam_gradient=sam_gradient, device=device, precision=precision,
        compile=compile_,
    )  # fmt: skip
    for text in more:
        name, equals, value = text.partition("=")
        if not equals or name in values:
            raise ValueError(f"--set {text}: NAME=VALUE is accepted, for settings that have no option of their own")
        values[name] = value
    settings = Settings(**values)
    if threads is not None and threads < 1:
        raise ValueError(f"threads is {threads}; it must be at least 1")
    import torch

    from . import distributed, training

    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("device 'cuda' was asked for, but torch finds no CUDA device; choose cpu or auto")
    if threads:
        torch.set_num_threads(threads)
    record = training.train(settings, force=force, keep_weights=keep_weights, measures=measure)
    if not distributed.first():
        return
    if as_json:
        # JSON has no NaN: a metric that is not defined (all right, say) is null.
        metrics = {k: v if v == v else None for k, v in record.metrics.items()}
        print(json.dumps({"settings": record.settings.model_dump(), "metrics": metrics, "path": str(record.path)}))
    else:
        print(record.path)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def run(
    context: typer.Context,
    notebook: Annotated[str, typer.Argument(help="Path of a notebook, or its name in notebooks/; then -p NAME VALUE")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Where the executed notebook goes")] = None,
):
    """Run a notebook by papermill with any number of -p NAME VALUE; unknown names and wrong types are rejected."""
    import ast
    import tempfile

    import nbformat
    import papermill

    from .paths import ROOT
    from .records import write_atomically
    from .settings import check_parameters, choose

    path = Path(notebook)
    if not path.exists():
        names = {p.stem: p for p in sorted((ROOT / "notebooks").glob("*.ipynb"))}
        path = names[choose("notebook", path.stem, names)]
    known = papermill.inspect_notebook(str(path))
    values = {}
    words = list(context.args)
    while words:
        if words[0] not in ("-p", "--parameter") or len(words) < 3:
            raise ValueError(f"cannot read {' '.join(words)!r}; parameters are given as -p NAME VALUE")
        _, name, text, *words = words
        default = ast.literal_eval(known[choose("parameter", name, sorted(known))]["default"])
        values[name] = _typed(name, text, default)
        check_parameters({name: values[name]}, **{name: default})
    output = output or Path(f"{path.stem}.out.ipynb")
    output.parent.mkdir(parents=True, exist_ok=True)
    tempfile.TemporaryFile(dir=output.parent).close()  # a folder that cannot be written to is met now, not at the end
    try:
        executed = papermill.execute_notebook(str(path), None, values, extra_arguments=QUIET_KERNEL)
    except papermill.PapermillExecutionError as error:
        raise ValueError(f"{path.name} failed in [{error.exec_count}]: {error.ename}: {error.evalue}") from None
    write_atomically(output, nbformat.writes(executed).encode())
    print(output)


def _typed(name: str, text: str, default):
    import ast

    if isinstance(default, str):
        return text
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        value = text
    if isinstance(default, float) and type(value) is int:
        value = float(value)
    if type(value) is not type(default):
        raise ValueError(f"parameter {name} is {text!r}; it must be a {type(default).__name__}, such as {default!r}")
    return value


@app.command()
def claims(
    names: Annotated[list[str] | None, typer.Argument(help="C1 to C15, with tests and evidence")] = None,
    replicates: Annotated[int | None, typer.Option(help="Of each bootstrap; by default the book's", min=1)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table")] = False,
):
    """Put the paper's claims to their tests on the finished runs, and print the verdicts."""
    from rich.console import Console
    from rich.table import Table

    from .book import claims as _claims
    from .book import claims_pages
    from .book.names import display
    from .settings import choose
    from .statistics import REPLICATES

    known = [claim.id for claim in _claims.CLAIMS]
    wanted = [choose("claim", name.upper(), known) for name in names or known]
    results = _claims.evaluate(replicates=replicates or REPLICATES, only=wanted)
    if as_json:
        print(json.dumps(claims_pages.plain(results)))
        return
    console = Console()
    table = Table("", "the paper says", "verdict here", "why", show_lines=True)
    for key, result in results.items():
        table.add_row(key, result.claim.wording, result.verdict, result.why)
    console.print(table)
    for key, result in results.items() if names else ():
        console.print(f"{key} ({result.claim.section}). {result.claim.test}", markup=False)
        for e in result.evidence:
            heading = display(e.quantity)[1]
            words = f"{e.part}; {e.group}; {e.compared}; {heading} {e.numbers} ({e.claimed}): {e.reading}"
            console.print(f"- {words}; {e.seeds} seeds", markup=False)
        console.print(f"Published. {result.claim.published() or 'No table holds numbers on it.'}", markup=False)


@app.command()
def bench(
    device: Annotated[str, typer.Option(help="cpu or cuda")] = "cpu",
    repeats: Annotated[int, typer.Option(help="Turns of which the median is taken", min=1)] = 5,
    clock: Annotated[str, typer.Option(help="wall, or on a busy machine cpu: computing time on one thread")] = "wall",
    quick: Annotated[bool, typer.Option("--quick", help="Small sizes, to see that all of it runs")] = False,
    output: Annotated[Path, typer.Option("-o", "--output", help="Also keep the measurements in this file")] = None,
):
    """Measure the library beside plain references on this machine; print the book's table."""
    from .settings import choose

    choose("device", device, ("cpu", "cuda"))
    choose("clock", clock, ("wall", "cpu"))
    import torch

    from .book.speed import speed
    from .paths import ROOT

    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("device 'cuda' was asked for, but torch finds no CUDA device; choose cpu")
    if not (ROOT / "benchmarks").is_dir():
        raise ValueError("the folder benchmarks/ is not there; measure in a checkout of the repository")
    sys.path.insert(0, str(ROOT))
    from benchmarks import bench as harness

    found = harness.measure(device, repeats, quick, clock)
    if output:
        harness.write(output, device, found)
    print(speed({device: found}))


@app.command()
def doctor(seconds: Annotated[float, typer.Option(help="How long to measure the speed", min=0, max=3600)] = 10.0):
    """Report versions, device, threads, data found and speed; on a GPU, compare ten steps with the CPU's."""
    import numpy
    import torch
    import torchvision

    from . import __version__, cost, datasets, records
    from .book.speed import measured
    from .objectives import Batch
    from .settings import Settings
    from .training import Run

    print(f"fmfp_lib {__version__}, Python {platform.python_version()}, torch {torch.__version__}, "
          f"torchvision {torchvision.__version__}, numpy {numpy.__version__}")  # fmt: skip
    cuda = torch.cuda.is_available()
    print(f"device: {torch.cuda.get_device_name() if cuda else 'cpu'}; {torch.get_num_threads()} threads "
          f"of {os.cpu_count()} cores")  # fmt: skip
    if (devices := torch.cuda.device_count()) > 1:
        print(f"one run on all devices: torchrun --nproc-per-node {devices} -m fmfp_lib.cli train ...")
    grid = measured("Grid")
    gain = f" ({grid[0]['ratio']:.1f} times as fast as one run on all, when measured)" if grid else ""
    print("many runs: snakemake --profile profiles/local trains the grid of grid.yml, one single-threaded run a core"
          + gain)  # fmt: skip
    for what, place in (("shipped", records.SHIPPED), ("new", records.folder())):
        print(f"{what} records: {place} ({len(list(place.glob('*.json')))} finished runs)")
    print(f"downloaded data: {datasets.folder()} ({'there' if datasets.folder().exists() else 'nothing yet'})")
    run_ = Run(Settings(scale="classroom", epochs=1000))
    start, images = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        float(run_.train_epoch()[0])
        images += len(run_.x_train)
    speed = images / (time.perf_counter() - start)
    work = sum(cost.operations(run_.settings.network, "embedded"))
    print(f"speed: {speed:,.0f} images/s, {run_.settings.network}, embedded data: {speed * work / 1e9:,.1f} GFLOP/s")
    if cuda:
        losses = {}
        for device in ("cpu", "cuda"):
            run_ = Run(Settings(scale="smoke", epochs=10, device=device))
            index = torch.arange(128, device=device)
            batch = Batch(run_.x_train[:128], run_.y_train[:128], index, 0, 0, run_)
            losses[device] = []
            for _ in range(10):
                run_.optimizer.zero_grad()
                losses[device].append(float(run_.loss_and_gradient(batch)[0]))
                run_.optimizer.step()
        worst = max(abs(a - b) for a, b in zip(losses["cpu"], losses["cuda"], strict=True))
        print(f"CPU and CUDA losses over ten steps differ by at most {worst:.3g} (bf16 on CUDA: below 0.1 expected)")


data = typer.Typer(help="List the data sets, or download one.", invoke_without_command=True)
app.add_typer(data, name="data")


@data.callback()
def list_data(context: typer.Context):
    """List the data sets: what they are, what they take to download, and where they lie."""
    if context.invoked_subcommand:
        return
    from . import datasets

    print(f"folder: {datasets.folder()} (FMFP_DATA names another)")
    row = "{:<14} {:>7} {:>9} {:>6}  {:<11} {:>8}  {}".format
    print(row("name", "classes", "training", "test", "pixels", "download", "at hand"))
    for name, source in datasets.CATALOGUE.items():
        size = f"{source.archive.bytes / 1e6:,.0f} MB" if source.archive else ""
        without = f"no: `fmfp data get {name}`" if source.archive else f"no: by hand, as `fmfp data get {name}` tells"
        place = str(source.at_hand() or without) if source.folders else "ships with the library"
        counts = source.classes, source.train or "", source.test
        print(row(name, *counts, source.shape, size, place))


@data.command("get")
def get_data(name: Annotated[str, typer.Argument(help="A name from the list")]):
    """Download a data set, going on after a break; check it, unpack it, and print where it lies."""
    from . import datasets

    print(datasets.get(name))


def main():
    """Run the command line; a wrong value ends in one line on standard error and exit code 2."""
    launched = "TORCHELASTIC_RUN_ID" in os.environ  # torchrun started this process and others
    speaks = not launched or os.environ["RANK"] == "0"  # an error met by all is told by one
    warnings.showwarning = lambda message, *rest: print(f"fmfp: {message}", file=sys.stderr)
    try:
        with ExitStack() as stack:
            if launched:
                from .distributed import processes

                stack.enter_context(processes())
            code = app(standalone_mode=False)
    except typer.BadParameter.__base__ as error:  # UsageError, which typer does not name in all its versions
        if not error.format_message():
            print(error.ctx.get_help())  # nothing was given
        elif speaks:
            given = " ".join(sys.argv[1:])
            print(f"fmfp: {error.format_message()} (given: {given}; --help lists what is accepted)", file=sys.stderr)
        sys.exit(2)
    except ValueError as error:
        if speaks:
            print(f"fmfp: {error}", file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        if speaks:
            print(f"fmfp: {error}; what was finished before is untouched", file=sys.stderr)
        sys.exit(1)
    if code == 130 and speaks:
        print("fmfp: stopped; what was finished is kept, and the same command goes on from there", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
