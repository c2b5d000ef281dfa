"""A compiled run is the plain one, and can be measured like it. AOTAutograd alone: the front half of every back end."""

import numpy as np
import pytest
import torch
from torch._dynamo.utils import counters

from fmfp_lib import measures, records, training
from fmfp_lib.methods import METHODS
from fmfp_lib.settings import Settings

TINY = dict(scale="smoke", network="preact_resnet8_w8_s2", train_size=130, test_size=64, epochs=3, device="cpu")


def compile_by_aot(monkeypatch, folder):
    """Keep records in `folder` and compile by AOTAutograd alone; return the list of compiled networks."""
    monkeypatch.setenv("FMFP_RECORDS", str(folder))
    plain, calls = torch.nn.Module.compile, []

    def compile_(module):
        calls.append(module)
        plain(module, backend="aot_eager")

    monkeypatch.setattr(torch.nn.Module, "compile", compile_)
    return calls


@pytest.fixture
def compiled(monkeypatch, tmp_path):
    return compile_by_aot(monkeypatch, tmp_path)


@pytest.mark.parametrize(("method", "graphs"), [("baseline", 1), ("mixup", 1), ("fmfp", 2), ("cs_kd", 2)])
def test_training_is_compiled_once(method, graphs, compiled):
    # Once more for SAM's pass with frozen statistics, and for CS-KD's pass without gradients.
    torch._dynamo.reset()
    counters.clear()
    run = training.Run(Settings(**TINY, method=method, compile=True).complete())
    run.fit(progress=False)
    assert len(run.x_train) % run.settings.batch_size and len(compiled) == 1  # the last batch is smaller
    assert counters["stats"]["unique_graphs"] == graphs


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Train each method once, plainly and compiled, with every measure that it can have; return the records."""
    found = {}
    for method in ("baseline", "fmfp"):
        for compiles in (False, True):
            with pytest.MonkeyPatch.context() as patch:
                calls = compile_by_aot(patch, tmp_path_factory.mktemp("records"))
                settings = Settings(**TINY | {"epochs": 5}, method=method, compile=compiles)
                wanted = [name for name in measures.MEASURES if name != "swag" or METHODS[method].averaging == "swa"]
                record = training.train(settings, force=True, progress=False, measures=wanted)
                again = records.find(settings.model_copy(update={"compile": False}))  # no part of a run's name
                # SWAG trains once more.
                assert again.sha256 == record.sha256 and len(calls) == compiles * (1 + ("swag" in wanted))
                found[method, compiles] = record, {name: measures.load(again, name) for name in wanted}
    return found


@pytest.mark.parametrize("method", ["baseline", "fmfp"])
def test_a_compiled_run_is_the_plain_one(method, finished):
    (plain, _), (compiled, _) = finished[method, False], finished[method, True]
    np.testing.assert_allclose(compiled.logits, plain.logits, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("method", ["baseline", "fmfp"])
@pytest.mark.parametrize("name", measures.MEASURES)
def test_a_compiled_run_can_be_measured_like_the_plain_one(name, method, finished):
    plain, compiled = (finished[method, compiles][1].get(name) for compiles in (False, True))
    if plain is compiled is None:
        pytest.skip(f"{method} averages no weights, around which SWAG would draw")
    for key, values in plain.items():
        if values.dtype.kind == "f" and key != "cpu_seconds":
            assert np.isfinite(compiled[key]).all()
            np.testing.assert_allclose(compiled[key], values, rtol=0.05, atol=0.02, err_msg=key)
