"""Pages find the runs that they mean, whatever else lies in the folder of records."""

import json
from contextlib import contextmanager
from functools import lru_cache

import nbformat
import numpy as np
import pytest
import torch

from fmfp_lib import records
from fmfp_lib.book import claims, claims_pages, compare, evidence, explorer, figures, lookup, published, study, tables
from fmfp_lib.methods import METHODS
from fmfp_lib.paths import ROOT
from fmfp_lib.settings import Settings
from fmfp_lib.statistics import Comparison
from fmfp_lib.training import find_or_train

CLASSROOM = dict(scale="classroom", network="preact_resnet8_w16_s2")
TRIAL = dict(scale="paper", dataset="cifar10", network="preact_resnet110", epochs=1, train_size=128)
# What once changed a page: it let a method vanish, stood in for a missing seed, or was printed among the paper's cells.
OTHERS = {
    "another rho": [Settings(**CLASSROOM, method="fmfp", seed=3, rho=0.1)],
    "another batch size": [Settings(**CLASSROOM, method="fmfp", seed=4, batch_size=64)],
    "another device": [Settings(**CLASSROOM, method="fmfp", seed=seed, device="cuda") for seed in range(3, 8)],
    "a short trial": [Settings(**TRIAL, method=method) for method in ("baseline", "mixup", "fmfp")],
}
READ = lru_cache(records.read)


def save(*planned):
    """Write made-up records, worse than any that were trained."""
    rng = np.random.default_rng(0)
    for settings in planned:
        made_up = rng.normal(size=(50, 10)), rng.integers(0, 10, 50)
        records.save(settings, made_up, made_up, [{"epoch": 1, "test_auroc": 0.5, "test_accuracy": 0.1}], {})


@pytest.fixture(autouse=True)
def own_records(tmp_path, monkeypatch):
    monkeypatch.setenv("FMFP_RECORDS", str(tmp_path))
    return tmp_path


@contextmanager
def quick():
    """Read each file once, and let a comparison be a number that any change of its runs would change."""

    def compared(runs_a, runs_b, metrics, replicates):
        a, b = (sum(float(np.sum(part)) for run in runs for part in run) for runs in (runs_a, runs_b))
        return {m: Comparison(m, a, b, b - a, b - a - 1, b - a + 1, np.zeros(1)) for m in metrics}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "read", READ)
        patch.setattr(explorer, "run", lambda record: str(record.path))
        for name in ("compare_methods", "compare_scores"):
            patch.setattr(compare, name, compared)
        yield


def names_of(groups):
    return {(g.title, m): [str(r.path) for r in runs] for g in groups for m, runs in g.runs.items()}


def costs():
    figure = figures.cost_benefit(study.finished("classroom", ("baseline", "fmfp"))[0].records)
    return [line.get_xydata().tolist() for line in figure.axes[0].lines]


def side_by_side(table):
    groups, metrics = study.shown(METHODS), published.names.DISPLAY
    return published.side_by_sides(table, groups, values=lambda r: dict.fromkeys(metrics, r.logits.sum()))


PAGES = {
    "at a glance": tables.at_a_glance,
    "regime search": tables.regime_search,
    "protocols": tables.protocols,
    "costs": costs,
    "explorer": lambda: explorer.content(study.shown(METHODS)),
    "claims": lambda: claims_pages.plain(claims.evaluate(only=["C1", "C2", "C3", "C6", "C7", "C12"])),
    "claims of a notebook": lambda: names_of(claims.groups_of(study.Study.from_notebook({"scale": "classroom"}))),
    "Table 1": lambda: side_by_side("table1"),
    "Table 2": lambda: side_by_side("table2"),
    "figures without numbers": lambda: published.drawn_only(["baseline", "mixup"]),
}


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    """Every page, and the runs that are shown, while nothing lies in the folder."""
    with quick(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("FMFP_RECORDS", str(tmp_path_factory.mktemp("empty")))
        return {name: page() for name, page in PAGES.items()} | {"shown": names_of(claims.all_groups())}


def test_no_page_changes_for_what_else_lies_in_the_folder(before, own_records):
    save(*(settings for planned in OTHERS.values() for settings in planned))
    assert len(list(own_records.glob("*.json"))) == 10
    with quick():
        for name, page in PAGES.items():
            assert page() == before[name], name


@pytest.mark.parametrize("what", OTHERS)
def test_each_alone_changes_nothing_that_is_shown(before, what):
    save(*OTHERS[what])
    with quick():
        assert names_of(claims.all_groups()) == before["shown"]
        assert PAGES["Table 2"]() == before["Table 2"]
    assert len(before["shown"]["Fashion-MNIST, 9,000 images, PreAct-ResNet-8", "fmfp"]) == 8


def test_a_machine_with_a_gpu_finds_every_shipped_run_and_trains_nothing(monkeypatch, own_records):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(find_or_train, "Run", lambda settings: pytest.fail(f"would train {settings}"))
    for path in records.SHIPPED.glob("*.json"):
        settings = json.loads(path.read_text())["settings"] | {"device": "auto", "precision": "auto"}
        assert path.stem in (Settings(**settings).hash(), Settings(**settings).hash(1))
    methods = []
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = nbformat.read(notebook, as_version=4).cells
        (parameters,) = (c.source for c in cells if "parameters" in c.metadata.get("tags", []))
        values = {}
        exec(parameters, values)
        if "networks" in values:
            methods += values["methods"]
    groups = study.Study.from_notebook({"scale": "classroom", "methods": methods}).groups()
    assert len(groups) >= 3 and "sam" in groups[0].runs
    assert all(record.path.parent == records.SHIPPED for group in groups for record in group.records)
    assert not list(own_records.iterdir())


def test_a_method_that_lacks_seeds_is_named_and_not_shown(monkeypatch, own_records):
    monkeypatch.setattr(records, "SHIPPED", own_records)
    every = lookup.plan(["baseline", "fmfp", "sam"], range(5), dataset="embedded", **CLASSROOM)
    save(*every["baseline"], *every["fmfp"][1::2], Settings(**CLASSROOM, method="fmfp", batch_size=64))
    with pytest.warns(UserWarning) as said:
        assert list(lookup.whole(every)) == ["baseline"]
    assert [str(w.message) for w in said] == [
        "Fashion-MNIST, PreAct-ResNet-8: FMFP is not shown; missing seeds: 0, 2, 4"
    ]
    assert [r.settings.seed for r in lookup.trained(every)["fmfp"]] == [1, 3]


def test_missing_shipped_records_are_no_empty_book(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "SHIPPED", tmp_path / "nowhere")
    with pytest.raises(ValueError, match="nowhere, which comes with the library, is missing; install it again"):
        study.shown(["baseline"])


def test_two_records_of_one_method_and_seed_are_an_error_that_names_both(own_records):
    same = Settings(**CLASSROOM, method="fmfp"), Settings(**CLASSROOM, method="fmfp", rho=0.1)
    save(*same, Settings(**CLASSROOM))
    files = sorted(own_records.glob("*.json"))
    runs = [records.read(path) for path in files]
    both = [r for r in runs if r.settings.method == "fmfp"]
    group = study.Group("classroom", "embedded", CLASSROOM["network"], {"fmfp": both})
    for claimed in (
        lambda: compare.against_baseline(runs, ["fmfp"]),
        lambda: compare.method_pairs(runs, {"x": ("fmfp", "baseline")}),
        lambda: evidence.Runs(group),
        lambda: tables.metric_table(runs),
    ):
        with pytest.raises(ValueError, match="are both seed 0 of fmfp; keep one") as caught:
            claimed()
        assert all(str(r.path) in str(caught.value) for r in both)


def test_runs_are_paired_by_the_seeds_that_all_have():
    a, b, c = {3: "a3", 0: "a0", 1: "a1"}, {1: "b1", 3: "b3"}, {}
    assert compare.pair_by_seed(a, b) == [["a1", "a3"], ["b1", "b3"]]
    assert compare.pair_by_seed(a) == [["a0", "a1", "a3"]] and compare.pair_by_seed(a, c) == [[], []]
