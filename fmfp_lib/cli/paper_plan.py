"""The runs of the paper's tables on CIFAR, the most valuable first, and how many of them fit into some minutes.

`NETWORKS` and `METHODS` are in the order of their worth: those of most tables, then the others. `RATE` and `ALONE` are
the operations a second that an H100 kept up in TF32 (measured: the page on many runs), over all processes and in one
run alone, where narrow layers wait for their kernels to start.
"""

import json
import statistics
from dataclasses import dataclass

from .. import cost, records
from ..paths import BENCHMARKS
from ..settings import Settings

DATASETS = ("cifar10", "cifar100")
NETWORKS = (
    ("resnet18", "preact_resnet110"),
    ("wideresnet", "densenet", "vgg16", "convmixer", "mobilenet_v2", "efficientnet"),
)
METHODS = (("baseline", "label_smoothing", "cs_kd", "mixup", "fmfp"), ("swa", "sam", "crl", "l1_norm", "focal"))
SEEDS = (0, 1, 2)
RATE = 40e12
ALONE = {"resnet18": 43e12, "preact_resnet110": 4.4e12, "wideresnet": 124e12, "densenet": 5.9e12}


def rates() -> dict[str, float]:
    """Return how many operations a second one run alone keeps up, by network.

    Returns
    -------
    dict of str to float
        What ``fmfp bench --device cuda`` kept in `BENCHMARKS`; for other networks, `ALONE`.
    """
    found = json.loads(BENCHMARKS.read_text()) if BENCHMARKS.exists() else {}
    rows = [row for row in found.get("cuda", {"rows": []})["rows"] if row["unit"] == "GFLOP/s"]
    return ALONE | {row["what"].strip("`"): 1e9 * row["own"] for row in rows}


def together(alone: dict[str, float]) -> float:
    """Return how many operations a second several runs side by side keep up.

    Parameters
    ----------
    alone : dict of str to float
        As `rates` returns them.

    Returns
    -------
    float
        `RATE`, times what this device does with a run alone for what an H100 does: the median over networks.
    """
    return RATE * statistics.median(alone[network] / rate for network, rate in ALONE.items())


def runs(**settings) -> list[Settings]:
    """Return the settings of every run, the most valuable first.

    Parameters
    ----------
    **settings
        Of every run beside data set, network, method and seed; the scale is the paper's if not given.

    Returns
    -------
    list of Settings
        One data set after the other; in it the first networks with the first methods, one seed of each after another.
    """
    settings = {"scale": "paper"} | settings
    return [
        Settings(dataset=dataset, network=network, method=method, seed=seed, **settings)
        for dataset in DATASETS
        for networks in NETWORKS
        for methods in METHODS
        for seed in SEEDS
        for network in networks
        for method in methods
    ]


@dataclass(frozen=True)
class Plan:
    """What to train in some minutes.

    Attributes
    ----------
    chosen : list of Settings
        Unfinished runs, the most valuable first; those with a checkpoint before all others.
    minutes : dict of str to float
        Estimate for each of them by the name of its record, alone on the device. Side by side each takes longer, and
        all of them together less.
    finished : int
        Runs that have a record.
    left : int
        Unfinished runs that did not fit.
    """

    chosen: list[Settings]
    minutes: dict[str, float]
    finished: int
    left: int


def plan(minutes: float, rate: float | None = None, among: list[Settings] | None = None) -> Plan:
    """Return the unfinished runs that fit, and one more, which will be cut off at a checkpoint.

    Parameters
    ----------
    minutes : float
    rate : float, optional
        Operations a second of the device, for every network; if not given, what `rates` returns.
    among : list of Settings, optional
        `runs()` if not given.

    Returns
    -------
    Plan
    """
    among = runs() if among is None else among
    open_ = {s.hash(): s for s in among if records.find(s) is None}
    chosen, estimates, used, measured = [], {}, 0.0, rates()
    total = rate or together(measured)
    for name in sorted(open_, key=lambda name: not [*records.folder().glob(f".{name}.*checkpoint")]):  # begun first
        if used >= minutes:
            break
        settings = open_[name]
        alone = rate or measured.get(settings.network, total)
        estimates[name] = 60 * cost.hours(settings, alone)
        used += 60 * cost.hours(settings, max(alone, total))
        chosen.append(settings)
    return Plan(chosen, estimates, len(among) - len(open_), len(open_) - len(chosen))
