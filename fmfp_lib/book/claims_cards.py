"""A claim as a card: what it says, its verdict, and its evidence as a small forest plot."""

import html

import numpy as np

from . import markdown, names, verdicts
from .claims import Result

WIDTH, LINE, GAP, HEAD = 340, 9, 22, 16  # of the plot, in its own pixels
MARK = {verdicts.FOR: "for", verdicts.AGAINST: "against", verdicts.OPEN: "open"}
CLASS = dict(zip(verdicts.VERDICTS, ("supported", "partly", "undecided", "contradicted", "untested"), strict=True))


def _limits(evidence) -> tuple[float, float]:
    """Return the ends of the axis: estimates and zero, and intervals and published effects up to thrice as far."""
    values = np.array([0.0, *(e.value for e in evidence)])
    reach = 3 * max(np.abs(values).max(), 1e-9)
    ends = np.array([v for e in evidence for v in (e.low, e.high, e.published) if np.isfinite(v)] or [0.0])
    low, high = min(values.min(), ends.clip(-reach, reach).min()), max(values.max(), ends.clip(-reach, reach).max())
    margin = 0.04 * (high - low or 1.0)
    return low - margin, high + margin


def _mean(own, x, y, factor) -> str:
    """Return the mean of a part's comparisons, which decides with them, as a broad line at the height `y`."""
    mean = verdicts.pooled([e.drawn for e in own])
    value, limits = float(np.mean([e.value for e in own])), mean.interval
    said = html.escape(f"Mean of the {len(own)}: {markdown.interval((value, *limits), factor, bold=False)}")
    return (
        f'<g class="mean {MARK[mean.position]}"><title>{said}</title>'
        f'<line x1="{x(limits[0])}" x2="{x(limits[1])}" y1="{y}" y2="{y}"/></g>'
    )


def _numbers(low, high, x, y, factor) -> str:
    """Return the numbers below the axis: zero, and its ends where there is room."""
    text = f'<text x="{x(0)}" y="{y}" text-anchor="middle">0</text>'
    for value, anchor in ((low, "start"), (high, "end")):
        if abs(x(value) - x(0)) > 40:
            number = f"{factor * value:+.2g}".replace("-", "\u2212")
            text += f'<text x="{x(value)}" y="{y}" text-anchor="{anchor}">{number}</text>'
    return text


def forest(evidence) -> str:
    """Return the comparisons that decide a claim as SVG: a block for each part, in it a line for each network and data
    set, the least accurate first, and a broad one for their mean, which decides with them; a hollow diamond is the
    paper's nearest cell, and a dotted line a bound that the claim sets other than zero.

    Parameters
    ----------
    evidence : sequence of evidence.Evidence
        Those of one quantity.

    Returns
    -------
    str
        SVG; empty without evidence.
    """
    if not evidence:
        return ""
    low, high = _limits(evidence)

    def x(value):
        return round(float(np.clip((value - low) / (high - low), 0, 1)) * (WIDTH - 8) + 4, 1)

    factor, heading = names.display(evidence[0].quantity)
    parts = dict.fromkeys(e.part for e in evidence)
    top, drawn = HEAD, []
    for part in parts:
        own = [e for e in evidence if e.part == part]
        drawn.append(f'<text x="4" y="{top + 11}">{html.escape(part[:1].upper() + part[1:])}</text>')
        for number, e in enumerate(own):
            y = top + GAP + LINE * number
            said = html.escape(f"{e.group}: {e.numbers} ({e.reading}; {e.seeds} seeds)")
            line = f'<line x1="{x(e.low)}" x2="{x(e.high)}" y1="{y}" y2="{y}"/>' if np.isfinite(e.low) else ""
            drawn.append(
                f'<g class="{MARK[e.position]}"><title>{said}</title>{line}'
                f'<circle cx="{x(e.value)}" cy="{y}" r="3"/></g>'
            )
            if np.isfinite(e.published):
                at, words = x(e.published), html.escape(f"the paper, {e.cell}: {factor * e.published:+.2f}")
                drawn.append(
                    f'<path class="published" d="M{at - 3.5} {y}l3.5 -3.5l3.5 3.5l-3.5 3.5z">'
                    f"<title>{words}</title></path>"
                )
        if len(own) > 1:
            drawn.append(_mean(own, x, top + GAP + LINE * len(own) + 2, factor))
            top += LINE
        top += GAP + LINE * len(own)
    bottom = top + 4
    axis = f'<line class="zero" x1="{x(0)}" x2="{x(0)}" y1="{HEAD}" y2="{bottom}"/>'
    bounds = {b for e in evidence for b in (e.above, e.below) if np.isfinite(b) and b and low < b < high}
    axis += "".join(f'<line class="bound" x1="{x(b)}" x2="{x(b)}" y1="{HEAD}" y2="{bottom}"/>' for b in sorted(bounds))
    ends = _numbers(low, high, x, bottom + 14, factor)
    unit = ", points" if heading.endswith(" %") else ""
    words = html.escape(f"change of {heading.removesuffix(' %')}{unit}")
    return (
        f'<svg class="forest" viewBox="0 0 {WIDTH} {bottom + 18}" role="img" aria-label="{words}, 95 % '
        f'interval"><text class="head" x="4" y="11">{words}</text>'
        f"{axis}{''.join(drawn)}{ends}</svg>"
    )


def card(result: Result, link: str = "") -> str:
    """Return one claim as HTML: its verdict, its wording, the forest plot and, folded, on which networks it holds.

    Parameters
    ----------
    result : claims.Result
    link : str
        Where its evidence stands, if on another page.

    Returns
    -------
    str
        HTML.
    """
    claim, esc = result.claim, html.escape
    deciding = [e for e in result.evidence if e.decides]
    quantities = list(dict.fromkeys(e.quantity for e in deciding))
    plots = "".join(forest([e for e in deciding if e.quantity == q]) for q in quantities)
    tally = f'<span class="published">In the paper: {esc(claim.tally)}.</span> ' if claim.tally else ""
    name = f'<a href="{link}#claim-{claim.id.lower()}">{claim.id}</a>' if link else claim.id
    return (
        f'<div class="claim-card {CLASS[result.verdict]}"><p><strong>{name}</strong> '
        f'<span class="verdict">{esc(result.verdict)}</span></p><p>{esc(claim.wording)}</p>{plots}'
        f"<p>{tally}{esc(sentence(result))}</p></div>"
    )


def sentence(result: Result) -> str:
    """Return what our runs say of a claim, in one sentence."""
    if result.verdict == verdicts.UNTESTED:
        return f"Needs {result.claim.needs}."
    held = [group for group, verdict in result.groups.items() if verdict == verdicts.SUPPORTED]
    broken = [group for group, verdict in result.groups.items() if verdict == verdicts.CONTRADICTED]
    words = [f"{result.why[:1].upper()}{result.why[1:]}."]
    if held and len(held) < len(result.groups):
        words.append(f"By network, it is supported on {'; '.join(held)}.")
    if broken:
        words.append(f"It is contradicted on {'; '.join(broken)}.")
    return " ".join(words)


def cards(results, link: str = "") -> str:
    """Return every claim's card, side by side where there is room.

    Parameters
    ----------
    results : dict of str to claims.Result
    link : str
        As `card` takes it.

    Returns
    -------
    str
        HTML.
    """
    return f'<div class="claim-cards">{"".join(card(result, link) for result in results.values())}</div>'


def overview(results) -> str:
    """Return every claim's number and verdict, in a line, each with a link to its card further down the page."""
    items = (
        f'<a class="{CLASS[r.verdict]}" href="#claim-{key.lower()}">{key} {html.escape(r.verdict)}</a>'
        for key, r in results.items()
    )
    return f'<p class="claim-overview">{" ".join(items)}</p>'
