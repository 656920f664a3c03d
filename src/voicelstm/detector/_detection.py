"""What a fitted detector says of many recordings, one after the other."""

import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from voicelstm._compat import validate_params
from voicelstm.audio import check_channel, count_channels, name_of, report_remarks
from voicelstm.detector._members import check_reads_recordings, memoized, with_reader
from voicelstm.detector._prior import check_prior, posterior_of
from voicelstm.detector._timeline import timeline_steps, timelines
from voicelstm.detector._unlike_training import TrainingRange
from voicelstm.features import (
    LEAST_SPEECH,
    ExtractionSettings,
    MFCCTransformer,
    check_extraction,
    extract_all,
    named_remarks,
)
from voicelstm.metrics import check_threshold, human_label_of, synthetic_log_odds
from voicelstm.sequences import Clip, stack

__all__ = ["Detection", "detect", "heard_clips", "nothing_heard", "speech_in", "threshold_at"]

_log = logging.getLogger(__name__)

# What is in memory at once: so many recordings, or so many bytes of files.
_MOST_AT_ONCE = 64
_BYTES_AT_ONCE = 2**25
_LITTLE_SPEECH = 1.0  # in s, less than which makes an answer less sure


@dataclass(frozen=True)
class Detection:
    """What a detector says of one recording.

    Attributes
    ----------
    recording : object
        As given.
    label : object
        The class that was decided for; None where the recording failed.
    score : float
        Log-odds of synthetic: above 0 more probably synthetic, below 0 more probably human, whatever the
        labels are called. NaN if the recording failed, or there are more than two classes.
    probabilities : dict of object to float or None
        Probability of each class; None if the recording failed.
    posterior : float
        Probability of synthetic at the prior that was given. NaN if none was, or the recording failed.
    timeline : structured ndarray of shape (n_segments,) or None
        As of :func:`~voicelstm.score_timeline`, where that was asked for.
    error : str or None
        Why the recording failed: it cannot be read, or there is nothing in it to judge: every sample is 0, or
        less than 0.15 s are speech ("no speech").
    speech : float
        Speech in the recording, of a human or a machine, in s; NaN if it cannot be read.
    channel : int or None
        Channel of the recording that the answer is about, from 0, if each was asked about; else None.
    warnings : tuple of str
        Reasons to doubt the answer: "little speech: 0.4 s" if there is less than a second, and "unlike
        training: telephone band" and the like if the recording's sound is not like that of the recordings
        which the detector learnt from, if its card knows that. Also what there is to say of the file: it is
        longer or shorter than it announces, damaged, or holds several audio tracks.
    """

    recording: Any
    label: Any = None
    score: float = np.nan
    probabilities: dict[Any, float] | None = None
    timeline: NDArray[Any] | None = None
    error: str | None = None
    speech: float = np.nan
    channel: int | None = None
    warnings: tuple[str, ...] = ()
    posterior: float = np.nan


def detect(
    detector: Any,
    recordings: Iterable[Any],
    *,
    threshold: float | None = None,
    operating_point: str | None = None,
    prior: float | None = None,
    timeline: bool = False,
    channel: int | str | None = None,
    human_label: Any = None,
) -> Iterator[Detection]:
    """Ask a detector about any number of recordings, one after the other.

    Recordings are read in small groups, so that memory does not grow with their number. One that cannot be
    read, or in which nobody speaks, is an answer like the others, with the reason and without a label.

    Read more in the :ref:`user guide <scores>`.

    Parameters
    ----------
    detector : Pipeline
        Fitted, with an :class:`~voicelstm.MFCCTransformer` as its first step, such as
        :func:`~voicelstm.make_detector` makes, or one of scikit-learn's wrappers around one. `on_error` and
        `cache_dir` of its transformer are not looked at; `n_jobs` is.
    recordings : iterable of recordings
        As the transformer takes them in a list. An iterator is read as answers are asked for.
    threshold : float, default=None
        Log-odds of synthetic from which a recording is taken for synthetic, of a calibrated detector too: 0
        is even odds. If None, `predict` decides, by the detector's own threshold.
    operating_point : str, default=None
        Name of a threshold on the detector's card, such as "1 in 100", where one human recording in a hundred
        of unseen sources was called synthetic (:func:`~voicelstm.load_pretrained`). Not with `threshold`.
    prior : float, default=None
        Share of synthetic recordings among those that the detector will hear, between 0 and 1. Each answer
        then has a posterior, ``sigmoid(score + log(prior / (1 - prior)))``. It needs a calibrated detector
        (:func:`~voicelstm.calibrate`), whose scores are log-likelihood ratios. It changes no label.
    timeline : bool, default=False
        Whether each answer has the scores over time, too.
    channel : int, "mean", "left", "right" or "each", default=None
        Channel of each recording that is heard, as :func:`~voicelstm.audio.read_audio` takes it. With "each"
        there is an answer for each channel of a recording, one after the other: of a call with one party
        on each, the mean is of two voices at once. If None, the transformer's `channel`.
    human_label : label, default=None
        Human class. If None, the detector says, or it is recognised by its spelling ("human", "bonafide",
        "real", ...); of 0 and 1 it must be given. With more than two classes it is not looked at.

    Yields
    ------
    Detection
        One for each recording, in their order, or one for each of its channels.

    Raises
    ------
    TypeError
        If the detector does not begin with a transformer, or with `timeline` is none that
        :func:`~voicelstm.score_timeline` takes; or if `threshold` or `prior` is no number.
    ValueError
        If a threshold is NaN or given for more than two classes, or it is not known which of two is the human
        one, or `human_label` contradicts what is known, or `channel` is none of these. Also if `prior` is not
        between 0 and 1, or the detector is not calibrated and has no use for one; or if `operating_point` is
        none of the detector's card, or `threshold` is given as well.

    See Also
    --------
    evaluate : Measures a detector on labelled recordings.

    Examples
    --------
    >>> import numpy as np
    >>> from voicelstm import detect, make_detector
    >>> from voicelstm.datasets import make_voices
    >>> X, y = make_voices(20, random_state=0, return_X_y=True)
    >>> detector = make_detector("dynamics", random_state=0, classifier__max_steps=1).fit(X, y)
    >>> for found in detect(detector, [X[0], "missing.wav"], threshold=-100.0):
    ...     print(found.label, found.error)
    synthetic None
    None missing.wav: no such file; check the path, and the folder it is relative to.
    """
    if isinstance(recordings, str | os.PathLike):
        raise ValueError(
            f"Expected several recordings, got the single path {os.fspath(recordings)!r}: pass [path]."
        )
    if operating_point is not None:
        threshold = threshold_at(detector, operating_point, threshold)
    listener = _Listener(detector, threshold, prior, timeline, channel, human_label)
    hear = listener.hear_each_channel if channel == "each" else listener.hear
    return (found for some in _groups(recordings) for found in hear(some))


def threshold_at(detector: Any, operating_point: str, threshold: float | None) -> float:
    """Return the threshold that a detector's card has under a name."""
    if threshold is not None:
        raise ValueError(
            f"operating_point={operating_point!r} is a threshold by its name: leave threshold None."
        )
    points = (getattr(detector, "card_", None) or {}).get("operating_points", [])
    known = {point["name"]: float(point["threshold"]) for point in points}
    if operating_point not in known:
        having = ", ".join(map(repr, known)) if known else "none; give a threshold"
        raise ValueError(f"operating_point={operating_point!r}: this detector has {having}.")
    return known[operating_point]


class _Listener:
    """A detector whose recordings are read apart from it, so that one that fails is known by its reason."""

    def __init__(
        self,
        detector: Any,
        threshold: float | None,
        prior: float | None,
        timeline: bool,
        channel: int | str | None,
        human_label: Any,
    ) -> None:
        check_is_fitted(detector)
        self._detector = detector
        self._card = getattr(detector, "card_", {})
        self._training_range = TrainingRange.of_card(self._card)
        transformers = check_reads_recordings(detector)
        for transformer in transformers:
            validate_params(transformer)
        self._n_jobs = transformers[0].n_jobs
        if channel is not None:
            check_channel(channel, each=True)
        self._channel = channel
        # Members with the same features share them; of others each hears for itself whether somebody speaks.
        self._versions = list(dict.fromkeys(map(self._heard_by, transformers)))
        for settings in self._versions:
            check_extraction(settings)
        self._classes = np.asarray(detector.classes_).tolist()
        check_threshold(threshold)
        if threshold is not None and len(self._classes) != 2:
            raise ValueError(f"A threshold divides two classes; this detector has {len(self._classes)}.")
        check_prior(prior, detector)
        self._threshold, self._prior = threshold, prior
        self._human_label, self._synthetic_label, self._human_is_second = None, None, False
        if len(self._classes) == 2:
            self._human_label = human_label_of(detector, human_label)
            self._human_is_second = self._classes[1] == self._human_label
            self._synthetic_label = self._classes[0 if self._human_is_second else 1]
        self._with_timeline = timeline
        if timeline:
            timeline_steps(detector)

    def _heard_by(self, member: MFCCTransformer) -> ExtractionSettings:
        settings = replace(
            member._settings(None),
            measures_speech=True,
            measures_channel=self._training_range is not None,
        )
        return settings if self._channel is None else replace(settings, channel=self._channel)

    def hear_each_channel(self, recordings: list[Any]) -> Iterator[Detection]:
        """Yield an answer for each channel of each of a group of recordings."""
        n_channels = [count_channels(each, self._versions[0].max_duration) for each in recordings]
        answers: list[list[Detection]] = [[] for _ in recordings]
        for channel in range(max(n_channels)):
            having = [position for position, count in enumerate(n_channels) if count > channel]
            versions = [replace(settings, channel=channel) for settings in self._versions]
            found = self._hear([recordings[position] for position in having], versions)
            for position, answer in zip(having, found, strict=True):
                of_several = n_channels[position] > 1
                answers[position].append(_of_channel(answer, channel, named=of_several))
        return (answer for of_recording in answers for answer in of_recording)

    def hear(self, recordings: list[Any]) -> Iterator[Detection]:
        """Yield an answer for each of a group of recordings."""
        return self._hear(recordings, self._versions)

    def _hear(self, recordings: list[Any], versions: list[ExtractionSettings]) -> Iterator[Detection]:
        clips, reasons, remarks = _heard_by_all(recordings, versions, self._n_jobs)
        report_remarks(named_remarks(recordings, remarks))
        _log.debug("%d recordings read, of which %d failed", len(recordings), len(reasons))
        heard = [position for position in range(len(recordings)) if position not in reasons]
        answers = {}
        if heard:
            found = self._answers([recordings[i] for i in heard], [clips[i] for i in heard])
            answers = dict(zip(heard, found, strict=True))
        for position, recording in enumerate(recordings):
            answer = answers.get(position) or Detection(
                recording, error=reasons[position], speech=speech_in(clips[position])
            )
            yield replace(answer, warnings=(*remarks[position], *answer.warnings))

    def _answers(self, recordings: list[Any], clips: list[tuple[Clip, ...]]) -> list[Detection]:
        """Answer about recordings, of each of which there is a clip for each version of the features."""
        features = [stack([clip.features for clip in of_version]) for of_version in zip(*clips, strict=True)]
        of_version = dict(zip(self._versions, features, strict=True))
        detector = memoized(
            with_reader(self._detector, lambda member: lambda _: of_version[self._heard_by(member)])
        )
        score = np.full(len(recordings), np.nan)
        if len(self._classes) == 2:
            score = synthetic_log_odds(detector, recordings, self._human_label)
        if self._threshold is None:
            labels = np.asarray(detector.predict(recordings)).tolist()
        else:
            synthetic = score >= self._threshold
            labels = [self._synthetic_label if each else self._human_label for each in synthetic]
        probability = np.empty((len(recordings), 0))
        if hasattr(detector, "predict_proba"):
            probability = np.asarray(detector.predict_proba(recordings), dtype=np.float64)
        over_time: list[Any] = [None] * len(recordings)
        if self._with_timeline:
            reader, dynamics, classifier = timeline_steps(detector)  # whose last answers are still known
            version = self._versions.index(self._heard_by(reader))
            over_time = timelines(
                [each[version] for each in clips],
                features[version],
                dynamics,
                classifier,
                human_is_second=self._human_is_second,
            )
        return [
            Detection(
                recording=recordings[i],
                label=labels[i],
                score=float(score[i]),
                # A margin has no probabilities.
                probabilities=dict(zip(self._classes, probability[i].tolist(), strict=False)),
                timeline=over_time[i],
                speech=speech_in(clips[i]),
                warnings=(*_doubts(clips[i]), *self._unlike_training(clips[i][0])),
                posterior=np.nan if self._prior is None else posterior_of(score[i], self._prior),
            )
            for i in range(len(recordings))
        ]

    def _unlike_training(self, clip: Clip) -> tuple[str, ...]:
        """Say in what a recording is unlike those of training, as far as the detector's card knows these."""
        if self._training_range is None or clip.channel_statistics is None:
            return ()
        return self._training_range.warnings(clip.channel_statistics, self._card)


def _of_channel(answer: Detection, channel: int, *, named: bool) -> Detection:
    """Return an answer that is one about a channel; its error begins with that one's number if `named`."""
    error, name = answer.error, name_of(answer.recording)
    if named and error is not None:
        error = f"{name}, channel {channel}{error.removeprefix(name)}"
    return replace(answer, channel=channel, error=error)


def _heard_by_all(
    recordings: list[Any], versions: list[ExtractionSettings], n_jobs: int | None
) -> tuple[list[tuple[Clip, ...]], dict[int, str], list[Any]]:
    """Return clips of all versions of each recording, why some say nothing, and remarks, each once."""
    each = [heard_clips(recordings, settings, n_jobs) for settings in versions]
    clips = list(zip(*(clips for clips, _, _ in each), strict=True))
    reasons: dict[int, str] = {}
    for _, of_version, _ in each[::-1]:
        reasons |= of_version
    remarks = [
        list(dict.fromkeys(chain(*found))) for found in zip(*(found for _, _, found in each), strict=True)
    ]
    return clips, reasons, remarks


def heard_clips(
    recordings: list[Any], settings: ExtractionSettings, n_jobs: int | None
) -> tuple[list[Clip], dict[int, str], list[Any]]:
    """Return clips, why those at some positions say nothing, and what there is to remark about each."""
    (clips,), failures, remarks = extract_all(recordings, [settings], n_jobs, 0)
    reasons = dict(failures)
    for position, clip in enumerate(clips):
        if position not in reasons and (nothing := nothing_heard(recordings[position], clip)):
            reasons[position] = nothing
    return clips, reasons, remarks


def nothing_heard(recording: Any, clip: Clip) -> str | None:
    """Say why there is nothing to judge, or None: a network has an answer to noise and zeros, too."""
    speech = speech_in((clip,))
    if clip.silent:
        found = "silence, every sample being 0"
    elif clip.duration < clip.frame_length:
        heard, frame = 1000 * clip.duration, 1000 * clip.frame_length
        found = f"{heard:.3g} ms of sound, less than one frame of {frame:.3g} ms"
    elif speech < LEAST_SPEECH:
        found = f"{speech:.2g} s of speech in {clip.duration:.3g} s, less than {LEAST_SPEECH:g} s"
    else:
        return None
    return f"{name_of(recording)}: no speech: found {found}; there is no voice to judge."


def _doubts(clips: Sequence[Clip]) -> tuple[str, ...]:
    """Say what makes the answer about a recording less sure."""
    speech = speech_in(clips)
    return (f"little speech: {np.floor(10 * speech + 1e-9) / 10:.1f} s",) if speech < _LITTLE_SPEECH else ()


def speech_in(clips: Sequence[Clip]) -> float:
    """Return the speech of a recording that all members hear, in s."""
    return float(np.min([np.nan if clip.speech is None else clip.speech for clip in clips]))


def _groups(recordings: Iterable[Any]) -> Iterator[list[Any]]:
    group: list[Any] = []
    n_bytes = 0
    for recording in recordings:
        group.append(recording)
        n_bytes += _size(recording)
        if len(group) == _MOST_AT_ONCE or n_bytes >= _BYTES_AT_ONCE:
            yield group
            group, n_bytes = [], 0
    if group:
        yield group


def _size(recording: Any) -> int:
    if not isinstance(recording, str | os.PathLike):
        return 0  # in memory already
    try:
        return Path(recording).stat().st_size
    except (OSError, ValueError):
        return 0
