"""The training loop. It knows no method by name: only an objective, SAM or not, averaging or not."""

import os
import platform
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from filelock import FileLock
from torch.optim.swa_utils import AveragedModel, update_bn
from tqdm import tqdm

from . import datasets, methods, networks, records
from .augment import crop_and_flip
from .flatness import SAM, frozen_batch_norm_statistics
from .metrics import evaluate
from .objectives import OBJECTIVES
from .settings import Settings

CHECKPOINT_SECONDS = 20.0  # at most this much work is lost when a run is killed; it never changes the result


def train(settings: Settings, force: bool = False, progress: bool = True) -> records.Record:
    """Return the record of `settings`, training only if there is none.

    Parameters
    ----------
    settings : Settings
        What to train; gaps are filled from the scale.
    force : bool
        Train again even if a record exists; the old one is kept until the new one is whole.
    progress : bool
        Show a bar with the time left.

    Returns
    -------
    records.Record
        Logits and labels of the test set, settings and history.
    """
    settings = settings.complete()
    found = None if force else records.find(settings)
    if found is not None:
        return found
    place = records.folder()
    place.mkdir(parents=True, exist_ok=True)
    with FileLock(place / f".{settings.hash()}.lock"):
        found = None if force else records.find(settings)  # another process may have finished it meanwhile
        if found is not None:
            return found
        run = Run(settings)
        run.resume()
        run.fit(progress)
        path = records.save(settings, run.test_logits(), run.data.y_test, run.history, environment(settings))
        run.checkpoint_path.unlink(missing_ok=True)
    return records.read(path)


def environment(settings: Settings) -> dict:
    """Return what the result may depend on beyond the settings."""
    device = torch.cuda.get_device_name() if settings.device == "cuda" else platform.processor() or "cpu"
    return {
        "python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__,
        "machine": platform.machine(), "device": device, "threads": torch.get_num_threads(),
    }  # fmt: skip


class Run:
    """One run in progress: model, optimiser, average, random state, history."""

    def __init__(self, settings: Settings):
        self.settings = settings = settings.complete()
        self.method = methods.METHODS[settings.method]
        self.objective = OBJECTIVES[self.method.objective]
        self.device = torch.device(settings.device)
        self.data = data = datasets.load(settings.dataset, settings.train_size, settings.test_size)
        self.checkpoint_path = Path(records.folder()) / f".{settings.hash()}.checkpoint"

        mean = torch.tensor(np.asarray(data.mean), dtype=torch.float32).view(1, -1, 1, 1)
        std = torch.tensor(np.asarray(data.std), dtype=torch.float32).view(1, -1, 1, 1)
        self.black = (-mean / std).view(-1).to(self.device)  # a black pixel after normalisation

        def images(x):
            x = (torch.from_numpy(x).float() / 255 - mean) / std
            return x.to(self.device).contiguous(memory_format=torch.channels_last)

        self.x_train, self.x_test = images(data.x_train), images(data.x_test)
        self.y_train = torch.from_numpy(data.y_train).to(self.device)
        if len(self.x_train) < 2:
            raise ValueError("batch norm needs at least 2 training images")

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            model = networks.create(settings.network, data.num_classes, data.x_train.shape[1])
        self.model = model.to(self.device).to(memory_format=torch.channels_last)
        self.generator = torch.Generator(self.device).manual_seed(settings.seed)
        self.optimizer = torch.optim.SGD(
            self.model.parameters(), settings.learning_rate, settings.momentum, weight_decay=settings.weight_decay,
            foreach=True,
        )  # fmt: skip
        self.sam = SAM(self.optimizer, settings.rho)
        self.average = AveragedModel(self.model) if self.method.averaging else None
        self.epoch, self.history = 0, []

    # -- one epoch ---------------------------------------------------------------------------------------

    def batches(self):
        """Yield one epoch of shuffled, augmented batches. A last batch of one image joins none: it is dropped,
        since batch norm needs two."""
        n, size = len(self.x_train), self.settings.batch_size
        order = torch.randperm(n, generator=self.generator, device=self.device)
        for index in order.split(size):
            if len(index) > 1:
                x = crop_and_flip(self.x_train[index], self.settings.padding, self.generator, self.black)
                yield x, self.y_train[index]

    def loss_and_gradient(self, x, y):
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            loss = self.objective(self.model(x).float(), y, self.settings)
        loss.backward()
        return loss.detach()

    def train_epoch(self):
        """Take one epoch of steps and return the mean loss (a tensor: reading it waits for the device once)."""
        settings, steps = self.settings, -(-len(self.x_train) // self.settings.batch_size)
        with_sam = methods.takes_sam_steps(self.method, settings, self.epoch)
        self.model.train()
        losses = []
        for step, (x, y) in enumerate(self.batches()):
            for group in self.optimizer.param_groups:
                group["lr"] = methods.learning_rate(self.method, settings, self.epoch + step / steps)
            self.optimizer.zero_grad(set_to_none=True)
            losses.append(self.loss_and_gradient(x, y))
            if with_sam:
                self.sam.first_step()
                if settings.protocol == "code":
                    self.loss_and_gradient(x, y)
                else:
                    with frozen_batch_norm_statistics(self.model):
                        self.loss_and_gradient(x, y)
                self.sam.second_step()
            else:
                self.optimizer.step()
        if methods.averages(self.method, settings, self.epoch):
            self.average.update_parameters(self.model)
        self.epoch += 1
        return torch.stack(losses).mean()

    def fit(self, progress: bool = True):
        """Train to the last epoch, with a checkpoint now and then; then finish the average."""
        saved, settings = time.monotonic(), self.settings
        bar = tqdm(
            total=settings.epochs, initial=self.epoch, unit="epoch", disable=None if progress else True,
            desc=f"{settings.method} seed {settings.seed}",
        )  # fmt: skip
        while self.epoch < settings.epochs:
            loss = float(self.train_epoch())
            if not np.isfinite(loss):
                raise FloatingPointError(
                    f"the training loss is {loss} in epoch {self.epoch}; a smaller learning_rate may help "
                    f"(given {settings.learning_rate})"
                )
            entry = {"epoch": self.epoch, "train_loss": loss}
            if self.epoch % max(1, settings.epochs // 20) == 0 or self.epoch == settings.epochs:
                entry |= {k: float(v) for k, v in evaluate(self._logits(self.model), self.data.y_test).items()
                          if k in ("accuracy", "auroc", "aurc", "ece")}  # fmt: skip
            self.history.append(entry)
            bar.update()
            if time.monotonic() - saved > CHECKPOINT_SECONDS:
                self.checkpoint()
                saved = time.monotonic()
        bar.close()
        if self.average is not None:
            update_bn((x for x, _ in self.batches()), self.average)

    @torch.no_grad()
    def _logits(self, model) -> np.ndarray:
        model.eval()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            return torch.cat([model(x).float() for x in self.x_test.split(500)]).cpu().numpy()

    def test_logits(self) -> np.ndarray:
        """Return the test logits (n, k), of the averaged weights where the method averages."""
        return self._logits(self.model if self.average is None else self.average.module)

    # -- surviving ---------------------------------------------------------------------------------------

    def checkpoint(self):
        """Write the whole state atomically."""
        import io

        buffer = io.BytesIO()
        torch.save(
            {
                "epoch": self.epoch, "history": self.history, "model": self.model.state_dict(),
                "optimizer": self.optimizer.state_dict(), "generator": self.generator.get_state(),
                "average": None if self.average is None else self.average.state_dict(),
            },
            buffer,
        )  # fmt: skip
        records.write_atomically(self.checkpoint_path, buffer.getvalue())

    def resume(self):
        """Continue from the checkpoint if there is a sound one; a damaged one is named and set aside."""
        if not self.checkpoint_path.exists():
            return
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                state = torch.load(self.checkpoint_path, weights_only=True, map_location="cpu")
            self.model.load_state_dict(state["model"])
            self.optimizer.load_state_dict(state["optimizer"])
            if self.average is not None:
                self.average.load_state_dict(state["average"])
            self.generator.set_state(state["generator"])
            self.epoch, self.history = state["epoch"], state["history"]
        except Exception as error:  # torch.load raises many kinds, and each means the same here
            records.set_aside(self.checkpoint_path, f"{type(error).__name__}")
            self.__init__(self.settings)


def threads_from_environment():
    """Respect ``FMFP_THREADS`` when several runs share a machine."""
    if os.environ.get("FMFP_THREADS"):
        torch.set_num_threads(int(os.environ["FMFP_THREADS"]))
