"""A claim as a card: what it says, its verdict, and its evidence as a small forest plot."""

import html
from dataclasses import dataclass
from string import ascii_uppercase

import numpy as np

from . import markdown, names, rungs, verdicts
from .claims import Result

WIDTH, LEFT, LINE, GAP, HEAD = 340, 16, 10, 22, 16  # of the plot, in its own pixels
MARK = {verdicts.FOR: "for", verdicts.AGAINST: "against", verdicts.OPEN: "open"}
CLASS = dict(zip(verdicts.VERDICTS, ("supported", "partly", "undecided", "contradicted", "untested"), strict=True))


def _limits(evidence) -> tuple[float, float]:
    """Return the ends of the axis: estimates, zero and both ends of a band that a claim names, and intervals and
    published effects up to thrice as far."""
    bands = [end for e in evidence if np.isfinite(e.above) and np.isfinite(e.below) for end in (e.above, e.below)]
    values = np.array([0.0, *bands, *(e.value for e in evidence)])
    reach = 3 * max(np.abs(values).max(), 1e-9)
    ends = np.array([v for e in evidence for v in (e.low, e.high, e.published) if np.isfinite(v)] or [0.0])
    low, high = min(values.min(), ends.clip(-reach, reach).min()), max(values.max(), ends.clip(-reach, reach).max())
    margin = 0.04 * (high - low or 1.0)
    return low - margin, high + margin


@dataclass(frozen=True)
class _Axis:
    """From a quantity, in natural units, to a place in the plot; `factor` is that of its printed units."""

    low: float
    high: float
    factor: float

    def x(self, value) -> float:
        """Return the place of a value; beyond the ends, the nearest of them."""
        share = float(np.clip((value - self.low) / (self.high - self.low), 0, 1))
        return round(share * (WIDTH - LEFT - 4) + LEFT, 1)

    def line(self, low, high, y, head=4) -> str:
        """Return a line from `low` to `high`, with an arrowhead, `head` to either side, where it goes on beyond the
        axis."""
        if not np.isfinite(low):
            return ""
        ends, heads = [], ""
        for end, beyond, inwards in ((low, low < self.low, 1), (high, high > self.high, -1)):
            at = self.x(end)
            if beyond:
                heads += f'<path d="M{at} {y}l{inwards * (head + 1)} {-head}v{2 * head}z"/>'
                at += inwards * head  # the line ends within its head, whose tip stays sharp
            ends.append(at)
        return f'<line x1="{ends[0]}" x2="{ends[1]}" y1="{y}" y2="{y}"/>{heads}'

    def rule(self, kind, value, top, bottom) -> str:
        """Return an upright line at a value, from `top` down to `bottom`."""
        return f'<line class="{kind}" x1="{self.x(value)}" x2="{self.x(value)}" y1="{top}" y2="{bottom}"/>'

    def numbers(self, bounds, y) -> str:
        """Return the numbers below the axis: zero, then bounds and ends where there is room."""
        ends = (self.low, "start", 40), (self.high, "end", 40)
        text, taken = "", []
        for value, anchor, room in ((0.0, "middle", 0), *((b, "middle", 24) for b in bounds), *ends):
            if all(abs(self.x(value) - place) > room for place in taken):
                shown = self.factor * value
                number = f"{shown:+.{'2g' if abs(shown) < 10 else '0f'}}".replace("-", "\u2212") if value else "0"
                text += f'<text x="{self.x(value)}" y="{y}" text-anchor="{anchor}">{number}</text>'
                taken.append(self.x(value))
        return text


def _comparison(e, axis, y, letter) -> str:
    """Return one network's line at the height `y`: its letter, interval and estimate, and the paper's nearest cell."""
    said = html.escape(f"{e.group}: {e.numbers} ({e.reading}; {e.counted} seeds)")
    text = (
        f'<text class="key" x="4" y="{y + 3}">{letter}</text><g class="{MARK[e.position]}"><title>{said}</title>'
        f'{axis.line(e.low, e.high, y)}<circle cx="{axis.x(e.value)}" cy="{y}" r="3"/></g>'
    )
    if not np.isfinite(e.published):
        return text
    at, words = axis.x(e.published), html.escape(f"the paper, {e.cell}: {markdown.signed(axis.factor * e.published)}")
    diamond = f"M{at - 3.5} {y}l3.5 -3.5l3.5 3.5l-3.5 3.5z"
    return f'{text}<path class="published" d="{diamond}"><title>{words}</title></path>'


def _mean(own, axis, y) -> str:
    """Return the mean of a part's comparisons, which decides with them, as a broad line at the height `y`."""
    mean = verdicts.pooled([e.drawn for e in own])
    value, ends = float(np.mean([e.value for e in own])), mean.interval
    said = html.escape(f"Mean of the {len(own)}: {markdown.interval((value, *ends), axis.factor, bold=False)}")
    return f'<g class="mean {MARK[mean.position]}"><title>{said}</title>{axis.line(*ends, y, 7)}</g>'


def letters(results) -> dict[str, str]:
    """Return a letter for each network and data set that some claims were judged on, the same for a rung on all pages.

    Parameters
    ----------
    results : iterable of claims.Result

    Returns
    -------
    dict of str to str
        By the group's title.
    """
    ladder = [rung.title for rung in (*rungs.EARLY, *rungs.RUNGS)]
    found = dict.fromkeys(e.group for result in results for e in result.evidence if e.decides)
    titles = [*ladder, *(title for title in found if title not in ladder)]
    return {title: letter for title, letter in zip(titles, ascii_uppercase, strict=False) if title in found}


def _key(known) -> str:
    """Return what the letters stand for."""
    return f'<p class="key">{"; ".join(f"<b>{letter}</b> {html.escape(title)}" for title, letter in known.items())}</p>'


def forest(evidence, known) -> str:
    """Return the comparisons that decide a claim as SVG: a block for each part, in it a line for each network and data
    set, the least accurate first, and a broad one for their mean, which decides with them; a hollow diamond is the
    paper's nearest cell, and a dotted line a bound that the claim sets other than zero.

    Parameters
    ----------
    evidence : sequence of evidence.Evidence
        Those of one quantity.
    known : dict of str to str
        What `letters` returns: the letter beside each network's line.

    Returns
    -------
    str
        SVG; empty without evidence.
    """
    if not evidence:
        return ""
    factor, heading = names.display(evidence[0].quantity)
    axis = _Axis(*_limits(evidence), factor)
    parts = dict.fromkeys(e.part for e in evidence)
    named = {b for e in evidence for b in (e.above, e.below) if np.isfinite(b) and b}
    bounds = [b for b in sorted(named) if axis.low < b < axis.high]
    top, drawn = HEAD, []
    for part in parts:
        own = [e for e in evidence if e.part == part]
        drawn.append(f'<text x="4" y="{top + 11}">{html.escape(part[:1].upper() + part[1:])}</text>')
        ends = top + GAP - 6, top + GAP + LINE * (len(own) + (len(own) > 1))
        drawn += [axis.rule("zero", 0, *ends), *(axis.rule("bound", b, *ends) for b in bounds)]
        for number, e in enumerate(own):
            drawn.append(_comparison(e, axis, top + GAP + LINE * number, known.get(e.group, "")))
        if len(own) > 1:
            drawn.append(_mean(own, axis, top + GAP + LINE * len(own) + 2))
            top += LINE
        top += GAP + LINE * len(own)
    bottom = top + 4
    unit = ", points" if heading.endswith(" %") else ""
    change = "" if "correlation" in heading or heading.startswith("late") else "change of "
    words = html.escape(f"{change}{heading.removesuffix(' %').rstrip(',')}{unit}")
    return (
        f'<svg class="forest" viewBox="0 0 {WIDTH} {bottom + 18}" role="img" aria-label="{words}, 95 % '
        f'interval"><text class="head" x="4" y="11">{words}</text>'
        f"{''.join(drawn)}{axis.numbers(bounds, bottom + 14)}</svg>"
    )


def card(result: Result, link: str = "", known=None) -> str:
    """Return one claim as HTML: its verdict, its wording, the forest plot, and on which networks it holds.

    Parameters
    ----------
    result : claims.Result
    link : str
        Where its evidence stands, if on another page.
    known : dict of str to str, optional
        What `letters` returns, if they are explained elsewhere; otherwise the card explains its own.

    Returns
    -------
    str
        HTML.
    """
    claim, esc = result.claim, html.escape
    deciding = [e for e in result.evidence if e.decides]
    quantities = list(dict.fromkeys(e.quantity for e in deciding))
    own = letters([result]) if known is None else known
    plots = "".join(forest([e for e in deciding if e.quantity == q], own) for q in quantities)
    tally = f'<span class="published">In the paper: {esc(claim.tally)}.</span> ' if claim.tally else ""
    name = f'<a href="{link}#claim-{claim.id.lower()}">{claim.id}</a>' if link else claim.id
    return (
        f'<div class="claim-card {CLASS[result.verdict]}"><p><strong>{name}</strong> '
        f'<span class="verdict">{esc(result.verdict)}</span></p><p>{esc(claim.wording)}</p>{plots}'
        f"<p>{tally}{esc(sentence(result, own))}</p>{_key(own) if known is None and own else ''}</div>"
    )


def sentence(result: Result, known) -> str:
    """Return what our runs say of a claim, each network by its letter.

    Parameters
    ----------
    result : claims.Result
    known : dict of str to str
        What `letters` returns.

    Returns
    -------
    str
        Plain text.
    """
    if result.verdict == verdicts.UNTESTED:
        return f"Needs {result.claim.needs}."
    held, broken = (
        sorted(known[group] for group, verdict in result.groups.items() if verdict == wanted)
        for wanted in (verdicts.SUPPORTED, verdicts.CONTRADICTED)
    )
    words = [f"{result.why[:1].upper()}{result.why[1:]}."]
    if held and len(held) < len(result.groups):
        words.append(f"By network, it is supported on {names.joined(held)}.")
    if broken:
        words.append(f"It is contradicted on {names.joined(broken)}.")
    return " ".join(words)


def cards(results, link: str = "") -> str:
    """Return how many claims have each verdict, and every claim's card, side by side where there is room.

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
    known, found = letters(results.values()), [r.verdict for r in results.values()]
    counts = [f"{found.count(v)} {v}" for v in verdicts.VERDICTS if v in found]
    body = "".join(card(result, link, known) for result in results.values())
    tally = f"<p><strong>{len(found)} claims: {names.joined(counts)}.</strong> The networks, by their letters:</p>"
    return f'{tally}{_key(known)}<div class="claim-cards">{body}</div>'


def overview(results) -> str:
    """Return every claim's number and verdict, in a line, each with a link to its card further down the page."""
    items = (
        f'<a class="{CLASS[r.verdict]}" href="#claim-{key.lower()}">{key} {html.escape(r.verdict)}</a>'
        for key, r in results.items()
    )
    return f'<p class="claim-overview">{" ".join(items)}</p>'
