"""The forms that a batch of sequences may have."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from voicelstm._base import check_not_empty

__all__ = ["check_ragged", "checked_key", "is_ragged", "stack"]


def stack(clips: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Join clips into one batch.

    Parameters
    ----------
    clips : sequence of ndarray of shape (n_frames, n_features)
        One array per clip.

    Returns
    -------
    ndarray of shape (n_clips, n_frames, n_features), or (n_clips,) of 2-D arrays
        3-D where all clips have the same number of frames.

    Examples
    --------
    >>> import numpy as np
    >>> from voicelstm.sequences import stack
    >>> stack([np.zeros((5, 2)), np.zeros((5, 2))]).shape
    (2, 5, 2)
    >>> stack([np.zeros((5, 2)), np.zeros((4, 2))]).shape
    (2,)
    """
    if len(clips) == 1:
        return np.asarray(clips[0])[None]  # of a long recording no second copy
    if len({clip.shape for clip in clips}) == 1:
        return np.stack(clips)
    ragged = np.empty(len(clips), dtype=object)
    ragged[:] = clips
    return ragged


def is_ragged(X: Any) -> bool:
    """Tell whether X is a list, a 1-D object array or a pandas Series of sequences of any length.

    Parameters
    ----------
    X : object
        A batch of sequences.

    Returns
    -------
    bool
        False where X is, or is meant to become, one numeric array.
    """
    if isinstance(X, list | tuple):
        if any(isinstance(clip, np.ndarray) for clip in X):
            return True
        try:
            np.asarray(X)
        except ValueError:  # nested lists of unequal lengths
            return True
        return False
    if getattr(X, "ndim", None) != 1 or X.dtype != object:
        return False
    return any(isinstance(clip, np.ndarray | list) for clip in X)


def check_clip(clip: Any, position: int, dtype: DTypeLike) -> NDArray[Any]:
    """Return the frames of one clip as a 2-D array of numbers; an array of them stays as it is."""
    try:
        frames = np.asarray(clip)
        if frames.dtype.kind in "cSUmM":
            raise TypeError(f"its values are {frames.dtype}")
        if frames.dtype.kind not in "biuf":
            frames = frames.astype(dtype)
    except (TypeError, ValueError) as error:
        raise ValueError(f"X[{position}] is not a numeric array ({error}).") from None
    if frames.ndim == 1:
        frames = frames[:, None]
    if frames.ndim != 2:
        raise ValueError(f"X[{position}] has shape {frames.shape}; expected (n_frames, n_features).")
    return frames


def check_ragged(X: Iterable[Any], dtype: DTypeLike) -> list[NDArray[Any]]:
    """Check clips of different lengths.

    Parameters
    ----------
    X : iterable of array of shape (n_frames, n_features) or (n_frames,)
        The clips; a 1-D array is a sequence of one feature. Clips may be empty.
    dtype : dtype
        Type that clips get which are no arrays of integers or floats.

    Returns
    -------
    list of ndarray of shape (n_frames, n_features)
        One array per clip. Arrays stay as they are, in memory or mapped.

    Raises
    ------
    ValueError
        Where clips differ in features, have other dimensions, or hold NaN or infinity; it names positions.
    """
    clips = []
    for position, clip in enumerate(X):
        frames = check_clip(clip, position, dtype)
        clips.append(frames if frames.dtype.kind != "b" else frames.astype(dtype))
    check_not_empty(clips, "clips")
    widths = [clip.shape[1] for clip in clips]
    others = [position for position, width in enumerate(widths) if width != widths[0]]
    if others:
        raise ValueError(
            f"X[0] has {widths[0]} features per frame, but X[{others[0]}] has {widths[others[0]]}"
            f" ({len(others)} clips differ): all clips need the same."
        )
    bad = [position for position, clip in enumerate(clips) if not np.isfinite(clip).all()]
    if bad:
        raise ValueError(f"Input X contains NaN or infinity in clips {_some(bad)}.")
    return clips


def checked_key(key: Any) -> int | slice | NDArray[Any]:
    """Return what chooses from a batch of sequences: an integer, a slice, or a 1-D array of either kind."""
    # scikit-learn asks for X[key, ...] where X has a shape.
    if isinstance(key, tuple) and len(key) == 2 and key[1] is Ellipsis:
        key = key[0]
    if isinstance(key, int | np.integer) and not isinstance(key, bool):
        return int(key)
    if isinstance(key, slice):
        return key
    chosen = np.array(key, dtype=np.intp if isinstance(key, list) and not key else None)
    if isinstance(key, tuple) or chosen.ndim != 1 or chosen.dtype.kind not in "iub":
        raise IndexError(f"{key!r}: expected an integer, a slice, a 1-D array of integers, or a mask.")
    return chosen


def _some(positions: Sequence[int], limit: int = 10) -> str:
    text = ", ".join(map(str, positions[:limit]))
    return text if len(positions) <= limit else f"{text} and {len(positions) - limit} more"
