"""Values and labels as JSON can say them, and back again."""

import math
from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voicelstm.exceptions import ModelFileError
from voicelstm.known_classes import PARAMETERS

__all__ = [
    "boolean",
    "check_fields",
    "count",
    "finite_number",
    "from_plain",
    "labels_from_plain",
    "plain",
    "plain_labels",
]

#: The most characters that all labels would take if each were as long as the longest, as NumPy keeps them.
_MOST_CHARACTERS = 2**20

_LABEL_DTYPES = {"str", "object", "bool", "float16", "float32", "float64"} | {
    f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)
}


def plain(value: Any) -> Any:
    """Turn a value into what JSON has.

    Parameters
    ----------
    value : object
        None, a bool, number or string, an augmenter, or tuples, lists, arrays and dicts of them.

    Returns
    -------
    object
        What :func:`from_plain` takes.

    Raises
    ------
    TypeError
        Where the value is something else.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, tuple | list | np.ndarray):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {"pairs": [[plain(key), plain(item)] for key, item in value.items()]}
    for name, known in PARAMETERS.items():
        if known.is_class_of(value):
            return {name: known.describe(value)}
    raise TypeError


def from_plain(value: Any) -> Any:
    """Turn what :func:`plain` returned into values; sequences are tuples."""
    if isinstance(value, list):
        return tuple(from_plain(item) for item in value)
    if isinstance(value, dict):
        for name, known in PARAMETERS.items():
            if name in value:
                check_fields(value, {name})
                return known.restore(value[name])
        check_fields(value, {"pairs"})
        pairs = [(from_plain(key), from_plain(item)) for key, item in value["pairs"]]
        if len(dict(pairs)) < len(pairs):
            raise ModelFileError("A dict has a key twice.")
        return dict(pairs)
    return value


def plain_labels(classes: NDArray[Any]) -> dict[str, Any]:
    """Describe a classifier's classes.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Strings, or numbers.

    Returns
    -------
    dict
        With the keys "dtype" and "values".

    Raises
    ------
    TypeError
        Where they are something else.
    ValueError
        Where they are so long that a file cannot keep them.
    """
    dtype = "str" if classes.dtype.kind == "U" else classes.dtype.name
    if dtype not in _LABEL_DTYPES or (dtype == "object" and not all(isinstance(c, str) for c in classes)):
        raise TypeError(f"A model file cannot keep labels of type {classes.dtype}; use strings or numbers.")
    values = classes.tolist()
    if _characters(values) > _MOST_CHARACTERS:
        raise ValueError("A model file cannot keep labels that are so long, or so many; shorten them.")
    return {"dtype": dtype, "values": values}


def labels_from_plain(described: dict[str, Any]) -> NDArray[Any]:
    """Make the classes that :func:`plain_labels` described.

    Parameters
    ----------
    described : dict
        As read from a file.

    Returns
    -------
    ndarray of shape (n_classes,)
        Two or more, in ascending order.

    Raises
    ------
    ModelFileError
        Where they are not.
    """
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
    """Refuse a description that has other keys than these.

    Parameters
    ----------
    described : object
        As read from a file.
    expected : collection of str
        Each is needed.
    optional : collection of str, default=()
        Each may be there; no other is known.

    Raises
    ------
    ModelFileError
        It names the keys.
    """
    if not isinstance(described, dict):
        raise ModelFileError(f"A description is a {type(described).__name__}, not an object of JSON.")
    missing, unknown = sorted(set(expected) - set(described)), sorted(set(described) - {*expected, *optional})
    if missing or unknown:
        raise ModelFileError(
            f"The description of a {described.get('class', 'part')!r:.60} lacks {missing} and has the unknown"
            f" {unknown[:10]}."
        )


def finite_number(value: Any, name: str) -> float:
    """Return a number of a file, which must be one.

    Parameters
    ----------
    value : object
        As read.
    name : str
        What it is, for the error.

    Returns
    -------
    float
        Finite.

    Raises
    ------
    ModelFileError
        Where it is not a number, or not finite.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ModelFileError(f"The {name} is {value!r}, not a finite number.")
    return float(value)


def count(value: Any, name: str, least: int = 1) -> int:
    """Return a whole number of a file, which must be one.

    Parameters
    ----------
    value : object
        As read.
    name : str
        What it is, for the error.
    least : int, default=1
        The smallest that it may be.

    Returns
    -------
    int
        The same.

    Raises
    ------
    ModelFileError
        Where it is something else, or smaller.
    """
    if type(value) is not int or value < least:
        raise ModelFileError(f"The {name} is {value!r:.60}, not a whole number of at least {least}.")
    return value


def boolean(value: Any, name: str) -> bool:
    """Return a truth value of a file, which must be one; else it raises ModelFileError with its name."""
    if not isinstance(value, bool):
        raise ModelFileError(f"{name} is {value!r:.60}, not a bool.")
    return value
