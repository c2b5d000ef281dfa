"""The grid: what is planned, in what order, and what is left out."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fmfp_lib import cli, grid, training
from fmfp_lib.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
SMOKE = ("scale=smoke", "networks=[]", "methods=[baseline,fmfp]", "seeds=[0]", "device=cpu")


def plan(*words, folder, profile="local", config=(), dry=True):
    """Run snakemake in the repository, its own notes and the records going to `folder`."""
    pytest.importorskip("snakemake")
    command = [sys.executable, "-m", "snakemake", "--profile", str(ROOT / "profiles" / profile), "--nolock"]
    command += ["--snakefile", str(ROOT / "Snakefile"), "--printshellcmds", *(["-n"] if dry else []), *words]
    command += ["--config", *config] if config else []
    environment = os.environ | {"FMFP_RECORDS": str(folder), "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment)


def jobs(result):
    """Return the number of runs that are to be trained."""
    assert result.returncode == 0, result.stderr
    return len(re.findall(r"^rule train_", result.stdout + result.stderr, re.M))


def grid_file(tmp_path, text):
    path = tmp_path / "grid.yml"
    path.write_text(text)
    return path


def test_the_runs_are_the_product_of_what_the_file_names(tmp_path):
    text = "{scale: smoke, datasets: [embedded], methods: [baseline, fmfp], seeds: [0, 1, 2], device: cpu}"
    path = grid_file(tmp_path, text)
    planned = grid.Grids.read(path)
    assert {(s.method, s.seed) for s in planned.runs()} == {(m, s) for m in ("baseline", "fmfp") for s in range(3)}
    assert grid.Grids.read(path, seeds=[7]).runs()[0].seed == 7
    assert [len(cell) for cell in planned.cells()] == [6]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{scale: smoke, datasets: [embedded], methods: [fmpf], seeds: [0]}", "did you mean 'fmfp'"),
        ("{scale: smoke, datasets: [mnist], methods: [fmfp], seeds: [0]}", "embedded"),
        ("{scale: smoke, datasets: [embedded], methods: [fmfp], seeds: [0], netwroks: []}", "did you mean 'networks'"),
        ("{scale: smoke, datasets: [embedded], methods: [fmfp], seeds: []}", "seeds"),
        ("{scale: huge, datasets: [embedded], methods: [fmfp], seeds: [0]}", "'classroom'"),
        ("[1, 2]", "scale, datasets"),
        ("{grids: [{scale: smoke, datasets: [embedded], methods: [fmfp], seeds: [0]}, 3]}", "list of such blocks"),
        ("{grids: []}", "list of such blocks"),
        ("{scale: smoke, datasets: [embedded], methods: [fmfp], seeds: [0], settings: {rho: -1}}", "rho"),
        ("{scale: smoke, datasets: [embedded], methods: [fmfp], seeds: [0], settings: {seed: 1}}", "seed: an entry"),
        ("{", "cannot read"),
    ],
)
def test_a_wrong_grid_gets_one_line_that_names_the_choices(text, expected, tmp_path):
    with pytest.raises(ValueError, match=expected) as caught:
        grid.Grids.read(grid_file(tmp_path, text))
    assert "grid.yml" in str(caught.value) and "\n" not in str(caught.value)


def test_a_file_of_several_blocks_names_each_run_once(tmp_path):
    block = "{scale: smoke, datasets: [embedded], methods: [baseline], seeds: [0, 1], settings: {padding: 0}}"
    other = block.replace("0, 1", "1, 2").replace("padding: 0", "padding: 0, epochs: 2")
    planned = grid.Grids.read(grid_file(tmp_path, f"grids: [{block}, {other}]"))
    assert [s.seed for s in planned.runs()] == [0, 1, 2] and {s.padding for s in planned.runs()} == {0}
    assert [len(cell) for cell in planned.cells()] == [3]


def test_the_command_trains_the_run_that_it_is_named_after(monkeypatch):
    seen = []
    monkeypatch.setattr(training, "train", lambda settings, **_: seen.append(settings) or exit())
    for settings in (
        Settings(dataset="cifar10", network="densenet", method="mixup+fmfp", scale="paper", seed=3, device="cpu"),
        Settings(scale="classroom", protocol="code", device="cpu"),
        Settings(scale="smoke", padding=0, epochs=7, epsilon=0.1, compile=True, device="cpu"),
    ):
        words = grid.command(settings, 1).split()
        CliRunner().invoke(cli.app, words[words.index("train") :])
        assert seen.pop().hash() == settings.hash()


def test_swa_and_fmfp_wait_for_the_unfinished_baseline_in_the_papers_protocol_alone():
    def named(**values):
        settings = Settings(scale="smoke", device="cpu", **values)
        return settings.hash(), settings

    unfinished = dict([named(method="baseline", seed=1), named(method="mixup"), named(method="fmfp", seed=1)])
    assert grid.waits_for(named(method="fmfp", seed=1)[1], unfinished) == [named(method="baseline", seed=1)[0]]
    assert grid.waits_for(named(method="mixup+swa")[1], unfinished) == [named(method="mixup")[0]]
    for values in (dict(method="swa"), dict(method="sam", seed=1), dict(method="fmfp", seed=1, protocol="code")):
        assert grid.waits_for(named(**values)[1], unfinished) == []


def test_a_request_is_enough_for_the_dearest_method_and_grows_with_the_network():
    def runs(network, *methods):
        return [Settings(dataset="cifar10", scale="paper", network=network, method=m, device="cuda") for m in methods]

    small, plain, both = (
        grid.request(r, 1e13)
        for r in (runs("resnet18", "sam"), runs("wideresnet", "baseline"), runs("wideresnet", "baseline", "sam"))
    )
    assert small["runtime"] < plain["runtime"] < both["runtime"]
    assert both["runtime"] - 10 == pytest.approx(2 * (plain["runtime"] - 10), abs=2)
    assert grid.request(runs("resnet18", "sam"), 5e12)["runtime"] == pytest.approx(2 * small["runtime"] - 10, abs=2)


def test_the_grid_trains_what_has_no_record_and_fmfp_after_the_baseline(tmp_path):
    before = plan(folder=tmp_path, config=SMOKE)
    assert jobs(before) == 2
    text = before.stdout + before.stderr
    assert text.index("fmfp_lib.cli train --threads 1 --device cpu >") < text.index("--method fmfp")

    baseline = [word.replace("baseline,fmfp", "baseline") for word in SMOKE]
    one = plan(folder=tmp_path, config=baseline, dry=False)
    assert one.returncode == 0, one.stderr
    assert len(list(tmp_path.glob("*.json"))) == len(list(tmp_path.glob("logs/*.log"))) == 1
    assert jobs(plan(folder=tmp_path, config=SMOKE)) == 1


def test_a_record_that_comes_with_the_repository_is_no_job(tmp_path):
    shipped = ("scale=classroom", "networks=[]", "methods=[baseline,swa]", "device=cpu")
    assert jobs(plan(folder=tmp_path, config=("seeds=[0,1]", *shipped))) == 0
    assert jobs(plan(folder=tmp_path, config=("seeds=[0,1,999]", *shipped))) == 2


def test_on_slurm_each_run_asks_for_a_gpu_memory_and_time(tmp_path):
    config = ("scale=paper", "datasets=[cifar10]", "networks=[resnet18,vgg16]", "methods=[baseline,sam]", "seeds=[0,1]")
    # Newer releases of Snakemake plan (-n) as if there were one core, unless told otherwise.
    result = plan("--cores", "4", folder=tmp_path, profile="slurm", config=config)
    assert jobs(result) == 8
    text = result.stdout + result.stderr
    requests = re.findall(r"resources: .*mem_mb=(\d+),.* gpu=1, runtime=(\d+)", text)
    assert len(requests) == 8 and len({minutes for _, minutes in requests}) == 2
    assert text.count("--device cuda") == 8 and text.count("--threads 4") == 8


def test_a_wrong_name_stops_snakemake_with_one_line(tmp_path):
    result = plan(folder=tmp_path, config=("methods=[fmpf]",))
    assert result.returncode != 0
    assert [line for line in result.stderr.splitlines() if "fmpf" in line][0].startswith("fmfp: ")
    assert "Traceback" not in result.stderr and result.stderr.count("did you mean") == 1
