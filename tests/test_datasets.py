"""Data sets, and whole-batch augmentation against its definition."""

import numpy as np
import pytest
import torch

from fmfp_lib import datasets
from fmfp_lib.augment import crop_and_flip


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
    arrays = {"x_train": rng.integers(0, 256, (6, 8, 8, 3), np.uint8), "y_train": np.arange(6) % 3,
              "x_test": rng.integers(0, 256, (3, 8, 8, 3), np.uint8), "y_test": np.arange(3)}  # fmt: skip
    np.savez(tmp_path / "mine.npz", **arrays)
    data = datasets.load(str(tmp_path / "mine.npz"))
    assert data.num_classes == 3 and np.array_equal(data.x_train[2, 1], arrays["x_train"][2, :, :, 1])
    np.savez(tmp_path / "bad.npz", **(arrays | {"x_train": arrays["x_train"].astype(float)}))
    with pytest.raises(ValueError, match="must be uint8"):
        datasets.load(str(tmp_path / "bad.npz"))
    with pytest.raises(ValueError, match="no data set at"):
        datasets.load(str(tmp_path / "none.npz"))


def test_cifar10_binary_layout(tmp_path, monkeypatch):
    monkeypatch.setenv("FMFP_DATA", str(tmp_path))
    place = tmp_path / "cifar-10-batches-bin"
    place.mkdir()
    rng = np.random.default_rng(0)
    for name in [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]:
        rows = rng.integers(0, 256, (10, 3073), np.uint8)
        rows[:, 0] = np.arange(10)
        (place / f"{name}.bin").write_bytes(rows.tobytes())
    data = datasets.load("cifar10")
    assert data.x_train.shape == (45, 3, 32, 32) and np.array_equal(data.x_test.reshape(10, -1), rows[:, 1:])


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
            for t in range(5) for left in range(5) for f in (0, 1)
            for c in [padded[i, :, t : t + 6, left : left + 5]]
        }  # fmt: skip
        matches = [key for key, crop in crops.items() if torch.allclose(crop, out[i], atol=1e-5)]
        assert len(matches) == 1
        seen |= set(matches)
    assert len({key[2] for key in seen}) == 2 and len({key[0] for key in seen}) == 5
