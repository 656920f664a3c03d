import hashlib
import json
import re
from copy import copy

import numpy as np
import pytest
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier

import voicelstm
from tests.command.runner import run, shown_on_terminal, small_detector_as_trained
from voicelstm import Augmenter, MFCCTransformer, load_pretrained, save


def test_info_says_what_a_file_holds(detector_file, small_detector, small_voices, tmp_path):
    facts = json.loads(run("info", "-m", detector_file, "--json")[0])
    assert facts["classes"] == ["human", "synthetic"]
    assert facts["size"] == detector_file.stat().st_size
    assert facts["sha256"] == hashlib.sha256(detector_file.read_bytes()).hexdigest()
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


def test_info_without_a_detector_is_the_card_of_the_package(monkeypatch):
    card = load_pretrained().card_
    assert json.loads(run("info", "--json")[0])["card"] == json.loads(json.dumps(card))
    out, err = run("info")
    assert err == ""
    for text in (card["name"], card["date"], card["limits"][0][:40]):
        assert text in out
    assert "of detectors trained alike, without the sources" in out
    assert "FrozenEstimator" not in out  # that is for files
    lines = shown_on_terminal(monkeypatch, "info")
    assert max(map(len, lines)) <= 80
    assert len(lines) < 80


def test_info_of_a_file_with_a_card_says_what_the_file_holds_as_well(small_detector, tmp_path):
    detector = copy(small_detector)
    detector.card_ = {"name": "mine", "limits": ["It was never outdoors."]}
    save(detector, tmp_path / "d.voicelstm")
    out, _ = run("info", "-m", tmp_path / "d.voicelstm")
    assert out.index("mine") < out.index("It was never outdoors.") < out.index("LSTMVoiceClassifier")
    assert "trained alike" not in out
    facts = json.loads(run("info", "-m", tmp_path / "d.voicelstm", "--json")[0])
    assert facts["card"] == detector.card_
    assert facts["holds"] == "Pipeline"


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
