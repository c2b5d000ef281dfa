"""The training loop. It knows no method by name: only an objective, SAM or not, averaging or not."""

import time
from operator import attrgetter

import numpy as np
import torch
from tqdm import tqdm

from .. import datasets, networks, objectives
from ..methods import METHODS
from ..precision import computing_in
from ..schedule import averages, learning_rate, takes_sam_step
from ..settings import Settings
from . import averaging, checkpoint, distributed, evaluate
from .images import Images
from .memory import keep_freed_memory
from .sam import PARTS, SAM, frozen_batch_norm_statistics

CHECKPOINT_SECONDS = 20.0  # at most this much work is lost when a run is killed; it never changes the result
HISTORY_POINTS, HISTORY_IMAGES = 50, 2000  # how often a run looks at the test set, and at how much of it


class Run:
    """One run in progress.

    Parameters
    ----------
    settings : Settings

    Attributes
    ----------
    data : datasets.Dataset
    images : images.Images
        The same data, normalised and on the device; `x_train`, `y_train`, `x_valid`, `x_test` are its.
    model : nn.Module
    optimizer : torch.optim.Optimizer
    sam : sam.SAM
    average : torch.optim.swa_utils.AveragedModel or None
    correctness : torch.Tensor
        How often each training image was classified rightly, (n,).
    epoch : int
        Epochs trained so far.
    history : list of dict
        One entry an epoch.
    """

    def __init__(self, settings: Settings):
        self.settings = settings = settings.complete()
        self.method = METHODS[settings.method]
        self.device = torch.device(settings.device)
        distributed.check(settings)
        if self.device.type == "cpu":
            keep_freed_memory()
        self.data = distributed.first_then_rest(
            lambda: datasets.load(settings.dataset, settings.train_size, settings.test_size, settings.protocol)
        )
        self.images = Images(self.data, settings.batch_size, settings.padding, self.device)
        self.checkpoint_path = checkpoint.own_path(settings)
        self.begin()

    def begin(self) -> None:
        """Set everything that training changes to its beginning."""
        settings = self.settings
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            channels = self.data.x_train.shape[1]
            model = networks.create(settings.network, self.data.num_classes, channels, self.method.cosine)
        self.model = distributed.synchronise(model.to(self.device).to(memory_format=torch.channels_last))
        if settings.compile:
            self.model.compile()  # in place: the names of the weights stay
        self.generator = torch.Generator(self.device).manual_seed(settings.seed)
        self.optimizer = torch.optim.SGD(
            self.model.parameters(), settings.learning_rate, settings.momentum, weight_decay=settings.weight_decay,
            foreach=True,
        )  # fmt: skip
        self.sam = SAM(self.optimizer, settings.rho, PARTS[self.method.sam_part](self.model))
        self.average = averaging.create(self.method.averaging, self.model, settings.ema_decay)
        self.correctness = torch.zeros(len(self.y_train), device=self.device)
        self.epoch, self.history = 0, []
        self.cpu_seconds = 0.0  # of this process, in training and in evaluation during training

    x_train, y_train, x_valid, x_test = (
        property(attrgetter(f"images.{name}")) for name in ("x_train", "y_train", "x_valid", "x_test")
    )

    def images_of_class(self, y, u):
        """Return, for each label in `y` (n,), an augmented training image of that class, chosen by `u` in [0, 1)."""
        return self.images.of_class(y, u, self.generator)

    # -- training ----------------------------------------------------------------------------------------

    def loss_and_gradient(self, batch, parameters=None, synchronised=True, with_sam=True):
        """Return the detached loss and the pass over `batch`; gradients are left in `parameters` (all if None).

        Where several processes train together, each is left with the gradient of the whole batch, or with its own
        part of it if not `synchronised`.

        Dropout's masks depend on the batch alone: both of SAM's passes see the same, and so does a resumed run.
        """
        cuda, precision = self.device.type == "cuda", self.settings.precision
        if with_sam and precision == "bfloat16":  # which would round most of SAM's perturbation away
            precision = "float32"
        with torch.random.fork_rng([self.device] if cuda else []):
            torch.manual_seed(batch.seed)
            with computing_in(precision, self.device.type):
                step = objectives.Pass(batch, distributed.split(self.model))
                loss = objectives.total(self.method.terms, step)
                with torch.autocast(self.device.type, enabled=False):  # a product goes backwards as it went
                    loss.backward(inputs=parameters)
        if synchronised:
            distributed.add_gradients(self.model)
        return loss.detach(), step

    def step(self, batch, with_sam: bool):
        """Take one step, SAM's or a plain one; return the loss and the (first) pass over `batch`."""
        self.optimizer.zero_grad(set_to_none=True)
        if not with_sam:
            loss, seen = self.loss_and_gradient(batch, None, True, False)
            self.optimizer.step()
            return loss, seen
        of_whole_batch = self.settings.sam_gradient == "global"
        loss, seen = self.loss_and_gradient(batch, self.sam.perturbed, of_whole_batch, True)
        self.sam.first_step()
        if self.settings.protocol == "code":
            self.loss_and_gradient(batch)
        else:
            with frozen_batch_norm_statistics(self.model):
                self.loss_and_gradient(batch)
        self.sam.second_step()
        return loss, seen

    def train_epoch(self):
        """Take one epoch of steps; return mean loss and training accuracy as tensors (reading them waits once)."""
        settings, steps = self.settings, -(-len(self.x_train) // self.settings.batch_size)
        self.model.train()
        losses, right = [], torch.zeros((), device=self.device)
        for number, (x, y, index) in enumerate(self.images.batches(self.generator)):
            for group in self.optimizer.param_groups:
                group["lr"] = learning_rate(self.method, settings, self.epoch + number / steps)
            batch = objectives.Batch(x, y, index, self.epoch, number, self)
            with_sam = takes_sam_step(self.method, settings, self.epoch, self.epoch * steps + number)
            loss, seen = self.step(batch, with_sam)
            losses.append(loss)
            if "logits" in seen.__dict__:  # mixup alone never looks at the images themselves
                hits = seen.logits.detach().argmax(1) == y
                self.correctness[index] += hits
                right += hits.sum()
            else:
                right += torch.nan
            if self.method.averaging == "ema":
                self.average.update_parameters(self.model)
        if averages(self.method, settings, self.epoch):
            self.average.update_parameters(self.model)
        self.epoch += 1
        return torch.stack(losses).mean(), right / len(self.x_train)

    def fit(self, progress: bool = True):
        """Train to the last epoch, with a checkpoint now and then."""
        saved, settings, before = time.monotonic(), self.settings, time.process_time()
        every = max(1, settings.epochs // HISTORY_POINTS)
        bar = tqdm(
            total=settings.epochs, initial=self.epoch, unit="epoch", desc=f"{settings.method} seed {settings.seed}",
            disable=None if progress and distributed.first() else True,
        )  # fmt: skip
        while self.epoch < settings.epochs:
            loss, accuracy = map(float, self.train_epoch())
            if not np.isfinite(loss):
                raise FloatingPointError(
                    f"the training loss is {loss} in epoch {self.epoch}; a smaller learning_rate may help "
                    f"(given {settings.learning_rate})"
                )
            entry = {"epoch": self.epoch, "train_loss": loss, "train_accuracy": evaluate.none_if_undefined(accuracy)}
            if self.epoch % every == 0 or self.epoch == settings.epochs:
                entry |= self.evaluate_during_training()
            self.history.append(entry)
            self.cpu_seconds, before = self.cpu_seconds + time.process_time() - before, time.process_time()
            bar.update()
            checkpoint.write_shared(self)
            if time.monotonic() - saved > CHECKPOINT_SECONDS:
                self.checkpoint()
                saved = time.monotonic()
        bar.close()

    def checkpoint(self) -> None:
        """Write the whole state, from which `resume` goes on."""
        checkpoint.write(self)

    def resume(self) -> None:
        """Go on from the last checkpoint, if there is one."""
        checkpoint.resume(self)

    # -- evaluation --------------------------------------------------------------------------------------

    def finished_model(self):
        """Return the network as it would be used now: the average with statistics of its own, where there is one.

        The statistics are computed on augmented training images drawn from a generator of their own, so asking
        changes nothing in the run.
        """
        if self.average is None or self.average.n_averaged == 0:
            return self.model
        generator = torch.Generator(self.device).manual_seed(self.settings.seed + 2**32 * self.epoch)
        batches = (distributed.part(x) for x, _, _ in self.images.batches(generator))
        with computing_in("float32", self.device.type):
            return averaging.with_batch_norm_statistics(self.average, batches)

    def logits(self, model, x) -> np.ndarray:
        """Return logits (n, k) of normalised images `x` (n, c, h, w)."""
        return evaluate.logits(model, x, self.data.num_classes, self.device)

    def evaluate_during_training(self) -> dict:
        """Return test metrics of the network as it would be used now, on the first 2,000 test images."""
        logits = self.logits(self.finished_model(), self.x_test[:HISTORY_IMAGES])
        return evaluate.history_entry(logits, self.data.y_test[:HISTORY_IMAGES])
