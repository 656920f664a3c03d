import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import DetCurveDisplay

from tests.display.drawn import SCORE, Y, legend
from voicelstm.display import DetectionErrorDisplay
from voicelstm.exceptions import ScoreWarning


def test_the_curve_is_scikit_learns_at_the_rates_counted_by_hand():
    display = DetectionErrorDisplay.from_predictions(Y, SCORE, pos_label="human")
    assert isinstance(display.curve_, DetCurveDisplay)
    # Thresholds -2, -1.5, -1, -0.5, -0.2, 0.5, 0.7, 1, 1.5, 2, and none accepted.
    false_alarms = [1, 0.8, 0.6, 0.4, 0.2, 0.2, 0.2, 0, 0, 0, 0]
    misses = [0, 0, 0, 0, 0, 0.2, 0.4, 0.4, 0.6, 0.8, 1]
    x, y = display.line_.get_data()
    assert_allclose(norm.cdf(x), false_alarms, atol=1e-9)
    assert_allclose(norm.cdf(y), misses, atol=1e-9)


def test_equal_errors_and_least_cost_are_marked():
    display = DetectionErrorDisplay.from_predictions(Y, SCORE, pos_label="human", name="LSTM")
    assert_allclose(norm.cdf(display.eer_marker_.get_data()), [[0.2], [0.2]])
    # 0.95 * miss + 0.5 * false alarm is least at (0.2, 0): 0.1, which is 0.2 of 0.5.
    x, y = display.min_dcf_marker_.get_data()
    assert_allclose(norm.cdf(x), 0.2)
    assert_allclose(y, -3)  # a rate of 0 has no place on these axes
    assert legend(display.ax_) == ["LSTM: EER 20.0%, minDCF 0.200", "EER", "minDCF"]


def test_costs_move_the_least_cost():
    display = DetectionErrorDisplay.from_predictions(
        Y, SCORE, pos_label="human", synthetic_prior=0.5, cost_miss=1, cost_false_alarm=10
    )
    # 0.5 * miss + 5 * false alarm is least at (0, 0.4): 0.2, which is 0.4 of 0.5.
    assert display.min_dcf == pytest.approx(0.4)
    assert_allclose(norm.cdf(display.min_dcf_marker_.get_ydata()), 0.4)


def test_curves_on_the_same_axes_have_lines_of_their_own_and_one_entry_for_each_kind_of_mark():
    first = DetectionErrorDisplay.from_predictions(Y, SCORE, pos_label="human", name="a")
    with pytest.warns(ScoreWarning, match="may be turned round"):
        second = DetectionErrorDisplay.from_predictions(Y, SCORE, name="b", ax=first.ax_)
    assert second.ax_ is first.ax_
    assert first.line_.get_linestyle() != second.line_.get_linestyle()
    assert first.line_.get_color() != second.line_.get_color()
    assert [text.split(":")[0] for text in legend(first.ax_)] == ["a", "b", "EER", "minDCF"]


def test_direction_and_axes_are_in_words():
    display = DetectionErrorDisplay.from_predictions(Y, np.negative(SCORE), pos_label="synthetic")
    assert display.eer == 0.2
    assert display.ax_.get_xlabel() == "false alarms: synthetic taken for human"
    assert display.ax_.get_ylabel() == "misses: human taken for synthetic"


def test_of_a_detector_it_takes_scores_and_name(plain):
    display = DetectionErrorDisplay.from_estimator(
        plain, np.negative(SCORE)[:, None], Y, linestyle=":", color="red"
    )
    assert display.line_.get_label() == "LogisticRegression: EER 20.0%, minDCF 0.200"
    assert (display.line_.get_linestyle(), display.line_.get_color()) == (":", "red")


def test_a_detector_that_knows_its_human_class_is_not_asked_for_it(plain):
    numbered = LogisticRegression().fit([[-1.0], [1.0]], [0, 1])
    numbered.coef_, numbered.intercept_ = plain.coef_, plain.intercept_
    numbered.human_label_ = 0
    y = [int(label == "synthetic") for label in Y]
    display = DetectionErrorDisplay.from_estimator(numbered, np.negative(SCORE)[:, None], y)
    assert display.eer == 0.2
