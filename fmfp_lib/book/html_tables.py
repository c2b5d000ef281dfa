"""Tables in HTML, for pages that need what Markdown cannot say: captions, classes, boxes that scroll."""

import html

import pandas as pd

from .names import DISPLAY, name


def table(heads, rows, caption: str, kind: str = "facts") -> str:
    """Return an HTML table in a box that scrolls; cells and caption are HTML already.

    `kind` is its class: ``facts`` for short cells, ``evidence`` for sentences too, which wrap.

    Parameters
    ----------
    heads : sequence of str
        Headings of the columns.
    rows : iterable of sequence of str, or str
        The cells; a row that is one text heads the rows below it.
    caption : str
        Text above the table.
    kind : str
        ``facts`` or ``evidence``.

    Returns
    -------
    str
        HTML.
    """
    head = "".join(f'<th scope="col">{h}</th>' for h in heads)
    body = "\n".join(
        f'<tr><th colspan="{len(heads)}">{row}</th></tr>'
        if isinstance(row, str)
        else "<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll" tabindex="0"><table class="{kind}"><caption>{caption}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def frame(data: pd.DataFrame, caption: str, published=(), digits: int = 2, kind: str = "facts") -> str:
    """Return a DataFrame as `table`, its index as the first column, names as print has them.

    Parameters
    ----------
    data : DataFrame
        Cells may be tuples of names.
    caption : str
        Plain text.
    published : sequence of str
        Columns that hold numbers of the paper; they get the class ``published``.
    digits : int
        Of floats; NaN becomes a dash.
    kind : str
        As in `table`.

    Returns
    -------
    str
        HTML.
    """

    def text(value):
        if isinstance(value, tuple):
            return ", ".join(text(v) for v in value)
        if isinstance(value, str):
            return html.escape(heading(value))
        if pd.isna(value):
            return "–"
        if isinstance(value, float) and abs(value) < 1e-9:
            value = 0.0  # not the noise of a subtraction
        if isinstance(value, float) and 0 < value < 0.5 * 10**-digits:
            return f"&lt;{10**-digits:.{digits}f}"
        return f"{value:.{digits}f}".replace("-", "\u2212") if isinstance(value, float) else str(value)

    def heading(key):
        key = str(key)
        return DISPLAY[key][1] if key in DISPLAY else name(key).replace("_", " ")

    flat = data.reset_index() if data.index.name else data
    if data.index.nlevels > 1:
        flat = data.reset_index(drop=True)
        flat.insert(0, ", ".join(map(heading, data.index.names)), data.index.to_flat_index())
    rows = [
        [f'<em class="published">{text(v)}</em>' if c in published else text(v) for c, v in zip(flat, row, strict=True)]
        for row in flat.itertuples(index=False, name=None)
    ]
    return table([html.escape(heading(c)) for c in flat], rows, html.escape(caption), kind)
