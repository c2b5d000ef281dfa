"""One validated description of a run. Its hash names the record that the run leaves."""

import hashlib
from os import PathLike
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from .datasets import DATASETS, own
from .errors import choose, one_line
from .methods import METHODS
from .networks import NETWORKS, REDRAWN

# Raised when a run's outcome changes for the same settings, so that old records are not mistaken for new. The second
# differs in the first weights of some networks (``networks.REDRAWN``); to all others it is the first.
FORMAT = 2
PADDING = 4  # left out of the name too: once it was the default at every scale


# What each scale fills in where a setting is left at None.
SCALES = {
    "smoke": dict(epochs=2, train_size=256, test_size=256, network="preact_resnet8_w8_s2", padding=4),
    "classroom": dict(epochs=50, train_size=9000, test_size=10_000, network="preact_resnet8_w16_s2", padding=0),
    "workstation": dict(epochs=60, train_size=45_000, test_size=10_000, network="resnet9_w32", padding=2),
    "paper": dict(epochs=200, train_size=45_000, test_size=10_000, network="preact_resnet110", padding=4),
}


class Settings(BaseModel):
    """Everything that describes one run.

    Attributes
    ----------
    dataset : str
        A name from ``datasets.DATASETS``, or a path ending in ``.npz``, which becomes absolute. Such a run is named by
        what the file contains: moved, it is the same run, and changed, it is another.
    network : str
        A name from ``networks.NETWORKS``.
    method : str
        A name from ``methods.METHODS``.
    scale : {'smoke', 'classroom', 'workstation', 'paper'}
        Fills in `epochs`, `train_size`, `test_size`, `network` and `padding` where they are not given.
    seed : int
        Of the first weights, the order of the images, their augmentation and all other chance of the run.
    epochs : int
        Passes over the training images.
    train_size : int
        Training images; the validation images are a tenth of the whole training set, whatever this is.
    test_size : int
        Test images.
    protocol : {'paper', 'code'}
        Where the paper and its released code disagree, which of them to follow.
    batch_size : int
        Images per step (128 in the paper).
    learning_rate : float
        SGD's first one (0.1 in the paper; see ``schedule.learning_rate`` for the later ones).
    momentum : float
        SGD's (0.9).
    weight_decay : float
        SGD's (5e-4).
    rho : float
        Norm of SAM's perturbation (0.05).
    sam_gradient : {'global', 'local'}
        Where several processes train one run: whether SAM climbs along the gradient of the whole batch, as one process
        does, or each process along that of its own part (m-sharpness in Foret et al. 2021): one message less a step,
        and a result that depends on the number of processes.
    epsilon : float
        Label smoothing's share (0.05), spread over all classes, the true one included.
    alpha : float
        Mixup's Beta(alpha, alpha) (0.3).
    gamma : float
        Focal loss's exponent (2).
    l1_strength : float
        Weight of the logits' L1 norm (0.01).
    temperature : float
        CS-KD's temperature (4).
    ema_decay : float
        What remains of the exponential average at each step.
    padding : int
        Pixels around an image before it is cropped (4 in the paper); without any, it is not cropped.
    device : {'auto', 'cpu', 'cuda'}
        Where to train.
    precision : {'auto', 'float32', 'tf32', 'bfloat16'}
        Of the products in training's passes; weights, batch norm's re-estimation and evaluation are float32 whatever
        this is. Where this is bfloat16, SAM's passes are in TF32 on CUDA and in float32 on a CPU. `auto` means what the
        scale names if the device has it, else tf32 on CUDA and float32 on a CPU.
    compile : bool
        Compile the network by ``torch.compile``; pays on CUDA and in long runs.

    Notes
    -----
    `device`, `precision` and `compile` say how a run was computed, not which run it is: they leave its name alone, so
    that a record made on one machine is found on any other.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: str = "embedded"
    network: str | None = None
    method: str = "baseline"
    scale: Literal["smoke", "classroom", "workstation", "paper"] = "smoke"
    seed: int = Field(0, ge=0, lt=2**31)
    protocol: Literal["paper", "code"] = "paper"
    epochs: int | None = Field(None, ge=1, le=10_000)
    train_size: int | None = Field(None, ge=2)
    test_size: int | None = Field(None, ge=1)
    batch_size: int = Field(128, ge=2)
    learning_rate: float = Field(0.1, gt=0, allow_inf_nan=False)
    momentum: float = Field(0.9, ge=0, lt=1)
    weight_decay: float = Field(5e-4, ge=0, allow_inf_nan=False)
    rho: float = Field(0.05, ge=0, allow_inf_nan=False)
    sam_gradient: Literal["global", "local"] = "global"
    epsilon: float = Field(0.05, ge=0, lt=1)
    alpha: float = Field(0.3, gt=0, allow_inf_nan=False)
    gamma: float = Field(2.0, ge=0, allow_inf_nan=False)
    l1_strength: float = Field(0.01, ge=0, allow_inf_nan=False)
    temperature: float = Field(4.0, gt=0, allow_inf_nan=False)
    ema_decay: float = Field(0.99, ge=0, lt=1)
    padding: int | None = Field(None, ge=0, le=16)
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["auto", "float32", "tf32", "bfloat16"] = "auto"
    compile: bool = False

    @field_validator("dataset", mode="before")
    @classmethod
    def _dataset(cls, name):
        if not isinstance(name, (str, PathLike)):
            raise ValueError(f"{name!r} is no name and no path")
        return own.path_of(name) or choose("dataset", str(name), DATASETS)

    @field_validator("method")
    @classmethod
    def _method(cls, name):
        return choose("method", name, METHODS)

    @field_validator("network")
    @classmethod
    def _network(cls, name):
        return name if name is None else choose("network", name, NETWORKS)

    def __init__(self, **values):
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise ValueError(one_line(error, type(self).model_fields)) from None

    def complete(self) -> "Settings":
        """Return the settings with every None filled in from the scale, and `device` and `precision` resolved.

        Raises
        ------
        ValueError
            If the device cannot compute in the precision that was asked for.
        """
        from .precision import resolve

        values = self.filled().model_dump()
        if values["device"] == "auto":
            import torch

            values["device"] = "cuda" if torch.cuda.is_available() else "cpu"
        values["precision"] = resolve(values["precision"], values["device"], SCALES[self.scale].get("precision"))
        return Settings(**values)

    def filled(self) -> "Settings":
        """Return the settings with every None filled in from the scale; `device` and `precision` stay as they are."""
        values = self.model_dump()
        fill = dict(SCALES[self.scale])
        if self.dataset in DATASETS:
            fill |= DATASETS[self.dataset].scales.get(self.scale, {})
        return Settings(**values | {key: value for key, value in fill.items() if values[key] is None})

    def hash(self, format: int = FORMAT, data: str | None = None) -> str:
        """Return the 16 hexadecimal digits that name this run's record, the same on every machine.

        Parameters
        ----------
        format : int
            2 (the default) for the name that a record gets now, 1 for that of an older record.
        data : str, optional
            Checksum of the reader's own data set, computed from the file if not given.

        Returns
        -------
        str
            Lower-case.

        Raises
        ------
        ValueError
            If `dataset` is a path, `data` is not given, and there is no such file.
        """
        # Defaults are left out, so that a setting added later leaves the names of older records as they are.
        same = self.filled()
        same = same.model_copy(update={"device": "cpu", "padding": None if same.padding == PADDING else same.padding})
        format = format if same.network in REDRAWN else 1
        if own.path_of(self.dataset):
            contents = f"sha256:{data or own.checksum(self.dataset)}"
            same = same.model_copy(update={"dataset": contents})
        text = f"{format}:{same.model_dump_json(exclude={'scale', 'precision', 'compile'}, exclude_defaults=True)}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]
