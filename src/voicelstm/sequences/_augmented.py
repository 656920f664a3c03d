"""Sequences of recordings together with those of their copies."""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voicelstm.exceptions import SequenceWarning
from voicelstm.sequences._batches import checked_key, stack
from voicelstm.sequences._store import SequenceStore

__all__ = ["AugmentedSequences", "from_versions", "named_version", "versions_of"]


class AugmentedSequences:
    """Sequences of recordings, and of copies of each that other rooms and lines made.

    It is the sequence of the recordings as they are: its length is their number, and iteration and integers
    give their sequences. The copies go with them. A slice, integers or a mask give the chosen recordings with
    their copies, so that folds of a cross-validation keep them.

    :class:`~voicelstm.LSTMVoiceClassifier` trains on recordings and copies, and scores recordings as they
    are. :class:`~voicelstm.CepstralDynamics` returns such a container for such a container.

    Read more in the :ref:`user guide <copies>`.

    Parameters
    ----------
    plain : sequence or array of shape (n_clips,) of 2-D arrays, 3-D array, or SequenceStore
        Sequences of the recordings as they are, each of shape (n_frames, n_features).
    copies : sequence of such
        For each copy, its sequences, in the order of `plain`. ``[]`` is no copy of its recording; a sequence
        without frames is none either, with a :class:`~voicelstm.exceptions.SequenceWarning`.

    Attributes
    ----------
    plain : ndarray or SequenceStore
        As given; a list is stacked.
    copies : tuple of ndarray or SequenceStore
        As given; lists are stacked.
    shape, ndim, dtype : tuple of int, int, dtype
        (n_clips,), 1 and object, as scikit-learn sees it.

    Raises
    ------
    ValueError
        If a copy has another number of sequences than `plain`, or something is no batch of sequences.

    See Also
    --------
    voicelstm.MFCCTransformer : Its `fit_transform` returns this if `augment` is a sequence of augmenters.

    Examples
    --------
    >>> import numpy as np
    >>> from voicelstm.sequences import AugmentedSequences
    >>> plain = [np.zeros((n, 2)) for n in (5, 4, 6)]
    >>> X = AugmentedSequences(plain, [[clip + 1 for clip in plain], [clip + 2 for clip in plain]])
    >>> X
    <AugmentedSequences: 3 recordings with 2 copies of each>
    >>> X[0].shape, X[[2, 0]].shape, X[[2, 0]].copies[1][0].shape
    ((5, 2), (2,), (6, 2))
    """

    ndim = 1
    dtype = np.dtype(object)

    def __init__(self, plain: Any, copies: Sequence[Any]) -> None:
        self.plain = _batch(plain, "plain")
        if not isinstance(copies, Iterable):
            raise ValueError(
                f"copies={copies!r}: expected a sequence with the sequences of each copy, such as"
                " [copy], or [] for none."
            )
        given = tuple(copies)
        self.copies = tuple(
            _batch(each, f"copies[{number}]", self.plain) for number, each in enumerate(given)
        )
        for number, each in enumerate(self.copies):
            if len(each) != len(self.plain):
                raise ValueError(
                    f"copies[{number}] has {len(each)} sequences, and there are {len(self.plain)} recordings:"
                    " a copy needs one for each, which may be empty."
                )
        # Once, and not at every fit to a part of them.
        if lacking := self._lacking(given):
            warnings.warn(
                f"Copies without frames are left out of training, of the recordings at positions {lacking};"
                " these keep their weights.",
                SequenceWarning,
                stacklevel=2,
            )

    @property
    def shape(self) -> tuple[int]:
        return (len(self.plain),)

    def expanded(self) -> tuple[list[NDArray[Any]], NDArray[np.intp]]:
        """Return recordings and copies as one list, for what knows nothing of copies.

        Returns
        -------
        clips : list of ndarray of shape (n_frames, n_features)
            Sequences of the recordings, and then those of each copy in turn.
        recording : ndarray of shape (n_clips * (1 + n_copies),)
            Position of the recording that each belongs to.

        Examples
        --------
        >>> import numpy as np
        >>> from voicelstm import ClipStatistics
        >>> from voicelstm.sequences import AugmentedSequences
        >>> plain = [np.zeros((5, 2)), np.ones((4, 2))]
        >>> clips, recording = AugmentedSequences(plain, [plain]).expanded()
        >>> y = np.array(["human", "synthetic"])
        >>> ClipStatistics().transform(clips).shape, y[recording].tolist()
        ((4, 4), ['human', 'synthetic', 'human', 'synthetic'])
        """
        versions = versions_of(self)
        clips = [clip for version in versions for clip in version]
        return clips, np.tile(np.arange(len(self)), len(versions))

    def __len__(self) -> int:
        return len(self.plain)

    def __iter__(self) -> Iterator[NDArray[Any]]:
        return iter(self.plain)

    def __getitem__(self, key: Any) -> Any:
        key = checked_key(key)
        if isinstance(key, int):
            return self.plain[key]
        return from_versions([version[key] for version in versions_of(self)])

    def _lacking(self, given: Sequence[Any]) -> list[int]:
        """Positions of recordings with frames of which a copy has none, and was not given as ``[]``."""
        lacking = np.zeros(len(self), dtype=bool)
        for each, copy in zip(given, self.copies, strict=True):
            is_list = isinstance(each, list | tuple) or (
                isinstance(each, np.ndarray) and each.dtype == object
            )
            is_told = [np.shape(clip) == (0,) for clip in each] if is_list else False
            lacking |= (_n_frames(copy) == 0) & ~np.asarray(is_told, dtype=bool)
        return np.flatnonzero(lacking & (_n_frames(self.plain) > 0)).tolist()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        raise TypeError(
            f"{self!r} cannot become an array, which has no place for copies: take its plain, the"
            " recordings as they are, or expanded(), all of them in one list."
        )

    def __repr__(self) -> str:
        recordings = "1 recording" if len(self) == 1 else f"{len(self)} recordings"
        copies = "1 copy" if len(self.copies) == 1 else f"{len(self.copies)} copies"
        return f"<AugmentedSequences: {recordings} with {copies} of each>"


def versions_of(X: Any) -> list[Any]:
    """List a batch of recordings' sequences and those of their copies, if it has any."""
    return [X.plain, *X.copies] if isinstance(X, AugmentedSequences) else [X]


def from_versions(versions: Sequence[Any]) -> AugmentedSequences:
    """Put together recordings' sequences and those of each copy, as batches that have been checked before."""
    together = AugmentedSequences.__new__(AugmentedSequences)
    together.plain, *copies = versions
    together.copies = tuple(copies)
    return together


@contextmanager
def named_version(number: int) -> Iterator[None]:
    """Say in an error about sequences which copy they are, if they are of a copy."""
    try:
        yield
    except ValueError as error:
        if not number:
            raise
        raise ValueError(f"Of copies[{number - 1}] of X: {error}") from error


def _n_frames(batch: Any) -> NDArray[np.intp]:
    if isinstance(batch, SequenceStore):
        return batch.lengths
    return np.array([len(clip) for clip in batch], dtype=np.intp)


def _batch(sequences: Any, name: str, like: Any = None) -> NDArray[Any] | SequenceStore:
    """Return sequences as one batch; ``[]`` among them is an empty one of `like`'s features."""
    if isinstance(sequences, SequenceStore):
        return sequences
    if isinstance(sequences, list | tuple):
        clips = [np.asarray(clip) for clip in sequences]
        if like is not None and len(like):
            nothing = like[0][:0]
            clips = [nothing if clip.shape == (0,) else clip for clip in clips]
        for position, clip in enumerate(clips):
            if clip.ndim != 2:
                raise ValueError(
                    f"{name}[{position}] has shape {clip.shape}: expected a sequence of shape (n_frames,"
                    " n_features)."
                )
        sequences = stack(clips) if clips else np.empty(0, dtype=object)
    is_batch = isinstance(sequences, np.ndarray) and (
        sequences.ndim == 3 or (sequences.ndim == 1 and sequences.dtype == object)
    )
    if not is_batch:
        raise ValueError(
            f"{name} is of type {type(sequences).__name__} and shape {getattr(sequences, 'shape', None)}:"
            " expected a list of 2-D arrays, a 3-D array or a SequenceStore."
        )
    batch: NDArray[Any] = sequences
    return batch
