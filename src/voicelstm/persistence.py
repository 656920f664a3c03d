"""Save and load: one file of tensors and JSON, from which no code runs."""

import logging
import os
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from voicelstm.classifier import LSTMVoiceClassifier
from voicelstm.descriptions import (
    plain,
    plain_labels,
)
from voicelstm.dynamics import CepstralDynamics
from voicelstm.exceptions import ModelFileError, ModelFileWarning
from voicelstm.extraction import check_extraction
from voicelstm.model_file import Tensors, read_model_file, write_model_file, written_by
from voicelstm.restoration import NOT_KEPT, restore
from voicelstm.transformer import MFCCTransformer
from voicelstm.wrappers import DEEPEST, WRAPPERS, describe_wrapper, is_wrapper

__all__ = ["load", "load_as", "save"]

_log = logging.getLogger(__name__)

_OWN = (MFCCTransformer, CepstralDynamics, LSTMVoiceClassifier)
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

    Read more in the :ref:`user guide <model_files>`.

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
        wraps, or parameters of `CepstralDynamics` have changed since its fit, or those of `MFCCTransformer`
        contradict each other, or labels are longer than a file may hold.
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
    _log.info("wrote %s", path)


def load(path: str | os.PathLike[str]) -> Any:
    """Read an estimator from a file.

    Read more in the :ref:`user guide <model_files>`.

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
    document, tensors = read_model_file(path)
    try:
        estimator = restore(document["object"], tensors)
        tensors.check_all_used()
    except ModelFileError as error:
        raise ModelFileError(f"{path}: {error} {written_by(document)}") from error
    # Whatever a made-up document trips over: a missing key, a wrong type, a value out of range.
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise ModelFileError(
            f"{path}: the description of the model is not valid ({type(error).__name__}: {error})."
            f" {written_by(document)}"
        ) from error
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
        estimator._validate_params()
        check_extraction(estimator._settings(None))
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
        for name, history in estimator.history_.items():
            tensors[f"{prefix}history/{name}"] = np.array(history, dtype=np.float64)
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
            "history_": sorted(estimator.history_),
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
        if name in NOT_KEPT:
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
