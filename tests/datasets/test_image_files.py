"""Images on disk: the usual views, and a run that trains on them."""

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image

from fmfp_lib import datasets
from fmfp_lib.datasets import image_files, loading
from fmfp_lib.datasets.image_files import AREA, RATIO, ImageFiles, crop_box
from fmfp_lib.settings import Settings
from fmfp_lib.training import Run, train


@pytest.fixture
def imagenet(tmp_path, monkeypatch):
    """Three classes, 14 training and 2 test images each, of many sizes, in ImageNet's folders."""
    monkeypatch.setenv("FMFP_DATA", str(tmp_path))
    monkeypatch.setenv("FMFP_RECORDS", str(tmp_path / "records"))
    rng = np.random.default_rng(0)
    for part, count in (("train", 14), ("val", 2)):
        for name in ("n02", "n01", "n03"):
            place = tmp_path / "imagenet" / part / name
            place.mkdir(parents=True)
            for i in range(count):
                w, h = rng.integers(100, 400, 2)
                small = Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8))
                small.resize((w, h), Image.Resampling.BICUBIC).save(place / f"{name}_{i}.JPEG")
    loading.kept_arrays.cache_clear()
    return tmp_path / "imagenet"


def test_layout(imagenet):
    data = datasets.load("imagenet")
    assert isinstance(data.x_train, ImageFiles) and data.x_train.shape == (38, 3, 224, 224)
    assert len(data.x_valid) == 4 and len(data.x_test) == 6 and data.num_classes == 3
    for x, y in ((data.x_train, data.y_train), (data.x_valid, data.y_valid), (data.x_test, data.y_test)):
        assert all(f"/n0{label + 1}/" in path for path, label in zip(x.paths, y, strict=True))
    parts = [set(x.paths) for x in (data.x_train, data.x_valid)]
    assert not parts[0] & parts[1] and len(parts[0] | parts[1]) == 42
    (imagenet / "val" / "n03").rename(imagenet / "val" / "n04")
    loading.kept_arrays.cache_clear()
    with pytest.raises(ValueError, match="not whole"):
        datasets.load("imagenet")


def test_test_view_is_the_usual_one(imagenet):
    x = datasets.load("imagenet").x_test
    usual = torchvision.transforms.Compose(
        [
            torchvision.transforms.Resize(256),
            torchvision.transforms.CenterCrop(224),
            torchvision.transforms.PILToTensor(),
        ]
    )
    for path, view in zip(x.paths, np.asarray(x), strict=True):
        expected = usual(Image.open(path).convert("RGB")).numpy()
        # The longer side may be rounded to one pixel more, which moves the middle by half a pixel.
        assert np.abs(view.astype(int) - expected).mean() < 2


def test_crops_lie_inside_and_have_the_usual_area_and_ratio():
    rng = np.random.default_rng(0)
    areas, ratios = [], []
    for _ in range(2000):
        left, top, w, h = crop_box(400, 300, rng)
        assert left >= 0 and top >= 0 and left + w <= 400 and top + h <= 300
        areas.append(w * h / 120_000)
        ratios.append(w / h)
    assert AREA[0] * 0.97 < min(areas) < 0.1 and 0.9 < max(areas) <= 1
    assert RATIO[0] * 0.97 < min(ratios) < 0.78 and 1.28 < max(ratios) < RATIO[1] * 1.03
    assert crop_box(1000, 10, rng)[1:] == (0, 13, 10)  # none of ten fits: the largest in the middle


def test_training_views_depend_on_the_generator_alone(imagenet):
    x = datasets.load("imagenet").x_train
    parts = torch.arange(6).split(4)

    def views(seed):
        return np.concatenate(list(x.training_views(parts, torch.Generator().manual_seed(seed))))

    first = views(0)
    assert first.shape == (6, 3, 224, 224) and first.dtype == np.uint8
    assert np.array_equal(first, views(0)) and not np.array_equal(first, views(1))


def test_split_has_every_image_once_and_finishes_each_batch(imagenet):
    x = datasets.load("imagenet").x_test
    seen = list(x.finished_by(lambda batch: batch[:, 0, 0, 0]).split(4))
    assert [len(part) for part in seen] == [4, 2]
    assert np.array_equal(np.concatenate(seen), np.asarray(x)[:, 0, 0, 0])
    assert list(x[:0].split(4)) == [] and np.asarray(x[:0]).shape == (0, 3, 224, 224)


def test_damaged_image_is_named(imagenet):
    data = datasets.load("imagenet")
    path = data.x_test.paths[0]
    with open(path, "wb") as file:
        file.write(b"no image")
    with pytest.raises(ValueError, match="n01_0.JPEG is not a sound image"):
        next(data.x_test.split(2))


@pytest.mark.parametrize("method", ["fmfp", "cs_kd"])
def test_run_trains_on_images_on_disk_and_resumes_to_the_same_bits(imagenet, method, monkeypatch):
    monkeypatch.setattr(image_files, "SIZE", 32)  # quicker
    monkeypatch.setattr(image_files, "RESIZED", 36)
    settings = Settings(
        dataset="imagenet", method=method, train_size=20, test_size=6, batch_size=8, epochs=3, device="cpu"
    )
    whole = Run(settings)
    whole.fit(progress=False)
    cut = Run(settings)
    for _ in range(2):
        cut.train_epoch()
    cut.checkpoint()
    again = Run(settings)
    again.resume()
    assert again.epoch == 2
    again.fit(progress=False)
    logits = [run.logits(run.finished_model(), run.x_test) for run in (whole, again)]
    assert np.array_equal(*logits) and logits[0].shape == (6, 3)
    again.checkpoint_path.unlink()
    record = train(settings, progress=False)
    assert record.valid_logits.shape == (4, 3) and np.allclose(record.logits, logits[0], atol=0.01)


def test_views_are_normalised_with_imagenets_mean_and_std(imagenet):
    run = Run(Settings(dataset="imagenet", train_size=20, test_size=6, device="cpu"))
    part = next(run.x_test.split(3))
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    expected = (torch.from_numpy(np.asarray(run.data.x_test[:3])) / 255 - mean) / std
    assert torch.allclose(part, expected, atol=1e-5)


def test_paper_scale_takes_the_size_of_the_data_set():
    assert Settings(dataset="imagenet", scale="paper").complete().train_size == 1_153_051
    tiny = Settings(dataset="tiny_imagenet", scale="paper").complete()
    assert (tiny.train_size, tiny.test_size, tiny.epochs, tiny.network) == (90_000, 10_000, 90, "resnet18_s2")
    assert Settings(dataset="cifar10", scale="paper").complete().train_size == 45_000
    assert Settings(dataset="tiny_imagenet", scale="smoke").complete().train_size == 256
    assert Settings(dataset="imagenet", scale="smoke").complete().network == "preact_resnet8_w8_s2"
