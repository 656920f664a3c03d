"""Describe transformers for a model file, and restore them."""

from typing import Any

import numpy as np
from sklearn.base import clone

from voicelstm._base import checked_units
from voicelstm._compat import validate_params
from voicelstm.audio import Augmenter
from voicelstm.exceptions import ModelFileError
from voicelstm.features._dynamics import CepstralDynamics
from voicelstm.features._extraction import check_extraction
from voicelstm.features._transformer import MFCCTransformer, checked_augmenters
from voicelstm.model_files import (
    StoredTensors,
    Tensors,
    boolean,
    check_fields,
    count,
    describe_feature_names,
    describe_params,
    describe_value,
    restore_feature_names,
    restore_value,
    restore_with_params,
)

__all__ = [
    "describe_augmenter",
    "describe_dynamics",
    "describe_transformer",
    "restore_augmenter",
    "restore_dynamics",
    "restore_transformer",
]


def describe_transformer(transformer: MFCCTransformer, prefix: str, tensors: Tensors) -> dict[str, Any]:
    """Describe a transformer, whose parameters must not contradict each other."""
    described: dict[str, Any] = {"class": "MFCCTransformer", "params": describe_params(transformer)}
    validate_params(transformer)
    for settings in transformer._training_versions():
        check_extraction(settings)
    if hasattr(transformer, "n_features_in_"):
        described["n_features_in_"] = int(transformer.n_features_in_)
    if hasattr(transformer, "fingerprints_"):
        described["n_fingerprints"] = len(transformer.fingerprints_)
        tensors[f"{prefix}fingerprints"] = transformer.fingerprints_
    return described | describe_feature_names(transformer)


def restore_transformer(described: dict[str, Any], prefix: str, tensors: StoredTensors) -> MFCCTransformer:
    """Make the transformer of a description, each field checked before it is used."""
    optional = {"feature_names_in_", "n_features_in_", "n_fingerprints"}
    check_fields(described, {"class", "params"}, optional)
    transformer: MFCCTransformer = restore_with_params(MFCCTransformer, described)
    for augmenter in checked_augmenters(transformer.augment):
        augmenter.check(codecs=False)  # predicting needs none
    for settings in transformer._training_versions():
        check_extraction(settings)
    if "n_features_in_" in described:
        transformer.n_features_in_ = count(described["n_features_in_"], "number of samples per signal")
        restore_feature_names(transformer, described)
    elif "feature_names_in_" in described:
        raise ModelFileError("There are names of columns, but no number of columns.")
    if "n_fingerprints" in described:
        shape = (count(described["n_fingerprints"], "number of fingerprints", least=0),)
        found = tensors.read(f"{prefix}fingerprints", shape, np.dtype(np.int64))
        if (found < 0).any() or (np.diff(found) <= 0).any():
            raise ModelFileError("The fingerprints are not ascending numbers of 0 or more.")
        transformer.fingerprints_ = found
    return transformer


def describe_dynamics(dynamics: CepstralDynamics, prefix: str, tensors: Tensors) -> dict[str, Any]:
    """Describe fitted dynamics, whose parameters must be those of the fit."""
    lags, _, _ = dynamics._checked_settings()
    tensors[f"{prefix}centre"], tensors[f"{prefix}scale"] = dynamics.centre_, dynamics.scale_
    return {
        "class": "CepstralDynamics",
        "params": describe_params(clone(dynamics).set_params(lags=lags)),
        "n_features_in_": int(dynamics.n_features_in_),
        "reads_columns": dynamics._reads_columns,
        **describe_feature_names(dynamics),
    }


def restore_dynamics(described: dict[str, Any], prefix: str, tensors: StoredTensors) -> CepstralDynamics:
    """Make the fitted dynamics of a description, each field checked before it is used."""
    check_fields(described, {"class", "params", "n_features_in_", "reads_columns"}, {"feature_names_in_"})
    dynamics: CepstralDynamics = restore_with_params(CepstralDynamics, described)
    dynamics._fitted_settings = lags, _, _ = dynamics._settings()
    (dynamics.n_features_in_,) = checked_units((described["n_features_in_"],))
    restore_feature_names(dynamics, described)
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


def describe_augmenter(augmenter: Augmenter) -> dict[str, Any]:
    """Describe an augmenter, which is a parameter of a transformer."""
    return {name: describe_value(value) for name, value in augmenter.get_params(deep=False).items()}


def restore_augmenter(described: dict[str, Any]) -> Augmenter:
    """Make the augmenter of a description; its parameters are checked with the transformer's."""
    return Augmenter(**{name: restore_value(value) for name, value in described.items()})
