"""scikit-learn's wrappers around a detector, as a model file keeps them, and this library's variants.

Each class has one function that describes it and one that makes it from a checked description. What a wrapper
holds is described and made by the functions it is given, so that this module knows no detector.
"""

import warnings
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import Bunch
from sklearn.utils.validation import check_is_fitted

from voicelstm._compat import tuned_pos_label
from voicelstm.exceptions import ModelFileError, ModelFileWarning
from voicelstm.model_files._descriptions import (
    boolean,
    check_fields,
    describe_labels,
    describe_value,
    finite_number,
    restore_labels,
)

if TYPE_CHECKING:
    from sklearn.ensemble import VotingClassifier

__all__ = ["DEEPEST", "WRAPPERS", "describe_wrapper", "is_wrapper", "restore_wrapper"]

#: How many estimators may stand one inside the other.
DEEPEST = 16

#: The names that a file may hold.
WRAPPERS = (
    "CalibratedClassifierCV",
    "CalibratedDetector",
    "FixedThresholdClassifier",
    "FrozenEstimator",
    "ThresholdDetector",
    "VotingClassifier",
)

# Classes of this library and the wrappers of scikit-learn that they derive from: fields are the same.
_VARIANTS = {"CalibratedDetector": CalibratedClassifierCV, "ThresholdDetector": FixedThresholdClassifier}
_VARIANTS_MODULE = "voicelstm.detector._held_out_wrappers"

_CALIBRATORS = {"sigmoid": ("a", "b"), "temperature": ("beta",)}
_HIGHEST_BETA = 1e5  # scikit-learn searches up to exp(10)
_RESPONSES = ("auto", "predict_proba", "decision_function")

Describe = Callable[[Any, str], dict[str, Any]]
Restore = Callable[[dict[str, Any], str], Any]


def is_wrapper(estimator: Any) -> bool:
    """Tell whether a file keeps this wrapper; one of a derived class may do anything, and is not kept."""
    return _describer(type(estimator)) is not None or _is_variant(estimator)


def describe_wrapper(wrapper: Any, describe: Describe) -> dict[str, Any]:
    """Describe a fitted wrapper; `describe` takes each estimator that it holds, and a name for it."""
    own = _describer(type(wrapper))
    if own is not None:
        return own(wrapper, describe)
    name = type(wrapper).__name__
    return _DESCRIBERS[_VARIANTS[name].__name__][1](wrapper, describe) | {"class": name}


def restore_wrapper(described: dict[str, Any], restore: Restore) -> Any:
    """Make the fitted wrapper of a description; `restore` makes the estimators that it holds."""
    name = described["class"]
    if name in _VARIANTS:
        return _RESTORERS[_VARIANTS[name].__name__](described, restore, _variant(name))
    return _RESTORERS[name](described, restore)


def _describer(kind: type) -> Callable[[Any, Describe], dict[str, Any]] | None:
    """Return what describes wrappers of a class, or None; other names load no module."""
    module, describe = _DESCRIBERS.get(kind.__name__, ("", None))
    return (
        describe if describe is not None and getattr(import_module(module), kind.__name__) is kind else None
    )


def _is_variant(estimator: Any) -> bool:
    name = type(estimator).__name__
    return name in _VARIANTS and type(estimator) is _variant(name)


def _variant(name: str) -> type:
    kind: type = getattr(import_module(_VARIANTS_MODULE), name)
    return kind


def _describe_frozen(frozen: FrozenEstimator, describe: Describe) -> dict[str, Any]:
    _check_held(frozen, frozen.estimator)
    return {"class": "FrozenEstimator", "estimator": describe(frozen.estimator, "estimator")}


def _restore_frozen(described: dict[str, Any], restore: Restore) -> FrozenEstimator:
    check_fields(described, {"class", "estimator"})
    held = restore(described["estimator"], "estimator")
    _held_classes(held)
    return FrozenEstimator(held)


def _describe_fixed(fixed: FixedThresholdClassifier, describe: Describe) -> dict[str, Any]:
    # As its predict does, which also takes an estimator that was fitted beforehand.
    held = getattr(fixed, "estimator_", fixed.estimator)
    return _describe_threshold(fixed, held, fixed.threshold, fixed.pos_label, describe)


def _describe_tuned(tuned: TunedThresholdClassifierCV, describe: Describe) -> dict[str, Any]:
    check_is_fitted(tuned)
    # The class that its predict compares with the threshold is kept nowhere else.
    pos_label = tuned_pos_label(tuned)
    return _describe_threshold(tuned, tuned.estimator_, tuned.best_threshold_, pos_label, describe)


def _describe_threshold(
    wrapper: Any, held: Any, threshold: Any, pos_label: Any, describe: Describe
) -> dict[str, Any]:
    _check_held(wrapper, held)
    return {
        "class": "FixedThresholdClassifier",
        "estimator": describe(held, "estimator"),
        "threshold": threshold if threshold == "auto" else _kept(threshold, "threshold", wrapper),
        "pos_label": describe_value(pos_label),
        "response_method": wrapper.response_method,
    }


def _restore_fixed(
    described: dict[str, Any], restore: Restore, kind: Any = FixedThresholdClassifier
) -> FixedThresholdClassifier:
    check_fields(described, {"class", "estimator", "threshold", "pos_label", "response_method"})
    held = restore(described["estimator"], "estimator")
    classes = _held_classes(held).tolist()
    if len(classes) != 2:
        raise ModelFileError(f"A threshold decides between two classes; those of the file are {classes}.")
    threshold, pos_label = described["threshold"], described["pos_label"]
    response_method = described["response_method"]
    if threshold != "auto":
        threshold = finite_number(threshold, "threshold")
    if pos_label is not None and pos_label not in classes:
        raise ModelFileError(f"The threshold's class {pos_label!r} is none of {classes}.")
    if response_method not in _RESPONSES or (
        response_method != "auto" and not hasattr(held, response_method)
    ):
        raise ModelFileError(f"The threshold is for {response_method!r}, which the detector does not have.")
    fixed = kind(held, threshold=threshold, pos_label=pos_label, response_method=response_method)
    fixed.estimator_ = held
    return _with_features(fixed, held)


def _describe_calibrated(calibrated: CalibratedClassifierCV, describe: Describe) -> dict[str, Any]:
    check_is_fitted(calibrated)
    if calibrated.method not in _CALIBRATORS:
        raise TypeError(
            f"A model file cannot keep a calibration of method={calibrated.method!r}; it holds those of"
            f" {' and '.join(map(repr, _CALIBRATORS))}."
        )
    cv = calibrated.cv
    if cv is not None and (isinstance(cv, bool) or not isinstance(cv, int)):
        warnings.warn(
            "A model file cannot keep cv of CalibratedClassifierCV: the loaded one has the default.",
            ModelFileWarning,
            stacklevel=5,
        )
        cv = None
    pairs = []
    for i, pair in enumerate(calibrated.calibrated_classifiers_):
        _check_held(calibrated, pair.estimator, calibrated.classes_, or_numbers=pair.method == "temperature")
        calibrators = [
            {name: _kept(getattr(each, f"{name}_"), name, calibrated) for name in _CALIBRATORS[pair.method]}
            for each in pair.calibrators
        ]
        pairs.append({"estimator": describe(pair.estimator, str(i)), "calibrators": calibrators})
    return {
        "class": "CalibratedClassifierCV",
        "classes": describe_labels(calibrated.classes_),
        "method": calibrated.method,
        "cv": cv,
        "ensemble": calibrated.ensemble,
        "pairs": pairs,
    }


def _restore_calibrated(
    described: dict[str, Any], restore: Restore, kind: Any = CalibratedClassifierCV
) -> CalibratedClassifierCV:
    # Imported here, so that a scikit-learn that has moved them still reads all other files.
    from voicelstm._compat import CalibratedClassifier, SigmoidCalibration, TemperatureScaling

    check_fields(described, {"class", "classes", "method", "cv", "ensemble", "pairs"})
    classes = restore_labels(described["classes"])
    method, cv, ensemble = described["method"], described["cv"], described["ensemble"]
    if method not in _CALIBRATORS:
        raise ModelFileError(f"Calibration by {method!r} is not known; expected {list(_CALIBRATORS)}.")
    if cv is not None and (isinstance(cv, bool) or not isinstance(cv, int) or cv < 2):
        raise ModelFileError(f"The number of folds of the calibration is {cv!r}.")
    if not (ensemble == "auto" or isinstance(ensemble, bool)):
        raise ModelFileError(f'ensemble of the calibration is {ensemble!r}; expected a bool or "auto".')
    n_calibrators = len(classes) if method == "sigmoid" and len(classes) > 2 else 1
    calibrator_kind = {"sigmoid": SigmoidCalibration, "temperature": TemperatureScaling}[method]
    pairs = []
    for i, pair in enumerate(_sequence(described["pairs"], "calibrated classifiers")):
        check_fields(pair, {"estimator", "calibrators"})
        held = restore(pair["estimator"], str(i))
        found = _held_classes(held)
        if not (_numbered(found, classes) if method == "temperature" else np.array_equal(found, classes)):
            raise ModelFileError("The classes of a calibration are not those of its detector.")
        calibrators = []
        for numbers in _sequence(pair["calibrators"], "calibrators", n_calibrators):
            check_fields(numbers, _CALIBRATORS[method])
            calibrator = calibrator_kind()
            for name in _CALIBRATORS[method]:
                # As scikit-learn has them, whose arithmetic depends on the type.
                setattr(calibrator, f"{name}_", np.float64(finite_number(numbers[name], name)))
            if method == "temperature" and not 0 < calibrator.beta_ <= _HIGHEST_BETA:
                raise ModelFileError(f"The inverse temperature is {calibrator.beta_}, which no fit finds.")
            calibrators.append(calibrator)
        pairs.append(CalibratedClassifier(held, calibrators, classes=classes, method=method))
    calibrated = kind(pairs[0].estimator, method=method, cv=cv, ensemble=ensemble)
    calibrated.calibrated_classifiers_ = pairs
    calibrated.classes_ = classes
    return _with_features(calibrated, pairs[0].estimator)


def _describe_voting(voting: "VotingClassifier", describe: Describe) -> dict[str, Any]:
    check_is_fitted(voting)
    if voting.voting != "soft":
        raise TypeError(
            f"A model file cannot keep a VotingClassifier with voting={voting.voting!r}: it holds means of"
            ' probabilities. Fit one with voting="soft".'
        )
    kept = [i for i, (_, member) in enumerate(voting.estimators) if member != "drop"]
    weights = None
    if voting.weights is not None:
        weights = [_kept(voting.weights[i], "weight", voting) for i in kept]
    members: list[list[Any]] = []
    for i, member in zip(kept, voting.estimators_, strict=True):
        _check_held(voting, member, voting.classes_, or_numbers=True)
        members.append([voting.estimators[i][0], describe(member, str(len(members)))])
    return {
        "class": "VotingClassifier",
        "classes": describe_labels(voting.classes_),
        "estimators": members,
        "weights": weights,
        "flatten_transform": voting.flatten_transform,
    }


def _restore_voting(described: dict[str, Any], restore: Restore) -> "VotingClassifier":
    from sklearn.ensemble import VotingClassifier  # which loads trees, for detectors that have none

    check_fields(described, {"class", "classes", "estimators", "weights", "flatten_transform"})
    classes = restore_labels(described["classes"])
    members: list[tuple[str, Any]] = []
    for i, entry in enumerate(_sequence(described["estimators"], "voters")):
        name, member = _sequence(entry, "a name and a voter", 2)
        if not isinstance(name, str) or name in dict(members):
            raise ModelFileError(f"{name!r} is no name of a voter, or is that of two.")
        members.append((name, restore(member, str(i))))
        if not _numbered(_held_classes(members[-1][1]), classes):
            raise ModelFileError(f"The classes of the voter {name!r} are not those of the vote.")
    weights = described["weights"]
    if weights is not None:
        weights = [
            finite_number(weight, "weight of a voter")
            for weight in _sequence(weights, "weights of voters", len(members))
        ]
        if min(weights) < 0 or not 0 < sum(weights) < np.inf:
            raise ModelFileError(
                "The weights of the voters must not be negative, nor all zero, nor overflow when summed."
            )
    flatten_transform = boolean(described["flatten_transform"], "flatten_transform")
    voting = VotingClassifier(members, voting="soft", weights=weights, flatten_transform=flatten_transform)
    voting.estimators_ = [member for _, member in members]
    voting.named_estimators_ = Bunch()
    voting.named_estimators_.update(members)
    voting.le_ = LabelEncoder().fit(classes)
    voting.classes_ = voting.le_.classes_
    return voting


def _check_held(
    wrapper: Any, held: Any, classes: NDArray[Any] | None = None, or_numbers: bool = False
) -> None:
    """Refuse to write what could not be read."""
    found = getattr(held, "classes_", None)
    if found is None:
        check_is_fitted(held)
        raise TypeError(
            f"{type(wrapper).__name__} holds a {type(held).__name__} without classes; a model file keeps it"
            " around an LSTMVoiceClassifier, or a Pipeline that ends in one."
        )
    if classes is None or np.array_equal(found, classes) or (or_numbers and _numbered(found, classes)):
        return
    raise ValueError(
        f"The classes of {type(wrapper).__name__} are {classes.tolist()}, those of its"
        f" {type(held).__name__} {found.tolist()}: fit it on clips of all its classes."
    )


def _held_classes(held: Any) -> NDArray[Any]:
    classes = getattr(held, "classes_", None)
    if classes is None:
        raise ModelFileError(f"A wrapper holds a {type(held).__name__}, which is no classifier.")
    return np.asarray(classes)


def _numbered(classes: NDArray[Any], those: NDArray[Any]) -> bool:
    """Tell whether these are those, or the numbers that votes and temperatures train with in their place."""
    return np.array_equal(classes, those) or np.array_equal(classes, np.arange(len(those)))


def _kept(value: Any, name: str, wrapper: Any) -> float:
    number = float(value)
    if not np.isfinite(number):
        raise ValueError(
            f"{name}={number!r} of {type(wrapper).__name__} is not finite; a model file cannot keep it."
        )
    return number


def _sequence(value: Any, name: str, length: int | None = None) -> list[Any]:
    if not isinstance(value, list) or not value or (length is not None and len(value) != length):
        raise ModelFileError(f"The {name} are not a list of {'one or more' if length is None else length}.")
    return value


def _with_features(wrapper: Any, held: Any) -> Any:
    if hasattr(held, "n_features_in_"):
        wrapper.n_features_in_ = held.n_features_in_
    if hasattr(held, "feature_names_in_"):
        wrapper.feature_names_in_ = held.feature_names_in_
    return wrapper


# With the module from which users import each class.
_DESCRIBERS: dict[str, tuple[str, Callable[[Any, Describe], dict[str, Any]]]] = {
    "CalibratedClassifierCV": ("sklearn.calibration", _describe_calibrated),
    "FixedThresholdClassifier": ("sklearn.model_selection", _describe_fixed),
    "FrozenEstimator": ("sklearn.frozen", _describe_frozen),
    "TunedThresholdClassifierCV": ("sklearn.model_selection", _describe_tuned),
    "VotingClassifier": ("sklearn.ensemble", _describe_voting),
}
_RESTORERS: dict[str, Callable[..., Any]] = {
    "CalibratedClassifierCV": _restore_calibrated,
    "FixedThresholdClassifier": _restore_fixed,
    "FrozenEstimator": _restore_frozen,
    "VotingClassifier": _restore_voting,
}
