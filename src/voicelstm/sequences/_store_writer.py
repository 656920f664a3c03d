"""Fill a folder with sequences, as they are computed."""

import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from voicelstm._base import __version__
from voicelstm.exceptions import StoreError
from voicelstm.sequences._clip import Clip
from voicelstm.sequences._store import SequenceStore
from voicelstm.sequences._store_files import (
    COLUMNS,
    DATA,
    FORMAT,
    INDEX,
    READ,
    ROW,
    DataFile,
    Row,
    checksum_of,
    connect,
    document_of,
    end_of,
    explained,
)

__all__ = ["SequenceWriter"]

_OWN = {INDEX, f"{INDEX}-journal", DATA}
_CHUNK = 500  # parameters of one query; SQLite long allowed 999
_WRITE = "cannot be written to; what it held before is intact"


class SequenceWriter:
    """Writer of clips into a folder, each under its digest; it belongs to one thread, a folder to many."""

    def __init__(
        self, folder: str | os.PathLike[str], description: dict[str, Any], n_features: int, dtype: DTypeLike
    ) -> None:
        self.folder = Path(folder).absolute()
        self.n_features = n_features
        self.dtype = np.dtype(dtype).newbyteorder("<")
        settings = description | {"n_features": n_features, "feature_dtype": self.dtype.str}
        about = json.dumps({"format": FORMAT, "library": __version__, "settings": settings})
        with explained(self.folder, _WRITE):
            if self.folder.exists() and not self.folder.is_dir():
                raise StoreError(f"{self.folder}: a file; expected a folder. Choose another name.")
            self.folder.mkdir(parents=True, exist_ok=True)
            names = {path.name for path in self.folder.iterdir()}
            # Another process may be making the same folder: its files appear one by one.
            others = names - _OWN
            if others and INDEX not in names:
                raise StoreError(
                    f"{self.folder}: holds {min(others)!r}, no sequences. Choose an empty folder."
                )
            self._index = connect(self.folder, "rwc")
        try:
            if _is_blank(self._index, self.folder):  # else a folder that is complete may be read-only
                with self._transaction():
                    if _is_blank(self._index, self.folder):
                        self._create(about)
            document = document_of(self._index, self.folder)
            if document["format"] != FORMAT:
                raise StoreError(
                    f"{self.folder}: format {document['format']}, written by voicelstm {document['library']};"
                    f" it can be read, but not added to, as voicelstm {__version__} writes format {FORMAT}."
                    " Choose another folder."
                )
            self._compare(document["settings"], json.loads(about)["settings"])
        except BaseException:
            self.close()
            raise

    def find(self, digests: Sequence[str]) -> dict[str, Row]:
        """Return where clips lie, those of them that are stored."""
        rows = {}
        with explained(self.folder, READ):
            for first in range(0, len(digests), _CHUNK):
                chunk = digests[first : first + _CHUNK]
                query = f"SELECT digest, {COLUMNS} FROM sequence WHERE digest IN ({_marks(chunk)})"
                rows.update({digest: Row(*row) for digest, *row in self._index.execute(query, chunk)})
        return rows

    def fingerprints(self, digests: Sequence[str | None]) -> list[int | None]:
        """Return the fingerprints of stored clips' recordings; None is of none, or is not known."""
        return self._of_each("fingerprint", digests)

    def remarks(self, digests: Sequence[str | None]) -> list[list[str]]:
        """Return what there is to warn of in stored clips; nothing of None."""
        return [json.loads(found or "[]") for found in self._of_each("remarks", digests)]

    def append(self, clips: Sequence[tuple[str, Clip] | tuple[str, Clip, Sequence[str]]]) -> dict[str, Row]:
        """Store clips by digest, and what there is to warn of, unless they are stored.

        All are, or none if a StoreError is raised.
        """
        if not clips:
            return {}
        for digest, clip, *_ in clips:
            dtype, shape = clip.features.dtype, clip.features.shape
            if shape != (len(clip.features), self.n_features) or not np.can_cast(dtype, self.dtype, "equiv"):
                raise StoreError(
                    f"{self.folder}: the features of {digest} are {dtype} of shape {shape}; expected"
                    f" {self.dtype.name} of shape (n_frames, {self.n_features})."
                )
        with self._transaction():
            rows = self.find([digest for digest, *_ in clips])
            new = {digest: clip for digest, clip, *_ in clips if digest not in rows}
            remarks = {
                digest: json.dumps(list(found)) for digest, _, *more in clips for found in more if found
            }
            last = self._index.execute("SELECT start + n_frames FROM sequence ORDER BY id DESC LIMIT 1")
            (begin,) = (end,) = last.fetchone() or (0,)
            for digest, clip in new.items():
                rows[digest] = Row(
                    end,
                    len(clip.features),
                    float(clip.offset),
                    float(clip.frame_length),
                    float(clip.frame_step),
                    float(clip.duration),
                    checksum_of(self._as_written(clip.features)),
                )
                end += len(clip.features)
            self._index.executemany(
                f"INSERT INTO sequence (digest, {COLUMNS}, fingerprint, remarks)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (digest, *rows[digest], clip.fingerprint, remarks.get(digest))
                    for digest, clip in new.items()
                ],
            )
            self._write(begin, [clip.features for clip in new.values()])
        return rows

    def arrange(self, digests: Sequence[str | None]) -> None:
        """Make clips, in this order, the collection that `SequenceStore` finds; None is an empty sequence."""
        rows = self._rows(digests)
        with self._transaction():
            self._index.execute("INSERT OR REPLACE INTO about VALUES ('collection', ?)", (rows.tobytes(),))

    def view(self, digests: Sequence[str | None]) -> SequenceStore:
        """Return what `arrange` would make the collection; nothing is written."""
        rows = self._rows(digests)
        return SequenceStore._over(DataFile(self.folder, self.n_features, self.dtype, end_of(rows)), rows)

    def close(self) -> None:
        """Close the index."""
        self._index.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _create(self, about: str) -> None:
        data = self.folder / DATA
        if data.exists() and data.stat().st_size:
            raise StoreError(f"{data}: its index {INDEX} is missing or empty. Choose another folder.")
        data.touch()
        self._index.execute("CREATE TABLE about (key TEXT PRIMARY KEY, value NOT NULL)")
        self._index.execute("INSERT INTO about VALUES ('document', ?)", (about,))
        self._index.execute(
            "CREATE TABLE sequence (id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE,"
            " start INTEGER NOT NULL, n_frames INTEGER NOT NULL, offset REAL NOT NULL,"
            " frame_length REAL NOT NULL, frame_step REAL NOT NULL, duration REAL NOT NULL,"
            " checksum INTEGER NOT NULL, fingerprint INTEGER, remarks TEXT)"
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

    def _of_each(self, column: str, digests: Sequence[str | None]) -> list[Any]:
        """Return a column's value for each clip; None is of none."""
        found: dict[str, Any] = {}
        asked = [digest for digest in digests if digest is not None]
        with explained(self.folder, READ):
            for first in range(0, len(asked), _CHUNK):
                chunk = asked[first : first + _CHUNK]
                query = f"SELECT digest, {column} FROM sequence WHERE digest IN ({_marks(chunk)})"
                found.update(self._index.execute(query, chunk))
        return [None if digest is None else found.get(digest) for digest in digests]

    def _rows(self, digests: Sequence[str | None]) -> NDArray[Any]:
        rows = self.find([digest for digest in digests if digest is not None])
        missing = [digest for digest in digests if digest is not None and digest not in rows]
        if missing:
            raise StoreError(f"{self.folder}: {len(missing)} clips were not appended, {missing[0]} first.")
        return np.array(
            [(0,) * len(Row._fields) if digest is None else rows[digest] for digest in digests], dtype=ROW
        )

    def _write(self, end: int, sequences: list[NDArray[Any]]) -> None:
        """Write over what a killed process left behind the end; on disk before the index is committed."""
        with (self.folder / DATA).open("r+b") as file:
            file.seek(DataFile(self.folder, self.n_features, self.dtype, end).checked_size())
            for features in sequences:
                file.write(self._as_written(features).data)
            file.flush()
            os.fsync(file.fileno())

    def _as_written(self, features: NDArray[Any]) -> NDArray[Any]:
        return np.ascontiguousarray(features, dtype=self.dtype)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Hold the folder's one write lock; what is done meanwhile comes to be at the end, or never."""
        with explained(self.folder, _WRITE):
            self._index.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._index.execute("COMMIT")
            except BaseException:
                self._index.rollback()
                raise


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values))


def _is_blank(index: sqlite3.Connection, folder: Path) -> bool:
    with explained(folder, READ):
        return index.execute("SELECT 1 FROM sqlite_master").fetchone() is None
