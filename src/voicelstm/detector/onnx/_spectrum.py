"""The discrete Fourier transform as matrix products, in nodes of a graph."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from voicelstm.detector.onnx._graph import Graph, Value

__all__ = ["Transform"]


class Transform(NamedTuple):
    """A transform of `n_fft` samples in two stages, of frames that are no longer than `frame_length`.

    With ``n = n_inner * i + j`` and ``k = n_outer * l + m``, the first stage sums over `i`, the second over
    `j` (J. W. Cooley and J. W. Tukey, 1965). ONNX's own operator takes a hundred times as long in ONNX
    Runtime, and one matrix for all of it five times.
    """

    n_fft: int
    frame_length: int
    n_inner: int

    @classmethod
    def of(cls, n_fft: int, frame_length: int) -> "Transform":
        """Divide the transform so that it takes the fewest multiplications."""
        candidates = [cls(n_fft, frame_length, n) for n in range(1, n_fft + 1) if n_fft % n == 0]
        return min(candidates, key=lambda each: each._n_multiplications)

    @property
    def _n_outer(self) -> int:
        return self.n_fft // self.n_inner

    @property
    def n_rows(self) -> int:
        """Rows of `n_inner` samples that hold a frame, the last perhaps with some behind it."""
        return -(-self.frame_length // self.n_inner)

    @property
    def _n_kept(self) -> int:
        return self._n_outer // 2 + 1  # all others are complex conjugates

    @property
    def _n_multiplications(self) -> int:
        return 2 * self._n_kept * self.n_inner * (self.n_rows + 2 * self.n_inner)

    @property
    def bins(self) -> NDArray[np.intp]:
        """Frequencies in the order in which they come, (n_kept * n_inner,); some come twice."""
        found = np.arange(self._n_kept)[:, None] + self._n_outer * np.arange(self.n_inner)
        return np.minimum(found, self.n_fft - found).ravel()

    @property
    def is_first(self) -> NDArray[np.bool_]:
        """Whether no frequency before is the same, (n_kept * n_inner,)."""
        return np.isin(np.arange(len(self.bins)), np.unique(self.bins, return_index=True)[1])

    def power(self, graph: Graph, frames: Value) -> Value:
        """Return the power of bins (n_frames, n_bins) of frames (n_rows, n_frames, n_inner), windowed."""
        kept, inner = self._n_kept, self.n_inner
        phases = np.outer(np.arange(kept), np.arange(self.n_rows)) / self._n_outer
        first = np.exp(-2j * np.pi * phases)
        first = np.stack([first.real, first.imag], axis=1).reshape(2 * kept, -1)
        # (m, l, j): the phases between both stages are part of the second.
        bins = np.arange(kept)[:, None] + self._n_outer * np.arange(inner)
        second = np.exp(-2j * np.pi * bins[:, :, None] * np.arange(inner) / self.n_fft).transpose(0, 2, 1)
        second = np.stack(
            [
                np.concatenate([second.real, second.imag], axis=2),
                np.concatenate([-second.imag, second.real], axis=2),
            ],
            axis=1,
        ).reshape(2 * kept, inner, 2 * inner)
        rows = frames.reshape(self.n_rows, -1)
        summed = graph.constant(first, frames.dtype) @ rows
        halves = summed.reshape(2 * kept, -1, inner) @ graph.constant(second, frames.dtype)
        spectrum = halves.reshape(kept, 2, -1, 2 * inner).reduce("Sum", 1)
        squares = (spectrum * spectrum).cast(np.float32)
        real, imaginary = graph.ops("Split", squares, n_outputs=2, axis=2, num_outputs=2)
        return (real + imaginary).transpose(1, 0, 2).reshape(-1, kept * inner)
