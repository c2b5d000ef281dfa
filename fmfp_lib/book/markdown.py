"""Tables in Markdown, and numbers as the book prints them: mean ± deviation, difference [95 % interval]."""

import itertools

import pandas as pd

from .names import display, name


def table(heading, rows, words: int = 1, align: str = "") -> str:
    """Return a table in Markdown.

    Parameters
    ----------
    heading : sequence of str
        One name per column.
    rows : iterable of sequences of str
        One cell per column.
    words : int
        The first so many columns hold words, which are set left; the others hold numbers, which are set right.
    align : str
        Where words and numbers take turns: ``l`` or ``r`` for each column.

    Returns
    -------
    str
        Markdown.
    """
    align = align or "l" * words + "r" * (len(heading) - words)
    rule = ["---:" if side == "r" else "---" for side in align]
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in (heading, rule, *rows))


UNDEFINED = "not defined"  # what stands for NaN


def plus_minus(values, factor: float = 1.0, decimals: int = 2) -> str:
    """Return mean ± standard deviation (ddof = 1) of `values` times `factor`, on one line; one value has no spread.

    What is not defined (NaN) is left out and counted, in words.

    Parameters
    ----------
    values : array_like, (s,)
        One value per seed.
    factor : float
        Multiplies the value before it is printed.
    decimals : int
        Digits after the decimal point.

    Returns
    -------
    str
        Markdown.
    """
    values = factor * pd.Series(values)
    defined = values.dropna()
    if defined.empty:
        return UNDEFINED
    spread = f"\u00a0±\u00a0{defined.std():.{decimals}f}" if len(defined) > 1 else ""
    missing = f" (defined for {len(defined)} of {len(values)})" if len(defined) < len(values) else ""
    return f"{defined.mean():.{decimals}f}{spread}{missing}"


def signed(value: float, digits: int = 2) -> str:
    """Return a number with its sign, a true minus.

    Parameters
    ----------
    value : float
    digits : int
        After the decimal point.

    Returns
    -------
    str
        Such as ``−0.50``; what rounds to zero has no sign.
    """
    text = f"{value:+.{digits}f}".replace("-", "\u2212")
    return text if float(text.replace("\u2212", "-")) else text[1:]


def apart(value: float, *limits: float) -> str:
    """Return a number with its sign and two decimals, or as many as show that it is neither 0 nor one of `limits`.

    Parameters
    ----------
    value : float
    *limits : float
        A limit that is NaN counts for nothing.

    Returns
    -------
    str
        Such as ``+0.0004``; with two decimals where eight do not tell it from a limit.
    """
    enough = (d for d in range(2, 9) if all(round(value, d) != round(limit, d) for limit in (0.0, *limits)))
    return signed(value, next(enough, 2))


def interval(estimate, factor: float = 1.0, bold: bool = True) -> str:
    """Return a (value, low, high) times `factor`, bold where the interval excludes 0; NaN ends are left out.

    A value that is NaN is told in words. No end that is not 0 is printed as 0: it gets more decimals.

    Parameters
    ----------
    estimate : tuple of float
        Value and the ends of its interval.
    factor : float
        Multiplies the value before it is printed.
    bold : bool
        Whether to set it in bold where the interval excludes 0.

    Returns
    -------
    str
        Markdown.
    """
    value, low, high = (factor * v for v in estimate)
    if value != value:
        return UNDEFINED
    # No line break but between the value and its interval.
    text = signed(value) + (f" [{apart(low)},\u00a0{apart(high)}]" if low == low else "")
    return f"**{text}**" if bold and (low > 0 or high < 0) else text


def difference(comparison, bold: bool = True) -> str:
    """Return a difference with its 95 % interval in the paper's units, bold where the interval excludes 0.

    Parameters
    ----------
    comparison : statistics.Comparison
        In natural units.
    bold : bool
        Whether to set it in bold where the interval excludes 0.

    Returns
    -------
    str
        Markdown.
    """
    return interval((comparison.difference, comparison.low, comparison.high), display(comparison.metric)[0], bold)


def difference_table(found: dict, shown: int = 0, title: str = "The other metrics") -> str:
    """Return comparisons as a Markdown table: a row a method, a column a metric.

    Parameters
    ----------
    found : dict of str to dict of str to statistics.Comparison
        By method and metric, as `compare.against_baseline` gives them.
    shown : int
        So many metrics are shown, the others behind a fold (`split`); 0 shows all.
    title : str
        Of the fold.

    Returns
    -------
    str
        Markdown.
    """
    metrics = list(next(iter(found.values()), {}))
    rows = [(name(method), *(difference(row[m]) for m in metrics)) for method, row in found.items()]
    return split(["method", *(display(m)[1] for m in metrics)], rows, shown or len(metrics), title)


def split(heading, rows, shown: int, title: str = "The other columns") -> str:
    """Return a table that is too wide for the page as two, the second behind a fold.

    Parameters
    ----------
    heading : sequence of str
        The name of each column; the first column holds words, the others numbers.
    rows : iterable of sequences of str
        One cell per column.
    shown : int
        How many columns of numbers the first table has; the fold's table repeats the first column, and has the rest.
    title : str
        Of the fold.

    Returns
    -------
    str
        Markdown; no fold where nothing is left for it.
    """
    lines = [tuple(row) for row in (heading, *rows)]
    first, rest = [row[: shown + 1] for row in lines], [(row[0], *row[shown + 1 :]) for row in lines]
    text = table(first[0], first[1:])
    return text if len(rest[0]) < 2 else f"{text}\n\n```{{dropdown}} {title}\n{table(rest[0], rest[1:])}\n```"


def grouped(heading, rows, fold: str = "The other networks") -> str:
    """Return rows as Markdown: under the name of each group a table of its own, all but the first behind a fold.

    Parameters
    ----------
    heading : sequence of str
        The name of each column; the first column holds words, the others numbers.
    rows : iterable of sequences of str
        The group's name, then one cell per column; the rows of a group stand together.
    fold : str
        Title of the fold; no two folds of a page should have the same.

    Returns
    -------
    str
        Markdown.
    """
    return folded(
        {
            title: table(heading, [row[1:] for row in group])
            for title, group in itertools.groupby(rows, key=lambda row: row[0])
        },
        fold,
    )


def folded(parts: dict[str, str], fold: str = "The other networks") -> str:
    """Return texts under their titles, as Markdown: the first one open, the others behind one fold.

    Parameters
    ----------
    parts : dict of str to str
        Markdown by title.
    fold : str
        Title of the fold.

    Returns
    -------
    str
        Markdown.
    """
    first, *others = [f"**{title}**\n\n{text}" for title, text in parts.items()] or [""]
    if not others:
        return first
    hidden = "\n\n".join(others)
    return f"{first}\n\n````{{dropdown}} {fold}\n{hidden}\n````"
