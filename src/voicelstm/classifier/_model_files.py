"""Describe a fitted classifier for a model file, and restore it."""

from dataclasses import asdict, fields
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from voicelstm._base import checked_convolutions, checked_units
from voicelstm._compat import validate_params
from voicelstm.classifier._classifier import LSTMVoiceClassifier
from voicelstm.classifier._fitted import FittedNetwork
from voicelstm.classifier._labelled import known_human_label
from voicelstm.exceptions import ModelFileError
from voicelstm.model_files import (
    StoredTensors,
    Tensors,
    boolean,
    check_fields,
    count,
    describe_feature_names,
    describe_labels,
    describe_params,
    describe_value,
    finite_number,
    restore_feature_names,
    restore_labels,
    restore_value,
    restore_with_params,
)
from voicelstm.network import Architecture
from voicelstm.sequences import FrameStatistics, SpecAugment, check_hop

__all__ = ["describe_classifier", "describe_spec_augment", "restore_classifier", "restore_spec_augment"]

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


def describe_classifier(classifier: LSTMVoiceClassifier, prefix: str, tensors: Tensors) -> dict[str, Any]:
    """Describe a fitted classifier; its weights, statistics and history become tensors."""
    check_is_fitted(classifier)
    fitted = classifier._fitted
    check_hop(classifier.segment_hop, classifier.segment_frames)
    if classifier.augment is not None:
        classifier.augment.check()
    for name, values in fitted.weights.items():
        tensors[f"{prefix}weights/{name}"] = values
    if fitted.statistics is not None:
        tensors[f"{prefix}statistics/mean"] = fitted.statistics.mean
        tensors[f"{prefix}statistics/spread"] = fitted.statistics.spread
    for name, history in classifier.history_.items():
        tensors[f"{prefix}history/{name}"] = np.array(history, dtype=np.float64)
    return {
        "class": "LSTMVoiceClassifier",
        "params": describe_params(classifier),
        "architecture": asdict(fitted.architecture),
        "statistics_total": None if fitted.statistics is None else fitted.statistics.total,
        "classes": describe_labels(classifier.classes_),
        "class_totals": fitted.class_totals.tolist(),
        "n_features_in_": int(classifier.n_features_in_),
        "reads_columns": classifier._reads_columns,
        "n_iter_": int(classifier.n_iter_),
        "history_": sorted(classifier.history_),
        **describe_feature_names(classifier),
    }


def restore_classifier(described: dict[str, Any], prefix: str, tensors: StoredTensors) -> LSTMVoiceClassifier:
    """Make the fitted classifier of a description, each field checked before it is used."""
    check_fields(described, _OF_CLASSIFIER, {"feature_names_in_"})
    classifier: LSTMVoiceClassifier = restore_with_params(LSTMVoiceClassifier, described)
    if classifier.callbacks is not None:
        raise ModelFileError("Callbacks are code, which a model file does not hold.")
    checked_units(classifier.units)
    checked_convolutions(classifier.convolutions)
    check_hop(classifier.segment_hop, classifier.segment_frames)
    if classifier.augment is not None:
        classifier.augment.check()
    classes = restore_labels(described["classes"])
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
    for name, values in weights.items():
        if name.endswith("/moving_variance") and (values < 0).any():
            raise ModelFileError(f"{name} has variances below 0.")
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
    classifier._fitted = FittedNetwork(architecture, weights, statistics, np.array(totals))
    classifier._partial_fit_state = None
    classifier._reads_columns = reads_columns
    classifier._human_label = known_human_label(classes, classifier.human_label)
    classifier.classes_ = classes
    classifier.n_features_in_ = n_features
    restore_feature_names(classifier, described)
    classifier.n_iter_ = n_epochs
    return classifier


def describe_spec_augment(augment: SpecAugment) -> dict[str, Any]:
    """Describe masks and equaliser, which are a parameter of a classifier."""
    return {name: describe_value(value) for name, value in augment.get_params(deep=False).items()}


def restore_spec_augment(described: dict[str, Any]) -> SpecAugment:
    """Make masks and equaliser of a description; their parameters are checked with the classifier's."""
    return SpecAugment(**{name: restore_value(value) for name, value in described.items()})


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
    # Files of 0.1.0 know no convolutions.
    check_fields(
        described, {field.name for field in fields(Architecture)} - {"convolutions"}, {"convolutions"}
    )
    shapes = {
        "units": checked_units(described["units"]),
        "convolutions": checked_convolutions(described.get("convolutions")),
    }
    architecture = Architecture(**(described | shapes))
    # The parameters' own constraints say what each of these may be.
    asked = {name: getattr(architecture, name) for name in ("bidirectional", "pooling", "dropout", "dtype")}
    validate_params(LSTMVoiceClassifier(**asked))
    finite_number(architecture.dropout, "dropout")
    checked_units((architecture.n_features, architecture.n_outputs))
    return architecture
