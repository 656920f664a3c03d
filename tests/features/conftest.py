import pytest
import soundfile

from tests.features.signals import noise


@pytest.fixture
def files(tmp_path):
    """Three recordings of 0.1, 0.2 and 0.3 s at 8 kHz."""
    paths = []
    for tenths in (1, 2, 3):
        path = tmp_path / f"{tenths}.wav"
        soundfile.write(path, noise(800 * tenths, seed=tenths), 8000)
        paths.append(path)
    return paths
