import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier

from tests.display.drawn import SCORE, Y, legend
from voicelstm import calibrate, tune_threshold
from voicelstm.display import ScoreDistributionDisplay


def outline(patch):
    return patch.get_data().values


def test_errors_are_the_shares_on_the_wrong_side():
    display = ScoreDistributionDisplay.from_predictions(Y, SCORE, pos_label="human")
    assert (display.miss_rate_, display.false_alarm_rate_) == (0.2, 0.2)
    assert display.threshold_line_.get_xdata() == [0, 0]
    assert sorted(legend(display.ax_)) == [
        "false alarms, 20.0%",
        "human, 5 clips",
        "missed, 20.0%",
        "synthetic, 5 clips",
        "threshold 0",
    ]
    assert display.ax_.get_xlabel() == "score, higher for synthetic"


def test_areas_are_the_parts_of_the_outlines_beyond_the_threshold():
    display = ScoreDistributionDisplay.from_predictions(Y, np.negative(SCORE), threshold=-0.6, bins=4)
    # Bins of (2 + 2) / 4 = 1 about the threshold: -2.6, -1.6, -0.6, 0.4, 1.4, 2.4.
    assert_allclose(display.edges_, [-2.6, -1.6, -0.6, 0.4, 1.4, 2.4])
    assert_allclose(outline(display.human_), [0.2, 0.4, 0.4, 0, 0])
    assert_allclose(outline(display.synthetic_), [0, 0.2, 0, 0.4, 0.4])
    assert_allclose(outline(display.misses_), [0, 0, 0.4, 0, 0])
    assert_allclose(outline(display.false_alarms_), [0, 0.2, 0, 0, 0])
    assert (display.miss_rate_, display.false_alarm_rate_) == (0.4, 0.2)
    assert display.ax_.get_xlabel() == "score: log-odds of synthetic"


def test_scores_that_speak_for_human_are_turned_round_with_their_threshold():
    turned = ScoreDistributionDisplay.from_predictions(Y, SCORE, pos_label="human", threshold=0.6, bins=4)
    plain = ScoreDistributionDisplay.from_predictions(Y, np.negative(SCORE), threshold=-0.6, bins=4)
    assert_allclose(turned.edges_, plain.edges_)
    assert_allclose(outline(turned.misses_), outline(plain.misses_))
    assert (turned.miss_rate_, turned.false_alarm_rate_) == (0.4, 0.2)
    assert turned.ax_.get_xlabel() == "score, higher for synthetic"


def test_a_clip_at_the_threshold_is_taken_for_synthetic():
    display = ScoreDistributionDisplay.from_predictions(
        ["human", "human", "synthetic", "synthetic"], [0.0, 1.0, 1.0, 2.0], threshold=1.0
    )
    assert (display.miss_rate_, display.false_alarm_rate_) == (0.5, 0)
    # The last of all scores too, though NumPy's last bin is closed on the right.
    display = ScoreDistributionDisplay.from_predictions(
        [0, 0, 1, 1], [0.0, 1.0, 1.0, 2.0], human_label=0, threshold=2.0
    )
    assert (display.miss_rate_, display.false_alarm_rate_) == (0, 0.5)


def test_a_threshold_beyond_all_scores_is_drawn():
    display = ScoreDistributionDisplay.from_predictions(Y, np.negative(SCORE), threshold=9)
    assert (display.miss_rate_, display.false_alarm_rate_) == (0, 1)
    low, high = display.ax_.get_xlim()
    assert low < -2 < 9 < high


def test_weights_count_within_a_class():
    display = ScoreDistributionDisplay.from_predictions(
        Y, SCORE, pos_label="human", sample_weight=[1, 1, 1, 1, 4] + [1] * 5
    )
    assert_allclose([display.miss_rate_, display.false_alarm_rate_], [0.5, 0.2])


def test_classes_are_told_apart_without_colour():
    display = ScoreDistributionDisplay.from_predictions(Y, SCORE, pos_label="human")
    assert display.human_.get_linestyle() != display.synthetic_.get_linestyle()
    assert display.misses_.get_hatch() != display.false_alarms_.get_hatch()


def test_of_a_detector_it_takes_scores_and_threshold(plain):
    X = np.array([[-1.0], [0.3], [0.2], [1.0]])
    y = ["human", "human", "synthetic", "synthetic"]
    display = ScoreDistributionDisplay.from_estimator(plain, X, y)
    assert (display.threshold, display.miss_rate_, display.false_alarm_rate_) == (0, 0.5, 0)
    assert_allclose(np.sort(display.human), [-2, 0.6])
    fixed = FixedThresholdClassifier(plain, threshold=0.9, response_method="predict_proba").fit(X, y)
    fixed.estimator_ = plain
    display = ScoreDistributionDisplay.from_estimator(FrozenEstimator(fixed), X, y)
    assert display.threshold == pytest.approx(np.log(9))
    assert_allclose(np.sort(display.synthetic), [0.4, 2])


def test_of_every_labelling_and_calibrated_it_takes_log_odds_of_synthetic(plain):
    X, y = np.array([[-1.0], [0.3], [0.2], [1.0]]), np.array(["human", "human", "synthetic", "synthetic"])
    expected = ScoreDistributionDisplay.from_estimator(calibrate(plain, X, y), X, y)
    for human, synthetic in (("real", "fake"), (1, 0), (0, 1)):
        labels = np.where(y == "human", human, synthetic)
        turned = 1 if np.unique(labels).tolist()[0] == human else -1
        other = LogisticRegression().fit([[-1.0], [1.0]], [human, synthetic])
        other.coef_, other.intercept_ = turned * plain.coef_, plain.intercept_
        known = {} if isinstance(human, str) else {"human_label": human}
        display = ScoreDistributionDisplay.from_estimator(other, X, labels, **known)
        assert_allclose(np.sort(display.human), [-2, 0.6])
        assert display.ax_.get_xlabel() == "score: log-odds of synthetic"
        display = ScoreDistributionDisplay.from_estimator(calibrate(other, X, labels), X, labels, **known)
        assert_allclose(display.synthetic, expected.synthetic, atol=1e-6)
        assert display.threshold == 0
    probability = calibrate(plain, X, y).predict_proba(X)[2:, 1]
    assert_allclose(expected.synthetic, np.log(probability / (1 - probability)))


def test_a_tuned_threshold_that_speaks_for_the_first_class_is_read_so(plain):
    X, y = np.array([[-1.0], [-0.3], [0.2], [1.0]]), ["human", "human", "synthetic", "synthetic"]
    fixed = FixedThresholdClassifier(
        plain, threshold=1.0, pos_label="human", response_method="decision_function"
    ).fit(X, y)
    fixed.estimator_ = plain
    display = ScoreDistributionDisplay.from_estimator(fixed, X, y)
    wrong = np.asarray(fixed.predict(X)) != y
    assert_allclose([display.miss_rate_, display.false_alarm_rate_], [wrong[:2].mean(), wrong[2:].mean()])
    assert (display.threshold, display.ax_.get_xlabel()) == (-1, "score: log-odds of synthetic")


def test_infinite_scores_are_counted_and_refused():
    with pytest.raises(ValueError, match="y_score holds 1 values that are NaN or infinite, of 10"):
        ScoreDistributionDisplay.from_predictions(Y, [np.inf, *SCORE[1:]], pos_label="human")


def test_tuned_detectors_show_their_threshold(plain):
    X = np.array([[-1.0], [0.3], [0.5], [1.0]])
    tuned = tune_threshold(plain, X, ["human", "human", "synthetic", "synthetic"])
    display = ScoreDistributionDisplay.from_estimator(tuned, X, ["human", "human", "synthetic", "synthetic"])
    assert display.threshold == pytest.approx(0.8)  # halfway between the log-odds 0.6 and 1
    assert (display.miss_rate_, display.false_alarm_rate_) == (0, 0)
