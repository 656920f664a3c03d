"""JSON from strangers: one meaning for each text, and no more depth or size than was agreed on."""

import json
import math
import re
from typing import Any, NoReturn

__all__ = ["LARGEST_INTEGER", "strict_json"]

#: Integers beyond it, or below its negative, are refused: what counts things in memory is no larger.
LARGEST_INTEGER = 2**63 - 1

# A string, or what is left of one at the end; it never goes back, and takes time in proportion to the text.
_STRING = re.compile(r'"(?:[^"\\]++|\\.?)*+"?', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")


def strict_json(text: str, *, depth: int) -> Any:
    """Read JSON; raise ValueError if other readers may understand it otherwise, or it is nested deeper."""
    # Before the parser sees it, whose recursion is as deep as the text says.
    level = 0
    for bracket in _BRACKET.finditer(_STRING.sub("", text)):
        level += 1 if bracket[0] in "[{" else -1
        if level > depth:
            raise ValueError(f"it is nested deeper than {depth}")
    found = json.loads(
        text,
        object_pairs_hook=_object,
        parse_constant=_constant,
        parse_float=_float,
        parse_int=_int,
    )
    if "\\u" in text:
        json.dumps(found, ensure_ascii=False).encode()  # an error where a text has half a character
    return found


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice[:100]!r} is there twice")
    return found


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no finite number")


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:40]} is no finite number")
    return number


def _int(text: str) -> int:
    # By its length first, since to convert digits takes the square of their number.
    if len(text) > 20 or abs(int(text)) > LARGEST_INTEGER:
        raise ValueError(f"the integer {text[:40]} is out of range")
    return int(text)
