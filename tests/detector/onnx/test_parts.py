from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline

from voicelstm import LSTMVoiceClassifier, MFCCTransformer, calibrate, load_pretrained, tune_threshold
from voicelstm.detector.onnx._parts import Parts


def test_wrappers_give_their_steps_and_calibration(small_detector, small_voices):
    _, (recordings, y) = small_voices
    calibrated = calibrate(small_detector, recordings, y)
    for detector in (calibrated, tune_threshold(calibrated, recordings, y)):
        parts = Parts.of(detector)
        assert [parts.transformer, parts.dynamics, parts.classifier] == [s for _, s in small_detector.steps]
        slope, intercept = parts.calibration
        score = small_detector.decision_function(recordings)
        probability = detector.predict_proba(recordings)[:, 1]
        np.testing.assert_allclose(
            slope * score + intercept, np.log(probability) - np.log1p(-probability), rtol=1e-9
        )
    tuned = Parts.of(tune_threshold(small_detector, recordings, y))
    assert tuned.calibration is None
    assert tuned.classifier is small_detector[-1]


@pytest.mark.parametrize("nothing", ["passthrough", None])
def test_steps_that_do_nothing_are_passed_over(nothing, small_detector):
    (_, transformer), *rest = small_detector.steps
    parts = Parts.of(Pipeline([("features", transformer), ("nothing", nothing), *rest]))
    assert [parts.transformer, parts.dynamics, parts.classifier] == [s for _, s in small_detector.steps]


def test_the_direction_is_that_of_synthetic(small_detector):
    assert Parts.of(load_pretrained()).direction == 1
    clips = list(np.random.default_rng(0).normal(size=(4, 5, 2)))
    classifier = LSTMVoiceClassifier(units=(2,), max_steps=1, random_state=0).fit(clips, [0, 1, 0, 1])
    assert Parts.of(classifier, human_label=0).direction == 1
    assert Parts.of(classifier, human_label=1).direction == -1
    with pytest.raises(ValueError, match="human_label must say"):
        Parts.of(classifier)


def test_what_is_no_graph_is_refused_with_the_reason(small_detector, small_voices):
    _, (recordings, y) = small_voices
    frozen = FrozenEstimator(small_detector)
    isotonic = CalibratedClassifierCV(frozen, method="isotonic").fit(recordings, y)
    with pytest.raises(TypeError, match="method='isotonic'"):
        Parts.of(isotonic)
    several = CalibratedClassifierCV(frozen, cv=2, ensemble=True).fit(recordings, y)
    with pytest.raises(TypeError, match="of 2 detectors; calibrate a fitted one"):
        Parts.of(several)
    twice = CalibratedClassifierCV(FrozenEstimator(calibrate(small_detector, recordings, y))).fit(
        recordings, y
    )
    with pytest.raises(TypeError, match="calibrated detector"):
        Parts.of(twice)
    other = make_pipeline(MFCCTransformer(), LogisticRegression())
    with pytest.raises(TypeError, match="found MFCCTransformer and LogisticRegression; a graph is made of"):
        Parts.of(other)
    with pytest.raises(TypeError, match=r"the path 'detector\.voicelstm'; load it first"):
        Parts.of(Path("detector.voicelstm"))


def test_what_is_not_fitted_is_refused(small_detector):
    for detector in (clone(small_detector), GridSearchCV(small_detector, {})):
        with pytest.raises(NotFittedError):
            Parts.of(detector)
