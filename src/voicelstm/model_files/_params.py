"""Parameters in model files: which are kept, and how they are checked when they are read."""

import warnings
from inspect import signature
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from voicelstm._compat import validate_params
from voicelstm.exceptions import ModelFileError, ModelFileWarning
from voicelstm.model_files._descriptions import describe_value, restore_value

__all__ = ["describe_feature_names", "describe_params", "restore_feature_names", "restore_with_params"]

# Parameters that belong to the machine, not to the model. A file that has them is refused: it is not for a
# stranger to say where this machine writes.
_NOT_KEPT = {"cache_dir", "checkpoint", "inference", "n_jobs", "verbose"}
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


def describe_params(estimator: BaseEstimator) -> dict[str, Any]:
    """Describe the parameters of an estimator; warn if some of training cannot be kept."""
    params, lost = {}, []
    defaults = type(estimator)().get_params(deep=False)
    for name, value in estimator.get_params(deep=False).items():
        if name in _NOT_KEPT:
            continue
        try:
            params[name] = describe_value(value)
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
            stacklevel=6,
        )
    return params


def describe_feature_names(estimator: Any) -> dict[str, Any]:
    """Describe the column names of the table that an estimator was fitted on, if it was."""
    if not hasattr(estimator, "feature_names_in_"):
        return {}
    return {"feature_names_in_": [str(name) for name in estimator.feature_names_in_]}


def restore_feature_names(estimator: Any, described: dict[str, Any]) -> None:
    """Give an estimator, whose number of columns is restored, their names if the description has them."""
    if "feature_names_in_" not in described:
        return
    names = described["feature_names_in_"]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ModelFileError("The names of the columns are not a list of texts.")
    if len(names) != estimator.n_features_in_:
        raise ModelFileError(f"{len(names)} names of columns do not fit {estimator.n_features_in_} columns.")
    estimator.feature_names_in_ = np.array(names, dtype=object)


def restore_with_params(kind: type[Any], described: dict[str, Any]) -> Any:
    """Make an estimator of a file's parameters; those that the file lacks have their default."""
    known = set(signature(kind).parameters) - _NOT_KEPT
    unknown = sorted(set(described["params"]) - known)
    if unknown:
        raise ModelFileError(f"A model file holds no parameters {unknown[:10]} of {kind.__name__}.")
    params = {name: restore_value(value) for name, value in described["params"].items()}
    for name, value in params.items():
        # Python takes True for 1.
        if isinstance(value, bool) and "boolean" not in kind._parameter_constraints[name]:
            raise ModelFileError(f"The parameter {name} is {value}, which it cannot be.")
    estimator = kind(**params)
    validate_params(estimator)
    return estimator
