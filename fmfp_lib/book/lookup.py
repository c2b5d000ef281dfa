"""Finished runs, found by exactly what they are.

A page plans its runs, each with complete settings, and gets the records of these and of no others. Whatever else lies
in the folder of records goes by another name: an ablation with another rho, another batch size, a shorter trial.
Device, precision and compilation are not in the name, so a run is found wherever it was trained.
"""

import warnings
from dataclasses import dataclass, replace

from .. import paths, records
from ..settings import Settings
from . import names


@dataclass(frozen=True)
class Group:
    """Finished runs of one network on one data set at one scale.

    Attributes
    ----------
    scale, dataset, network : str
    runs : dict of str to list of records.Record
        By method, in the order of the seeds.
    size : int, optional
        Training images, where the title should tell them.
    chose : tuple of int
        Seeds that had a part in choosing the regime: they are shown and decide no claim.
    """

    scale: str
    dataset: str
    network: str
    runs: dict
    size: int | None = None
    chose: tuple[int, ...] = ()

    @property
    def title(self) -> str:
        """Data set and network as print has them, such as *Fashion-MNIST, 9,000 images, PreAct-ResNet-8*."""
        images = [f"{self.size:,} images"] if self.size else []
        return ", ".join([names.name(self.dataset), *images, names.name(self.network)])

    @property
    def records(self) -> list:
        """Every record of the group."""
        return [record for runs in self.runs.values() for record in runs]

    def only(self, methods) -> "Group":
        """Return the same group with the runs of `methods` alone, in that order, as far as there are any."""
        return replace(self, runs={m: self.runs[m] for m in methods if m in self.runs})


def plan(methods, seeds, **settings) -> dict[str, list[Settings]]:
    """Return the settings of runs.

    Parameters
    ----------
    methods : sequence of str
        Names.
    seeds : sequence of int
        Of each method's runs.
    **settings
        What all runs share; at least scale, data set and network.

    Returns
    -------
    dict of str to list of Settings
        By method, in the order of the seeds.
    """
    return {m: [Settings(method=m, seed=s, **settings) for s in seeds] for m in methods}


def trained(planned: dict[str, list[Settings]]) -> dict[str, list[records.Record]]:
    """Return each method's records in the order planned, those that there are; methods without any are left out.

    Raises
    ------
    ValueError
        If the records that come with the library are missing.
    """
    paths.present(records.SHIPPED)
    found = {m: [r for r in map(records.find, runs) if r is not None] for m, runs in planned.items()}
    return {m: runs for m, runs in found.items() if runs}


def whole(planned: dict[str, list[Settings]]) -> dict[str, list[records.Record]]:
    """Return `trained` for the methods that have every run planned: a half-filled cell would look like a whole one.

    Of a method that lacks some of its runs, a warning says which seeds are missing.
    """
    found = trained(planned)
    for method in [m for m, runs in found.items() if len(runs) < len(planned[m])]:
        there = {r.settings.seed for r in found.pop(method)}
        missing = [s for s in planned[method] if s.seed not in there]
        group = f"{names.name(missing[0].dataset)}, {names.name(missing[0].network)}"
        seeds = ", ".join(str(s.seed) for s in missing)
        warnings.warn(f"{group}: {names.name(method)} is not shown; missing seeds: {seeds}", stacklevel=2)
    return found
