"""A reader's own data set is what its file contains, not where it lies."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from fmfp_lib import datasets, records, training
from fmfp_lib.datasets import own
from fmfp_lib.settings import Settings


def write(path, seed=0, labels=None):
    rng = np.random.default_rng(seed)
    y = np.arange(80) % 2 if labels is None else labels
    x = (rng.integers(0, 60, (80, 8, 8)) + 150 * (np.arange(80) % 2)[:, None, None]).astype(np.uint8)
    np.savez(path, x_train=x, y_train=y, x_test=x[:20], y_test=y[:20])


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    monkeypatch.setenv("FMFP_RECORDS", str(tmp_path / "records"))
    for name in "ab":
        (tmp_path / name).mkdir()
    return tmp_path


def train(dataset, **more):
    settings = dict(network="preact_resnet8_w8_s2", train_size=None, test_size=20, epochs=4, batch_size=16)
    return training.train(Settings(dataset=dataset, **settings | {"train_size": 40} | more), progress=False)


def test_one_relative_path_in_two_folders_is_two_data_sets(folders, monkeypatch):
    write(folders / "a" / "data.npz", labels=np.arange(80) % 2)
    write(folders / "b" / "data.npz", labels=(np.arange(80) // 2) % 2)
    found = []
    for name in "ab":
        monkeypatch.chdir(folders / name)
        found.append(train("data.npz"))
    assert found[0].path != found[1].path and not np.array_equal(found[0].logits, found[1].logits)
    assert all(json.loads(r.path.read_text())["data"] == own.checksum(r.settings.dataset) for r in found)


def test_one_file_by_any_path_is_one_data_set(folders, monkeypatch):
    monkeypatch.chdir(folders / "a")
    monkeypatch.setenv("HOME", str(folders))
    write("data.npz")
    write("MINE.NPZ.npz")
    (folders / "a" / "MINE.NPZ.npz").rename("MINE.NPZ")
    same = ["data.npz", "./data.npz", Path("data.npz"), str(folders / "a" / "data.npz"), "~/a/data.npz", "MINE.NPZ"]
    names = {Settings(dataset=path, train_size=40).hash() for path in same}
    assert len(names) == 1
    assert np.array_equal(datasets.load(Path("data.npz")).x_test, datasets.load("~/a/data.npz").x_test)
    os.rename("data.npz", folders / "moved.npz")
    assert Settings(dataset=str(folders / "moved.npz"), train_size=40).hash() in names


def test_a_changed_file_is_another_data_set_even_for_a_shared_checkpoint(folders):
    path = str(folders / "a" / "data.npz")
    write(path)
    before = train(path, epochs=10)  # leaves a checkpoint for SWA
    assert list((folders / "records").glob(".*.trunk"))
    write(path, seed=1, labels=(np.arange(80) // 2) % 2)
    swa = train(path, epochs=10, method="swa")
    assert records.find(Settings(dataset=path, train_size=40, test_size=20, epochs=10, batch_size=16,
                                 network="preact_resnet8_w8_s2").complete()) is None  # fmt: skip
    clean = folders / "clean"
    os.environ["FMFP_RECORDS"] = str(clean)
    assert np.array_equal(train(path, epochs=10, method="swa").logits, swa.logits)
    assert records.read(before.path).labels.tolist() == before.labels.tolist()  # the old record is still sound


def test_a_missing_file_is_named(folders):
    with pytest.raises(ValueError, match=r"no data set at .*gone\.npz; give a \.npz file"):
        train(str(folders / "gone.npz"))
    with pytest.raises(ValueError, match="no name and no path"):
        Settings(dataset=3)


def test_a_label_far_above_the_number_of_images_is_refused(folders):
    x = np.zeros((4, 8, 8), np.uint8)
    np.savez(folders / "a.npz", x_train=x, y_train=np.array([0, 1, 0, 2**32 - 1]), x_test=x, y_test=np.zeros(4, int))
    with pytest.raises(ValueError, match="the largest label is 4,294,967,295, for 4 training images"):
        datasets.load(folders / "a.npz")


def test_labels_that_leave_a_class_empty_are_named(folders):
    path = folders / "a" / "data.npz"
    write(path, labels=1 + np.arange(80) % 2)
    with pytest.warns(UserWarning, match="no training image has label 0; the network has 3 outputs"):
        datasets.load(path)
