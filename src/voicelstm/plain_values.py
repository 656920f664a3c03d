"""Values as Python's own types, and as JSON can say them."""

import json
import math
from typing import Any

import numpy as np

__all__ = ["json_text", "json_value", "python_value"]


def python_value(value: Any) -> Any:
    """Turn NumPy's numbers into Python's, and lists and arrays into tuples, which can be hashed."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        return {key: python_value(item) for key, item in value.items()}
    if isinstance(value, tuple | list | np.ndarray):
        return tuple(map(python_value, value))
    return value


def json_value(value: Any, digits: int | None = None) -> Any:
    """Turn a value into what JSON has: None for numbers that are not finite, else with so many digits."""
    if isinstance(value, dict):
        return {str(key): json_value(item, digits) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [json_value(item, digits) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return json_value(value.tolist(), digits)
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return value if digits is None else float(f"{value:.{digits}g}")
    return value


def json_text(value: Any) -> str:
    """Write a report's dict as JSON for people to read."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
