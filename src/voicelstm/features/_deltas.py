"""What is done to features over time: derivatives, normalisation."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["append_deltas", "normalize_clip", "normalize_in_place"]

_ROWS_AT_ONCE = 2**14


def append_deltas(features: NDArray[np.floating], order: int) -> NDArray[np.floating]:
    """Append the time derivatives of features as further columns.

    Each order is the regression over ±2 frames of the one before, the first and last frame repeated at the
    ends (S. Young et al., The HTK Book, equation 5.16).

    Parameters
    ----------
    features : ndarray of shape (n_frames, n_features)
        One clip's features.
    order : int
        How many derivatives to append; 2 gives Δ and ΔΔ.

    Returns
    -------
    ndarray of shape (n_frames, n_features * (order + 1))
        The features and their derivatives.

    Examples
    --------
    >>> import numpy as np
    >>> from voicelstm.features import append_deltas
    >>> append_deltas(np.arange(5.0)[:, None], 1)[:, 1].tolist()
    [0.5, 0.8, 1.0, 0.8, 0.5]
    """
    n_frames, width = features.shape
    result = np.empty((n_frames, width * (order + 1)), dtype=features.dtype)
    result[:, :width] = features
    padded = np.empty((n_frames + 4, width), dtype=features.dtype)
    for column in range(0, width * order, width):
        padded[2:-2] = result[:, column : column + width]
        padded[:2], padded[-2:] = padded[2], padded[-3]
        delta = result[:, column + width : column + 2 * width]
        np.subtract(padded[4:], padded[:-4], out=delta)
        delta *= 2
        delta += padded[3:-1]
        delta -= padded[1:-3]
        delta /= 10
    return result


def normalize_clip(features: NDArray[np.floating], how: str | None) -> NDArray[np.floating]:
    """Normalise each column of one clip's features.

    Parameters
    ----------
    features : ndarray of shape (n_frames, n_features)
        One clip's features.
    how : {"mean", "zscore", "minmax"} or None
        Subtract the mean; also divide by the standard deviation; or map the range to 0..1.

    Returns
    -------
    ndarray of shape (n_frames, n_features)
        Constant columns give 0.

    Examples
    --------
    >>> import numpy as np
    >>> from voicelstm.features import normalize_clip
    >>> normalize_clip(np.array([[1.0, 7.0], [3.0, 7.0], [2.0, 7.0]]), "minmax").tolist()
    [[0.0, 0.0], [1.0, 0.0], [0.5, 0.0]]
    """
    return features if how is None else normalize_in_place(features.copy(), how)


def normalize_in_place(features: NDArray[np.floating], how: str | None) -> NDArray[np.floating]:
    """Do what :func:`normalize_clip` does to the features themselves, and return them."""
    if how is None or not len(features):
        return features
    low, high = features.min(axis=0), features.max(axis=0)
    constant = low == high
    if how == "minmax":
        shift, scale = low, high - low
    else:
        shift = features.mean(axis=0, dtype=np.float64).astype(features.dtype)
        scale = _deviation(features) if how == "zscore" else 1
    features -= shift
    if how != "mean":
        features /= np.where(constant, features.dtype.type(1), scale)
    features[:, constant] = 0
    return features


def _deviation(features: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the standard deviation of columns, some rows at a time: in double precision they take much."""
    mean = features.mean(axis=0, dtype=np.float64)
    squares = np.zeros(features.shape[1])
    for first in range(0, len(features), _ROWS_AT_ONCE):
        squares += np.square(features[first : first + _ROWS_AT_ONCE] - mean).sum(axis=0)
    return np.sqrt(squares / len(features)).astype(features.dtype)
