"""The file that a model is kept in: tensors, a description, a checksum."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as tensors_to_bytes

from voicelstm import __version__
from voicelstm.exceptions import ModelFileError
from voicelstm.whole_files import write_whole

__all__ = ["StoredTensors", "Tensors", "read_model_file", "write_model_file"]

_FORMAT = 1
_KEY = "voicelstm"

Tensors = dict[str, NDArray[Any]]


def write_model_file(path: Path, described: dict[str, Any], tensors: Tensors) -> None:
    """Write a model; the file is replaced only when the new one is complete.

    Parameters
    ----------
    path : Path
        The file.
    described : dict
        What JSON can say of the model.
    tensors : dict of str to ndarray
        Its arrays.
    """
    document = {"format": _FORMAT, "library": __version__, "object": described}
    text = json.dumps(document, sort_keys=True, allow_nan=False)
    metadata = {_KEY: text, "sha256": _checksum(text, tensors)}
    # safetensors writes bytes as they lie in memory.
    contiguous = {name: np.ascontiguousarray(values) for name, values in tensors.items()}
    write_whole(path, tensors_to_bytes(contiguous, metadata))


@contextmanager
def read_model_file(path: str | os.PathLike[str]) -> Iterator[tuple[dict[str, Any], "StoredTensors"]]:
    """Open a model's file, and check that it is one and is whole.

    Parameters
    ----------
    path : str or os.PathLike
        The file.

    Yields
    ------
    document : dict
        With the keys "format", "library" and "object".
    tensors : StoredTensors
        The arrays.
    """
    with Path(path).open("rb"):
        pass  # a file that is missing or closed to us is the system's error, which names it
    try:
        with safe_open(os.fspath(path), framework="numpy") as file:
            yield _document(path, file), StoredTensors(path, file)
    except SafetensorError as error:
        raise ModelFileError(f"{path}: not a model file, or a damaged one ({error}).") from error


class StoredTensors:
    """The tensors of a file, each handed out only where its shape is right."""

    def __init__(self, path: str | os.PathLike[str], file: Any) -> None:
        self._path = path
        self._file = file
        self._unread = set(file.keys())

    def read(self, name: str, shape: tuple[int, ...], dtype: np.dtype) -> NDArray[Any]:
        """Read one tensor, which must be of this shape and type, and finite."""
        if name not in self._unread:
            raise ModelFileError(f"{self._path}: the tensor {name!r} is missing.")
        found = tuple(self._file.get_slice(name).get_shape())
        if found != shape:
            raise ModelFileError(f"{self._path}: the tensor {name!r} has shape {found}; expected {shape}.")
        values = self._file.get_tensor(name)
        if values.dtype != dtype:
            raise ModelFileError(f"{self._path}: the tensor {name!r} is {values.dtype}; expected {dtype}.")
        if not np.isfinite(values).all():
            raise ModelFileError(f"{self._path}: the tensor {name!r} holds NaN or infinity.")
        self._unread.discard(name)
        return values

    def check_all_used(self) -> None:
        """Raise ModelFileError where tensors were not asked for."""
        if self._unread:
            raise ModelFileError(f"{self._path}: unknown tensors {sorted(self._unread)}.")


def _document(path: str | os.PathLike[str], file: Any) -> dict[str, Any]:
    metadata = file.metadata() or {}
    if _KEY not in metadata:
        raise ModelFileError(f"{path}: a safetensors file, but not of voicelstm.")
    try:
        document = json.loads(metadata[_KEY])
        version = document["format"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelFileError(f"{path}: the description of the model cannot be read ({error}).") from error
    if version != _FORMAT:
        raise ModelFileError(
            f"{path}: format {version!r}, written by voicelstm {document.get('library')!r};"
            f" voicelstm {__version__} reads format {_FORMAT}. Install the version that wrote it."
        )
    tensors = {name: file.get_tensor(name) for name in list(file.keys())}
    if metadata.get("sha256") != _checksum(metadata[_KEY], tensors):
        raise ModelFileError(
            f"{path}: damaged: its checksum does not fit its content. Copy or save it again."
        )
    return document


def _checksum(text: str, tensors: Tensors) -> str:
    """SHA-256 of the description and all tensors; it finds damage, not malice."""
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        values = tensors[name]
        digest.update(f"{name} {values.dtype.str} {values.shape}".encode())
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()
