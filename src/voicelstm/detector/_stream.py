"""A detector that hears sound while it comes: windows that overlap, and a score for each."""

import math
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from voicelstm.audio import checked_block
from voicelstm.detector._detection import threshold_at
from voicelstm.detector._stream_windows import StreamWindows, Window
from voicelstm.detector._window_scores import WindowScores
from voicelstm.exceptions import AudioError, AudioWarning
from voicelstm.features import LEAST_SPEECH
from voicelstm.metrics import check_threshold, synthetic_threshold

__all__ = ["DetectorStream", "StreamEvent", "detector_stream"]

_LONGEST_WINDOW = 3600.0  # in s
_HIGHEST_RATE = 10**7  # Hz


@dataclass(frozen=True)
class StreamEvent:
    """Score and label of one window of a stream.

    Attributes
    ----------
    start_s, stop_s : float
        Begin and end of the window, in s from the beginning of the stream.
    score : float or None
        Log-odds of synthetic of the window alone, as :func:`~voicelstm.detect` scores it. None if there is
        nothing in it to judge: less than 0.15 s of speech.
    smoothed : float or None
        Weighted mean of the scores so far, to which recent windows contribute most. None before the first
        window with a score; a window without one does not change it.
    label : object
        Class that `smoothed` decides for; None before there is one.
    speech : float
        Speech in the window, of a human or a machine, in s.
    """

    start_s: float
    stop_s: float
    score: float | None
    smoothed: float | None
    label: Any
    speech: float


def detector_stream(
    detector: Any,
    sample_rate: int,
    window_s: float = 4.0,
    hop_s: float = 0.5,
    *,
    smoothing_s: float = 4.0,
    threshold: float | None = None,
    operating_point: str | None = None,
    human_label: Any = None,
) -> "DetectorStream":
    """Make a stream: a detector that hears sound while it comes, and scores windows that overlap.

    Read more in the :ref:`user guide <live>`.

    Parameters
    ----------
    detector : Pipeline
        Fitted, of two classes, such as :func:`~voicelstm.detect` takes. Streams share it, each from a thread
        of its own.
    sample_rate : int
        Samples per second that will come. If the detector's is another one, each window is resampled.
    window_s : float, default=4.0
        Length of a window, in s; 0.15 s to an hour. The first answer comes when so much sound has come.
    hop_s : float, default=0.5
        Time from the beginning of a window to that of the next, in s; at most `window_s`. Both are rounded
        to whole samples.
    smoothing_s : float, default=4.0
        Time constant of `smoothed`, in s: a window that ended t seconds before the newest one has the weight
        ``exp(-t / smoothing_s)``. With 0, `smoothed` is the last window's score.
    threshold : float, default=None
        Log-odds of synthetic from which `smoothed` is taken for synthetic. If None, the detector's own.
    operating_point : str, default=None
        Name of a threshold on the detector's card, as :func:`~voicelstm.detect` takes it. Not with
        `threshold`.
    human_label : label, default=None
        Human class. If None, the detector says, or it is recognised by its spelling.

    Returns
    -------
    voicelstm.detector.DetectorStream
        The stream, at its beginning.

    Raises
    ------
    TypeError
        If the detector does not begin with a transformer, or a number is expected and something else is
        given.
    ValueError
        If the detector has more than two classes, or it is not known which is the human one; if lengths are
        too short or too long, or the hop is longer than the window; or if there is no such threshold.
    AudioError
        If the detector cannot hear a window: `sample_rate` is no whole number of Hz, more than 10 MHz, or
        does not fit its parameters, or windows are longer than its `max_duration`.

    See Also
    --------
    detect : Answers about whole recordings.
    score_timeline : Scores whole recordings over time.

    Examples
    --------
    >>> import numpy as np
    >>> from voicelstm import detector_stream, load_pretrained
    >>> from voicelstm.datasets import make_voices
    >>> X, _ = make_voices(4, random_state=0, return_X_y=True)
    >>> rate, call = X[0][1], np.concatenate([samples for samples, _ in X])
    >>> stream = detector_stream(load_pretrained(), rate, window_s=1.0)
    >>> for block in (call[:rate], call[rate : 2 * rate]):  # as they come
    ...     for event in stream.push(block):
    ...         print(event.start_s, event.stop_s, event.label in ("human", "synthetic"))
    0.0 1.0 True
    0.5 1.5 True
    1.0 2.0 True
    >>> stream.flush()
    []
    """
    return DetectorStream(
        detector,
        sample_rate,
        window_s,
        hop_s,
        smoothing_s=smoothing_s,
        threshold=threshold,
        operating_point=operating_point,
        human_label=human_label,
    )


class DetectorStream:
    """A stream as :func:`~voicelstm.detector_stream` makes it.

    It holds the samples of one window and one hop, however long it runs. One thread at a time may use it;
    other streams of the same detector may run in others. The events do not depend on the blocks in which
    samples come.

    Attributes
    ----------
    sample_rate : int
        In Hz.
    window_s, hop_s : float
        In s, as they are in whole samples.
    threshold : float
        Log-odds of synthetic from which `smoothed` is taken for synthetic.
    human_label, synthetic_label : object
        Classes.
    """

    def __init__(
        self,
        detector: Any,
        sample_rate: int,
        window_s: float = 4.0,
        hop_s: float = 0.5,
        *,
        smoothing_s: float = 4.0,
        threshold: float | None = None,
        operating_point: str | None = None,
        human_label: Any = None,
    ) -> None:
        _check_lengths(window_s, hop_s, smoothing_s)
        _check_rate(sample_rate)
        self._scores = WindowScores(detector, human_label)
        if operating_point is not None:
            threshold = threshold_at(detector, operating_point, threshold)
        check_threshold(threshold)
        if threshold is None:
            threshold = synthetic_threshold(detector, self._scores.human_label)
        self.threshold = float(threshold)
        self.human_label, self.synthetic_label = self._scores.human_label, self._scores.synthetic_label
        self._size = max(1, round(window_s * _number(sample_rate)))
        self._hop = max(1, round(hop_s * _number(sample_rate)))
        # A window of silence tells at once that no window can be heard, and why.
        self._scores.score(np.zeros(self._size, np.float32), sample_rate)
        self.sample_rate = int(sample_rate)
        self.window_s, self.hop_s = self._size / self.sample_rate, self._hop / self.sample_rate
        self._smoothing_s = float(smoothing_s)
        self._told: set[str] = set()
        self._windows: StreamWindows
        self.reset()

    def push(self, samples: Any) -> list[StreamEvent]:
        """Take samples, and score each window that has become whole.

        Parameters
        ----------
        samples : array-like of shape (n_samples,)
            The next samples of one channel, any number of them, none too: integer PCM or floating-point in
            ±1. All blocks of a stream have the same type.

        Returns
        -------
        list of StreamEvent
            One for each window that ended within these samples, often none.

        Raises
        ------
        AudioError
            If samples have several channels, another type than those before, or are NaN or infinite. None of
            them is then taken.
        ValueError
            If the stream was ended by :meth:`flush`.
        """
        if self._is_over:
            raise ValueError("The stream is over, since flush was called: reset begins a new one.")
        block = checked_block(samples)
        if not len(block):
            return []
        before = self._windows.dtype
        if before is not None and block.dtype != before:
            raise AudioError(
                f"found samples of type {block.dtype} behind some of type {before}; a stream has one type:"
                " convert them."
            )
        return self._events_of(self._windows.add(block))

    def flush(self) -> list[StreamEvent]:
        """End the stream, and score its last window, if samples came behind the one before.

        The last window ends with the stream, and overlaps the one before more than others do. Of a stream
        that is shorter than a window it has all.

        Returns
        -------
        list of StreamEvent
            One, or none.
        """
        self._is_over = True
        rest = self._windows.rest()
        self._windows = StreamWindows(self._size, self._hop)
        return self._events_of([] if rest is None else [rest])

    def reset(self) -> None:
        """Begin a new stream of the same detector at time 0; the old one is forgotten."""
        self._windows = StreamWindows(self._size, self._hop)
        self._is_over = False
        self._smoothed: float | None = None
        self._weight = 0.0  # of all scores together, that of the newest being 1
        self._scored_at = 0.0

    def _events_of(self, windows: Iterable[Window]) -> list[StreamEvent]:
        """Return an event for each window; `push` and `flush` are as many calls above a warning."""
        events = []
        for window in windows:  # a comprehension is one call more before Python 3.12
            events.append(self._event_of(window))
        return events

    def _event_of(self, window: Window) -> StreamEvent:
        start, stop = window.start / self.sample_rate, window.stop / self.sample_rate
        score, speech = None, math.nan
        try:
            score, speech, remarks = self._scores.score(window.samples, self.sample_rate)
        except AudioError as error:  # samples so large that the arithmetic overflows
            remarks = []
            self._tell_once("no score", f"a window has no score: {error}")
        for remark in remarks:
            self._tell_once(remark, remark)
        if score is not None:
            self._smooth(score, stop)
        label = None
        if self._smoothed is not None:
            is_synthetic = self._smoothed >= self.threshold
            label = self.synthetic_label if is_synthetic else self.human_label
        return StreamEvent(start, stop, score, self._smoothed, label, speech)

    def _smooth(self, score: float, now: float) -> None:
        """Add a score to the weighted mean, in which earlier ones have become older."""
        kept = 0.0
        if self._smoothed is not None and self._smoothing_s > 0:
            kept = self._weight * math.exp((self._scored_at - now) / self._smoothing_s)
        before = 0.0 if self._smoothed is None else self._smoothed
        self._weight = kept + 1.0
        self._smoothed = (kept * before + score) / self._weight
        self._scored_at = now

    def _tell_once(self, kind: str, remark: str) -> None:
        """Warn the caller of `push` or `flush`, of each kind once in the life of the stream."""
        if kind not in self._told:
            self._told.add(kind)
            warnings.warn(f"in a stream: {remark}", AudioWarning, stacklevel=5)


def _check_lengths(window_s: Any, hop_s: Any, smoothing_s: Any) -> None:
    for name, value in (("window_s", window_s), ("hop_s", hop_s), ("smoothing_s", smoothing_s)):
        if not isinstance(value, Real) or isinstance(value, bool):
            raise TypeError(f"{name} must be a number, in s; got {value!r}, of type {type(value).__name__}.")
    if not LEAST_SPEECH <= window_s <= _LONGEST_WINDOW:
        raise ValueError(
            f"window_s={window_s}: expected at least {LEAST_SPEECH:g} s, since less speech has no score,"
            f" and at most {_LONGEST_WINDOW:g} s."
        )
    if not 0 < hop_s <= window_s:
        raise ValueError(
            f"hop_s={hop_s}: expected more than 0 s and at most window_s={window_s}, else sound between two"
            " windows would not be heard."
        )
    if not 0 <= smoothing_s < math.inf:
        raise ValueError(f"smoothing_s={smoothing_s}: expected a number of seconds, 0 or more.")


def _check_rate(sample_rate: Any) -> None:
    """Refuse a rate at which a window would not fit into memory."""
    is_number = isinstance(sample_rate, Real)
    if is_number and _HIGHEST_RATE < sample_rate < math.inf:
        raise AudioError(f"expected a sample rate of at most {_HIGHEST_RATE} Hz.")


def _number(sample_rate: Any) -> float:
    """Return a rate to count samples by; one that is none is refused when a window is read."""
    is_number = isinstance(sample_rate, Real)
    return float(sample_rate) if is_number and 0 < sample_rate < math.inf else 1.0
