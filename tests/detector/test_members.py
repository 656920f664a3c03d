import numpy as np
import pytest
from sklearn.ensemble import VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV

from voicelstm import LSTMVoiceClassifier, MFCCTransformer, calibrate, detect, evaluate
from voicelstm.detector._members import memoized


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
def calls(monkeypatch):
    """How often recordings were read and the network was run."""
    counted = {"read": 0, "network": 0}

    def counting(owner, name, key):
        original = getattr(owner, name)

        def counted_call(self, X):
            counted[key] += 1
            return original(self, X)

        monkeypatch.setattr(owner, name, counted_call)

    counting(MFCCTransformer, "transform", "read")
    counting(LSTMVoiceClassifier, "_segment_logits", "network")
    return counted


@pytest.mark.parametrize("name", ["pipeline", "threshold", "calibrated", "vote", "search"])
def test_recordings_are_read_and_the_network_is_run_once(name, wrappers, small_voices, calls):
    X, y = small_voices[1]
    evaluate(wrappers[name], X, y, n_resamples=0)
    assert calls == {"read": 1, "network": 1}
    list(detect(wrappers[name], X))
    assert calls == {"read": 1, "network": 2}


@pytest.mark.parametrize("name", ["pipeline", "threshold", "calibrated", "vote", "search"])
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
