"""A wheel, installed away from the checkout, finds its data, records and notebooks; nothing is written into it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Return the folder that a wheel of this checkout is installed into; what it needs is found where the tests run."""
    source, wheels, target = (tmp_path_factory.mktemp(name) for name in ("source", "wheels", "target"))
    shutil.copy(ROOT / "pyproject.toml", source)
    for name in ("fmfp_lib", "data", "notebooks"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", str(wheels), str(source)], check=True)
    (wheel,) = wheels.iterdir()
    subprocess.run([*pip, "install", "--no-deps", "--no-compile", "--target", str(target), str(wheel)], check=True)
    return target


@pytest.fixture
def run(installed, tmp_path):
    """Return a function that runs `fmfp` in an empty folder, and afterwards see that the package is untouched."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("FMFP_")} | {
        "PYTHONPATH": str(installed),
        "XDG_DATA_HOME": str(tmp_path / "home"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    (tmp_path / "work").mkdir()
    before = {p: p.stat().st_mtime_ns for p in installed.rglob("*")}

    def fmfp(*words):
        command = [sys.executable, "-m", "fmfp_lib.cli", *words]
        result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path / "work", env=environment)
        assert result.returncode == 0, result.stderr
        return result.stdout

    yield fmfp
    assert {p: p.stat().st_mtime_ns for p in installed.rglob("*")} == before


def test_all_that_ships_is_inside(installed):
    assert (installed / "bin" / "fmfp").exists() or sys.platform == "win32"
    for place in ("data", "notebooks"):
        for path in (ROOT / place).rglob("[!.]*.*"):
            inside = installed / "fmfp_lib" / path.relative_to(ROOT)
            assert inside.exists() or path.suffix == ".log" or path.parent.name.startswith("."), path


def test_a_shipped_record_is_found_and_a_new_one_goes_to_the_user(run, installed, tmp_path):
    shipped = Path(json.loads(run("train", "--scale", "classroom", "--json"))["path"])
    assert shipped.parent == installed / "fmfp_lib" / "data" / "records"
    new = Path(json.loads(run("train", "--json"))["path"])
    assert new.parent == tmp_path / "home" / "fmfp" / "records" and new.exists()
    assert not list((tmp_path / "work").iterdir())


def test_claims_have_their_evidence(run):
    claim = json.loads(run("claims", "C6", "--replicates", "50", "--json"))["C6"]
    assert claim["verdict"] != "not testable here" and claim["evidence"]


def test_a_notebook_runs_by_its_name(run, tmp_path):
    assert run("run", "00_quickstart", "-p", "seeds", "[0]") == "00_quickstart.out.ipynb\n"
    assert [p.name for p in (tmp_path / "work").iterdir()] == ["00_quickstart.out.ipynb"]


def test_data_and_doctor(run, installed):
    assert "ships with the library" in run("data")
    assert run("data", "get", "embedded") == f"{installed / 'fmfp_lib' / 'data' / 'fashion_mnist.npz'}\n"
    assert f"{installed / 'fmfp_lib' / 'data' / 'records'} (" in run("doctor", "--seconds", "0")


def test_predictions_of_any_model_become_a_page(run, tmp_path):
    (tmp_path / "mine.csv").write_text("confidence,correct\n" + "0.9,1\n0.8,1\n0.6,0\n0.7,1\n" * 10)
    run("evaluate", str(tmp_path / "mine.csv"), "--html", "page.html", "--replicates", "20")
    assert "</html>" in (tmp_path / "work" / "page.html").read_text("utf-8")
