"""The header of a safetensors file, read strictly before anything else is."""

from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import Any, BinaryIO

from voicelstm.model_files._strict_json import LARGEST_INTEGER, strict_json

__all__ = ["DTYPES", "LONGEST_HEADER", "TensorHeader", "read_header"]

#: The longest header that is read, in bytes.
LONGEST_HEADER = 2**20

#: Types of tensors by their names in the file, as NumPy's.
DTYPES = {
    "BOOL": "?",
    "F16": "<f2",
    "F32": "<f4",
    "F64": "<f8",
    **{f"{kind}{8 * size}": f"<{kind.lower()}{size}" for kind in "IU" for size in (1, 2, 4, 8)},
}
_SIZES = {name: int(code[-1]) if code[-1].isdigit() else 1 for name, code in DTYPES.items()}
_DEEPEST = 16
_MOST_AXES = 8
_METADATA = "__metadata__"


@dataclass(frozen=True)
class TensorHeader:
    """The metadata of a file, and the number of bytes that all its tensors take."""

    metadata: dict[str, str]
    n_bytes: int


def read_header(file: BinaryIO, size: int) -> tuple[bytes, TensorHeader]:
    """Read a header as bytes and as what it says; it must account for each byte of the file once."""
    head = file.read(8)
    length = int.from_bytes(head, "little")
    if len(head) < 8 or not 2 <= length <= size - 8:
        raise ValueError(f"in a file of {size} bytes, its header would take {length}")
    if length > LONGEST_HEADER:
        raise ValueError(f"its header takes {length} bytes, at most {LONGEST_HEADER} are read")
    text = file.read(length)
    try:
        described = strict_json(text.decode(), depth=_DEEPEST)
    except RecursionError as error:
        raise ValueError("its header is nested too deeply") from error
    if not isinstance(described, dict):
        raise ValueError("its header is no object of JSON")
    metadata = described.pop(_METADATA, {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise ValueError("its metadata are not texts")
    spans = sorted(_span(name, tensor) for name, tensor in described.items())
    n_bytes = spans[-1][1] if spans else 0
    if any(before[1] != after[0] for before, after in pairwise([(0, 0), *spans])):
        raise ValueError("its tensors overlap, or leave bytes between them")
    if n_bytes != size - 8 - length:
        raise ValueError(f"its tensors take {n_bytes} bytes, and {size - 8 - length} are there")
    return head + text, TensorHeader(metadata, n_bytes)


def _span(name: str, tensor: Any) -> tuple[int, int]:
    """Return where a tensor begins and ends, which must be as far apart as its type and shape say."""
    if not isinstance(tensor, dict) or set(tensor) != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"the tensor {name[:100]!r} is not described by dtype, shape and data_offsets")
    dtype, shape, offsets = tensor["dtype"], tensor["shape"], tensor["data_offsets"]
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise ValueError(f"the tensor {name[:100]!r} is of the unknown type {dtype!r:.40}")
    if not (_are_counts(shape) and len(shape) <= _MOST_AXES and _are_counts(offsets) and len(offsets) == 2):
        raise ValueError(f"the tensor {name[:100]!r} has no possible shape or place")
    n_bytes = prod(shape) * _SIZES[dtype]
    if n_bytes > LARGEST_INTEGER or offsets[1] - offsets[0] != n_bytes:
        raise ValueError(f"the tensor {name[:100]!r} does not fill its place in the file")
    return offsets[0], offsets[1]


def _are_counts(values: Any) -> bool:
    return isinstance(values, list) and all(type(value) is int and value >= 0 for value in values)
