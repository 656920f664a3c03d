"""Every page in headless Chromium, as on a phone and on a desk."""

import pytest

PHONE, DESK = (390, 844), (1440, 900)

BROKEN = "Array.from(document.images).filter(i => i.complete && i.naturalWidth === 0).map(i => i.src)"
# Not a wait for a condition, which a page whose policy forbids `eval` refuses.
LOADED = """() => Promise.all(Array.from(document.images).filter(i => !i.complete).map(
    i => new Promise(done => { i.onload = i.onerror = done; })))"""


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_pages_have_no_error_no_broken_picture_and_nothing_too_wide(
    open_page, pages, address, too_wide, size
):
    page = open_page("index.html", size)
    faults = []
    for name in pages:
        page.goto(f"{address}/{name}")
        # Pictures below the fold are loaded late.
        page.evaluate("for (const i of document.images) i.loading = 'eager'")
        page.evaluate(LOADED)
        if broken := page.evaluate(BROKEN):
            faults.append((name, "broken pictures", broken))
        if wide := too_wide(page):
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
