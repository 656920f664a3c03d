"""One recording's features, and where they lie in the recording."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Clip"]


@dataclass(frozen=True)
class Clip:
    """One recording's features and where they lie in it.

    Attributes
    ----------
    features : ndarray of shape (n_frames, n_features)
        The sequence.
    offset : float
        Where the first frame begins, in s: behind what was trimmed.
    frame_length, frame_step : float
        Of the frames as they were cut, in whole samples, in s.
    duration : float
        Of the whole recording, in s.
    silent : bool
        Whether every sample is 0, as far as is known: a folder of sequences does not keep it.
    fingerprint : int or None
        Hash of the samples as they were decoded; None if it is not known, or all samples are the same.
    speech : float or None
        Of the recording, in s; None if it was not measured.
    positions : ndarray of shape (n_frames,) or None
        Places of the frames in the recording, in frame steps; None if none was left out between them.
    channel_statistics : ndarray of shape (n_statistics,) or None
        Traces of the recording's channel in its samples; None if they were not measured.
    """

    features: NDArray[np.floating]
    offset: float
    frame_length: float
    frame_step: float
    duration: float
    silent: bool = False
    fingerprint: int | None = None
    speech: float | None = None
    positions: NDArray[np.intp] | None = None
    channel_statistics: NDArray[np.float64] | None = None

    def starts(self, frames: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return where frames begin in the recording, in s; the first may begin before it."""
        places = frames if self.positions is None else self.positions[frames]
        return np.asarray(self.offset + places * self.frame_step, dtype=np.float64)
