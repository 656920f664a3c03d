"""Sequences on disk, for features larger than memory."""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from voicelstm.exceptions import StoreError
from voicelstm.sequences._batches import checked_key, stack
from voicelstm.sequences._clip import Clip
from voicelstm.sequences._store_files import (
    DATA,
    INDEX,
    READ,
    DataFile,
    Row,
    collected_rows,
    connect,
    document_of,
    end_of,
    explained,
    is_intact,
)

__all__ = ["SequenceStore"]


class SequenceStore:
    """Sequences on disk, a batch that is read as it is asked for.

    To scikit-learn it is a 1-D object array of 2-D arrays. An integer gives a sequence, a read-only
    :class:`numpy.memmap` of shape (n_frames, n_features); a slice, integers or a mask give a store again, for
    which no sequence is read. A pickled store carries its folder's name, not the features. A sequence whose
    bytes have changed since they were written is a StoreError when it is asked for, but in a folder that
    version 0.1.0 has filled, which has no checksums.

    Read more in the :ref:`user guide <stores>`.

    Parameters
    ----------
    folder : str or os.PathLike
        What ``MFCCTransformer.transform(X, out=folder)`` has filled.

    Attributes
    ----------
    shape, ndim, dtype : tuple of int, int, dtype
        (n_clips,), 1 and object.
    folder : Path
        Absolute.
    n_features, feature_dtype : int, dtype
        Columns of each sequence, and their type.
    lengths : ndarray of shape (n_clips,)
        Number of frames of each sequence.

    Raises
    ------
    StoreError
        Where the folder holds no complete collection of sequences, or a damaged one.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from voicelstm.sequences import Clip
    >>> from voicelstm import SequenceStore
    >>> from voicelstm.sequences import SequenceWriter
    >>> clips = [Clip(np.ones((n, 2), "float32"), 0.0, 0.025, 0.01, 0.1) for n in (3, 5)]
    >>> folder = tempfile.TemporaryDirectory()
    >>> with SequenceWriter(folder.name, {"n_mfcc": 2}, n_features=2, dtype="float32") as writer:
    ...     rows = writer.append([("first", clips[0]), ("second", clips[1])])
    ...     writer.arrange(["second", None, "first"])
    >>> rows["second"].start
    3
    >>> store = SequenceStore(folder.name)
    >>> store.shape, store[0].shape, store[1:].lengths.tolist()
    ((3,), (5, 2), [0, 3])
    >>> folder.cleanup()
    """

    ndim = 1
    dtype = np.dtype(object)

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        path = Path(folder).absolute()
        if not (path / INDEX).is_file():
            raise StoreError(f"{path}: holds no sequences (no {INDEX}). Fill it: transform(X, out=...).")
        # "rw" undoes what a killed process left of a commit, where the system lets us.
        with explained(path, READ), closing(connect(path, "rw")) as index:
            document = document_of(index, path)
            found = index.execute("SELECT value FROM about WHERE key = 'collection'").fetchone()
            if found is None:
                raise StoreError(
                    f"{path}: not complete, as the run that was to fill it was interrupted: call"
                    " transform(X, out=...) again to complete it; what is stored is not computed again."
                )
            rows, settings = collected_rows(found[0], document), document["settings"]
            data = DataFile(path, settings["n_features"], np.dtype(settings["feature_dtype"]), end_of(rows))
            data.checked_size()  # now rather than in the middle of training
        self._set(data, rows)

    @classmethod
    def _over(cls, data: DataFile, rows: NDArray[Any]) -> Self:
        store = cls.__new__(cls)
        store._set(data, rows)
        return store

    def _set(self, data: DataFile, rows: NDArray[Any]) -> None:
        self._data, self._rows = data, rows
        self.folder, self.n_features, self.feature_dtype = data.folder, data.n_features, data.dtype
        self.shape, self.lengths = rows.shape, rows["n_frames"].copy()

    def clip(self, position: int) -> Clip:
        """Return a sequence with its place in time, which is all 0 where the recording failed.

        Parameters
        ----------
        position : int
            Of the sequence in the store.

        Returns
        -------
        Clip
            Its features are mapped, and read-only.

        Raises
        ------
        StoreError
            If the features are not those that were written.
        """
        row = Row(*self._rows[position].item())
        features = self._data.mapped()[row.start : row.start + row.n_frames]
        if not is_intact(features, row):
            raise StoreError(
                f"{self.folder / DATA}: damaged: row {position}, frames {row.start} to"
                f" {row.start + row.n_frames}, is not what was written. Copy the folder again, or compute the"
                " features again, into another one."
            )
        return Clip(features, *row[2:-1])

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[NDArray[Any]]:
        return (self[position] for position in range(len(self)))

    def __getitem__(self, key: Any) -> Any:
        key = checked_key(key)
        if isinstance(key, int):
            return self.clip(key).features
        return self._over(self._data, self._rows[key])

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError(f"{self!r} cannot become an array without being copied to memory.")
        if dtype is not None and np.dtype(dtype) == self.dtype:
            return np.fromiter(self, dtype=self.dtype, count=len(self))
        return np.array(stack(list(self)), dtype=dtype)  # of one clip stack makes no copy

    def __repr__(self) -> str:
        frames = int(self.lengths.sum())
        size = frames * self.n_features * self.feature_dtype.itemsize
        return f"<SequenceStore: {len(self)} clips, {frames} frames, {size / 1e6:.3g} MB in {self.folder}>"
