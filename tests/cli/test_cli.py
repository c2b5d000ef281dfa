"""The command line as its user meets it."""

import io
import json
import subprocess
import sys
import time
from unittest import mock

import nbformat
import pytest

from fmfp_lib import cli


def fmfp(*words, **options):
    return subprocess.run([sys.executable, "-m", "fmfp_lib.cli", *words], capture_output=True, text=True, **options)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["train", "--method", "fmpf"], "did you mean 'fmfp'"),
        (["train", "--network", "resnet"], "preact_resnet110"),
        (["train", "--dataset", "mnist"], "embedded"),
        (["train", "--scale", "huge"], "'classroom'"),
        (["train", "--seed", "-1"], "greater than or equal to 0"),
        (["train", "--set", "rho=-1"], "greater than or equal to 0"),
        (["train", "--set", "roh=0.1"], "did you mean 'rho'"),
        (["train", "--set", "rho"], "NAME=VALUE is accepted"),
        (["train", "--set", "seed=1"], "no option of their own"),
        (["train", "--measure", "flat"], "flatness"),
        (["train", "--train-size", "99999"], "choose 1 to 9000"),
        (["run", "00_quickstart", "-p", "scael", "smoke"], "did you mean 'scale'"),
        (["run", "00_quickstart", "-p", "seeds", "three"], "must be a list"),
        (["run", "nothing"], "00_quickstart"),
        (["claims", "C16"], "C14, C15; did you mean"),
    ],
)
def test_wrong_value_gets_one_line_that_names_the_choices(words, expected):
    result = fmfp(*words)
    assert result.returncode == 2
    assert expected in result.stderr and len(result.stderr.strip().splitlines()) == 1


def test_train_prints_json(monkeypatch, tmp_path):
    monkeypatch.setenv("FMFP_RECORDS", str(tmp_path))
    more = ["--set", "rho=0.1", "--set", "batch_size=64"]
    result = fmfp("train", "--method", "fmfp", "--seed", "3", *more, "--json", check=True)
    content = json.loads(result.stdout)
    assert [content["settings"][name] for name in ("seed", "rho", "batch_size")] == [3, 0.1, 64]
    assert 0 <= content["metrics"]["accuracy"] <= 1


def test_help_names_every_measure():
    from fmfp_lib.measures import MEASURES

    help_text = " ".join(fmfp("train", "--help", check=True).stdout.replace("│", " ").split())
    assert all(f" {name}" in help_text for name in MEASURES)


def test_data_lists_what_there_is_and_says_how_to_get_the_rest(monkeypatch, tmp_path):
    monkeypatch.setenv("FMFP_DATA", str(tmp_path))
    (tmp_path / "CIFAR-10-C").mkdir()
    lines = {line.split()[0]: line for line in fmfp("data", check=True).stdout.splitlines()}
    assert "ships with the library" in lines["embedded"] and str(tmp_path / "CIFAR-10-C") in lines["cifar10_c"]
    assert "170 MB" in lines["cifar10"] and "`fmfp data get cifar10`" in lines["cifar10"]
    assert fmfp("data", "get", "cifar10_c", check=True).stdout.strip() == str(tmp_path / "CIFAR-10-C")
    for words, expected in (
        (["data", "get", "imagenet"], "155 GB"),
        (["data", "get", "cifar"], "did you mean 'cifar10'"),
        (["train", "--dataset", "tiny_imagenet"], "248 MB"),
    ):
        result = fmfp(*words)
        assert result.returncode == 2 and expected in result.stderr and len(result.stderr.strip().splitlines()) == 1


def test_claims_print_a_table_and_json():
    table = fmfp("claims", "c14", check=True).stdout
    assert "C14" in table and "not testable here" in " ".join(table.split()).replace("│ ", "") and "Table 5" in table
    content = json.loads(fmfp("claims", "C6", "C13", "C15", "--json", "--replicates", "20", check=True).stdout)
    assert list(content) == ["C6", "C13", "C15"]
    for claim in content.values():
        assert claim["verdict"] and claim["evidence"][0]["seeds"] >= 3


def test_doctor_reports_a_speed():
    result = fmfp("doctor", "--seconds", "0.1", check=True)
    assert all(f"images/s, {network}" in result.stdout for network in ("preact_resnet8_w16_s2", "resnet9_w32"))
    assert "float32" in result.stdout and "torch" in result.stdout


def notebook_of(code, path):
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    cells = [nbformat.v4.new_code_cell(source) for source in code]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)


def test_a_notebook_that_fails_or_is_killed_leaves_no_file(tmp_path):
    notebook_of(["1 + 1", "{}['key']"], tmp_path / "fails.ipynb")
    result = fmfp("run", "fails.ipynb", cwd=tmp_path)
    assert result.returncode == 2 and result.stderr.endswith("fmfp: fails.ipynb failed in [2]: KeyError: 'key'\n")
    notebook_of(["open('started', 'w').close()", "import time; time.sleep(60)"], tmp_path / "sleeps.ipynb")
    process = subprocess.Popen([sys.executable, "-m", "fmfp_lib.cli", "run", "sleeps.ipynb"], cwd=tmp_path)
    while not (tmp_path / "started").exists():
        assert process.poll() is None
        time.sleep(0.1)
    process.kill()
    process.wait()
    assert {p.name for p in tmp_path.iterdir()} == {"fails.ipynb", "sleeps.ipynb", "started"}


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["claims", "C4"], "fmfp_lib.records.SHIPPED"),
        (["data"], "fmfp_lib.datasets.readers.EMBEDDED"),
        (["data", "get", "embedded"], "fmfp_lib.datasets.readers.EMBEDDED"),
        (["train"], "fmfp_lib.datasets.readers.EMBEDDED"),
        (["run", "00_quickstart"], "fmfp_lib.paths.ROOT"),
    ],
)
def test_what_ships_and_is_missing_is_named_in_one_line(words, what, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("FMFP_RECORDS", str(tmp_path / "own"))
    monkeypatch.setenv("FMFP_DATA", str(tmp_path))
    monkeypatch.setattr(what, tmp_path / "gone")
    monkeypatch.setattr(sys, "argv", ["fmfp", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr().err
    assert ended.value.code == 2 and str(tmp_path / "gone") in said and len(said.splitlines()) == 1


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "ascii"])
def test_every_sign_has_a_form_in_every_encoding(encoding):
    stream = io.TextIOWrapper(io.BytesIO(), encoding)
    with mock.patch.object(sys, "stdout", stream):
        cli.speak_any_encoding()
        print("\u22120.5 → 0.7 ± 0.1", end="")
        stream.flush()
    said = stream.buffer.getvalue().decode(encoding)
    assert said.startswith("-0.5 -> 0.7 ") and said.endswith(" 0.1") and "?" not in said


def saved(path, kernel, tags=()):
    kernelspec = {"name": kernel, "display_name": kernel, "language": "python"}
    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": kernelspec})
    notebook.cells = [nbformat.v4.new_code_cell("x = 1", metadata={"tags": list(tags)})]
    nbformat.write(notebook, path)
    return path


def test_a_notebook_of_another_kernels_name_runs_and_an_unknown_kernel_is_named(tmp_path):
    saved(tmp_path / "k.ipynb", "conda-env-x-py", ["parameters"])
    assert fmfp("run", "k.ipynb", "-p", "x", "2", cwd=tmp_path).returncode == 0
    found = fmfp("run", "k.ipynb", "-k", "gone", cwd=tmp_path)
    assert found.returncode == 2 and "there is no kernel 'gone'; choose one of" in found.stderr
    saved(tmp_path / "plain.ipynb", "python3")
    found = fmfp("run", "plain.ipynb", "-p", "x", "2", cwd=tmp_path)
    assert found.returncode == 2 and "has no cell tagged 'parameters'" in found.stderr
