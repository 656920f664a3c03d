"""Every expectation is what `predict` decides, or a number that is calculated by hand."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC

from tests.metrics.test_responses import LABELS, clips, fitted_on, fixed, plain, tuned
from voicelstm import MFCCTransformer, detect, evaluate
from voicelstm.display import ScoreDistributionDisplay
from voicelstm.metrics import equal_error_rate
from voicelstm.metrics._scorers import log_likelihood_ratios
from voicelstm.metrics._synthetic_scores import (
    log_odds,
    segment_threshold,
    synthetic_log_odds,
    synthetic_threshold,
)

#: Labels, and which of them is human; None if the spelling says it.
HUMAN = [("words", None, "human"), ("words, human last", None, "real")]
HUMAN += [("human is 1", human, human) for human in (0, 1)]
every_labelling = pytest.mark.parametrize(("labels", "human_label", "human"), HUMAN)
KINDS = {
    "plain": plain(),
    "margin": LinearSVC(),
    "calibrated": CalibratedClassifierCV(plain(), cv=2),
    "vote": VotingClassifier([("a", plain()), ("b", GaussianNB())], voting="soft"),
    "logarithms": GaussianNB(),
    "threshold of probabilities": FixedThresholdClassifier(GaussianNB(), threshold=0.6),
    "threshold of calibration": FixedThresholdClassifier(
        CalibratedClassifierCV(plain(), cv=2), threshold=0.6
    ),
    "threshold of log-odds": FixedThresholdClassifier(
        plain(), threshold=0.5, response_method="decision_function"
    ),
}


@every_labelling
@pytest.mark.parametrize("kind", KINDS)
def test_a_clip_is_synthetic_where_its_score_reaches_the_threshold(kind, labels, human_label, human):
    X, y = clips(LABELS[labels])
    detector = KINDS[kind].fit(X, y)
    score = synthetic_log_odds(detector, X, human_label)
    assert score.dtype == np.float64
    decided = detector.predict(X) != human
    assert 0 < decided.sum() < len(X)
    np.testing.assert_array_equal(score >= synthetic_threshold(detector, human_label), decided)
    if kind != "margin":
        synthetic = detector.predict_proba(X)[:, detector.classes_ != human].ravel()
        np.testing.assert_allclose(1 / (1 + np.exp(-score)), synthetic, rtol=1e-9)


@every_labelling
@pytest.mark.parametrize("method", ["auto", "decision_function", "predict_proba"])
@pytest.mark.parametrize("position", [0, 1])
@pytest.mark.parametrize("wrapper", [tuned, fixed])
def test_a_threshold_is_one_of_segments_too(wrapper, labels, human_label, human, position, method):
    X, y = clips(LABELS[labels])
    detector = FrozenEstimator(fitted_on(labels, wrapper, position, method))
    decided = detector.predict(X) != human
    assert 0 < decided.sum() < len(X)
    direction = -1 if LABELS[labels][1] == human else 1
    segments = direction * plain().fit(X, y).decision_function(X)
    for threshold in (
        segment_threshold(detector, human_label=human_label),
        synthetic_threshold(detector, human_label),
    ):
        np.testing.assert_array_equal(segments >= threshold, decided)
    assert segment_threshold(detector, 0.25) == 0.25


def test_a_calibrated_detector_has_no_threshold_for_segments():
    X, y = clips(["human", "synthetic"])
    calibrated = CalibratedClassifierCV(plain(), cv=2).fit(X, y)
    assert segment_threshold(calibrated) is segment_threshold(calibrated, 0.25) is None


class Certain(ClassifierMixin, BaseEstimator):
    """A detector that says what it is given: probabilities of synthetic."""

    classes_ = np.array(["human", "synthetic"])

    def __init__(self, dtype=np.float64):
        self.dtype = dtype

    def __sklearn_is_fitted__(self):
        return True

    def predict_proba(self, X):
        p = np.asarray(X, dtype=self.dtype)
        return np.column_stack([1 - p, p])


@pytest.mark.parametrize(("dtype", "bits"), [(np.float32, 23), (np.float64, 52)])
def test_saturated_probabilities_are_clipped_at_the_epsilon_of_their_type(dtype, bits):
    score = synthetic_log_odds(Certain(dtype), [0.0, 1e-30, 0.25, 0.5, 1.0, np.nan])
    end = bits * np.log(2)  # log((1 - e) / e) with e = 2 ** -bits
    np.testing.assert_allclose(score[:5], [-end, -end, -np.log(3), 0, end], rtol=1e-6)
    assert np.isnan(score[5])


def test_logarithms_far_from_the_threshold_are_not_tied():
    # Of two normal distributions of one variance v, log-odds are (x - 1 / 2) / v.
    detector = GaussianNB(var_smoothing=0).fit(
        [[-0.5], [0.5], [0.5], [1.5]], np.repeat(["human", "spoof"], 2)
    )
    X, y = np.array([[100.0], [200.0], [300.0], [400.0]]), np.repeat(["human", "spoof"], 2)
    for each in (detector, make_pipeline(FunctionTransformer(), detector)):
        score = synthetic_log_odds(each, X)
        np.testing.assert_allclose(score, (X[:, 0] - 0.5) / 0.25)
        assert equal_error_rate(y, score) == 0
        np.testing.assert_allclose(log_likelihood_ratios(each, X), score)


class Logarithms(Certain):
    """A detector that says what it is given: log-odds of synthetic, as logarithms of probabilities."""

    def fit(self, X, y):
        return self

    def predict_log_proba(self, X):
        odds = np.asarray(X, dtype=np.float64)
        return np.column_stack([np.minimum(0, -odds), np.minimum(0, odds)])


def test_infinite_log_odds_are_as_large_as_any_other():
    for finite, end in (
        [[-3.0, 50.0, 2.0], 50],
        [[-70.0, 50.0], 70],
        [[1.0, -2.0], 52 * np.log(2)],
        [[], 52 * np.log(2)],
    ):
        asked = [-np.inf, *finite, np.inf]
        for found in (synthetic_log_odds(Logarithms(), asked), log_likelihood_ratios(Logarithms(), asked)):
            np.testing.assert_allclose(found, [-end, *finite, end])


def test_a_tiny_threshold_decides_among_unclipped_scores():
    odds = [-60.0, -50.0, -40.0]
    detector = FixedThresholdClassifier(Logarithms(), threshold=np.exp(-45), pos_label="synthetic")
    detector.estimator_ = detector.estimator
    reached = synthetic_log_odds(detector, odds) >= synthetic_threshold(detector)
    np.testing.assert_array_equal(reached, [False, False, True])


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [(0.5, 0), (0.75, np.log(3)), (0.0, -np.inf), (-1.0, -np.inf), (1.5, np.inf), (1.0, 52 * np.log(2))],
)
def test_a_threshold_of_probabilities_becomes_log_odds(threshold, expected):
    detector = FixedThresholdClassifier(Certain(), threshold=threshold, pos_label="synthetic")
    detector.estimator_ = detector.estimator
    np.testing.assert_allclose(synthetic_threshold(detector), expected)
    detector.set_params(pos_label="human")
    np.testing.assert_allclose(synthetic_threshold(detector), -expected)


@pytest.mark.parametrize("threshold", ["0", [0.0], np.zeros(2), 1j, True])
def test_what_is_no_number_is_no_threshold(threshold):
    X, y = [[-1.0], [1.0]], ["human", "synthetic"]
    detector = LogisticRegression().fit(X, y)
    for ask in (
        lambda: detect(make_pipeline(MFCCTransformer(), FrozenEstimator(detector)), [], threshold=threshold),
        lambda: evaluate(detector, X, y, threshold=threshold),
        lambda: ScoreDistributionDisplay.from_estimator(detector, X, y, threshold=threshold),
    ):
        with pytest.raises(
            TypeError, match="threshold must be a number, log-odds of synthetic, or None; got"
        ):
            ask()
    for number in (0, 0.0, np.float32(0), np.int64(0)):
        evaluate(detector, X, y, threshold=number, n_resamples=0)


def test_no_score_is_a_negative_zero():
    detector = LogisticRegression().fit([[-1.0], [1.0]], ["fake", "real"])
    detector.intercept_[:] = 0
    assert not np.signbit(synthetic_log_odds(detector, [[0.0]])).any()
    assert not np.signbit(synthetic_threshold(detector))
    np.testing.assert_array_equal(log_odds(np.array([[1, 1]]) / 2), 0)


@pytest.mark.parametrize("human", [False, True])
@pytest.mark.parametrize("response_method", ["auto", "decision_function", "predict_proba"])
def test_the_threshold_of_segments_decides_as_a_tuned_detector_does(
    human, response_method, small_detector, small_voices
):
    (X, y), (others, _) = small_voices
    scoring = make_scorer(f1_score, pos_label="human" if human else "synthetic")
    tuned = TunedThresholdClassifierCV(
        FrozenEstimator(small_detector),
        scoring=scoring,
        response_method=response_method,
        cv="prefit",
        refit=False,
    ).fit(X, y)
    log_odds = small_detector.decision_function(others)
    decided = np.where(log_odds >= segment_threshold(tuned), "synthetic", "human")
    np.testing.assert_array_equal(decided, tuned.predict(others))


def test_a_detector_that_says_nothing_of_its_human_class_is_asked_about():
    X, y = clips([0, 1])
    detector = LogisticRegression().fit(X, y)
    with pytest.raises(ValueError, match="human_label must say which"):
        synthetic_threshold(detector)
    with pytest.raises(ValueError, match="human_label must say which"):
        synthetic_log_odds(detector, X)
