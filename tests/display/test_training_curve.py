import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.pipeline import make_pipeline

from tests.display.drawn import legend
from voicelstm.display import TrainingCurveDisplay

STOPPED = {
    "loss": [0.7, 0.5, 0.3, 0.2],
    "accuracy": [0.5, 0.7, 0.9, 1.0],
    "val_loss": [0.8, 0.6, 0.6, 0.9],
    "val_accuracy": [0.5, 0.6, 0.65, 0.6],
}
PLAIN = {"loss": [0.6, 0.4], "accuracy": [0.6, 0.8]}


class Trained(ClassifierMixin, BaseEstimator):
    def __init__(self):
        self.history_ = STOPPED


def test_each_series_is_a_line_from_epoch_1():
    display = TrainingCurveDisplay.from_estimator(Trained(), name="fit")
    for lines, key in (
        (display.loss_lines_, "loss"),
        (display.val_loss_lines_, "val_loss"),
        (display.metric_lines_, "accuracy"),
        (display.val_metric_lines_, "val_accuracy"),
    ):
        assert lines["fit"].get_xdata().tolist() == [1, 2, 3, 4]
        assert list(lines["fit"].get_ydata()) == STOPPED[key]
    assert display.loss_lines_["fit"].axes is display.ax_
    assert display.val_metric_lines_["fit"].axes is display.metric_ax_
    assert (display.ax_.get_ylabel(), display.metric_ax_.get_ylabel()) == ("loss", "accuracy")
    assert display.metric_ax_.get_xlabel() == "epoch"


def test_validation_is_dashed():
    display = TrainingCurveDisplay({"fit": STOPPED}).plot()
    assert display.loss_lines_["fit"].get_linestyle() == display.metric_lines_["fit"].get_linestyle() == "-"
    assert display.val_loss_lines_["fit"].get_linestyle() == "--"
    assert legend(display.ax_) == ["training", "validation", "best epoch: 2"]


def test_the_first_epoch_of_least_validation_loss_is_marked():
    display = TrainingCurveDisplay({"fit": STOPPED}).plot()
    assert display.best_epochs_ == {"fit": 2}
    assert [float(value[0]) for value in display.best_markers_["fit"].get_data()] == [2, 0.6]


def test_without_validation_nothing_is_best_since_the_last_weights_are_kept():
    display = TrainingCurveDisplay({"fit": PLAIN}).plot()
    assert (display.best_epochs_, display.best_markers_, display.val_loss_lines_) == ({}, {}, {})
    assert legend(display.ax_) == ["training"]


def test_several_fits_differ_in_colour_and_mark():
    display = TrainingCurveDisplay.from_estimators({"a": Trained(), "b": Trained()})
    a, b = display.loss_lines_["a"], display.loss_lines_["b"]
    assert a.get_color() != b.get_color()
    assert a.get_marker() != b.get_marker()
    assert a.get_marker() == display.val_metric_lines_["a"].get_marker()
    assert legend(display.ax_) == ["a, best epoch 2", "b, best epoch 2"]
    assert legend(display.metric_ax_) == ["training", "validation", "best epoch"]


def test_fits_without_names_are_numbered():
    assert list(TrainingCurveDisplay.from_estimators([Trained(), Trained()]).histories) == ["fit 1", "fit 2"]


def test_losses_alone_fill_the_axes_given():
    figure, ax = plt.subplots()
    display = TrainingCurveDisplay({"a": STOPPED, "b": PLAIN}, metric=None).plot(ax)
    assert (display.ax_, display.metric_ax_, display.figure_) == (ax, None, figure)
    assert ax.get_xlabel() == "epoch"
    assert display.metric_lines_ == {}


def test_with_a_metric_the_axes_given_are_divided_and_keep_their_title():
    figure, ax = plt.subplots()
    ax.set_title("of two")
    display = TrainingCurveDisplay({"a": STOPPED}).plot(ax)
    figure.draw_without_rendering()
    upper, lower = display.ax_.get_position(), display.metric_ax_.get_position()
    whole = ax.get_position()
    assert whole.y0 == pytest.approx(lower.y0)
    assert lower.y1 < upper.y0
    assert upper.y1 == pytest.approx(whole.y1)
    assert ax.title.get_visible()
    assert ax.get_title() == "of two"


def test_ticks_are_whole_epochs():
    display = TrainingCurveDisplay({"a": PLAIN}).plot()
    ticks = display.metric_ax_.get_xticks()
    assert np.array_equal(ticks, ticks.round())


@pytest.mark.parametrize(
    "wrap",
    [
        lambda fitted: make_pipeline("passthrough", fitted),
        FrozenEstimator,
        lambda fitted: FixedThresholdClassifier(FrozenEstimator(make_pipeline("passthrough", fitted))),
    ],
)
def test_the_classifier_is_found_within_pipelines_and_wrappers(wrap):
    assert TrainingCurveDisplay.from_estimator(wrap(Trained())).histories == {"Trained": STOPPED}


def test_it_draws_what_a_fit_recorded(small_detector):
    display = TrainingCurveDisplay.from_estimator(small_detector)
    history = small_detector[-1].history_
    assert list(display.loss_lines_["LSTMVoiceClassifier"].get_ydata()) == history["loss"]
    assert list(display.metric_lines_["LSTMVoiceClassifier"].get_ydata()) == history["accuracy"]


def test_faults_are_named():
    with pytest.raises(TypeError, match="a LogisticRegression, in which there is no history_"):
        TrainingCurveDisplay.from_estimator(LogisticRegression())
    with pytest.raises(ValueError, match=r"'fit' has no 'f1', it has.*Set metric"):
        TrainingCurveDisplay({"fit": PLAIN}, metric="f1").plot()
    with pytest.raises(ValueError, match="histories is empty"):
        TrainingCurveDisplay({}).plot()
