"""The training loop. It knows no method by name: only losses, SAM or not, averaging or not."""

import math
import time
from contextlib import nullcontext

import numpy as np
import torch
from tqdm import tqdm

from .. import objectives
from ..errors import OutOfTime
from ..methods import METHODS
from ..precision import computing_in
from ..randomness import seeded
from ..schedule import averages, learning_rate, takes_sam_step
from ..settings import Settings
from . import averaging, batches, building, checkpoint, distributed, evaluate
from .images import Images
from .memory import keep_freed_memory
from .sam import SAM, counting_at_once, frozen_batch_norm_statistics, perturbed_parameters

# At most this much work is lost when a run is killed; it never changes the result.
CHECKPOINT_SECONDS, CUDA_CHECKPOINT_SECONDS = 20.0, 300.0
HISTORY_POINTS = 50  # how often a run is evaluated during training


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
        How often each training image was classified correctly, (n,).
    epoch : int
        Epochs trained so far.
    history : list of dict
        One entry per epoch.
    cpu_seconds : float
        Of this process, in training and in evaluation during training.
    """

    def __init__(self, settings: Settings):
        self.settings = settings = settings.complete()
        self.method = METHODS[settings.method]
        self.device = torch.device(settings.device)
        distributed.check(settings)
        if self.device.type == "cpu":
            keep_freed_memory()
        self.data = building.data(settings)
        self.images = Images(self.data, settings.batch_size, settings.padding, self.device)
        self.checkpoint_path = checkpoint.own_path(settings)
        self.begin()

    def begin(self) -> None:
        """Set everything that training changes to its beginning."""
        settings, method = self.settings, self.method
        self.model = building.network(settings, method, self.data, self.device)
        self.counting = counting_at_once(self.model)
        self.has_dropout = any(isinstance(m, torch.nn.modules.dropout._DropoutNd) and m.p for m in self.model.modules())
        self.generator = torch.Generator(self.device).manual_seed(settings.seed)
        self.optimizer = building.optimizer(settings, self.model)
        self.sam = SAM(self.optimizer, settings.rho, perturbed_parameters(self.model, method.perturbed_parameters))
        self.average = averaging.create(method.averaging, self.model, settings.ema_decay)
        self.correctness = torch.zeros(len(self.y_train), device=self.device)
        self.epoch = 0
        self.history = []
        self.cpu_seconds = 0.0
        self.finished = None  # the network as it would be used now, once it was asked for

    @property
    def x_train(self):
        """Normalised training images (n, c, h, w)."""
        return self.images.x_train

    @property
    def y_train(self):
        """Labels of the training images (n,), on the device."""
        return self.images.y_train

    @property
    def x_valid(self):
        """Normalised validation images (n, c, h, w)."""
        return self.images.x_valid

    @property
    def x_test(self):
        """Normalised test images (n, c, h, w)."""
        return self.images.x_test

    # -- training ----------------------------------------------------------------------------------------

    def loss_and_gradient(self, batch, parameters=None, synchronised=True, with_sam=True):
        """Pass a batch forward and backward through the network.

        Dropout's masks depend on the batch alone: both of SAM's passes see the same, and so does a resumed run.

        Parameters
        ----------
        batch : objectives.Batch
        parameters : list of nn.Parameter, optional
            Whose gradients are computed; all if not given.
        synchronised : bool
            Where several processes train together, leave each with the gradient of the whole batch, not of its own
            part.
        with_sam : bool
            Whether this is one of SAM's passes, which bfloat16 would rob of most of the perturbation; they are
            computed in TF32 on CUDA and in float32 on a CPU instead.

        Returns
        -------
        loss : torch.Tensor
            Scalar, detached.
        logits : torch.Tensor or None
            Of the batch's images, (n, k), detached; None if no loss needs them.
        """
        precision = self.settings.precision
        if with_sam and precision == "bfloat16":
            precision = "tf32" if self.device.type == "cuda" else "float32"
        chance = seeded(batch.seed, self.device) if self.has_dropout else nullcontext()
        with chance, computing_in(precision, self.device.type):
            model = distributed.split(self.counting)
            loss, logits = objectives.total(self.method.losses, model, batch, self.settings)
            with torch.autocast(self.device.type, enabled=False):  # a product goes backwards as it went
                loss.backward(inputs=parameters)
        if synchronised:
            distributed.add_gradients(self.model)
        return loss.detach(), None if logits is None else logits.detach()

    def step(self, batch, with_sam: bool):
        """Take one step, SAM's or a plain one; return the loss and the logits of the (first) pass over `batch`.

        Parameters
        ----------
        batch : objectives.Batch
        with_sam : bool

        Returns
        -------
        loss : torch.Tensor
            A scalar, in nats.
        logits : torch.Tensor, (n, k)
        """
        self.optimizer.zero_grad(set_to_none=True)
        if not with_sam:
            loss, logits = self.loss_and_gradient(batch, with_sam=False)
            self.optimizer.step()
            return loss, logits
        of_whole_batch = self.settings.sam_gradient == "global"
        loss, logits = self.loss_and_gradient(batch, self.sam.perturbed, of_whole_batch)
        self.sam.first_step()
        if self.settings.protocol == "code":
            self.loss_and_gradient(batch)
        else:
            with frozen_batch_norm_statistics(self.model):
                self.loss_and_gradient(batch)
        self.sam.second_step()
        return loss, logits

    def train_epoch(self):
        """Take one epoch of steps.

        Returns
        -------
        loss, accuracy : torch.Tensor
            Mean over the steps, and share of the training images classified correctly, each before its step; NaN if no
            loss needs the logits of the images themselves, as in mixup. Scalars: reading them waits for the device.
        """
        settings, steps = self.settings, -(-len(self.x_train) // self.settings.batch_size)
        self.finished = None
        self.model.train()
        losses, correct = [], torch.zeros((), device=self.device)
        for number, (images, labels, index) in enumerate(self.images.batches(self.generator)):
            for group in self.optimizer.param_groups:
                group["lr"] = learning_rate(self.method, settings, self.epoch + number / steps)
            batch = batches.fill(self, images, labels, index, number)
            with_sam = takes_sam_step(self.method, settings, self.epoch, self.epoch * steps + number)
            with nullcontext() if len(index) == settings.batch_size else building.uncompiled():
                loss, logits = self.step(batch, with_sam)
            losses.append(loss)
            if logits is not None:
                hits = logits.argmax(1) == labels
                self.correctness[index] += hits
                correct += hits.sum()
            if self.method.averaging == "ema":
                self.average.update_parameters(self.model)
        if averages(self.method, settings, self.epoch):
            self.average.update_parameters(self.model)
        self.epoch += 1
        accuracy = correct / len(self.x_train) if logits is not None else torch.full_like(correct, torch.nan)
        return torch.stack(losses).mean(), accuracy

    def fit(self, progress: bool = True, until: float = math.inf) -> None:
        """Train to the last epoch, with a checkpoint now and then.

        Parameters
        ----------
        progress : bool
            Show a bar with the time left.
        until : float
            Value of ``time.monotonic()`` after which no further epoch begins.

        Raises
        ------
        FloatingPointError
            If the training loss, or a logit in evaluation, is no longer finite.
        OutOfTime
            If the time is up before the last epoch; a checkpoint was written.
        """
        settings = self.settings
        saved = time.monotonic()
        every = CUDA_CHECKPOINT_SECONDS if self.device.type == "cuda" else CHECKPOINT_SECONDS
        name, hidden = f"{settings.method} seed {settings.seed}", None if progress and distributed.first() else True
        bar = tqdm(total=settings.epochs, initial=self.epoch, unit="epoch", desc=name, disable=hidden)
        while self.epoch < settings.epochs:
            before = time.process_time()
            self.history.append(self._epoch_and_evaluation())
            self.cpu_seconds += time.process_time() - before
            bar.update()
            checkpoint.write_shared(self)
            # The clocks of several processes differ: the first one's decides.
            late = self.epoch < settings.epochs and distributed.from_first(lambda: time.monotonic() > until)
            if late or time.monotonic() - saved > every:
                self.checkpoint()
                saved = time.monotonic()
            if late:
                bar.close()
                raise OutOfTime(f"{name}: epoch {self.epoch} of {settings.epochs}")
        bar.close()

    def _epoch_and_evaluation(self) -> dict:
        """Train an epoch; return its entry in the history."""
        epochs = self.settings.epochs
        loss, accuracy = map(float, self.train_epoch())
        if not np.isfinite(loss):
            raise evaluate.diverged(self, f"the training loss is {loss}")
        entry = {"epoch": self.epoch, "train_loss": loss, "train_accuracy": evaluate.none_if_undefined(accuracy)}
        if self.epoch % max(1, epochs // HISTORY_POINTS) == 0 or self.epoch == epochs:
            entry |= self.evaluate_during_training()
        return entry

    # -- evaluation and checkpoint, which have files of their own ------------------------------------------

    def finished_model(self):
        """Return the network as it would be used now (`evaluate.finished_model`), made once an epoch."""
        if self.finished is None:
            self.finished = evaluate.finished_model(self)
        return self.finished

    def logits(self, model, x) -> np.ndarray:
        """Return logits (n, k) of normalised images `x` (n, c, h, w).

        Parameters
        ----------
        model : nn.Module
        x : torch.Tensor

        Returns
        -------
        ndarray, (n, k), float32
        """
        return evaluate.logits(model, x, self.data.num_classes, self.device)

    def evaluate_during_training(self) -> dict:
        """Return test metrics of the network as it would be used now (`evaluate.during_training`)."""
        return evaluate.during_training(self)

    def checkpoint(self) -> None:
        """Write the whole state, from which `resume` goes on."""
        checkpoint.write(self)

    def resume(self) -> None:
        """Go on from the last checkpoint, if there is one."""
        checkpoint.resume(self)
