"""The verdicts follow from the runs: planted effects are found, missing ones are not, missing runs decide nothing."""

import json
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from fmfp_lib import measures, metrics, statistics
from fmfp_lib.book import claims, claims_cards, claims_pages, evidence, shift_study, special_evidence, verdicts
from fmfp_lib.book.study import Group
from fmfp_lib.records import Record

N, CLASSES = 400, 4


def record(method, seed, noise=1.0, scale=1.0, history=()):
    """A run whose confidence ranks errors the worse, the more noise."""
    rng = np.random.default_rng(seed)
    labels = np.random.default_rng(99).integers(0, CLASSES, N)  # one test set
    right = rng.random(N) < 0.8
    predicted = np.where(right, labels, (labels + 1) % CLASSES)
    strength = np.where(right, 2.5, 1.0) + noise * np.random.default_rng([seed, 1]).normal(size=N)
    logits = scale * np.abs(strength)[:, None] * np.eye(CLASSES)[predicted]
    settings = SimpleNamespace(method=method, seed=seed, epochs=100)
    return Record(settings, logits, labels, logits[:200], labels[:200], list(history), {}, Path("nowhere.json"))


def group(seeds=3, network="net", **methods):
    """Methods by name, each with the arguments of `record`."""
    runs = {m: [record(m, s, **more) for s in range(seeds)] for m, more in methods.items()}
    return Group("smoke", "embedded", network, runs)


def verdict(name, *groups, **options):
    return claims.evaluate(list(groups), 60, [name], **options)[name]


def decided(result):
    return {part: own for part, own in result.parts.items() if own != "not testable here"}


def test_there_are_fifteen_claims_each_with_its_test():
    assert [c.id for c in claims.CLAIMS] == [f"C{i}" for i in range(1, 16)]
    assert all(c.wording and c.section and len(c.test) > 30 and c.needs for c in claims.CLAIMS)


def test_a_planted_harm_is_found_method_by_method():
    result = verdict("C2", group(baseline={}, label_smoothing={"noise": 3.0}, mixup={"noise": 0.2}))
    assert decided(result) == {"label smoothing": "supported", "mixup": "contradicted"}
    assert result.verdict == "partly supported" and result.groups == {"Fashion-MNIST, net": "partly supported"}
    assert result.why.startswith("supported: label smoothing; contradicted: mixup; not testable here: focal loss,")
    assert result.count == "2 comparisons: 1 clearly for the claim, 1 clearly against it"


def test_a_part_that_was_not_tested_leaves_a_claim_partly_supported():
    harmful = {m: {"noise": 3.0} for m in ("mixup", "label_smoothing", "focal", "cs_kd", "l1_norm")}
    assert verdict("C3", group(baseline={}, **harmful)).verdict == "supported"
    harmful.pop("focal")
    result = verdict("C3", group(baseline={}, **harmful))
    assert result.verdict == "partly supported" and result.parts["focal loss"] == "not testable here"


def test_fewer_than_three_seeds_are_shown_and_decide_nothing():
    result = verdict("C2", group(seeds=2, baseline={}, label_smoothing={"noise": 3.0}))
    assert result.verdict == "not testable here" and len(result.evidence) == 2
    assert all(e.reading.endswith("(context)") for e in result.evidence)
    assert result.why.startswith("needs finished runs")


def test_only_seeds_that_both_have_are_compared():
    runs = group(seeds=5, baseline={}, fmfp={"noise": 0.2}).runs
    runs["fmfp"] = runs["fmfp"][1:4]
    found = verdict("C7", Group("smoke", "embedded", "net", runs))
    assert {e.seeds for e in found.evidence} == {3} and decided(found) == {"FMFP against baseline": "supported"}
    gain = np.mean(
        [
            metrics.evaluate(b.logits, b.labels)["auroc"] - metrics.evaluate(a.logits, a.labels)["auroc"]
            for a, b in zip(runs["baseline"][1:4], runs["fmfp"], strict=True)
        ]
    )
    assert next(e for e in found.evidence if e.quantity == "auroc").value == pytest.approx(gain)


def test_the_best_of_three_and_calibration():
    best = group(baseline={"noise": 2.0}, sam={"noise": 1.5}, swa={"noise": 1.5}, fmfp={"noise": 0.2})
    assert verdict("C8", best).verdict == "supported"
    calibrated = group(seeds=5, baseline={"scale": 6.0}, fmfp={"scale": 1.1})
    assert verdict("C9", calibrated).parts["ECE"] == "supported"
    kept = verdict("C10", group(baseline={}, fmfp={"scale": 0.5})).parts
    assert kept["lower on errors"] == "supported" and kept["kept on correct ones"] == "contradicted"


def test_scaling_two_classes_worth_of_logits_changes_no_ranking():
    # One class stands out and the others are equal: every temperature ranks alike, so there is neither help nor harm.
    result = verdict("C4", group(baseline={"scale": 6.0}))
    below, lower, negligible = special_evidence.TEMPERATURE
    assert result.parts == {below: "supported", lower: "undecided", negligible: "supported"}
    assert result.verdict == "partly supported" and " 0 clearly against it" in result.count
    ece = [e for e in result.evidence if e.quantity == "ece"]
    assert all(e.value < 0 and not e.decides for e in ece)


def entry(epoch, auroc, accuracy):
    return {"epoch": epoch, "test_auroc": auroc, "test_accuracy": accuracy}


def test_late_change_by_hand():
    history = [entry(40, 0.1, 0), entry(50, 0.9, 0.5), entry(60, 0.7, 0.7), {"epoch": 61}, entry(85, 0, 0),
               entry(90, 0.5, 0.8), {"epoch": 95, "test_auroc": None}, entry(100, 0.7, 0.8)]  # fmt: skip
    run = record("baseline", 0, history=history)
    assert special_evidence.late_change(run, "auroc") == pytest.approx(0.6 - 0.8)
    assert special_evidence.late_change(run, "accuracy") == pytest.approx(0.8 - 0.6)
    assert np.isnan(special_evidence.late_change(record("baseline", 0), "auroc"))


def trained(seeds=3, **methods):
    """Methods by name: AUROC and accuracy in the middle and at the end."""
    result = group(seeds, **{m: {} for m in methods})
    for method, (auroc, accuracy) in methods.items():
        for run in result.runs[method]:
            off = run.settings.seed / 1000
            run.history.extend([entry(50, auroc[0] + off, accuracy[0]), entry(100, auroc[1] + 1.5 * off, accuracy[1])])
    return result


def test_reliable_overfitting_needs_a_fall_while_accuracy_rises():
    falls = trained(baseline=((0.9, 0.8), (0.7, 0.8)))
    assert verdict("C6", falls).verdict == "supported"
    assert verdict("C6", trained(baseline=((0.9, 0.8), (0.8, 0.7)))).verdict == "undecided"
    assert verdict("C6", trained(baseline=((0.8, 0.9), (0.7, 0.8)))).verdict == "contradicted"
    mixed = claims.evaluate([falls, trained(baseline=((0.8, 0.9), (0.7, 0.8)))], 200, ["C6"])["C6"]
    assert mixed.verdict == "partly supported"
    assert mixed.count.endswith("1 clearly for the claim, 1 clearly against it; their mean is open")
    unsure = trained(baseline=((0.9, 0.8), (0.7, 0.8)))
    unsure.runs["baseline"][0].history[-1]["test_accuracy"] = 0.4  # accuracy rises in the mean, with one run against
    unsure.runs["baseline"][1].history[-1]["test_accuracy"] = 1.0
    assert verdict("C6", unsure).verdict == "undecided"


def test_overfitting_is_mitigated_only_where_it_is():
    rises = ((0.8, 0.85), (0.7, 0.8))
    falls = ((0.9, 0.8), (0.7, 0.8))
    assert verdict("C12", trained(6, baseline=falls, sam=rises, swa=rises, fmfp=rises)).verdict == "supported"
    found = verdict("C12", trained(6, baseline=falls, fmfp=rises))
    assert decided(found) == {"FMFP": "supported"} and found.evidence[0].seeds == 3  # the other three told the fall
    assert verdict("C12", trained(5, baseline=falls, fmfp=rises)).evidence[0].decides
    assert verdict("C12", trained(4, baseline=falls, fmfp=rises)).verdict == "not testable here"  # two seeds are left
    unsure = trained(6, baseline=falls, fmfp=rises)
    unsure.runs["baseline"][0].history[-1]["test_auroc"] = 0.95  # it falls in the mean, not clearly
    assert verdict("C12", unsure).verdict == "not testable here"
    assert verdict("C12", trained(6, baseline=((0.8, 0.81), (0.7, 0.8)), fmfp=rises)).verdict == "not testable here"


def test_seeds_that_chose_a_regime_decide_nothing():
    chosen = replace(group(seeds=6, baseline={}, label_smoothing={"noise": 3.0}), chose=(0, 1, 2))
    found = verdict("C2", chosen)
    assert {e.seeds for e in found.evidence} == {3} and decided(found) == {"label smoothing": "supported"}
    later = group(seeds=6, baseline={}, label_smoothing={"noise": 3.0})
    later = replace(later, runs={m: runs[3:] for m, runs in later.runs.items()})
    assert verdict("C2", later).evidence == found.evidence
    mitigated = trained(6, baseline=((0.9, 0.8), (0.7, 0.8)), fmfp=((0.8, 0.85), (0.7, 0.8)))
    assert verdict("C12", replace(mitigated, chose=(0, 1, 2))).evidence[0].seeds == 3


def test_an_effect_is_held_beside_the_papers_nearest_cell():
    result = verdict("C2", group(baseline={}, label_smoothing={"noise": 3.0}))
    auroc = result.evidence[0]
    assert auroc.size == "–"  # the paper has no data of four classes
    assert replace(auroc, published=auroc.value).size.startswith("compatible with the paper's −")
    assert replace(auroc, published=auroc.low - 0.01).size.startswith("smaller than the paper's")
    assert replace(auroc, published=auroc.high + 0.001).size.startswith("larger than the paper's")
    assert replace(auroc, published=0.0).size == "below the paper's 0.00"
    assert replace(auroc, low=0.01, high=0.02, published=0.0).size == "above the paper's 0.00"


def test_an_end_is_not_printed_as_a_value_that_it_is_not():
    e = evidence.Evidence("", "", "", "auroc", -0.02, -0.02507, -0.00001, 3, published=-0.0251, below=0.0)
    assert e.numbers == "−2.00 [−2.507,\u00a0−0.001]" and e.size == "smaller than the paper's −2.51"
    assert replace(e, low=-0.0251, high=0.0).numbers == "−2.00 [−2.51,\u00a00.00]"


def test_a_reading_says_why_what_lies_as_claimed_is_undecided():
    e = evidence.Evidence("", "", "baseline", "late_auroc", -0.01, -0.02, -0.005, 3, below=0.0, sure=False)
    assert e.reading == "undecided: accuracy does not clearly rise"
    assert replace(e, sure=True).reading == "as claimed" and replace(e, high=0.01).reading == "undecided"


@pytest.fixture
def measured(monkeypatch):
    """Measures by name and method."""
    kept = {}
    monkeypatch.setattr(measures, "MEASURES", dict.fromkeys(("shift", "confidnet", "flatness")))
    monkeypatch.setattr(
        measures, "load", lambda r, name: kept[name](r) if r.settings.method in kept[f"{name} of"] else None
    )

    def keep(name, methods, make):
        kept[name], kept[f"{name} of"] = make, methods

    return keep


@pytest.mark.parametrize("name", ["C11", "C13", "C14", "C15"])
def test_without_measurements_there_is_no_verdict(name):
    both = group(network="vgg8_w16", baseline={}, crl={}, sam={}, swa={}, fmfp={}), group(baseline={}, fmfp={})
    result = verdict(name, *both)
    assert result.verdict == "not testable here" and not result.evidence


def test_the_advantage_under_corruption_is_that_of_what_was_measured(measured):
    def make(r):
        rng = np.random.default_rng(r.settings.seed)
        correct = rng.random((2, 2, 300)) < 0.7  # two corruptions, two severities
        strength = 4.0 if r.settings.method == "fmfp" else 1.0
        return {"score": strength * correct + rng.normal(size=correct.shape), "correct": correct}

    measured("shift", ["baseline", "fmfp"], make)
    result = verdict("C11", group(baseline={}, fmfp={}, crl={}))
    assert result.parts == {"against baseline": "supported", "against CRL": "not testable here"}
    assert len(result.evidence) == 3
    gain = [shift_study.mean(make(record(m, s)))["auroc"] for m in ("fmfp", "baseline") for s in range(3)]
    assert result.evidence[0].value == pytest.approx(np.mean(gain[:3]) - np.mean(gain[3:]))


def test_confidnet_scores_the_baselines_predictions_on_vgg(measured):
    measured("confidnet", ["baseline"], lambda r: {"score": np.random.default_rng(r.settings.seed).random(N)})
    vgg = group(network="vgg8_w16", baseline={}, fmfp={"noise": 0.2})
    assert verdict("C13", vgg).verdict == "supported"
    assert verdict("C13", replace(vgg, network="net")).verdict == "not testable here"
    assert decided(verdict("C7", vgg)) == {"FMFP against baseline": "supported"}  # as on any other network


def test_flatness_is_held_against_the_gap(measured):
    methods = {"baseline": {"noise": 2.0}, "sam": {"noise": 1.5}, "swa": {"noise": 1.0}, "fmfp": {"noise": 0.1}}
    order = list(methods)

    def make(r):
        sharp = 1.0 - order.index(r.settings.method) / 10
        loss = np.array([[0.1, 0.1], [0.2, 0.2], [0.1 + sharp, 0.1 + sharp]])
        return {"norms": np.array([0.0, 0.1, 0.2]), "loss": loss, "sharpness": sharp, "eigenvalue": 10 * sharp}

    measured("flatness", order, make)
    result = verdict("C15", group(seeds=4, **methods))
    assert result.verdict == "supported" and len(result.evidence) == 3 and result.evidence[0].value < -0.5
    assert [e.decides for e in result.evidence] == [True, False, False]
    assert [e.counted for e in result.evidence] == ["4"] * 3 and replace(result.evidence[0], most=5).counted == "4 to 5"
    assert verdict("C15", group(seeds=4, **{m: methods[m] for m in order[1:]})).verdict == "not testable here"
    rows = special_evidence.flatness_and_gap(evidence.Runs(group(seeds=4, **methods)))
    assert rows["loss_rise"] == pytest.approx(np.repeat([1.0, 0.9, 0.8, 0.7], 4))


def test_methods_are_drawn_for_all_networks_together(measured):
    """Two networks on which the methods do the same are no more certain than one."""
    methods = {"baseline": {"noise": 2.0}, "sam": {"noise": 1.5}, "swa": {"noise": 1.0}, "fmfp": {"noise": 0.1}}
    sharp = {"baseline": 0.7, "sam": 1.0, "swa": 0.8, "fmfp": 0.9}  # not in the order of the gaps
    measured("flatness", list(methods), lambda r: {"norms": np.array([0.0, 0.2]), "sharpness": 1.0, "eigenvalue": 1.0,
             "loss": np.array([[0.1], [0.1 + sharp[r.settings.method]]])})  # fmt: skip
    runs = evidence.Runs(group(seeds=4, **methods))
    (alone, *_), both = special_evidence.flat_minima([runs]), special_evidence.flat_minima([runs, runs])
    together = verdicts.pooled([e.drawn for e in both if e.decides])
    assert together.interval == pytest.approx(alone.drawn.interval)


def test_students_interval_is_that_of_its_replicates():
    value, low, high = statistics.over_seeds([0.1, 0.3, 0.2])
    replicates = evidence.from_student(value, high, 3, "a")
    assert np.percentile(replicates, [2.5, 97.5]) == pytest.approx([low, high], abs=1e-4)
    assert np.mean(replicates) == pytest.approx(value)
    assert not np.array_equal(replicates, evidence.from_student(value, high, 3, "b"))


def test_a_notebook_trains_its_methods_and_counts_what_else_has_finished(tmp_path, monkeypatch):
    from fmfp_lib.book.study import Study
    from fmfp_lib.training import train

    monkeypatch.setenv("FMFP_RECORDS", str(tmp_path))
    chosen = Study.from_notebook({"scale": "smoke", "methods": ["baseline"]})
    assert list(claims.groups_of(chosen)[0].runs) == ["baseline"]
    train(chosen.settings(chosen.networks[0], "focal", 0), progress=False)
    found = claims.groups_of(chosen)
    assert len(found) == 1 and list(found[0].runs) == ["baseline", "focal"]


@pytest.fixture(scope="module")
def results():
    return claims.evaluate([group(baseline={}, label_smoothing={"noise": 3.0}, fmfp={})], 20)


def test_every_rendering_has_every_claim(results):
    page, overview = claims_cards.cards(results, "claims.html"), claims_cards.overview(results)
    for key, result in results.items():
        assert f'href="claims.html#claim-{key.lower()}"' in page and f'href="#claim-{key.lower()}"' in overview
        assert f"{key} {result.verdict}" in overview and result.verdict in verdicts.VERDICTS
        assert "\n\n" not in result.why and "|" not in result.why


def test_a_page_has_verdict_test_evidence_and_the_published_side(results):
    page = claims_pages.page(results["C2"])
    assert '<span class="verdict">partly supported</span>' in page and page.count("<tr>") == 5  # a head, AUROC, AURC
    assert "In the paper: 60 of 60 cells, by AUROC." in page and page.count("<svg") == 1
    assert re.search(r"[+−]\d+\.\d\d \[[+−]\d+\.\d\d,\s[+−]\d+\.\d\d\]", page)
    assert 'class="published"' in page and "label smoothing 12 and 12" in page
    assert "no table of the paper covers this claim" in claims_pages.page(results["C3"])


def test_a_card_names_its_networks_and_shows_what_goes_beyond_its_axis(results):
    card = claims_cards.card(results["C2"])
    ((title, letter),) = claims_cards.letters([results["C2"]]).items()
    assert f'<p class="key"><b>{letter}</b> {title}</p>' in card
    assert '<text class="key" x="4"' in card and 'class="key"' not in claims_cards.card(results["C14"])
    axis = claims_cards._Axis(-1.0, 2.0, 100)
    assert "<path" not in axis.line(-0.5, 1.5, 10) and axis.line(-3, 5, 10).count("<path") == 2
    assert [axis.x(v) for v in (-9, -1, 2, 9)] == [16, 16, 336, 336]
    assert ">−100<" in axis.numbers([], 9) and axis.numbers([1.0], 9).count("<text") == 4


def test_the_published_side_is_counted_from_the_tables():
    said = {c.id: c.published() for c in claims.CLAIMS}
    assert "SAM 8, 8, 7" in said["C7"] and "against CRL: SAM 6, 7, 6" in said["C7"]
    assert "best AUROC in 8 of 8" in said["C8"] and "+3.00 and +2.24" in said["C8"]
    assert "4 of 4 cases" in said["C1"] and "AUROC 4 of 4" in said["C11"] and "FPR-95%TPR 1 of 2" in said["C14"]
    assert not said["C6"]


def test_plain_values_are_json(results):
    content = json.loads(json.dumps(claims_pages.plain(results), allow_nan=False))
    assert list(content) == list(results) and content["C2"]["evidence"][0]["below"] == 0


def test_the_margin_of_c4_is_less_than_half_of_the_smallest_published_gain():
    from fmfp_lib.book import audit

    means = audit.rows().loc["table2"]["auroc"].unstack("method")
    assert 100 * special_evidence.NEGLIGIBLE < (means["fmfp"] - means["baseline"]).min() / 2


def test_the_notebook_has_a_place_for_every_link():
    notebook = json.loads((Path(__file__).resolve().parents[2] / "notebooks" / "10_claims.ipynb").read_text())
    text = "\n".join("".join(cell["source"]) for cell in notebook["cells"])
    for claim in claims.CLAIMS:
        assert f"(claim-{claim.id.lower()})=\n## {claim.id}: " in text and f'page(results["{claim.id}"])' in text


def test_processes_share_the_claims_and_change_nothing():
    alone, shared = (claims.evaluate(replicates=20, only=["C6", "C8", "C15"], processes=p) for p in (1, 2))
    assert list(shared) == ["C6", "C8", "C15"]
    assert claims_pages.plain(shared) == claims_pages.plain(alone)
