"""Every page of the book in a browser: errors, requests, links, search, phones, and axe's rules for all readers."""

from functools import cache
from html.parser import HTMLParser
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe

from .conftest import BOOK

PAGES = sorted(p.relative_to(BOOK).as_posix() for p in BOOK.rglob("*.html") if "_static" not in p.parts)
# The pages of source code are of one make: one of them stands for all where a page is opened.
SOURCES = [p for p in PAGES if p.startswith("_modules/fmfp_lib/")]
OPENED = [p for p in PAGES if p not in [*SOURCES[1:], "index.html"]]  # which only leads to the home page
MAIN = ["book/index.html", "notebooks/00_quickstart.html", "notebooks/01_problem.html", "slides/index.html"]


def test_the_book_is_all_here():
    assert len(OPENED) > 30 and set(MAIN) < set(PAGES)


def settled(page):
    """Wait until all formulas are set, the explorer is drawn and the colours of the theme have stopped changing."""
    page.evaluate("window.MathJax?.startup?.promise")
    page.evaluate("Promise.allSettled(document.getAnimations().map(a => a.finished))")
    if page.url.endswith("explorer.html"):
        page.wait_for_selector("#explorer:not([hidden]) tbody tr")


def violations(page, options=None):
    """Return what axe finds, a line an element: the rule, where, the HTML, what is wrong."""
    # Axe would otherwise load the style sheets again, by addresses that are not theirs.
    found = Axe().run(page, options={"resultTypes": ["violations"], "preload": False} | (options or {})).response
    return [
        f"{rule['id']}: {' '.join(map(str, node['target']))}: {node['html'][:150]}: {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


def only(*rules):
    return {"runOnly": {"type": "rule", "values": rules}}


@pytest.mark.parametrize("name", OPENED)
def test_a_page_in_light(visit, book, name):
    page = visit(f"{book}/{name}")
    settled(page)
    assert violations(page) == []
    broken = page.eval_on_selector_all("mjx-merror, [data-mjx-error], .problematic", "all => all.map(e => e.outerHTML)")
    assert broken == [], "a formula or a reference is broken"
    images = page.eval_on_selector_all("img", "all => all.filter(i => i.complete && !i.naturalWidth).map(i => i.src)")
    assert images == [], "an image does not load"


@pytest.mark.parametrize("name", OPENED)
def test_a_page_in_dark_and_on_a_phone(visit, book, name):
    page = visit(f"{book}/{name}", theme="dark")
    settled(page)
    assert violations(page, only("color-contrast", "link-in-text-block")) == []  # the other rules know no theme
    wrong = page.eval_on_selector_all(
        '.bd-article img[src$=".svg"]',
        """all => all.filter(i =>
        getComputedStyle(i).filter.includes("invert") === !!i.closest(".tag_photographs")).map(i => i.src)""",
    )
    assert wrong == [], "a drawing is light on a dark page, or a photograph is a negative"
    page.set_viewport_size({"width": 390, "height": 844})
    page.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done, 350)))")  # the theme's resize
    assert violations(page, only("scrollable-region-focusable")) == []
    # What sticks out of the page, unless a box around it scrolls or cuts it off.
    wide = page.evaluate("""() => [...document.querySelectorAll("body *")].filter(e => {
        const box = e.getBoundingClientRect();
        if (box.right <= 391 || !box.width || !e.checkVisibility({visibilityProperty: true})) return false;
        for (let p = e.parentElement; p && p !== document.body; p = p.parentElement)
            if (getComputedStyle(p).overflowX !== "visible" || getComputedStyle(p).position === "fixed") return false;
        return getComputedStyle(e).position !== "fixed";
    }).slice(0, 5).map(e => e.outerHTML.slice(0, 150))""")
    assert page.evaluate("document.documentElement.scrollWidth") == 390, wide


@pytest.mark.parametrize("name", MAIN)
def test_the_main_pages_open_from_disk(visit, name):
    page = visit((BOOK / name).as_uri())
    settled(page)
    assert page.locator("h1:visible").count()


def test_the_front_door_leads_home(visit, book):
    visit(f"{book}/index.html").wait_for_url("**/book/index.html")


def test_search_finds_coverage(visit, book):
    page = visit(f"{book}/search.html?q=coverage")
    page.wait_for_selector("#search-results li a")
    found = page.eval_on_selector_all("#search-results li a", "all => all.map(a => a.getAttribute('href'))")
    assert any("book/glossary.html" in href for href in found), found
    assert any("book/explorer.html" in href for href in found), found


class Links(HTMLParser):
    """What a page refers to, with the line of each, and the anchors that it has."""

    def __init__(self, text):
        super().__init__()
        self.links, self.anchors = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        """Keep the addresses and the anchors of one element."""
        values = dict(attributes)
        self.anchors |= {values[key] for key in ("id", "name") if values.get(key)}
        self.links += [(self.getpos()[0], values[key]) for key in ("href", "src") if values.get(key)]


@cache
def parsed(path):
    return Links(path.read_text("utf-8"))


def test_every_internal_link_and_anchor_resolves():
    dead = []
    for name in PAGES:
        for line, link in parsed(BOOK / name).links:
            target = urlsplit(urljoin(f"http://book/{name}", link))
            if target.netloc != "book":
                continue
            path = BOOK / unquote(target.path).lstrip("/")
            fragment = unquote(target.fragment)
            if not path.is_file() or not path.resolve().is_relative_to(BOOK.resolve()):
                dead.append(f"{name}:{line}: {link}: no such file")
            elif fragment and "=" not in fragment and path.suffix == ".html":  # with "=", a view of the explorer
                if fragment not in parsed(path).anchors:
                    dead.append(f"{name}:{line}: {link}: no such anchor")
    assert dead == []
