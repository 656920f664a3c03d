from copy import deepcopy

import numpy as np
import pytest
from sklearn.ensemble import VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV

from voicelstm import LSTMVoiceClassifier, calibrate, detect, evaluate
from voicelstm.detector._members import memoized, transformers_of
from voicelstm.exceptions import AudioWarning, SequenceWarning

WRAPPERS = ["pipeline", "threshold", "calibrated", "vote", "search"]


@pytest.fixture(scope="module")
def wrappers(small_detector, small_voices):
    (X, y), held_out = small_voices
    frozen = FrozenEstimator(small_detector)
    search = GridSearchCV(small_detector, {"classifier__units": [(2,)]}, cv=2)
    return {
        "pipeline": small_detector,
        "threshold": FixedThresholdClassifier(frozen, threshold=0.6, pos_label="human").fit(X, y),
        "calibrated": calibrate(small_detector, *held_out),
        "vote": VotingClassifier([("a", frozen)], voting="soft").fit(X, y),
        "search": search.fit(X, y),
    }


@pytest.fixture
def network_runs(monkeypatch):
    """How many clips the network was given, at each call."""
    counted = []
    original = LSTMVoiceClassifier._segment_logits

    def counted_call(self, X):
        counted.append(len(X))
        return original(self, X)

    monkeypatch.setattr(LSTMVoiceClassifier, "_segment_logits", counted_call)
    return counted


@pytest.mark.parametrize("name", WRAPPERS)
def test_each_recording_is_read_and_scored_once(name, wrappers, small_voices, extractions, network_runs):
    X, y = small_voices[1]
    evaluate(wrappers[name], X, y, n_resamples=0)
    assert [id(each) for each in extractions] == [id(each) for each in X]
    assert network_runs == [len(X)]
    extractions.clear()
    list(detect(wrappers[name], X, timeline=name != "vote"))
    assert [id(each) for each in extractions] == [id(each) for each in X]
    assert network_runs == [len(X)] * 2


@pytest.mark.parametrize("name", WRAPPERS)
def test_each_is_read_once_where_one_fails(name, wrappers, small_voices, extractions):
    (X, y), detector = small_voices[1], deepcopy(wrappers[name])
    for transformer in transformers_of(detector):
        transformer.set_params(on_error="warn")
    X, y = [*X, "missing.wav"], [*y, y[-1]]
    with pytest.warns(AudioWarning, match="1 of 21"), pytest.warns(SequenceWarning, match="left out"):
        report = evaluate(detector, X, y, n_resamples=0)
    assert report.n_without_score == 1
    assert [id(each) for each in extractions] == [id(each) for each in X]


@pytest.mark.parametrize("name", WRAPPERS)
def test_one_that_remembers_says_what_the_detector_says(name, wrappers, small_voices):
    detector = wrappers[name]
    copy = memoized(detector)
    for X in (small_voices[0][0], small_voices[1][0], small_voices[0][0]):
        np.testing.assert_array_equal(copy.predict_proba(X), detector.predict_proba(X))
        np.testing.assert_array_equal(copy.predict(X), detector.predict(X))
    assert "transform" not in vars(small_steps(detector)["features"])


def small_steps(detector):
    while not hasattr(detector, "named_steps"):
        for name in ("best_estimator_", "estimator_", "estimator", "estimators_", "calibrated_classifiers_"):
            if hasattr(detector, name):
                held = getattr(detector, name)
                detector = held[0] if isinstance(held, list) else held
                break
    return detector.named_steps
