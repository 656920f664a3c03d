"""A detector's score of one window after the other, without what an answer about a file has besides."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from voicelstm._compat import validate_params
from voicelstm.classifier import LSTMVoiceClassifier
from voicelstm.detector._detection import nothing_heard, speech_in
from voicelstm.detector._members import check_reads_recordings, with_reader
from voicelstm.features import (
    CepstralDynamics,
    ExtractionSettings,
    MFCCTransformer,
    check_extraction,
    extract,
)
from voicelstm.metrics import held_by, human_label_of, log_odds, synthetic_log_odds
from voicelstm.sequences import Clip, stack

__all__ = ["WindowScores"]

_Features = dict[ExtractionSettings, NDArray[np.floating]]
_CALIBRATIONS = ("sigmoid", "isotonic")  # whose calibrators map scores, one after the other


class WindowScores:
    """Scores windows as :func:`voicelstm.detect` scores recordings; threads may ask it together."""

    def __init__(self, detector: Any, human_label: Any = None) -> None:
        check_is_fitted(detector)
        transformers = check_reads_recordings(detector)
        for transformer in transformers:
            validate_params(transformer)
        self._versions = list(dict.fromkeys(map(_heard_by, transformers)))
        for settings in self._versions:
            check_extraction(settings)
        classes = np.asarray(detector.classes_).tolist()
        if len(classes) != 2:
            raise ValueError(
                f"A stream has one score, human against synthetic; this detector has {len(classes)} classes."
            )
        self.human_label = human_label_of(detector, human_label)
        self.synthetic_label = classes[0 if classes[1] == self.human_label else 1]
        self._human_is_second = classes[1] == self.human_label
        self._log_odds = _of_known_steps(detector)
        if self._log_odds is None:
            self._log_odds = self._of_any_detector(detector)

    def score(self, samples: NDArray, sample_rate: int) -> tuple[float | None, float, list[str]]:
        """Return a window's log-odds of synthetic, None without speech; its speech in s; and remarks."""
        clips: list[Clip] = []
        remarks: list[str] = []
        for settings in self._versions:
            (clip,), found = extract((samples, sample_rate), [settings], takes_fingerprint=False)
            clips.append(clip)
            remarks += found
        speech = speech_in(clips)
        if any(nothing_heard("", clip) is not None for clip in clips):
            return None, speech, remarks
        of_version = {settings: clip.features for settings, clip in zip(self._versions, clips, strict=True)}
        assert self._log_odds is not None
        score = float(self._log_odds(of_version))
        return (0.0 - score if self._human_is_second else score), speech, remarks

    def _of_any_detector(self, detector: Any) -> Callable[[_Features], float]:
        """Ask the whole detector, whose wrappers check themselves anew for each answer."""
        reading = with_reader(
            detector, lambda member: lambda X: stack([of_version[_heard_by(member)] for of_version in X])
        )

        def score(of_version: _Features) -> float:
            found = float(synthetic_log_odds(reading, [of_version], self.human_label)[0])
            return 0.0 - found if self._human_is_second else found

        return score


def _heard_by(member: MFCCTransformer) -> ExtractionSettings:
    return replace(member._settings(None), measures_speech=True)


def _of_known_steps(detector: Any) -> Callable[[_Features], float] | None:
    """Return what gives the log-odds of ``classes_[1]`` of the library's own detectors, None of others.

    The steps are called as scikit-learn's Pipeline and calibration call them, without the checks that these
    make anew for each answer: on a window they take longer than its network.
    """
    while not isinstance(detector, CalibratedClassifierCV | Pipeline) and held_by(detector) is not None:
        detector = held_by(detector)
    if type(detector) is Pipeline:
        return _of_pipeline(detector)
    if not isinstance(detector, CalibratedClassifierCV) or len(detector.calibrated_classifiers_) != 1:
        return None
    pair = detector.calibrated_classifiers_[0]
    inner = pair.estimator
    while not isinstance(inner, Pipeline) and held_by(inner) is not None:
        inner = held_by(inner)
    margin = _of_pipeline(inner) if type(inner) is Pipeline else None
    same_classes = np.array_equal(pair.classes, pair.estimator.classes_)
    if margin is None or pair.method not in _CALIBRATIONS or not same_classes:
        return None
    (calibrator,) = pair.calibrators

    def score(of_version: _Features) -> float:
        probability = min(float(calibrator.predict(np.array([margin(of_version)]))[0]), 1.0)
        return float(log_odds(np.array([[1.0 - probability, probability]]))[0])

    return score


def _of_pipeline(pipeline: Pipeline) -> Callable[[_Features], Any] | None:
    steps = [step for _, step in pipeline.steps]
    kinds = [type(step) for step in steps]
    classifier = steps[-1]
    if kinds == [MFCCTransformer, LSTMVoiceClassifier]:
        settings = _heard_by(steps[0])
        return lambda of_version: classifier.decision_function([of_version[settings]])[0]
    if kinds == [MFCCTransformer, CepstralDynamics, LSTMVoiceClassifier]:
        settings, dynamics = _heard_by(steps[0]), steps[1]
        return lambda of_version: classifier.decision_function(dynamics.transform([of_version[settings]]))[0]
    return None
