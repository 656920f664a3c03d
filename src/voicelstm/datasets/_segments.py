"""Which parts of a clip are synthetic: as words, and as PartialSpoof's arrays of labels."""

import pickle
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


def read_segment_labels(path: Path, problems: Problems) -> dict[str, Any]:
    """Read a dict of arrays that NumPy pickled; nothing else that a pickle could hold is made or run."""
    content = BytesIO(path.read_bytes())
    try:
        version = npy.read_magic(content)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read(content)
        found = _Arrays(content).load() if dtype.hasobject and shape == () else None
        labels = found.item() if isinstance(found, np.ndarray) and found.shape == () else None
    except (ValueError, EOFError, pickle.UnpicklingError, AttributeError, TypeError, KeyError) as error:
        problems.add("No labels of segments", f"{path}: {error}", "Fetch the file again.")
        raise problems.error() from error
    if not isinstance(labels, dict):
        problems.add("No labels of segments", f"{path}: no dict of arrays", "Fetch the file again.")
        raise problems.error()
    return labels


class _Arrays(pickle.Unpickler):
    """Makes NumPy's arrays, and refuses everything else by name."""

    def find_class(self, module: str, name: str) -> Any:
        """Return what an array is made of, whichever release of NumPy wrote it."""
        known = {
            "_reconstruct": np.ndarray((), dtype=object).__reduce__()[0],
            "ndarray": np.ndarray,
            "dtype": np.dtype,
        }
        if _ARRAYS.fullmatch(module) and name in known:
            return known[name]
        raise pickle.UnpicklingError(f"it holds {module}.{name}, which is no array")
