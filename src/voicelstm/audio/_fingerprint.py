"""By what a recording is recognised whose samples are not kept."""

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

__all__ = ["Fingerprint", "fingerprint_of"]

_BYTES = 8
_FEW = 64  # samples, of which most often one is another than the first
_BLOCK = 2**18  # samples that are hashed in one go


class Fingerprint:
    """The hash of samples that come block by block, for each of the gains that all may get in the end."""

    def __init__(self, gains: Iterable[float]) -> None:
        self._digests = {gain: hashlib.blake2b(digest_size=_BYTES) for gain in gains}
        self._first: NDArray[np.float32] | None = None
        self._is_constant = True

    def add(self, samples: NDArray[np.floating]) -> None:
        """Add samples before their gain; those of several channels are taken in turn."""
        samples = samples.reshape(-1)
        for start in range(0, len(samples), _BLOCK):
            block = samples[start : start + _BLOCK]
            for gain, digest in self._digests.items():
                # Adding 0 turns -0 into 0, which is the same sample.
                same = (block if gain == 1 else block * block.dtype.type(gain)).astype("<f4") + np.float32(0)
                digest.update(same.data)
            self._first = same[:1] if self._first is None else self._first
            if self._is_constant:
                self._is_constant = bool((same[:_FEW] == self._first).all() and (same == self._first).all())

    def value(self, gain: float) -> int | None:
        """Return the hash of all samples with that gain, None if all are one value."""
        if self._is_constant:
            return None
        return int.from_bytes(self._digests[gain].digest(), "little") >> 1  # SQLite's integers have a sign


def fingerprint_of(samples: NDArray[np.floating]) -> int | None:
    """Return a hash of samples as they were decoded, before any resampling; not negative, below 2 ** 63.

    It is that of a copy in any lossless format, in either precision, at any sample rate that its header says.
    A recording of nothing but one value, such as silence, has none: it is equal to others of its length.
    """
    taken = Fingerprint([1.0])
    taken.add(samples)
    return taken.value(1.0)
