import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import FixedThresholdClassifier

from tests.detector.test_decisions import every_labelling, told
from voicelstm import calibrate, detect, load, make_detector, save, tune_threshold
from voicelstm.detector import ThresholdDetector
from voicelstm.exceptions import AudioWarning


@every_labelling
@pytest.mark.parametrize("pos_label", [None, 0])
def test_decisions_are_those_of_scikit_learns_classes(labelling, pos_label):
    detector, X, y, _ = told(labelling)
    label = None if pos_label is None else detector.classes_[pos_label]
    given = {"threshold": 0.5, "pos_label": label, "response_method": "decision_function"}
    own, theirs = (kind(detector, **given) for kind in (ThresholdDetector, FixedThresholdClassifier))
    own.estimator_ = theirs.estimator_ = detector
    np.testing.assert_array_equal(own.predict(X), theirs.predict(X))  # 0.5 is one of the scores
    calibrated = calibrate(detector, X, y)
    np.testing.assert_array_equal(calibrated.predict(X), CalibratedClassifierCV.predict(calibrated, X))


@every_labelling
def test_a_clip_without_a_score_gets_no_label(labelling):
    detector, X, y, _ = told(labelling)
    broken = X.copy()
    broken[[2, 5]] = np.nan
    calibrated = calibrate(detector, X, y)
    for decided in (tune_threshold(detector, X, y), calibrated, tune_threshold(calibrated, X, y)):
        with pytest.raises(ValueError, match=r"without a score have no class: positions \[2, 5\]"):
            decided.predict(broken)
    np.testing.assert_array_equal(np.isnan(calibrated.predict_proba(broken)[:, 0]), np.isnan(broken))


@pytest.mark.parametrize("human", [0, 1])
def test_what_was_tuned_says_its_threshold_in_log_odds_and_knows_the_human_class(
    human, small_voices, tmp_path
):
    (X, y), (others, of_others) = small_voices
    params = {"features__n_mfcc": 8, "classifier__units": (4,), "classifier__max_steps": 8}
    labels, of_others = (np.where(each == "human", human, 1 - human) for each in (y, of_others))
    plain = make_detector("dynamics", random_state=0, **params).fit(X, labels)
    for detector in (plain, calibrate(plain, others, of_others)):
        save(tune_threshold(detector, others, of_others, human_label=human), tmp_path / "tuned")
        tuned = load(tmp_path / "tuned")
        synthetic = tuned.predict_proba(others)[:, 1 - human]
        expected = tuned.predict(others)
        assert {*expected.tolist()} == {0, 1}
        np.testing.assert_array_equal(
            np.log(synthetic / (1 - synthetic)) >= tuned.score_threshold_, expected != human
        )
        for threshold in (None, tuned.score_threshold_):
            found = list(detect(tuned, others, threshold=threshold))
            assert [each.label for each in found] == expected.tolist()


def test_a_threshold_of_no_named_class_knows_no_human_one():
    assert not hasattr(ThresholdDetector(None), "human_label_")
    fitted = DummyClassifier().fit([[0.0], [1.0]], ["human", "synthetic"])
    detector = ThresholdDetector(fitted, pos_label="fake").fit([[0.0], [1.0]], ["human", "synthetic"])
    with pytest.raises(AttributeError, match=r"pos_label='fake'.*these are \['human', 'synthetic'\]"):
        _ = detector.human_label_


def test_a_recording_that_failed_gets_no_label_before_or_after_saving(small_detector, small_voices, tmp_path):
    _, (X, y) = small_voices
    lenient = clone(small_detector[0]).set_params(on_error="warn")
    detector = type(small_detector)([("features", lenient), *small_detector.steps[1:]])
    held_out = [*X, tmp_path / "gone.wav"]
    for decided in (tune_threshold(detector, X, y), calibrate(detector, X, y)):
        save(decided, tmp_path / "decided")
        for each in (decided, load(tmp_path / "decided")):
            assert type(each) is type(decided)
            with (
                pytest.warns(AudioWarning, match="gone.wav"),
                pytest.raises(ValueError, match=r"positions \[20\] of X"),
            ):
                each.predict(held_out)
