import pkgutil
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import voicelstm

API = Path(__file__).resolve().parents[1] / "docs" / "api.rst"
# What the library's own modules share, and users have no need of.
SHARED = {
    "audio.name_of",
    "detector.timeline_steps",
    "detector.timelines",
    "dynamics.checked_lags",
    "persistence.load_as",
}
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


def test_every_module_imports_without_a_warning():
    optional = {"__main__", "jax_lstm", "torch_lstm"}  # the last two import what the library does not require
    modules = [each.name for each in pkgutil.walk_packages(voicelstm.__path__, "voicelstm.")]
    modules = [name for name in modules if name.rpartition(".")[2] not in optional]
    assert {"voicelstm.command", "voicelstm.datasets", "voicelstm.display", "voicelstm.metrics"} <= {*modules}
    code = "\n".join(f"import {name}" for name in modules)
    code += "\nfor name in voicelstm.__all__: getattr(voicelstm, name)"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_public_name_is_there():
    assert all(getattr(voicelstm, name) is not None for name in voicelstm.__all__)
    assert set(voicelstm.__all__) <= set(dir(voicelstm))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = voicelstm.nothing


def test_the_api_reference_lists_every_public_name():
    listed, module = set(), None
    for line in API.read_text(encoding="utf-8").splitlines():
        if found := re.match(r"\.\. (?:currentmodule|automodule):: (\S+)", line):
            module = found[1]
        elif found := re.fullmatch(r" {3}(\w+)", line):
            listed.add(f"{module}.{found[1]}".removeprefix("voicelstm."))
    public = set(voicelstm.__all__) - {"__version__"}
    for name in voicelstm._MODULES | {"filterbanks", "sequences", "trajectories"}:
        home = import_module(f"voicelstm.{name}")
        public |= {f"{name}.{each}" for each in home.__all__ if each not in public}
    assert public - listed == SHARED
