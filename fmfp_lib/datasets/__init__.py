"""Data sets by name.

`CATALOGUE` says of each what it is, how large, and where from; `get` downloads, `load` reads, `shifted` corrupts.
"""

from .catalogue import CATALOGUE, DATASETS, Source, get
from .loading import Dataset, Shifted, load, shifted
from .readers import folder

__all__ = ["CATALOGUE", "DATASETS", "Dataset", "Shifted", "Source", "folder", "get", "load", "shifted"]
