"""Mean and variance over frames."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["FrameStatistics"]


@dataclass(frozen=True)
class FrameStatistics:
    """Mean and variance of frames, which further clips may be added to.

    Attributes
    ----------
    total : float
        Sum of the frames' weights.
    mean : ndarray of shape (n_features,)
        Weighted mean.
    spread : ndarray of shape (n_features,)
        Weighted sum of squared differences from the mean.
    """

    total: float
    mean: NDArray[np.float64]
    spread: NDArray[np.float64]

    @classmethod
    def nothing_yet(cls, n_features: int) -> Self:
        """Return the statistics of no frames at all."""
        return cls(0.0, np.zeros(n_features), np.zeros(n_features))

    def updated(self, clips: Iterable[NDArray[Any]], weights: Iterable[float]) -> Self:
        """Add clips, each frame with its clip's weight (T. F. Chan et al., 1979, equation 1.5).

        Parameters
        ----------
        clips : iterable of ndarray of shape (n_frames, n_features)
            The clips.
        weights : iterable of float
            One per clip.

        Returns
        -------
        FrameStatistics
            New statistics; these stay as they are.

        Examples
        --------
        >>> import numpy as np
        >>> from voicelstm.sequences import FrameStatistics
        >>> statistics = FrameStatistics.nothing_yet(1).updated([np.array([[1.0], [3.0]])], [1.0])
        >>> statistics.mean.tolist(), statistics.deviation().tolist()
        ([2.0], [1.0])
        """
        total, mean, spread = self.total, self.mean, self.spread
        for clip, weight in zip(clips, weights, strict=True):
            if not len(clip) or weight <= 0:
                continue
            clip_mean = clip.mean(axis=0, dtype=np.float64)
            centred = clip - clip_mean
            added = weight * len(clip)
            shift = clip_mean - mean
            mean = mean + shift * (added / (total + added))
            spread = (
                spread
                + weight * np.einsum("ij,ij->j", centred, centred)
                + shift**2 * (total * added / (total + added))
            )
            total += added
        return type(self)(total, mean, spread)

    def deviation(self) -> NDArray[np.float64]:
        """Return the standard deviation of each feature, 1 where a feature is constant."""
        variance = self.spread / max(self.total, np.finfo(np.float64).tiny)
        # Rounding leaves a constant column a spread of the order of its square times eps.
        constant = variance <= 1e-12 * self.mean**2
        return np.sqrt(np.where(constant, 1.0, variance))
