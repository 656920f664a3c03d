import builtins
import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import norm
from sklearn.calibration import CalibrationDisplay
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import DetCurveDisplay
from sklearn.model_selection import FixedThresholdClassifier

from voicelstm import calibrate, tune_threshold
from voicelstm.display import DetectionErrorDisplay, ReliabilityDisplay, ScoreDistributionDisplay

mpl.use("Agg")
import matplotlib.pyplot as plt

Y = ["human"] * 5 + ["synthetic"] * 5
# For human; by hand: the point nearest to equal errors misses one of five and accepts one of five.
SCORE = [2, 1.5, 1, 0.5, -0.2, 0.7, -0.5, -1, -1.5, -2]


@pytest.fixture(autouse=True)
def settings_stay_and_figures_go():
    before = dict(plt.rcParams)
    yield
    plt.close("all")
    assert dict(plt.rcParams) == before


@pytest.fixture(scope="module")
def plain():
    """A detector of one number per clip, whose log-odds of synthetic are that number's double."""
    detector = LogisticRegression().fit([[-1.0], [1.0]], ["human", "synthetic"])
    detector.coef_, detector.intercept_ = np.array([[2.0]]), np.array([0.0])
    return detector


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def outline(patch):
    return patch.get_data().values


class TestScoreDistribution:
    def test_errors_are_the_shares_on_the_wrong_side(self):
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
        assert display.ax_.get_xlabel() == "score, higher for human"

    def test_areas_are_the_parts_of_the_outlines_beyond_the_threshold(self):
        display = ScoreDistributionDisplay.from_predictions(
            Y, SCORE, pos_label="human", threshold=0.6, bins=4
        )
        # Bins of (2 + 2) / 4 = 1 about the threshold: -2.4, -1.4, -0.4, 0.6, 1.6, 2.6.
        assert_allclose(display.edges_, [-2.4, -1.4, -0.4, 0.6, 1.6, 2.6])
        assert_allclose(outline(display.human_), [0, 0, 0.4, 0.4, 0.2])
        assert_allclose(outline(display.synthetic_), [0.4, 0.4, 0, 0.2, 0])
        assert_allclose(outline(display.misses_), [0, 0, 0.4, 0, 0])
        assert_allclose(outline(display.false_alarms_), [0, 0, 0, 0.2, 0])

    def test_it_is_the_mirror_image_where_scores_speak_for_the_other_class(self):
        turned = ScoreDistributionDisplay.from_predictions(
            Y, np.negative(SCORE), pos_label="synthetic", threshold=-0.6, bins=4
        )
        assert (turned.miss_rate_, turned.false_alarm_rate_) == (0.4, 0.2)
        assert_allclose(outline(turned.misses_), [0, 0, 0.4, 0, 0])
        assert turned.ax_.get_xlabel() == "score, higher for synthetic"

    def test_a_clip_at_the_threshold_is_taken_for_the_class_of_higher_scores(self):
        display = ScoreDistributionDisplay.from_predictions([0, 0, 1, 1], [0.0, 1.0, 1.0, 2.0], threshold=1.0)
        assert (display.miss_rate_, display.false_alarm_rate_) == (0, 0.5)
        # The last of all scores too, though NumPy's last bin is closed on the right.
        display = ScoreDistributionDisplay.from_predictions([0, 0, 1, 1], [0.0, 1.0, 1.0, 2.0], threshold=2.0)
        assert (display.miss_rate_, display.false_alarm_rate_) == (0.5, 0)

    def test_a_threshold_beyond_all_scores_is_drawn(self):
        display = ScoreDistributionDisplay.from_predictions(Y, SCORE, pos_label="human", threshold=9)
        assert (display.miss_rate_, display.false_alarm_rate_) == (1, 0)
        low, high = display.ax_.get_xlim()
        assert low < -2 < 9 < high

    def test_weights_count_within_a_class(self):
        display = ScoreDistributionDisplay.from_predictions(
            Y, SCORE, pos_label="human", sample_weight=[1, 1, 1, 1, 4] + [1] * 5
        )
        assert_allclose([display.miss_rate_, display.false_alarm_rate_], [0.5, 0.2])

    def test_classes_are_told_apart_without_colour(self):
        display = ScoreDistributionDisplay.from_predictions(Y, SCORE, pos_label="human")
        assert display.human_.get_linestyle() != display.synthetic_.get_linestyle()
        assert display.misses_.get_hatch() != display.false_alarms_.get_hatch()

    def test_of_a_detector_it_takes_scores_and_threshold(self, plain):
        X = np.array([[-1.0], [0.3], [0.2], [1.0]])
        y = ["human", "human", "synthetic", "synthetic"]
        display = ScoreDistributionDisplay.from_estimator(plain, X, y)
        assert (display.threshold, display.miss_rate_, display.false_alarm_rate_) == (0, 0.5, 0)
        assert_allclose(np.sort(display.human), [-2, 0.6])
        fixed = FixedThresholdClassifier(plain, threshold=0.9, response_method="predict_proba").fit(X, y)
        fixed.estimator_ = plain
        display = ScoreDistributionDisplay.from_estimator(FrozenEstimator(fixed), X, y)
        assert display.threshold == 0.9
        assert_allclose(np.sort(display.synthetic), 1 / (1 + np.exp([-0.4, -2])))

    def test_a_tuned_threshold_that_speaks_for_the_first_class_is_read_so(self, plain):
        X, y = np.array([[-1.0], [-0.3], [0.2], [1.0]]), ["human", "human", "synthetic", "synthetic"]
        fixed = FixedThresholdClassifier(
            plain, threshold=1.0, pos_label="human", response_method="decision_function"
        ).fit(X, y)
        fixed.estimator_ = plain
        display = ScoreDistributionDisplay.from_estimator(fixed, X, y)
        wrong = np.asarray(fixed.predict(X)) != y
        assert_allclose([display.miss_rate_, display.false_alarm_rate_], [wrong[:2].mean(), wrong[2:].mean()])
        assert display.ax_.get_xlabel() == "score, higher for human"

    def test_infinite_scores_are_counted_and_refused(self):
        with pytest.raises(ValueError, match="y_score holds 1 values that are NaN or infinite, of 10"):
            ScoreDistributionDisplay.from_predictions(Y, [np.inf, *SCORE[1:]], pos_label="human")


class TestDetectionError:
    def test_the_curve_is_scikit_learns_at_the_rates_counted_by_hand(self):
        display = DetectionErrorDisplay.from_predictions(Y, SCORE, pos_label="human")
        assert isinstance(display.curve_, DetCurveDisplay)
        # Thresholds -2, -1.5, -1, -0.5, -0.2, 0.5, 0.7, 1, 1.5, 2, and none accepted.
        false_alarms = [1, 0.8, 0.6, 0.4, 0.2, 0.2, 0.2, 0, 0, 0, 0]
        misses = [0, 0, 0, 0, 0, 0.2, 0.4, 0.4, 0.6, 0.8, 1]
        x, y = display.line_.get_data()
        assert_allclose(norm.cdf(x), false_alarms, atol=1e-9)
        assert_allclose(norm.cdf(y), misses, atol=1e-9)

    def test_equal_errors_and_least_cost_are_marked(self):
        display = DetectionErrorDisplay.from_predictions(Y, SCORE, pos_label="human", name="LSTM")
        assert_allclose(norm.cdf(display.eer_marker_.get_data()), [[0.2], [0.2]])
        # 0.95 * miss + 0.5 * false alarm is least at (0.2, 0): 0.1, which is 0.2 of 0.5.
        x, y = display.min_dcf_marker_.get_data()
        assert_allclose(norm.cdf(x), 0.2)
        assert_allclose(y, -3)  # a rate of 0 has no place on these axes
        assert legend(display.ax_) == ["LSTM: EER 20.0%, minDCF 0.200", "EER", "minDCF"]

    def test_costs_move_the_least_cost(self):
        display = DetectionErrorDisplay.from_predictions(
            Y, SCORE, pos_label="human", synthetic_prior=0.5, cost_miss=1, cost_false_alarm=10
        )
        # 0.5 * miss + 5 * false alarm is least at (0, 0.4): 0.2, which is 0.4 of 0.5.
        assert display.min_dcf == pytest.approx(0.4)
        assert_allclose(norm.cdf(display.min_dcf_marker_.get_ydata()), 0.4)

    def test_curves_on_the_same_axes_have_lines_of_their_own_and_one_entry_for_each_kind_of_mark(self):
        first = DetectionErrorDisplay.from_predictions(Y, SCORE, pos_label="human", name="a")
        second = DetectionErrorDisplay.from_predictions(
            Y, SCORE[::-1], pos_label="human", name="b", ax=first.ax_
        )
        assert second.ax_ is first.ax_
        assert first.line_.get_linestyle() != second.line_.get_linestyle()
        assert first.line_.get_color() != second.line_.get_color()
        assert [text.split(":")[0] for text in legend(first.ax_)] == ["a", "b", "EER", "minDCF"]

    def test_direction_and_axes_are_in_words(self):
        display = DetectionErrorDisplay.from_predictions(Y, np.negative(SCORE), pos_label="synthetic")
        assert display.eer == 0.2
        assert display.ax_.get_xlabel() == "false alarms: synthetic taken for human"
        assert display.ax_.get_ylabel() == "misses: human taken for synthetic"

    def test_of_a_detector_it_takes_scores_and_name(self, plain):
        display = DetectionErrorDisplay.from_estimator(
            plain, np.negative(SCORE)[:, None], Y, linestyle=":", color="red"
        )
        assert display.line_.get_label() == "LogisticRegression: EER 20.0%, minDCF 0.200"
        assert (display.line_.get_linestyle(), display.line_.get_color()) == (":", "red")


class TestReliability:
    Y = (0, 0, 0, 1, 0, 1, 1, 1)
    PROBABILITY = (0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 0.9, 0.9)

    def test_the_curve_is_scikit_learns_of_means_and_shares(self):
        display = ReliabilityDisplay.from_predictions(self.Y, self.PROBABILITY, n_bins=2, name="LSTM")
        assert isinstance(display.calibration_, CalibrationDisplay)
        assert_allclose(display.line_.get_xdata(), [0.25, 0.8])
        assert_allclose(display.line_.get_ydata(), [0.25, 0.75])
        assert legend(display.ax_) == ["Perfectly calibrated", "LSTM"]

    def test_bars_count_the_clips(self):
        display = ReliabilityDisplay.from_predictions(self.Y, self.PROBABILITY)
        heights = [bar.get_height() for bar in display.bars_]
        assert sum(heights) == 8
        assert (heights[0], heights[8], heights[9]) == (0, 1, 2)
        assert display.count_ax_.get_ylabel() == "clips"
        assert display.count_ax_.get_xlabel() == "probability of 1"
        assert display.ax_.get_ylabel() == "share that is 1"

    def test_of_a_detector_it_takes_probabilities_of_the_second_class(self, plain):
        y = ["human", "human", "synthetic"]
        display = ReliabilityDisplay.from_estimator(plain, [[-1.0], [-2.0], [1.0]], y, n_bins=2)
        assert_allclose(display.line_.get_xdata()[1], 1 / (1 + np.exp(-2)))
        assert_allclose(display.line_.get_ydata(), [0, 1])
        assert display.count_ax_.get_xlabel() == "probability of synthetic"
        calibrated = calibrate(plain, [[-1.0], [-2.0], [1.0]], y)
        assert legend(ReliabilityDisplay.from_estimator(calibrated, [[-1.0], [1.0]], y[1:]).ax_)[1] == (
            "CalibratedClassifierCV"
        )

    def test_what_is_no_probability_is_refused(self):
        with pytest.raises(ValueError, match=r"\[0, 1\]"):
            ReliabilityDisplay.from_predictions([0, 1], [-1.0, 2.0])
        with pytest.raises(ValueError, match="y_prob holds 1 values"):
            ReliabilityDisplay.from_predictions([0, 1], [np.nan, 0.5])


@pytest.mark.parametrize("kind", [ScoreDistributionDisplay, DetectionErrorDisplay, ReliabilityDisplay])
def test_a_display_draws_within_the_axes_given_and_returns_itself(kind):
    figure, (left, right) = plt.subplots(1, 2)
    scores = np.linspace(0.1, 0.9, 10)
    display = kind.from_predictions(Y, scores, pos_label="human", ax=right)
    assert isinstance(display, kind)
    assert display.figure_ is figure
    assert display.ax_ is right or display.ax_ in right.child_axes
    assert not left.has_data()
    again = display.plot()
    assert again is display
    assert display.figure_ is not figure


def test_tuned_detectors_show_their_threshold(plain):
    X = np.array([[-1.0], [0.3], [0.5], [1.0]])
    tuned = tune_threshold(plain, X, ["human", "human", "synthetic", "synthetic"])
    display = ScoreDistributionDisplay.from_estimator(tuned, X, ["human", "human", "synthetic", "synthetic"])
    assert display.threshold == pytest.approx(0.8)  # halfway between the log-odds 0.6 and 1
    assert (display.miss_rate_, display.false_alarm_rate_) == (0, 0)


def test_importing_loads_neither_matplotlib_nor_tensorflow():
    code = "import sys, voicelstm; voicelstm.display.CepstraDisplay; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "voicelstm.display" in loaded
    assert loaded.isdisjoint({"matplotlib", "tensorflow", "keras", "librosa"})


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch):
    genuine = builtins.__import__

    def without(name, *args, **kwargs):
        if name.split(".")[0] == "matplotlib":
            raise ModuleNotFoundError("No module named 'matplotlib'", name="matplotlib")
        return genuine(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r'pip install "voicelstm\[plot\]"'):
        ScoreDistributionDisplay.from_predictions(Y, SCORE, pos_label="human")
