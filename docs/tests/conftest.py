import os
from pathlib import Path

import pytest


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
