"""Sequences on disk, for features larger than memory: one data file, and an index beside it.

SQLite keeps the index: its transactions make appending safe against a killed process and against several
processes that write to one folder, wherever the file system's locks work.
"""

import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from voicelstm import __version__
from voicelstm.exceptions import StoreError
from voicelstm.extraction import Clip
from voicelstm.sequences import stack

__all__ = ["Row", "SequenceStore", "SequenceWriter"]

_FORMAT = 1
_INDEX, _DATA = "index.sqlite", "features.bin"
_OWN = {_INDEX, f"{_INDEX}-journal", _DATA}
_CHUNK = 500  # parameters of one query; SQLite long allowed 999
_READ, _WRITE = "cannot be read", "cannot be written to; what it held before is intact"


class Row(NamedTuple):
    """Where a sequence begins in the data file, in frames, and the other attributes of its clip, in s."""

    start: int
    n_frames: int
    offset: float
    frame_length: float
    frame_step: float
    duration: float


_COLUMNS = ", ".join(Row._fields)
_ROW = np.dtype([(name, "<i8" if kind is int else "<f8") for name, kind in Row.__annotations__.items()])


class SequenceWriter:
    """Keep clips in a folder, each under the digest of what it was computed from.

    A writer belongs to the thread that made it; several processes may write to one folder.

    Parameters
    ----------
    folder : str or os.PathLike
        A folder of sequences, an empty one, or one that is yet to be made.
    description : dict
        What the features depend on, as far as JSON can say it: a folder holds features of one description.
    n_features : int
        Columns of each sequence.
    dtype : dtype
        Type of the features.

    Raises
    ------
    StoreError
        Where the folder holds features of another description, or other things, or cannot be written to.
    """

    def __init__(
        self, folder: str | os.PathLike[str], description: dict[str, Any], n_features: int, dtype: DTypeLike
    ) -> None:
        self.folder = Path(folder).absolute()
        self.n_features = n_features
        self.dtype = np.dtype(dtype).newbyteorder("<")
        settings = description | {"n_features": n_features, "feature_dtype": self.dtype.str}
        about = json.dumps({"format": _FORMAT, "library": __version__, "settings": settings})
        with _explained(self.folder, _WRITE):
            if self.folder.exists() and not self.folder.is_dir():
                raise StoreError(f"{self.folder}: a file; expected a folder. Choose another name.")
            self.folder.mkdir(parents=True, exist_ok=True)
            names = {path.name for path in self.folder.iterdir()}
            # Another process may be making the same folder: its files appear one by one.
            others = names - _OWN
            if others and _INDEX not in names:
                raise StoreError(
                    f"{self.folder}: holds {min(others)!r}, no sequences. Choose an empty folder."
                )
            self._index = _connect(self.folder, "rwc")
        try:
            if _is_blank(self._index, self.folder):  # else a folder that is complete may be read-only
                with self._transaction():
                    if _is_blank(self._index, self.folder):
                        self._create(about)
            self._compare(_settings(self._index, self.folder), json.loads(about)["settings"])
        except BaseException:
            self.close()
            raise

    def find(self, digests: Sequence[str]) -> dict[str, Row]:
        """Return where clips lie, those of them that are stored."""
        rows = {}
        with _explained(self.folder, _READ):
            for first in range(0, len(digests), _CHUNK):
                chunk = digests[first : first + _CHUNK]
                marks = ", ".join("?" * len(chunk))
                query = f"SELECT digest, {_COLUMNS} FROM sequence WHERE digest IN ({marks})"
                rows.update({digest: Row(*row) for digest, *row in self._index.execute(query, chunk)})
        return rows

    def append(self, clips: Sequence[tuple[str, Clip]]) -> dict[str, Row]:
        """Store clips: all of them or, where that fails by a StoreError, none.

        Parameters
        ----------
        clips : sequence of (str, Clip)
            Digest and clip. Those that are stored already, perhaps by another process, stay as they are.

        Returns
        -------
        dict of str to Row
            Where each of them lies.
        """
        if not clips:
            return {}
        for digest, clip in clips:
            dtype, shape = clip.features.dtype, clip.features.shape
            if shape != (len(clip.features), self.n_features) or not np.can_cast(dtype, self.dtype, "equiv"):
                raise StoreError(
                    f"{self.folder}: the features of {digest} are {dtype} of shape {shape}; expected"
                    f" {self.dtype.name} of shape (n_frames, {self.n_features})."
                )
        with self._transaction():
            rows = self.find([digest for digest, _ in clips])
            new = {digest: clip for digest, clip in clips if digest not in rows}
            last = self._index.execute("SELECT start + n_frames FROM sequence ORDER BY id DESC LIMIT 1")
            (begin,) = (end,) = last.fetchone() or (0,)
            for digest, clip in new.items():
                times = (clip.offset, clip.frame_length, clip.frame_step, clip.duration)
                rows[digest] = Row(end, len(clip.features), *map(float, times))
                end += len(clip.features)
            self._index.executemany(
                f"INSERT INTO sequence (digest, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",
                [(digest, *rows[digest]) for digest in new],
            )
            self._write(begin, [clip.features for clip in new.values()])
        return rows

    def arrange(self, digests: Sequence[str | None]) -> None:
        """Make clips, in this order, the collection that `SequenceStore` finds; None is an empty sequence."""
        rows = self._rows(digests)
        with self._transaction():
            self._index.execute("INSERT OR REPLACE INTO about VALUES ('collection', ?)", (rows.tobytes(),))

    def view(self, digests: Sequence[str | None]) -> "SequenceStore":
        """Return what `arrange` would make the collection; nothing is written."""
        rows = self._rows(digests)
        return SequenceStore._over(_DataFile(self.folder, self.n_features, self.dtype, _end(rows)), rows)

    def close(self) -> None:
        """Close the index."""
        self._index.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _create(self, about: str) -> None:
        data = self.folder / _DATA
        if data.exists() and data.stat().st_size:
            raise StoreError(f"{data}: its index {_INDEX} is missing or empty. Choose another folder.")
        data.touch()
        self._index.execute("CREATE TABLE about (key TEXT PRIMARY KEY, value NOT NULL)")
        self._index.execute("INSERT INTO about VALUES ('document', ?)", (about,))
        self._index.execute(
            "CREATE TABLE sequence (id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE,"
            " start INTEGER NOT NULL, n_frames INTEGER NOT NULL, offset REAL NOT NULL,"
            " frame_length REAL NOT NULL, frame_step REAL NOT NULL, duration REAL NOT NULL)"
        )

    def _compare(self, there: dict[str, Any], here: dict[str, Any]) -> None:
        differing = [
            f"{key} ({there.get(key, 'absent')!r} there, {here.get(key, 'absent')!r} here)"
            for key in there | here
            if there.get(key, "absent") != here.get(key, "absent")
        ]
        if differing:
            advice = "Choose another folder."
            raise StoreError(f"{self.folder}: made in another way: {', '.join(differing)}. {advice}")

    def _rows(self, digests: Sequence[str | None]) -> NDArray[Any]:
        rows = self.find([digest for digest in digests if digest is not None])
        missing = [digest for digest in digests if digest is not None and digest not in rows]
        if missing:
            raise StoreError(f"{self.folder}: {len(missing)} clips were not appended, {missing[0]} first.")
        return np.array([(0,) * 6 if digest is None else rows[digest] for digest in digests], dtype=_ROW)

    def _write(self, end: int, sequences: list[NDArray[Any]]) -> None:
        """Write over what a killed process left behind the end; on disk before the index is committed."""
        with (self.folder / _DATA).open("r+b") as file:
            file.seek(_DataFile(self.folder, self.n_features, self.dtype, end).checked_size())
            for features in sequences:
                file.write(np.ascontiguousarray(features, dtype=self.dtype).data)
            file.flush()
            os.fsync(file.fileno())

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Hold the folder's one write lock; what is done meanwhile comes to be at the end, or never."""
        with _explained(self.folder, _WRITE):
            self._index.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._index.execute("COMMIT")
            except BaseException:
                self._index.rollback()
                raise


class SequenceStore:
    """Sequences on disk, a batch that is read as it is asked for.

    To scikit-learn it is a 1-D object array of 2-D arrays. An integer gives a sequence, a read-only
    :class:`numpy.memmap` of shape (n_frames, n_features); a slice, integers or a mask give a store again, for
    which no sequence is read. A pickled store carries its folder's name, not the features.

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
    >>> from voicelstm.extraction import Clip
    >>> from voicelstm.store import SequenceStore, SequenceWriter
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
        if not (path / _INDEX).is_file():
            raise StoreError(f"{path}: holds no sequences (no {_INDEX}). Fill it: transform(X, out=...).")
        # "rw" undoes what a killed process left of a commit, where the system lets us.
        with _explained(path, _READ), closing(_connect(path, "rw")) as index:
            settings = _settings(index, path)
            found = index.execute("SELECT value FROM about WHERE key = 'collection'").fetchone()
            if found is None:
                raise StoreError(
                    f"{path}: not complete, as the run that was to fill it was interrupted: call"
                    " transform(X, out=...) again to complete it; what is stored is not computed again."
                )
            rows = np.frombuffer(found[0], dtype=_ROW)
            data = _DataFile(path, settings["n_features"], np.dtype(settings["feature_dtype"]), _end(rows))
            data.checked_size()  # now rather than in the middle of training
        self._set(data, rows)

    @classmethod
    def _over(cls, data: "_DataFile", rows: NDArray[Any]) -> Self:
        store = cls.__new__(cls)
        store._set(data, rows)
        return store

    def _set(self, data: "_DataFile", rows: NDArray[Any]) -> None:
        self._data, self._rows = data, rows
        self.folder, self.n_features, self.feature_dtype = data.folder, data.n_features, data.dtype
        self.shape, self.lengths = rows.shape, rows["n_frames"].copy()

    def clip(self, position: int) -> Clip:
        """Return a sequence with its place in time, which is all 0 where the recording failed."""
        row = Row(*self._rows[position].item())
        return Clip(self._data.mapped()[row.start : row.start + row.n_frames], *row[2:])

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[NDArray[Any]]:
        return (self[position] for position in range(len(self)))

    def __getitem__(self, key: Any) -> Any:
        # scikit-learn asks for X[key, ...] where X has a shape.
        if isinstance(key, tuple) and len(key) == 2 and key[1] is Ellipsis:
            key = key[0]
        if isinstance(key, int | np.integer) and not isinstance(key, bool):
            return self.clip(int(key)).features
        if not isinstance(key, slice):
            chosen = np.array(key, dtype=np.intp if isinstance(key, list) and not key else None)
            if isinstance(key, tuple) or chosen.ndim != 1 or chosen.dtype.kind not in "iub":
                raise IndexError(
                    f"{key!r}: expected an integer, a slice, a 1-D array of integers, or a mask."
                )
            key = chosen
        return self._over(self._data, self._rows[key])

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError(f"{self!r} cannot become an array without being copied to memory.")
        if dtype is not None and np.dtype(dtype) == self.dtype:
            return np.fromiter(self, dtype=self.dtype, count=len(self))
        return np.asarray(stack(list(self)), dtype=dtype)

    def __repr__(self) -> str:
        frames = int(self.lengths.sum())
        size = frames * self.n_features * self.feature_dtype.itemsize
        return f"<SequenceStore: {len(self)} clips, {frames} frames, {size / 1e6:.3g} MB in {self.folder}>"


@dataclass
class _DataFile:
    """A folder's data file, mapped once for a store and all that are taken from it."""

    folder: Path
    n_features: int
    dtype: np.dtype
    end: int  # frames; those beyond may be in the making
    _mapped: NDArray[Any] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_mapped": None}

    def checked_size(self) -> int:
        """Return how many bytes the frames take; raise StoreError where the file has fewer."""
        path, expected = self.folder / _DATA, self.end * self.n_features * self.dtype.itemsize
        if (found := path.stat().st_size) < expected:
            raise StoreError(
                f"{path}: damaged: {found} bytes, but {_INDEX} tells of {expected}. Copy the folder again, or"
                " compute the features again, into another one."
            )
        return expected

    def mapped(self) -> NDArray[Any]:
        """Return the frames, read-only, of shape (end, n_features)."""
        if self._mapped is None:
            shape = (self.end, self.n_features)
            with _explained(self.folder, _READ):
                if self.checked_size():
                    self._mapped = np.memmap(self.folder / _DATA, dtype=self.dtype, mode="r", shape=shape)
                else:  # an empty file cannot be mapped
                    self._mapped = np.frombuffer(b"", dtype=self.dtype).reshape(shape)
        return self._mapped


def _connect(folder: Path, mode: str) -> sqlite3.Connection:
    address = f"{(folder / _INDEX).as_uri()}?mode={mode}"
    # Other processes' appends are waited for, in s; no transactions begin but those that the code begins.
    return sqlite3.connect(address, uri=True, timeout=60.0, isolation_level=None)


def _is_blank(index: sqlite3.Connection, folder: Path) -> bool:
    with _explained(folder, _READ):
        return index.execute("SELECT 1 FROM sqlite_master").fetchone() is None


def _settings(index: sqlite3.Connection, folder: Path) -> dict[str, Any]:
    with _explained(folder, _READ):
        (text,) = index.execute("SELECT value FROM about WHERE key = 'document'").fetchone()
    about = json.loads(text)
    if about["format"] != _FORMAT:
        raise StoreError(
            f"{folder}: format {about['format']!r}, written by voicelstm {about['library']}; voicelstm"
            f" {__version__} reads format {_FORMAT}. Install that version, or choose another folder."
        )
    return about["settings"]


def _end(rows: NDArray[Any]) -> int:
    return int((rows["start"] + rows["n_frames"]).max(initial=0))


@contextmanager
def _explained(folder: Path, what: str) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        advice = "Check permissions and free space, or choose another folder."
        raise StoreError(f"{folder}: {what} ({error}). {advice}") from error
