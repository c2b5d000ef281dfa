"""``fmfp evaluate | compare | threshold``: predictions of any model, from a file to a report and to a threshold."""

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()
_FILE = "Predictions: .npz, .csv, .parquet, or .npy with --labels"
Labels = Annotated[Path | None, typer.Option(help="A .npy with the labels, if the predictions are a .npy")]
Replicates = Annotated[int, typer.Option(help="Number of bootstrap replicates", min=1)]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object")]
Page = Annotated[Path | None, typer.Option(help="Also write a page of HTML that needs nothing else", metavar="PAGE")]


@app.command()
def evaluate(
    file: Annotated[Path, typer.Argument(help=_FILE)],
    labels: Labels = None,
    html: Page = None,
    as_json: AsJson = False,
    replicates: Replicates = 1000,
):
    """Judge a model's predictions: metrics with intervals, risk and coverage, reliability, groups, confident errors."""
    from ..book import report, report_text
    from ..prediction_files import read

    predictions = read(file, labels)
    found = report.summary(predictions, replicates)
    if html:
        from ..book import report_page

        html.write_text(report_page.evaluation(found, predictions), "utf-8")
    if as_json:
        print(json.dumps(found, allow_nan=False))
    else:
        report_text.evaluation(found)


@app.command()
def compare(
    files: Annotated[list[Path], typer.Argument(help="Two or more files of predictions of the same items")],
    labels: Labels = None,
    html: Page = None,
    as_json: AsJson = False,
    replicates: Replicates = 2000,
):
    """Compare models with the first one, on the same items: paired bootstrap, adjusted by Holm."""
    from .. import intervals
    from ..book import report, report_text
    from ..prediction_files import read

    systems = [read(file, labels) for file in files]
    named = {s.name for s in systems}
    if len(named) < len(systems):
        raise ValueError(f"{len(systems)} files have the names {', '.join(sorted(named))}; give each its own")
    systems = [s if s.split is None else report.judged(s)[0] for s in systems]
    rows = intervals.compare(systems, replicates=replicates)
    if html:
        from ..book import report_page

        reports = [report.summary(s, replicates=10) for s in systems]
        html.write_text(report_page.comparison(rows, systems, reports), "utf-8")
    if as_json:
        print(json.dumps([asdict(row) | {"excludes_zero": row.excludes_zero, "better": row.better} for row in rows]))
    else:
        report_text.differences(rows, systems[0].name)


@app.command()
def threshold(
    file: Annotated[Path, typer.Argument(help=f"{_FILE}; calibration items, or with a column `split`")],
    risk: Annotated[float, typer.Option(help="Largest share of incorrect answers to promise, such as 0.02")],
    confidence: Annotated[float, typer.Option(help="Probability with which the promise is kept")] = 0.95,
    test: Annotated[Path | None, typer.Option(help="Other predictions, to see what the threshold does there")] = None,
    by_group: Annotated[
        bool, typer.Option("--by-group", help="A threshold for each group; all promises together")
    ] = False,
    method: Annotated[str, typer.Option(help="fixed, sgr or monotone; they assume different things")] = "fixed",
    labels: Labels = None,
    as_json: AsJson = False,
):
    """Choose the threshold of largest coverage that can promise a risk; exit code 1 where none can."""
    from .. import selective
    from ..book import report_text
    from ..prediction_files import read

    predictions = read(file, labels)
    items, others = predictions, None
    if predictions.split is not None:
        items, others = predictions.part("calibration"), predictions.part("test")
        if items is None:
            raise ValueError(f"{file}: its split has no calibration items; a threshold is never chosen on test items")
    if test is not None:
        if test.suffix.lower() == ".npy":
            raise ValueError(f"{test}: other predictions hold their own labels; give a .npz, .csv or .parquet")
        others = read(test)
        others = others if others.split is None else others.part("test")
        if others is None:
            raise ValueError(f"{test}: its split has no test items")
    if by_group and items.group is None:
        raise ValueError(f"{file}: --by-group needs a column or array named group")
    if by_group and others is not None and others.group is None:
        raise ValueError(f"{test}: --by-group needs a column or array named group")
    arguments = (risk, confidence, method)
    if by_group:
        found = selective.choose_by_group(items.confidence, items.correct, items.group, *arguments)
    else:
        found = {None: selective.choose_threshold(items.confidence, items.correct, *arguments)}
    rows = []
    for group, chosen in found.items():
        own = others
        if by_group and others is not None:
            own = others.take(others.group == group) if (others.group == group).any() else None
        rows.append((group, chosen, own and selective.outcome(chosen.threshold, own.confidence, own.correct)))
    if as_json:
        print(json.dumps([_plain(*row) for row in rows]))
    else:
        report_text.thresholds(rows, confidence, selective.METHODS[method].assumes)
    if not any(chosen.found for chosen in found.values()):
        raise typer.Exit(1)


def _plain(group, chosen, outcome):
    def finite(values):
        return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in values.items()}

    plain = finite(asdict(chosen)) | {"coverage": chosen.coverage, "found": chosen.found}
    plain |= finite({"bound": chosen.bound})
    plain["accepts_everything"] = chosen.threshold == -math.inf
    return ({} if group is None else {"group": group}) | plain | {"test": outcome and finite(asdict(outcome))}
