"""The claims with their verdicts and evidence: as a page, as plain values."""

import html

import numpy as np

from . import claims_cards, html_tables
from .claims import Result
from .names import display


def _comparisons(result) -> str:
    """Return every comparison behind a fold: a block for each part and quantity, a row for each network and data."""
    esc, several, blocks = html.escape, len({e.part for e in result.evidence}) > 1, {}
    compared = any(e.size != "–" for e in result.evidence)
    for e in result.evidence:
        part, context = f"{e.part}: " if several else "", "" if e.decides else ", context"
        cells = map(esc, (e.group, e.numbers, e.claimed, e.reading, *[e.size] * compared))
        blocks.setdefault(esc(f"{part}{display(e.quantity)[1]}, {e.compared}{context}"), []).append((*cells, e.counted))
    rows = [row for heading, block in blocks.items() for row in (heading, *block)]
    heads = ("data, network", "ours [95 % interval]", "claimed", "reading",
             *["beside the paper's nearest cell with as many classes"] * compared, "seeds")  # fmt: skip
    context = sum(not e.decides for e in result.evidence)
    caption = f"{result.count[:1].upper()}{result.count[1:]}{f'; {context} more for context' if context else ''}."
    table = html_tables.table(heads, rows, caption, "evidence")
    return f"<details><summary>All {len(result.evidence)} comparisons</summary>{table}</details>"


def page(result: Result) -> str:
    """Return one claim as HTML: its card, the test, evidence with intervals, and what the paper's tables say."""
    claim, esc = result.claim, html.escape
    published = claim.published()
    parts = [
        claims_cards.card(result),
        f"<p><strong>The test</strong> (the paper's {esc(claim.section)}). {esc(claim.test)}</p>",
    ]
    if result.evidence:
        parts.append(_comparisons(result))
    said = published or "None: no table of the paper covers this claim."
    parts.append(f'<p><em class="published">Published.</em> <span class="published">{esc(said)}</span></p>')
    return "\n".join(parts)


def folded(results) -> str:
    """Return the page of each claim behind a fold that names claim and verdict.

    Parameters
    ----------
    results : dict of str to claims.Result
        By the claim's id.

    Returns
    -------
    str
        HTML.
    """
    return "".join(
        f"<details><summary>{key}: {result.claim.wording} <em>{result.verdict}</em></summary>{page(result)}</details>"
        for key, result in results.items()
    )


def over_all(result: Result, said: str, drawn=(), counted=()) -> str:
    """Return a sentence with a claim's verdict over all networks, set apart from the numbers of one.

    It says of how many networks a page has figures, and on how many a part was tested, where these are fewer.

    Parameters
    ----------
    result : claims.Result
        The claim with its evidence.
    said : str
        What it claims, in words that begin a clause.
    drawn, counted : iterable of study.Group
        As in `not_drawn`.

    Returns
    -------
    str
        Markdown.
    """
    count, notes = len(result.groups), []
    here = count - len(_elsewhere(result.groups, drawn, counted))
    if here < count:
        notes.append(f"{here or 'none'} of them drawn here")
    for part in dict.fromkeys(e.part for e in result.evidence if e.decides):
        tested = len({e.group for e in result.evidence if e.decides and e.part == part})
        if tested < count:
            notes.append(f"{tested} tested {part}" if part.startswith("against ") else f"{tested} tested for {part}")
    where = f"Over all {count} networks" if count > 1 else "On the one network tested" if count else "On these runs"
    where += f" ({'; '.join(notes)})" if notes and count > 1 else ""
    return f"{where}, {said} ({result.claim.id}): *{result.verdict}*."


def not_drawn(result: Result, drawn, counted) -> str:
    """Say which networks count in a claim's evidence that a page does not show.

    Parameters
    ----------
    result : claims.Result
        The claim with its evidence.
    drawn, counted : iterable of study.Group
        Those of the page, and those that the claim was tested on.

    Returns
    -------
    str
        A sentence; empty where there are none.
    """
    also = _elsewhere({e.group for e in result.evidence}, drawn, counted)
    return f"Not drawn on this page, but counted: {'; '.join(also)}." if also else ""


def _elsewhere(titles, drawn, counted) -> list[str]:
    """Return which of `titles` are those of groups that were counted and are not drawn."""
    shown = {(g.dataset, g.network) for g in drawn}
    return sorted({*titles} & {g.title for g in counted if (g.dataset, g.network) not in shown})


def plain(results) -> dict:
    """Return the verdicts and their evidence as plain values, for JSON; what is not defined or not bounded is None."""

    def finite(value):
        return float(value) if np.isfinite(value) else None

    return {
        key: {
            "claim": r.claim.wording, "section": r.claim.section, "test": r.claim.test, "verdict": r.verdict,
            "why": r.why, "parts": r.parts, "groups": r.groups, "published": r.claim.published(),
            "evidence": [
                {
                    "part": e.part, "group": e.group, "compared": e.compared, "quantity": e.quantity, "seeds": e.seeds,
                    **{name: finite(getattr(e, name)) for name in ("value", "low", "high", "above", "below")},
                    "claimed": e.claimed, "reading": e.reading, "decides": e.decides, "nearest": finite(e.published),
                    "nearest_cell": e.cell, "beside_nearest": e.size,
                }
                for e in r.evidence
            ],
        }
        for key, r in results.items()
    }  # fmt: skip
