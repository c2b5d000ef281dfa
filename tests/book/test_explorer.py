"""What the explorer's page reads is what the library says."""

import base64
import json

import numpy as np
import pytest
from seaborn.utils import relative_luminance

from fmfp_lib import metrics
from fmfp_lib.book import explorer, figures, names
from fmfp_lib.book.study import Group, finished
from fmfp_lib.methods import METHODS
from fmfp_lib.records import Record
from fmfp_lib.settings import Settings


@pytest.fixture(scope="module")
def groups():
    return finished("classroom", METHODS) + finished("workstation", METHODS)


@pytest.fixture(scope="module")
def book(groups, tmp_path_factory):
    folder = tmp_path_factory.mktemp("book")
    explorer.write(folder, groups)
    return folder


@pytest.fixture(scope="module")
def data(book):
    script = (book / "assets" / "explorer_data.js").read_text()
    return json.loads(script.removeprefix("window.fmfpExplorer=").rstrip().removesuffix(";"))


def made_up(logits, labels, **settings):
    none = np.zeros((0, 2)), np.zeros(0, int)
    return Record(Settings(**settings), np.asarray(logits, np.float32), np.asarray(labels), *none, [], {}, None)


def risk(run, n):
    """Selective risk (n,), worked out as the page does."""
    bits = np.unpackbits(np.frombuffer(base64.b64decode(run["errors"]), np.uint8))[:n]
    accepted = np.append(0.0, np.cumsum(bits))
    for first, length in run["ties"]:
        accepted[first : first + length + 1] = np.linspace(accepted[first], accepted[first + length], length + 1)
    return accepted[1:] / np.arange(1, n + 1)


def thresholds(run):
    """Confidence of the last image accepted at coverage 0, 1/200, ... 1."""
    return 1 / (1 + np.exp(-np.frombuffer(base64.b64decode(run["thresholds"]), "<i2") / 1000))


def test_every_run_is_there_and_its_numbers_are_the_librarys(groups, data):
    assert len(data["groups"]) == len(groups) >= 2
    assert set(data["methods"]) == {method for group in groups for method in group.runs}
    for group, entry in zip(groups, data["groups"], strict=True):
        assert (entry["dataset"], entry["network"]) == (group.dataset, group.network)
        assert {m: len(runs) for m, runs in entry["runs"].items()} == {m: len(r) for m, r in group.runs.items()}
        for method, records in group.runs.items():
            for record, run in zip(records[:2], entry["runs"][method], strict=False):
                confidence, correct = record.scored
                n = entry["n"]
                assert run["seed"] == record.settings.seed
                assert np.allclose(risk(run, n), metrics.risk_coverage_curve(confidence, correct)[1], 0, 1e-12)
                places = np.maximum(np.ceil(np.arange(201) / 200 * n - 1e-9).astype(int), 1) - 1
                falling = np.sort(confidence)[::-1]
                assert np.abs(thresholds(run) - falling[places]).max() < 2e-4
                log_odds = np.interp(np.arange(n), places, np.log(1 / thresholds(run) - 1))  # as between two kept ones
                off = np.abs(1 / (1 + np.exp(log_odds)) - falling)
                assert np.mean(off < 0.01) > 0.99 and off.max() < 0.1  # looser past the last two kept
                right, wrong, total = (np.array(run[k]) for k in ("right", "wrong", "confidence"))
                assert (right.sum(), wrong.sum()) == (correct.sum(), (~correct).sum())
                gap = np.abs(right.reshape(15, 2).sum(1) - total).sum() / n
                assert gap == pytest.approx(metrics.ece(metrics.softmax(record.logits), record.labels), abs=1e-5)
                assert run["ece"] == pytest.approx(gap, abs=1e-5)


def test_the_page_stays_small_and_has_its_picture(book):
    assert (book / "assets" / "explorer_data.js").stat().st_size < 1.5e6
    assert (book / "images" / "explorer.png").read_bytes()[1:4] == b"PNG"


def test_methods_look_different_and_can_be_seen_in_both_themes(data):
    styles = [(s["light"], s["dashes"]) for s in data["methods"].values()]
    assert len(set(styles)) == len(styles)
    fmfp = data["methods"]["fmfp"]
    assert fmfp["name"] == names.name("fmfp") and fmfp["light"] == figures.colour("fmfp")
    for theme, background in explorer.BACKGROUNDS.items():
        ground = relative_luminance(background)
        for style in data["methods"].values():
            low, high = sorted((ground, relative_luminance(style[theme])))
            assert (high + 0.05) / (low + 0.05) >= 2.95  # 3, less what #rrggbb rounds away


def test_ties_and_certainty():
    logits = [[2, 0], [2, 0], [1, 0], [0, 1], [1, 0], [800, 0]]
    record = made_up(logits, [0, 1, 0, 1, 1, 0])
    run = explorer.run(record)
    assert run["ties"] == [[1, 2], [3, 3]]
    assert np.allclose(risk(run, 6), metrics.risk_coverage_curve(*record.scored)[1])
    assert thresholds(run)[0] == pytest.approx(1, abs=1e-12) and run["right"][-1] == 1


def test_what_cannot_be_shown_is_named():
    with pytest.raises(ValueError, match="at least one group"):
        explorer.content([])
    one, two = made_up([[1, 0]], [0], seed=0), made_up([[1, 0], [2, 0]], [0, 1], seed=1)
    with pytest.raises(ValueError, match=r"Fashion-MNIST.*\[1, 2\] images"):
        explorer.content([Group("classroom", "embedded", "preact_resnet8_w32_s2", {"baseline": [one, two]})])
