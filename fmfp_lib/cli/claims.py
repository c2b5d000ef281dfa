"""``fmfp claims``: the paper's claims and their verdicts."""

import json
import os
from typing import Annotated

import typer


def claims(
    names: Annotated[list[str] | None, typer.Argument(help="C1 to C15, with tests and evidence")] = None,
    replicates: Annotated[int | None, typer.Option(help="Replicates of each bootstrap", min=1)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table")] = False,
):
    """Put the paper's claims to their tests on the finished runs, and print the verdicts."""
    from rich.console import Console
    from rich.table import Table

    from .. import records
    from ..book import claims as _claims
    from ..book import claims_pages
    from ..book.names import display
    from ..errors import choose
    from ..statistics import REPLICATES

    known = [claim.id for claim in _claims.CLAIMS]
    wanted = [choose("claim", name.upper(), known) for name in names or known]
    places = records.SHIPPED, records.folder()
    if not any(path for place in places for path in place.glob("*.json")):
        raise ValueError(f"no finished run lies in {places[0]} or {places[1]}, so that nothing can be tested")
    results = _claims.evaluate(
        replicates=replicates or REPLICATES, only=wanted, processes=min(os.cpu_count() or 1, len(wanted))
    )
    if as_json:
        print(json.dumps(claims_pages.plain(results)))
        return
    console = Console()
    table = Table("", "the paper says", "verdict here", "why", show_lines=True)
    for key, result in results.items():
        table.add_row(key, result.claim.wording, result.verdict, result.why)
    console.print(table)
    for key, result in results.items() if names else ():
        console.print(f"{key} ({result.claim.section}). {result.claim.test}", markup=False)
        for e in result.evidence:
            heading = display(e.quantity)[1]
            words = f"{e.part}; {e.group}; {e.compared}; {heading} {e.numbers} ({e.claimed}): {e.reading}"
            beside = "" if e.size == "–" else f"; {e.size} ({e.cell})"
            console.print(f"- {words}{beside}; {e.seeds} seeds", markup=False)
        for group, verdict in result.groups.items():
            console.print(f"On {group}: {verdict}", markup=False)
        console.print(f"Published. {result.claim.published() or 'No table holds numbers on it.'}", markup=False)
