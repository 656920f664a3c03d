"""Files that released versions wrote, and what every file has by `docs/model_format.rst`."""

import hashlib
import importlib.util
import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from voicelstm import __version__, load, save
from voicelstm.metrics import synthetic_log_odds
from voicelstm.model_files._wrappers import WRAPPERS

HERE = Path(__file__).parent
FILES = sorted(HERE.rglob("*.voicelstm"))

specification = importlib.util.spec_from_file_location("model_files_write", HERE / "write.py")
write = importlib.util.module_from_spec(specification)
specification.loader.exec_module(write)


def taken_apart(path):
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    return header.pop("__metadata__"), header, content[8 + length :]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_kept_file_loads_and_says_what_it_said_when_it_was_written(path):
    with (path.parent / "answers.json").open(encoding="utf-8") as file:
        expected = json.load(file)[path.stem]
    loaded, X = load(path), write.input_of(path.stem)
    found = write.answers(loaded, X)
    assert found.keys() == expected.keys()
    if "features" in expected:
        np.testing.assert_allclose(found["features"], expected["features"], rtol=1e-3, atol=1e-3)
    else:
        np.testing.assert_allclose(found["probabilities"], expected["probabilities"], atol=1e-5)
        assert found["decisions"] == expected["decisions"]
        if len(loaded.classes_) == 2:
            check_scores(loaded, X, np.array(expected["probabilities"]))


def check_scores(detector, X, probabilities):
    """Check that scores are log-odds of synthetic, and that of numbers the human one is asked for."""
    human_label = None
    if not isinstance(detector.classes_[0], str):
        with pytest.raises(ValueError, match="human_label must say which"):
            synthetic_log_odds(detector, X)
        human_label = detector.classes_[0]
    expected = np.log(probabilities[:, 1] / probabilities[:, 0])
    np.testing.assert_allclose(synthetic_log_odds(detector, X, human_label), expected, atol=1e-3)


def test_each_kind_is_kept_and_small():
    # This library's own wrappers came after these files, of which calibrate returned scikit-learn's.
    wrappers = set(WRAPPERS) - {"CalibratedDetector", "ThresholdDetector"}
    classes = {"CepstralDynamics", "LSTMVoiceClassifier", "MFCCTransformer", "Pipeline", *wrappers}
    texts = [taken_apart(path)[0]["voicelstm"] for path in FILES if path.parent.name == "0.1.0"]
    assert all(any(f'"class": "{name}"' in text for text in texts) for name in classes)
    assert all(path.stat().st_size < 100_000 for path in FILES)


def test_nothing_is_unpickled(monkeypatch):
    def refuse(*arguments, **keywords):
        raise AssertionError("pickle was called")

    for name in ("load", "loads", "Unpickler", "_load", "_loads", "_Unpickler"):
        monkeypatch.setattr(pickle, name, refuse)
    monkeypatch.setattr("joblib.load", refuse)
    monkeypatch.setattr("numpy.load", refuse)
    assert FILES
    for path in FILES:
        load(path)


@pytest.mark.parametrize("name", ["classifier", "detector", "vote"])
def test_a_file_has_the_bytes_that_the_format_says(name, tmp_path):
    save(load(HERE / "0.1.0" / f"{name}.voicelstm"), tmp_path / "m")
    metadata, header, data = taken_apart(tmp_path / "m")
    assert set(metadata) == {"voicelstm", "sha256"}
    document = json.loads(metadata["voicelstm"])
    assert set(document) == {"format", "library", "object"}
    assert (document["format"], document["library"]) == (1, __version__)
    digest = hashlib.sha256(metadata["voicelstm"].encode())
    types = {"F32": ("<f4", 4), "F64": ("<f8", 8)}
    covered = 0
    for tensor in sorted(header):
        described = header[tensor]
        assert set(described) == {"dtype", "shape", "data_offsets"}
        start, stop = described["data_offsets"]
        code, size = types[described["dtype"]]
        assert stop - start == size * np.prod(described["shape"], dtype=int)
        covered += stop - start
        shape = tuple(described["shape"])
        digest.update(f"{tensor} {code} {shape}".encode() + data[start:stop])
    assert covered == len(data)
    assert metadata["sha256"] == digest.hexdigest()


def test_the_fields_of_a_classifier_are_those_that_the_format_page_lists(tmp_path):
    save(load(HERE / "0.1.0" / "classifier.voicelstm"), tmp_path / "m")
    metadata, header, _ = taken_apart(tmp_path / "m")
    described = json.loads(metadata["voicelstm"])["object"]
    page = (Path(__file__).parents[2] / "docs" / "model_format.rst").read_text(encoding="utf-8")
    section = page.split("LSTMVoiceClassifier\n----")[1].split("\nPipeline\n----")[0]
    for field in [*described, *described["architecture"]]:
        assert f"``{field}``" in section
    for kind in {name.split("/")[0] for name in header}:
        assert f"``{kind}/" in section
