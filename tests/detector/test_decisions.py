import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import DataConversionWarning
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier

from voicelstm import calibrate, evaluate, score_timeline, tune_threshold
from voicelstm.detector import CalibratedDetector, ThresholdDetector
from voicelstm.exceptions import HeldOutWarning
from voicelstm.metrics import (
    act_dcf,
    cllr,
    cllr_scorer,
    detection_cost,
    make_detection_scorer,
    min_cllr,
    min_dcf,
)

# Of five human and five synthetic clips, in favour of human. At 0.15 one of either is wrong, from -0.2 to
# -0.5 one synthetic one, from 0.7 to 1 two human ones.
HUMAN_RATIOS = np.array([2, 1.5, 1, 0.5, -0.2, 0.7, -0.5, -1, -1.5, -2])
IS_HUMAN = np.arange(10) < 5
LABELS = {
    "synthetic is classes_[1]": np.where(IS_HUMAN, "human", "synthetic"),
    "human is classes_[1]": IS_HUMAN.astype(int),
}
every_labelling = pytest.mark.parametrize("labelling", LABELS)


class Scored(ClassifierMixin, BaseEstimator):
    """A detector that knows what to say: clips are their scores in favour of classes_[1]."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        if 1 in self.classes_.tolist():
            self.human_label_ = 1
        return self

    def decision_function(self, X):
        return np.asarray(X)

    def predict(self, X):
        return self.classes_[(np.asarray(X) > 0).astype(int)]


def told(labelling, scores=HUMAN_RATIOS):
    y = LABELS[labelling]
    direction = 1 if labelling == "human is classes_[1]" else -1
    return Scored().fit(None, y), direction * scores, y, direction


@every_labelling
@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"metric": "eer"}, 0.15),
        ({"metric": "detection_cost"}, -0.35),  # 0.5 * 0.2 is less than any 0.95 * miss
        ({"metric": "detection_cost", "cost_false_alarm": 100}, 0.85),  # 5 * 0.2 > 0.95 * 0.4
        ({"metric": "detection_cost", "cost_false_alarm": 100, "max_miss": 0.2}, -0.35),
        ({"metric": "detection_cost", "max_false_alarm": 0}, 0.85),
        ({"metric": "miss", "max_false_alarm": 0.2}, -0.35),
        ({"metric": "miss", "max_false_alarm": 0.19}, 0.85),
        ({"metric": "false_alarm", "max_miss": 0.2}, -0.35),
        ({"metric": "false_alarm", "max_miss": 0.4}, 0.85),
    ],
)
def test_the_threshold_is_halfway_between_the_scores_that_it_separates(labelling, asked, expected):
    detector, X, y, _ = told(labelling)
    tuned = tune_threshold(detector, X, y, **asked)
    assert type(tuned) is ThresholdDetector
    assert isinstance(tuned, FixedThresholdClassifier)
    assert tuned.estimator_.estimator is detector
    # In favour of synthetic, whatever classes_[1] is.
    assert tuned.threshold == tuned.score_threshold_ == pytest.approx(-expected)
    assert (tuned.human_label_, tuned.pos_label) == (y[0], y[-1])
    np.testing.assert_array_equal(tuned.predict(X) == y[0], np.greater(HUMAN_RATIOS, expected))


@every_labelling
@pytest.mark.parametrize(("cost", "accepted"), [(1e-3, True), (1e4, False)])
def test_one_answer_for_all_is_a_threshold_at_the_end_of_the_scores(labelling, cost, accepted):
    detector, X, y, _ = told(labelling, -HUMAN_RATIOS.astype(np.float32))  # all but always wrong
    tuned = tune_threshold(detector, X, y, metric="detection_cost", cost_false_alarm=cost)
    assert ((tuned.predict(X) == y[0]) == accepted).all()
    assert np.isfinite(tuned.threshold)


@every_labelling
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("seed", range(5))
def test_decisions_cost_what_the_best_threshold_costs(labelling, dtype, seed):
    random = np.random.default_rng(seed)
    # Scores of which many are equal, and neighbours that no number is between.
    scores = np.nextafter(random.integers(0, 3, 10).astype(dtype), random.choice([0, 9], 10).astype(dtype))
    detector, X, y, _ = told(labelling, scores.astype(dtype))
    weight = random.uniform(0.5, 2, 10)
    costs = {"synthetic_prior": random.uniform(0.1, 0.9), "cost_false_alarm": random.uniform(0.5, 2)}
    tuned = tune_threshold(detector, X, y, metric="detection_cost", sample_weight=weight, **costs)
    shared = {"human_label": y[0], "sample_weight": weight} | costs
    spent = detection_cost(y, tuned.predict(X), **shared)
    least = min_dcf(y, X, pos_label=detector.classes_[1], **shared)
    assert spent == pytest.approx(least)


def overlapping(n_human, n_synthetic, seed):
    """Scores that are log-likelihood ratios: normal, with means as far from 0 as half the variance."""
    random = np.random.default_rng(seed)
    y = np.repeat(["human", "synthetic"], [n_human, n_synthetic])
    return random.normal(np.where(y == "human", -1, 1), np.sqrt(2)), y


@pytest.fixture(scope="module")
def held_out():
    ratio, y = overlapping(40000, 4000, seed=1)
    return 5 * ratio + 30, y


def test_calibrated_log_odds_are_the_likelihood_ratios_that_were_distorted(held_out):
    distorted, y = held_out
    detector = Scored().fit(None, y)
    calibrated = calibrate(detector, distorted, y)
    assert type(calibrated) is CalibratedDetector
    assert isinstance(calibrated, CalibratedClassifierCV)
    assert calibrated.estimator.estimator is detector
    of_new, _ = overlapping(300, 300, seed=2)
    probability = calibrated.predict_proba(5 * of_new + 30)
    np.testing.assert_allclose(np.log(probability[:, 1] / probability[:, 0]), of_new, atol=0.3)
    # An unpenalised logistic regression, but for Platt's targets, which differ from 0 and 1 by 1 / 22,000.
    reference = LogisticRegression(C=np.inf, class_weight="balanced").fit(distorted[:, None], y)
    expected = reference.decision_function(distorted[:, None])
    found = calibrated.predict_proba(distorted)
    np.testing.assert_allclose(np.log(found[:, 1] / found[:, 0]), expected, atol=0.1)


def test_after_calibration_cllr_is_near_its_minimum_and_bayes_threshold_is_right(held_out):
    distorted, y = held_out
    detector = Scored().fit(None, y)
    calibrated = calibrate(detector, distorted, y)
    least = min_cllr(y, distorted, pos_label="synthetic")
    assert -cllr_scorer(detector, distorted, y) > 1
    assert least < -cllr_scorer(calibrated, distorted, y) < least + 0.02
    actual = -make_detection_scorer(act_dcf)(calibrated, distorted, y)
    assert actual == pytest.approx(min_dcf(y, distorted, pos_label="synthetic"), abs=0.05)
    # A threshold moves decisions, not what the scores say.
    tuned = tune_threshold(calibrated, distorted, y, metric="detection_cost")
    report = evaluate(tuned, distorted, y, n_resamples=0)
    assert report.overall.cllr.value == pytest.approx(-cllr_scorer(calibrated, distorted, y))
    cost = 0.95 * report.overall.miss.value + 0.5 * report.overall.false_alarm.value
    assert cost / 0.5 == pytest.approx(report.overall.min_dcf.value)


def test_of_classes_of_one_size_the_calibration_is_scikit_learns_own():
    scores, y = overlapping(40, 40, seed=0)
    X = scores[:, None]
    detector = LogisticRegression(C=0.01).fit(X, y)
    mine = calibrate(detector, X, y)
    own = CalibratedClassifierCV(FrozenEstimator(detector)).fit(X, y)
    np.testing.assert_allclose(mine.predict_proba(X), own.predict_proba(X), rtol=1e-6)
    assert mine.get_params(deep=False).keys() == own.get_params(deep=False).keys()
    assert mine.n_features_in_ == 1


def test_a_weight_is_a_clip_given_so_often():
    scores, y = overlapping(30, 20, seed=0)
    weight = np.arange(50) % 3
    detector = Scored().fit(None, y)
    found = calibrate(detector, scores, y, sample_weight=weight).predict_proba(scores)
    expected = calibrate(detector, np.repeat(scores, weight), np.repeat(y, weight)).predict_proba(scores)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_recordings_are_scored_once_with_and_without_routing():
    scores, y = overlapping(30, 20, seed=0)
    asked = []

    class Counted(Scored):
        def decision_function(self, X):
            asked.append(len(X))
            return super().decision_function(X)

    detector = Counted().fit(None, y)
    for routing in (False, True):
        with config_context(enable_metadata_routing=routing):
            calibrate(detector, scores, y)
            tune_threshold(detector, scores, y)
    assert asked == [50] * 4


def test_a_detector_with_probabilities_alone_has_its_threshold_among_them():
    scores, y = overlapping(30, 20, seed=0)
    calibrated = calibrate(Scored().fit(None, y), scores, y)
    tuned = tune_threshold(calibrated, scores, y)
    assert tuned.response_method == "predict_proba"
    assert 0 < tuned.threshold < 1
    # Platt's curve rises with the score, so that the same clips are taken for synthetic.
    expected = tune_threshold(Scored().fit(None, y), scores, y).predict(scores)
    np.testing.assert_array_equal(tuned.predict(scores), expected)
    twice = calibrate(calibrated, scores, y)
    assert (np.diff(twice.predict_proba(np.sort(scores))[:, 1]) >= 0).all()


@pytest.mark.parametrize("function", [tune_threshold, calibrate])
def test_held_out_clips_that_say_nothing_are_refused(function):
    detector, X, y, _ = told("synthetic is classes_[1]")
    with pytest.raises(ValueError, match=r"y holds the classes \['human'\], the detector knows"):
        function(detector, X[:5], y[:5])
    with pytest.raises(ValueError, match=r"y holds the classes \[0, 1\]"):
        function(detector, X, IS_HUMAN.astype(int))
    with pytest.raises(ValueError, match="one label for each of the 10 recordings"):
        function(detector, X, y[:9])
    with pytest.raises(ValueError, match=r"the classes of this Scored are \[\]"):
        function(Scored(), X, y)
    with pytest.raises(ValueError, match="all 10 clips the score 1: no threshold"):
        function(detector, np.ones(10), y)
    for value, kind in ((np.nan, "NaN"), (np.inf, "infinite")):
        broken = X.copy()
        broken[[3, 7]] = value
        with pytest.raises(ValueError, match=rf"{kind} at positions \[3, 7\] of recordings"):
            function(detector, broken, y)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"metric": "accuracy"}, "metric='accuracy' must be one of"),
        ({"metric": "miss"}, "give max_false_alarm"),
        ({"metric": "false_alarm", "max_false_alarm": 0.1}, "give max_miss"),
        ({"max_miss": 0.1}, "max_miss=0.1 does not go with metric='eer'"),
        ({"metric": "false_alarm", "max_miss": 1.5}, "max_miss=1.5 must be a share"),
        ({"metric": "detection_cost", "max_miss": 0, "max_false_alarm": 0}, "No threshold keeps both"),
        ({"metric": "detection_cost", "synthetic_prior": 1}, "synthetic_prior"),
        ({"human_label": "bonafide"}, "human_label='bonafide'"),
    ],
)
def test_what_cannot_be_asked_is_said(asked, words):
    detector, X, y, _ = told("synthetic is classes_[1]")
    with pytest.raises(ValueError, match=words):
        tune_threshold(detector, X, y, **asked)


def test_a_pipeline_of_recordings_is_tuned_and_calibrated(small_detector, small_voices):
    _, (X, y) = small_voices
    scores = small_detector.decision_function(X)
    calibrated = calibrate(small_detector, X, y)
    probability = calibrated.predict_proba(X)[:, 1]
    np.testing.assert_array_equal(np.argsort(probability), np.argsort(scores))
    assert cllr(y, np.log(probability / (1 - probability)), pos_label="synthetic") <= 1
    tuned = tune_threshold(small_detector, X, y, metric="false_alarm", max_miss=0)
    assert (tuned.predict(X)[y == "human"] == "human").all()
    np.testing.assert_array_equal(tuned.predict(X) == "synthetic", scores > scores[y == "human"].max())


def test_a_timeline_is_that_of_the_pipeline_within(small_detector, small_voices):
    _, (X, y) = small_voices
    expected = score_timeline(small_detector, X[:2])
    for wrapped in (
        tune_threshold(calibrate(small_detector, X, y), X, y),
        FixedThresholdClassifier(small_detector),
    ):
        for found, timeline in zip(score_timeline(wrapped, X[:2]), expected, strict=True):
            np.testing.assert_array_equal(found, timeline)


def test_labels_of_other_forms_are_answered_as_they_are_by_every_entrance():
    detector, X, y, _ = told("synthetic is classes_[1]")
    for of in (tune_threshold, calibrate, lambda *given: evaluate(*given, n_resamples=0)):
        with pytest.warns(DataConversionWarning, match=r"y has shape \(10, 1\)"):
            of(detector, X, y[:, None])
        with pytest.raises(ValueError, match="These are one-hot"):
            of(detector, X, np.column_stack([IS_HUMAN, ~IS_HUMAN]))
        with pytest.raises(ValueError, match="differ only in spelling"):
            of(detector, X, ["Human", *y[1:]])


def test_scores_that_are_known_calibrate_as_the_recordings_do(small_detector, small_voices):
    X, y = small_voices[1]
    scores = small_detector.decision_function(X)
    weight = np.arange(1, len(y) + 1)
    known = calibrate(small_detector, None, y, scores=scores, sample_weight=weight)
    read = calibrate(small_detector, X, y, sample_weight=weight)
    np.testing.assert_allclose(known.predict_proba(X), read.predict_proba(X), rtol=1e-6)


def test_known_scores_of_the_training_are_no_reason_to_warn(small_detector, small_voices):
    X, y = small_voices[0]
    with pytest.warns(HeldOutWarning):
        calibrate(small_detector, X, y)
    calibrate(small_detector, None, y, scores=small_detector.decision_function(X))


def test_scores_that_are_not_those_of_the_clips_are_refused(small_detector, small_voices):
    X, y = small_voices[1]
    scores = small_detector.decision_function(X)
    no_margin = calibrate(small_detector, X, y)
    for wrong, words in (
        ((small_detector, X, y, scores), "give None as recordings"),
        ((small_detector, None, y, scores[1:]), "one label for each of the"),
        ((small_detector, None, y, scores[:, None]), "expected one for each clip"),
        ((small_detector, None, y, np.where(y == "human", np.nan, scores)), "are NaN at positions"),
        ((small_detector, None, y, np.zeros(len(y))), "gives all"),
        ((no_margin, None, y, scores), "decision_function, which this"),
    ):
        detector, recordings, labels, of_clips = wrong
        with pytest.raises(ValueError, match=words):
            calibrate(detector, recordings, labels, scores=of_clips)
