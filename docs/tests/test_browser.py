"""Every page in headless Chromium, as on a phone and on a desk."""

import functools
import http.server
import os
import shutil
import threading

import pytest

PHONE, DESK = (390, 844), (1440, 900)
CANDIDATES = ("chromium", "chromium-browser", "google-chrome", "chrome")


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CANDIDATES)), None)
    if path is None:
        # A browser is no Python package that CI could install; links and notebook are tested without one.
        pytest.skip("no Chromium on this machine; install it, or set CHROMIUM to its path")
    # No sandbox, which root cannot have, and no calls to the network of the browser's own.
    switches = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=switches)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
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


@pytest.fixture
def open_page(browser, address):
    """Open a page at a size; what the console said against it is in `complaints`."""
    contexts = []

    def opened(name, size, **options):
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, **options)
        contexts.append(context)
        page = context.new_page()
        page.complaints = []
        page.on(
            "console",
            lambda message: page.complaints.append(message.text) if message.type == "error" else None,
        )
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.goto(f"{address}/{name}")
        return page

    yield opened
    for context in contexts:
        context.close()


BROKEN = "Array.from(document.images).filter(i => i.complete && i.naturalWidth === 0).map(i => i.src)"
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


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_pages_have_no_error_no_broken_picture_and_nothing_too_wide(open_page, pages, address, size):
    page = open_page("index.html", size)
    faults = []
    for name in pages:
        page.goto(f"{address}/{name}")
        # Pictures below the fold are loaded late.
        page.evaluate("for (const i of document.images) i.loading = 'eager'")
        page.wait_for_function("Array.from(document.images).every(i => i.complete)")
        if broken := page.evaluate(BROKEN):
            faults.append((name, "broken pictures", broken))
        if wide := page.evaluate(TOO_WIDE):
            faults.append((name, "too wide", wide))
        if page.complaints:
            faults.append((name, "console", page.complaints.copy()))
            page.complaints.clear()
    assert faults == []


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_search_finds_the_classifier(open_page, size):
    page = open_page("search.html?q=LSTMVoiceClassifier", size)
    page.wait_for_selector("#search-results li a")
    found = page.eval_on_selector_all(
        "#search-results li a", "links => links.map(a => a.getAttribute('href'))"
    )
    assert any("voicelstm.LSTMVoiceClassifier.html" in link for link in found)
    assert page.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pictures_stand_on_white_in_both_themes(open_page, scheme):
    page = open_page("auto_examples/plot_audit.html", DESK, color_scheme=scheme)
    assert page.evaluate("document.documentElement.dataset.theme") == scheme
    page.wait_for_function("document.querySelector('article img').complete")
    corner = page.evaluate(
        """() => {
            const picture = document.querySelector('article img.sphx-glr-single-img, article img');
            const canvas = document.createElement('canvas');
            canvas.width = canvas.height = 1;
            const context = canvas.getContext('2d');
            context.fillStyle = getComputedStyle(picture).backgroundColor;
            context.fillRect(0, 0, 1, 1);
            context.drawImage(picture, 0, 0, 1, 1, 0, 0, 1, 1);
            return Array.from(context.getImageData(0, 0, 1, 1).data);
        }"""
    )
    assert corner == [255, 255, 255, 255]
