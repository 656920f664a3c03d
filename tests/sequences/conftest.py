import pytest

from tests.sequences.stores import LENGTHS, clips_of, fill


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "features"


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A store, and what it must hold."""
    clips = clips_of(LENGTHS)
    return fill(tmp_path_factory.mktemp("store"), clips), clips
