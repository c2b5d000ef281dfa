"""Titles of folds, so that no two folds of a page have the same."""


def named(text: str, title: str) -> str:
    """Return Markdown of `markdown.folded` or `markdown.grouped` with a title of its own on the fold.

    Parameters
    ----------
    text : str
        What one of them returned.
    title : str
        In place of *The other networks*.

    Returns
    -------
    str
        Markdown; as it was where it has no such fold.
    """
    return text.replace("{dropdown} The other networks\n", f"{{dropdown}} {title}\n")
