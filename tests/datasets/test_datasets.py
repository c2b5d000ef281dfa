"""Data sets in their official layouts, as tiny archives made here, and augmentation against its definition."""

import hashlib
import io
import pickle
import shutil
import tarfile
import zipfile
from dataclasses import replace

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image

from fmfp_lib import datasets
from fmfp_lib.datasets import loading, readers
from fmfp_lib.datasets.augment import crop_and_flip
from fmfp_lib.datasets.corruptions import corrupt


def test_embedded_prefix_is_balanced():
    data = datasets.load("embedded", 1000, 100)
    assert len(data.x_valid) == 1000 and set(np.bincount(data.y_valid)) == {100}
    everything = {image.tobytes() for image in datasets.load("embedded").x_train}
    assert not everything & {image.tobytes() for image in data.x_valid}
    assert data.x_train.shape == (1000, 1, 28, 28) and data.x_train.dtype == np.uint8
    assert set(np.bincount(data.y_train)) == {100} and set(np.bincount(data.y_test)) == {10}


@pytest.mark.parametrize("size", [0, 9_001])
def test_impossible_size(size):
    with pytest.raises(ValueError, match="choose 1 to 9000"):
        datasets.load("embedded", size)


def test_any_npz(tmp_path):
    rng = np.random.default_rng(0)
    arrays = {
        "x_train": rng.integers(0, 256, (6, 8, 8, 3), np.uint8),
        "y_train": np.arange(6) % 3,
        "x_test": rng.integers(0, 256, (3, 8, 8, 3), np.uint8),
        "y_test": np.arange(3),
    }
    np.savez(tmp_path / "mine.npz", **arrays)
    data = datasets.load(str(tmp_path / "mine.npz"))
    assert data.num_classes == 3 and np.array_equal(data.x_train[2, 1], arrays["x_train"][2, :, :, 1])
    np.savez(tmp_path / "bad.npz", **(arrays | {"x_train": arrays["x_train"].astype(float)}))
    with pytest.raises(ValueError, match="must be uint8"):
        datasets.load(str(tmp_path / "bad.npz"))
    with pytest.raises(ValueError, match="no data set at"):
        datasets.load(str(tmp_path / "none.npz"))


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("FMFP_DATA", str(tmp_path))
    return tmp_path


def have_archive(monkeypatch, name):
    """Take the archive that lies in the folder for the official one of a data set."""
    source = datasets.CATALOGUE[name]
    path = datasets.folder() / source.archive.file
    archive = replace(source.archive, md5=hashlib.md5(path.read_bytes()).hexdigest(), bytes=path.stat().st_size)
    monkeypatch.setitem(datasets.CATALOGUE, name, replace(source, archive=archive))


def test_cifar10_binary_layout(place):
    folder = place / "cifar-10-batches-bin"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]:
        rows = rng.integers(0, 256, (10, 3073), np.uint8)
        rows[:, 0] = np.arange(10)
        (folder / f"{name}.bin").write_bytes(rows.tobytes())
    data = datasets.load("cifar10")
    assert data.x_train.shape == (45, 3, 32, 32) and np.array_equal(data.x_test.reshape(10, -1), rows[:, 1:])
    loading.kept_arrays.cache_clear()
    (folder / "data_batch_5.bin").unlink()
    with pytest.raises(ValueError, match="data_batch_5.bin has 0 bytes; rows of 3073"):
        datasets.load("cifar10")


@pytest.mark.parametrize(
    ("name", "class_name", "key"), [("cifar10", "CIFAR10", "labels"), ("cifar100", "CIFAR100", "fine_labels")]
)
def test_cifar_python_layout(place, monkeypatch, name, class_name, key):
    official = getattr(torchvision.datasets, class_name)
    rng, rows, sums = np.random.default_rng(0), {}, {}
    with tarfile.open(place / official.filename, "w:gz") as file:
        for batch in [*official.train_list, *official.test_list, [official.meta["filename"]]]:
            rows[batch[0]] = rng.integers(0, 256, (20, 3072), np.uint8)
            names = {official.meta["key"]: ["a", "b"]}
            content = pickle.dumps({"data": rows[batch[0]], key: [0, 1] * 10} | names)
            sums[batch[0]] = hashlib.md5(content).hexdigest()
            member = tarfile.TarInfo(f"{official.base_folder}/{batch[0]}")
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))
    for kind in ("train_list", "test_list"):
        monkeypatch.setattr(official, kind, [[batch, sums[batch]] for batch, _ in getattr(official, kind)])
    monkeypatch.setattr(official, "meta", official.meta | {"md5": sums[official.meta["filename"]]})
    have_archive(monkeypatch, name)

    assert datasets.get(name) == place / official.base_folder
    data = datasets.load(name)
    total = 20 * len(official.train_list)
    assert len(data.x_train) == total - total // 10 and len(data.x_valid) == total // 10
    order = np.argsort([0, 1] * 10, kind="stable").reshape(2, 10).T.ravel()  # classes in turn
    expected = rows[official.test_list[0][0]].reshape(-1, 3, 32, 32)[order]
    assert np.array_equal(data.x_test, expected) and np.array_equal(data.y_test, [0, 1] * 10)

    loading.kept_arrays.cache_clear()
    path = place / official.base_folder / official.train_list[0][0]
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match="damaged or not whole") as error:
        datasets.load(name)
    assert "\n" not in str(error.value)


def jpeg(color, size=(64, 64)):
    buffer = io.BytesIO()
    Image.new("RGB" if isinstance(color, tuple) else "L", size, color).save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.fixture
def tiny_imagenet(place, monkeypatch):
    names, colors = ["n03", "n01", "n02"], [(200, 0, 0), (0, 200, 0), 77]
    with zipfile.ZipFile(place / "tiny-imagenet-200.zip", "w") as file:
        file.writestr("tiny-imagenet-200/wnids.txt", "\n".join(names))
        for name, color in zip(names, colors, strict=True):
            for i in range(10):
                file.writestr(f"tiny-imagenet-200/train/{name}/images/{name}_{i}.JPEG", jpeg(color))
        for i in range(6):
            file.writestr(f"tiny-imagenet-200/val/images/val_{i}.JPEG", jpeg(colors[i % 3]))
        notes = [f"val_{i}.JPEG\t{names[i % 3]}\t0\t0\t62\t62\n" for i in range(6)]
        file.writestr("tiny-imagenet-200/val/val_annotations.txt", "".join(notes))
        file.writestr("tiny-imagenet-200/test/images/test_0.JPEG", jpeg(0))
    have_archive(monkeypatch, "tiny_imagenet")
    loading.kept_arrays.cache_clear()
    return place / "tiny-imagenet-200"


def test_tiny_imagenet_zip_its_validation_split_is_the_test_set(tiny_imagenet):
    assert datasets.get("tiny_imagenet") == tiny_imagenet
    data = datasets.load("tiny_imagenet")
    assert data.x_train.shape == (27, 3, 64, 64) and data.x_valid.shape == (3, 3, 64, 64) and data.num_classes == 3
    # Classes are numbered in the order of their names: n01 is green, n02 grey, n03 red.
    for x, y in ((data.x_train, data.y_train), (data.x_test, data.y_test)):
        mean = x.mean((2, 3))
        assert np.abs(mean[y == 0] - [0, 200, 0]).max() < 3 and np.abs(mean[y == 1] - 77).max() < 3
        assert np.abs(mean[y == 2] - [200, 0, 0]).max() < 3
    assert sorted(data.y_test) == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda p: (p / "train/n01/images/n01_3.JPEG").unlink(), "9 to 10 training images per class"),
        (lambda p: shutil.rmtree(p / "train/n02"), "not the official layout"),
        (lambda p: (p / "val/val_annotations.txt").write_text("val_0.JPEG\tn99\n"), "not the official layout"),
        (lambda p: (p / "val/images/val_1.JPEG").write_bytes(b"no image"), "val_1.JPEG is not a sound image"),
        (lambda p: (p / "val/images/val_1.JPEG").write_bytes(jpeg(0, (64, 32))), "64 x 32 pixels, not 64 x 64"),
        (lambda p: (p / "val/images/val_1.JPEG").write_bytes(jpeg(0)[:300]), "val_1.JPEG is not a sound image"),
    ],
)
def test_damaged_tiny_imagenet_is_named(tiny_imagenet, harm, message):
    datasets.get("tiny_imagenet")
    harm(tiny_imagenet)
    with pytest.raises(ValueError, match=message):
        datasets.load("tiny_imagenet")


def test_cifar10_c_tar_is_used_where_it_is_at_hand(place, monkeypatch):
    x = np.random.default_rng(0).integers(0, 256, (50, 32, 32, 3), np.uint8)
    y = np.tile(np.repeat(np.arange(5), 2), 5).astype(np.uint8)
    with tarfile.open(place / "CIFAR-10-C.tar", "w") as file:
        for name, array in {"fog": x, "labels": y}.items():
            buffer = io.BytesIO()
            np.save(buffer, array)
            member = tarfile.TarInfo(f"CIFAR-10-C/{name}.npy")
            member.size = buffer.tell()
            buffer.seek(0)
            file.addfile(member, buffer)
    have_archive(monkeypatch, "cifar10_c")
    datasets.get("cifar10_c")
    found = datasets.shifted("cifar10", "fog", 3, test_size=5)
    assert found.origin == "CIFAR-10-C" and np.array_equal(found.y, np.arange(5))
    assert np.array_equal(found.x, x[20:30:2].transpose(0, 3, 1, 2))  # one of each class of the third severity
    with pytest.raises(ValueError, match="snow.npy"):
        datasets.shifted("cifar10", "snow", 3)
    np.save(place / "CIFAR-10-C" / "fog.npy", x[:, :16])
    with pytest.raises(ValueError, match=r"\(50, 16, 32, 3\)"):
        datasets.shifted("cifar10", "fog", 3)


def test_corruptions_are_made_here_for_any_other_data_set():
    found = datasets.shifted("embedded", "contrast", 5, test_size=50)
    clean = datasets.load("embedded", test_size=50)
    assert found.origin == "here" and np.array_equal(found.y, clean.y_test)
    assert np.array_equal(found.x, corrupt(clean.x_test, "contrast", 5))
    with pytest.raises(ValueError, match="unknown corruption 'smoke'"):
        datasets.shifted("embedded", "smoke", 5)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("cifar10", ["fmfp data get cifar10", "170 MB"]),
        ("cifar100", ["fmfp data get cifar100", "169 MB"]),
        ("tiny_imagenet", ["fmfp data get tiny_imagenet", "248 MB"]),
        ("imagenet", ["155 GB", "train/<wnid>/"]),
    ],
)
def test_missing_data_set_says_how_to_get_it_and_how_large_it_is(place, name, words):
    with pytest.raises(ValueError) as error:
        datasets.load(name)
    assert all(word in str(error.value) for word in [*words, str(place)]) and "\n" not in str(error.value)


def test_what_cannot_be_downloaded_says_so_and_unknown_names_are_corrected(place):
    with pytest.raises(ValueError, match="register at"):
        datasets.get("imagenet")
    with pytest.raises(ValueError, match="did you mean 'tiny_imagenet'"):
        datasets.get("tiny-imagenet")
    assert datasets.get("embedded") == readers.EMBEDDED


def test_published_tables_use_the_same_names():
    published = (readers.EMBEDDED.parent / "published_tables.csv").read_text().splitlines()[1:]
    assert {line.split(",")[1] for line in published} <= set(datasets.CATALOGUE)


def test_code_protocol_holds_out_the_tenth_of_the_released_code():
    x = loading.arrays("embedded")[0]
    indices = list(range(10_000))
    state = np.random.get_state()
    np.random.seed(42)
    np.random.shuffle(indices)
    np.random.set_state(state)
    code, paper = datasets.load("embedded", protocol="code"), datasets.load("embedded")
    assert np.array_equal(code.x_valid, x[indices[:1000]]) and not np.array_equal(code.x_valid, paper.x_valid)
    whole = {image.tobytes() for image in x}
    for data in (code, paper):
        parts = [{image.tobytes() for image in part} for part in (data.x_train, data.x_valid)]
        assert parts[0] | parts[1] == whole and len(data.x_train) == 9000
    with pytest.raises(ValueError, match="unknown protocol"):
        datasets.load("embedded", protocol="codes")


def test_mean_and_std_are_those_of_the_training_pixels():
    data = datasets.load("embedded", 2345)
    pixels = data.x_train / 255
    assert np.allclose(data.mean, pixels.mean((0, 2, 3)), rtol=1e-12)
    assert np.allclose(data.std, pixels.std((0, 2, 3)), rtol=1e-12)


def test_every_image_is_a_crop_of_the_padded_original_or_its_mirror():
    x = torch.randn(64, 2, 6, 5, generator=torch.Generator().manual_seed(0))
    fill = torch.tensor([-3.0, 4.0])
    out = crop_and_flip(x, 2, torch.Generator().manual_seed(1), fill)
    padded = fill.view(1, 2, 1, 1).expand(64, 2, 10, 9).clone()
    padded[:, :, 2:8, 2:7] = x
    seen = set()
    for i in range(64):
        crops = {
            (t, left, f): (c.flip(-1) if f else c)
            for t in range(5)
            for left in range(5)
            for f in (0, 1)
            for c in [padded[i, :, t : t + 6, left : left + 5]]
        }
        matches = [key for key, crop in crops.items() if torch.allclose(crop, out[i], atol=1e-5)]
        assert len(matches) == 1
        seen |= set(matches)
    assert len({key[2] for key in seen}) == 2 and len({key[0] for key in seen}) == 5
