"""The recommended whole: from recordings to a decision, and to scores over time."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from voicelstm.classifier import LSTMVoiceClassifier
from voicelstm.transformer import MFCCTransformer

__all__ = ["make_detector", "score_timeline"]


def make_detector(random_state: int | np.random.RandomState | None = None, **changes: Any) -> Pipeline:
    """Make the Pipeline that this library recommends.

    Linear-frequency cepstra with their first and second derivatives, of recordings that are trimmed and
    brought to one level, so that neither silence nor loudness gives a class away; then the default
    classifier, for which both classes count the same however many clips each has.

    Parameters
    ----------
    random_state : int, RandomState instance or None, default=None
        Of the classifier.
    **changes
        Parameters that shall differ, by their names in the Pipeline: ``features__n_jobs=2``,
        ``classifier__units=(128, 128)``.

    Returns
    -------
    sklearn.pipeline.Pipeline
        With the steps ``"features"`` and ``"classifier"``, not fitted.

    Examples
    --------
    >>> from voicelstm import make_detector
    >>> make_detector(random_state=0, classifier__units=(128,)).named_steps["classifier"].units
    (128,)
    """
    detector = Pipeline(
        [
            ("features", MFCCTransformer(scale="linear", level=-26.0, trim_silence=40.0)),
            ("classifier", LSTMVoiceClassifier(class_weight="balanced", random_state=random_state)),
        ]
    )
    return detector.set_params(**changes)


def score_timeline(detector: Any, recordings: Sequence[Any]) -> list[NDArray[Any]]:
    """Score recordings over time.

    Parameters
    ----------
    detector : Pipeline
        A fitted Pipeline of an `MFCCTransformer` and an `LSTMVoiceClassifier`, or one of scikit-learn's
        wrappers around one: a threshold, a calibration or a frozen estimator.
    recordings : sequence of recordings
        As the transformer takes them.

    Returns
    -------
    list of structured ndarray of shape (n_segments,)
        Per recording, with the fields ``start_s`` and ``stop_s``, in seconds of the recording, what was
        trimmed included, and ``log_odds``, the segment's `decision_function` of the Pipeline: neither a
        threshold nor a calibration, which is one of whole clips, changes them.

    Raises
    ------
    TypeError
        Where the Pipeline has other steps, or a wrapper holds several Pipelines.

    Examples
    --------
    >>> from voicelstm import make_detector, score_timeline
    >>> from voicelstm.datasets import make_voices
    >>> X, y = make_voices(20, random_state=0, return_X_y=True)
    >>> detector = make_detector(random_state=0, classifier__max_epochs=1).fit(X, y)
    >>> timeline = score_timeline(detector, X[:1])[0]
    >>> timeline.dtype.names, len(timeline)
    (('start_s', 'stop_s', 'log_odds'), 1)
    """
    detector = _within_wrappers(detector)
    steps = [step for _, step in detector.steps] if isinstance(detector, Pipeline) else [detector]
    if [type(step) for step in steps] != [MFCCTransformer, LSTMVoiceClassifier]:
        raise TypeError(
            "score_timeline needs a Pipeline of MFCCTransformer and LSTMVoiceClassifier, got"
            f" {' and '.join(type(step).__name__ for step in steps)}."
        )
    transformer, classifier = steps
    clips = transformer.extract(recordings)
    timelines = []
    for clip, segments in zip(
        clips, classifier.predict_segments([clip.features for clip in clips]), strict=True
    ):
        timeline = np.empty(
            len(segments),
            dtype=[("start_s", np.float64), ("stop_s", np.float64), ("log_odds", segments.dtype["log_odds"])],
        )
        timeline["start_s"] = np.maximum(clip.offset + segments["start_frame"] * clip.frame_step, 0)
        stop = clip.offset + (segments["stop_frame"] - 1) * clip.frame_step + clip.frame_length
        timeline["stop_s"] = np.minimum(stop, clip.duration)
        timeline["log_odds"] = segments["log_odds"]
        timelines.append(timeline)
    return timelines


def _within_wrappers(detector: Any) -> Any:
    while True:
        if isinstance(detector, FixedThresholdClassifier | TunedThresholdClassifierCV):
            detector = getattr(detector, "estimator_", detector.estimator)
        elif isinstance(detector, FrozenEstimator):
            detector = detector.estimator
        elif isinstance(detector, CalibratedClassifierCV):
            check_is_fitted(detector)
            pairs = detector.calibrated_classifiers_
            if len(pairs) > 1:
                raise TypeError(
                    f"score_timeline needs one Pipeline, got a CalibratedClassifierCV of {len(pairs)}. Give"
                    " it one of them, or calibrate a fitted Pipeline with voicelstm.calibrate."
                )
            detector = pairs[0].estimator
        else:
            return detector
