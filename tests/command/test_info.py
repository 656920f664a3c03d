import json
import re

import pytest

import voicelstm
from tests.command.runner import run
from voicelstm import save


def test_info_says_what_a_file_holds(detector_file, small_detector, small_voices, tmp_path):
    facts = json.loads(run("info", detector_file, "--json")[0])
    assert facts["classes"] == ["human", "synthetic"]
    assert facts["size"] == detector_file.stat().st_size
    assert facts["written by"].startswith(f"voicelstm {voicelstm.__version__}, ")
    assert facts["features"]["settings"]["n_mfcc"] == 8
    assert facts["classifier"]["settings"]["units"] == [6]
    # One layer of 6: 4 gates of 6 by (inputs + 6 outputs) and 6 biases; 6 weights and a bias decide.
    inputs = small_detector["classifier"].n_features_in_
    assert facts["classifier"]["weights"] == 4 * 6 * (inputs + 6) + 4 * 6 + 6 + 1
    out, _ = run("info", detector_file)
    assert re.search(r"(?m)^classes +human, synthetic *$", out)

    tuned = voicelstm.tune_threshold(small_detector, *small_voices[1])
    save(tuned, tmp_path / "tuned")
    facts = json.loads(run("info", tmp_path / "tuned", "--json")[0])
    assert facts["threshold"] == pytest.approx(tuned.threshold)
    assert "tuned" not in run("info", tmp_path / "tuned")[0].splitlines()[-1]


def test_info_lists_devices():
    facts = json.loads(run("info", "--devices", "--json")[0])
    assert any(name.startswith(("cpu", "gpu", "cuda")) for name in facts["devices"])
    assert facts["voicelstm"] == voicelstm.__version__
