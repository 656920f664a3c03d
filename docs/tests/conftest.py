import functools
import http.server
import os
import shutil
import threading
from pathlib import Path

import pytest

CANDIDATES = ("chromium", "chromium-browser", "google-chrome", "chrome")


@pytest.fixture(scope="session")
def site():
    """The pages as `make docs` built them."""
    folder = Path(os.environ.get("VOICELSTM_SITE", Path(__file__).resolve().parents[1] / "_build" / "html"))
    if not (folder / "index.html").is_file():
        pytest.fail(f"{folder} holds no pages: build them first, with `make docs`.")
    return folder


@pytest.fixture(scope="session")
def pages(site):
    """Every page, by its path within the site."""
    found = {path.relative_to(site).as_posix(): path for path in site.rglob("*.html")}
    return {name: path for name, path in sorted(found.items()) if not name.startswith("_static/")}


@pytest.fixture(scope="session")
def launch():
    """Start a Chromium with more switches."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CANDIDATES)), None)
    if path is None:
        # A browser is no Python package that CI could install; links and notebook are tested without one.
        pytest.skip("no Chromium on this machine; install it, or set CHROMIUM to its path")
    # No sandbox, which root cannot have, and no calls to the network of the browser's own.
    always = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
    with sync_api.sync_playwright() as playwright:
        started = []

        def launched(*switches):
            started.append(playwright.chromium.launch(executable_path=path, args=[*always, *switches]))
            return started[-1]

        yield launched
        for chromium in started:
            chromium.close()


@pytest.fixture(scope="session")
def browser(launch):
    return launch()


@pytest.fixture(scope="session")
def address(site):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, request, client_address):
            """Say nothing where the browser has left the page before all of it came."""

    server = Server(("127.0.0.1", 0), functools.partial(Quiet, directory=site))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="session")
def new_page(browser, address):
    """Open a page at a size; it has the console's `complaints` and the addresses of its `requests`."""

    def opened(name, size, *, within=None, **options):
        context = (within or browser).new_context(viewport={"width": size[0], "height": size[1]}, **options)
        page = context.new_page()
        page.complaints, page.requests = [], []
        page.on(
            "console",
            lambda message: page.complaints.append(message.text) if message.type == "error" else None,
        )
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        context.on("request", lambda request: page.requests.append(request.url))
        page.goto(f"{address}/{name}")
        return page

    return opened


@pytest.fixture
def open_page(new_page):
    """Open pages as `new_page` does, and close them after the test."""
    pages = []

    def opened(*arguments, **options):
        pages.append(new_page(*arguments, **options))
        return pages[-1]

    yield opened
    for page in pages:
        page.context.close()


# What sticks out of the window to the right, unless it is in a table or block of code that scrolls by itself.
TOO_WIDE = """() => {
    const right = document.documentElement.clientWidth;
    const scrolls = element => !element.matches('.bd-article, .bd-header') && (
        ['auto', 'scroll'].includes(getComputedStyle(element).overflowX) || scrolls(element.parentElement));
    const faults = Array.from(document.querySelectorAll('.bd-article *, .bd-header *'))
        .filter(e => e.checkVisibility() && e.getBoundingClientRect().right > right + 1)
        .filter(e => !scrolls(e) && !e.closest('.MathJax, svg'))
        .map(e => e.tagName + ': ' + e.textContent.trim().slice(0, 40));
    const excess = document.documentElement.scrollWidth - right;
    return excess > 0 ? [...faults, 'the page, by ' + excess] : faults;
}"""


@pytest.fixture(scope="session")
def too_wide():
    """Find what is too wide for a page's window."""
    return lambda page: page.evaluate(TOO_WIDE)
