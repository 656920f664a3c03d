"""The recommended whole: from recordings to a decision, and to scores over time."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from voicelstm.classifier import LSTMVoiceClassifier
from voicelstm.features import CepstralDynamics, MFCCTransformer
from voicelstm.metrics import held_by, human_label_of
from voicelstm.sequences import Clip

__all__ = ["score_timeline", "timeline_steps", "timelines"]


def score_timeline(
    detector: Any, recordings: Sequence[Any], *, human_label: Any = None
) -> list[NDArray[Any]]:
    """Score recordings over time.

    Read more in the :ref:`user guide <scores_over_time>`.

    Parameters
    ----------
    detector : Pipeline
        A fitted Pipeline of an `MFCCTransformer` and an `LSTMVoiceClassifier`, perhaps with
        `CepstralDynamics` between them, or one of scikit-learn's wrappers around one: a threshold, a
        calibration or a frozen estimator.
    recordings : sequence of recordings
        As the transformer takes them.
    human_label : label, default=None
        Human class. If None, the detector says, or it is recognised by its spelling ("human", "bonafide",
        "real", ...); of 0 and 1 it must be given. With more than two classes it is not looked at.

    Returns
    -------
    list of structured ndarray of shape (n_segments,)
        One per recording, with the fields ``start_s`` and ``stop_s``, in seconds of the recording, what was
        trimmed included, and ``score``, the segment's log-odds of synthetic. They are the Pipeline's: neither
        a threshold nor a calibration, which is one of whole clips, changes them. With more than two classes
        there is the field ``log_odds`` instead, of shape (n_classes,). With `CepstralDynamics` a segment is
        one of windows. What it says is then also about the rest of the recording, whose mean and variance its
        movements are compared with.

    Raises
    ------
    TypeError
        If the Pipeline has other steps, or a wrapper holds several Pipelines.
    ValueError
        If it is not known which of two classes is the human one.

    Examples
    --------
    >>> from voicelstm import make_detector, score_timeline
    >>> from voicelstm.datasets import make_voices
    >>> X, y = make_voices(20, random_state=0, return_X_y=True)
    >>> detector = make_detector("dynamics", random_state=0, classifier__max_steps=1).fit(X, y)
    >>> timeline = score_timeline(detector, X[:1])[0]
    >>> timeline.dtype.names, len(timeline)
    (('start_s', 'stop_s', 'score'), 1)
    """
    transformer, dynamics, classifier = timeline_steps(detector)
    clips = transformer.extract(recordings)
    sequences = [clip.features for clip in clips]
    # Within a wrapper the classifier's classes may be numbers of the wrapper's own.
    classes = np.asarray(detector.classes_).tolist()
    human_is_second = len(classes) == 2 and human_label_of(detector, human_label) == classes[1]
    return timelines(clips, sequences, dynamics, classifier, human_is_second=human_is_second)


def timelines(
    clips: Sequence[Clip],
    sequences: Any,
    dynamics: CepstralDynamics | None,
    classifier: LSTMVoiceClassifier,
    *,
    human_is_second: bool,
) -> list[NDArray[Any]]:
    """Score clips and their features over time as :func:`score_timeline` does; none may be empty."""
    if dynamics is not None:
        sequences = dynamics.transform(sequences)
    score_field = "score" if len(classifier.classes_) == 2 else "log_odds"
    found = []
    for clip, segments in zip(clips, classifier.predict_segments(sequences), strict=True):
        start, stop = segments["start_frame"], segments["stop_frame"]
        if dynamics is not None:
            spans = dynamics.spans(len(clip.features))
            start, stop = spans[start, 0], spans[stop - 1, 1]
        timeline = np.empty(
            len(segments),
            dtype=[
                ("start_s", np.float64),
                ("stop_s", np.float64),
                (score_field, segments.dtype["log_odds"]),
            ],
        )
        timeline["start_s"] = np.maximum(clip.starts(start), 0)
        timeline["stop_s"] = np.minimum(clip.starts(stop - 1) + clip.frame_length, clip.duration)
        log_odds = segments["log_odds"]
        timeline[score_field] = 0.0 - log_odds if human_is_second else log_odds
        found.append(timeline)
    return found


def timeline_steps(detector: Any) -> tuple[MFCCTransformer, CepstralDynamics | None, LSTMVoiceClassifier]:
    """Return a detector's transformer, its dynamics or None, and its classifier."""
    detector = _pipeline_of(detector)
    steps = [step for _, step in detector.steps] if isinstance(detector, Pipeline) else [detector]
    kinds = [type(step) for step in steps]
    if kinds == [MFCCTransformer, LSTMVoiceClassifier]:
        return steps[0], None, steps[1]
    if kinds == [MFCCTransformer, CepstralDynamics, LSTMVoiceClassifier]:
        return steps[0], steps[1], steps[2]
    raise TypeError(
        "score_timeline needs a Pipeline of MFCCTransformer and LSTMVoiceClassifier, or with CepstralDynamics"
        f" between them, got {' and '.join(kind.__name__ for kind in kinds)}."
    )


def _pipeline_of(detector: Any) -> Any:
    """Return the Pipeline within scikit-learn's wrappers, those of calibration too."""
    while True:
        if isinstance(detector, CalibratedClassifierCV):
            check_is_fitted(detector)
            pairs = detector.calibrated_classifiers_
            if len(pairs) > 1:
                raise TypeError(
                    f"score_timeline needs one Pipeline, got a CalibratedClassifierCV of {len(pairs)}. Give"
                    " it one of them, or calibrate a fitted Pipeline with voicelstm.calibrate."
                )
            detector = pairs[0].estimator
        elif (held := held_by(detector)) is not None:
            detector = held
        else:
            return detector
