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


def test_every_pinned_package_runs_on_the_first_python_of_3_11():
    # Debian 12 has 3.11.2; a package that wants 3.11.5 would end `make` there with a conflict that names nothing.
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    pinned = {canonicalize_name(line.split("==")[0]) for line in lines if "==" in line}
    wants = {canonicalize_name(d.name): d.metadata["Requires-Python"] or "" for d in distributions()}
    assert len(pinned & wants.keys()) > 100
    assert [name for name in pinned & wants.keys() if "3.11.0" not in SpecifierSet(wants[name])] == []
