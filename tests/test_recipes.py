"""The snippets of the page on other frameworks run as they stand, where the framework is installed."""

import re
from pathlib import Path

import numpy as np
import pytest

from fmfp_lib.prediction_files import read

PAGE = (Path(__file__).resolve().parent.parent / "book" / "recipes.md").read_text("utf-8")
SNIPPETS = {re.match(r"# (.*)\n", code)[1]: code for code in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)}
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(60, 5)).astype(np.float32), RNG.integers(0, 3, 60)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def run(name, **names):
    """Run a snippet with what it takes for given, and return its names."""
    exec(compile(SNIPPETS[name], name, "exec"), names)
    return names


def test_every_snippet_is_run_below():
    source = Path(__file__).read_text("utf-8")
    assert len(SNIPPETS) >= 8 and all(f'run("{name}"' in source for name in SNIPPETS)


def test_scikit_learn():
    from sklearn.linear_model import LogisticRegression

    y = np.array(["a", "b", "c"])[Y]
    model = LogisticRegression().fit(X, y)
    run("scikit-learn", model=model, X_test=X, y_test=y)
    assert read("sklearn.npz").correct.mean() == (model.predict(X) == y).mean()
    run("scikit-learn: a scorer", model=model, X=X, y=y)
    run("scikit-learn: make_scorer")


def batches():
    import torch

    return [(torch.tensor(X[i : i + 25]), torch.tensor(Y[i : i + 25])) for i in (0, 25, 50)]


def test_pytorch(capsys):
    import torch

    model = torch.nn.Linear(5, 3)
    run("PyTorch", model=model, loader=batches())
    found = read("torch.npz")
    assert found.kind == "logits" and len(found) == 60
    run("PyTorch: batch by batch", model=model, loader=batches(), torch=torch)
    assert f"'accuracy': {found.correct.mean()}" in capsys.readouterr().out


def test_lightning():
    lightning = pytest.importorskip("lightning")
    import torch

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(5, 3)

        def predict_step(self, batch):
            x, y = batch
            return self.layer(x), y

    trainer = lightning.Trainer(accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False)
    data = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y))
    run("Lightning", trainer=trainer, module=Module(), loader=torch.utils.data.DataLoader(data, 25))
    assert len(read("lightning.npz")) == 60


def test_hugging_face():
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("accelerate")
    import torch

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(5, 3)

        def forward(self, x, labels=None):
            logits = self.layer(x)
            return {"loss": torch.nn.functional.cross_entropy(logits, labels), "logits": logits}

    dataset = [{"x": torch.tensor(x), "labels": int(y)} for x, y in zip(X, Y, strict=True)]
    compute = run("Hugging Face: compute_metrics")["compute_metrics"]
    arguments = transformers.TrainingArguments("out", use_cpu=True, report_to=[])
    trainer = transformers.Trainer(Model(), arguments, compute_metrics=compute)
    output = run("Hugging Face", trainer=trainer, dataset=dataset)["output"]
    assert read("trainer.npz").correct.mean() == pytest.approx(output.metrics["test_accuracy"])


def test_keras():
    keras = pytest.importorskip("keras")
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(3, activation="softmax")])
    for y in (Y, np.eye(3)[Y]):
        run("Keras", model=model, x_test=X, y_test=y)
        found = read("keras.npz")
        assert found.kind == "probabilities" and np.array_equal(found.labels, Y.astype(str))


def test_table_of_the_page(tmp_path):
    text = re.search(r"```text\n(id,label.*?)```", PAGE, re.DOTALL)[1]
    Path("a.csv").write_text(text)
    found = read("a.csv")
    assert found.correct.all() and found.id[0] == "img_001.png" and found.split.tolist() == ["calibration", "test"]
