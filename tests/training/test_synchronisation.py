"""The loop never waits for the device: on CUDA each of these calls would, once a step."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils._python_dispatch import TorchDispatchMode

from fmfp_lib import confidence
from fmfp_lib.confidence import forward
from fmfp_lib.confidence.confidnet import _Fitting
from fmfp_lib.datasets import Dataset
from fmfp_lib.datasets.image_files import ImageFiles
from fmfp_lib.settings import Settings
from fmfp_lib.training import Run, batches, building, evaluate, frozen_batch_norm_statistics

WAITS = {"_local_scalar_dense", "item", "is_nonzero", "nonzero", "equal", "masked_select", "_unique2", "unique_dim"}
READS = ("item", "tolist", "numpy", "cpu", "__bool__", "__float__", "__int__", "__index__", "__array__")


class Waits(TorchDispatchMode):
    """Note the operators whose result the host, or the size of whose result, must be fetched from the device."""

    def __init__(self):
        super().__init__()
        self.found = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function.overloadpacket.__name__
        # Indexing by a mask looks for the places that are true.
        masks = name in ("index", "index_put_") and any(i is not None and i.dtype == torch.bool for i in args[1])
        if name in WAITS or masks:
            self.found.append(name)
        return function(*args, **(kwargs or {}))


def waits(act, monkeypatch):
    """Return what in `act` would wait for the device."""
    with monkeypatch.context() as patch, Waits() as mode:

        def noting(name, original):
            def call(self, *args, **kwargs):
                mode.found.append(name)
                return original(self, *args, **kwargs)

            return call

        for name in READS:
            patch.setattr(torch.Tensor, name, noting(name, getattr(torch.Tensor, name)))
        to = torch.Tensor.to

        def moving(self, *args, **kwargs):
            if any(isinstance(a, (torch.device, str)) for a in args) and not kwargs.get("non_blocking"):
                mode.found.append("to")  # a copy from the host waits unless told not to
            return to(self, *args, **kwargs)

        patch.setattr(torch.Tensor, "to", moving)
        act()
    return mode.found


def run(method, protocol="paper"):
    return Run(
        Settings(method=method, protocol=protocol, train_size=64, batch_size=32, test_size=20, epochs=4, device="cpu")
    )


@pytest.mark.parametrize(
    ("method", "protocol"),
    [(method, "paper") for method in ("baseline", "sam", "mixup", "cs_kd", "crl", "focal", "regmixup", "ema")]
    + [("fmfp", "code"), ("sure", "code")],  # which take SAM steps from the first epoch on
)
def test_an_epoch_of_training_never_waits_for_the_device(method, protocol, monkeypatch):
    trained = run(method, protocol)
    trained.train_epoch()
    assert waits(trained.train_epoch, monkeypatch) == []


def test_a_loop_that_waits_is_found(monkeypatch):
    for wait in (float, bool, lambda loss: loss.item(), lambda loss: loss[loss > 0], lambda loss: loss.to("cpu")):
        guilty = run("baseline")
        original = guilty.loss_and_gradient

        def loss_and_gradient(*args, original=original, wait=wait, **options):
            loss, logits = original(*args, **options)
            wait(loss)
            return loss, logits

        guilty.loss_and_gradient = loss_and_gradient
        assert waits(guilty.train_epoch, monkeypatch)


def test_images_on_disk_make_an_epoch_wait_once_and_not_once_a_batch(monkeypatch, tmp_path):
    for i in range(8):
        Image.fromarray(np.full((230, 240, 3), 30 * i, np.uint8)).save(tmp_path / f"{i}.png")
    files, few = ImageFiles(sorted(tmp_path.glob("*.png"))), np.zeros((4, 3, 8, 8), np.uint8)
    labels, other = np.arange(8) % 2, np.arange(4) % 2
    data = Dataset("files", files, labels, few, other, few, other, 2, [0.5] * 3, [0.2] * 3)
    monkeypatch.setattr(building, "data", lambda settings: data)
    found = {}
    for batch_size in (4, 2):
        settings = Settings(network="preact_resnet8_w8_s2", batch_size=batch_size, epochs=2, device="cpu")
        found[batch_size] = waits(Run(settings).train_epoch, monkeypatch)
    assert {name: found[4].count(name) for name in set(found[4])} == {"cpu": 2, "numpy": 2, "tolist": 2}
    # Tensors that are on the host already are read once a batch; what is fetched from the device, once.
    assert found[2].count("cpu") == 2 and set(found[2]) == set(found[4])


def test_evaluation_waits_once_and_not_once_a_chunk(monkeypatch):
    trained = run("baseline")
    monkeypatch.setattr(evaluate, "BATCH", 8)  # three chunks
    monkeypatch.setattr(forward, "BATCH", 8)
    for act in (
        lambda: trained.logits(trained.model, trained.x_test),
        lambda: forward.outputs(trained.model, trained.x_test),
        lambda: confidence.mc_dropout_members(trained.model, trained.x_test, samples=1),
    ):
        found = waits(act, monkeypatch)
        assert 1 <= found.count("cpu") <= 3 and found.count("cpu") == found.count("numpy")


def test_an_epoch_of_confidnet_waits_as_often_whatever_its_number_of_steps(monkeypatch):
    network = torch.nn.Linear(3, 1)
    x, targets = torch.randn(60, 3), (torch.rand(60, 1), torch.rand(8, 1))

    def found(batch_size):
        fitting = _Fitting(network, targets, batch_size, seed=0)
        # Adam would read its own counters, which it keeps on the host.
        return waits(lambda: fitting._epoch(network, x, torch.optim.SGD(network.parameters(), 0.1)), monkeypatch)

    # The order is moved to where the images and the targets lie, and the loss is read.
    assert found(6) == found(30) and found(6).count("to") == 2


class Counts(TorchDispatchMode):
    """Count the operators dispatched, each about one kernel started on a GPU; what is `FREE` starts none."""

    FREE = {"detach", "view", "_unsafe_view", "t", "transpose", "expand", "permute", "unsqueeze", "slice", "alias"}
    FREE |= {"empty", "_record_function_enter_new", "_record_function_exit"}

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.count += function.overloadpacket.__name__ not in self.FREE
        return function(*args, **(kwargs or {}))


def counted(act):
    with Counts() as mode:
        act()
    return mode.count


def test_a_step_starts_few_kernels():
    trained = Run(
        Settings(
            method="sam", network="preact_resnet110", train_size=8, batch_size=4, test_size=4, epochs=1, device="cpu"
        )
    )
    trained.model.train()
    images, labels, index = next(iter(trained.images.batches(trained.generator)))
    batch = batches.fill(trained, images, labels, index, 0)
    trained.step(batch, True)  # the first one makes the momenta

    def one_pass():
        trained.optimizer.zero_grad(set_to_none=True)
        return counted(lambda: trained.loss_and_gradient(batch))

    # 110 layers of convolution, batch norm and ReLU, forward and backward, take some seven operators each.
    plain = one_pass()
    assert plain <= 780
    with frozen_batch_norm_statistics(trained.model):
        assert one_pass() == plain - 1  # nothing is counted
    assert counted(frozen_batch_norm_statistics(trained.model).__enter__) == 0
    # SAM's own steps take a few operators for all weights together.
    assert counted(trained.sam.first_step) <= 16
    trained.loss_and_gradient(batch)
    assert counted(trained.sam.second_step) <= 12
    for group in trained.optimizer.param_groups:
        group.update(foreach=False, fused=True)  # as on a GPU
    assert counted(lambda: trained.step(batch, False)) <= 780
    assert counted(lambda: trained.step(batch, True)) <= 1580
