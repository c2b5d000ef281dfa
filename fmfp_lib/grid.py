"""Grids of runs, read from a file such as ``grid.yml``, for the ``Snakefile``: which have no record yet, and how to
train them."""

import math
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from . import records
from .errors import one_line
from .methods import METHODS
from .schedule import shared_checkpoint
from .settings import Settings

# Settings that `fmfp train` has an option for; it takes all others by --set.
OPTIONS = frozenset(
    "dataset network method scale seed protocol epochs train_size test_size sam_gradient device precision".split()
)


class Grid(BaseModel):
    """Data sets x networks x methods x seeds at one scale: one block of a grid file.

    Attributes
    ----------
    scale : str
        As in `Settings`.
    protocol : str
        As in `Settings`.
    device : str
        As in `Settings`.
    datasets : list of str
        Names.
    networks : list of str
        Names; none means the scale's own.
    methods : list of str
        Names.
    seeds : list of int
    settings : dict
        Any others of `Settings`, the same for all runs: ``{epochs: 50, padding: 0}``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    scale: Literal["smoke", "classroom", "workstation", "paper"]
    datasets: list[str] = Field(min_length=1)
    networks: list[str] = []
    methods: list[str] = Field(min_length=1)
    seeds: list[int] = Field(min_length=1)
    protocol: Literal["paper", "code"] = "paper"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    settings: dict = {}

    @field_validator("settings")
    @classmethod
    def _no_entry_twice(cls, settings):
        if twice := set(settings) & {"dataset", "network", "method", "seed", *cls.model_fields}:
            raise ValueError(f"{', '.join(sorted(twice))}: an entry of the grid itself, not one of its settings")
        return settings

    def runs(self) -> list[Settings]:
        """Return the settings of every run."""
        networks = self.networks or [None]
        return [
            Settings(dataset=d, network=n, method=m, seed=s, scale=self.scale, protocol=self.protocol,
                     device=self.device, **self.settings)
            for d in self.datasets for n in networks for m in self.methods for s in self.seeds
        ]  # fmt: skip


@dataclass(frozen=True)
class Grids:
    """The blocks of a grid file: what it has under ``grids``, or its whole content as the only one."""

    blocks: tuple[Grid, ...]

    @classmethod
    def read(cls, path, **instead) -> "Grids":
        """Read and check a grid file; `instead` replaces the entries of every block.

        Parameters
        ----------
        path : path-like
            A YAML file.
        **instead
            Entries that replace those of every block.

        Returns
        -------
        Grids
            The checked grids.

        Raises
        ------
        ValueError
            In one line: a missing or malformed file, an unknown entry, a name that no registry has.
        """
        import yaml

        try:
            content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise ValueError(f"cannot read the grid {path}: {' '.join(str(error).split())}") from None
        blocks = content["grids"] if isinstance(content, dict) and set(content) == {"grids"} else [content]
        if not isinstance(blocks, list) or not blocks or not all(isinstance(block, dict) for block in blocks):
            fields = ", ".join(Grid.model_fields)
            raise ValueError(f"{path} is no grid; it must have the entries {fields}, or a list of such blocks as grids")
        try:
            grids = cls(tuple(Grid(**block | instead) for block in blocks))
            grids.runs()
        except ValidationError as error:
            raise ValueError(f"{path}: {one_line(error, Grid.model_fields)}") from None
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None
        return grids

    def runs(self) -> list[Settings]:
        """Return the settings of every run, each once."""
        return list({s.hash(): s for block in self.blocks for s in block.runs()}.values())

    def cells(self) -> list[list[str]]:
        """Return the names of the records of the runs, one list for each data set, network and amount of training."""
        found = {}
        for s in map(Settings.complete, self.runs()):
            found.setdefault((s.dataset, s.network, s.train_size, s.epochs), []).append(s.hash())
        return list(found.values())

    def unfinished(self) -> dict[str, Settings]:
        """Return the runs that have no sound record, by the name of the record they will leave.

        A record that comes with the repository counts; a damaged one is named, set aside, and does not.
        """
        return {s.hash(): s for s in self.runs() if records.find(s) is None}


def waits_for(settings: Settings, unfinished: dict[str, Settings]) -> list[str]:
    """Return the names of the records in `unfinished` that should be there before this run begins.

    SWA and FMFP go on from the baseline's checkpoint in the paper's protocol: with the baseline trained first, the
    epochs that they share are trained once.

    Parameters
    ----------
    settings : Settings
        Complete settings of the run.
    unfinished : dict of str to Settings
        Runs without a record, by its name.

    Returns
    -------
    list of str
        Keys of `unfinished`.
    """
    settings = settings.complete()
    shared = shared_checkpoint(METHODS[settings.method], settings)
    plain = shared and settings.model_copy(update={"method": shared[0]}).hash()
    return [plain] if plain in unfinished else []


def command(settings: Settings, threads: int) -> str:
    """Return the shell command that trains one run on `threads` CPU threads.

    Parameters
    ----------
    settings : Settings
        Complete settings of the run.
    threads : int
        Number of CPU threads.

    Returns
    -------
    str
        One line of shell.
    """
    words = [sys.executable, "-m", "fmfp_lib.cli", "train", "--threads", str(threads)]
    for name, value in settings.model_dump(exclude_defaults=True).items():
        option = f"--{name.replace('_', '-')}"
        if name == "compile":
            words.append(option)
        else:
            words += [option, str(value)] if name in OPTIONS else ["--set", f"{name}={value}"]
    return shlex.join(words)


def request(runs: list[Settings], rate: float) -> dict[str, int]:
    """Return what to ask a cluster for, enough for the dearest of `runs`: they share a data set and a network.

    Parameters
    ----------
    runs : list of Settings
    rate : float
        Operations a second that the GPU is assumed to keep up.

    Returns
    -------
    dict of str to int
        ``runtime`` in minutes: three times the estimate and ten more, for the estimate may well be wrong by that, and
        a run that is cut off goes on from its checkpoint. ``mem_mb``: 8 GB and the images, as bytes and as floats.
    """
    from .cost import SHAPES, hours

    settings = runs[0].filled()
    channels, pixels, _ = SHAPES.get(settings.dataset, SHAPES["cifar10"])
    images = (settings.train_size + settings.test_size) * channels * pixels**2 * 10 / 1e6
    dearest = max(hours(s, rate) for s in {s.method: s for s in runs}.values())
    return {
        "runtime": 10 + math.ceil(3 * 60 * dearest),
        "mem_mb": 8000 + math.ceil(min(images, 24_000)),  # images of ImageNet stay on the disk
    }
