import subprocess
import sys

import pytest

import voicelstm

IMPORT = "import voicelstm, sys; print(*sorted({name.split('.')[0] for name in sys.modules}))"


def test_importing_loads_neither_tensorflow_nor_keras_nor_librosa():
    done = subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "voicelstm" in loaded
    assert loaded.isdisjoint({"tensorflow", "keras", "librosa", "sklearn", "numpy"})


def test_reading_recordings_does_not_load_tensorflow():
    code = (
        "import numpy, sys\n"
        "from voicelstm import LSTMVoiceClassifier, MFCCTransformer, load, make_detector, save\n"
        "MFCCTransformer(n_jobs=2).transform([numpy.ones(9)])\n"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()).isdisjoint({"tensorflow", "keras", "librosa"})


def test_every_public_name_is_there():
    assert all(getattr(voicelstm, name) is not None for name in voicelstm.__all__)
    assert set(voicelstm.__all__) <= set(dir(voicelstm))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = voicelstm.nothing
