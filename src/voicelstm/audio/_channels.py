"""From the channels of a recording to one."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["ChannelMixer"]


class ChannelMixer:
    """Mix blocks of a recording's channels, one after the other; `begin` once for each decoder."""

    def __init__(self, name: object, channel: int | str, dtype: np.dtype) -> None:
        self.dtype = dtype
        self.n_channels = 0

    def begin(self, n_channels: int) -> None:
        """Forget what was mixed before."""
        self.n_channels = n_channels

    def mix(self, block: NDArray, full_scale: float = 1.0) -> NDArray:
        """Return the mean of the channels of a block of shape (n_frames, n_channels)."""
        total = block[:, 0].astype(self.dtype)
        for channel in range(1, block.shape[1]):
            total += block[:, channel]
        divisor = full_scale * block.shape[1]
        if divisor != 1:
            total *= self.dtype.type(1 / divisor)
        return total

    def finish(self, samples: NDArray) -> NDArray:
        """Return the samples of all blocks."""
        return samples
