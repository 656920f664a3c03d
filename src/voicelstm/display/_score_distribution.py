"""The scores of both classes, and the errors that a threshold makes."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from voicelstm.display._axes import HUMAN, SCORE_AXIS, SYNTHETIC, axes_or_new, check_finite, pyplot, shown
from voicelstm.metrics import (
    check_scored,
    check_threshold,
    human_label_of,
    synthetic_log_odds,
    synthetic_threshold,
)

__all__ = ["ScoreDistributionDisplay"]

_MOST_BINS = 200


class ScoreDistributionDisplay:
    """The scores of human and of synthetic clips, the threshold, and the errors on either side of it.

    A *miss* is a human clip on the synthetic side of the threshold, a *false alarm* a synthetic clip on the
    human side; the hatched areas are these. Made by :meth:`from_estimator` or :meth:`from_predictions`.

    Read more in the :ref:`user guide <pictures>`.

    Parameters
    ----------
    human, synthetic : ndarray of shape (n_clips_of_the_class,)
        The scores of either class, higher for synthetic: log-odds of synthetic, unless `score_name` says
        otherwise.
    threshold : float
        In the units of the scores; from there upwards a clip is taken for synthetic.
    score_name : str, default="score: log-odds of synthetic"
        Name of the axis of scores.
    human_weight, synthetic_weight : ndarray, default=None
        How often each clip counts within its class.

    Attributes
    ----------
    miss_rate_, false_alarm_rate_ : float
        Shares of the human clips that are missed and of the synthetic clips that are accepted.
    edges_ : ndarray of shape (n_bins + 1,)
        Of the bins, in the units of the scores. The threshold is one of them: no bin is on both sides.
    human_, synthetic_ : matplotlib.patches.StepPatch
        Each bin's share of the clips of the class.
    misses_, false_alarms_ : matplotlib.patches.StepPatch
        The parts of these that are errors.
    threshold_line_ : matplotlib.lines.Line2D
        Upright at the threshold.
    ax_ : matplotlib.axes.Axes
        Scores against shares.
    figure_ : matplotlib.figure.Figure
        The figure of `ax_`.

    See Also
    --------
    voicelstm.tune_threshold : Finds a threshold.
    DetectionErrorDisplay : Both errors at all thresholds.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from voicelstm.display import ScoreDistributionDisplay
    >>> y = ["human"] * 4 + ["synthetic"] * 4
    >>> score = [-3, -2, -1, 0.5, -0.5, 1, 2, 3]
    >>> display = ScoreDistributionDisplay.from_predictions(y, score)
    >>> display.miss_rate_, display.false_alarm_rate_
    (0.25, 0.25)
    """

    def __init__(
        self,
        human: NDArray[np.floating],
        synthetic: NDArray[np.floating],
        *,
        threshold: float,
        score_name: str = SCORE_AXIS,
        human_weight: NDArray[np.floating] | None = None,
        synthetic_weight: NDArray[np.floating] | None = None,
    ) -> None:
        self.human = human
        self.synthetic = synthetic
        self.threshold = threshold
        self.score_name = score_name
        self.human_weight = human_weight
        self.synthetic_weight = synthetic_weight

    @classmethod
    def from_estimator(
        cls,
        detector: Any,
        recordings: Any,
        y: ArrayLike,
        *,
        threshold: float | None = None,
        human_label: Any = None,
        sample_weight: ArrayLike | None = None,
        bins: Any = "auto",
        ax: Any = None,
    ) -> Self:
        """Score recordings and draw the scores.

        Parameters
        ----------
        detector : classifier
            Fitted, of two classes.
        recordings : sequence of recordings
            What it takes; held out, since a detector's scores of its training clips are better.
        y : array-like of shape (n_clips,)
            Labels.
        threshold : float, default=None
            In log-odds of synthetic. If None, the detector's own.
        human_label : label, default=None
            Human class. If None, it is recognised by its spelling ("human", "bonafide", "real", ...); of 0
            and 1 it must be given.
        sample_weight : array-like of shape (n_clips,), default=None
            How often each clip counts within its class.
        bins : int or str, default="auto"
            As :meth:`plot` takes them.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        ScoreDistributionDisplay
            Drawn.

        Raises
        ------
        ValueError, TypeError
            As :meth:`from_predictions`.
        ImportError
            Where matplotlib is missing.
        """
        pyplot()
        human_label = human_label_of(detector, human_label)
        return cls.from_predictions(
            y,
            synthetic_log_odds(detector, recordings, human_label),
            threshold=synthetic_threshold(detector, human_label) if threshold is None else threshold,
            human_label=human_label,
            sample_weight=sample_weight,
            bins=bins,
            ax=ax,
        )

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_score: ArrayLike,
        *,
        threshold: float = 0.0,
        pos_label: Any = None,
        human_label: Any = None,
        sample_weight: ArrayLike | None = None,
        bins: Any = "auto",
        ax: Any = None,
    ) -> Self:
        """Draw scores that are there already.

        Parameters
        ----------
        y_true : array-like of shape (n_clips,)
            Labels of two classes.
        y_score : array-like of shape (n_clips,)
            Finite scores.
        threshold : float, default=0.0
            In their units.
        pos_label : label, default=None
            Class for which a higher score speaks. If None, the synthetic one.
        human_label : label, default=None
            Human class. If None, it is recognised by its spelling ("human", "bonafide", "real", ...); of 0
            and 1 it must be given.
        sample_weight : array-like of shape (n_clips,), default=None
            How often each clip counts within its class.
        bins : int or str, default="auto"
            As :meth:`plot` takes them.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        ScoreDistributionDisplay
            Drawn.

        Raises
        ------
        ValueError
            Where `y_true` does not hold two classes, `y_score` holds NaN or infinity, or lengths or labels do
            not fit.
        TypeError
            If `threshold` is no number.
        ImportError
            Where matplotlib is missing.
        """
        pyplot()
        check_threshold(threshold)
        clips = check_scored(
            y_true, y_score, pos_label=pos_label, human_label=human_label, sample_weight=sample_weight
        )
        score = check_finite("y_score", 0.0 - clips.score)
        display = cls(
            score[clips.human],
            score[~clips.human],
            threshold=0.0 - threshold if clips.direction == 1 else threshold,
            score_name=SCORE_AXIS if pos_label is None else "score, higher for synthetic",
            human_weight=None if clips.weight is None else clips.weight[clips.human],
            synthetic_weight=None if clips.weight is None else clips.weight[~clips.human],
        )
        return display.plot(ax, bins=bins)

    def plot(self, ax: Any = None, *, bins: Any = "auto") -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes a figure.
        bins : int or str, default="auto"
            About how many bins, or a rule of :func:`numpy.histogram_bin_edges`. They are moved until the
            threshold lies between two.

        Returns
        -------
        ScoreDistributionDisplay
            Itself.
        """
        threshold = float(check_finite("threshold", self.threshold))
        ax = axes_or_new(ax, (6.4, 3.6))
        self.edges_ = _edges(np.concatenate([self.human, self.synthetic]), threshold, bins)
        human = _shares(self.human, self.edges_, self.human_weight)
        synthetic = _shares(self.synthetic, self.edges_, self.synthetic_weight)
        above = self.edges_[:-1] >= threshold
        self.miss_rate_ = float(human[above].sum())
        self.false_alarm_rate_ = float(synthetic[~above].sum())
        self.human_ = ax.stairs(
            human, self.edges_, color=HUMAN, linewidth=1.8, label=f"human, {len(self.human)} clips"
        )
        self.synthetic_ = ax.stairs(
            synthetic,
            self.edges_,
            color=SYNTHETIC,
            linewidth=1.8,
            linestyle="--",
            label=f"synthetic, {len(self.synthetic)} clips",
        )
        self.misses_ = _area(
            ax, np.where(above, human, 0), self.edges_, HUMAN, "\\\\\\\\", f"missed, {self.miss_rate_:.1%}"
        )
        self.false_alarms_ = _area(
            ax,
            np.where(above, 0, synthetic),
            self.edges_,
            SYNTHETIC,
            "////",
            f"false alarms, {self.false_alarm_rate_:.1%}",
        )
        self.threshold_line_ = ax.axvline(
            threshold,
            ymax=0.72,
            color="black",
            linestyle=":",
            linewidth=1.5,
            label=f"threshold {shown(threshold)}",
        )
        ax.set(xlabel=self.score_name, ylabel="share of the class's clips", xmargin=0.02)
        ax.autoscale(axis="x")
        # The legend gets a place of its own, where it hides nothing.
        ax.set_ylim(0, 1.45 * max(human.max(), synthetic.max()))
        ax.yaxis.set_major_formatter("{x:.0%}")
        ax.spines[["top", "right"]].set_visible(False)
        ax.legend(
            handles=[self.human_, self.misses_, self.threshold_line_, self.synthetic_, self.false_alarms_],
            loc="upper center",
            ncols=2,
            frameon=False,
            fontsize="small",
        )
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _edges(scores: NDArray[np.float64], threshold: float, bins: Any) -> NDArray[np.float64]:
    """Return edges of equal bins, one of them at the threshold, that hold all scores and the threshold."""
    low, high = min(scores.min(), threshold), max(scores.max(), threshold)
    proposed = np.histogram_bin_edges(scores, bins)
    width = max(float(proposed[1] - proposed[0]), (high - low) / _MOST_BINS)
    below, above = int(np.ceil((threshold - low) / width)), int(np.floor((high - threshold) / width)) + 1
    return threshold + width * np.arange(-max(below, 1), above + 1)


def _shares(
    scores: NDArray[np.floating], edges: NDArray[np.float64], weight: NDArray[np.floating] | None
) -> NDArray[np.float64]:
    counts = np.histogram(scores, edges, weights=weight)[0].astype(np.float64)
    return counts / counts.sum()


def _area(
    ax: Any, values: NDArray[np.float64], edges: NDArray[np.float64], color: str, hatch: str, label: str
) -> Any:
    from matplotlib.colors import to_rgba

    return ax.stairs(
        values,
        edges,
        fill=True,
        facecolor=to_rgba(color, 0.25),
        edgecolor=color,
        hatch=hatch,
        linewidth=0,
        label=label,
    )
