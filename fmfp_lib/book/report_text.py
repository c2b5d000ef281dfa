"""What `fmfp evaluate`, `compare` and `threshold` find, in a terminal."""

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .report import SHOWN, WORTH_SAYING

LONGEST = 16  # the widest bar, in characters
NO_NAME = "(none)"  # what a group without a name is called
GROUPS = 12  # shown of each end of a long list


def number(value, factor: float = 1, decimals: int = 2) -> str:
    """Return a value in print, and a dash for None.

    Parameters
    ----------
    value : float or None
        The value.
    factor : float
        Multiplies the value before it is printed.
    decimals : int
        Digits after the decimal point.

    Returns
    -------
    str
        Plain text.
    """
    return "-" if value is None else f"{factor * value:.{decimals}f}"


def with_interval(row: dict, name: str, factor: float = 100, decimals: int = 2) -> str:
    """Return ``value [low, high]`` of a row of the report.

    Parameters
    ----------
    row : dict
        Holds `name`, ``low`` and ``high``.
    name : str
        Key of the value.
    factor : float
        Multiplies the value before it is printed.
    decimals : int
        Digits after the decimal point.

    Returns
    -------
    str
        Plain text.
    """
    text = number(row[name], factor, decimals)
    if row["low"] is None:
        return text
    return f"{text} [{number(row['low'], factor, decimals)}, {number(row['high'], factor, decimals)}]"


def metric_table(report: dict) -> tuple:
    """Return the heads and the rows of the metrics with their intervals."""
    rows = []
    for name, row in report["metrics"].items():
        factor, heading = SHOWN[name]
        ends = "" if row["low"] is None else f"{factor * row['low']:.2f} to {factor * row['high']:.2f}"
        rows.append((heading, number(row["value"], factor), ends))
    return ("", "value", "95 % interval"), rows


def confidence_in_words(value: float | str) -> str:
    """Return a confidence as it is printed; an infinite one is *inf* or *-inf*."""
    return f"{float(value):.6g}"


def risk_table(report: dict) -> tuple:
    """Return the heads and the rows of the risk at some coverages."""
    rows = [
        (number(row["coverage"], 100, 1), f"{row['accepted']:,}", f"{row['errors']:,}", with_interval(row, "risk"),
         confidence_in_words(row["confidence_at_least"]))
        for row in report["risk_at_coverage"]
    ]  # fmt: skip
    return ("coverage %", "items", "errors", "risk % [95 %]", "confidence from"), rows


def reliability_table(report: dict) -> tuple:
    """Return the heads and the rows of the accuracy by confidence."""
    rows = [
        (f"{row['from']:.2f} to {row['to']:.2f}", f"{row['items']:,}", number(row["confidence"], 100, 1),
         with_interval(row, "accuracy", 100, 1), off_diagonal(row))
        for row in report["reliability"]
    ]  # fmt: skip
    return ("confidence", "items", "mean confidence %", "accuracy % [95 %]", ""), rows


def group_table(groups: list) -> tuple:
    """Return the heads and the rows of the risk by group."""
    rows = [
        (row["group"] or NO_NAME, f"{row['items']:,}", f"{row['errors']:,}", with_interval(row, "risk"))
        for row in groups
    ]
    return ("group", "items", "errors", "risk % [95 %]"), rows


def error_table(found: list) -> tuple:
    """Return the heads and the rows of the errors of the highest confidence, at least one."""
    heads = list(found[0])
    return heads, [[confidence_in_words(row[h]) if h == "confidence" else str(row[h]) for h in heads] for row in found]


def difference(row) -> tuple:
    """Return a row of differences: metric, both values, their difference with its interval, and p."""
    factor, heading = SHOWN[row.metric]
    ends = f"{factor * row.difference:+.2f} [{factor * row.low:+.2f}, {factor * row.high:+.2f}]"
    return heading, number(row.first, factor), number(row.other, factor), ends, f"{row.p_holm:.3f}"


def _table(console, title, heads, rows, left=(0,)):
    """Print rows of text under a title; columns but those of `left` are set to the right."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="")
    for i, head in enumerate(heads):
        table.add_column(Text(head), justify="left" if i in left else "right")
    for row in rows:
        table.add_row(*map(Text, row))
    console.print()
    console.print(Text(title, "bold"))
    console.print(table)


def evaluation(report: dict, console: Console | None = None) -> None:
    """Print what `report.summary` returns.

    Parameters
    ----------
    report : dict
        What `report.summary` returns.
    console : rich.console.Console, optional
        Where to print; standard output by default.
    """
    console = console or Console(highlight=False)
    counts = f": {report['items']:,} items, {report['errors']:,} errors; read as {report['kind']}"
    console.print(Text.assemble((report["name"], "bold"), counts))
    for note in report["notes"]:
        console.print(Text(f"Note: {note}"))
    _table(console, "Metrics", *metric_table(report))
    if words := about_ece(report):
        console.print(Text(words))
    _table(console, "Risk and coverage", *risk_table(report))
    if report["reliability"]:
        _table(console, "Reliability", *reliability_table(report), (0, 4))
    if report["histogram"]:
        _histogram(report["histogram"], console)
    if report["groups"]:
        _groups(report, console)
    if report["confident_errors"]:
        _table(console, "Errors of the highest confidence", *error_table(report["confident_errors"][:10]))


def about_ece(report: dict) -> str:
    """Say what ECE a calibrated model would show on so many items; nothing where that is small beside the estimate.

    Parameters
    ----------
    report : dict
        What `report.summary` returns.

    Returns
    -------
    str
        One sentence, or nothing.
    """
    expected = report["calibrated_ece"]
    if expected is None or expected <= WORTH_SAYING * report["metrics"]["ece"]["value"]:
        return ""
    return (
        f"ECE and its interval are of the plug-in value, which noise raises: a calibrated model with these confidences "
        f"would show about {100 * expected:.2g} % on {report['items']:,} items."
    )


def off_diagonal(row: dict) -> str:
    """Return ``over-confident`` or ``under-confident`` where the interval of a bin's accuracy excludes its mean
    confidence.
    """
    if row["low"] <= row["confidence"] <= row["high"]:
        return ""
    return "over-confident" if row["confidence"] > row["accuracy"] else "under-confident"


def _histogram(found, console):
    block = "\u2588" if console.encoding.lower().startswith("utf") else "#"
    shares = {}
    for name in ("right", "wrong"):  # two bins in one line
        counts = [a + b for a, b in zip(found[name][::2], found[name][1::2], strict=True)]
        shares[name] = [count / max(sum(counts), 1) for count in counts]
    highest = max(*shares["right"], *shares["wrong"])
    rows = []
    ends = found["edges"][:-1:2], found["edges"][2::2]
    for low, high, correct, incorrect in zip(*ends, *shares.values(), strict=True):
        bars = [block * round(LONGEST * share / highest) for share in (correct, incorrect)]
        row = f"{low:.3g} to {high:.3g}", f"{100 * correct:.1f}", bars[0], f"{100 * incorrect:.1f}", bars[1]
        if rows or correct or incorrect:
            rows.append(row)
    heads = ("confidence", "correct %", "", "incorrect %", "")
    _table(console, "Where correct and incorrect predictions lie", heads, rows, (0, 2, 4))


def _groups(report, console):
    found = report["groups"]
    heads, rows = group_table(found)
    if len(found) > 2 * GROUPS:
        rows[GROUPS:-GROUPS] = [(f"... {len(found) - 2 * GROUPS} more", "", "", "")]
    _table(console, "Risk by group, nothing rejected", heads, rows)
    worst = next(row for row in found if row["group"] == report["worst_group"])
    name = worst["group"] or NO_NAME
    words = f"Worst group, by the lower end of its interval: {name}, {with_interval(worst, 'risk')} %."
    console.print(Text(words))


def differences(rows, first: str) -> None:
    """Print what `intervals.compare` returns; `first` is the system that the others are compared with.

    Parameters
    ----------
    rows : sequence
        What `intervals.compare` returns.
    first : str
        Name of the system that the others are compared with.
    """
    console = Console(highlight=False)
    for system in dict.fromkeys(row.system for row in rows):
        lines = [difference(row) for row in rows if row.system == system]
        heads = ("", first, system, "difference [95 %]", "p, Holm")
        _table(console, f"{system} against {first}", heads, lines)
    console.print()
    for line in differences_in_words(rows, first):
        console.print(Text(line))


def differences_in_words(rows, first: str) -> list[str]:
    """Say of each system where it is better or worse than the first, and what Holm's adjustment leaves of that.

    Parameters
    ----------
    rows : sequence
        What `intervals.compare` returns.
    first : str
        Name of the system that the others are compared with.

    Returns
    -------
    list of str
        One sentence per system.
    """
    sentences = []
    for system in dict.fromkeys(row.system for row in rows):
        own = [row for row in rows if row.system == system]
        parts = []
        for word, side in (("better", True), ("worse", False)):
            names = [SHOWN[r.metric][1].split()[0].rstrip(",") for r in own if r.excludes_zero and r.better is side]
            if names:
                parts.append(f"{word} in {', '.join(names)}")
        kept = sum(row.p_holm < 0.05 for row in own)
        excluded = sum(row.excludes_zero for row in own)
        text = (
            f"{system} is {' and '.join(parts)} (the 95 % interval excludes 0)"
            if parts
            else (f"{system}: no 95 % interval excludes 0")
        )
        holm = f"; adjusted by Holm for all {len(rows)} comparisons, {kept} of {excluded} remain" if excluded else ""
        sentences.append(text + holm + ".")
    return sentences


def thresholds(rows, level: float, assumes: str, console: Console | None = None) -> None:
    """Print thresholds: `rows` of (group or nothing, selective.Threshold, selective.Outcome or None).

    Parameters
    ----------
    rows : sequence of tuple
        Group or nothing, selective.Threshold, selective.Outcome or None.
    level : float
        Probability with which the promise holds, in (0, 1).
    assumes : str
        What the promise assumes, in words.
    console : rich.console.Console, optional
        Where to print; standard output by default.
    """
    console = console or Console(highlight=False)
    found = [chosen for _, chosen, _ in rows if chosen.found]
    by_group = rows[0][0] is not None
    if by_group:
        _by_group(rows, console)
    else:
        _of_all(rows[0][1], console)
    if not found:
        return
    where = " in each of these groups at once" if by_group else ""
    promise = f"Promise: with a probability of {100 * level:g} %, the risk is at most {100 * found[0].risk:g} %{where}."
    words = "Assumed: calibration items and later ones are independent draws from one population, and "
    words += f"{assumes} (method {found[0].method})."
    for line in (promise, words):
        console.print(Text(line))
    if all(outcome is None for *_, outcome in rows):
        console.print(Text("No test items were given: judge the threshold on others than those that it was chosen by."))
    elif not by_group:
        console.print(Text(_test_in_words(*rows[0][1:])))


def _of_all(chosen, console):
    if not chosen.found:
        console.print(Text(f"No threshold. {chosen.reason[0].upper()}{chosen.reason[1:]}."))
        return
    rule = f"above {chosen.threshold:.17g}" if chosen.threshold > float("-inf") else "whatever it is: all items"
    console.print(Text.assemble("Answer where the confidence is ", (rule, "bold"), "."))
    words = f"{chosen.accepted:,} of {chosen.n:,} calibration items are accepted, a coverage of "
    words += f"{100 * chosen.coverage:.1f} %; {chosen.errors:,} of them are wrong, so with "
    words += f"{100 * (1 - chosen.delta):.4g} % confidence the risk is at most "
    console.print(Text(f"{words}{100 * chosen.bound:.2f} %."))


def _by_group(rows, console):
    lines = []
    for group, chosen, outcome in rows:
        rule = "all" if chosen.threshold == float("-inf") else f"{chosen.threshold:.8g}" if chosen.found else "none"
        coverage = number(chosen.coverage, 100, 1) if chosen.found else ""
        done = ("", "")
        if chosen.found and outcome is not None:
            risk = with_interval(vars(outcome), "risk") if outcome.accepted else ""
            done = number(outcome.coverage, 100, 1), risk
        lines.append((group or NO_NAME, rule, f"{chosen.n:,}", coverage, *done))
    heads = ("group", "answer above", "items", "cov.", "test cov.", "test risk [95 %]")
    _table(console, "Thresholds from calibration items; coverage (cov.) and risk in %", heads, lines)
    console.print()
    if not all(chosen.found for _, chosen, _ in rows):
        words = "None: too few items, or too many errors among the surest; --json has the reasons."
        console.print(Text(words))


def _test_in_words(chosen, outcome):
    if not outcome.accepted:
        return f"None of {outcome.n:,} test items is accepted."
    text = f"Test: {outcome.accepted:,} of {outcome.n:,} items accepted ({100 * outcome.coverage:.1f} %), risk "
    text += f"{with_interval(vars(outcome), 'risk')} %."
    if outcome.low > chosen.risk:
        text += " The interval lies above the promise: these items are not like the calibration items, or this is one "
        text += f"of the {100 * (1 - chosen.level):.2g} cases in a hundred."
    return text
