"""A data set packed into parts comes out as it went in."""

import zipfile

import numpy as np
import pytest

from fmfp_lib import datasets
from fmfp_lib.cli import packing
from fmfp_lib.datasets import catalogue, readers


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A made-up CIFAR of 60 training and 20 test images in the folder of data."""
    monkeypatch.setenv("FMFP_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(packing, "SHEET", 16)
    monkeypatch.setattr(packing, "_SIDE", 4)
    rng = np.random.default_rng(0)

    def make(name, classes):
        arrays = [rng.integers(0, 256, (n, 3, 32, 32), np.uint8) for n in (60, 20)]
        labels = [rng.integers(0, classes, n) for n in (60, 20)]
        place = readers.folder() / packing.LAYOUTS[name]
        packing._write_binary(place, arrays[0], labels[0], arrays[1], labels[1])
        return place

    return make


@pytest.mark.parametrize(("name", "classes"), [("cifar10", 10), ("cifar100", 100)])
def test_what_is_packed_comes_out_byte_for_byte(small, tmp_path, monkeypatch, name, classes):
    place = small(name, classes)
    before, files = catalogue.CATALOGUE[name].read(), {p.name: p.read_bytes() for p in place.iterdir()}
    parts = packing.pack(name, tmp_path / "parts", limit=120_000)
    assert len(parts) > 1 and all(p.stat().st_size <= 120_000 for p in parts)
    monkeypatch.setenv("FMFP_DATA", str(tmp_path / "other"))
    there = packing.unpack(reversed(parts))
    assert there == datasets.folder() / place.name and {p.name: p.read_bytes() for p in there.iterdir()} == files
    for a, b in zip(before, catalogue.CATALOGUE[name].read(), strict=True):
        assert a.dtype == b.dtype and np.array_equal(a, b)
    with pytest.raises(ValueError, match="is there already"):
        packing.unpack(parts)


def test_parts_that_are_missing_damaged_or_mixed_are_named(small, tmp_path, monkeypatch):
    small("cifar10", 10)
    parts = packing.pack("cifar10", tmp_path / "a", limit=120_000)
    small("cifar100", 100)
    other = packing.pack("cifar100", tmp_path / "b", limit=120_000)
    monkeypatch.setenv("FMFP_DATA", str(tmp_path / "new"))
    with pytest.raises(ValueError, match="training|train images are there; give all parts of cifar10"):
        packing.unpack(parts[:1])
    with pytest.raises(ValueError, match="belong to 2 data sets"):
        packing.unpack([*parts, *other])
    for told in ("{}", "[]"):
        with zipfile.ZipFile(tmp_path / "foreign.zip", "w") as archive:
            archive.writestr("about.json", told)
        with pytest.raises(ValueError, match="is no part that .* says other things"):
            packing.unpack([tmp_path / "foreign.zip"])
    parts[0].write_bytes(b"<html>")
    with pytest.raises(ValueError, match="is no part that"):
        packing.unpack(parts)
    assert not (tmp_path / "new" / "cifar-10-batches-bin").exists()


def test_what_cannot_be_packed_is_refused_in_one_line(small, tmp_path):
    with pytest.raises(ValueError, match="choose one of cifar10, cifar100"):
        packing.pack("embedded", tmp_path)
    with pytest.raises(ValueError, match="fmfp data get cifar10"):
        packing.pack("cifar10", tmp_path)
    small("cifar10", 10)
    with pytest.raises(ValueError, match="one sheet of 16 images alone takes"):
        packing.pack("cifar10", tmp_path / "c", limit=1000)
