"""scikit-learn takes the scorers, and batches add up to the whole."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer
from sklearn.model_selection import GridSearchCV, cross_val_score

from fmfp_lib import adapters, metrics
from fmfp_lib.adapters import FailureMetrics, metric_function, scorer

X, Y = load_iris(return_X_y=True)
Y = np.array(["setosa", "versicolor", "virginica"])[np.where(np.random.default_rng(0).random(150) < 0.1, 2, Y)]
MODEL = LogisticRegression(max_iter=500)
RNG = np.random.default_rng(0)
LOGITS, LABELS = RNG.normal(size=(40, 3)), RNG.integers(0, 3, 40)


def test_scorers_of_both_kinds_agree_with_the_metrics():
    fitted = MODEL.fit(X, Y)
    p, place = fitted.predict_proba(X), np.searchsorted(fitted.classes_, Y)
    expected = metrics.aurc(p.max(1), p.argmax(1) == place)
    made = make_scorer(metric_function("aurc"), response_method="predict_proba", greater_is_better=False)
    assert made(fitted, X, Y) == scorer("aurc")(fitted, X, Y) == pytest.approx(-expected)
    assert scorer("auroc")(fitted, X, Y) == pytest.approx(metrics.auroc(p.max(1), p.argmax(1) == place))
    assert scorer("ece")(fitted, X, Y) == pytest.approx(-metrics.ece(p, place))
    few = slice(0, 60)  # without the third class
    assert scorer("accuracy")(fitted, X[few], Y[few]) == (fitted.predict(X[few]) == Y[few]).mean()


def test_scikit_learn_takes_them():
    values = cross_val_score(MODEL, X, Y, scoring=scorer("aurc"), cv=3)
    assert values.shape == (3,) and (values <= 0).all()
    search = GridSearchCV(
        MODEL, {"C": [1e-4, 1]}, scoring={m: scorer(m) for m in ("aurc", "accuracy")}, refit="aurc", cv=3
    )
    assert search.fit(X, Y).best_params_ == {"C": 1}
    two = LogisticRegression().fit(X[:100], Y[:100] == "setosa")
    made = make_scorer(metric_function("brier"), response_method="predict_proba", greater_is_better=False)
    assert made(two, X[:100], Y[:100] == "setosa") == scorer("brier")(two, X[:100], Y[:100] == "setosa")


def test_batches_add_up():
    accumulator, whole = FailureMetrics(), metrics.evaluate(LOGITS, LABELS)
    for part in (slice(0, 7), slice(7, 30), slice(30, 40)):
        batch = accumulator(torch.tensor(LOGITS[part], requires_grad=True), torch.tensor(LABELS[part]))
        assert batch["accuracy"] == (LOGITS[part].argmax(1) == LABELS[part]).mean()
    assert accumulator.compute() == pytest.approx({name: whole[name] for name in adapters.METRICS}, abs=1e-6)
    accumulator.reset()
    accumulator.update(torch.tensor(LOGITS).bfloat16(), LABELS)
    assert accumulator.compute()["auroc"] == pytest.approx(whole["auroc"], abs=0.05)
    as_probabilities = FailureMetrics(("aurc",))
    as_probabilities.update(metrics.softmax(LOGITS), LABELS)
    assert as_probabilities.compute() == pytest.approx({"aurc": whole["aurc"]})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: scorer("aucr"), "unknown metric 'aucr'; choose one of accuracy, auroc"),
        (lambda: FailureMetrics().compute(), "call update first"),
        (lambda: FailureMetrics().update(LOGITS, LABELS[:3]), r"\(40, 3\) and labels \(3,\)"),
        (lambda: metric_function("aurc")(["a", "b"], np.full((2, 3), 1 / 3)), "2 different names for 3 columns"),
    ],
)
def test_wrong_values_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_imports_neither_torch_nor_scikit_learn():
    code = "import sys; from fmfp_lib.adapters import FailureMetrics as F; m = F(('aurc',)); m.update([[1, 2]], [0]); "
    code += "m.compute(); assert not {'torch', 'sklearn', 'torchmetrics'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
