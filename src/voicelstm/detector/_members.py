"""What a detector consists of: what reads recordings, what decides from features, wrappers around both."""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from functools import update_wrapper
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV

from voicelstm.classifier import LSTMVoiceClassifier
from voicelstm.detector._held_out_wrappers import CalibratedDetector, ThresholdDetector
from voicelstm.features import CepstralDynamics, MFCCTransformer

__all__ = [
    "check_reads_recordings",
    "features_and_rest",
    "have_same_features",
    "memoized",
    "transformers_of",
    "with_reader",
]

# Of each member, what takes long.
_SLOW = {
    MFCCTransformer: "transform",
    CepstralDynamics: "transform",
    LSTMVoiceClassifier: "_segment_logits",
}

# Parameters of wrappers that hold estimators, and attributes that hold those fitted in their place.
_FITTED = {
    "estimator": ("best_estimator_", "calibrated_classifiers_", "estimator_"),
    "estimators": ("estimators_",),
}


def transformers_of(detector: Any) -> list[MFCCTransformer]:
    """List the transformers of a detector that read for its answers, those within wrappers included."""
    found: list[MFCCTransformer] = []
    _without_transformers(detector, found)
    return found


def check_reads_recordings(detector: Any) -> list[MFCCTransformer]:
    """Refuse what is no fitted detector of recordings; return its transformers."""
    transformers = transformers_of(detector)
    if not transformers or not hasattr(detector, "classes_"):
        raise TypeError(
            "A detector of recordings was expected: one that begins with an MFCCTransformer, such as that of"
            f" make_detector, and is fitted; got a {type(detector).__name__}."
        )
    return transformers


def features_and_rest(detector: Any) -> tuple[MFCCTransformer, Any]:
    """Split a detector into its transformer and a detector of features that shares what it can."""
    transformers = check_reads_recordings(detector)
    if not _are_alike(transformers):
        raise TypeError("The detector's members have different features.")
    return _knowing_all(transformers), _without_transformers(detector, [])


def have_same_features(detector: Any) -> bool:
    """Tell whether a detector reads recordings, and all its members the same features of them."""
    transformers = transformers_of(detector)
    return bool(transformers) and _are_alike(transformers)


def memoized(detector: Any) -> Any:
    """Copy a fitted detector, which then keeps its last answers; for one thread, never for fitting."""
    copies: dict[int, Any] = {}

    def copied(held: Any) -> Any:
        slow = _SLOW.get(type(held))
        if slow is None:
            return None
        if id(held) not in copies:
            copies[id(held)] = _shallow_copy(held, lambda value: value)
            setattr(copies[id(held)], slow, _Once(getattr(held, slow)))
        return copies[id(held)]

    copy = _replaced(detector, copied)
    if isinstance(copy, CalibratedClassifierCV) and copy is not detector:
        # Label, score and probabilities are made of one answer, which takes scikit-learn milliseconds.
        copy.predict_proba = _Once(copy.predict_proba)
    return copy


def with_reader(detector: Any, reader: Callable[[MFCCTransformer], Callable[..., Any]]) -> Any:
    """Copy a fitted detector, `transform` of its transformers being what `reader` makes of each."""

    def copied(held: Any) -> Any:
        if type(held) is not MFCCTransformer:
            return None
        copy = _shallow_copy(held, lambda value: value)
        copy.transform = reader(held)
        return copy

    return _replaced(detector, copied)


def _knowing_all(transformers: list[MFCCTransformer]) -> MFCCTransformer:
    """Return one of transformers that are alike, with the fingerprints of all."""
    known = [each.fingerprints_ for each in transformers if hasattr(each, "fingerprints_")]
    if all(each is known[0] for each in known) and hasattr(transformers[0], "fingerprints_") == bool(known):
        return transformers[0]
    copy: MFCCTransformer = _shallow_copy(transformers[0], lambda value: value)
    copy.fingerprints_ = np.unique(np.concatenate(known))
    return copy


class _Once:
    """A function of one argument that remembers its last answer."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        update_wrapper(self, function)  # scikit-learn asks for its name
        self._function = function
        self._asked: Any = self  # which nobody asks about

    def __call__(self, X: Any) -> Any:
        if X is not self._asked:
            self._answer = self._function(X)
            self._asked = X
        return self._answer


def _are_alike(transformers: list[MFCCTransformer]) -> bool:
    return all(each._settings(None) == transformers[0]._settings(None) for each in transformers)


def _without_transformers(detector: Any, found: list[MFCCTransformer]) -> Any:
    """Return the detector as it takes features."""

    def passed_through(held: Any) -> Any:
        if type(held) is not MFCCTransformer:
            return None
        found.append(held)
        return "passthrough"

    return _replaced(detector, passed_through)


def _replaced(held: Any, replacement: Callable[[Any], Any]) -> Any:
    """Return what is held with members replaced; what is not changed is shared with the original."""
    instead = replacement(held)
    if instead is not None:
        return instead
    if type(held) in (list, tuple):
        return type(held)(_replaced(each, replacement) for each in held)
    # The pairs that a CalibratedClassifierCV holds are no estimators, but have one.
    own = type(held) in (CalibratedDetector, ThresholdDetector)
    is_wrapper = own or type(held).__module__.startswith("sklearn.")
    if not is_wrapper or not (isinstance(held, BaseEstimator) or hasattr(held, "calibrators")):
        return held
    # What a fit made copies of answers nothing, and may have other parameters than they.
    templates = {name for name, fitted in _FITTED.items() if any(each in vars(held) for each in fitted)}
    return _shallow_copy(held, lambda value: _replaced(value, replacement), but=templates)


def _shallow_copy(held: Any, value_of: Callable[[Any], Any], but: AbstractSet[str] = frozenset()) -> Any:
    copy = object.__new__(type(held))
    copy.__dict__.update(
        {name: value if name in but else value_of(value) for name, value in vars(held).items()}
    )
    return copy
