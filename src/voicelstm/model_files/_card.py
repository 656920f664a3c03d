"""The card that a detector may have: what its maker says of it, in values that JSON has."""

import json
import math
from typing import Any

from voicelstm.exceptions import ModelFileError

__all__ = ["describe_card", "restore_card"]

_TEXTS = ("name", "date", "summary", "intended_use")
_RATES = ("human_called_synthetic", "synthetic_called_human")


def describe_card(estimator: Any) -> dict[str, Any] | None:
    """Return the card of an estimator, or None if it has none; raise ValueError if a file cannot hold it."""
    card: dict[str, Any] | None = getattr(estimator, "card_", None)
    if card is None:
        return None
    try:
        kept = json.loads(json.dumps(card, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"card_ holds what JSON has no value for: {error}.") from None
    if kept != card:
        raise ValueError("card_ would come back changed from JSON: keys are texts, sequences are lists.")
    problem = _problem(card)
    if problem is not None:
        raise ValueError(f"{problem} See the documentation of the format of model files.")
    return card


def restore_card(card: Any) -> dict[str, Any]:
    """Return the card of a file; raise ModelFileError if it is none."""
    problem = _problem(card)
    if problem is not None:
        raise ModelFileError(problem)
    found: dict[str, Any] = card
    return found


def _problem(card: Any) -> str | None:
    """Say what keeps a value of JSON from being a card."""
    if not isinstance(card, dict):
        return f"card_ is a {type(card).__name__}, not a dict."
    for name in _TEXTS:
        if not isinstance(card.get(name, ""), str):
            return f"card_: {name} is {card[name]!r:.40}, not a text."
    for name, is_one, what in (
        ("limits", lambda each: isinstance(each, str), "texts"),
        ("operating_points", _is_operating_point, "operating points with name, threshold and both rates"),
        ("rates", _is_rate, "rates with group, value and numbers"),
        ("training", lambda each: isinstance(each, dict), "objects"),
    ):
        values = card.get(name, [])
        if not isinstance(values, list) or not all(map(is_one, values)):
            return f"card_: {name} is no list of {what}."
    names = [point["name"] for point in card.get("operating_points", [])]
    if len(set(names)) < len(names):
        return "card_: two operating points have one name."
    return None


def _is_operating_point(point: Any) -> bool:
    return (
        isinstance(point, dict)
        and isinstance(point.get("name"), str)
        and _is_number(point.get("threshold"))
        and _has_shares(point)
        and _are_channels(point.get("of_channels", []))
    )


def _are_channels(lines: Any) -> bool:
    if not isinstance(lines, list) or not all(map(_is_channel, lines)):
        return False
    return len({line["value"] for line in lines}) == len(lines)


def _is_channel(line: Any) -> bool:
    return isinstance(line, dict) and isinstance(line.get("value"), str) and _has_shares(line)


def _has_shares(line: dict[str, Any]) -> bool:
    return all(_is_number(line.get(rate)) and 0 <= line[rate] <= 1 for rate in _RATES)


def _is_rate(rate: Any) -> bool:
    if not isinstance(rate, dict) or not all(isinstance(rate.get(name), str) for name in ("group", "value")):
        return False
    others = [value for name, value in rate.items() if name not in ("group", "value")]
    return all(
        value is None or _is_number(value) or (isinstance(value, list) and all(map(_is_number, value)))
        for value in others
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
