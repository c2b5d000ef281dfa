"""A compiled run is the plain one, and can be measured like it. AOTAutograd alone: the front half of every back end."""

import numpy as np
import pytest
import torch
from torch._dynamo.utils import counters

from fmfp_lib import measures, records, training
from fmfp_lib.settings import Settings

TINY = dict(scale="smoke", network="preact_resnet8_w8_s2", train_size=130, test_size=64, epochs=3, device="cpu")
MEASURES = ("flatness", "trust_score", "confidnet", "mc_dropout")


@pytest.fixture
def compiled(monkeypatch, tmp_path):
    monkeypatch.setenv("FMFP_RECORDS", str(tmp_path))
    plain, calls = torch.nn.Module.compile, []

    def compile_(module):
        calls.append(module)
        plain(module, backend="aot_eager")

    monkeypatch.setattr(torch.nn.Module, "compile", compile_)
    return calls


@pytest.mark.parametrize(("method", "graphs"), [("baseline", 1), ("mixup", 1), ("fmfp", 2), ("cs_kd", 2)])
def test_training_is_compiled_once(method, graphs, compiled):
    # Once more for SAM's pass with frozen statistics, and for CS-KD's pass without gradients.
    torch._dynamo.reset()
    counters.clear()
    run = training.Run(Settings(**TINY, method=method, compile=True).complete())
    run.fit(progress=False)
    assert len(run.x_train) % run.settings.batch_size and len(compiled) == 1  # the last batch is smaller
    assert counters["stats"]["unique_graphs"] == graphs


@pytest.mark.parametrize("method", ["baseline", "fmfp"])
def test_a_compiled_run_is_the_plain_one_and_can_be_measured(method, compiled):
    found = {}
    for compiles in (False, True):
        settings = Settings(**TINY, method=method, compile=compiles)
        record = training.train(settings, force=True, progress=False, measures=MEASURES if compiles else ())
        found[compiles] = record.logits
    assert len(compiled) == 1
    np.testing.assert_allclose(found[True], found[False], rtol=1e-3, atol=1e-3)
    again = records.find(Settings(**TINY, method=method))  # compilation is no part of a run's name
    for name in MEASURES:
        assert all(np.isfinite(values).all() for values in measures.load(again, name).values()), name
