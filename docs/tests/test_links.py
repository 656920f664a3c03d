"""Every address that a page names within the site is there."""

from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest


class Page(HTMLParser):
    """What a page points to, and where it can be pointed to."""

    def __init__(self, text):
        super().__init__()
        self.links, self.anchors = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.anchors |= {attributes[key] for key in ("id", "name") if attributes.get(key)}
        self.links += [attributes[key] for key in ("href", "src") if attributes.get(key)]
        for candidate in (attributes.get("srcset") or "").split(","):
            self.links += candidate.split()[:1]


def missing(pages, site):
    """Each link that leads nowhere, as (page, link)."""
    parsed = {path.resolve(): Page(path.read_text(encoding="utf-8")) for path in pages.values()}
    broken = []
    for path, page in parsed.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or link == "#":
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            anchor = unquote(parts.fragment)
            is_there = target.is_file() and site.resolve() in target.parents
            if anchor and target in parsed:
                is_there = is_there and anchor in parsed[target].anchors
            if not is_there:
                broken.append((path.name, link))
    return broken


def test_every_link_within_the_site_leads_somewhere(pages, site):
    assert len(pages) > 80
    assert missing(pages, site) == []


@pytest.mark.parametrize(
    "link", ["nowhere.html", "other.html#nowhere", "#nowhere", "picture.png", "../outside.html"]
)
def test_a_broken_link_is_found(tmp_path, link):
    site = tmp_path / "site"
    site.mkdir()
    (tmp_path / "outside.html").write_text("")
    (site / "other.html").write_text("<h1 id='there'>there</h1>")
    tag = f"<img src='{link}'>" if link.endswith("png") else f"<a href='{link}'>x</a>"
    (site / "index.html").write_text(f"<p id='top'><a href='other.html#there'>y</a><a href='#top'>z</a>{tag}")
    pages = {name: site / name for name in ("index.html", "other.html")}
    assert missing(pages, site) == [("index.html", link)]


def test_nothing_is_loaded_from_another_host(pages):
    """The pages work without a network, and tell nobody who reads them."""
    loaded = []
    for name, path in pages.items():
        parser = _Loaded()
        parser.feed(path.read_text(encoding="utf-8"))
        loaded += [(name, address) for address in parser.addresses]
    assert loaded == []


class _Loaded(HTMLParser):
    def __init__(self):
        super().__init__()
        self.addresses = []

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        address = attributes.get("href" if tag == "link" else "src")
        if tag in {"link", "script", "img", "iframe"} and address and urlsplit(address).netloc:
            self.addresses.append(address)
