"""The paper's numbers, and ours beside them."""

import re

import numpy as np
import pytest

from fmfp_lib.book import names, published
from fmfp_lib.book.study import finished
from fmfp_lib.statistics import Comparison


def text(cell):
    return re.sub("<[^>]+>", "", cell).strip()


def rows(page):
    """Return the page's rows, each with the data set and network of its group before its own cells."""
    found = []
    for group in re.findall("<tbody>(.*?)</tbody>", page, re.S):
        title, *lines = re.findall("<tr>(.*?)</tr>", group, re.S)
        cells = [[text(c) for c in re.findall("<t[hd].*?>(.*?)</t[hd]>", line)] for line in lines]
        found += [[*text(title).split(", "), *row] for row in cells]
    return found


def side_by_side(table, groups, metric, *more, **values):
    """Return what stands above the folds, and the fold of one metric."""
    page = published.side_by_sides(table, groups, *more, **values)
    fold = page.partition(f"<summary>{names.DISPLAY[metric][1]}</summary>")[2].partition("</details>")[0]
    return page.partition("<details>")[0] + fold


@pytest.fixture(scope="module")
def groups():
    return finished("classroom", ["baseline", "label_smoothing", "focal"])


def in_place_of_the_papers(monkeypatch, runs, dataset):
    """Let `runs` of the baseline stand for those in the paper's own setting, seeds 0, 1, ..., on one data set."""
    own = dict(enumerate(runs))

    def find(settings):
        here = settings.scale == "paper" and (settings.dataset, settings.method) == (dataset, "baseline")
        return own.get(settings.seed) if here else None

    monkeypatch.setattr(published.lookup.records, "find", find)


def test_all_published_cells_are_there():
    assert len(published.load()) == 876
    assert published.cell("table1", "cifar10", "preact_resnet110", "baseline", "auroc") == "90.76 ± 0.60"
    assert published.cell("table3", "cifar10_c", "densenet", "fmfp", "auroc") == "84.90"
    assert published.cell("table1", "cifar10", "preact_resnet110", "fmfp", "auroc") == "–"


def test_ours_stand_beside_the_same_family_and_the_direction_is_judged(groups):
    found = rows(side_by_side("table1", groups, "auroc"))
    assert len(found) == 48  # 2 data sets, 4 networks, 6 methods
    by_key = {tuple(row[:3]): row[3:] for row in found}
    smoothed = by_key["CIFAR-10", "ResNet110", "label smoothing"]
    mean = 100 * sum(r.metrics["auroc"] for r in groups[0].runs["label_smoothing"]) / 5
    assert smoothed[0] == "81.89 ± 1.64" and smoothed[1].startswith(f"{mean:.2f}\u00a0±\u00a0")
    assert by_key["CIFAR-10", "WRN-28-10", "focal loss"][1:] == [""]
    assert "✓" not in "".join(by_key["CIFAR-10", "ResNet110", "baseline"])


@pytest.mark.parametrize(("difference", "mark"), [(-0.02, "✓"), (0.02, "✗"), (-0.005, "○")])
def test_the_mark_tells_whether_ours_points_the_same_way(groups, difference, mark):
    ours = Comparison("auroc", 0.9, 0.9 + difference, difference, difference - 0.01, difference + 0.01, np.zeros(1))
    page = side_by_side("table1", groups[:1], "auroc", [{"label_smoothing": {"auroc": ours}}])
    found = {tuple(row[:3]): row[4:] for row in rows(page)}
    assert found["CIFAR-10", "ResNet110", "label smoothing"][0].endswith(f" {mark}")  # 81.89 there, the baseline 90.76


def test_a_published_number_is_styled_as_published(groups):
    page = side_by_side("table1", groups, "auroc")
    assert '<em class="published">90.76 ± 0.60</em>' in page
    assert page.count('<em class="published">') == 49  # one a row, and the word in the caption


def test_the_caption_explains_what_the_table_has(groups):
    def caption(*table):
        return text(side_by_side(*table).partition("<caption>")[2].partition("</caption>")[0])

    few = [group for group in groups if group.network.startswith("preact_resnet")][:1]
    found = caption("table1", few, "auroc", [{}])
    assert "standard deviation over seeds" in found and "repeated beside each of the paper's data sets" in found
    assert "In our column an empty cell means" in found and "a dash means" in found  # three of six methods were given
    alone = caption("table4", [], "auroc")
    assert "standard deviation" in alone and not any(word in alone for word in ("ours", "our column", "a dash"))
    assert "±" not in side_by_side("table3", [], "auroc")


def test_without_runs_of_ours_the_published_table_still_stands():
    page = side_by_side("table5", [], "nll")
    assert rows(page)[0] == ["Tiny-ImageNet", "ResNet-18", "baseline", "15.76 ± 0.14"]
    assert "The book has no run in the paper's own setting" in page and "ours, same" not in page


def test_corruption_at_the_papers_scale_is_read_from_what_was_measured_on_runs_of_cifar10(groups, monkeypatch):
    runs = groups[0].runs["baseline"]
    in_place_of_the_papers(monkeypatch, runs, "cifar10")
    half = dict.fromkeys(("auroc", "aurc", "fpr95"), 0.5)
    page = side_by_side("table3", [], "auroc", values=lambda r: half if r is not runs[0] else None)
    assert "--scale paper --seed S --measure shift fills it." in text(page) and "ours, same setting" in page
    assert rows(page)[0][-1] == "50.00\u00a0±\u00a00.00 (2 of 3 seeds)" and rows(page)[1][-1] == "–"


def test_agreement_is_marked_only_where_ours_is_certain():
    from types import SimpleNamespace as C

    up, down = C(certain=True, difference=1.0), C(certain=True, difference=-1.0)
    marks = [published._agreement(d, c)[0] for d, c in ((2.0, up), (2.0, down), (-2.0, down), (0.0, up), (2.0, None))]
    assert marks == ["✓", "✗", "✓", "", ""]
    assert published._agreement(2.0, C(certain=False, difference=1.0))[0] == "○"


def test_figures_without_numbers_keep_a_dash_until_runs_are_finished(monkeypatch):
    page = published.drawn_only(["baseline", "mixup"])
    assert [row.split(" | ")[0][2:] for row in page.splitlines()[4:]] == ["3", "13", "13", "14"]
    assert page.count(" – ") == 4 and "--network N --method mixup --scale paper" in page
    assert "| `imagenet` | `resnet50_imagenet` |" in page
    runs = finished("classroom", ["baseline"])[0].records[:3]
    in_place_of_the_papers(monkeypatch, runs, "imagenet")
    mean = 100 * sum(r.metrics["auroc"] for r in runs) / len(runs)
    page = published.drawn_only(["baseline", "mixup"])
    assert page.count(" – ") == 2 and page.count(f"baseline {mean:.2f}\u00a0±") == 2 and "seeds)" not in page
    in_place_of_the_papers(monkeypatch, runs[:1], "imagenet")
    assert published.drawn_only(["baseline"]).count(f"{100 * runs[0].metrics['auroc']:.2f} (1 of 3 seeds)") == 2
