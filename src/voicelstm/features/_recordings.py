"""Checks of a batch of recordings."""

import os
from collections.abc import Iterator
from numbers import Real
from typing import Any

import numpy as np
from sklearn.utils.validation import validate_data

from voicelstm._base import check_not_empty

__all__ = ["checked_recordings", "is_batch_of_signals"]


def is_batch_of_signals(X: Any) -> bool:
    """Tell whether X is a 2-D numeric array, a data frame, a sparse matrix or nested lists of numbers."""
    if hasattr(X, "toarray"):
        return True  # sparse: refused by scikit-learn's own check, with its text
    if isinstance(X, np.ndarray) or hasattr(X, "iloc") or hasattr(X, "__array__"):
        values = np.asarray(X)
        if values.dtype.kind == "O" and values.ndim == 2 and len(values) and any(map(np.ndim, values[0])):
            return False  # rows of samples and rates
        return values.dtype.kind not in "OUS" or (values.ndim == 2 and values.shape[1] != 1)
    if not isinstance(X, list) or not X or not all(isinstance(row, list) and row for row in X):
        return False
    # Both ends, so that [sample_rate, samples] is not taken for numbers.
    return isinstance(X[0][0], Real) and isinstance(X[0][-1], Real)


def checked_recordings(estimator: Any, X: Any, *, reset: bool) -> list[Any]:
    """List the recordings of a batch, at least one; ``n_features_in_`` is set by a 2-D array, or checked."""
    if isinstance(X, str | os.PathLike):
        raise ValueError(f"Expected a list of recordings, got the single path {os.fspath(X)!r}: pass [path].")
    if reset and isinstance(X, Iterator):
        raise ValueError("X is an iterator, which can be read only once: pass a list of recordings.")
    if is_batch_of_signals(X):
        return list(validate_data(estimator, X, reset=reset, dtype="numeric"))
    if isinstance(X, np.ndarray) or hasattr(X, "__array__"):
        values = np.asarray(X)
        if values.ndim == 2:  # one column of recordings, or rows of samples and rates
            X = values.ravel() if values.shape[1] == 1 else map(tuple, values)
    recordings = list(X)
    check_not_empty(recordings, "recordings")
    if reset:
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(estimator, name):
                delattr(estimator, name)
    return recordings
