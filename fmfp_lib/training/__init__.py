"""Training: `train` returns the record of some settings, `Run` is one run in progress.

`SAM`, `ExponentialAverage` and `frozen_batch_norm_statistics` serve in any other loop, too.
"""

from .averaging import ExponentialAverage
from .find_or_train import train
from .loop import Run
from .sam import SAM, frozen_batch_norm_statistics

__all__ = ["SAM", "ExponentialAverage", "Run", "frozen_batch_norm_statistics", "train"]
