import json
from dataclasses import replace

import numpy as np
import pytest

from voicelstm import LSTMVoiceClassifier, MFCCTransformer, __version__, load_pretrained, tune_threshold
from voicelstm.detector.onnx._metadata import metadata_of
from voicelstm.detector.onnx._parts import Parts


def test_a_file_says_what_its_scores_mean():
    detector = load_pretrained()
    found = metadata_of(detector, Parts.of(detector), of_samples=True)
    assert found["voicelstm_version"] == __version__
    assert json.loads(found["classes"]) == ["human", "synthetic"]
    assert json.loads(found["human"]) == "human"
    assert found["direction"].startswith("log-odds of synthetic: above 0 more probably synthetic")
    assert json.loads(found["operating_points"]) == detector.card_["operating_points"]
    assert json.loads(found["card"]) == detector.card_
    assert (found["sample_rate"], float(found["threshold"])) == ("16000", 0.0)
    graph, search = json.loads(found["licence"])
    assert graph["licence"] == "BSD-3-Clause"
    assert "Copyright (c) 2020-present Silero Team" in search["text"]
    of_features = metadata_of(detector, Parts.of(detector), of_samples=False)
    assert "sample_rate" not in of_features
    assert len(json.loads(of_features["licence"])) == 1


@pytest.mark.parametrize(("sample_rate", "n_parts"), [(16000, 2), (8000, 1)])
def test_the_licence_of_the_search_for_speech_is_there_if_the_search_is(small_detector, sample_rate, n_parts):
    transformer = MFCCTransformer(sample_rate=sample_rate)
    parts = replace(Parts.of(small_detector), transformer=transformer)
    found = metadata_of(small_detector, parts, of_samples=True)
    assert len(json.loads(found["licence"])) == n_parts


def test_a_threshold_is_said_in_log_odds_of_synthetic(small_detector, small_voices):
    tuned = tune_threshold(small_detector, *small_voices[1])
    found = metadata_of(tuned, Parts.of(tuned), of_samples=True)
    assert float(found["threshold"]) == pytest.approx(tuned.score_threshold_)


def test_labels_are_told_whatever_they_are():
    clips = list(np.random.default_rng(0).normal(size=(6, 5, 2)).astype("float32"))
    classifier = LSTMVoiceClassifier(units=(2,), max_steps=1, random_state=0).fit(clips, [0, 1] * 3)
    found = metadata_of(classifier, Parts.of(classifier, human_label=1), of_samples=False)
    assert (json.loads(found["classes"]), json.loads(found["human"])) == ([0, 1], 1)
    classifier.fit(clips, ["a", "b", "ü"] * 2)
    found = metadata_of(classifier, Parts.of(classifier), of_samples=False)
    assert json.loads(found["classes"]) == ["a", "b", "ü"]
    assert found["direction"].startswith("logits, one for each")
    assert not {"human", "threshold"} & set(found)
