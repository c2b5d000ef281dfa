"""What the book takes from CITATION.cff: BibTeX entries, and the repository's address for the launch buttons."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent


def load(path: Path = ROOT / "CITATION.cff") -> dict:
    """Return the content of CITATION.cff."""
    return yaml.safe_load(path.read_text())


def _names(authors) -> str:
    # A name without parts is an institution's: braces keep it whole.
    return " and ".join(
        f"{a['family-names']}, {a['given-names']}" if "family-names" in a else f"{{{a['name']}}}" for a in authors
    )


def _entry(kind, key, fields) -> str:
    width = max(map(len, fields))
    body = ",\n".join(f"  {name:<{width}} = {{{value}}}" for name, value in fields.items() if value)
    return f"```bibtex\n@{kind}{{{key},\n{body}\n}}\n```\n"


def paper(citation: dict) -> str:
    """Return the paper's BibTeX entry as a Markdown code block."""
    work = citation["references"][0]
    first = work["authors"][0]["family-names"].lower()
    return _entry("inproceedings", f"{first}{work['year']}rethinking", {
        "author": _names(work["authors"]), "title": work["title"], "booktitle": work["conference"]["name"],
        "year": work["year"], "url": work.get("url"),
    })  # fmt: skip


def companion(citation: dict) -> str:
    """Return this software's BibTeX entry as a Markdown code block."""
    return _entry("software", "fmfp_companion", {
        "author": _names(citation["authors"]), "title": citation["title"], "version": citation["version"],
        "year": str(citation["date-released"])[:4],
        "license": citation["license"], "url": citation.get("repository-code"),
    })  # fmt: skip


def with_repository(config: dict, citation: dict, branch: str = "main") -> dict:
    """Return the book's configuration with the repository's links and launch buttons, if its address is known.

    The address is `repository-code` in CITATION.cff, and nowhere else. Without it the configuration stays as it is: no
    button is better than one that leads nowhere. Binder opens any public repository, Colab those on GitHub only.

    Raises
    ------
    ValueError
        If the address is not of the form ``https://host/owner/name``.
    """
    url = (citation.get("repository-code") or "").removesuffix(".git").rstrip("/")
    if not url:
        return config
    if not re.fullmatch(r"https://[\w.-]+/[\w.-]+/[\w.-]+", url):
        raise ValueError(f"repository-code in CITATION.cff is {url!r}; it must look like https://github.com/owner/name")
    buttons = {"notebook_interface": "jupyterlab", "binderhub_url": "https://mybinder.org"}
    if url.startswith("https://github.com/"):
        buttons["colab_url"] = "https://colab.research.google.com"
    return config | {
        "repository": {"url": url, "path_to_book": "", "branch": branch},
        "launch_buttons": buttons,
        "html": config.get("html", {}) | {"use_repository_button": True, "use_issues_button": True},
    }
