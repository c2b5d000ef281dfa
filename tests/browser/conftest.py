"""The built book on localhost, read by headless Chromium: ``make test-browser``.

`FMFP_BOOK` names another folder of pages than ``_build/html``, `FMFP_CHROMIUM` another browser than the first found.
"""

import functools
import http.server
import os
import shutil
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import sync_playwright

BOOK = Path(os.environ.get("FMFP_BOOK") or Path(__file__).resolve().parents[2] / "_build" / "html")
BROWSERS = ("chromium", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files without a line for each."""

    def log_message(self, *args):
        """Say nothing."""


@pytest.fixture(scope="session")
def book():
    """The address of the built book."""
    if not (BOOK / "index.html").exists():
        pytest.fail(f"no book in {BOOK}: run `make book` first")
    with http.server.ThreadingHTTPServer(("localhost", 0), functools.partial(Quiet, directory=BOOK)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium."""
    program = os.environ.get("FMFP_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.fail(f"no browser: install one of {', '.join(BROWSERS)}, or name one in FMFP_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser):
    """A function that opens an address in a fresh window and returns the page.

    When the test is over, no page may have reported an error or asked for anything from outside.
    """
    contexts, wrong = [], []

    def visit(address, width=1280, theme="light", **options):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.set_default_navigation_timeout(60_000)
        home = urlsplit(address)._replace(path="", query="", fragment="").geturl()

        def fetch(route):
            if route.request.url.startswith((home, "data:")):
                return route.continue_()
            wrong.append(f"{address} asked for {route.request.url}")
            return route.abort()

        page.route("**/*", fetch)
        page.on("pageerror", lambda error: wrong.append(f"{address}: {error}"))
        page.on("console", lambda message: message.type == "error" and wrong.append(f"{address}: {message.text}"))
        page.goto(address)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert not wrong, wrong
