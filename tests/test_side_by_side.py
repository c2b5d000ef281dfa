"""Several runs at once, and the plan for the paper's tables: each run is what it would be alone, killed or not."""

import json

import numpy as np
import pytest

from fmfp_lib import records, side_by_side, training
from fmfp_lib.cli import paper_plan
from fmfp_lib.cli.paper import paper
from fmfp_lib.errors import OutOfTime
from fmfp_lib.settings import Settings

TINY = dict(scale="smoke", network="preact_resnet8_w8_s2", train_size=64, test_size=64)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("FMFP_RECORDS", str(tmp_path / "together"))
    monkeypatch.setattr(records, "SHIPPED", tmp_path)
    return tmp_path


def alone(settings, folder, monkeypatch):
    """Train a run by itself, in another folder."""
    with monkeypatch.context() as patch:
        patch.setenv("FMFP_RECORDS", str(folder / "alone"))
        return training.train(settings, progress=False)


def test_runs_side_by_side_equal_single_runs(folder, monkeypatch):
    runs = [Settings(**TINY, method=m, seed=s) for m in ("fmfp", "baseline") for s in (0, 1)]
    side_by_side.train_all(runs, jobs=2, threads=1)
    for settings in runs:
        together, single = records.find(settings), alone(settings, folder, monkeypatch)
        assert np.allclose(together.logits, single.logits, 0, 1e-5)
    # FMFP waited for the baseline whose checkpoint it shares.
    stamps = {s.method: records.find(s).path.stat().st_mtime_ns for s in runs if s.seed == 0}
    assert stamps["baseline"] < stamps["fmfp"]
    side_by_side.train_all(runs, jobs=2, threads=1)  # nothing is left to do
    assert stamps["fmfp"] == records.find(runs[0]).path.stat().st_mtime_ns


def test_a_failed_run_is_named_and_the_others_finish(folder):
    good, bad = Settings(**TINY, seed=1), Settings(**TINY, learning_rate=1e30)
    with pytest.raises(ValueError, match=f"1 of 2 runs failed.*{bad.hash()}: fmfp: "):
        side_by_side.train_all([bad, good], jobs=2, threads=1)
    assert records.find(good) and not records.find(bad)


def test_the_plan_goes_on_where_its_last_half_hour_ended(folder, monkeypatch, capsys):
    runs = [Settings(**TINY, epochs=150, method="sam", seed=s) for s in (0, 1)]
    monkeypatch.setattr(paper_plan, "runs", lambda: runs)
    monkeypatch.setattr(side_by_side, "shares", lambda *_: (1, 1))
    options = dict(tflops=1e-6, jobs=1, device="cpu")  # so slow by the estimate that one run is enough
    paper(minutes=0.01, **options, dry_run=False)
    said = capsys.readouterr().out
    assert "0 of 2 runs of the paper's tables" in said and "1 cut off at a checkpoint" in said
    assert not records.find(runs[0]) and (records.folder() / f".{runs[0].hash()}.checkpoint").exists()
    planned = paper_plan.plan(10, 1e15)
    assert planned.chosen == runs and planned.left == planned.finished == 0
    paper(minutes=10, **options, dry_run=False)
    assert records.find(runs[0]) and "seed 0" in capsys.readouterr().out
    again = paper_plan.plan(10, 1e15)
    assert again.chosen == runs[1:] and again.finished == 1
    whole = alone(runs[0], folder, monkeypatch)
    assert np.allclose(records.find(runs[0]).logits, whole.logits, 0, 1e-5)


def test_the_most_valuable_runs_come_first(folder):
    runs = paper_plan.runs()
    assert len({s.hash() for s in runs}) == len(runs) == 2 * 8 * 10 * 3
    assert {s.network for s in runs[:30]} == set(paper_plan.NETWORKS[0])
    assert {s.dataset for s in runs[:240]} == {"cifar10"}
    assert [s.method for s in runs[:5]] == list(paper_plan.METHODS[0]) and {s.seed for s in runs[:10]} == {0}
    planned = paper_plan.plan(60, paper_plan.RATE)
    assert planned.chosen == runs[: len(planned.chosen)] and 1 <= len(planned.chosen) < 30
    used = sum(planned.minutes.values())
    assert used >= 60 > used - planned.minutes[planned.chosen[-1].hash()]
    measured = paper_plan.plan(600).minutes  # alone on an H100: 12 and 52 minutes, as the page on many runs says
    assert [round(measured[r.hash()]) for r in (runs[0], runs[5])] == [12, 52]
    begun = records.folder() / f".{runs[100].hash()}.checkpoint"
    begun.parent.mkdir(parents=True)
    begun.write_bytes(b"")
    assert paper_plan.plan(60).chosen[0] == runs[100]


def test_the_plan_takes_the_rates_that_a_benchmark_measured(monkeypatch, tmp_path):
    monkeypatch.setenv("FMFP_RECORDS", str(tmp_path))
    monkeypatch.setattr(paper_plan, "BENCHMARKS", tmp_path / "benchmarks.json")
    before = paper_plan.plan(600).minutes
    row = {"what": "`preact_resnet110`", "own": 2 * paper_plan.ALONE["preact_resnet110"] / 1e9, "unit": "GFLOP/s"}
    other = {"what": "`resnet18`", "own": 5.0, "unit": "images/s"}
    paper_plan.BENCHMARKS.write_text(json.dumps({"cuda": {"rows": [row, other]}}))
    after = paper_plan.plan(600).minutes
    twice = {s.hash() for s in paper_plan.runs() if s.network == "preact_resnet110"}
    assert {after[name] / before[name] for name in set(after) & set(before) - twice} == {1}
    assert [after[name] / before[name] for name in twice & set(after)] == pytest.approx([0.5] * len(twice & set(after)))
    assert twice & set(after)
    slow = [{"what": f"`{n}`", "own": rate / 4e9, "unit": "GFLOP/s"} for n, rate in paper_plan.ALONE.items()]
    paper_plan.BENCHMARKS.write_text(json.dumps({"cuda": {"rows": slow}}))
    assert paper_plan.together(paper_plan.rates()) == paper_plan.RATE / 4
    assert len(paper_plan.plan(600).chosen) < len(after) / 3


def test_jobs_and_threads_share_the_machine(monkeypatch):
    monkeypatch.setattr(side_by_side.os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    assert side_by_side.shares(3, "cpu") == (3, 2) and side_by_side.shares(20, "cpu") == (8, 1)
    assert side_by_side.shares(20, "cpu", threads=4) == (2, 4) and side_by_side.shares(20, "cuda") == (14, 1)
    assert side_by_side.shares(1, "cuda") == (1, 8)


def test_time_runs_out_at_a_checkpoint(folder):
    settings = Settings(**TINY, epochs=3)
    with pytest.raises(OutOfTime, match="baseline seed 0: epoch 1 of 3"):
        training.train(settings, progress=False, minutes=1e-9)
    with pytest.raises(OutOfTime, match="epoch 2 of 3"):
        training.train(settings, progress=False, minutes=1e-9)
    assert training.train(settings, progress=False, minutes=1e-9).history[-1]["epoch"] == 3
