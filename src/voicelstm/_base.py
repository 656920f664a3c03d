"""What every package may use: version, documentation links, whole files, checks, values for JSON.

``import voicelstm`` loads this module, so that it loads no NumPy.
"""

import json
import math
import os
import sys
import threading
import uuid
from collections.abc import Callable, Iterator, Sized
from contextlib import contextmanager
from numbers import Integral
from pathlib import Path
from typing import Any

__version__ = "0.1.0"

# No weight has the size of a pool, so that a stranger's model file could ask for one that fills the memory.
_LARGEST_POOL = 64


_thread = threading.local()


class StoppedError(BaseException):
    """Work in this thread was asked to stop; what handles errors of the work must not handle it."""


@contextmanager
def stoppable(is_stopped: Callable[[], bool]) -> Iterator[None]:
    """Let long work in this thread be stopped: where it calls `check_stopped`, this is asked."""
    before = getattr(_thread, "is_stopped", None)
    _thread.is_stopped = is_stopped
    try:
        yield
    finally:
        _thread.is_stopped = before


def check_stopped() -> None:
    """Raise StoppedError where whoever began this thread's work waits for it to end."""
    is_stopped = getattr(_thread, "is_stopped", None)
    if is_stopped is not None and is_stopped():
        raise StoppedError


class DocumentationLink:
    """Link to this library's pages, as scikit-learn's estimators link to theirs."""

    _doc_link_module = "voicelstm"
    _doc_link_template = (
        "https://voicelstm.readthedocs.io/en/stable/generated/voicelstm.{estimator_name}.html"
    )


def is_instance_of(value: Any, module: str, name: str) -> bool:
    """Tell whether a value is of a class without loading its module, before which there is no such value."""
    kind = getattr(sys.modules.get(module), name, None)
    return kind is not None and isinstance(value, kind)


def write_whole(path: Path, content: bytes) -> None:
    """Write beside the file, flush, and only then take its place."""
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path}: the folder {path.parent} does not exist.")
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    try:
        with beside.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def check_not_empty(batch: Sized, members: str) -> None:
    """Refuse a batch without members, in the words that scikit-learn's checks look for."""
    if not len(batch):
        raise ValueError(
            f"Found array with 0 sample(s) while a minimum of 1 is required: X has no {members}."
        )


def checked_units(units: Any) -> tuple[int, ...]:
    """Return the numbers of units of the LSTM layers as a tuple of positive integers."""
    is_sequence = isinstance(units, list | tuple | range) or getattr(units, "ndim", 0) == 1
    values = tuple(units) if is_sequence else (units,)
    are_whole = all(isinstance(n, Integral) and not isinstance(n, bool) and int(n) > 0 for n in values)
    if not values or not are_whole:
        raise ValueError(f"units={units!r} must be one or more positive integers, one per LSTM layer.")
    return tuple(int(n) for n in values)


def checked_convolutions(convolutions: Any) -> tuple[tuple[int, int, int], ...]:
    """Return the blocks of convolution as a tuple of tuples; None is no block."""
    blocks = () if convolutions is None else python_value(convolutions)
    is_sequence = isinstance(blocks, tuple) and all(
        isinstance(block, tuple) and len(block) == 3 and all(type(n) is int and n > 0 for n in block)
        for block in blocks
    )
    if not is_sequence or any(pool > _LARGEST_POOL for _, _, pool in blocks):
        raise ValueError(
            f"convolutions={convolutions!r} must be blocks of three positive integers, (n_maps, kernel_size,"
            f" pool_size), such as ((12, 5, 2), (24, 3, 2)), with pool_size up to {_LARGEST_POOL}."
        )
    return blocks


@contextmanager
def restored_on_failure(estimator: Any) -> Iterator[None]:
    """Give an estimator its earlier attributes back if its fit fails."""
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


def python_value(value: Any) -> Any:
    """Turn NumPy's numbers into Python's, and lists and arrays into tuples, which can be hashed."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, dict):
        return {key: python_value(item) for key, item in value.items()}
    return tuple(map(python_value, value)) if isinstance(value, tuple | list) else value


def json_value(value: Any, digits: int | None = None) -> Any:
    """Turn a value into what JSON has: None for numbers that are not finite, else with so many digits."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, dict):
        return {str(key): json_value(item, digits) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [json_value(item, digits) for item in value]
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return value if digits is None else float(f"{value:.{digits}g}")
    return value


def json_text(value: Any) -> str:
    """Write a report's dict as JSON for people to read."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
