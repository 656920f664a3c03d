"""Labels as they come: one for each clip, numbers or strings."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import DataConversionWarning

from voicelstm.metrics._human_class import check_distinct_labels

__all__ = ["as_labels", "check_labels"]


def check_labels(y: ArrayLike, name: str = "y") -> NDArray[Any]:
    """Return labels as :func:`as_labels` does; refuse those that differ only in spelling."""
    labels = as_labels(y, name)
    check_distinct_labels(np.unique(labels).tolist(), name)
    return labels


def as_labels(y: ArrayLike, name: str) -> NDArray[Any]:
    """Return labels of shape (n_clips,), of one kind; a column is one with a warning, as in scikit-learn."""
    # As objects first: of ["human", None, nan] NumPy would make the strings "None" and "nan".
    labels = np.asarray(y) if hasattr(y, "dtype") else np.asarray(y, dtype=object)
    if labels.ndim == 2 and labels.shape[1] == 1:
        warnings.warn(
            f"A column-vector y was passed when a 1d array was expected: {name} has shape {labels.shape}."
            " Give it as (n_clips,), for example by ravel().",
            DataConversionWarning,
            stacklevel=3,
        )
        labels = labels[:, 0]
    if labels.ndim != 1:
        raise ValueError(f"{name} has shape {labels.shape}; expected one label per clip.{_advice(labels)}")
    if not len(labels):
        raise ValueError(f"{name} is empty.")
    if labels.dtype == object:
        values = labels.tolist()
        labels = np.asarray(values) if len({isinstance(value, str) for value in values}) == 1 else labels
    if labels.dtype.kind == "f" and np.isnan(labels).any():
        # scikit-learn's words, which its checks expect of a Pipeline.
        raise ValueError(f"Input {name} contains NaN. Leave these recordings out, or label them.")
    if labels.dtype.kind not in "biufU":
        raise ValueError(f"{name} must hold labels of one kind, numbers or strings, and one for every clip.")
    return labels


def _advice(labels: NDArray[Any]) -> str:
    """Say what to do with one-hot labels."""
    if labels.ndim != 2 or not (((labels == 0) | (labels == 1)).all() and (labels.sum(axis=1) == 1).all()):
        return ""
    names = ", ".join(f"'class of column {column}'" for column in range(labels.shape[1]))
    return f" These are one-hot. Name their classes: np.array([{names}])[np.argmax(y, axis=1)]."
