"""Samples that come in blocks of any size, cut into windows that overlap."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["StreamWindows", "Window"]


class Window(NamedTuple):
    """Samples of a window, and where it begins and ends in the stream, in samples."""

    samples: NDArray
    start: int
    stop: int


class StreamWindows:
    """Cuts windows of `size` samples, one every `hop`; holds samples of one window and one hop at most."""

    def __init__(self, size: int, hop: int) -> None:
        self._size, self._hop = size, hop
        self._kept: NDArray | None = None  # of the type of the first block
        self._n_kept = 0
        self._n_come = 0
        self._last_stop, self._next_stop = 0, size

    @property
    def dtype(self) -> np.dtype | None:
        """The type of the samples; None before the first block."""
        return None if self._kept is None else self._kept.dtype

    def add(self, block: NDArray) -> Iterator[Window]:
        """Take a block, and yield each window that becomes whole; all of them must be asked for."""
        if self._kept is None:
            self._kept = np.empty(self._size + self._hop, block.dtype)
        first = 0
        while first < len(block):
            n_new = min(len(block) - first, self._next_stop - self._n_come)
            self._make_room(self._kept, n_new)
            self._kept[self._n_kept : self._n_kept + n_new] = block[first : first + n_new]
            self._n_kept += n_new
            self._n_come += n_new
            first += n_new
            if self._n_come == self._next_stop:
                self._last_stop, self._next_stop = self._n_come, self._n_come + self._hop
                yield self._last(self._kept)

    def rest(self) -> Window | None:
        """Return the last window, up to the end of the stream; None if no sample is new in it."""
        if self._kept is None or self._n_come == self._last_stop:
            return None
        return self._last(self._kept)

    def _make_room(self, kept: NDArray, n_new: int) -> None:
        """Drop the oldest samples if there is no room for new ones."""
        if self._n_kept + n_new > len(kept):
            kept[: self._size] = kept[self._n_kept - self._size : self._n_kept].copy()
            self._n_kept = self._size

    def _last(self, kept: NDArray) -> Window:
        """Return the newest samples, as many as a window has or, in a shorter stream, all."""
        n = min(self._size, self._n_come)
        return Window(kept[self._n_kept - n : self._n_kept].copy(), self._n_come - n, self._n_come)
