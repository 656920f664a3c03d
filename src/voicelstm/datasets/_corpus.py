"""What every loader returns."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.utils import Bunch

from voicelstm.datasets._problems import Problems
from voicelstm.metrics import confusable_labels

__all__ = ["as_target", "corpus", "note_classes", "whole_number"]

_INTEGER = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?[0-9]+\.?[0-9]*(?:[eE][+-]?[0-9]+)?")


def whole_number(label: str) -> int | None:
    """Return the whole number that a label is, with decimals or without; None if it is none.

    >>> whole_number("1"), whole_number("1.000e+00"), whole_number("0.5")
    (1, 1, None)
    """
    if _INTEGER.fullmatch(label):
        return int(label)
    number = float(label) if _DECIMAL.fullmatch(label) else 0.5
    return int(number) if number.is_integer() else None


def as_target(labels: Sequence[str]) -> np.ndarray:
    """Make labels an array: integers where every label is written as one, or with decimals, else the strings.

    >>> as_target(["1", "0"]), as_target(["1.0", "0.0"])
    (array([1, 0]), array([1, 0]))
    >>> as_target(["human", "0"])
    array(['human', '0'], dtype='<U5')
    """
    numbers = {label: whole_number(label) for label in set(labels)}
    without_decimals = [_INTEGER.fullmatch(label) is not None for label in numbers]
    if labels and None not in numbers.values() and all(without_decimals) == any(without_decimals):
        return np.array([numbers[label] for label in labels])
    return np.array(labels, dtype=str)


def note_classes(problems: Problems, labels: Sequence[str], remedy: str, *, is_whole: bool = True) -> None:
    """Note that there are fewer than two classes, where that is so, and labels that are no classes.

    If labels are not the whole of them, since some rows could not be read, one class is no problem yet.
    """
    counts = Counter(label for label in labels if label)
    missing, confused = confusable_labels(counts)
    for label in missing:
        kind = "Labels that are none"
        problems.add(kind, f"{label!r}: {_recordings(counts[label])}", "Leave these out, or label them.")
    for spellings in confused:
        problems.add(
            "Labels that differ only in spelling",
            " and ".join(f"{label!r} ({_recordings(counts[label])})" for label in spellings),
            "They would be classes of their own: write each label in one way.",
        )
    if len(counts) == 1 and is_whole:
        ((label, count),) = counts.items()
        problems.add("Only one class", f"{label!r}: {_recordings(count)}", remedy)


def corpus(
    recordings: list[Any],
    target: np.ndarray,
    groups: dict[str, np.ndarray],
    title: str,
    *,
    return_X_y: bool,
) -> Any:
    """Return a Bunch with a description that counts what is in it, or ``(recordings, target)``."""
    if return_X_y:
        return recordings, target
    lines = [title, "", "Classes:"]
    for label, count in sorted(Counter(target.tolist()).items()):
        lines.append(f"  {label}: {_recordings(count)}")
    if groups:
        lines.append("Groups:")
        for name, values in groups.items():
            lines.append(f"  {name}: {len(set(values.tolist()))} distinct")
    return Bunch(recordings=recordings, target=target, groups=groups, DESCR="\n".join(lines) + "\n")


def _recordings(count: int) -> str:
    return f"{count} recording{'' if count == 1 else 's'}"
