import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.pipeline import make_pipeline

import voicelstm
from voicelstm import ClipStatistics, MFCCTransformer, calibrate, detect, make_detector, tune_threshold
from voicelstm.detector._window_scores import WindowScores

SMALL = {"classifier__units": (4,), "classifier__max_steps": 2}
KINDS = [
    "packaged",
    "tuned packaged",
    "dynamics",
    "calibrated dynamics",
    "calibrated isotonic",
    "calibrated temperature",
    "calibrated threshold",
    "original recipe",
    "human second",
    "vote",
    "clip statistics",
]


def _calibrated(detector, method, recordings):
    return CalibratedClassifierCV(FrozenEstimator(detector), method=method).fit(*recordings)


@pytest.fixture(scope="module")
def detectors(small_detector, small_voices):
    """A detector of every kind, and whether its own steps are called, without scikit-learn's checks."""
    (X, y), held_out = small_voices
    packaged = voicelstm.load_pretrained()
    fixed = FixedThresholdClassifier(FrozenEstimator(small_detector), threshold=0.6, pos_label="synthetic")
    original = make_pipeline(
        MFCCTransformer.original(), voicelstm.LSTMVoiceClassifier.original(units=(4,), max_steps=2)
    )
    turned = np.where(y == "human", "z-human", "synthetic")
    second = make_detector("dynamics", random_state=0, classifier__human_label="z-human", **SMALL)
    other = make_detector("dynamics", random_state=1, features__n_mfcc=6, **SMALL).fit(X, y)
    members = [("a", FrozenEstimator(small_detector)), ("b", FrozenEstimator(other))]
    return {
        "packaged": (packaged, True),
        "tuned packaged": (tune_threshold(packaged, *held_out), True),
        "dynamics": (small_detector, True),
        "calibrated dynamics": (calibrate(small_detector, *held_out), True),
        "calibrated isotonic": (_calibrated(small_detector, "isotonic", held_out), True),
        "calibrated temperature": (_calibrated(small_detector, "temperature", held_out), False),
        "calibrated threshold": (calibrate(fixed.fit(X, y), *held_out), True),
        "original recipe": (original.fit(X, (y == "human").astype(int)), True),
        "human second": (second.fit(X, turned), True),
        "vote": (VotingClassifier(members, voting="soft").fit(X, y), False),
        "clip statistics": (
            make_pipeline(MFCCTransformer(), ClipStatistics(), LogisticRegression(max_iter=1000)).fit(X, y),
            False,
        ),
    }


@pytest.mark.parametrize("kind", KINDS)
def test_the_score_of_a_window_is_that_of_detect(detectors, small_voices, kind):
    detector, _ = detectors[kind]
    scores = WindowScores(detector)
    for samples, rate in small_voices[1][0][:4]:
        for window in (samples, np.round(samples * 30000).astype(np.int16)):
            (answer,) = detect(detector, [(window, rate)])
            score, speech, remarks = scores.score(window, rate)
            assert score == pytest.approx(answer.score, abs=1e-12)
            assert speech == answer.speech
            assert remarks == []
    assert scores.score(np.zeros(8000, np.int16), 16000) == (None, 0.0, [])


@pytest.mark.parametrize("kind", KINDS)
def test_scikit_learns_wrappers_are_asked_only_where_steps_are_not_known(
    detectors, small_voices, kind, monkeypatch
):
    detector, known = detectors[kind]
    asked = []
    original = voicelstm.detector._window_scores.synthetic_log_odds
    monkeypatch.setattr(
        "voicelstm.detector._window_scores.synthetic_log_odds",
        lambda *args: asked.append(args) or original(*args),
    )
    WindowScores(detector).score(*small_voices[1][0][0])
    assert bool(asked) != known
