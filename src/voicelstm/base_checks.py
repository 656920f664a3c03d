"""Checks that estimators of every kind share."""

from collections.abc import Iterator, Sized
from contextlib import contextmanager
from typing import Any

import numpy as np

__all__ = ["check_not_empty", "checked_units", "restored_on_failure"]


def check_not_empty(batch: Sized, members: str) -> None:
    """Refuse a batch without members, in the words that scikit-learn's checks look for."""
    if not len(batch):
        raise ValueError(
            f"Found array with 0 sample(s) while a minimum of 1 is required: X has no {members}."
        )


def checked_units(units: Any) -> tuple[int, ...]:
    """Return the numbers of units of the LSTM layers as a tuple of positive integers."""
    values = (units,) if np.ndim(units) == 0 else tuple(units)
    are_whole = all(isinstance(n, int | np.integer) and not isinstance(n, bool) and n > 0 for n in values)
    if not values or not are_whole:
        raise ValueError(f"units={units!r} must be one or more positive integers, one per LSTM layer.")
    return tuple(int(n) for n in values)


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
