import ast
import pkgutil
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import voicelstm

SOURCE = Path(voicelstm.__file__).parent
API = Path(__file__).resolve().parents[1] / "docs" / "api.rst"
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
    optional = {"__main__", "_jax", "_torch"}  # the last two import what the library does not require
    modules = [each.name for each in pkgutil.walk_packages(voicelstm.__path__, "voicelstm.")]
    modules = [name for name in modules if name.rpartition(".")[2] not in optional]
    assert {"voicelstm.command", "voicelstm.datasets", "voicelstm.display", "voicelstm.metrics"} <= {*modules}
    code = "\n".join(f"import {name}" for name in modules)
    code += "\nfor name in voicelstm.__all__: getattr(voicelstm, name)"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_public_name_is_there():
    assert all(getattr(voicelstm, name) is not None for name in voicelstm.__all__)
    assert set(voicelstm.__all__) - {"__version__"} <= set(dir(voicelstm))
    with pytest.raises(AttributeError, match=r"attribute .*nothing"):
        _ = voicelstm.nothing


def test_a_package_names_what_is_documented_or_what_another_takes():
    listed, module = set(), None
    for line in API.read_text(encoding="utf-8").splitlines():
        if found := re.match(r"\.\. (?:currentmodule|automodule):: (\S+)", line):
            module = found[1]
        elif found := re.fullmatch(r" {3}(\w+)", line):
            listed.add(f"{module}.{found[1]}".removeprefix("voicelstm."))
    named, taken = set(), set()
    for folder in sorted(path.parent for path in SOURCE.glob("*/__init__.py")):
        home = import_module(f"voicelstm.{folder.name}")
        named |= {f"{folder.name}.{each}" for each in getattr(home, "__all__", ())}
    for path in SOURCE.rglob("*.py"):
        for package, name in imported(path):
            if path.relative_to(SOURCE).parts[0] != package:
                taken.add(f"{package}.{name}")
    at_the_top = {name for name in voicelstm.__all__ if not name.startswith("_")} - {
        p.name for p in SOURCE.iterdir()
    }
    assert at_the_top - listed == {"exceptions"}
    assert {name for name in named if name.partition(".")[2] not in at_the_top} - listed - taken == set()


def imported(path):
    """Package and name of all that a module takes from the packages of the library."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (
            found := re.fullmatch(r"voicelstm\.([a-z_]+)", node.module or "")
        ):
            yield from ((found[1], each.name) for each in node.names)


def test_the_library_is_silent_until_its_logger_is_listened_to():
    code = (
        "import logging, voicelstm, numpy\n"
        "logging.getLogger('voicelstm.anything').critical('said')\n"
        "voicelstm.MFCCTransformer().transform([numpy.ones(400)])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""
    code = "import logging\nlogging.basicConfig(level='INFO')\n" + code
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "INFO:voicelstm.features._transformer:computing the features of 1 recordings" in done.stderr
