import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV

from tests.display.drawn import legend
from voicelstm import LSTMVoiceClassifier, calibrate, score_timeline
from voicelstm.display import ScoreTimelineDisplay

FIELDS = [("start_s", float), ("stop_s", float), ("score", float)]
# The last overlaps the one before: it adds one second of its two.
TIMELINE = np.array([(0.5, 2.5, -3.0), (2.5, 4.5, 2.0), (4.5, 6.5, 1.0), (5.5, 7.5, 4.0)], dtype=FIELDS)


def extent(span):
    return span.get_x(), span.get_x() + span.get_width()


def test_the_score_steps_at_each_segments_start():
    display = ScoreTimelineDisplay.from_timeline(TIMELINE)
    assert display.line_.get_drawstyle() == "steps-post"
    assert_allclose(display.line_.get_xdata(), [0.5, 2.5, 4.5, 5.5, 7.5])
    assert_allclose(display.line_.get_ydata(), [-3, 2, 1, 4, 4])
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == (
        "time in s",
        "score: log-odds of synthetic",
    )
    assert display.ax_.get_xlim() == (0, 7.5)


def test_the_whole_recordings_score_is_the_mean_over_the_time_that_segments_add():
    display = ScoreTimelineDisplay.from_timeline(TIMELINE)
    # (-3 * 2 + 2 * 2 + 1 * 2 + 4 * 1) / 7: of the fourth the second that the third has not.
    assert_allclose(display.score_line_.get_ydata(), 4 / 7)
    assert legend(display.ax_) == ["threshold 0", "whole recording 0.571", "decided: synthetic"]


def test_without_a_score_that_is_the_one_the_classifier_gives():
    generator = np.random.default_rng(0)
    X = [generator.normal(i % 2, size=(25, 2)) for i in range(6)]
    classifier = LSTMVoiceClassifier(units=(2,), max_steps=1, segment_frames=10, random_state=0)
    classifier.fit(X, ["human", "synthetic"] * 3)
    segments = classifier.predict_segments(X[:1])[0]
    timeline = np.array([tuple(row) for row in segments.tolist()], dtype=FIELDS)
    display = ScoreTimelineDisplay.from_timeline(timeline)
    assert_allclose(display.score_line_.get_ydata(), classifier.decision_function(X[:1])[0], atol=1e-6)


def test_segments_on_the_decisions_side_are_shaded_in_runs():
    display = ScoreTimelineDisplay.from_timeline(TIMELINE)
    assert display.decided_.tolist() == [False, True, True, True]
    assert [extent(span) for span in display.spans_] == [(2.5, 7.5)]


def test_a_threshold_above_the_score_turns_the_decision_and_the_shades():
    display = ScoreTimelineDisplay.from_timeline(TIMELINE, threshold=1.5)
    assert display.decided_.tolist() == [True, False, True, False]
    assert [extent(span) for span in display.spans_] == [(0.5, 2.5), (4.5, 5.5)]
    assert_allclose(display.threshold_line_.get_ydata(), 1.5)
    assert legend(display.ax_) == ["threshold 1.5", "whole recording 0.571", "decided: human"]


def test_a_score_that_is_known_goes_before_the_mean():
    display = ScoreTimelineDisplay.from_timeline(TIMELINE, score=-0.25)
    assert display.decided_.tolist() == [True, False, False, False]
    assert "whole recording −0.25" in legend(display.ax_)


def test_decisions_are_told_apart_without_colour():
    synthetic = ScoreTimelineDisplay.from_timeline(TIMELINE)
    human = ScoreTimelineDisplay.from_timeline(TIMELINE, threshold=2)
    assert synthetic.spans_[0].get_hatch() != human.spans_[0].get_hatch()
    assert synthetic.threshold_line_.get_linestyle() != synthetic.score_line_.get_linestyle()


def test_the_waveform_keeps_every_peak_and_shares_the_time():
    samples = np.zeros(8 * 8000)
    samples[3 * 8000] = 0.5
    samples[5 * 8000] = -0.25
    display = ScoreTimelineDisplay.from_timeline(TIMELINE, recording=(samples, 8000))
    outline = display.wave_.get_paths()[0].vertices
    assert (outline[:, 1].max(), outline[:, 1].min()) == (0.5, -0.25)
    assert outline[outline[:, 1].argmax(), 0] == pytest.approx(3, abs=8 / 2000)
    assert display.ax_.get_xlim() == display.wave_ax_.get_xlim() == (0, 8)
    assert len(outline) < 2 * 2000 + 10
    assert len(display.wave_ax_.patches) == len(display.spans_)


def test_a_recording_of_few_samples_or_of_silence_is_drawn():
    display = ScoreTimelineDisplay.from_timeline(TIMELINE[:1], recording=(np.zeros(3), 8000))
    low, high = display.wave_ax_.get_ylim()
    assert low < 0 < high
    assert display.ax_.get_ylabel() == "score: log-odds of synthetic"


def test_without_a_waveform_it_fills_the_axes_given():
    figure, ax = plt.subplots()
    display = ScoreTimelineDisplay.from_timeline(TIMELINE, ax=ax)
    assert (display.ax_, display.wave_ax_, display.wave_, display.figure_) == (ax, None, None, figure)


def test_a_detector_is_asked_for_scores_and_its_threshold(small_detector, small_voices):
    recording = small_voices[1][0][0]
    display = ScoreTimelineDisplay.from_recording(small_detector, recording)
    expected = score_timeline(small_detector, [recording])[0]
    assert_allclose(display.line_.get_ydata()[:-1], expected["score"])
    assert_allclose(display.line_.get_xdata()[:-1], expected["start_s"])
    assert_allclose(display.score_line_.get_ydata()[0], small_detector.decision_function([recording])[0])
    assert display.ax_.get_ylabel() == "score: log-odds of synthetic"
    assert_allclose(display.threshold_line_.get_ydata(), 0)


def test_samples_without_a_rate_have_that_of_the_detector(small_detector, small_voices):
    samples, _ = small_voices[1][0][0]
    samples = np.resize(samples, int(1.25 * 16000))
    display = ScoreTimelineDisplay.from_recording(small_detector, samples)
    assert display.ax_.get_xlim() == (0, 1.25)
    assert_allclose(display.samples, samples, rtol=1e-6)


@pytest.mark.parametrize(
    ("method", "threshold", "pos_label", "log_odds"),
    [
        ("decision_function", 0.7, None, 0.7),
        ("predict_proba", 0.8, None, np.log(4)),
        ("auto", 0.8, None, np.log(4)),
        ("decision_function", 0.7, "human", -0.7),
        ("predict_proba", 0.8, "human", -np.log(4)),
        ("auto", "auto", None, 0),
    ],
)
def test_a_wrappers_threshold_is_drawn_in_log_odds(
    small_detector, small_voices, method, threshold, pos_label, log_odds
):
    X = small_voices[1][0]
    fixed = FixedThresholdClassifier(
        small_detector, threshold=threshold, response_method=method, pos_label=pos_label
    )
    # As fit would leave it, without training again.
    fixed.estimator_ = small_detector
    display = ScoreTimelineDisplay.from_recording(fixed, X[0])
    assert_allclose(display.threshold_line_.get_ydata(), log_odds)


def test_a_calibrated_detector_needs_a_threshold_in_the_pipelines_log_odds(small_detector, small_voices):
    X, y = small_voices[1]
    calibrated = calibrate(small_detector, X, y)
    with pytest.raises(ValueError, match="threshold must be given for this CalibratedDetector"):
        ScoreTimelineDisplay.from_recording(calibrated, X[0])
    display = ScoreTimelineDisplay.from_recording(calibrated, X[0], threshold=0.1)
    assert_allclose(display.threshold_line_.get_ydata(), 0.1)


def test_faults_are_named():
    with pytest.raises(ValueError, match="has the fields None; expected start_s"):
        ScoreTimelineDisplay.from_timeline([1.0, 2.0])
    with pytest.raises(ValueError, match="no segments"):
        ScoreTimelineDisplay.from_timeline(TIMELINE[:0])
    with pytest.raises(ValueError, match="score holds 1 values"):
        ScoreTimelineDisplay.from_timeline(np.array([(0, 1, np.nan)], dtype=FIELDS))
    three = np.zeros(2, dtype=[*FIELDS[:2], ("log_odds", float, (3,))])
    with pytest.raises(ValueError, match=r"log_odds.*expected start_s, stop_s and score.*of two classes"):
        ScoreTimelineDisplay.from_timeline(three)
    with pytest.raises(ValueError, match="threshold holds 1 values"):
        ScoreTimelineDisplay.from_timeline(TIMELINE, threshold=np.inf)


def test_a_threshold_tuned_for_human_is_drawn_where_predict_changes(small_detector, small_voices):
    (X, y), (others, _) = small_voices
    scoring = make_scorer(f1_score, pos_label="human")
    tuned = TunedThresholdClassifierCV(small_detector, scoring=scoring, cv="prefit", refit=False).fit(X, y)
    display = ScoreTimelineDisplay.from_recording(tuned, others[0])
    (threshold, _) = display.threshold_line_.get_ydata()
    decided = np.where(small_detector.decision_function(others) >= threshold, "synthetic", "human")
    assert_array_equal(decided, tuned.predict(others))
