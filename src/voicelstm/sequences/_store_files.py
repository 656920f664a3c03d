"""The two files of a folder of sequences: a data file, and an index beside it.

SQLite keeps the index: its transactions make appending safe against a killed process and against several
processes that write to one folder, wherever the file system's locks work.
"""

import json
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from voicelstm._base import __version__
from voicelstm.exceptions import StoreError

__all__ = [
    "COLUMNS",
    "DATA",
    "FORMAT",
    "INDEX",
    "READ",
    "ROW",
    "DataFile",
    "Row",
    "checksum_of",
    "collected_rows",
    "connect",
    "document_of",
    "end_of",
    "explained",
    "is_intact",
]

FORMAT = 3
_WITHOUT_FINGERPRINTS_AND_REMARKS = 2  # which only what adds to a folder asks for
_WITHOUT_CHECKSUMS = 1  # the format of 0.1.0, whose folders can still be read
_UNKNOWN = -1  # checksum of their rows
INDEX, DATA = "index.sqlite", "features.bin"
READ = "cannot be read"


class Row(NamedTuple):
    """Where a sequence begins in the data file, in frames, the times of its clip, in s, and its CRC-32."""

    start: int
    n_frames: int
    offset: float
    frame_length: float
    frame_step: float
    duration: float
    checksum: int


COLUMNS = ", ".join(Row._fields)
ROW = np.dtype([(name, "<i8" if kind is int else "<f8") for name, kind in Row.__annotations__.items()])


@dataclass
class DataFile:
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
        path, expected = self.folder / DATA, self.end * self.n_features * self.dtype.itemsize
        if (found := path.stat().st_size) < expected:
            raise StoreError(
                f"{path}: damaged: {found} bytes, but {INDEX} tells of {expected}. Copy the folder again, or"
                " compute the features again, into another one."
            )
        return expected

    def mapped(self) -> NDArray[Any]:
        """Return the frames, read-only, of shape (end, n_features)."""
        if self._mapped is None:
            shape = (self.end, self.n_features)
            with explained(self.folder, READ):
                if self.checked_size():
                    self._mapped = np.memmap(self.folder / DATA, dtype=self.dtype, mode="r", shape=shape)
                else:  # an empty file cannot be mapped
                    self._mapped = np.frombuffer(b"", dtype=self.dtype).reshape(shape)
        return self._mapped


def connect(folder: Path, mode: str) -> sqlite3.Connection:
    """Open the index, in one of SQLite's modes."""
    address = f"{(folder / INDEX).as_uri()}?mode={mode}"
    # Other processes' appends are waited for, in s; no transactions begin but those that the code begins.
    return sqlite3.connect(address, uri=True, timeout=60.0, isolation_level=None)


def document_of(index: sqlite3.Connection, folder: Path) -> dict[str, Any]:
    """Return what a folder says of itself; raise StoreError for a format that this version does not read."""
    with explained(folder, READ):
        (text,) = index.execute("SELECT value FROM about WHERE key = 'document'").fetchone()
    about: dict[str, Any] = json.loads(text)
    if about["format"] not in (_WITHOUT_CHECKSUMS, _WITHOUT_FINGERPRINTS_AND_REMARKS, FORMAT):
        raise StoreError(
            f"{folder}: format {about['format']!r}, written by voicelstm {about['library']}; voicelstm"
            f" {__version__} reads formats {_WITHOUT_CHECKSUMS} to {FORMAT}. Install that version, or choose"
            " another folder."
        )
    return about


def collected_rows(collection: bytes, document: dict[str, Any]) -> NDArray[Any]:
    """Return the rows of a folder's collection; those without checksums get -1."""
    if document["format"] != _WITHOUT_CHECKSUMS:
        return np.frombuffer(collection, dtype=ROW)
    names = list(Row._fields[:-1])
    without = np.frombuffer(collection, dtype=[(name, ROW[name]) for name in names])
    rows = np.full(len(without), _UNKNOWN, dtype=ROW)
    for name in names:
        rows[name] = without[name]
    return rows


def checksum_of(features: NDArray[Any]) -> int:
    """Return the CRC-32 of a sequence's bytes in the data file."""
    return zlib.crc32(features.data)


def is_intact(features: NDArray[Any], row: Row) -> bool:
    """Tell whether a row is what was written, as far as the folder knows."""
    return row.checksum in (_UNKNOWN, checksum_of(features))


def end_of(rows: NDArray[Any]) -> int:
    """Return how many frames of the data file rows reach to."""
    return int((rows["start"] + rows["n_frames"]).max(initial=0))


@contextmanager
def explained(folder: Path, what: str) -> Iterator[None]:
    """Turn what the system says into a StoreError that names the folder."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        advice = "Check permissions and free space, or choose another folder."
        raise StoreError(f"{folder}: {what} ({error}). {advice}") from error
