import json
import re

import numpy as np
import pytest
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier

import voicelstm
from tests.command.runner import run, small_detector_as_trained
from voicelstm import Augmenter, MFCCTransformer, save


def test_info_says_what_a_file_holds(detector_file, small_detector, small_voices, tmp_path):
    facts = json.loads(run("info", "-m", detector_file, "--json")[0])
    assert facts["classes"] == ["human", "synthetic"]
    assert facts["size"] == detector_file.stat().st_size
    assert facts["written by"].startswith(f"voicelstm {voicelstm.__version__}, ")
    assert facts["features"]["settings"]["n_mfcc"] == 8
    assert facts["classifier"]["settings"]["units"] == [6]
    # One layer of 6: 4 gates of 6 by (inputs + 6 outputs) and 6 biases; 6 weights and a bias decide.
    inputs = small_detector["classifier"].n_features_in_
    assert facts["classifier"]["weights"] == 4 * 6 * (inputs + 6) + 4 * 6 + 6 + 1
    out, _ = run("info", "-m", detector_file)
    assert re.search(r"(?m)^classes +human, synthetic *$", out)

    tuned = voicelstm.tune_threshold(small_detector, *small_voices[1])
    save(tuned, tmp_path / "tuned")
    facts = json.loads(run("info", "-m", tmp_path / "tuned", "--json")[0])
    assert facts["threshold"] == pytest.approx(tuned.score_threshold_)
    assert facts["human"] == "human"
    out = run("info", "-m", tmp_path / "tuned")[0]
    assert re.search(rf"(?m)^threshold +{tuned.score_threshold_:.4g}, in log-odds of synthetic *$", out)
    assert "tuned" not in run("info", "-m", tmp_path / "tuned")[0].splitlines()[-1]


def test_info_says_thresholds_in_log_odds_of_synthetic_and_which_class_is_human(small_voices, tmp_path):
    (X, y), (others, of_others) = small_voices
    labels, of_others = (np.where(each == "human", "real", "fake") for each in (y, of_others))
    detector = small_detector_as_trained().fit(X, labels)
    calibrated = voicelstm.calibrate(detector, others, of_others)
    # Four to one, said as a probability of either class.
    for pos_label in ("real", "fake"):
        fixed = FixedThresholdClassifier(FrozenEstimator(calibrated), threshold=0.8, pos_label=pos_label)
        save(fixed.fit(others, of_others), tmp_path / "fixed")
        facts = json.loads(run("info", "-m", tmp_path / "fixed", "--json")[0])
        assert facts["human"] == "real"
        assert facts["threshold"] == pytest.approx(np.log(4) * (1 if pos_label == "fake" else -1))

    numbered = small_detector_as_trained().fit(X, (y == "human").astype(int))
    save(numbered, tmp_path / "numbered")
    assert json.loads(run("info", "-m", tmp_path / "numbered", "--json")[0])["human"] is None
    assert re.search(
        r"(?m)^human +not known: detect needs --human", run("info", "-m", tmp_path / "numbered")[0]
    )


def test_info_writes_settings_that_json_has_no_value_for_as_text(tmp_path):
    transformer = MFCCTransformer(augment=[Augmenter(random_state=3)], n_mfcc=7)
    save(transformer.fit(["a.wav"]), tmp_path / "front_end")
    settings = json.loads(run("info", "-m", tmp_path / "front_end", "--json")[0])["settings"]
    assert settings["n_mfcc"] == 7
    assert "random_state=3" in settings["augment"]


def test_info_lists_devices():
    facts = json.loads(run("info", "--devices", "--json")[0])
    assert any(name.startswith(("cpu", "gpu", "cuda")) for name in facts["devices"])
    assert facts["voicelstm"] == voicelstm.__version__
