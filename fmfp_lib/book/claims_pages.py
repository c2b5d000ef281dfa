"""The claims with their verdicts and evidence: as a table, as a page, as plain values."""

import html

import numpy as np

from . import html_tables, markdown
from .claims import Result, evaluate
from .names import display

LONG = 12  # rows of evidence; the page folds longer tables


def summary(results=None) -> str:
    """Return the verdicts as a Markdown table, each with a link to its evidence in the book."""
    results = evaluate() if results is None else results
    rows = [
        (f"{{ref}}`{key} <claim-{key.lower()}>`", result.claim.wording, f"*{result.verdict}*", result.why)
        for key, result in results.items()
    ]
    return markdown.table(("", "The paper says", "Verdict here", "Why"), rows, words=4)


def overview(results) -> str:
    """Return the verdicts as HTML, each with a link to its evidence further down the page."""
    rows = [
        (f'<a href="#claim-{key.lower()}">{key}</a>', *map(html.escape, (r.claim.wording, r.verdict, r.why)))
        for key, r in results.items()
    ]
    heads = ("", "The paper says", "Verdict here", "Why")
    table = html_tables.table(heads, rows, "Every claim, and what our runs say of it.", "words")
    return f'<div class="stack">{table}</div>'


def page(result: Result) -> str:
    """Return one claim as HTML: verdict, test, evidence with intervals, and what the paper's tables say (so marked)."""
    claim, esc = result.claim, html.escape
    published = claim.published()
    parts = [
        f"<p><strong>{claim.id}.</strong> {esc(claim.wording)}</p>",
        f"<p><strong>Verdict here: {esc(result.verdict)}.</strong> {esc(result.why[:1].upper() + result.why[1:])}.</p>",
        f"<p><strong>The test</strong> (the paper's {esc(claim.section)}). {esc(claim.test)}</p>",
    ]
    if result.evidence:
        rows = [
            (esc(e.part), esc(f"{heading}: {e.compared}"), esc(e.group).replace(", ", ",<br>"),
             *map(esc, (e.numbers, e.claimed, e.reading)), e.seeds)
            for e in result.evidence
            for heading in (display(e.quantity)[1],)
        ]  # fmt: skip
        heads = ("part", "quantity", "data, network", "ours [95 % interval]", "claimed", "reading", "seeds")
        if len({e.part for e in result.evidence}) == 1:
            heads, rows = heads[1:], [row[1:] for row in rows]
        caption = f"Our evidence: {esc(result.count)}."
        table = html_tables.table(heads, rows, caption, "evidence")
        folded = f"<details><summary>{caption} All {len(rows)} comparisons</summary>{table}</details>"
        parts.append(folded if len(rows) > LONG else table)
    said = published or "No table of the paper holds numbers on this claim."
    parts.append(f'<p><em class="published">Published.</em> <span class="published">{esc(said)}</span></p>')
    return "\n".join(parts)


def plain(results) -> dict:
    """Return the verdicts and their evidence as plain values, for JSON; what is not defined or not bounded is None."""

    def finite(value):
        return float(value) if np.isfinite(value) else None

    return {
        key: {
            "claim": r.claim.wording, "section": r.claim.section, "test": r.claim.test, "verdict": r.verdict,
            "why": r.why, "parts": r.parts, "published": r.claim.published(),
            "evidence": [
                {
                    "part": e.part, "group": e.group, "compared": e.compared, "quantity": e.quantity, "seeds": e.seeds,
                    **{name: finite(getattr(e, name)) for name in ("value", "low", "high", "above", "below")},
                    "claimed": e.claimed, "reading": e.reading,
                }
                for e in r.evidence
            ],
        }
        for key, r in results.items()
    }  # fmt: skip
