"""What transformers of sequences take: batches of any form, read clip by clip."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_array, validate_data

from voicelstm.sequences import is_ragged

__all__ = ["SequenceReadingMixin"]


class SequenceReadingMixin:
    """Reads sequences for a transformer, and remembers how many coefficients a frame has."""

    n_features_in_: int
    _n_coefficients: int
    _reads_columns: bool

    @contextmanager
    def _kept_on_failure(self) -> Iterator[None]:
        """Give back, where a fit fails, what an earlier one has learnt."""
        before = dict(vars(self))
        try:
            yield
        except BaseException:
            vars(self).clear()
            vars(self).update(before)
            raise

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
        if getattr(self, "_reads_columns", True):
            signals = validate_data(self, X, reset=False, dtype="numeric")
        else:  # fitted on ragged sequences of one coefficient, so that any number of frames will do
            signals = check_array(X, dtype="numeric", estimator=self, input_name="X")
        yield from signals[:, :, None]


def _as_batch(X: Any) -> Iterable[Any] | None:
    """Return what yields clips; None where X is, or has to be, one 2-D array."""
    if not is_ragged(X):
        if isinstance(X, list | tuple):
            X = np.asarray(X)
        if getattr(X, "ndim", 0) < 3 and getattr(X, "shape", None) != (0,):
            return None
    if not len(X):
        raise ValueError("Found array with 0 sample(s) while a minimum of 1 is required: X has no clips.")
    return X


def _checked(clip: Any, position: int, expected: int | None) -> NDArray[Any]:
    """Bring one clip into the form ``(n_frames, n_coefficients)``; a memory map stays one."""
    name = f"X[{position}]"
    try:
        frames = check_array(
            clip, dtype="numeric", ensure_2d=False, allow_nd=True, ensure_min_samples=0, input_name=name
        )
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} is no array of finite numbers: {error}") from None
    if frames.ndim == 1:
        frames = frames[:, None]
    if frames.ndim != 2:
        raise ValueError(f"{name} has shape {frames.shape}; expected (n_frames, n_coefficients).")
    if expected is not None and frames.shape[1] != expected:
        raise ValueError(
            f"{name} has {frames.shape[1]} features per frame, but {expected} were expected, as in the clips"
            " before it and in fit."
        )
    return frames
