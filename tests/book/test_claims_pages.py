"""A verdict over all networks is a sentence of its own."""

from types import SimpleNamespace

from fmfp_lib.book import claims_pages


def result(groups, evidence=()):
    return SimpleNamespace(
        groups=dict.fromkeys(groups),
        evidence=[SimpleNamespace(group=g, part="", decides=False) for g in evidence],
        verdict="undecided",
        claim=SimpleNamespace(id="C6"),
    )


def test_a_verdict_says_over_how_many_networks():
    assert claims_pages.over_all(result("ab"), "it falls") == "Over all 2 networks, it falls (C6): *undecided*."
    assert claims_pages.over_all(result("a"), "it falls").startswith("On the one network tested, it falls")
    assert claims_pages.over_all(result(""), "it falls").startswith("On these runs, it falls")


def test_a_verdict_says_on_how_many_networks_a_part_was_tested_and_how_many_are_drawn():
    evidence = [SimpleNamespace(group=g, part=p, decides=True) for g, p in (("a", "x"), ("b", "x"), ("a", "against y"))]
    found = SimpleNamespace(groups={"a": 0, "b": 0}, evidence=evidence, verdict="open", claim=SimpleNamespace(id="C1"))
    groups = [SimpleNamespace(dataset="embedded", network=n, title=n) for n in "ab"]
    said = claims_pages.over_all(found, "it falls", groups[:1], groups)
    assert said == "Over all 2 networks (1 of them drawn here; 1 tested against y), it falls (C1): *open*."


def test_networks_that_count_without_being_drawn_are_named():
    def group(title, network):
        return SimpleNamespace(dataset="embedded", network=network, title=title)

    drawn, counted = [group("one", "a")], [group("one, all images", "a"), group("two", "b"), group("three", "c")]
    found = claims_pages.not_drawn(result("", ["two", "one, all images"]), drawn, counted)
    assert found == "Not drawn on this page, but counted: two."
    assert claims_pages.not_drawn(result("", ["one, all images"]), drawn, counted) == ""
