"""What is said as ``name=value``: parameters of estimators, and rows to keep."""

import ast
import difflib
from collections.abc import Iterable
from typing import Any

import click

from voicelstm._compat import validate_params

__all__ = ["SEED", "assign", "parse_value", "rows_to_keep"]

SEED = click.IntRange(0, 2**32 - 1)  # what numpy takes

_WORDS = {"true": True, "false": False, "none": None}
_MOST_SHOWN = 3


def parse_value(text: str) -> Any:
    """Read a value as Python writes it; what is none is a word, and commas make tuples. Nothing is run.

    >>> parse_value("128,64"), parse_value("0.5"), parse_value("none"), parse_value("mean")
    ((128, 64), 0.5, None, 'mean')
    """
    text = text.strip()
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        pass
    if "," in text and not text.startswith(tuple("([{'\"")):
        return tuple(parse_value(part) for part in text.rstrip(",").split(","))
    return text


def assign(estimator: Any, assignments: Iterable[str], **own: Any) -> Any:
    """Set an estimator's parameters as ``--set`` says them, and those of `own` that are not None."""
    estimator.set_params(**{name: value for name, value in own.items() if value is not None})
    known = {
        name.replace("__", "."): value
        for name, value in estimator.get_params().items()
        if ("__" in name or not hasattr(value, "get_params"))  # steps are not exchanged
        and name not in ("memory", "steps", "verbose", "transform_input")
    }
    for text in assignments:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not name:
            raise click.BadParameter(f"{text!r} is not of the form name=value.", param_hint="--set")
        if name not in known:
            raise click.BadParameter(_unknown(name, list(known)), param_hint="--set")
        parsed = parse_value(value)
        if isinstance(known[name], tuple) and isinstance(parsed, int | float):
            parsed = (parsed,)  # units=128
        estimator.set_params(**{name.replace(".", "__"): parsed})
    _check(estimator)
    return estimator


def rows_to_keep(conditions: Iterable[str]) -> dict[str, list[str]]:
    """Read what ``--where`` says; several values of one column are alternatives.

    >>> rows_to_keep(["subset=train", "codec=mp3", "codec=ogg"])
    {'subset': ['train'], 'codec': ['mp3', 'ogg']}
    """
    kept: dict[str, list[str]] = {}
    for text in conditions:
        column, equals, value = text.partition("=")
        if not equals or not column.strip():
            raise click.BadParameter(f"{text!r} is not of the form column=value.", param_hint="--where")
        kept.setdefault(column.strip(), []).append(value.strip())
    return kept


def _unknown(name: str, known: list[str]) -> str:
    alike = [each for each in known if each.rpartition(".")[2] == name]  # the step was left out
    alike += difflib.get_close_matches(name, known, n=_MOST_SHOWN, cutoff=0.5)
    last = name.rpartition(".")[2]
    endings = {each.rpartition(".")[2]: each for each in known}
    alike += [endings[e] for e in difflib.get_close_matches(last, endings, n=_MOST_SHOWN, cutoff=0.6)]
    shown = list(dict.fromkeys(alike))[:_MOST_SHOWN] or sorted(known)
    return f"there is no parameter {name!r}. Did you mean {', '.join(shown)}?"


def _check(estimator: Any) -> None:
    """Refuse values that are not legal now, rather than when recordings have been read."""
    from voicelstm.classifier import LSTMVoiceClassifier, check_training

    for step in [step for _, step in estimator.steps] if hasattr(estimator, "steps") else [estimator]:
        try:
            validate_params(step)
            if isinstance(step, LSTMVoiceClassifier):
                check_training(step)
            if hasattr(step, "extract"):
                step.fit(["not opened"])  # which looks at parameters together
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--set") from None
