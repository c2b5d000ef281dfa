"""The pages of the book in one, for printing: links lead within it, and what needs scripts is left out."""

from pathlib import Path

import make_pdf
import yaml
from bs4 import BeautifulSoup

ROOT = Path(__file__).resolve().parent.parent
PAGE = """<html><head><title>{title}</title><link rel="stylesheet" href="../_static/a.css"></head><body><nav>menu</nav>
<article><h1 id="top">{title}</h1><a href="{link}">go</a><a href="https://example.org/">out</a>
<img src="../images/x.png"><details><summary>s</summary>hidden</details><script>alert(1)</script>
<noscript><p>still</p></noscript></article></body></html>"""


def test_pages_are_joined_and_links_lead_within(tmp_path):
    for name, link in (("book/index", "../notebooks/00.html#top"), ("notebooks/00", "../book/other.html")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.html").write_text(PAGE.format(title=name, link=link))
    page = BeautifulSoup(make_pdf.joined(["book/index", "notebooks/00"], tmp_path), "html.parser")
    articles = page.find_all("article")
    assert [a["id"] for a in articles] == ["book-index", "notebooks-00"]
    assert articles[0].a["href"] == "#notebooks-00--top" and page.find(id="notebooks-00--top")
    assert articles[1].a["href"] == "../book/other.html"  # not printed: left as it is
    assert {i["src"] for i in page.find_all("img")} == {"images/x.png"} and page.link["href"] == "_static/a.css"
    assert all(d.has_attr("open") for d in page.find_all("details"))
    assert not page.find("script") and not page.find("nav") and "still" in page.text


def test_every_page_of_the_contents_is_printed_but_those_of_no_use_on_paper():
    toc = yaml.safe_load((ROOT / "book" / "_toc.yml").read_text("utf-8"))
    every = [toc["root"], *(c["file"] for p in toc["parts"] for c in p["chapters"])]
    printed = make_pdf.pages(ROOT / "book" / "_toc.yml")
    assert set(every) - set(printed) == make_pdf.LEFT_OUT and printed[0] == "book/index"
