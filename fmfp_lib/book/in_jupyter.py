"""The book's dropdowns as Jupyter shows them, for the student versions of the notebooks."""

import re

OPENING = re.compile(r"(?P<fence>`{3,}|:{3,})\{dropdown\}\s*(?P<title>.*)", re.IGNORECASE)


def folds(text: str) -> str:
    """Return Markdown `text` with each ``{dropdown}`` as a fold in HTML, its content still Markdown.

    Parameters
    ----------
    text : str
        As MyST reads it; dropdowns may stand inside one another.

    Returns
    -------
    str
        As Jupyter reads it.
    """
    lines, fences = [], []
    for line in text.splitlines():
        opening = OPENING.fullmatch(line.strip())
        if opening:
            fences.append(opening["fence"])
            lines += ["", "<details>", f"<summary>{opening['title']}</summary>", ""]
        elif fences and line.strip() == fences[-1]:
            fences.pop()
            lines += ["", "</details>", ""]
        else:
            lines.append(line)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n") if OPENING.search(text) else text


def show_folds() -> None:
    """Let the running notebook show the dropdowns of all Markdown that its cells compute."""
    from IPython import get_ipython
    from IPython.display import Markdown

    formatter = get_ipython().display_formatter.formatters["text/markdown"]
    formatter.for_type(Markdown, lambda shown: folds(shown.data))
