"""Checks of a batch of sequences in any form: clip by clip for transformers, as a whole for classifiers."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import assert_all_finite, check_array, validate_data

from voicelstm._base import check_not_empty
from voicelstm.sequences._batches import check_clip, check_ragged, is_ragged

__all__ = ["SequenceReadingMixin", "checked_clips"]


class SequenceReadingMixin:
    """Reads sequences for a transformer, and remembers how many coefficients a frame has."""

    n_features_in_: int
    _n_coefficients: int
    _reads_columns: bool

    def _read_first(self, X: Any) -> None:
        """Set what a fit knows of the form of `X`; of sequences, only the first clip is looked at."""
        if isinstance(X, Iterator):
            raise ValueError("X is an iterator, which can be read only once: pass a list of sequences.")
        batch = _as_batch(X)
        if batch is None:
            validate_data(self, X, reset=True, dtype="numeric")
            self._n_coefficients, self._reads_columns = 1, True
        else:
            first = _checked(next(iter(batch)), 0, None)
            # The names that an earlier fit found in a data frame are not those of these coefficients.
            if hasattr(self, "feature_names_in_"):
                del self.feature_names_in_
            self.n_features_in_ = self._n_coefficients = first.shape[1]
            self._reads_columns = False

    def _clips(self, X: Any) -> Iterator[NDArray[Any]]:
        """Yield the checked frames of each clip, ``(n_frames, n_coefficients)``."""
        batch = _as_batch(X)
        expected: int | None = getattr(self, "_n_coefficients", None)
        if batch is not None:
            for position, clip in enumerate(batch):
                frames = _checked(clip, position, expected)
                expected = frames.shape[1]
                yield frames
            return
        if expected not in (1, None):
            raise ValueError(
                f"X is 2-D, sequences of one coefficient, but {type(self).__name__} was fitted on sequences"
                f" of {expected} coefficients per frame."
            )
        if getattr(self, "_reads_columns", False):
            signals = validate_data(self, X, reset=False, dtype="numeric")
        else:  # not fitted, or on ragged sequences of one coefficient, so that any number of frames will do
            signals = check_array(X, dtype="numeric", estimator=self, input_name="X")
        yield from signals[:, :, None]


def _as_batch(X: Any) -> Iterable[Any] | None:
    """Return what yields clips; None where X is, or has to be, one 2-D array."""
    if not is_ragged(X):
        if isinstance(X, list | tuple):
            X = np.asarray(X)
        shape = getattr(X, "shape", ())
        if len(shape) < 3 and shape != (0,):
            return None
    check_not_empty(X, "clips")
    return X


def _checked(clip: Any, position: int, expected: int | None) -> NDArray[Any]:
    """Return the frames of one clip, ``(n_frames, n_coefficients)``; a memory map stays one."""
    frames = check_clip(clip, position, np.float64)
    n_coefficients = frames.shape[1]
    if not n_coefficients:
        raise ValueError(f"X[{position}] has shape {frames.shape}: its frames have no coefficients.")
    assert_all_finite(frames, input_name=f"X[{position}]")
    if expected is not None and n_coefficients != expected:
        raise ValueError(
            f"X[{position}] has {n_coefficients} features per frame, but {expected} were expected, as in the"
            " clips before it and in fit."
        )
    return frames


def checked_clips(estimator: Any, X: Any, expected: int | None) -> list[NDArray[Any]]:
    """Return the frames of each clip; `expected` is the number of features of a fitted network."""
    dtype = np.float64 if estimator.dtype == "float64" else np.float32
    begins = expected is None
    if isinstance(X, list | tuple) or getattr(X, "ndim", None) == 1:
        check_not_empty(X, "clips")
    if is_ragged(X):
        clips = check_ragged(X, dtype)
    elif getattr(X, "ndim", None) == 3 or (isinstance(X, list | tuple) and np.ndim(X) == 3):
        clips = list(check_array(X, allow_nd=True, estimator=estimator, input_name="X"))
    else:
        fitted_on_columns = not begins and estimator._reads_columns
        if not begins and not fitted_on_columns and expected != 1:
            raise ValueError(
                f"X is 2-D, sequences of one feature, but {type(estimator).__name__} was fitted on sequences"
                f" of {expected} features per frame."
            )
        if begins or fitted_on_columns:
            signals = validate_data(estimator, X, reset=begins)
        else:
            signals = check_array(X, estimator=estimator, input_name="X")
        if begins:
            estimator._reads_columns = True
        clips = list(signals[:, :, None])
        _check_range(clips, dtype)
        return clips
    _check_range(clips, dtype)
    n_features = clips[0].shape[1]
    if begins:
        if hasattr(estimator, "feature_names_in_"):
            del estimator.feature_names_in_  # of a table that was fitted before
        estimator.n_features_in_ = n_features
        estimator._reads_columns = False
    elif n_features != expected:
        raise ValueError(
            f"X has {n_features} features, but {type(estimator).__name__} is expecting {expected} features"
            " as input."
        )
    return clips


def _check_range(clips: list[NDArray[Any]], dtype: type[np.floating]) -> None:
    """Refuse what is finite on disk, but would not be as the network computes."""
    most = np.finfo(dtype).max
    beyond = [
        position
        for position, clip in enumerate(clips)
        if clip.dtype.kind == "f"
        and clip.dtype.itemsize > np.dtype(dtype).itemsize
        and max(clip.max(initial=0), -clip.min(initial=0)) > most
    ]
    if beyond:
        raise ValueError(
            f"Input X has values too large for dtype={np.dtype(dtype).name!r} in clips {beyond[:10]}:"
            ' scale X, or set dtype="float64".'
        )
