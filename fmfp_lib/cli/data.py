"""``fmfp data``: list the data sets, download, pack or unpack one."""

from pathlib import Path
from typing import Annotated

import typer


def list_data(context: typer.Context):
    """List the data sets: what they are, what they take to download, and where they lie."""
    if context.invoked_subcommand:
        return
    from .. import datasets

    print(f"folder: {datasets.folder()} (FMFP_DATA names another)")
    row = "{:<14} {:>7} {:>9} {:>6}  {:<11} {:>8}  {}".format
    print(row("name", "classes", "training", "test", "pixels", "download", "at hand"))
    for name, source in datasets.CATALOGUE.items():
        size = f"{source.archive.bytes / 1e6:,.0f} MB" if source.archive else ""
        without = f"no: `fmfp data get {name}`" if source.archive else f"no: by hand, as `fmfp data get {name}` tells"
        place = str(source.at_hand() or without)
        place = place if source.folders else "ships with the library"
        counts = source.classes, source.train or "", source.test
        print(row(name, *counts, source.shape, size, place))


def get_data(name: Annotated[str, typer.Argument(help="A name from the list")]):
    """Download a data set, going on after a break; check it, unpack it, and print where it lies."""
    from .. import datasets

    print(datasets.get(name))


def pack_data(
    name: Annotated[str, typer.Argument(help="cifar10 or cifar100, which must be at hand")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the parts")] = Path("."),
    megabytes: Annotated[float, typer.Option(help="Largest part, in MiB")] = 60,
):
    """Pack a data set into a few files, for a machine without internet."""
    from . import packing

    if not 0 < megabytes < float("inf"):
        raise ValueError(f"megabytes is {megabytes}; a positive number is accepted")
    for part in packing.pack(name, output, int(megabytes * 2**20)):
        print(part)


def unpack_data(parts: Annotated[list[Path], typer.Argument(help="All parts of one data set")]):
    """Unpack what was packed, and print where it lies."""
    from . import packing

    print(packing.unpack(parts))
