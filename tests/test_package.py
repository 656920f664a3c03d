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
# One after the other, and what is not loaded after each, besides TensorFlow, Keras and librosa.
STEPS = [
    ("import voicelstm", "sklearn numpy"),
    ("import voicelstm._compat", "sklearn torch joblib"),
    ("import voicelstm.datasets", "soundfile pooch requests"),
    ("voicelstm.display.CepstraDisplay", "matplotlib"),
    ("from voicelstm import audit, evaluate; from voicelstm.datasets import UnseenSystems", ""),
    ("from voicelstm import LSTMVoiceClassifier, MFCCTransformer, load, make_detector, save", ""),
    ("import numpy; MFCCTransformer(n_jobs=2).transform([numpy.ones(9)])", "av audioread"),
]


def test_nothing_heavy_is_loaded_before_it_is_needed():
    code = "import sys\n" + "".join(f"{step}\nprint(*sys.modules)\n" for step, _ in STEPS)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for (step, heavy), line in zip(STEPS, done.stdout.splitlines(), strict=True):
        loaded = set(line.split())
        assert "voicelstm" in loaded
        assert loaded.isdisjoint({*heavy.split(), "tensorflow", "keras", "librosa"}), step


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
    assert set(voicelstm.__all__) <= set(dir(voicelstm))
    assert "metrics" in dir(voicelstm)
    assert "logging" not in dir(voicelstm)
    with pytest.raises(AttributeError, match=r"attribute .*nothing"):
        _ = voicelstm.nothing


def test_a_package_names_what_is_documented_or_what_another_takes():
    listed, module = set(), None
    for line in API.read_text(encoding="utf-8").splitlines():
        if found := re.match(r"\.\. (?:currentmodule|automodule):: (\S+)", line):
            module = found[1]
        elif found := re.fullmatch(r" {3}(\w+)", line):
            listed.add(f"{module}.{found[1]}".removeprefix("voicelstm."))
    taken = {name for path in SOURCE.rglob("*.py") for name in imported(path) if package_of(path) != name[0]}
    for folder in sorted(path.parent for path in SOURCE.glob("*/__init__.py")):
        named, users = set(), set(import_module(f"voicelstm.{folder.name}").__all__)
        for face in folder.glob("__init__.py*"):
            for node in ast.parse(face.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ImportFrom):
                    named |= {each.asname or each.name for each in node.names}
        for name in (named | users) - {"main"}:
            shown = f"{folder.name}.{name}" in listed or name in voicelstm.__all__
            assert shown == (name in users), f"{folder.name}.{name}: __all__ and api.rst disagree"
            assert shown or (folder.name, name) in taken, f"nothing takes {folder.name}.{name}"


def test_no_module_goes_through_the_face_of_its_own_package_or_of_the_whole():
    # Their names are imported late, of which import-linter, which holds all other directions, sees nothing.
    for path in SOURCE.rglob("*.py"):
        if path.name != "__init__.py" and package_of(path) not in ("command", "__main__.py"):
            assert package_of(path) not in {package for package, _ in imported(path)}, path
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"^\s*(from voicelstm import (?!_)|import voicelstm\b(?!\.))", text, re.M), (
                path
            )


def package_of(path):
    return path.relative_to(SOURCE).parts[0]


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
