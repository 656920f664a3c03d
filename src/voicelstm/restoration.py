"""From the description in a model file back to an estimator, each field checked before it is used."""

from collections.abc import Callable
from dataclasses import fields
from itertools import pairwise
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from voicelstm.architecture import Architecture
from voicelstm.base_checks import checked_units
from voicelstm.classifier import LSTMVoiceClassifier
from voicelstm.descriptions import boolean, check_fields, count, finite_number, from_plain, labels_from_plain
from voicelstm.dynamics import CepstralDynamics
from voicelstm.exceptions import ModelFileError
from voicelstm.extraction import check_extraction
from voicelstm.learning import Fitted
from voicelstm.model_file import StoredTensors
from voicelstm.sequences import FrameStatistics
from voicelstm.transformer import MFCCTransformer
from voicelstm.wrappers import DEEPEST, WRAPPERS, restore_wrapper

__all__ = ["NOT_KEPT", "restore"]

#: Parameters that belong to the machine, not to the model. A file that has them is refused: it is not for a
#: stranger to say where this machine writes.
NOT_KEPT = {"cache_dir", "checkpoint", "n_jobs", "verbose"}
_MOST_STEPS = 16
_OF_CLASSIFIER = {
    "architecture",
    "class",
    "class_totals",
    "classes",
    "history_",
    "n_features_in_",
    "n_iter_",
    "params",
    "reads_columns",
    "statistics_total",
}
_HISTORY = {"accuracy", "loss", "val_accuracy", "val_loss"}


def restore(described: dict[str, Any], tensors: StoredTensors) -> Any:
    """Make an estimator from its description.

    Parameters
    ----------
    described : dict
        As read from a file.
    tensors : StoredTensors
        The file's; those that the description demands are taken, if they have the shapes it demands.

    Returns
    -------
    estimator
        Fitted.

    Raises
    ------
    ModelFileError
        Where a field, parameter or tensor is missing, unknown, or not what it may be.
    ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError
        Where the description trips over these first.
    """
    return _restore(described, "", tensors)


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
    named = described["steps"]
    if not named or len(named) > _MOST_STEPS or any(step["class"] == "Pipeline" for _, step in named):
        raise ModelFileError("A Pipeline within a Pipeline, or one without steps, is not a model.")
    if any(step["class"] == "MFCCTransformer" for _, step in named[1:]):
        raise ModelFileError("An MFCCTransformer, which takes recordings, is not the first step.")
    pipeline = Pipeline([(name, within(step, name)) for name, step in named])
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
    check_fields(described, {"class", "params"}, {"n_features_in_"})
    transformer: MFCCTransformer = _with_params(MFCCTransformer, described)
    if transformer.augment is not None:
        transformer.augment.check(codecs=False)  # predicting needs none
    check_extraction(transformer._settings(None))
    if "n_features_in_" in described:
        transformer.n_features_in_ = count(described["n_features_in_"], "number of samples per signal")
    return transformer


def _restore_dynamics(described: dict[str, Any], prefix: str, tensors: StoredTensors) -> CepstralDynamics:
    check_fields(described, {"class", "params", "n_features_in_", "reads_columns"})
    dynamics: CepstralDynamics = _with_params(CepstralDynamics, described)
    dynamics._fitted_settings = lags, _, _ = dynamics._settings()
    (dynamics.n_features_in_,) = checked_units((described["n_features_in_"],))
    dynamics._reads_columns = boolean(described["reads_columns"], "reads_columns")
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
    check_fields(described, _OF_CLASSIFIER)
    classifier: LSTMVoiceClassifier = _with_params(LSTMVoiceClassifier, described)
    if classifier.callbacks is not None:
        raise ModelFileError("Callbacks are code, which a model file does not hold.")
    checked_units(classifier.units)
    classes = labels_from_plain(described["classes"])
    architecture = _architecture(described["architecture"])
    if architecture.n_outputs != (1 if len(classes) == 2 else len(classes)):
        raise ModelFileError("The number of labels does not fit the network's outputs.")
    reads_columns = boolean(described["reads_columns"], "reads_columns")
    n_features = count(described["n_features_in_"], "number of features")
    if architecture.n_features != (1 if reads_columns else n_features):
        raise ModelFileError("The number of features is not that of the network.")
    weights = {
        name: tensors.read(f"{prefix}weights/{name}", shape, architecture.weight_dtype)
        for name, shape in architecture.weight_shapes().items()
    }
    totals = [finite_number(total, "total of a class") for total in described["class_totals"]]
    if len(totals) != len(classes) or min(totals) < 0:
        raise ModelFileError("The class totals are not one finite number of at least 0 for each label.")
    statistics = _statistics(described["statistics_total"], architecture, prefix, tensors)
    n_epochs = count(described["n_iter_"], "number of epochs")
    named = described["history_"]
    if not isinstance(named, list) or not {"loss"} <= set(named) <= _HISTORY or len(set(named)) < len(named):
        raise ModelFileError(f"The history is one of {named!r:.100}; expected some of {sorted(_HISTORY)}.")
    classifier.history_ = {
        name: tensors.read(
            f"{prefix}history/{name}", (n_epochs,), np.dtype(np.float64), finite=False
        ).tolist()
        for name in named
    }
    classifier._fitted = Fitted(architecture, weights, statistics, np.array(totals))
    classifier._ongoing = None
    classifier._reads_columns = reads_columns
    classifier.classes_ = classes
    classifier.n_features_in_ = n_features
    classifier.n_iter_ = n_epochs
    return classifier


def _statistics(
    total: Any, architecture: Architecture, prefix: str, tensors: StoredTensors
) -> FrameStatistics | None:
    if total is None:
        return None
    mean, spread = (
        tensors.read(f"{prefix}statistics/{name}", (architecture.n_features,), np.dtype(np.float64))
        for name in ("mean", "spread")
    )
    statistics = FrameStatistics(finite_number(total, "total of the statistics"), mean, spread)
    if statistics.total <= 0 or (spread < 0).any():
        raise ModelFileError("The statistics of the frames are not those of any frames.")
    with np.errstate(all="ignore"):
        used = [values.astype(architecture.weight_dtype) for values in (mean, 1 / statistics.deviation())]
    if not np.isfinite(used).all():
        raise ModelFileError(f"The statistics of the frames are beyond {architecture.weight_dtype}.")
    return statistics


def _architecture(described: dict[str, Any]) -> Architecture:
    check_fields(described, {field.name for field in fields(Architecture)})
    architecture = Architecture(**{**described, "units": checked_units(described["units"])})
    # The parameters' own constraints say what each of these may be.
    asked = {name: getattr(architecture, name) for name in ("bidirectional", "pooling", "dropout", "dtype")}
    LSTMVoiceClassifier(**asked)._validate_params()
    finite_number(architecture.dropout, "dropout")
    checked_units((architecture.n_features, architecture.n_outputs))
    return architecture


def _with_params(kind: type[Any], described: dict[str, Any]) -> Any:
    """Make an estimator of a file's parameters; those that the file lacks have their default."""
    known = set(kind._get_param_names()) - NOT_KEPT
    unknown = sorted(set(described["params"]) - known)
    if unknown:
        raise ModelFileError(f"A model file holds no parameters {unknown[:10]} of {kind.__name__}.")
    params = {name: from_plain(value) for name, value in described["params"].items()}
    for name, value in params.items():
        # Python takes True for 1.
        if isinstance(value, bool) and "boolean" not in kind._parameter_constraints[name]:
            raise ModelFileError(f"The parameter {name} is {value}, which it cannot be.")
    estimator = kind(**params)
    estimator._validate_params()
    return estimator
