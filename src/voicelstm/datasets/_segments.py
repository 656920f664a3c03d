"""Which parts of a clip are synthetic: as words, and as PartialSpoof's arrays of labels."""

import pickle
import pickletools
import re
from collections.abc import Sequence
from io import BytesIO
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from voicelstm.datasets._problems import Problems

__all__ = ["SEGMENT", "joined_segments", "read_segment_labels", "worded_segments"]

SEGMENT = np.dtype([("start_s", np.float64), ("stop_s", np.float64), ("label", "U9")])
_ARRAYS = re.compile(r"numpy(\.\w+\.multiarray)?")  # the module of arrays, as pickles name it
_HUMAN = {"1": "human", "0": "synthetic"}


def worded_segments(segments: Sequence[str], labels: dict[str, str]) -> NDArray[Any]:
    """Return parts that are written as ``0.00-1.25-bonafide``; ValueError if one is not."""
    found = []
    for text in segments:
        start, stop, label = text.split("-")
        if label not in labels:
            raise ValueError(text)
        found.append((float(start), float(stop), labels[label]))
    return np.array(found, dtype=SEGMENT)


def joined_segments(values: Any, seconds: float) -> NDArray[Any]:
    """Join neighbours of one label among labels "1" (human) and "0" of parts that all last as long."""
    found, at = [], 0
    for label, run in groupby(map(str, values)):
        stop = at + len(list(run))
        found.append((at * seconds, stop * seconds, _HUMAN[label]))
        at = stop
    return np.array(found, dtype=SEGMENT)


def read_segment_labels(path: Path, problems: Problems) -> dict[str, list[str]]:
    """Read a dict of 1-D arrays that NumPy pickled, as words; other objects are refused, never made."""
    try:
        return _labels(path.read_bytes())
    except Exception as error:  # a damaged pickle raises whatever its bytes lead to
        problems.add("No labels of segments", f"{path}: {error}"[:500], "Fetch the file again.")
        raise problems.error() from error


def _labels(content: bytes) -> dict[str, list[str]]:
    file = BytesIO(content)
    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read(file)
    if shape != () or dtype != np.dtype(object):
        raise ValueError("it holds no dict of arrays")
    start = file.tell()
    for opcode, argument, _ in pickletools.genops(file):
        # pickle makes room for as many objects as the number of one says.
        if "PUT" in opcode.name and (argument or 0) > len(content):
            raise ValueError(f"it numbers an object {argument}")
    file.seek(start)
    labels = _elements(_Unpickler(file).load(), shape=())[0]
    if not isinstance(labels, dict) or not all(isinstance(name, str) for name in labels):
        raise ValueError("it holds no dict of arrays")
    return {name: _words(value, name) for name, value in labels.items()}


def _words(value: Any, name: str) -> list[str]:
    """Return a 1-D array's elements, whole numbers or strings, as words."""
    if not isinstance(value, _Array):
        raise TypeError(f"the labels of {name} are of type {type(value).__name__}, not an array")
    elements = _elements(value)
    if not all(isinstance(each, int | str) for each in elements):
        raise TypeError(f"the labels of {name} are neither numbers nor words")
    return [str(int(each) if isinstance(each, bool) else each) for each in elements]


class _Recorded:
    """The arguments and the state that a pickle has for an object, which is not made."""

    arguments: tuple[Any, ...] = ()
    state: Any = None

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Array(_Recorded):
    """A record of an array."""


class _Type(_Recorded):
    """A record of the type of an array's elements."""


class _Unpickler(pickle.Unpickler):
    """Makes records of NumPy's arrays, and refuses everything else by name."""

    def find_class(self, module: str, name: str) -> Any:
        """Return a record in place of what an array is made of, whichever release of NumPy wrote it."""
        known = {"_reconstruct": _Array, "ndarray": _Array, "dtype": _Type}
        if _ARRAYS.fullmatch(module) and name in known:
            return known[name]
        raise pickle.UnpicklingError(f"it holds {module}.{name}, which is no array")


def _elements(array: Any, shape: tuple[int, ...] | None = None) -> list[Any]:
    """Return the elements of a recorded array of one dimension, or of a shape; ValueError for others."""
    if not isinstance(array, _Array) or array.state is None:
        raise ValueError("it holds no dict of arrays")
    _, found, dtype, _, content = array.state
    if not isinstance(found, tuple) or (len(found) != 1 if shape is None else found != shape):
        raise ValueError("it holds an array of another shape")
    written = dtype.arguments[0] if isinstance(dtype, _Type) else None
    if not isinstance(written, str):
        raise ValueError("it holds an array without a type")
    if re.fullmatch(r"O\d?", written) and isinstance(content, list):
        elements = content
    elif re.fullmatch(r"[USiub]\d{1,9}", written) and isinstance(content, bytes):
        plain = np.dtype({"|": "", "=": ""}.get(dtype.state[1], dtype.state[1]) + written)
        values = np.frombuffer(content, plain)
        elements = (values.astype(str) if plain.kind == "S" else values).tolist()
    else:
        raise ValueError(f"it holds an array of {written}")
    if len(elements) != (found[0] if found else 1):
        raise ValueError(f"it holds an array of {len(elements)} elements with another length")
    return elements
