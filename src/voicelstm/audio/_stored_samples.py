"""Samples of a long recording in a temporary file, of which pieces are read as they are needed."""

import os
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["SampleSource", "StoredSamples", "blocks_of", "changed_samples"]

_BLOCK = 2**20  # samples that are looked at in one go


class StoredSamples:
    """Mono samples that slices, with a step of 1, bring into memory; for one thread.

    The file is gone with the object; but on Windows it has no name meanwhile.
    """

    ndim = 1

    def __init__(self, dtype: np.dtype) -> None:
        self.dtype = dtype
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  # it lives as long as the samples
        self._start = self._stop = 0

    def __len__(self) -> int:
        return self._stop - self._start

    @property
    def shape(self) -> tuple[int]:
        """That of the array."""
        return (len(self),)

    def __getitem__(self, chosen: slice) -> NDArray[Any]:
        start, stop, _ = chosen.indices(len(self))
        found = np.empty(max(0, stop - start), self.dtype)
        content, position = found.view(np.uint8).data, (self._start + start) * self.dtype.itemsize
        n_read = 0
        while n_read < len(content):
            self._file.seek(position + n_read)
            n_now = self._file.readinto(content[n_read:])
            if not n_now:
                raise OSError("A temporary file with samples of a recording has been cut.")
            n_read += n_now
        return found

    def append(self, samples: NDArray[Any]) -> None:
        """Write samples behind those that there are; an OSError, such as of a full disk, leaves these."""
        self._write(self._stop, samples)
        self._stop += len(samples)

    def change(self, function: Callable[[NDArray[Any]], NDArray[Any]]) -> None:
        """Replace all samples by what a function of some of them returns."""
        for start in range(0, len(self), _BLOCK):
            self._write(self._start + start, function(self[start : start + _BLOCK]))

    def keep(self, start: int, stop: int) -> None:
        """Leave out all but some samples."""
        start, stop, _ = slice(start, stop).indices(len(self))
        self._start, self._stop = self._start + start, self._start + max(start, stop)

    def _write(self, position: int, samples: NDArray[Any]) -> None:
        content = np.ascontiguousarray(samples, self.dtype).view(np.uint8).data
        self._file.seek(position * self.dtype.itemsize, os.SEEK_SET)
        while content:
            content = content[self._file.write(content) :]

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            self._file.close()


SampleSource = NDArray[Any] | StoredSamples


def blocks_of(samples: SampleSource) -> Iterator[NDArray[Any]]:
    """Yield all samples, some at a time, so that what is computed of them takes little memory."""
    for start in range(0, len(samples), _BLOCK):
        yield samples[start : start + _BLOCK]


def changed_samples(
    samples: SampleSource, function: Callable[[NDArray[Any]], NDArray[Any]], *, in_place: bool = False
) -> SampleSource:
    """Return what a function makes of each sample; stored ones are replaced, and others if `in_place`."""
    if isinstance(samples, StoredSamples):
        samples.change(function)
        return samples
    found = samples if in_place else np.empty_like(samples)
    for start in range(0, len(samples), _BLOCK):
        found[start : start + _BLOCK] = function(samples[start : start + _BLOCK])
    return found
