"""Misses against false alarms at all thresholds, by scikit-learn's own display."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm
from sklearn.metrics import DetCurveDisplay

from voicelstm.display._axes import COLORS, LINE_STYLES, axes_or_new, pyplot
from voicelstm.metrics import (
    check_scored,
    equal_error_rate,
    error_costs,
    human_label_of,
    operating_points,
    synthetic_log_odds,
)

__all__ = ["DetectionErrorDisplay"]

_LIMIT = 3.0  # normal deviates at which scikit-learn's display ends
_LINES_PER_CURVE = 3


class DetectionErrorDisplay:
    """The detection error trade-off: misses against false alarms at all thresholds.

    The curve is drawn by :class:`sklearn.metrics.DetCurveDisplay`, on axes of normal deviates, where normally
    distributed scores give a straight line; marked are where both errors are equal and where the detection
    cost is least. Curves are overlaid by giving the `ax_` of the one before. Made by :meth:`from_estimator`
    or :meth:`from_predictions`.

    Read more in the :ref:`user guide <pictures>`.

    Parameters
    ----------
    curve : sklearn.metrics.DetCurveDisplay
        Its `fpr` are the rates of false alarms, its `fnr` those of misses.
    eer : float
        The equal error rate.
    min_dcf : float
        The least detection cost.
    min_dcf_point : tuple of float
        The rates of false alarms and of misses at which it is.
    name : str, default=None
        Of the detector.

    Attributes
    ----------
    curve_ : sklearn.metrics.DetCurveDisplay
        scikit-learn's display, drawn.
    line_ : matplotlib.lines.Line2D
        Its curve.
    eer_marker_, min_dcf_marker_ : matplotlib.lines.Line2D
        The two marks. What lies beyond the axes, such as a rate of 0, is marked on their border.
    ax_ : matplotlib.axes.Axes
        False alarms against misses.
    figure_ : matplotlib.figure.Figure
        The figure of `ax_`.

    See Also
    --------
    voicelstm.metrics.det_curve : The numbers.
    ScoreDistributionDisplay : The errors at one threshold.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from voicelstm.display import DetectionErrorDisplay
    >>> y = ["human"] * 5 + ["synthetic"] * 5
    >>> score = [2, 1.5, 1, 0.5, -0.2, 0.7, -0.5, -1, -1.5, -2]
    >>> display = DetectionErrorDisplay.from_predictions(y, score, pos_label="human", name="LSTM")
    >>> display.line_.get_label()
    'LSTM: EER 20.0%, minDCF 0.200'
    """

    def __init__(
        self,
        curve: DetCurveDisplay,
        *,
        eer: float,
        min_dcf: float,
        min_dcf_point: tuple[float, float],
        name: str | None = None,
    ) -> None:
        self.curve = curve
        self.eer = eer
        self.min_dcf = min_dcf
        self.min_dcf_point = min_dcf_point
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        detector: Any,
        recordings: Any,
        y: ArrayLike,
        *,
        human_label: Any = None,
        sample_weight: ArrayLike | None = None,
        synthetic_prior: float = 0.05,
        cost_miss: float = 1.0,
        cost_false_alarm: float = 10.0,
        name: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Score recordings and draw the curve.

        Parameters
        ----------
        detector : classifier
            Fitted, of two classes, with `decision_function` or `predict_proba`.
        recordings : sequence of recordings
            What it takes; held out.
        y : array-like of shape (n_clips,)
            Labels.
        human_label : label, default=None
            Human class. If None, it is recognised by its spelling ("human", "bonafide", "real", ...); of 0
            and 1 it must be given.
        sample_weight : array-like of shape (n_clips,), default=None
            How often each clip counts within its class.
        synthetic_prior : float, default=0.05
            How probable a synthetic clip is; this and the costs are for the least cost, by default those of
            ASVspoof 5.
        cost_miss, cost_false_alarm : float, default=1.0, 10.0
            Cost of rejecting a human clip and of accepting a synthetic one.
        name : str, default=None
            Of the detector; None is its type.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes a figure.
        **kwargs
            Of the curve, as :meth:`plot` takes them.

        Returns
        -------
        DetectionErrorDisplay
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
        return cls.from_predictions(
            y,
            synthetic_log_odds(detector, recordings, human_label),
            human_label=human_label,
            sample_weight=sample_weight,
            synthetic_prior=synthetic_prior,
            cost_miss=cost_miss,
            cost_false_alarm=cost_false_alarm,
            name=type(detector).__name__ if name is None else name,
            ax=ax,
            **kwargs,
        )

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_score: ArrayLike,
        *,
        pos_label: Any = None,
        human_label: Any = None,
        sample_weight: ArrayLike | None = None,
        synthetic_prior: float = 0.05,
        cost_miss: float = 1.0,
        cost_false_alarm: float = 10.0,
        name: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Draw the curve of scores that are there already.

        Parameters
        ----------
        y_true : array-like of shape (n_clips,)
            Labels of two classes.
        y_score : array-like of shape (n_clips,)
            Scores.
        pos_label : label, default=None
            Class for which a higher score speaks. If None, the synthetic one.
        human_label : label, default=None
            Human class. If None, it is recognised by its spelling ("human", "bonafide", "real", ...); of 0
            and 1 it must be given.
        sample_weight : array-like of shape (n_clips,), default=None
            How often each clip counts within its class.
        synthetic_prior : float, default=0.05
            How probable a synthetic clip is.
        cost_miss, cost_false_alarm : float, default=1.0, 10.0
            Cost of rejecting a human clip and of accepting a synthetic one.
        name : str, default=None
            Of the detector.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes a figure.
        **kwargs
            Of the curve, as :meth:`plot` takes them.

        Returns
        -------
        DetectionErrorDisplay
            Drawn.

        Raises
        ------
        ValueError
            Where `y_true` does not hold two classes, `y_score` holds NaN, lengths or labels do not fit, or
            the prior or a cost is out of range.
        ImportError
            Where matplotlib is missing.
        """
        pyplot()
        costs = error_costs(synthetic_prior, cost_miss, cost_false_alarm)
        clips = check_scored(
            y_true, y_score, pos_label=pos_label, human_label=human_label, sample_weight=sample_weight
        )
        points = operating_points(clips)
        cost = costs[0] * points.miss + costs[1] * points.false_alarm
        least = int(np.argmin(cost))
        display = cls(
            DetCurveDisplay(fpr=points.false_alarm, fnr=points.miss),
            eer=equal_error_rate(clips.human, -clips.score, human_label=True, sample_weight=clips.weight),
            min_dcf=float(cost[least] / min(costs)),
            min_dcf_point=(float(points.false_alarm[least]), float(points.miss[least])),
            name=name,
        )
        return display.plot(ax, **kwargs)

    def plot(self, ax: Any = None, **kwargs: Any) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes a figure.
        **kwargs
            Of matplotlib's `plot`, for the curve: ``color`` and ``linestyle``, which otherwise differ from
            those of the curves that are there.

        Returns
        -------
        DetectionErrorDisplay
            Itself.
        """
        ax = axes_or_new(ax, (5.2, 5.2))
        before = len(ax.lines) // _LINES_PER_CURVE
        numbers = f"EER {self.eer:.1%}, minDCF {self.min_dcf:.3f}"
        style = {
            "color": COLORS[before % len(COLORS)],
            "linestyle": LINE_STYLES[before % len(LINE_STYLES)],
            "label": numbers if self.name is None else f"{self.name}: {numbers}",
        }
        self.curve_ = self.curve.plot(ax, **(style | kwargs))
        self.line_ = self.curve_.line_
        color = self.line_.get_color()
        marks = []
        for point, marker, label in (
            ((self.eer, self.eer), "o", "EER"),
            (self.min_dcf_point, "D", "minDCF"),
        ):
            position = np.clip(norm.ppf(point), -_LIMIT, _LIMIT)
            marks += ax.plot(
                *position[:, None],
                marker,
                markersize=7,
                markerfacecolor="white",
                markeredgecolor=color,
                markeredgewidth=1.8,
                clip_on=False,
                zorder=3,
                label=label,
            )
        self.eer_marker_, self.min_dcf_marker_ = marks
        ax.set(
            xlabel="false alarms: synthetic taken for human",
            ylabel="misses: human taken for synthetic",
            aspect="equal",
        )
        ax.grid(alpha=0.3)
        ax.legend(handles=_legend(ax), loc="upper right", fontsize="small")
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _legend(ax: Any) -> list[Any]:
    """Return the curves, and the kinds of marks once for all curves."""
    marks = {line.get_label(): line for line in reversed(ax.lines) if line.get_label() in ("EER", "minDCF")}
    curves = [line for line in ax.get_legend_handles_labels()[0] if line.get_label() not in marks]
    return [*curves, marks["EER"], marks["minDCF"]]
