"""Print the built book as one PDF: ``python scripts/make_pdf.py [--out FILE]`` after ``make book``.

All pages of the table of contents are put into one, links between them become links within it, and Chromium prints it.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urldefrag, urljoin

import yaml
from bs4 import BeautifulSoup

ROOT = Path(__file__).resolve().parent.parent
HTML = ROOT / "_build" / "html"
LEFT_OUT = {"book/explorer", "book/play", "book/api"}  # of no use on paper
STYLE = """
@page { size: A4; margin: 18mm 15mm; }
body { font-size: 10.5pt; }
article { break-before: page; max-width: none; }
article:first-of-type { break-before: auto; }
.headerlink, .copybtn, .home-slider input, .sd-tab-label, button { display: none !important; }
pre, figure, img, tr, .claim-card { break-inside: avoid; }
img, svg { max-width: 100%; height: auto; }
details > *:not(summary) { display: block; }
"""


def pages(toc: Path) -> list[str]:
    """Return the book's pages in order, without suffix, as the table of contents names them."""
    content = yaml.safe_load(toc.read_text("utf-8"))
    found = [content["root"]] + [chapter["file"] for part in content["parts"] for chapter in part["chapters"]]
    return [page for page in found if page not in LEFT_OUT]


def joined(names: list[str], html: Path = HTML) -> str:
    """Return one page made of all, their ids and the links between them prefixed by the page's name."""
    first = BeautifulSoup((html / f"{names[0]}.html").read_text("utf-8"), "html.parser")
    mark = {name: re.sub(r"\W", "-", name) for name in names}
    articles = []
    for name in names:
        page = BeautifulSoup((html / f"{name}.html").read_text("utf-8"), "html.parser")
        article = page.find("article")
        for tag in article.find_all(["script", "noscript"]):
            if tag.name == "noscript":
                tag.unwrap()
            elif "math/tex" not in tag.get("type", ""):
                tag.decompose()
        for tag in article.find_all(id=True):
            tag["id"] = f"{mark[name]}--{tag['id']}"
        for tag in article.find_all("details"):
            tag["open"] = ""
        for tag in article.find_all("img", src=True):
            if not tag["src"].startswith("data:"):
                tag["src"] = urljoin(f"{name}.html", tag["src"])
        for tag in article.find_all("a", href=True):
            target, anchor = urldefrag(urljoin(f"{name}.html", tag["href"]))
            to = target.removesuffix(".html")
            if to in mark:
                tag["href"] = f"#{mark[to]}" + (f"--{anchor}" if anchor else "")
        article["id"] = mark[name]
        articles.append(str(article))
    head = first.head
    for tag in head.find_all("link", href=True):
        tag["href"] = urljoin(f"{names[0]}.html", tag["href"])
    for tag in first.find_all("script", src=True):
        tag["src"] = urljoin(f"{names[0]}.html", tag["src"])
    mathjax = "".join(str(tag) for tag in first.find_all("script") if "mathjax" in str(tag).lower())
    sheets = "".join(str(tag) for tag in head.find_all("link", rel="stylesheet"))
    return (
        f'<!DOCTYPE html><html lang="en" data-theme="light" data-mode="light"><head><meta charset="utf-8">'
        f"<title>{head.title.string}</title>{sheets}{mathjax}<style>{STYLE}</style></head>"
        f'<body class="bd-article">{"".join(articles)}</body></html>'
    )


def chromium() -> str:
    """Return the browser's path, from ``FMFP_CHROMIUM`` or the search path."""
    names = (os.environ.get("FMFP_CHROMIUM"), "chromium", "google-chrome")
    found = next((path for path in map(shutil.which, filter(None, names)) if path), None)
    if found is None:
        sys.exit("Chromium is needed to print; install it, or name a browser in FMFP_CHROMIUM")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "_build" / "book.pdf")
    out = parser.parse_args().out.resolve()
    if not (HTML / "index.html").is_file():
        sys.exit("there is no book in _build/html; run make book first")
    page = HTML / "print.html"
    page.write_text(joined(pages(ROOT / "book" / "_toc.yml")), "utf-8")
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(
            [chromium(), "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}",
             "--virtual-time-budget=120000", "--no-pdf-header-footer", f"--print-to-pdf={out}", page.as_uri()],
            check=True, capture_output=True,
        )  # fmt: skip
    page.unlink()
    print(out)


if __name__ == "__main__":
    main()
