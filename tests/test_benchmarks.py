"""The plain references of the harness compute what the library computes; nothing here is timed."""

import copy
import json
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from benchmarks import bench, plain_metrics
from benchmarks.plain_training import CloningSAM, Images
from fmfp_lib import cost, datasets, metrics
from fmfp_lib.book import figures, rungs, speed
from fmfp_lib.settings import Settings
from fmfp_lib.training import SAM


@pytest.mark.parametrize("k", [2, 30])
def test_plain_metrics_are_the_same_metrics(k):
    logits, labels = bench.classifier(400, k)
    plain = plain_metrics.evaluate(metrics.softmax(logits), logits, labels)
    found = metrics.evaluate(logits, labels)
    assert len(plain) == 10 and plain == pytest.approx({name: found[name] for name in plain}, abs=1e-12)


def test_plain_sam_takes_the_same_step():
    torch.manual_seed(0)
    model = torch.nn.Linear(5, 3)
    x, y = torch.randn(8, 5), torch.arange(8) % 3
    ends = []
    for kind in (CloningSAM, SAM):
        copied = copy.deepcopy(model)
        options = dict(lr=0.1, momentum=0.9)
        if kind is SAM:
            sam = SAM(torch.optim.SGD(copied.parameters(), **options), 0.05)
        else:
            sam = CloningSAM(copied.parameters(), 0.05, **options)
        for _ in range(3):
            F.cross_entropy(copied(x), y).backward()
            sam.first_step()
            F.cross_entropy(copied(x), y).backward()
            sam.second_step()
            copied.zero_grad()
        ends.append(copied.weight)
    assert torch.allclose(*ends) and not torch.allclose(ends[0], model.weight)


def test_plain_images_are_cropped_from_the_same_normalised_ones():
    data = datasets.load("embedded", 4, 1)
    images = Images(data.x_train, data.y_train, data.mean.tolist(), data.std.tolist())
    black, original = -data.mean / data.std, (data.x_train[0] / 255 - data.mean) / data.std
    x, y = images[0]
    assert y == data.y_train[0] and x.shape == (1, 28, 28)
    values = np.append(original, black)
    assert (np.abs(x.numpy().ravel()[:, None] - values).min(1) < 1e-5).all()


def test_turns_are_taken_in_turn_and_the_first_does_not_count(monkeypatch):
    now, order = [0.0], []
    monkeypatch.setattr(bench, "_clock", lambda: now[0])

    def call(name, seconds):
        def spend():
            order.append(name)
            now[0] += seconds.pop(0)

        return spend

    calls = {"a": call("a", [9.0, 1.0, 2.0, 7.0]), "b": call("b", [9.0, 4.0, 4.0, 4.0])}
    found = bench.turns(3, **calls, elsewhere=lambda: bench.Seconds(5))
    assert found == {"a": 2.0, "b": 4.0, "elsewhere": 5.0} and "".join(order) == "abababab"


def test_numbers_of_one_device_stay_when_the_other_is_measured(tmp_path):
    path = tmp_path / "benchmarks.json"
    about = dict(device="x", cores=2, threads=2, versions={"torch": "2"}, repeats=5, clock="wall", date="d", load=0)
    own = bench.row("Training: a", "net", 10.0, 25.0, "images/s", 2.5, "≥ 2")
    bench.write(path, "cpu", about | {"rows": [own, bench.row("Starting", "python", None, 0.05, "s", None)]})
    text = speed.speed(json.loads(path.read_text())).replace("\u00a0", " ")
    assert "| net | 10.0 images/s | 25.0 images/s | 2.50 | ≥ 2 |\n" in text
    assert "|  | here |\n" in text and "| python | 0.0500 s |\n" in text  # columns without a number are left out
    bench.write(path, "cuda", about | {"rows": [own | {"ratio": 3.25}]})
    assert "| 2.50 | ≥ 2 | 3.25 |" in speed.speed(json.loads(path.read_text())).replace("\u00a0", " ")
    bench.write(path, "cuda", about | {"rows": [bench.row("On a GPU: b", "net", 2.0, 8.0, "images/s", 4.0)]})
    assert "| net | 2.00 images/s | 8.00 images/s | 4.00 |" in speed.speed(json.loads(path.read_text())).replace(
        "\u00a0", " "
    )


def test_every_group_runs_small(monkeypatch):
    rows = [*bench.measure_metrics(1, True), *bench.measure_scikit_learn(1, True), *bench.measure_starting(1, True)]
    assert all(row["own"] > 0 for row in rows)
    assert {row["what"] for row in rows} >= {"1,000 samples, 10 classes", "AUROC", "`fmfp --help`"}


@pytest.mark.filterwarnings("ignore:This DataLoader")
def test_training_and_prices_run_small(monkeypatch, tmp_path):
    monkeypatch.setenv("FMFP_RECORDS", str(tmp_path))
    monkeypatch.setattr(bench, "NETWORKS", {"preact_resnet8_w8_s2": ("cifar", 130)})
    run = bench._run("preact_resnet8_w8_s2", "sam", "cpu", tmp_path)
    assert run.x_train.shape == (130, 3, 32, 32)
    plain = bench._plain("preact_resnet8_w8_s2", True, "cpu", run.data)
    before = plain.model.classifier.weight.detach().clone()
    loss, accuracy = plain.epoch()
    assert np.isfinite(loss) and 0 <= accuracy <= 1 and not torch.equal(before, plain.model.classifier.weight)
    prices = list(bench.measure_prices(1, True, "cpu", tmp_path))
    assert [row["what"] for row in prices][:4] == ["`sam`", "`sam_k2`", "`sam_k5`", "`sam_bn`"]
    (layout,) = bench.measure_layout(1, True, "cpu")
    assert layout["what"] == "`preact_resnet110`" and layout["ratio"] == pytest.approx(layout["own"] / layout["other"])


def test_what_pays_on_a_gpu_runs_small(monkeypatch, tmp_path):
    monkeypatch.setenv("FMFP_RECORDS", str(tmp_path))
    monkeypatch.setattr(bench, "NETWORKS", {"preact_resnet8_w8_s2": ("cifar", 130)})
    compiled, plain = [], torch.nn.Module.compile
    monkeypatch.setattr(torch.nn.Module, "compile", lambda m: (compiled.append(m), plain(m, backend="aot_eager")))
    asked = []
    monkeypatch.setattr(bench, "_side_by_side", lambda *words: asked.append(words) or 10.0 * words[0])
    rows = list(bench.measure_gpu(1, True, "cpu", tmp_path))
    assert [row["unit"] for row in rows] == ["images/s"] * 2 and len(compiled) == 1 and rows[0]["ratio"] > 0
    assert asked == [(1, 1, 5, "cpu"), (2, 1, 5, "cpu")] and rows[1]["ratio"] == 2


def test_the_committed_measurements_hold_what_the_page_needs():
    expected = {
        "Metrics",
        "Bootstrap",
        "Training",
        "Where the time goes",
        "Prices",
        "Layout",
        "Grid",
        "Starting, without torch",
    }
    assert {row["group"].split(":")[0] for row in speed.measured("")} == expected
    assert set(speed.sam_prices()) == {"all", "batch_norm"}
    assert speed.measured("Nothing") == [] and speed.measured("Grid", "cuda") == []


def test_relative_cost_follows_the_steps():
    methods = ("baseline", "sam", "sam_k2", "sam_bn", "fmfp_k2")
    settings = {m: Settings(method=m, epochs=10, device="cpu") for m in methods}
    found = {m: cost.relative(s) for m, s in settings.items()}
    assert found == pytest.approx({"baseline": 1, "sam": 2, "sam_k2": 1.5, "sam_bn": 5 / 3, "fmfp_k2": 1.2})
    assert cost.relative(settings["sam_bn"], {"all": 2.1, "batch_norm": 1.6}) == pytest.approx(1.6)


def test_cost_against_benefit_shows_what_has_records():
    labels = np.arange(200) % 10

    def record(method, seed):
        rng = np.random.default_rng([seed, method == "sam"])
        logits = rng.normal(size=(200, 10)) + 2 * np.eye(10)[labels]
        settings = Settings(method=method, seed=seed, epochs=10, device="cpu").complete()
        return SimpleNamespace(settings=settings, logits=logits, labels=labels)

    records = [record(m, s) for m in ("baseline", "sam") for s in (0, 1)]
    assert [t.get_text() for t in figures.cost_benefit(records).axes[0].texts] == ["SAM", "baseline"]
    assert [t.get_text() for t in figures.cost_benefit([]).axes[0].texts] == ["baseline"]


def test_caption_of_cost_against_benefit_counts_the_seeds():
    runs = replace(rungs.CLASS, methods=figures.CHEAPER).runs()
    whole, variants = ({len(own) for m, own in runs.items() if ("_" in m) is side} for side in (False, True))
    page = " ".join((bench.ROOT / "book" / "speed.md").read_text().split())
    said = (
        f"PreAct-ResNet-8 on Fashion-MNIST, {whole.pop()} seeds of SWA, SAM and FMFP, {variants.pop()} of the variants."
    )
    assert not whole and not variants and said in page
    assert f"only the seeds that decide ({len(rungs.CLASS.deciding.seeds)})" in page


def test_wrong_device_is_refused_in_one_line():
    command = [sys.executable, "-m", "fmfp_lib.cli", "bench", "--device", "gpu"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 2 and "choose one of cpu, cuda" in result.stderr


def test_a_file_of_something_else_is_refused_before_the_work_and_kept(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text("[1, 2]")
    command = [sys.executable, "-m", "fmfp_lib.cli", "bench", "-o", str(path)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.returncode == 2 and "is no file of measurements" in result.stderr
    assert path.read_text() == "[1, 2]"
