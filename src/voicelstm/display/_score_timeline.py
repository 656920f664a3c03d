"""A recording's score over time, beside its waveform."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from voicelstm.audio import check_channel, read_audio
from voicelstm.detector import score_timeline, transformers_of
from voicelstm.display._axes import (
    HUMAN,
    SCORE_AXIS,
    SYNTHETIC,
    axes_or_new,
    check_finite,
    panels,
    pyplot,
    shown,
)
from voicelstm.metrics import segment_threshold, synthetic_log_odds

__all__ = ["ScoreTimelineDisplay"]

_COLUMNS = 2000  # of the waveform's outline: more than a figure has pixels
_ROW_OF_LEGEND = 4.5  # inches


class ScoreTimelineDisplay:
    """A recording's score over time, beside its waveform.

    The segments that decided are shaded: those on the same side of the threshold as the whole recording's
    score. Made by :meth:`from_recording` or :meth:`from_timeline`.

    Read more in the :ref:`user guide <pictures>`.

    Parameters
    ----------
    timeline : structured ndarray of shape (n_segments,)
        With the fields ``start_s``, ``stop_s`` and ``score``, of :func:`~voicelstm.score_timeline`.
    samples : ndarray of shape (n_samples,), default=None
        The recording; None leaves the waveform out.
    sample_rate : int, default=None
        Of the samples, in Hz.
    score : float, default=None
        The whole recording's, in log-odds of synthetic. If None, the segments' mean, each weighted by the
        time that it adds to those before; give it if the classifier has a `segment_hop`, whose mean is plain.
    threshold : float, default=0.0
        In log-odds of synthetic; from there upwards a score speaks for synthetic.

    Attributes
    ----------
    line_ : matplotlib.lines.Line2D
        The score, in steps from each segment's start.
    threshold_line_, score_line_ : matplotlib.lines.Line2D
        Level lines at the threshold and at the whole recording's score.
    wave_ : matplotlib.collections.PolyCollection or None
        The waveform's outline.
    decided_ : ndarray of bool of shape (n_segments,)
        Which segments are shaded.
    spans_ : list of matplotlib.patches.Rectangle
        Their shades on `ax_`, one for each run of neighbours.
    ax_ : matplotlib.axes.Axes
        Time in s against log-odds of synthetic.
    wave_ax_ : matplotlib.axes.Axes or None
        Time in s against the waveform.
    figure_ : matplotlib.figure.Figure
        The figure of `ax_`.

    See Also
    --------
    voicelstm.score_timeline : Computes the scores.

    Notes
    -----
    If segments overlap, each is drawn up to the start of the next.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> import numpy as np
    >>> from voicelstm.display import ScoreTimelineDisplay
    >>> fields = [("start_s", float), ("stop_s", float), ("score", float)]
    >>> timeline = np.array([(0, 1, -0.5), (1, 2, 3.0), (2, 3, 2.0)], dtype=fields)
    >>> display = ScoreTimelineDisplay.from_timeline(timeline)
    >>> display.decided_
    array([False,  True,  True])
    >>> display.ax_.get_ylabel()
    'score: log-odds of synthetic'
    """

    def __init__(
        self,
        timeline: NDArray[Any],
        *,
        samples: NDArray[np.floating] | None = None,
        sample_rate: int | None = None,
        score: float | None = None,
        threshold: float = 0.0,
    ) -> None:
        self.timeline = timeline
        self.samples = samples
        self.sample_rate = sample_rate
        self.score = score
        self.threshold = threshold

    @classmethod
    def from_recording(
        cls,
        detector: Any,
        recording: Any,
        *,
        threshold: float | None = None,
        human_label: Any = None,
        ax: Any = None,
    ) -> Self:
        """Score a recording over time and draw the scores.

        Parameters
        ----------
        detector : Pipeline
            Fitted, of two classes, as :func:`~voicelstm.score_timeline` takes it.
        recording : str, os.PathLike, ndarray of shape (n_samples,), or pair
            One recording, as the detector takes them. It is read three times: for the scores over time, for
            the whole recording's and for the waveform.
        threshold : float, default=None
            In log-odds of synthetic. If None, the detector's own: that of :func:`~voicelstm.tune_threshold`,
            else 0.
        human_label : label, default=None
            Human class. If None, the detector says, or it is recognised by its spelling ("human",
            "bonafide", "real", ...); of 0 and 1 it must be given.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        ScoreTimelineDisplay
            Drawn.

        Raises
        ------
        AudioError
            Where the recording cannot be read.
        ValueError
            If there are not two classes, it is not known which is the human one, or the detector decides from
            calibrated scores, whose threshold has no place among those of segments, and `threshold` is None.
        ImportError
            Where matplotlib is missing.
        """
        pyplot()
        if threshold is None:
            threshold = _own_threshold(detector, human_label)
        timeline = score_timeline(detector, [recording], human_label=human_label)[0]
        score = None
        if hasattr(detector, "decision_function"):  # else it is calibrated, and segments are not
            score = float(synthetic_log_odds(detector, [recording], human_label)[0])
        channel = transformers_of(detector)[0].channel
        samples, rate = read_audio(
            recording,
            sample_rate=_rate_of_arrays(detector, recording),
            channel="left" if channel == "interleaved" else channel,
        )
        display = cls(
            timeline,
            samples=samples,
            sample_rate=rate,
            score=score,
            threshold=threshold,
        )
        return display.plot(ax)

    @classmethod
    def from_timeline(
        cls,
        timeline: NDArray[Any],
        *,
        recording: Any = None,
        channel: int | str = "mean",
        score: float | None = None,
        threshold: float = 0.0,
        ax: Any = None,
    ) -> Self:
        """Draw scores over time that are there already.

        Parameters
        ----------
        timeline : structured ndarray of shape (n_segments,)
            One recording's, of :func:`~voicelstm.score_timeline`.
        recording : str, os.PathLike, or pair, default=None
            What was scored, a path or samples with their rate, for the waveform; None leaves that out.
        channel : int, "mean", "left" or "right", default="mean"
            Channel of the recording that was scored, as :class:`~voicelstm.MFCCTransformer` takes it.
        score : float, default=None
            The whole recording's, in log-odds of synthetic. If None, the segments' mean, each weighted by the
            time that it adds to those before; give it if the classifier has a `segment_hop`, whose mean is
            plain.
        threshold : float, default=0.0
            In log-odds of synthetic.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        ScoreTimelineDisplay
            Drawn.

        Raises
        ------
        AudioError
            If the recording cannot be read.
        ValueError
            If `timeline` is empty, is not of two classes, or holds NaN, or `channel` is none of these.
        ImportError
            Where matplotlib is missing.
        """
        pyplot()
        check_channel(channel, each=False)
        samples, rate = (None, None) if recording is None else read_audio(recording, channel=channel)
        display = cls(timeline, samples=samples, sample_rate=rate, score=score, threshold=threshold)
        return display.plot(ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Where to draw; None makes a figure. With a waveform its place is divided in two.

        Returns
        -------
        ScoreTimelineDisplay
            Itself.
        """
        start, stop, odds = self._checked()
        check_finite("threshold", self.threshold)
        ends = np.append(start[1:], stop[-1])
        added = stop - np.maximum(start, np.append(start[0], stop[:-1]))
        score = float(np.average(odds, weights=added)) if self.score is None else float(self.score)
        is_synthetic = score >= self.threshold
        self.decided_ = (odds >= self.threshold) == is_synthetic
        ax = axes_or_new(ax, (9, 3 if self.samples is None else 4.2))
        self.wave_ax_: Any
        self.wave_ax_, self.ax_ = (None, ax) if self._duration is None else panels(ax, (1, 2))
        self.figure_ = ax.figure
        self._draw_wave()
        (self.line_,) = self.ax_.step(
            np.append(start, stop[-1]), np.append(odds, odds[-1]), where="post", color="black", linewidth=1.8
        )
        self.threshold_line_ = self.ax_.axhline(
            self.threshold,
            color="black",
            linewidth=1,
            linestyle=":",
            label=f"threshold {shown(self.threshold)}",
        )
        self.score_line_ = self.ax_.axhline(
            score, color="black", linewidth=1, linestyle="--", label=f"whole recording {shown(score)}"
        )
        self._shade(start, ends, is_synthetic)
        self.ax_.set(xlabel="time in s", ylabel=SCORE_AXIS)
        self.ax_.set_xlim(0, stop[-1] if self._duration is None else self._duration)
        self.ax_.spines[["top", "right"]].set_visible(False)
        # Above the steps, where it hides none of them, and in one row where that has room.
        self.ax_.margins(y=0.08)
        low, high = self.ax_.get_ylim()
        self.ax_.set_ylim(low, high + 0.16 * (high - low))
        wide = self.ax_.get_window_extent().width / self.figure_.dpi >= _ROW_OF_LEGEND
        place = {"loc": "upper center", "ncols": 3} if wide else {"loc": "best"}
        self.ax_.legend(framealpha=0.9, edgecolor="none", borderaxespad=0.2, fontsize="small", **place)
        return self

    def _checked(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        timeline = self.timeline
        names = getattr(getattr(timeline, "dtype", None), "names", None)
        if names is None or not {"start_s", "stop_s", "score"} <= set(names):
            raise ValueError(
                f"timeline has the fields {names}; expected start_s, stop_s and score. Give one"
                " recording's of score_timeline, of a detector of two classes:"
                " score_timeline(detector, [recording])[0]."
            )
        if not len(timeline):
            raise ValueError("timeline has no segments: the recording was empty, or could not be read.")
        odds = check_finite("score", timeline["score"])
        return timeline["start_s"].astype(float), timeline["stop_s"].astype(float), odds

    @property
    def _duration(self) -> float | None:
        if self.samples is None or self.sample_rate is None:
            return None
        return len(self.samples) / self.sample_rate

    def _draw_wave(self) -> None:
        self.wave_ = None
        if self.samples is None or self.sample_rate is None:
            return
        samples = np.asarray(self.samples)
        edges = np.linspace(0, len(samples), min(_COLUMNS, len(samples)) + 1).astype(int)[:-1]
        self.wave_ = self.wave_ax_.fill_between(
            edges / self.sample_rate,
            np.minimum.reduceat(samples, edges),
            np.maximum.reduceat(samples, edges),
            color="0.25",
            linewidth=0.4,
        )
        peak = float(np.abs(samples).max()) or 1.0
        self.wave_ax_.set(ylim=(-1.1 * peak, 1.1 * peak), yticks=[], ylabel="waveform")
        self.wave_ax_.spines[["top", "right", "left"]].set_visible(False)

    def _shade(self, start: NDArray[np.float64], ends: NDArray[np.float64], is_synthetic: bool) -> None:
        color, hatch = (SYNTHETIC, "///") if is_synthetic else (HUMAN, "")
        style = {"facecolor": (*_rgb(color), 0.15), "edgecolor": (*_rgb(color), 0.35), "hatch": hatch}
        changes = np.flatnonzero(np.diff(self.decided_.astype(int), prepend=0, append=0))
        self.spans_: list[Any] = []
        for first, after in zip(changes[::2], changes[1::2], strict=True):
            # None is no entry in a legend.
            text = None if self.spans_ else f"decided: {'synthetic' if is_synthetic else 'human'}"
            span = (start[first], ends[after - 1])
            self.spans_.append(self.ax_.axvspan(*span, label=text, linewidth=0, zorder=0, **style))
            if self.wave_ax_ is not None:
                self.wave_ax_.axvspan(*span, linewidth=0, zorder=0, **style)


def _rgb(color: str) -> tuple[float, float, float]:
    from matplotlib.colors import to_rgb

    return to_rgb(color)


def _rate_of_arrays(detector: Any, recording: Any) -> int | None:
    """Return the rate, in Hz, at which the detector takes samples that come without one."""
    if not isinstance(recording, np.ndarray | list) or np.ndim(recording[0]):
        return None
    rates = [value for name, value in detector.get_params().items() if name.split("__")[-1] == "sample_rate"]
    return rates[0] if rates else None


def _own_threshold(detector: Any, human_label: Any) -> float:
    """Return the threshold of a detector's decisions in the log-odds of its segments."""
    threshold = segment_threshold(detector, human_label=human_label)
    if threshold is None:
        raise ValueError(
            f"threshold must be given for this {type(detector).__name__}: it decides from calibrated scores"
            " of whole recordings, and segments have the log-odds that the Pipeline gives. Give one in these."
        )
    return threshold
