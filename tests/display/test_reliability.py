import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.calibration import CalibrationDisplay
from sklearn.linear_model import LogisticRegression

from tests.display.drawn import legend
from voicelstm import calibrate
from voicelstm.display import ReliabilityDisplay

Y = (0, 0, 0, 1, 0, 1, 1, 1)
PROBABILITY = (0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 0.9, 0.9)


def test_the_curve_is_scikit_learns_of_means_and_shares():
    display = ReliabilityDisplay.from_predictions(Y, PROBABILITY, human_label=0, n_bins=2, name="LSTM")
    assert isinstance(display.calibration_, CalibrationDisplay)
    assert_allclose(display.line_.get_xdata(), [0.25, 0.8])
    assert_allclose(display.line_.get_ydata(), [0.25, 0.75])
    assert legend(display.ax_) == ["Perfectly calibrated", "LSTM"]


def test_bars_count_the_clips():
    display = ReliabilityDisplay.from_predictions(Y, PROBABILITY, human_label=0)
    heights = [bar.get_height() for bar in display.bars_]
    assert sum(heights) == 8
    assert (heights[0], heights[8], heights[9]) == (0, 1, 2)
    assert display.count_ax_.get_ylabel() == "clips"
    assert display.count_ax_.get_xlabel() == "probability of synthetic"
    assert display.ax_.get_ylabel() == "share that is synthetic"


def test_probabilities_of_human_are_drawn_as_such():
    display = ReliabilityDisplay.from_predictions(Y, PROBABILITY, pos_label=1, human_label=1, n_bins=2)
    assert_allclose(display.line_.get_ydata(), [0.25, 0.75])
    assert display.count_ax_.get_xlabel() == "probability of human"
    assert display.ax_.get_ylabel() == "share that is human"
    with pytest.raises(ValueError, match="human_label must say which"):
        ReliabilityDisplay.from_predictions(Y, PROBABILITY)
    with pytest.raises(ValueError, match="pos_label=2 is none of the classes"):
        ReliabilityDisplay.from_predictions(Y, PROBABILITY, pos_label=2, human_label=1)


def test_of_a_detector_it_takes_probabilities_of_synthetic_whatever_the_labels_are(plain):
    X = [[-1.0], [-2.0], [1.0], [2.0]]
    y = np.array(["human", "human", "synthetic", "synthetic"])
    expected = ReliabilityDisplay.from_estimator(plain, X, y, n_bins=2).line_.get_data()
    detector = LogisticRegression().fit([[-1.0], [1.0]], ["real", "fake"])
    detector.coef_, detector.intercept_ = -plain.coef_, plain.intercept_
    turned = ReliabilityDisplay.from_estimator(detector, X, np.where(y == "human", "real", "fake"), n_bins=2)
    assert_allclose(turned.line_.get_data(), expected)


def test_of_a_detector_it_takes_probabilities_and_its_name(plain):
    y = ["human", "human", "synthetic"]
    display = ReliabilityDisplay.from_estimator(plain, [[-1.0], [-2.0], [1.0]], y, n_bins=2)
    assert_allclose(display.line_.get_xdata()[1], 1 / (1 + np.exp(-2)))
    assert_allclose(display.line_.get_ydata(), [0, 1])
    assert display.count_ax_.get_xlabel() == "probability of synthetic"
    calibrated = calibrate(plain, [[-1.0], [-2.0], [1.0]], y)
    assert legend(ReliabilityDisplay.from_estimator(calibrated, [[-1.0], [1.0]], y[1:]).ax_)[1] == (
        "CalibratedDetector"
    )


def test_what_is_no_probability_is_refused():
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        ReliabilityDisplay.from_predictions([0, 1], [-1.0, 2.0], human_label=0)
    with pytest.raises(ValueError, match="y_prob holds 1 values"):
        ReliabilityDisplay.from_predictions([0, 1], [np.nan, 0.5])
