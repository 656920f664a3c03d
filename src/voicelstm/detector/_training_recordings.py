"""Recordings of a detector's training, recognised by their samples among those that it is given."""

import os
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voicelstm.audio import MOST_LISTED
from voicelstm.detector._members import transformers_of, with_reader
from voicelstm.exceptions import HeldOutWarning
from voicelstm.features import MFCCTransformer, sequences_and_fingerprints

__all__ = ["TrainingRecordings", "warn_of_training_recordings"]


class TrainingRecordings:
    """A copy of a fitted detector, `detector`, that notes what it reads and was trained on."""

    def __init__(self, detector: Any) -> None:
        self._found: Sequence[int | None] | None = None
        known = [each.fingerprints_ for each in transformers_of(detector) if hasattr(each, "fingerprints_")]
        self._known = np.unique(np.concatenate(known)) if known else None
        self.detector = detector if self._known is None else with_reader(detector, self._reader)

    def positions(self) -> NDArray[np.intp] | None:
        """Return where they are among what was read; None if the detector knows nothing of its training."""
        if self._known is None or self._found is None:
            return None
        return positions_among(self._found, self._known)

    def _reader(self, transformer: MFCCTransformer) -> Callable[..., Any]:
        def transform(X: Any, **parameters: Any) -> Any:
            sequences, found = sequences_and_fingerprints(transformer, X)
            if self._found is None:  # else it is asked again, about some of them
                self._found = found
            return sequences

        return transform


def positions_among(found: Sequence[int | None], known: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return the positions of fingerprints that are known; None is not."""
    asked = np.array([-1 if each is None else each for each in found], dtype=np.int64)
    return np.flatnonzero(np.isin(asked, known))


def warn_of_training_recordings(
    recordings: Any, positions: NDArray[np.intp] | None, *, stacklevel: int
) -> None:
    """Warn of recordings that were in the training, by name; `stacklevel` is as if called from the caller."""
    if positions is None or not len(positions):
        return
    names = [_name(recordings, position) for position in positions[:MOST_LISTED].tolist()]
    more = "" if len(positions) <= MOST_LISTED else f" and {len(positions) - MOST_LISTED} more"
    n_recordings, alone = len(recordings), len(positions) == 1
    of_them = f"{len(positions)} of {n_recordings} recordings {'was' if alone else 'were'}"
    if n_recordings == 1:
        of_them = "The recording was"
    them = "it" if alone else "them"
    warnings.warn(
        f"{of_them} in the detector's training: {', '.join(names)}{more}. What is measured on"
        f" {them} is too good, and what is chosen on {them} wrong: leave {them} out.",
        HeldOutWarning,
        stacklevel=stacklevel + 1,
    )


def _name(recordings: Any, position: int) -> str:
    recording = recordings[position] if isinstance(recordings, Sequence | np.ndarray) else None
    return os.fspath(recording) if isinstance(recording, str | os.PathLike) else f"[{position}]"
