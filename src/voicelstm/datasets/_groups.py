"""What is known of clips besides their labels: columns such as speaker and system."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voicelstm._compat import num_samples
from voicelstm.metrics import check_human

__all__ = ["FEWEST_SPEAKERS", "checked_folds", "enough_speakers", "group_columns", "missing_class"]

#: Of each class, for an interval that draws speakers. Of fewer, resamples hardly differ from each other.
FEWEST_SPEAKERS = 5


def group_columns(groups: Any, n_clips: int) -> dict[str, NDArray[Any]]:
    """Return one array of shape (n_clips,) per column; a single array is the column "speaker"."""
    if groups is None:
        return {}
    if isinstance(groups, Mapping) or hasattr(groups, "columns"):
        named = {str(name): np.asarray(groups[name]) for name in groups}
    else:
        values = np.asarray(groups)
        if values.ndim == 2:
            named = {str(column): values[:, column] for column in range(values.shape[1])}
        else:
            named = {"speaker": values}
    for name, column in named.items():
        if column.shape != (n_clips,):
            raise ValueError(
                f"groups: {name!r} has shape {column.shape}; one value for each of {n_clips} clips is needed."
            )
        if column.dtype == object:
            named[name] = column = np.asarray(column.tolist())
        if column.dtype.kind not in "biufU" or (column.dtype.kind == "f" and np.isnan(column).any()):
            raise ValueError(
                f"groups: {name!r} must hold values of one kind, numbers or strings, and one for every clip."
            )
    return named


def checked_folds(
    X: Any, y: Any, groups: Any, human_label: Any, needed: str
) -> tuple[NDArray[np.bool_], dict[str, NDArray[Any]]]:
    """Return which clips are human, and the columns of groups, of what a splitter is given."""
    if y is None or groups is None:
        raise ValueError(f"{needed} of each clip as groups.")
    human, _, _ = check_human(y, human_label, "y")
    n_clips = num_samples(X)
    if len(human) != n_clips:
        raise ValueError(f"y has {len(human)} labels, X {n_clips} clips.")
    return human, group_columns(groups, n_clips)


def enough_speakers(speaker: NDArray[Any], human: NDArray[np.bool_]) -> bool:
    """Return whether each class has enough speakers for an interval that draws them; each has one or more."""
    return min(len(np.unique(speaker[human])), len(np.unique(speaker[~human]))) >= FEWEST_SPEAKERS


def missing_class(
    train: NDArray[np.bool_], test: NDArray[np.bool_], human: NDArray[np.bool_]
) -> tuple[str, str] | None:
    """Name a part of a fold and a class that it has no clips of; None if both have both."""
    for name, chosen in (("training", train), ("test", test)):
        for kind, of_class in (("human", human), ("synthetic", ~human)):
            if not (chosen & of_class).any():
                return name, kind
    return None
