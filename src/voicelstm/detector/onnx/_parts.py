"""What of a detector becomes a graph, and why some cannot."""

import os
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from voicelstm.audio import VOICE_DETECTOR_SIZES
from voicelstm.classifier import LSTMVoiceClassifier
from voicelstm.features import CepstralDynamics, MFCCTransformer
from voicelstm.metrics import held_by, human_label_of

__all__ = ["Parts"]


@dataclass(frozen=True)
class Parts:
    """The steps of a detector within its wrappers, and what makes its scores of the classifier's log-odds."""

    transformer: MFCCTransformer | None
    dynamics: CepstralDynamics | None
    classifier: LSTMVoiceClassifier
    classes: list[Any]
    human_label: Any  # None if there are more than two classes
    calibration: tuple[float, float] | None  # slope and intercept of log-odds of the second class

    @classmethod
    def of(cls, detector: Any, human_label: Any = None) -> Self:
        """Take a fitted detector apart; TypeError or ValueError says why it cannot be exported."""
        if isinstance(detector, str | os.PathLike):
            raise _refusal(f"the path {os.fspath(detector)!r}; load it first, with voicelstm.load")
        held, calibration = detector, None
        while True:
            if isinstance(held, CalibratedClassifierCV):
                if calibration is not None:
                    raise _refusal("a calibration of a calibrated detector; calibrate what it holds instead")
                held, calibration = _calibrated(held)
            elif (within := held_by(held)) is not None:
                held = within
            else:
                break
        transformer, dynamics, classifier = _steps(held)
        check_is_fitted(classifier)
        classes = np.asarray(detector.classes_).tolist()
        human = human_label_of(detector, human_label) if len(classes) == 2 else None
        return cls(transformer, dynamics, classifier, classes, human, calibration)

    @property
    def searches_speech(self) -> bool:
        """Whether a graph of samples looks for speech."""
        return self.transformer is not None and self.transformer.sample_rate == VOICE_DETECTOR_SIZES.rate

    @property
    def direction(self) -> float:
        """1 if the classifier's log-odds speak for synthetic, -1 if they speak for human."""
        return -1.0 if self.human_label is not None and self.classes[1] == self.human_label else 1.0


def _steps(held: Any) -> tuple[MFCCTransformer | None, CepstralDynamics | None, LSTMVoiceClassifier]:
    """Return the steps of what is within all wrappers."""
    if hasattr(held, "estimator"):
        check_is_fitted(held)  # a search, which holds no detector before
    found = [held]
    if isinstance(held, Pipeline):
        found = [step for _, step in held.steps if step is not None and step != "passthrough"]
    steps = list(found)
    transformer = steps.pop(0) if steps and type(steps[0]) is MFCCTransformer else None
    dynamics = steps.pop(0) if steps and type(steps[0]) is CepstralDynamics else None
    if [type(step) for step in steps] != [LSTMVoiceClassifier]:
        raise _refusal(
            f"{' and '.join(type(step).__name__ for step in found)}; a graph is made of"
            " MFCCTransformer, CepstralDynamics if it is there, and LSTMVoiceClassifier"
        )
    return transformer, dynamics, steps[0]


def _calibrated(calibrated: CalibratedClassifierCV) -> tuple[Any, tuple[float, float]]:
    """Return the detector that is calibrated, and slope and intercept of the log-odds."""
    check_is_fitted(calibrated)
    pairs = calibrated.calibrated_classifiers_
    if len(pairs) > 1:
        raise _refusal(
            f"a CalibratedClassifierCV of {len(pairs)} detectors; calibrate a fitted one with"
            " voicelstm.calibrate"
        )
    if calibrated.method != "sigmoid" or len(calibrated.classes_) != 2:
        raise _refusal(
            f"a calibration of {len(calibrated.classes_)} classes by method={calibrated.method!r}; it can be"
            ' one of two classes by "sigmoid", as of voicelstm.calibrate'
        )
    (calibrator,) = pairs[0].calibrators
    return pairs[0].estimator, (-float(calibrator.a_), -float(calibrator.b_))


def _refusal(found: str) -> TypeError:
    return TypeError(f"export_onnx found {found}.")
