import json
import re
import sys

import pytest

from tests.command.runner import run
from tests.detector.onnx.sessions import session
from voicelstm import MFCCTransformer, save
from voicelstm.audio import read_audio
from voicelstm.command._exit_codes import ExitCode


def test_export_writes_a_graph_that_answers_as_the_detector(
    detector_file, small_detector, small_voices, tmp_path
):
    out, err = run("export", "-m", detector_file, tmp_path / "detector.onnx")
    assert re.search(r"detector\.onnx, \d\.\d MB", out)
    assert err == ""
    samples, _ = read_audio(small_voices[1][0][0], sample_rate=16000)
    (score, *_) = session(tmp_path / "detector.onnx").run(None, {"samples": samples.astype("float32")})
    assert score == pytest.approx(small_detector.decision_function([samples])[0], abs=1e-4)


def test_export_of_features_says_so_in_json(detector_file, tmp_path):
    out, _ = run("export", "-m", detector_file, "--features", "--json", tmp_path / "network.onnx")
    size = (tmp_path / "network.onnx").stat().st_size
    expected = {"graph": str(tmp_path / "network.onnx"), "size": size, "reads": "features"}
    assert json.loads(out) == expected
    assert session(tmp_path / "network.onnx").get_inputs()[0].name == "features"


def test_what_cannot_be_exported_is_refused_with_the_reason(
    small_detector, detector_file, tmp_path, monkeypatch
):
    save(small_detector[-1], tmp_path / "classifier.voicelstm")
    _, err = run(
        "export", "-m", tmp_path / "classifier.voicelstm", tmp_path / "d.onnx", code=ExitCode.REFUSED
    )
    assert "found no MFCCTransformer" in err
    assert "or give --features." in err
    save(MFCCTransformer(), tmp_path / "features.voicelstm")
    _, err = run("export", "-m", tmp_path / "features.voicelstm", tmp_path / "d.onnx", code=ExitCode.REFUSED)
    assert "features.voicelstm: export_onnx found MFCCTransformer; a graph is made of" in err
    monkeypatch.setitem(sys.modules, "onnx", None)
    _, err = run("export", "-m", detector_file, tmp_path / "d.onnx", code=ExitCode.REFUSED)
    assert 'pip install "voicelstm[onnx]"' in err
    assert not (tmp_path / "d.onnx").exists()


def test_export_writes_over_nothing_that_is_no_graph(detector_file, tmp_path):
    before = detector_file.read_bytes()
    _, err = run("export", detector_file, code=ExitCode.USAGE)
    assert "does not end in .onnx" in err
    assert detector_file.read_bytes() == before
    _, err = run("export", tmp_path / "missing" / "d.onnx", code=ExitCode.USAGE)
    assert "missing does not exist" in err


def test_the_ending_of_a_graph_may_be_in_capitals(detector_file, tmp_path):
    run("export", "-m", detector_file, "--features", tmp_path / "NETWORK.ONNX")
    assert (tmp_path / "NETWORK.ONNX").is_file()
