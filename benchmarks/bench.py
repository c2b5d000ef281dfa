"""The library beside plain references, on this machine: ``fmfp bench`` and ``make bench``.

The alternatives take turns, and every number is the median over the turns. Times are wall-clock times. On a machine
that others use, ``clock="cpu"`` counts the seconds that all processes of an alternative compute, on one thread.
"""

import json
import math
import multiprocessing
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np

from fmfp_lib import metrics, statistics

from . import plain_metrics

ROOT = Path(__file__).resolve().parent.parent
NETWORKS = {  # network: data, images a turn
    "preact_resnet8_w32_s2": ("embedded", 1000),
    "preact_resnet110": ("cifar", 256),
    "densenet": ("cifar", 256),
}


def _cpu_seconds() -> float:
    import resource  # not on Windows

    spent = resource.getrusage(resource.RUSAGE_CHILDREN)  # ended ones: the plain loop's workers end each epoch
    return time.process_time() + spent.ru_utime + spent.ru_stime


CLOCKS = {"wall": time.perf_counter, "cpu": _cpu_seconds}
_clock = CLOCKS["wall"]


class Seconds(float):
    """What a call took, by its own clock."""


def turns(repeats: int, **calls) -> dict[str, float]:
    """Return each call's median seconds over `repeats` turns; a first turn warms up and does not count.

    A call that returns `Seconds` has timed itself.
    """
    seconds = {name: [] for name in calls}
    for turn in range(repeats + 1):
        for name, call in calls.items():
            start = _clock()
            result = call()
            if turn:
                seconds[name].append(result if isinstance(result, Seconds) else _clock() - start)
    return {name: float(np.median(values)) for name, values in seconds.items()}


def row(group, what, other, own, unit, ratio, aim=None):
    """Return one line of the table; `aim` is a text such as "≥ 25"."""
    return {"group": group, "what": what, "other": other, "own": own, "unit": unit, "ratio": ratio, "aim": aim}


def classifier(n, k, seed=0):
    """Return float32 logits (n, k) of a classifier that is often correct, and labels (n,)."""
    rng = np.random.default_rng(seed)
    labels = np.random.default_rng(12345).integers(0, k, n)
    logits = 2 * rng.standard_normal((n, k), np.float32)
    logits[np.arange(n), labels] += 5
    return logits, labels


# -- metrics and statistics ---------------------------------------------------------------------------------------


def measure_metrics(repeats, quick):
    group = "Metrics: the paper's ten together, plain code against `evaluate`"
    for n, k, aim in ((1000, 10, 25),) if quick else ((10_000, 10, 25), (10_000, 100, 15), (50_000, 1000, 8)):
        logits, labels = classifier(n, k)
        p = metrics.softmax(logits)  # the plain code is given it; `evaluate` is not
        found = turns(
            repeats,
            plain=partial(plain_metrics.evaluate, p, logits, labels),
            own=partial(metrics.evaluate, logits, labels, False),
            extras=partial(metrics.evaluate, logits, labels),
        )
        for name, more in (("own", ""), ("extras", ", and two more calibration errors")):
            what = f"{n:,} samples, {k:,} classes{more}"
            times = found["plain"] / found[name]
            yield row(group, what, found["plain"], found[name], "s", times, None if more else f"≥ {aim}")


def measure_scikit_learn(repeats, quick):
    from sklearn import metrics as sk

    group = "Metrics: scikit-learn's calls against ours, 10,000 samples"
    logits, labels = classifier(1000 if quick else 10_000, 10)
    confidence, correct = metrics.softmax(logits).max(1), logits.argmax(1) == labels
    pairs = {
        "AUROC": (sk.roc_auc_score, lambda correct, c: metrics.auroc(c, correct)),
        "average precision": (sk.average_precision_score, lambda correct, c: metrics.aupr_error(-c, ~correct)),
        "ROC, its point at 95 % TPR": (
            lambda correct, c: plain_metrics.fpr95(c, correct),
            lambda correct, c: metrics.fpr95(c, correct),
        ),
        "the three, against all eight of ours": (
            lambda correct, c: [f(correct, c) for f in (sk.roc_auc_score, sk.average_precision_score, sk.roc_curve)],
            lambda correct, c: metrics.evaluate_confidence(c, correct),
        ),
    }
    for what, (other, own) in pairs.items():
        found = turns(repeats, other=partial(other, correct, confidence), own=partial(own, correct, confidence))
        yield row(group, what, found["other"], found["own"], "s", found["other"] / found["own"])


def bootstrap(n, replicates):
    """Return the seconds of one paired bootstrap that finds nothing kept."""
    (a, labels), (b, _) = classifier(n, 10, 1), classifier(n, 10, 2)
    statistics.replicates.KEPT.clear()
    start = _clock()
    statistics.paired_bootstrap(a, b, labels, replicates)
    return _clock() - start


def naive_bootstrap(n, replicates):
    """Return the seconds that it takes to draw, sort and measure every replicate anew."""
    (a, labels), (b, _) = classifier(n, 10, 1), classifier(n, 10, 2)
    scores = [(metrics.softmax(z).max(1), z.argmax(1) == labels) for z in (a, b)]
    rng = np.random.default_rng(0)
    start = _clock()
    for _ in range(replicates):
        drawn = rng.integers(0, n, n)
        for confidence, correct in scores:
            metrics.evaluate_confidence(confidence[drawn], correct[drawn])
    return _clock() - start


def _peak_memory(call: str) -> float:
    """Return the MB that a process of its own held at most while it did ``bench.call``."""
    code = f"from benchmarks import bench; bench.{call}; print(open('/proc/self/status').read())"
    status = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT,
                            env=os.environ | {"PYTHONPATH": str(ROOT)}).stdout  # fmt: skip
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024


def measure_bootstrap(repeats, quick):
    group = "Bootstrap: 1,000 paired replicates of five metrics, two methods, 10,000 samples"
    n, replicates, few = (500, 20, 20) if quick else (10_000, 1000, 20)
    found = [(naive_bootstrap(n, few) * replicates / few, bootstrap(n, replicates)) for _ in range(repeats)]
    naive, own = np.median(found, 0)
    yield row(
        group, f"sorted anew each time (timed on {few}), against counts", naive, own, "s", naive / own, "at most 2 s"
    )
    if Path("/proc/self/status").exists():
        peak = _peak_memory(f"bootstrap({n}, {replicates})")
        yield row(group, "peak memory of the process", None, peak, "MB", None, "at most 500 MB")


# -- training -----------------------------------------------------------------------------------------------------


def _data(kind, images, folder):
    """Return a data set's name for `Settings`: the embedded one, or random pixels of CIFAR-10's shape."""
    if kind == "embedded":
        return kind
    path = Path(folder) / f"random{images}.npz"
    if not path.exists():
        rng = np.random.default_rng(0)
        count = math.ceil(images / 0.9) + 20  # a tenth is held out
        x, y = rng.integers(0, 256, (count, 3, 32, 32), np.uint8), np.arange(count) % 10
        np.savez(path, x_train=x, y_train=y, x_test=x[:10], y_test=y[:10])
    return str(path)


def _run(network, method, device, folder, images=None, compiled=False):
    from fmfp_lib.settings import Settings
    from fmfp_lib.training import Run

    kind, count = NETWORKS.get(network, ("cifar", 256))
    count = images or count
    settings = Settings(dataset=_data(kind, count, folder), network=network, method=method, train_size=count,
                        test_size=10, epochs=10_000, device=device, compile=compiled)  # fmt: skip
    return Run(settings.complete())


def _plain(network, sam, device, data, precision="float32"):
    from fmfp_lib import networks

    from .plain_training import Plain

    model = networks.create(network, data.num_classes, data.x_train.shape[1])
    return Plain(model, data, sam, device, precision=precision)


def _serve(pipe, clock, threads, method, *about):
    """Train one epoch by the plain loop whenever asked, and answer with its seconds."""
    import torch

    multiprocessing.set_start_method(method, force=True)  # workers begin as they would in a process begun by hand
    torch.set_num_threads(threads)
    plain = _plain(*about)
    while pipe.recv():
        start = CLOCKS[clock]()
        plain.epoch()
        pipe.send(CLOCKS[clock]() - start)


@contextmanager
def _plain_elsewhere(*about):
    """Yield a call that trains one plain epoch in a process of its own, without the library's setting of memory."""
    import torch

    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    clock = next(name for name, call in CLOCKS.items() if call is _clock)
    method = multiprocessing.get_start_method()
    process = context.Process(target=_serve, args=(there, clock, torch.get_num_threads(), method, *about))
    process.start()
    there.close()  # so that a process that dies is noticed

    def epoch():
        here.send(True)
        return Seconds(here.recv())

    try:
        yield epoch
    finally:
        if process.is_alive():
            here.send(False)
        process.join()


def _epoch(run):
    float(run.train_epoch()[0])  # reading the loss waits for the device


def _gemm(device, precision):
    """Return a call that multiplies two matrices, large enough to fill the device, and its operations."""
    import torch

    from fmfp_lib.precision import computing_in

    size = 8192 if device == "cuda" else 1024
    a = torch.randn(size, size, device=device)

    def call():
        with computing_in(precision, device):
            for _ in range(10):
                product = a @ a
        float(product[0, 0])

    return call, 20 * size**3


def measure_training(repeats, quick, device, folder):
    from fmfp_lib import cost

    group = "Training: a plain loop with PIL and 4 workers, against ours"
    share = "Where the time goes: the machine's rate of matrix products, against what training reaches"
    names, images = list(NETWORKS)[: 1 if quick else None], 256 if quick else None
    if device == "cuda":  # what `fmfp paper` plans with; a GPU is soon done with fewer images
        names, images = [*names, "resnet18", "wideresnet"], images or 4608
    aims = {"preact_resnet8_w32_s2": 2, "preact_resnet110": 1.5, "densenet": 1.5}
    rates = []
    for network in names:
        for method in ("baseline", "sam") if network == names[0] else ("baseline",):
            run = _run(network, method, device, folder, images)
            precision = run.settings.precision  # the same on all sides
            trained, (product, operations) = len(run.x_train), _gemm(device, precision)
            with _plain_elsewhere(network, method == "sam", device, run.data, precision) as plain:
                found = turns(repeats, plain=plain, own=partial(_epoch, run), gemm=product)
            what = f"`{network}`" + (", SAM" if method == "sam" else "")
            aim = f"≥ {aims[network]:g}" if network in aims else None
            yield row(group, what, trained / found["plain"], trained / found["own"], "images/s",
                      found["plain"] / found["own"], aim)  # fmt: skip
            if method == "baseline":
                work = sum(cost.operations(network, "embedded" if run.settings.dataset == "embedded" else "cifar10"))
                rates.append((network, operations / found["gemm"] / 1e9, work * trained / found["own"] / 1e9))
    for network, machine, reached in rates:
        yield row(share, f"`{network}`", machine, reached, "GFLOP/s", reached / machine)


def _passes(network, layout, device, images):
    """Return a call that makes one pass forward and backward over a batch, all arrays in a layout of torch."""
    import torch

    from fmfp_lib import networks
    from fmfp_lib.precision import computing_in, resolve

    precision = resolve("auto", device)
    model = networks.create(network, 10).to(device).to(memory_format=layout)
    x = torch.randn(images, 3, 32, 32).to(device).contiguous(memory_format=layout)

    def call():
        with computing_in(precision, device):
            loss = model(x).square().mean()
        loss.backward()
        float(loss.detach())

    return call


def measure_layout(repeats, quick, device):
    """Measure how arrays are best laid out for each kind of convolution."""
    import torch

    group = "Layout: a pass with channels first, against channels last, as ours are"
    images = 8 if quick else 128 if device == "cuda" else 32
    for network in ("preact_resnet110", "densenet", "convmixer")[: 1 if quick else None]:
        passes = (_passes(network, f, device, images) for f in (torch.contiguous_format, torch.channels_last))
        found = turns(repeats, **dict(zip(("first", "last"), passes, strict=True)))
        yield row(group, f"`{network}`", images / found["first"], images / found["last"], "images/s",
                  found["first"] / found["last"])  # fmt: skip


def measure_prices(repeats, quick, device, folder):
    group = "Prices: an epoch of SGD against one of each; the ratio is the price, the new time over SGD's"
    network = next(iter(NETWORKS))
    images = 256 if quick else 1000
    methods = ("baseline", "sam", "sam_k2", "sam_k5", "sam_bn")
    runs = {method: _run(network, method, device, folder, images) for method in methods}
    average = _run(network, "swa", device, folder, images)

    def ten_averages():
        for _ in range(10):
            average.average.update_parameters(average.model)
        float(next(average.average.parameters()).detach().sum())

    found = turns(repeats, averaging=ten_averages, **{m: partial(_epoch, run) for m, run in runs.items()})
    plain = found["baseline"]
    for method in methods[1:]:
        yield row(group, f"`{method}`", plain, found[method], "s", found[method] / plain,
                  "at most 2.05" if method == "sam" else None)  # fmt: skip
    averaged = plain + found["averaging"] / 10
    yield row(group, "averaging once an epoch", plain, averaged, "s", averaged / plain, "at most 1.01")


def measure_gpu(repeats, quick, device, folder):
    """Measure what pays on a GPU: compiling, and several runs at once."""
    group = "On a GPU: a run as it is written, against the same compiled"
    for network in list(NETWORKS)[: 1 if quick else None]:
        runs = [_run(network, "baseline", device, folder, 256 if quick else None, c) for c in (False, True)]
        plain, own = (partial(_epoch, run) for run in runs)
        images, found = len(runs[0].x_train), turns(repeats, plain=plain, own=own)
        yield row(group, f"`{network}`", images / found["plain"], images / found["own"], "images/s",
                  found["plain"] / found["own"])  # fmt: skip
    group, count = "On a GPU: one run, against several seeds side by side", 2 if quick else 8
    rounds = 1 if quick else repeats
    found = [(_side_by_side(1, 1, 5, device), _side_by_side(count, 1, 5, device)) for _ in range(rounds)]
    one, many = np.median(found, 0)
    yield row(group, f"`{next(iter(NETWORKS))}`, {count} seeds", one, many, "images/s", many / one)


# -- many runs, and starting ---------------------------------------------------------------------------------------


def worker(threads: int, epochs: int, device: str = "cpu"):
    """Train on `device` with `threads` threads once a line comes in; print the images per second."""
    import torch

    torch.set_num_threads(threads)
    run = _run(next(iter(NETWORKS)), "baseline", device, None)
    _epoch(run)
    print("ready", flush=True)
    input()
    start = time.perf_counter()
    for _ in range(epochs):
        _epoch(run)
    print(epochs * len(run.x_train) / (time.perf_counter() - start))


def _side_by_side(count, threads, epochs, device="cpu"):
    """Return the images per second of `count` processes together, begun at the same time."""
    code = f"from benchmarks import bench; bench.worker({threads}, {epochs}, {device!r})"
    begun = [subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                              cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}) for _ in range(count)]  # fmt: skip
    for process in begun:
        process.stdout.readline()
    for process in begun:
        process.stdin.write("go\n")
        process.stdin.flush()
    return sum(float(process.communicate()[0]) for process in begun)


def measure_grid(repeats, quick):
    cores = os.cpu_count()
    group = "Grid: runs one after another on all cores, against one single-threaded run per core"
    found = [(_side_by_side(1, cores, 5), _side_by_side(cores, 1, 5)) for _ in range(1 if quick else repeats)]
    one, many = np.median(found, 0)
    yield row(group, f"{cores} runs on {cores} cores", one, many, "images/s", many / one, "≥ 1.3")


def measure_starting(repeats, quick):
    group = "Starting, without torch"
    for what, words in {
        "an empty Python": ["-c", ""],
        "`import fmfp_lib.metrics`, `fmfp_lib.statistics`": ["-c", "import fmfp_lib.metrics, fmfp_lib.statistics"],
        "`fmfp --help`": ["-m", "fmfp_lib.cli", "--help"],
    }.items():
        call = partial(subprocess.run, [sys.executable, *words], check=True, capture_output=True, cwd=ROOT)
        aim = "at most 0.3 s" if "import" in what else None
        yield row(group, what, None, turns(repeats, call=call)["call"], "s", None, aim)


# -- all ------------------------------------------------------------------------------------------------------------


def machine(device):
    """Return what the numbers depend on."""
    import sklearn
    import torch

    name = platform.processor() or platform.machine()
    if (info := Path("/proc/cpuinfo")).exists():
        lines = info.read_text().splitlines()
        name = next((line.split(": ")[1] for line in lines if line.startswith("model name")), name)
    if device == "cuda":
        name = torch.cuda.get_device_name()
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else math.nan
    return {
        "device": name, "cores": os.cpu_count(), "threads": torch.get_num_threads(), "load": round(load, 1),
        "date": date.today().isoformat(),
        "versions": {"Python": platform.python_version(), "torch": torch.__version__, "NumPy": np.__version__,
                     "scikit-learn": sklearn.__version__},
    }  # fmt: skip


def measure(device: str = "cpu", repeats: int = 5, quick: bool = False, clock: str = "wall") -> dict:
    """Measure everything that `device` has a part in; return what ``fmfp_lib.book.speed`` shows.

    Parameters
    ----------
    device : {'cpu', 'cuda'}
        Metrics, statistics, the grid and starting are measured on the CPU alone.
    repeats : int
        Turns of which the median is taken.
    quick : bool
        Small sizes, to see that all of it runs.
    clock : {'wall', 'cpu'}
        What is counted, seconds or computing time on one thread; the grid always by seconds.
    """
    import torch

    global _clock
    _clock = CLOCKS[clock]
    if clock == "cpu":
        torch.set_num_threads(1)
    found = {"repeats": repeats, "clock": clock, **machine(device), "rows": []}
    with tempfile.TemporaryDirectory() as folder:
        parts = [
            partial(measure_training, repeats, quick, device, folder),
            partial(measure_prices, repeats, quick, device, folder),
            partial(measure_layout, repeats, quick, device),
        ]
        if device == "cuda":
            parts.append(partial(measure_gpu, repeats, quick, device, folder))
        if device == "cpu":
            parts = (
                [partial(part, repeats, quick) for part in (measure_metrics, measure_scikit_learn, measure_bootstrap)]
                + parts
                + [partial(part, repeats, quick) for part in (measure_grid, measure_starting)]
            )
        for part in parts:
            for line in part():
                times = f", ratio {line['ratio']:.3g}" if line["ratio"] else ""
                print(f"{line['what']}: {line['own']:.4g} {line['unit']}{times}", file=sys.stderr)
                found["rows"].append(line)
    return found


def read(path: Path) -> dict:
    """Return the measurements that a file holds, by device; none if there is no file."""
    try:
        kept = json.loads(path.read_text()) if path.exists() else {}
    except (OSError, ValueError):
        kept = None
    if not isinstance(kept, dict) or not set(kept) <= {"cpu", "cuda"}:
        raise ValueError(f"{path} is there and is no file of measurements; name another")
    return kept


def write(path: Path, device: str, found: dict):
    """Put one device's measurements into the file, beside the other's."""
    kept = read(path)
    path.write_text(json.dumps(kept | {device: found}, indent=1, ensure_ascii=False) + "\n")
