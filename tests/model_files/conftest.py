import pytest

from voicelstm import save


@pytest.fixture
def model_file(small_detector, tmp_path):
    path = tmp_path / "detector.voicelstm"
    save(small_detector, path)
    return path
