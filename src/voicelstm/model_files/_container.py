"""The file that a model is kept in: tensors, a description, a checksum."""

import hashlib
import json
import os
import stat
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, deserialize
from safetensors.numpy import save as tensors_to_bytes

from voicelstm._base import __version__, write_whole
from voicelstm.exceptions import ModelFileError
from voicelstm.model_files._other_files import FIRST_BYTES, name_of_kind
from voicelstm.model_files._strict_json import strict_json
from voicelstm.model_files._tensor_header import DTYPES, LONGEST_HEADER, read_header

__all__ = ["StoredTensors", "Tensors", "is_model_file", "read_model_file", "write_model_file", "written_by"]

_FORMAT = 1
_KEY = "voicelstm"
_DEEPEST = 64  # arrays and objects, one inside the other, of the description

Tensors = dict[str, NDArray[Any]]


def write_model_file(
    path: Path, described: dict[str, Any], tensors: Tensors, card: dict[str, Any] | None = None
) -> None:
    """Write a description, its tensors and a card; the file is replaced only when the new one is complete."""
    document: dict[str, Any] = {"format": _FORMAT, "library": __version__, "object": described}
    if card is not None:
        document["card"] = card
    text = json.dumps(document, sort_keys=True, allow_nan=False)
    metadata = {_KEY: text, "sha256": _checksum(text, tensors)}
    # safetensors writes bytes as they lie in memory; ascontiguousarray would give a scalar an axis.
    contiguous = {name: np.asarray(values, order="C") for name, values in tensors.items()}
    content = tensors_to_bytes(contiguous, metadata)
    size = int.from_bytes(content[:8], "little")
    if size > LONGEST_HEADER:
        raise ValueError(
            f"{path}: the model has so many parts or labels that its description takes {size} bytes; a model"
            f" file holds at most {LONGEST_HEADER}."
        )
    write_whole(path, content)


def read_model_file(path: str | os.PathLike[str]) -> tuple[dict[str, Any], "StoredTensors"]:
    """Read a file, and check that it is whole and a model's; the description remains to be checked."""
    # What is missing or closed to us is the system's error, which names it. To open a pipe is to wait.
    if stat.S_ISFIFO(Path(path).stat().st_mode):
        raise ModelFileError(f"{path}: a pipe, not a model file.")
    with Path(path).open("rb") as file:
        return _read(path, file)


def is_model_file(path: Path) -> bool:
    """Tell a model file by its header, whatever its version, and also if what follows is damaged."""
    with path.open("rb") as file:
        try:
            _, header = read_header(file, os.fstat(file.fileno()).st_size)
        except ValueError:
            return False
    return _KEY in header.metadata


class StoredTensors:
    """The tensors of a file, each handed out only where its shape is right."""

    def __init__(self, tensors: Tensors) -> None:
        self._unread = dict(tensors)

    def read(
        self, name: str, shape: tuple[int, ...], dtype: np.dtype, *, finite: bool = True
    ) -> NDArray[Any]:
        """Hand out one tensor, which must be of this shape and type, and finite unless that is waived."""
        if name not in self._unread:
            raise ModelFileError(f"The tensor {name!r} is missing.")
        values = self._unread[name]
        if values.shape != shape:
            raise ModelFileError(f"The tensor {name!r} has shape {values.shape}; expected {shape}.")
        if values.dtype != dtype:
            raise ModelFileError(f"The tensor {name!r} is {values.dtype}; expected {dtype}.")
        if finite and not np.isfinite(values).all():
            raise ModelFileError(f"The tensor {name!r} holds NaN or infinity.")
        del self._unread[name]
        return values

    def check_all_used(self) -> None:
        """Raise ModelFileError where tensors were not asked for."""
        if self._unread:
            raise ModelFileError(f"There are unknown tensors: {sorted(self._unread)[:10]}.")


def written_by(document: dict[str, Any]) -> str:
    """Say which version wrote a file, as far as it can be believed, and which one this is."""
    return f"The file was written by voicelstm {document['library']!r:.40}; this is {__version__}."


def _read(path: str | os.PathLike[str], file: BinaryIO) -> tuple[dict[str, Any], StoredTensors]:
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode):
        raise ModelFileError(f"{path}: not a regular file, and so not a model file.")
    try:
        head, header = read_header(file, status.st_size)
    except ValueError as error:
        file.seek(0)
        found = name_of_kind(file.read(FIRST_BYTES))
        if found is not None:
            raise ModelFileError(
                f"{path}: not a model file, but {found}. Model files are what voicelstm.save and 'voicelstm"
                " train' write."
            ) from error
        raise ModelFileError(f"{path}: not a model file, or a damaged one: {error}.") from error
    document = _document(path, header.metadata)
    try:
        # The library that wrote the tensors has to agree with the header that was just read.
        stored = deserialize(head + file.read(header.n_bytes))  # type: ignore[no-untyped-call]  # safetensors says none
    except SafetensorError as error:
        raise ModelFileError(f"{path}: not a model file, or a damaged one ({error}).") from error
    tensors = {
        name: np.frombuffer(values["data"], DTYPES[values["dtype"]]).reshape(values["shape"])
        for name, values in stored
    }
    if header.metadata["sha256"] != _checksum(header.metadata[_KEY], tensors):
        raise ModelFileError(
            f"{path}: damaged: its checksum does not fit its content. Copy or save it again."
        )
    return document, StoredTensors(tensors)


def _document(path: str | os.PathLike[str], metadata: dict[str, str]) -> dict[str, Any]:
    if _KEY not in metadata:
        raise ModelFileError(f"{path}: a safetensors file, but not of voicelstm.")
    if set(metadata) != {_KEY, "sha256"}:
        raise ModelFileError(f"{path}: its metadata are {sorted(metadata)[:10]}; expected {_KEY} and sha256.")
    try:
        document = strict_json(metadata[_KEY], depth=_DEEPEST)
        version, library = document["format"], document["library"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelFileError(f"{path}: the description of the model cannot be read ({error}).") from error
    if isinstance(version, bool) or not isinstance(version, int) or not isinstance(library, str):
        raise ModelFileError(
            f"{path}: the description of the model cannot be read: its format is {version!r:.40} and its"
            f" library {library!r:.40}, not a number and a text."
        )
    if version != _FORMAT:
        raise ModelFileError(
            f"{path}: format {version!r}, written by voicelstm {library!r:.40};"
            f" voicelstm {__version__} reads format {_FORMAT}. Install the version that wrote it."
        )
    if set(document) - {"card"} != {"format", "library", "object"}:
        raise ModelFileError(
            f"{path}: its description has the keys {sorted(document)[:10]}; expected format, library and"
            f" object, and perhaps card. {written_by(document)}"
        )
    return document


def _checksum(text: str, tensors: Tensors) -> str:
    """SHA-256 of the description and all tensors; it finds damage, not malice."""
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        values = tensors[name]
        digest.update(f"{name} {values.dtype.str} {values.shape}".encode())
        digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()
