"""The training loops of the book's methods page are run as they stand, and end where the library's loop ends."""

import copy
import re
from pathlib import Path

import pytest
import torch

from fmfp_lib import objectives
from fmfp_lib.settings import Settings
from fmfp_lib.training import SAM, Run, frozen_batch_norm_statistics

PAGE = Path(__file__).resolve().parent.parent / "book" / "methods.md"
FMFP, CRL, ACCELERATE = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture(autouse=True)
def own_records(tmp_path, monkeypatch):
    monkeypatch.setenv("FMFP_RECORDS", str(tmp_path))


class Loader:
    """The batches that a run would see, as a DataLoader gives them."""

    def __init__(self, run):
        self.run, self.generator = run, torch.Generator().manual_seed(run.settings.seed)

    def __len__(self):
        return -(-len(self.run.x_train) // self.run.settings.batch_size)

    def __iter__(self):
        return ((x, y) for x, y, _ in self.run.images.batches(self.generator))


def test_fmfp_in_a_loop_of_ones_own_ends_where_the_librarys_ends():
    run = Run(Settings(method="fmfp", epochs=5, train_size=130, test_size=40, device="cpu"))
    names = {"model": copy.deepcopy(run.model), "loader": Loader(run), "epochs": 5}
    names["model"].train()
    exec(FMFP, names)
    while run.epoch < 5:
        run.train_epoch()
    assert names["average"].n_averaged == 2
    pairs = zip(names["average"].module.parameters(), run.average.module.parameters(), strict=True)
    assert all(torch.equal(mine, other) for mine, other in pairs)
    assert names["average"].module.norm.running_mean.abs().sum() > 0


def test_the_loop_is_as_short_as_promised():
    loop = FMFP[FMFP.index("method, settings") :]
    assert 15 <= len(loop.splitlines()) <= 20


def test_crl_in_a_loop_of_ones_own():
    torch.manual_seed(0)
    names = {"torch": torch, "training_set": range(20), "model": torch.nn.Linear(4, 3), "x": torch.randn(5, 4)}
    names |= {"y": torch.tensor([0, 1, 2, 0, 1]), "index": torch.arange(3, 8)}
    exec(CRL, names | vars(objectives), found := {})
    hits = found["z"].argmax(1) == names["y"]
    assert found["counts"].tolist() == [0] * 3 + hits.float().tolist() + [0] * 12
    assert 0 < hits.sum() < 5 and torch.isfinite(found["loss"])


def test_sam_in_accelerates_loop_takes_the_same_steps():
    pytest.importorskip("accelerate")
    torch.manual_seed(0)
    loader = [(torch.randn(6, 4), torch.arange(6) % 3) for _ in range(3)]
    first = torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.BatchNorm1d(5), torch.nn.Linear(5, 3))
    ends = []
    plain = re.sub(r"accelerator\.backward\((.*)\)", r"\1.backward()", ACCELERATE[ACCELERATE.index("for x, y") :])
    for code in (ACCELERATE, plain):
        model = copy.deepcopy(first)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        names = {"model": model, "optimizer": optimizer, "loader": loader, "sam": SAM(optimizer, rho=0.05)}
        names |= {"SAM": SAM, "frozen_batch_norm_statistics": frozen_batch_norm_statistics}
        exec(code, names | vars(objectives))
        ends.append(model)
    pairs = list(zip(ends[0].parameters(), ends[1].parameters(), strict=True))
    assert all(torch.equal(a, b) for a, b in pairs)
    assert not torch.equal(ends[0][0].weight, first[0].weight)
