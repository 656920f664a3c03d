"""Whether probabilities mean what they say, by scikit-learn's own display."""

from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.calibration import CalibrationDisplay, calibration_curve

from voicelstm._compat import get_response_values_binary
from voicelstm.display._axes import COLORS, axes_or_new, check_finite, panels, pyplot
from voicelstm.metrics import check_human, human_label_of

__all__ = ["ReliabilityDisplay"]


class ReliabilityDisplay:
    """Whether probabilities mean what they say: how often clips are synthetic, against how probable it was.

    The curve is drawn by :class:`sklearn.calibration.CalibrationDisplay`; below it stands how many clips have
    which probability, for a point of few clips says little. Made by :meth:`from_estimator` or
    :meth:`from_predictions`.

    Read more in the :ref:`user guide <pictures>`.

    Parameters
    ----------
    calibration : sklearn.calibration.CalibrationDisplay
        Its `prob_true`, `prob_pred` and `y_prob` are what is drawn.
    name : str, default=None
        Of the detector.

    Attributes
    ----------
    calibration_ : sklearn.calibration.CalibrationDisplay
        scikit-learn's display, drawn.
    line_ : matplotlib.lines.Line2D
        Its curve.
    bars_ : matplotlib.container.BarContainer
        Clips per tenth of the probability.
    ax_ : matplotlib.axes.Axes
        Probability against the share of clips.
    count_ax_ : matplotlib.axes.Axes
        Probability against the number of clips.
    figure_ : matplotlib.figure.Figure
        The figure of `ax_`.

    See Also
    --------
    voicelstm.calibrate : Makes probabilities mean what they say.

    Notes
    -----
    Probabilities hold for the shares of the classes that they were made for. Those of
    :func:`~voicelstm.calibrate` are for equally probable classes: on clips of which more are synthetic the
    curve lies above the diagonal, and the calibration is right.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from voicelstm.display import ReliabilityDisplay
    >>> y = ["human", "human", "synthetic", "synthetic"]
    >>> display = ReliabilityDisplay.from_predictions(
    ...     y, [0.1, 0.2, 0.7, 0.8], n_bins=2
    ... )
    >>> display.line_.get_ydata()
    array([0., 1.])
    """

    def __init__(self, calibration: CalibrationDisplay, *, name: str | None = None) -> None:
        self.calibration = calibration
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        detector: Any,
        recordings: Any,
        y: ArrayLike,
        *,
        human_label: Any = None,
        n_bins: int = 10,
        strategy: Literal["uniform", "quantile"] = "uniform",
        name: str | None = None,
        ax: Any = None,
    ) -> Self:
        """Ask for probabilities and draw how they agree with the labels.

        Parameters
        ----------
        detector : classifier
            Fitted, of two classes, with `predict_proba`.
        recordings : sequence of recordings
            What it takes; held out, also from the calibration.
        y : array-like of shape (n_clips,)
            Labels.
        human_label : label, default=None
            Human class. If None, the detector says, or it is recognised by its spelling ("human",
            "bonafide", "real", ...); of 0 and 1 it must be given.
        n_bins : int, default=10
            Points of the curve at most; one without clips is left out.
        strategy : {"uniform", "quantile"}, default="uniform"
            Whether the points' bins are equally wide or have equally many clips.
        name : str, default=None
            Of the detector; None is its type.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        ReliabilityDisplay
            Drawn.

        Raises
        ------
        ValueError
            As :meth:`from_predictions`.
        ImportError
            Where matplotlib is missing.
        """
        pyplot()
        human_label = human_label_of(detector, human_label)
        (synthetic,) = (label for label in np.asarray(detector.classes_).tolist() if label != human_label)
        probability, _ = get_response_values_binary(
            detector, recordings, "predict_proba", pos_label=synthetic
        )
        return cls.from_predictions(
            y,
            probability,
            human_label=human_label,
            n_bins=n_bins,
            strategy=strategy,
            name=type(detector).__name__ if name is None else name,
            ax=ax,
        )

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_prob: ArrayLike,
        *,
        pos_label: Any = None,
        human_label: Any = None,
        n_bins: int = 10,
        strategy: Literal["uniform", "quantile"] = "uniform",
        name: str | None = None,
        ax: Any = None,
    ) -> Self:
        """Draw how probabilities that are there already agree with the labels.

        Parameters
        ----------
        y_true : array-like of shape (n_clips,)
            Labels of two classes.
        y_prob : array-like of shape (n_clips,)
            Probabilities of `pos_label`, from 0 to 1.
        pos_label : label, default=None
            Class whose probabilities they are. If None, the synthetic one.
        human_label : label, default=None
            Human class. If None, it is recognised by its spelling ("human", "bonafide", "real", ...); of 0
            and 1 it must be given.
        n_bins : int, default=10
            Points of the curve at most.
        strategy : {"uniform", "quantile"}, default="uniform"
            Whether the points' bins are equally wide or have equally many clips.
        name : str, default=None
            Of the detector.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        ReliabilityDisplay
            Drawn.

        Raises
        ------
        ValueError
            Where `y_true` does not hold two classes, a probability is not from 0 to 1, or lengths or labels
            do not fit.
        ImportError
            Where matplotlib is missing.
        """
        pyplot()
        probability = check_finite("y_prob", y_prob)
        is_human, human_label, classes = check_human(y_true, human_label)
        if pos_label is not None and pos_label not in classes:
            raise ValueError(f"pos_label={pos_label!r} is none of the classes {classes} of y_true.")
        of_human = pos_label is not None and pos_label == human_label
        true, predicted = calibration_curve(
            is_human == of_human, probability, pos_label=True, n_bins=n_bins, strategy=strategy
        )
        name_of_class = "human" if of_human else "synthetic"
        calibration = CalibrationDisplay(true, predicted, probability, pos_label=name_of_class)
        return cls(calibration, name=name).plot(ax)

    def plot(self, ax: Any = None, **kwargs: Any) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes a figure. Its place is divided in two.
        **kwargs
            Of matplotlib's `plot`, for the curve.

        Returns
        -------
        ReliabilityDisplay
            Itself.
        """
        ax = axes_or_new(ax, (4.8, 5.6))
        self.ax_, self.count_ax_ = panels(ax, (3, 1))
        self.figure_ = ax.figure
        self.calibration_ = self.calibration
        name = "detector" if self.name is None else self.name
        style = {"color": COLORS[0], "marker": "o"}
        self.calibration_.plot(ax=self.ax_, name=name, **(style | kwargs))
        self.line_ = self.calibration_.line_
        _, _, self.bars_ = self.count_ax_.hist(
            self.calibration_.y_prob,
            bins=np.linspace(0, 1, 11),
            color="0.6",
            edgecolor="black",
            linewidth=0.8,
        )
        label = self.calibration_.pos_label
        self.ax_.set(xlabel="", ylabel=f"share that is {label}", ylim=(-0.03, 1.03))
        self.count_ax_.set(xlabel=f"probability of {label}", ylabel="clips", xlim=(-0.03, 1.03))
        self.count_ax_.yaxis.get_major_locator().set_params(integer=True)
        for axes in (self.ax_, self.count_ax_):
            axes.spines[["top", "right"]].set_visible(False)
        self.ax_.legend(loc="upper left", frameon=False)
        return self
