"""Save and load: one file of tensors and JSON, from which no code runs."""

import os
import warnings
from collections.abc import Callable
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from voicelstm.architecture import Architecture
from voicelstm.classifier import LSTMVoiceClassifier
from voicelstm.descriptions import check_fields, from_plain, labels_from_plain, plain, plain_labels
from voicelstm.dynamics import CepstralDynamics
from voicelstm.exceptions import ModelFileError, ModelFileWarning
from voicelstm.inputs import checked_units
from voicelstm.learning import Fitted
from voicelstm.model_file import StoredTensors, Tensors, read_model_file, write_model_file
from voicelstm.sequences import FrameStatistics
from voicelstm.transformer import MFCCTransformer
from voicelstm.wrappers import DEEPEST, WRAPPERS, describe_wrapper, is_wrapper, restore_wrapper

__all__ = ["load", "load_as", "save"]

_OWN = (MFCCTransformer, CepstralDynamics, LSTMVoiceClassifier)
_NOT_KEPT = {"cache_dir", "checkpoint", "n_jobs", "verbose"}  # belong to the machine, not to the model
# What only training reads; a prediction is the same without.
_OF_TRAINING = {
    "augment",
    "callbacks",
    "class_weight",
    "distribution",
    "learning_rate",
    "optimizer",
    "random_state",
}


def save(estimator: Any, path: str | os.PathLike[str]) -> None:
    """Write a fitted estimator to a file.

    Parameters
    ----------
    estimator : MFCCTransformer, CepstralDynamics, LSTMVoiceClassifier, Pipeline of them, or a wrapper
        Fitted. The wrappers are scikit-learn's FixedThresholdClassifier, TunedThresholdClassifierCV,
        CalibratedClassifierCV (by "sigmoid" or "temperature"), VotingClassifier (``voting="soft"``) and
        FrozenEstimator, around these or one another, or as a step of the Pipeline.
    path : str or os.PathLike
        The file. It is replaced only when the new one is complete.

    Raises
    ------
    TypeError
        Where the estimator, what it wraps, or a step of the Pipeline is none of these, or a parameter that
        decides what it computes cannot be kept; the text names it.
    ValueError
        Where a wrapper's threshold or calibration is not finite, or its classes are not those of what it
        wraps, or parameters of `CepstralDynamics` have changed since its fit.
    sklearn.exceptions.NotFittedError
        Where the classifier is not fitted.

    Warns
    -----
    ModelFileWarning
        Where a parameter of training cannot be kept: callables, random states and splitters. The loaded
        estimator has the default.

    Notes
    -----
    ``cache_dir``, ``checkpoint``, ``n_jobs`` and ``verbose`` are not kept. What `partial_fit` remembers of
    the optimizer is not either: after loading it begins with a fresh one.

    A TunedThresholdClassifierCV comes back as a FixedThresholdClassifier with the threshold that it found. A
    wrapper's parameter `estimator`, which scikit-learn leaves unfitted, is the fitted one, or the first of
    several.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from voicelstm import MFCCTransformer, load, save
    >>> with TemporaryDirectory() as folder:
    ...     save(MFCCTransformer(n_mfcc=13), Path(folder, "front_end.voicelstm"))
    ...     load(Path(folder, "front_end.voicelstm"))
    MFCCTransformer(n_mfcc=13)
    """
    tensors: Tensors = {}
    described = _describe(estimator, "", tensors)
    write_model_file(Path(path), described, tensors)


def load(path: str | os.PathLike[str]) -> Any:
    """Read an estimator from a file.

    Parameters
    ----------
    path : str or os.PathLike
        What :func:`save` wrote.

    Returns
    -------
    MFCCTransformer, CepstralDynamics, LSTMVoiceClassifier, Pipeline, or a wrapper of scikit-learn
        Fitted, as it was saved.

    Raises
    ------
    ModelFileError
        Where the file is damaged, is something else, or was written by a later version of the format.
    """
    with read_model_file(path) as (document, tensors):
        try:
            estimator = _restore(document["object"], "", tensors)
        except ModelFileError:
            raise
        # Whatever a made-up document trips over: a missing key, a wrong type, a value out of range.
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
            raise ModelFileError(
                f"{path}: the description of the model is not valid ({type(error).__name__}: {error});"
                f" it was written by voicelstm {document.get('library')!r}."
            ) from error
        tensors.check_all_used()
        return estimator


def load_as(kind: type[Any], path: str | os.PathLike[str]) -> Any:
    """Read an estimator of one kind from a file.

    Parameters
    ----------
    kind : type
        The class that the file must hold.
    path : str or os.PathLike
        What :func:`save` wrote.

    Returns
    -------
    object
        An instance of `kind`.

    Raises
    ------
    ModelFileError
        Where the file holds something else.
    """
    estimator = load(path)
    if not isinstance(estimator, kind):
        raise ModelFileError(
            f"{path}: found a {type(estimator).__name__}, not a {kind.__name__}; use voicelstm.load."
        )
    return estimator


def _describe(estimator: Any, prefix: str, tensors: Tensors, depth: int = 1) -> dict[str, Any]:
    def within(held: Any, name: str) -> dict[str, Any]:
        return _describe(held, f"{prefix}{name}/", tensors, depth + 1)

    if depth > DEEPEST:
        raise TypeError(f"A model file holds at most {DEEPEST} estimators one inside the other.")
    if is_wrapper(estimator):
        return describe_wrapper(estimator, within)
    if type(estimator) is Pipeline:
        steps = []
        for name, step in estimator.steps:
            if type(step) not in _OWN and not is_wrapper(step):
                raise TypeError(
                    f"Step {name!r} is a {type(step).__name__}; a model file holds MFCCTransformer,"
                    " CepstralDynamics and LSTMVoiceClassifier, alone or in a Pipeline, and wrappers of"
                    " scikit-learn around them."
                )
            steps.append([name, within(step, name)])
        return {"class": "Pipeline", "steps": steps}
    if type(estimator) is MFCCTransformer:
        described: dict[str, Any] = {"class": "MFCCTransformer", "params": _plain_params(estimator)}
        if hasattr(estimator, "n_features_in_"):
            described["n_features_in_"] = int(estimator.n_features_in_)
        return described
    if type(estimator) is CepstralDynamics:
        lags, _, _ = estimator._checked_settings()
        tensors[f"{prefix}centre"], tensors[f"{prefix}scale"] = estimator.centre_, estimator.scale_
        return {
            "class": "CepstralDynamics",
            "params": _plain_params(clone(estimator).set_params(lags=lags)),
            "n_features_in_": int(estimator.n_features_in_),
            "reads_columns": estimator._reads_columns,
        }
    if type(estimator) is LSTMVoiceClassifier:
        check_is_fitted(estimator)
        fitted = estimator._fitted
        for name, values in fitted.weights.items():
            tensors[f"{prefix}weights/{name}"] = values
        if fitted.statistics is not None:
            tensors[f"{prefix}statistics/mean"] = fitted.statistics.mean
            tensors[f"{prefix}statistics/spread"] = fitted.statistics.spread
        return {
            "class": "LSTMVoiceClassifier",
            "params": _plain_params(estimator),
            "architecture": asdict(fitted.architecture),
            "statistics_total": None if fitted.statistics is None else fitted.statistics.total,
            "classes": plain_labels(estimator.classes_),
            "class_totals": fitted.class_totals.tolist(),
            "n_features_in_": int(estimator.n_features_in_),
            "reads_columns": estimator._reads_columns,
            "n_iter_": int(estimator.n_iter_),
            "history_": estimator.history_,
        }
    raise TypeError(
        f"A model file holds {', '.join(kind.__name__ for kind in _OWN)}, a Pipeline of them or a wrapper"
        f" around them ({', '.join(WRAPPERS)} or TunedThresholdClassifierCV), not a"
        f" {type(estimator).__name__}."
    )


def _plain_params(estimator: BaseEstimator) -> dict[str, Any]:
    params, lost = {}, []
    defaults = type(estimator)().get_params(deep=False)
    for name, value in estimator.get_params(deep=False).items():
        if name in _NOT_KEPT:
            continue
        try:
            params[name] = plain(value)
        except TypeError:
            if name not in _OF_TRAINING:
                raise TypeError(
                    f"A model file cannot keep {name}={value!r} of {type(estimator).__name__}; use numbers,"
                    " strings, and tuples or lists of them."
                ) from None
            params[name] = defaults[name]
            lost.append(name)
    if lost:
        warnings.warn(
            f"A model file cannot keep {', '.join(lost)} of {type(estimator).__name__}: the loaded one has"
            " the default.",
            ModelFileWarning,
            stacklevel=4,
        )
    return params


def _restore(described: dict[str, Any], prefix: str, tensors: StoredTensors, depth: int = 1) -> Any:
    def within(held: dict[str, Any], name: str) -> Any:
        return _restore(held, f"{prefix}{name}/", tensors, depth + 1)

    if depth > DEEPEST:
        raise ModelFileError(f"More than {DEEPEST} estimators one inside the other are no model.")
    kind = described["class"]
    if kind in WRAPPERS:
        return restore_wrapper(described, within)
    if kind == "Pipeline":
        return _restore_pipeline(described, within)
    restorers: dict[str, Callable[[dict[str, Any], str, StoredTensors], Any]] = {
        "CepstralDynamics": _restore_dynamics,
        "LSTMVoiceClassifier": _restore_classifier,
        "MFCCTransformer": _restore_transformer,
    }
    if kind not in restorers:
        raise ModelFileError(f"The file holds a {kind!r}, which this version of voicelstm does not know.")
    return restorers[kind](described, prefix, tensors)


def _restore_pipeline(described: dict[str, Any], within: Callable[[dict[str, Any], str], Any]) -> Pipeline:
    check_fields(described, {"class", "steps"})
    if not described["steps"] or any(step["class"] == "Pipeline" for _, step in described["steps"]):
        raise ModelFileError("A Pipeline within a Pipeline, or one without steps, is not a model.")
    pipeline = Pipeline([(name, within(step, name)) for name, step in described["steps"]])
    pipeline._validate_steps()  # names of their own, and a classifier only at the end
    steps = [step for _, step in pipeline.steps]
    for before, after in pairwise(steps):
        if isinstance(before, CepstralDynamics) and after.n_features_in_ != 2 * len(before.centre_):
            raise ModelFileError(
                f"The dynamics give {2 * len(before.centre_)} numbers, the step after them takes"
                f" {after.n_features_in_}."
            )
    return pipeline


def _restore_transformer(described: dict[str, Any], prefix: str, tensors: StoredTensors) -> MFCCTransformer:
    transformer = MFCCTransformer(**_params(described))
    transformer._validate_params()
    if transformer.augment is not None:
        transformer.augment.check(codecs=False)  # predicting needs none
    if "n_features_in_" in described:
        transformer.n_features_in_ = int(described["n_features_in_"])
    return transformer


def _restore_dynamics(described: dict[str, Any], prefix: str, tensors: StoredTensors) -> CepstralDynamics:
    check_fields(described, {"class", "params", "n_features_in_", "reads_columns"})
    dynamics = CepstralDynamics(**_params(described))
    dynamics._fitted_settings = lags, _, _ = dynamics._settings()
    (dynamics.n_features_in_,) = checked_units((described["n_features_in_"],))
    dynamics._reads_columns = described["reads_columns"]
    if not isinstance(dynamics._reads_columns, bool):
        raise ModelFileError(f"reads_columns is {dynamics._reads_columns!r}, not a bool.")
    dynamics._n_coefficients = 1 if dynamics._reads_columns else dynamics.n_features_in_
    shape = (dynamics._n_coefficients * (1 + len(lags)),)
    dynamics.centre_, dynamics.scale_ = (
        tensors.read(f"{prefix}{name}", shape, np.dtype(np.float64)) for name in ("centre", "scale")
    )
    # Logarithms of what is computed lie between -7 and 330.
    if not ((abs(dynamics.centre_) < 1e3) & (dynamics.scale_ > 1e-300) & (dynamics.scale_ < 1e3)).all():
        raise ModelFileError("The centre and the scale of the dynamics are not those of any sequences.")
    return dynamics


def _restore_classifier(
    described: dict[str, Any], prefix: str, tensors: StoredTensors
) -> LSTMVoiceClassifier:
    classifier = LSTMVoiceClassifier(**_params(described))
    classifier._validate_params()
    if classifier.callbacks is not None:
        raise ModelFileError("Callbacks are code, which a model file does not hold.")
    classes = labels_from_plain(described["classes"])
    architecture = _architecture(described["architecture"])
    if architecture.n_outputs != (1 if len(classes) == 2 else len(classes)):
        raise ModelFileError("The number of labels does not fit the network's outputs.")
    reads_columns = bool(described["reads_columns"])
    if described["n_features_in_"] != architecture.n_features and not reads_columns:
        raise ModelFileError("The number of features is not that of the network.")
    weights = {
        name: tensors.read(f"{prefix}weights/{name}", shape, architecture.weight_dtype)
        for name, shape in architecture.weight_shapes().items()
    }
    class_totals = np.array(described["class_totals"], dtype=np.float64)
    if class_totals.shape != classes.shape or not (
        np.isfinite(class_totals).all() and (class_totals >= 0).all()
    ):
        raise ModelFileError("The class totals are not one finite number of at least 0 for each label.")
    statistics = None
    if described["statistics_total"] is not None:
        shape = (architecture.n_features,)
        mean, spread = (
            tensors.read(f"{prefix}statistics/{name}", shape, np.dtype(np.float64))
            for name in ("mean", "spread")
        )
        total = float(described["statistics_total"])
        if not (0 < total < np.inf and (spread >= 0).all()):
            raise ModelFileError("The statistics of the frames are not those of any frames.")
        statistics = FrameStatistics(total, mean, spread)
    classifier._fitted = Fitted(architecture, weights, statistics, class_totals)
    classifier._ongoing = None
    classifier._reads_columns = reads_columns
    classifier.classes_ = classes
    classifier.n_features_in_ = int(described["n_features_in_"])
    classifier.n_iter_ = int(described["n_iter_"])
    classifier.history_ = {
        str(name): [float(value) for value in values] for name, values in described["history_"].items()
    }
    return classifier


def _architecture(described: dict[str, Any]) -> Architecture:
    architecture = Architecture(**{**described, "units": checked_units(described["units"])})
    # The parameters' own constraints say what each of these may be.
    asked = {name: getattr(architecture, name) for name in ("bidirectional", "pooling", "dropout", "dtype")}
    LSTMVoiceClassifier(**asked)._validate_params()
    checked_units((architecture.n_features, architecture.n_outputs))
    return architecture


def _params(described: dict[str, Any]) -> dict[str, Any]:
    return {str(name): from_plain(value) for name, value in described["params"].items()}
