"""The training loop. It knows no method by name: only an objective, SAM or not, averaging or not."""

import copy
import io
import platform
import sys
import time
import zipfile
from contextlib import nullcontext

import numpy as np
import torch
from filelock import FileLock
from torch.optim.swa_utils import AveragedModel, update_bn
from tqdm import tqdm

from . import datasets, distributed, machine, methods, networks, objectives, records
from .augment import crop_and_flip
from .flatness import PARTS, SAM, ExponentialAverage, frozen_batch_norm_statistics
from .image_files import ImageFiles
from .metrics import ece, evaluate, softmax
from .precision import computing_in
from .settings import Settings

CHECKPOINT_SECONDS = 20.0  # at most this much work is lost when a run is killed; it never changes the result
HISTORY_POINTS, HISTORY_IMAGES = 50, 2000  # how often a run looks at the test set, and at how much of it


def train(
    settings: Settings, force: bool = False, progress: bool = True, shipped: bool = True, keep_weights: bool = False,
    measures=(),
) -> records.Record:  # fmt: skip
    """Return the record of `settings`, training only if there is none.

    Parameters
    ----------
    settings : Settings
        What to train; gaps are filled from the scale.
    force : bool
        Train again even if a record exists; the old one is kept until the new one is whole.
    progress : bool
        Show a bar with the time left.
    shipped : bool
        Also accept a record that comes with the repository; False trains on this machine.
    keep_weights : bool
        Keep the network's state beside the record.
    measures : sequence of str
        Names from ``measures.MEASURES``: measured on the network and kept beside the record. A finished run that lacks
        one is measured from its weights, or trained again if they were not kept.

    Returns
    -------
    records.Record
        Logits and labels of the test set, settings and history.

    Raises
    ------
    ValueError
        For data that are missing or do not fit, an unknown measure, or measures asked of several processes.
    FloatingPointError
        If the training loss is no longer finite.
    """
    from . import measures as _measures

    settings, wanted = settings.complete(), [_measures.check(name) for name in measures]
    wanted += ["weights"] if keep_weights else []
    if measures and distributed.size() > 1:
        raise ValueError("measures are taken by one process: train with --keep-weights, then measure without torchrun")

    def find():
        found = None if force else records.find(settings, shipped)
        return found, found is not None and all(records.attached(found, name) is not None for name in wanted)

    found, whole = distributed.from_first(find)
    if whole:
        return found
    place = records.folder()
    place.mkdir(parents=True, exist_ok=True)
    with FileLock(place / f".{settings.hash()}.lock") if distributed.first() else nullcontext():
        found, whole = distributed.from_first(find)  # another program may have finished it meanwhile
        if whole:
            return found
        run = Run(settings)
        weights = None if found is None else found.weights
        if weights is not None:
            model = run.model
            model.load_state_dict({name: torch.from_numpy(a) for name, a in weights.items()})
        else:
            run.resume()
            run.fit(progress)
            model = run.finished_model()
            state = {name: t.cpu().numpy() for name, t in model.state_dict().items()} if keep_weights else None
            test = run.logits(model, run.x_test), run.data.y_test
            valid = run.logits(model, run.x_valid), run.data.y_valid

            def save():
                about = environment(settings) | {"cpu_seconds": round(run.cpu_seconds)}
                path = records.save(settings, test, valid, run.history, about, state)
                run.checkpoint_path.unlink(missing_ok=True)
                return records.read(path)

            found = distributed.from_first(save)
        for name in measures:
            if records.attached(found, name) is None:
                records.attach(found, name, _measures.MEASURES[name](run, model))
    return found


def environment(settings: Settings) -> dict:
    """Return what the result may depend on beyond the settings."""
    device = torch.cuda.get_device_name() if settings.device == "cuda" else platform.processor() or "cpu"
    return {
        "python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__,
        "machine": platform.machine(), "device": device, "threads": torch.get_num_threads(),
        "processes": distributed.size(),
    }  # fmt: skip


class Run:
    """One run in progress: model, optimiser, average, random state, history."""

    def __init__(self, settings: Settings):
        self.settings = settings = settings.complete()
        self.method = methods.METHODS[settings.method]
        self.device = torch.device(settings.device)
        distributed.check(settings)
        if self.device.type == "cpu":
            machine.keep_freed_memory()
        self.data = data = distributed.first_then_rest(
            lambda: datasets.load(settings.dataset, settings.train_size, settings.test_size, settings.protocol)
        )
        self.checkpoint_path = records.folder() / f".{settings.hash()}.checkpoint"

        self.mean = torch.tensor(np.asarray(data.mean), dtype=torch.float32).view(1, -1, 1, 1)
        self.std = torch.tensor(np.asarray(data.std), dtype=torch.float32).view(1, -1, 1, 1)
        self.black = (-self.mean / self.std).view(-1).to(self.device)  # a black pixel after normalisation
        self.x_train, self.x_valid, self.x_test = map(self.normalised, (data.x_train, data.x_valid, data.x_test))
        self.y_train = torch.from_numpy(data.y_train).to(self.device)
        self.by_class = torch.argsort(self.y_train, stable=True)
        self.class_sizes = torch.bincount(self.y_train, minlength=data.num_classes)
        self.correctness = torch.zeros(len(self.y_train), device=self.device)  # times each image was classified rightly

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            model = networks.create(settings.network, data.num_classes, data.x_train.shape[1], self.method.cosine)
        self.model = distributed.synchronise(model.to(self.device).to(memory_format=torch.channels_last))
        if settings.compile:
            self.model.compile()  # in place: the names of the weights stay
        self.generator = torch.Generator(self.device).manual_seed(settings.seed)
        self.optimizer = torch.optim.SGD(
            self.model.parameters(), settings.learning_rate, settings.momentum, weight_decay=settings.weight_decay,
            foreach=True,
        )  # fmt: skip
        self.sam = SAM(self.optimizer, settings.rho, PARTS[self.method.sam_part](self.model))
        self.average = {
            None: lambda: None,
            "swa": lambda: AveragedModel(self.model),
            "ema": lambda: ExponentialAverage(self.model, settings.ema_decay),
        }[self.method.averaging]()
        self.epoch, self.history = 0, []
        self.cpu_seconds = 0.0  # of this process, in training and in evaluation during training

    def normalised(self, x):
        """Return images (n, c, h, w) uint8 as the network takes them, on the device; those on disk, once decoded."""
        if isinstance(x, ImageFiles):
            return x.finished_by(self.normalised)
        x = torch.from_numpy(x).float().div_(255).sub_(self.mean).div_(self.std)
        return x.to(self.device).contiguous(memory_format=torch.channels_last)

    # -- one epoch ---------------------------------------------------------------------------------------

    def augmented(self, index, generator=None):
        """Return training images at `index` (n,), each cropped and mirrored anew."""
        if isinstance(self.x_train, ImageFiles):
            return next(self.x_train.training_views([index], generator or self.generator))
        return crop_and_flip(self.x_train[index], self.settings.padding, generator or self.generator, self.black)

    def images_of_class(self, y, u):
        """Return, for each label in `y` (n,), an augmented training image of that class, chosen by `u` in [0, 1)."""
        first = torch.cumsum(self.class_sizes, 0) - self.class_sizes
        return self.augmented(self.by_class[first[y] + (u * self.class_sizes[y]).long()])

    def batches(self, generator=None):
        """Yield one epoch of shuffled, augmented batches: images, labels, places in the training set.

        A last batch of one image is left out, since batch norm needs two.
        """
        generator = generator or self.generator
        order = torch.randperm(len(self.x_train), generator=generator, device=self.device)
        parts = [index for index in order.split(self.settings.batch_size) if len(index) > 1]
        if isinstance(self.x_train, ImageFiles):
            views = self.x_train.training_views(parts, generator)  # decodes the next batch during this one's step
        else:
            views = (self.augmented(index, generator) for index in parts)
        for index, x in zip(parts, views, strict=True):
            yield x, self.y_train[index], index

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

    def train_epoch(self):
        """Take one epoch of steps; return mean loss and training accuracy as tensors (reading them waits once)."""
        settings, steps = self.settings, -(-len(self.x_train) // self.settings.batch_size)
        self.model.train()
        losses, right = [], torch.zeros((), device=self.device)
        for number, (x, y, index) in enumerate(self.batches()):
            for group in self.optimizer.param_groups:
                group["lr"] = methods.learning_rate(self.method, settings, self.epoch + number / steps)
            batch = objectives.Batch(x, y, index, self.epoch, number, self)
            self.optimizer.zero_grad(set_to_none=True)
            with_sam = methods.takes_sam_step(self.method, settings, self.epoch, self.epoch * steps + number)
            loss, seen = self.loss_and_gradient(
                batch, self.sam.perturbed if with_sam else None, not with_sam or settings.sam_gradient == "global",
                with_sam,
            )  # fmt: skip
            losses.append(loss)
            if with_sam:
                self.sam.first_step()
                if settings.protocol == "code":
                    self.loss_and_gradient(batch)
                else:
                    with frozen_batch_norm_statistics(self.model):
                        self.loss_and_gradient(batch)
                self.sam.second_step()
            else:
                self.optimizer.step()
            if "logits" in seen.__dict__:  # mixup alone never looks at the images themselves
                hits = seen.logits.detach().argmax(1) == y
                self.correctness[index] += hits
                right += hits.sum()
            else:
                right += torch.nan
            if self.method.averaging == "ema":
                self.average.update_parameters(self.model)
        if methods.averages(self.method, settings, self.epoch):
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
            entry = {"epoch": self.epoch, "train_loss": loss, "train_accuracy": _or_none(accuracy)}
            if self.epoch % every == 0 or self.epoch == settings.epochs:
                entry |= self.look()
            self.history.append(entry)
            self.cpu_seconds, before = self.cpu_seconds + time.process_time() - before, time.process_time()
            bar.update()
            self._leave_trunk()
            if time.monotonic() - saved > CHECKPOINT_SECONDS:
                self.checkpoint()
                saved = time.monotonic()
        bar.close()

    def look(self) -> dict:
        """Return test metrics of the network as it would be used now, on the first 2,000 test images, and a histogram
        of the confidence of correct and of incorrect predictions."""
        labels = self.data.y_test[:HISTORY_IMAGES]
        logits = self.logits(self.finished_model(), self.x_test[:HISTORY_IMAGES])
        p, values = softmax(logits), evaluate(logits, labels)
        confidence, right = p.max(1), p.argmax(1) == labels
        parts = confidence[right], confidence[~right]
        histogram = [np.histogram(part, records.HISTOGRAM_BINS, (0, 1))[0].tolist() for part in parts]
        entry = {f"test_{name}": values[name] for name in ("accuracy", "auroc", "aurc", "ece")}
        entry["test_ece_right"] = ece(p[right], labels[right]) if right.any() else np.nan
        entry["confidence_right"] = confidence[right].mean() if right.any() else np.nan
        entry["confidence_wrong"] = confidence[~right].mean() if not right.all() else np.nan
        return {name: _or_none(float(value)) for name, value in entry.items()} | {"histogram": histogram}

    # -- the result --------------------------------------------------------------------------------------

    def finished_model(self):
        """Return the network as it would be used now: the average with statistics of its own, where there is one.

        The statistics are computed on augmented training images drawn from a generator of their own, so asking
        changes nothing in the run.
        """
        if self.average is None or self.average.n_averaged == 0:
            return self.model
        average = copy.deepcopy(self.average)
        generator = torch.Generator(self.device).manual_seed(self.settings.seed + 2**32 * self.epoch)
        with computing_in("float32", self.device.type):
            update_bn((distributed.part(x) for x, _, _ in self.batches(generator)), average)
        return average.module

    @torch.no_grad()
    def logits(self, model, x) -> np.ndarray:
        """Return logits (n, k) of images `x` (n, c, h, w) as `normalised` gives them."""
        model.eval()
        with computing_in("float32", self.device.type):
            forward = distributed.split(model)
            parts = [forward(part).float().cpu() for part in x.split(500)] if len(x) else []
        return torch.cat(parts).numpy() if parts else np.zeros((0, self.data.num_classes), np.float32)

    # -- surviving ---------------------------------------------------------------------------------------

    def _state(self) -> bytes:
        buffer = io.BytesIO()
        torch.save(
            {
                "epoch": self.epoch, "history": self.history, "model": self.model.state_dict(),
                "optimizer": self.optimizer.state_dict(), "generator": self.generator.get_state(),
                "correctness": self.correctness, "cpu_seconds": self.cpu_seconds,
                "average": None if self.average is None else self.average.state_dict(),
            },
            buffer,
        )  # fmt: skip
        return buffer.getvalue()

    def checkpoint(self):
        """Write the whole state atomically."""
        if distributed.first():
            records.write_atomically(self.checkpoint_path, self._state())

    def _trunk_path(self):
        """Return where the shared checkpoint of this run's trunk lies, and its epochs; None without a trunk."""
        shared = methods.trunk(self.method, self.settings)
        if shared is None:
            return None
        plain = self.settings.model_copy(update={"method": shared[0]})
        return records.folder() / f".{plain.hash()}.trunk", shared[1]

    def _leave_trunk(self):
        """At the epoch where averaging would start, leave the state for the methods that start from it."""
        if self.method.sam or self.method.averaging or self.settings.protocol != "paper":
            return
        _, epochs = methods.trunk(methods.METHODS["swa"], self.settings)
        if self.epoch == epochs < self.settings.epochs and distributed.first():
            records.write_atomically(records.folder() / f".{self.settings.hash()}.trunk", self._state())

    def resume(self):
        """Continue from this run's checkpoint, else from its trunk's; a damaged one is named and set aside.

        Of several processes the first one reads, and all continue from what it found.
        """
        shared = self._trunk_path()
        for path in [self.checkpoint_path] + ([shared[0]] if shared else []):
            state = distributed.from_first(lambda path=path: path.read_bytes() if path.exists() else None)
            if self.epoch == 0 and state is not None:
                try:
                    _check_sums(state)
                    self._restore(torch.load(io.BytesIO(state), weights_only=True, map_location="cpu"))
                    if path == self.checkpoint_path and distributed.first():
                        about = f"{self.settings.method} seed {self.settings.seed}"
                        print(f"{about} goes on from epoch {self.epoch} of {self.settings.epochs}", file=sys.stderr)
                except Exception as error:  # torch.load raises many kinds, and each means the same here
                    if distributed.first():
                        records.set_aside(path, type(error).__name__)
                    self.__init__(self.settings)

    def _restore(self, state):
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        if state["average"] is not None:
            self.average.load_state_dict(state["average"])
        self.generator.set_state(state["generator"])
        self.correctness.copy_(state["correctness"])
        self.epoch, self.history, self.cpu_seconds = state["epoch"], state["history"], state.get("cpu_seconds", 0.0)


def _check_sums(state: bytes):
    """Compare each part of a checkpoint with the checksum that ``torch.save`` wrote; ``torch.load`` does not."""
    with zipfile.ZipFile(io.BytesIO(state)) as file:
        if damaged := file.testzip():
            raise zipfile.BadZipFile(f"{damaged} does not fit its checksum")


def _or_none(value: float) -> float | None:
    """JSON has no NaN."""
    return value if np.isfinite(value) else None
