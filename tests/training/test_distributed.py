"""Two processes train one run: what they see, what they write, and what comes out, against one process."""

import os
import subprocess
import sys
from unittest import mock

import numpy as np
import pytest
import torch
import torch.distributed as dist
from PIL import Image

from fmfp_lib import records
from fmfp_lib.datasets import Dataset
from fmfp_lib.datasets.image_files import SIZE, ImageFiles
from fmfp_lib.settings import Settings
from fmfp_lib.training import Run, building, distributed, train

# Steps of 31, 31 and 13 images: the parts differ in size.
SMALL = dict(
    train_size=75, test_size=20, batch_size=31, epochs=1, method="baseline", network="preact_resnet8_w8_s2",
    device="cpu",
)  # fmt: skip
CASES = {
    "baseline": {}, "fmfp": dict(method="fmfp"), "mixup": dict(method="mixup"), "crl": dict(method="crl", epochs=2),
    "cs_kd": dict(method="cs_kd"), "code": dict(method="fmfp", protocol="code"), "dropout": dict(network="vgg8_w8"),
    "ema": dict(method="ema"),
}  # fmt: skip
FROM_DISK = {"baseline": False, "cs_kd": False, "mixup": True, "regmixup": True}  # who must have the others' pixels
RESUMED = SMALL | dict(method="fmfp", epochs=2)


def outcome(**values):
    """Train in double precision, where rounding cannot hide a difference; return what was seen and what came out."""
    run, seen = Run(Settings(**SMALL | values)), []
    run.model.double()
    if run.average is not None:
        run.average.double()
    for name in ("x_train", "x_test", "black"):
        setattr(run.images, name, getattr(run.images, name).double())
    run.model.register_forward_pre_hook(
        lambda model, inputs: seen.append(inputs[0].sum((1, 2, 3)).numpy()) if model.training else None
    )
    with mock.patch.object(torch.Tensor, "float", lambda tensor: tensor):  # logits stay double
        loss = [float(run.train_epoch()[0]) for _ in range(run.settings.epochs)]
        logits = run.logits(run.finished_model(), run.x_test)
    weights = torch.cat([p.detach().flatten() for p in run.model.parameters()]).numpy()
    return {"seen": seen, "loss": loss, "logits": logits, "weights": weights, "right": run.correctness.numpy()}


def views(folder):
    """Return what two batches of images on disk look like."""
    files = ImageFiles(sorted(folder.glob("*.png")), torch.from_numpy)
    generator = torch.Generator().manual_seed(0)
    places = [torch.tensor([4, 0, 2]), torch.tensor([1, 3])]
    views = files.training_views(places, generator, distributed.part)
    return [distributed.gather(x, len(index)) for index, x in zip(places, views, strict=True)]


def from_disk(folder, method):
    """Train a step on images from disk, in double precision; return what came out and how much was exchanged."""
    files = ImageFiles(sorted(folder.glob("*.png")))
    few, labels = np.zeros((2, 3, 8, 8), np.uint8), np.array([0, 1, 0, 1, 0])
    data = Dataset("files", files, labels, few, labels[:2], few, labels[:2], 2, [0.5] * 3, [0.2] * 3)
    sent, all_reduce = [], dist.all_reduce

    def noting(x):
        sent.append(x.numel())
        all_reduce(x)

    with mock.patch.object(building, "data", lambda settings: data), mock.patch.object(dist, "all_reduce", noting):
        run = Run(Settings(**SMALL | dict(method=method, batch_size=5)))
        run.model.double()
        run.images.x_train = files.finished_by(lambda x: torch.from_numpy(x).to(torch.float64) / 255)
        with mock.patch.object(torch.Tensor, "float", lambda tensor: tensor):  # logits stay double
            loss = float(run.train_epoch()[0])
    weights = torch.cat([p.detach().flatten() for p in run.model.parameters()]).numpy()
    return {"loss": loss, "weights": weights, "pixels": max(sent, default=0) == 5 * 3 * SIZE * SIZE}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    for i in range(5):
        pixels = np.random.default_rng(i).integers(0, 256, (20, 30, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{i}.png")
    return folder


def work(rank, folder, pictures):
    """Be one of two processes; each has its own folder for records, so that one can tell who writes."""
    torch.set_num_threads(1)
    os.environ["FMFP_RECORDS"] = str(folder / f"rank{rank}")
    dist.init_process_group("gloo", init_method=f"file://{folder / 'meeting'}", rank=rank, world_size=2)
    found = {case: outcome(**values) for case, values in CASES.items()}
    found["local"] = outcome(method="fmfp", sam_gradient="local")

    run = Run(Settings(**RESUMED))
    run.train_epoch()
    run.checkpoint()
    run = Run(Settings(**RESUMED))
    run.resume()
    found["resumed at"] = run.epoch
    record = train(Settings(**RESUMED), progress=False)
    found["record"] = record.logits, record.environment["processes"]
    found["files"] = sorted(p.name for p in (folder / f"rank{rank}").iterdir() if p.suffix != ".lock")

    first = distributed.part(torch.arange(7))
    distributed.part(torch.arange(2))
    found["whole"] = first, distributed.gather(first, 7)

    found["views"] = views(pictures)
    found["from disk"] = {method: from_disk(pictures, method) for method in FROM_DISK}

    layer = distributed.SynchronisedBatchNorm(3)
    for name, fail in {
        "measures": lambda: train(Settings(**SMALL), measures=["flatness"]),
        "not a part": lambda: layer(torch.zeros(1000, 3, 2, 2)),
        "small batch": lambda: distributed.check(mock.Mock(batch_size=1)),
        "first's": lambda: distributed.from_first(lambda: 1 / 0),
    }.items():
        try:
            fail()
        except (ValueError, RuntimeError, ZeroDivisionError) as error:
            found[name] = str(error)
    torch.save(found, folder / f"found{rank}.pt")
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def two(tmp_path_factory, pictures):
    folder = tmp_path_factory.mktemp("two")
    torch.multiprocessing.spawn(work, (folder, pictures), nprocs=2)
    return [torch.load(folder / f"found{rank}.pt", weights_only=False) for rank in range(2)]


@pytest.fixture(scope="module")
def one():
    return {case: outcome(**values) for case, values in CASES.items()}


@pytest.mark.parametrize("case", CASES)
def test_two_processes_see_the_images_of_one_and_end_where_it_ends(one, two, case):
    for name in ("loss", "logits", "weights", "right"):
        for found in two:
            np.testing.assert_allclose(found[case][name], one[case][name], atol=1e-10, err_msg=name)
    for mine, other, whole in zip(two[0][case]["seen"], two[1][case]["seen"], one[case]["seen"], strict=True):
        assert len(other) - len(mine) in (0, 1)
        np.testing.assert_allclose(np.concatenate([mine, other]), whole, atol=1e-10)


def test_sam_on_local_gradients_takes_other_steps_and_the_processes_agree(one, two):
    assert np.abs(two[0]["local"]["weights"] - one["fmfp"]["weights"]).max() > 1e-4
    assert np.array_equal(two[0]["local"]["weights"], two[1]["local"]["weights"])


def test_the_first_process_alone_writes_and_all_resume_from_what_it_wrote(two, tmp_path, monkeypatch):
    assert [p.rsplit(".")[-1] for p in two[0]["files"]] == ["json", "npz"] and two[1]["files"] == []
    assert [found["resumed at"] for found in two] == [1, 1]
    monkeypatch.setenv("FMFP_RECORDS", str(tmp_path))
    record = train(Settings(**RESUMED), progress=False)
    assert record.environment["processes"] == 1
    for found in two:
        logits, processes = found["record"]
        assert processes == 2
        np.testing.assert_allclose(logits, record.logits, atol=0.05)  # single precision, and two epochs to spread in


def test_a_batch_is_divided_and_put_together_again(two):
    assert [found["whole"][0].tolist() for found in two] == [[0, 1, 2], [3, 4, 5, 6]]
    assert all(torch.equal(found["whole"][1], torch.arange(7)) for found in two)


def test_images_on_disk_are_decoded_in_parts_and_put_together(two, pictures):
    alone = views(pictures)
    assert [len(x) for x in alone] == [3, 2]
    for found in two:
        assert all(torch.equal(x, whole) for x, whole in zip(found["views"], alone, strict=True))


@pytest.mark.parametrize("method", FROM_DISK)
def test_pixels_are_exchanged_only_where_images_are_mixed(method, two, pictures):
    alone = from_disk(pictures, method)
    for found in two:
        assert found["from disk"][method]["pixels"] == FROM_DISK[method]
        for name in ("loss", "weights"):
            np.testing.assert_allclose(found["from disk"][method][name], alone[name], atol=1e-10, err_msg=name)


def test_errors_reach_every_process(two):
    for found in two:
        assert "without torchrun" in found["measures"] and "met 1000 images" in found["not a part"]
        assert "batch_size is 1" in found["small batch"] and found["first's"] == "division by zero"


def torchrun(*words, folder):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
               "-m", "fmfp_lib.cli", "train", "--device", "cpu", "--threads", "1", *words]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | {"FMFP_RECORDS": str(folder)})


def test_torchrun_trains_one_run_and_prints_its_record_once(tmp_path):
    result = torchrun("--epochs", "1", "--train-size", "64", "--test-size", "20", folder=tmp_path)
    assert result.returncode == 0, result.stderr
    (path,) = result.stdout.split()
    assert records.read(tmp_path / os.path.basename(path)).environment["processes"] == 2


def test_torchrun_tells_an_error_once(tmp_path):
    result = torchrun("--method", "fmpf", folder=tmp_path)
    assert result.returncode != 0 and result.stdout == ""
    assert [line for line in result.stderr.splitlines() if line.startswith("fmfp: ")] == [
        line for line in result.stderr.splitlines() if "did you mean 'fmfp'" in line
    ]
    assert result.stderr.count("did you mean 'fmfp'") == 1
