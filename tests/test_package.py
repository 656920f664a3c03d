import ast
import pkgutil
import re
import subprocess
import sys
import tomllib
from importlib import import_module
from itertools import chain
from pathlib import Path

import pytest

import voicelstm
from voicelstm._base import DocumentationLink

SOURCE = Path(voicelstm.__file__).parent
ROOT = Path(__file__).resolve().parents[1]
API = ROOT / "docs" / "api.rst"
# One after the other, and what is not loaded after each, besides TensorFlow, Keras and librosa.
STEPS = [
    ("import voicelstm", "sklearn numpy"),
    ("import voicelstm._compat", "sklearn torch joblib"),
    ("import voicelstm.datasets", "soundfile pooch requests"),
    ("voicelstm.display.CepstraDisplay", "matplotlib"),
    ("voicelstm.export_onnx", "onnx onnxruntime"),
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


def test_what_is_published_about_the_package_agrees_with_it():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    recipe = (ROOT / "packaging" / "conda-forge" / "recipe.yaml").read_text(encoding="utf-8")
    assert re.search(r"^version: (\S+)$", citation, re.M)[1] == voicelstm.__version__
    assert re.search(r'^ +version: "(\S+)"$', recipe, re.M)[1] == voicelstm.__version__
    home = re.search(r"^url: (\S+)$", citation, re.M)[1]
    assert DocumentationLink._doc_link_template.startswith(home)
    assert all(address.startswith(home) for address in project["urls"].values())


def test_the_conda_recipe_requires_what_the_package_does():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    recipe = (ROOT / "packaging" / "conda-forge" / "recipe.yaml").read_text(encoding="utf-8")
    named = dict(re.findall(r"^    - (\S+) >=([\d.]+)$", recipe.partition("  run:\n")[2], re.M))
    other_names = {"soundfile": "pysoundfile", "soxr": "soxr-python"}
    required = dict(requirement.split(">=") for requirement in project["dependencies"])
    assert named == {other_names.get(name, name): version for name, version in required.items()}


def test_what_the_library_imports_is_required_or_an_extra():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    requirements = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    declared = {re.match(r"[\w-]+", each)[0].lower().replace("-", "_") for each in requirements}
    declared = {{"scikit_learn": "sklearn"}.get(name, name) for name in declared}
    tops = {name for path in SOURCE.rglob("*.py*") if path.suffix != ".pyc" for name in tops_of(path)}
    assert {"numpy", "sklearn", "tensorflow"} <= tops
    # Pooch requires requests, which requires urllib3; pandas is met only if its tables are given.
    assert tops - declared - sys.stdlib_module_names - {"voicelstm"} <= {"pandas", "requests", "urllib3"}


def tops_of(path):
    """First parts of the names of all modules that a file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name.partition(".")[0] for each in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module.partition(".")[0]
