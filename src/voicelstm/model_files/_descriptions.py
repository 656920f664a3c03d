"""Values and labels as JSON can say them, and back again."""

import math
from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voicelstm.exceptions import ModelFileError
from voicelstm.model_files._known_classes import PARAMETERS

__all__ = [
    "boolean",
    "check_fields",
    "count",
    "describe_labels",
    "describe_value",
    "finite_number",
    "restore_labels",
    "restore_value",
]

#: The most characters that all labels would take if each were as long as the longest, as NumPy keeps them.
_MOST_CHARACTERS = 2**20

_LABEL_DTYPES = {"str", "object", "bool", "float16", "float32", "float64"} | {
    f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)
}


def describe_value(value: Any) -> Any:
    """Turn None, bools, numbers, strings, known parameters, and containers of them into what JSON has."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, tuple | list | np.ndarray):
        return [describe_value(item) for item in value]
    if isinstance(value, dict):
        return {"pairs": [[describe_value(key), describe_value(item)] for key, item in value.items()]}
    for name, known in PARAMETERS.items():
        if known.is_class_of(value):
            return {name: known.describe(value)}
    raise TypeError


def restore_value(value: Any) -> Any:
    """Turn what :func:`describe_value` returned into values; sequences are tuples."""
    if isinstance(value, list):
        return tuple(restore_value(item) for item in value)
    if isinstance(value, dict):
        for name, known in PARAMETERS.items():
            if name in value:
                check_fields(value, {name})
                return known.restore(value[name])
        check_fields(value, {"pairs"})
        pairs = [(restore_value(key), restore_value(item)) for key, item in value["pairs"]]
        if len(dict(pairs)) < len(pairs):
            raise ModelFileError("A dict has a key twice.")
        return dict(pairs)
    return value


def describe_labels(classes: NDArray[Any]) -> dict[str, Any]:
    """Describe a classifier's classes; raise if a file cannot keep their type, or so many characters."""
    dtype = "str" if classes.dtype.kind == "U" else classes.dtype.name
    if dtype not in _LABEL_DTYPES or (dtype == "object" and not all(isinstance(c, str) for c in classes)):
        raise TypeError(f"A model file cannot keep labels of type {classes.dtype}; use strings or numbers.")
    values = classes.tolist()
    if _characters(values) > _MOST_CHARACTERS:
        raise ValueError("A model file cannot keep labels that are so long, or so many; shorten them.")
    return {"dtype": dtype, "values": values}


def restore_labels(described: dict[str, Any]) -> NDArray[Any]:
    """Make the classes of a description, which must be two or more in ascending order."""
    check_fields(described, {"dtype", "values"})
    dtype, values = described["dtype"], described["values"]
    if dtype not in _LABEL_DTYPES:
        raise ModelFileError(f"Labels of type {dtype!r} are not known.")
    kind = {"str": str, "object": str, "bool": bool}.get(dtype, float if dtype.startswith("f") else int)
    if not isinstance(values, list) or not all(type(value) is kind for value in values):
        raise ModelFileError(f"The labels are not all of type {dtype}.")
    if _characters(values) > _MOST_CHARACTERS:
        raise ModelFileError("The labels are longer than any that are written.")
    classes = np.array(values, dtype=dtype)
    if classes.tolist() != values:
        raise ModelFileError(f"The labels are not those that {dtype} can be.")
    if len(classes) < 2 or not (classes[:-1] < classes[1:]).all():
        raise ModelFileError("The labels are not two or more in ascending order.")
    return classes


def _characters(values: list[Any]) -> int:
    return len(values) * max((len(value) for value in values if isinstance(value, str)), default=0)


def check_fields(described: Any, expected: Collection[str], optional: Collection[str] = ()) -> None:
    """Refuse a description that lacks an expected key, or has one that is neither expected nor optional."""
    if not isinstance(described, dict):
        raise ModelFileError(f"A description is a {type(described).__name__}, not an object of JSON.")
    missing, unknown = sorted(set(expected) - set(described)), sorted(set(described) - {*expected, *optional})
    if missing or unknown:
        raise ModelFileError(
            f"The description of a {described.get('class', 'part')!r:.60} lacks {missing} and has the unknown"
            f" {unknown[:10]}."
        )


def finite_number(value: Any, name: str) -> float:
    """Return a number of a file; raise ModelFileError, which says its name, if it is not finite."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ModelFileError(f"The {name} is {value!r}, not a finite number.")
    return float(value)


def count(value: Any, name: str, least: int = 1) -> int:
    """Return a whole number of a file; raise ModelFileError if it is something else, or less than `least`."""
    if type(value) is not int or value < least:
        raise ModelFileError(f"The {name} is {value!r:.60}, not a whole number of at least {least}.")
    return value


def boolean(value: Any, name: str) -> bool:
    """Return a bool of a file; raise ModelFileError, which says its name, if it is something else."""
    if not isinstance(value, bool):
        raise ModelFileError(f"{name} is {value!r:.60}, not a bool.")
    return value
