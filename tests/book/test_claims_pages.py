"""A verdict over all networks is a sentence of its own."""

from types import SimpleNamespace

from fmfp_lib.book import claims_pages


def result(groups, evidence=()):
    return SimpleNamespace(
        groups=dict.fromkeys(groups), evidence=[SimpleNamespace(group=g) for g in evidence], verdict="undecided",
        claim=SimpleNamespace(id="C6"),
    )  # fmt: skip


def test_a_verdict_says_over_how_many_networks():
    assert claims_pages.over_all(result("ab"), "it falls") == "Over all 2 networks, it falls (C6): *undecided*."
    assert claims_pages.over_all(result("a"), "it falls").startswith("On the one network tested, it falls")
    assert claims_pages.over_all(result(""), "it falls").startswith("On these runs, it falls")


def test_networks_that_count_without_being_drawn_are_named():
    def group(title, network):
        return SimpleNamespace(dataset="embedded", network=network, title=title)

    drawn, counted = [group("one", "a")], [group("one, all images", "a"), group("two", "b"), group("three", "c")]
    found = claims_pages.not_drawn(result("", ["two", "one, all images"]), drawn, counted)
    assert found == "Not drawn on this page, but counted: two."
    assert claims_pages.not_drawn(result("", ["one, all images"]), drawn, counted) == ""
