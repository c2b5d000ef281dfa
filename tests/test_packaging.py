"""The conda file and the package ask for the same things, and the pinned packages run on the oldest Python promised."""

import tomllib
from importlib.metadata import distributions
from pathlib import Path

import yaml
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent


def test_environment_yml_agrees_with_pyproject():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    conda = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    by_pip = next(entry["pip"] for entry in conda if isinstance(entry, dict))
    assert set(by_pip) - {"-e ."} == set(project["dependencies"])
    assert f"python{project['requires-python']}" in conda


def test_every_folder_of_the_library_is_packaged():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    folders = {".".join(p.parent.relative_to(ROOT).parts) for p in (ROOT / "fmfp_lib").rglob("__init__.py")}
    mapped = project["tool"]["setuptools"]["package-dir"]
    assert set(project["tool"]["setuptools"]["packages"]) == folders | set(mapped)


def test_every_pinned_package_runs_on_the_first_python_of_3_11():
    # Debian 12 has 3.11.2; a package that wants 3.11.5 would end `make` there with a conflict that names nothing.
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    pinned = {(canonicalize_name(name), version) for name, _, version in (line.partition("==") for line in lines)}
    # What is installed in another version, where the pins were not used, says nothing of them.
    here = [d for d in distributions() if (canonicalize_name(d.name), d.version) in pinned]
    assert len(here) > 50
    assert [d.name for d in here if "3.11.0" not in SpecifierSet(d.metadata.get("Requires-Python", ""))] == []
