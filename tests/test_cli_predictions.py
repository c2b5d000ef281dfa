"""`fmfp evaluate`, `compare` and `threshold` as their user meets them."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
from test_predictions import WRONG, make

from fmfp_lib import cli, intervals, metrics, selective
from fmfp_lib.prediction_files import read

RNG = np.random.default_rng(0)


def predictions(n=2000, noise=0.15, seed=0, **more):
    rng = np.random.default_rng(seed)
    z = 3 * rng.normal(size=(n, 4))
    gap = np.diff(np.sort(z, 1)[:, -2:], axis=1)[:, 0]
    wrong = rng.random(n) < 2 * noise * np.exp(-gap)
    return {"logits": z, "labels": np.where(wrong, (z.argmax(1) + 1) % 4, z.argmax(1))} | more


@pytest.fixture
def run(monkeypatch, capsys):
    """A function that calls the command line here, and returns its exit code and what it printed."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["fmfp", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        return ended.value.code or 0, printed.out, printed.err

    return run


def saved(path, **columns):
    np.savez(path, **columns)
    return path


@pytest.mark.parametrize("command", [["evaluate"], ["threshold", "--risk", "0.1"]])
@pytest.mark.parametrize("name", WRONG)
def test_wrong_file_ends_in_one_line_and_exit_code_2(run, tmp_path, command, name):
    code, out, err = run(*command, make(tmp_path, name))
    assert code == 2 and not out and WRONG[name][1] in err and len(err.strip().splitlines()) == 1


def test_evaluate_in_json_and_in_words(run, tmp_path):
    group = RNG.choice(["north", "[red]south"], 2000)
    arrays = predictions(group=group, id=[f"item {i}" for i in range(2000)])
    file = saved(tmp_path / "mine.npz", **arrays)
    code, out, _ = run("evaluate", file, "--json", "--replicates", 50)
    found, expected = json.loads(out), metrics.evaluate(arrays["logits"], arrays["labels"])
    assert code == 0 and found["items"] == 2000
    for name in ("accuracy", "auroc", "aurc", "fpr95", "ece", "nll", "brier", "augrc"):
        row = found["metrics"][name]
        assert row["value"] == pytest.approx(expected[name], abs=1e-9) and row["low"] <= row["value"] <= row["high"]
    wrong = arrays["logits"].argmax(1) != arrays["labels"]
    assert {g["group"]: g["errors"] for g in found["groups"]} == {g: wrong[group == g].sum() for g in set(group)}
    assert sum(b["items"] for b in found["reliability"]) == 2000
    surest = found["confident_errors"][0]
    confidence = metrics.softmax(arrays["logits"]).max(1)
    assert surest["row"] == np.argmax(np.where(wrong, confidence, 0)) and surest["id"] == f"item {surest['row']}"
    assert sum(found["histogram"]["wrong"]) == wrong.sum()
    whole = found["risk_at_coverage"][0]
    assert (whole["accepted"], whole["errors"]) == (2000, wrong.sum())
    curve = found["risk_coverage_curve"]
    assert curve["coverage"] == pytest.approx(np.arange(1, 101) / 100)
    assert curve["risk"][49] == pytest.approx(metrics.selective_risk_at(confidence, ~wrong, 0.5))
    code, out, _ = run("evaluate", file, "--replicates", 50)
    for text in ("AUROC %", "Reliability", "Where correct and incorrect", "[red]south", "Worst group", surest["id"]):
        assert text in out


def test_only_the_test_split_is_judged(run, tmp_path):
    split = np.repeat(["test", "calibration"], [500, 1500])[RNG.permutation(2000)]
    arrays = predictions(split=split)
    code, out, _ = run("evaluate", saved(tmp_path / "a.npz", **arrays), "--json", "--replicates", 5)
    found, own = json.loads(out), split == "test"
    assert found["items"] == 500 and "the 500 of the test split" in found["notes"][-1]
    assert found["metrics"]["auroc"]["value"] == pytest.approx(
        metrics.evaluate(arrays["logits"][own], arrays["labels"][own])["auroc"], abs=1e-12
    )
    assert all(own[e["row"]] for e in found["confident_errors"])
    code, _, err = run("evaluate", saved(tmp_path / "b.npz", **predictions(split=["calibration"] * 2000)))
    assert code == 2 and "no test items" in err


def test_page_stands_alone(run, tmp_path):
    file = saved(tmp_path / "a<b.npz", **predictions(group=["</script><b>"] * 2000))
    assert run("evaluate", file, "--html", tmp_path / "page.html", "--replicates", 20)[0] == 0
    page = (tmp_path / "page.html").read_text("utf-8")
    assert not re.search(r"""(?:src|href)=|https?:|url\((?!#)|@import""", page)
    assert "window.fmfpExplorer={" in page and 'id="explorer"' in page and "Predictions of a&lt;b" in page
    assert page.count("</script>") == page.count("<script>") == 4 and "<b>a<b" not in page
    data = json.loads(re.search(r"window\.fmfpExplorer=(\{.*?\});</script>", page)[1])
    assert data["groups"][0]["n"] == 2000 and len(data["groups"][0]["runs"]["s0"]) == 1


def test_ece_is_told_beside_that_of_a_calibrated_model(run, tmp_path):
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.3, 1, 500)
    for name, correct, said in (
        ("calibrated", rng.random(500) < confidence, True),
        ("off", rng.random(500) < 0.1, False),
    ):
        file = saved(tmp_path / f"{name}.npz", confidence=confidence, correct=correct)
        page = tmp_path / "page.html"
        words = f"would show about {100 * intervals.calibrated_ece(read(file)):.2g} % on 500 items."
        code, out, _ = run("evaluate", file, "--replicates", 5, "--html", page)
        assert code == 0 and (words in " ".join(out.split())) is said and (words in page.read_text("utf-8")) is said


def test_saturated_logits_keep_their_order_in_the_report(run, tmp_path):
    z = np.array([[40, 0], [90, 0], [60, 0], [80, 0], [70, 0]])
    file = saved(tmp_path / "a.npz", logits=z, labels=[1, 1, 0, 0, 0])
    found = json.loads(run("evaluate", file, "--json", "--replicates", 5)[1])
    assert [row["row"] for row in found["confident_errors"]] == [1, 0] and found["metrics"]["auroc"]["value"] == 0.5
    assert found["risk_coverage_curve"]["risk"] == pytest.approx([1, 1 / 2, 1 / 3, 1 / 4, 2 / 5])


def test_scores_beyond_probabilities_have_a_page(run, tmp_path):
    file = saved(tmp_path / "a.npz", confidence=RNG.normal(size=300) * 5, correct=RNG.random(300) < 0.8)
    code, out, _ = run("evaluate", file, "--html", tmp_path / "page.html", "--replicates", 20)
    assert code == 0 and "calibration is left out" in " ".join(out.split()) and "Reliability" not in out
    assert "Reliability</h2>" not in (tmp_path / "page.html").read_text("utf-8")


def test_compare(run, tmp_path):
    first = predictions()
    files = [
        saved(tmp_path / "first.npz", **first),
        saved(tmp_path / "same.npz", logits=2 + first["logits"], labels=first["labels"]),
        saved(tmp_path / "worse.npz", logits=first["logits"] + 2 * RNG.normal(size=(2000, 4)), labels=first["labels"]),
    ]
    code, out, _ = run("compare", *files, "--html", tmp_path / "page.html", "--replicates", 100)
    text = " ".join(out.split())
    assert code == 0 and "same: no 95 % interval excludes 0." in text
    assert re.search(
        r"worse is worse in Accuracy, .*\(the 95 % interval excludes 0\); adjusted by Holm for all 12", text
    )
    page = (tmp_path / "page.html").read_text("utf-8")
    assert "adjusted by Holm for all 12" in page and '"name":"worse"' in page
    code, out, _ = run("compare", *files, "--json", "--replicates", 100)
    rows = json.loads(out)
    assert len(rows) == 12 and all(row["p"] <= row["p_holm"] for row in rows)
    assert all(not row["excludes_zero"] for row in rows if row["system"] == "same")
    for words, message in (
        (files[:1], "name at least two"),
        ([files[0], files[0]], "give each its own"),
        ([files[0], saved(tmp_path / "other.npz", **predictions(seed=1))], "differ in labels"),
        ([files[0], saved(tmp_path / "fewer.npz", **predictions(n=9))], "2,000 and 9 items"),
    ):
        code, _, err = run("compare", *words)
        assert code == 2 and message in err and len(err.strip().splitlines()) == 1


def test_threshold_is_chosen_on_calibration_items_and_judged_on_test_items(run, tmp_path):
    split = np.repeat(["valid", "test"], 2000)
    arrays = predictions(n=4000)
    file = saved(tmp_path / "a.npz", **arrays, split=split)
    code, out, _ = run("threshold", file, "--risk", 0.03, "--json")
    (found,) = json.loads(out)
    confidence = metrics.softmax(arrays["logits"]).max(1)
    correct, own = arrays["logits"].argmax(1) == arrays["labels"], split == "valid"
    expected = selective.choose_threshold(confidence[own], correct[own], 0.03)
    assert code == 0 and found["threshold"] == pytest.approx(expected.threshold, abs=1e-12) and found["bound"] <= 0.03
    accepted = confidence[~own] > expected.threshold
    assert (found["n"], found["test"]["n"], found["test"]["accepted"]) == (2000, 2000, accepted.sum())
    code, out, _ = run("threshold", file, "--risk", 0.03)
    text = " ".join(out.split())
    assert f"above {expected.threshold:.17g}"[:20] in text and "probability of 95 %, the risk is at most 3 %" in text
    assert "nothing about the score (method fixed)" in text and "Test: " in text
    alone = saved(tmp_path / "b.npz", **predictions())
    text = " ".join(run("threshold", alone, "--risk", 0.05, "--method", "sgr")[1].split())
    assert "No test items were given" in text and "crosses the promised value once" in text
    text = " ".join(run("threshold", alone, "--risk", 0.05, "--test", file)[1].split())
    assert "of 2,000 items accepted" in text


def test_threshold_where_there_is_none(run, tmp_path):
    file = saved(tmp_path / "a.npz", **predictions(n=100))
    code, out, _ = run("threshold", file, "--risk", 0.001)
    assert code == 1 and "No threshold. A risk of 0.1 % with a probability of 95 % takes at least 2,995" in out
    code, out, _ = run("threshold", file, "--risk", 0.001, "--json")
    assert code == 1 and json.loads(out)[0]["threshold"] is None
    wrong = [
        (["--risk", 2], "risk is 2"),
        (["--risk", 0.1, "--confidence", 95], "level is 95"),
        (["--risk", 0.1, "--method", "best"], "fixed, sgr, monotone"),
        (["--risk", 0.1, "--by-group"], "needs a column or array named group"),
    ]
    for words, message in wrong:
        code, _, err = run("threshold", file, *words)
        assert code == 2 and message in err and len(err.strip().splitlines()) == 1
    code, _, err = run("threshold", saved(tmp_path / "b.npz", **predictions(n=9, split=["test"] * 9)), "--risk", 0.1)
    assert code == 2 and "never chosen on test items" in err


def test_threshold_by_group(run, tmp_path):
    group = np.repeat(["easy", "hard"], 2000)
    parts = predictions(noise=0.05), predictions(noise=0.3, seed=1)
    arrays = {k: np.concatenate([p[k] for p in parts]) for k in parts[0]}
    file = saved(tmp_path / "a.npz", **arrays, group=group)
    code, out, _ = run("threshold", file, "--risk", 0.04, "--by-group", "--json", "--test", file)
    easy, hard = json.loads(out)
    assert code == 0 and easy["coverage"] > hard["coverage"] and easy["level"] == pytest.approx(0.975)
    assert easy["test"]["n"] == 2000
    text = " ".join(run("threshold", file, "--risk", 0.04, "--by-group")[1].split())
    assert "probability of 95 %, the risk is at most 4 % in each of these groups at once" in text


def test_an_empty_group_an_infinite_confidence_and_other_predictions_without_labels(run, tmp_path):
    rows = "".join(f"{0.5 + i / 1000},1,{'north' * (i % 2)}\n" for i in range(400))
    (tmp_path / "g.csv").write_text("confidence,correct,group\n" + rows)
    code, out, _ = run("threshold", "--risk", "0.2", "--by-group", tmp_path / "g.csv")
    assert code == 0 and "(none)" in out and "north" in out and "each of these groups" in " ".join(out.split())
    (tmp_path / "i.csv").write_text("confidence,correct\n-0.1,1\n-inf,0\n-0.5,1\n-2,0\n")
    code, out, _ = run("evaluate", tmp_path / "i.csv", "--html", tmp_path / "i.html")
    assert code == 0 and "-inf\n" in out and ">-inf<" in (tmp_path / "i.html").read_text()
    found = json.loads(run("evaluate", tmp_path / "i.csv", "--json")[1])
    assert found["confident_errors"][1]["confidence"] == found["risk_at_coverage"][0]["confidence_at_least"] == "-inf"
    (tmp_path / "i.csv").write_text("confidence,correct,group\ninf,0,\n0.5,1,\n2,0,a\n")
    code, out, _ = run("evaluate", tmp_path / "i.csv", "--html", tmp_path / "i.html")
    assert code == 0 and "i: 3 items, 2 errors; read as confidence\n" in out and "(none)" in out and "inf" in out
    page = (tmp_path / "i.html").read_text()
    assert "read as confidence" in page and ">(none)<" in page and ">inf<" in page
    code, _, err = run("threshold", "--risk", "0.2", tmp_path / "g.csv", "--test", tmp_path / "x.npy")
    assert code == 2 and "hold their own labels" in err
    other = saved(tmp_path / "c.npz", confidence=[0.5], correct=[1], split=["calibration"])
    code, out, err = run("threshold", "--risk", "0.2", tmp_path / "g.csv", "--test", other)
    assert code == 2 and not out and "its split has no test items" in err


def test_models_of_scikit_learn_and_of_pytorch_go_through_all_three_commands(run, tmp_path):
    import torch
    from sklearn.datasets import load_digits
    from sklearn.linear_model import LogisticRegression

    x, y = load_digits(return_X_y=True)
    x = x / 16
    names = np.array([f"digit {i}" for i in range(10)])
    split = np.array(["calibration", "test"])[np.arange(1397) % 2]
    logistic = LogisticRegression(max_iter=300).fit(x[:400], names[y[:400]])
    p = logistic.predict_proba(x[400:])
    first = saved(
        tmp_path / "sklearn.npz", probabilities=p, labels=names[y[400:]], classes=logistic.classes_, split=split
    )
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, 10))
    inputs, targets = torch.tensor(x, dtype=torch.float32), torch.tensor(y)
    optimizer = torch.optim.Adam(network.parameters(), 0.01)
    for _ in range(100):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(network(inputs[:400]), targets[:400]).backward()
        optimizer.step()
    table = network(inputs[400:]).detach().numpy()
    second = tmp_path / "torch.csv"
    columns = ",".join([*(f"logit_{name}" for name in names), "label", "split"])
    rows = [",".join([*map(str, row), names[i], part]) for row, i, part in zip(table, y[400:], split, strict=True)]
    second.write_text("\n".join([columns, *rows]))
    for file in (first, second):
        assert run("evaluate", file, "--html", tmp_path / "page.html", "--replicates", 50)[0] == 0
        code, out, _ = run("threshold", file, "--risk", 0.05, "--json")
        assert code == 0 and json.loads(out)[0]["test"]["risk"] < 0.08
    code, out, _ = run("compare", first, second, "--json", "--replicates", 50)
    assert code == 0 and {row["metric"] for row in json.loads(out)} >= {"accuracy", "auroc", "nll"}


def test_large_files_are_judged_within_ten_seconds_and_little_memory(tmp_path):
    """50,000 items of 1,000 classes; seconds are of computing, since other work may share the machine."""
    rng = np.random.default_rng(0)
    z = rng.standard_normal((50_000, 1000), np.float32)
    file = saved(tmp_path / "a.npz", logits=z, labels=np.where(rng.random(50_000) < 0.8, z.argmax(1), 7))
    code = f"""
import resource, sys
sys.argv = ["fmfp", "evaluate", {str(file)!r}, "--json", "--html", {str(tmp_path / "a.html")!r}]
from fmfp_lib import cli
try:
    cli.main()
except SystemExit as ended:
    assert not ended.code
assert not {{"torch", "pandas", "matplotlib"}} & set(sys.modules)
used = resource.getrusage(resource.RUSAGE_SELF)
print(used.ru_utime, used.ru_maxrss / 2**20, file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    seconds, gigabytes = map(float, done.stderr.split())
    assert seconds < 10 and gigabytes < 1.5
