"""Samples of a recording that come block by block, and become those at the rate that is asked for."""

from math import isfinite

import numpy as np
import soxr
from numpy.typing import NDArray

from voicelstm._base import check_stopped
from voicelstm.audio._channels import ChannelMixer
from voicelstm.audio._fingerprint import Fingerprint, fingerprint_of
from voicelstm.audio._level import peak_of
from voicelstm.audio._stored_samples import SampleSource, StoredSamples
from voicelstm.exceptions import AudioError

__all__ = ["MOST_RESAMPLED", "Samples"]

MOST_RESAMPLED = 100  # of two sample rates, how many times the one may be the other
_BLOCK = 2**22  # samples of each channel that are resampled in one go
# Of those that may be stored so many stay in memory, and are written to a file if there are more.
_MOST_IN_MEMORY = 2**22


class Samples:
    """All samples of a recording, its peak and its fingerprint; `len` counts them as they came.

    A long recording is kept only at the rate that is asked for, of which it may need a third of the memory.
    """

    def __init__(self, mixer: ChannelMixer) -> None:
        self._mixer = mixer
        self._values: NDArray[np.floating] = np.empty(0, mixer.dtype)
        self._may_store = mixer.stores
        self._stored: StoredSamples | None = None
        self._overflows = False
        self._stream: soxr.ResampleStream | None = None
        self._fingerprint: Fingerprint | None = None
        self._peak = 0.0
        self._n_samples = 0
        self.n_not_finite = 0
        self.gain = 1.0  # that all samples get in the end
        self.sample_rate = 0  # of those that came

    def __len__(self) -> int:
        return self._n_samples

    @property
    def peak(self) -> float:
        """Largest magnitude of those that are finite."""
        return self._peak * self.gain

    def add(self, block: NDArray[np.floating], rate: int) -> None:
        """Add a block; all have the same rate."""
        self.sample_rate = rate
        self._n_samples += len(block)
        peak = float(peak_of(block))
        if isfinite(peak):
            self._peak = max(self._peak, peak)
        else:
            self.n_not_finite += int(np.count_nonzero(~np.isfinite(block)))
        if self._stream is None and self._is_resampled and self._n_samples > _BLOCK:
            self._check_rates()
            n_channels = 1 if block.ndim == 1 else block.shape[1]
            self._stream = soxr.ResampleStream(rate, self._new_rate, n_channels, dtype=block.dtype)
            if self._mixer.takes_fingerprint:
                self._fingerprint = Fingerprint(self._mixer.gains)
            earlier, self._values = self._values, block[:0]
            self._resample(self._stream, earlier)
        if self._stream is not None:
            self._resample(self._stream, block)
        else:
            if self._fingerprint is not None:
                self._fingerprint.add(block)
            self._keep(block)

    def finish(self) -> tuple[SampleSource, int | None]:
        """Return the samples at the rate that is asked for, and the fingerprint of those that came."""
        check_stopped()
        fingerprint = None
        if self._stream is not None:
            self._keep_resampled(self._stream.resample_chunk(self._values[:0], last=True))
        gain = self._mixer.dtype.type(self.gain)
        if gain != 1 and self._stored is not None:
            self._stored.change(lambda block: block * gain)
        elif gain != 1:
            self._values *= gain
        if self._fingerprint is not None:
            fingerprint = self._fingerprint.value(self.gain)
        elif self._mixer.takes_fingerprint:
            fingerprint = fingerprint_of(self._values)
        if self._is_resampled and self._stream is None:
            self._check_rates()
            found = soxr.resample(self._values, self.sample_rate, self._new_rate)
            # A clip too short for the filter comes back empty.
            self._values = found if len(found) else self._values[:1]
        if self._is_resampled and (self._overflows or not isfinite(peak_of(self._values))):
            raise AudioError(
                f"{self._mixer.name}: found samples as large as {self.peak:.2g}, which overflow when they are"
                " resampled; scale them to ±1."
            )
        return self._values if self._stored is None else self._stored, fingerprint

    @property
    def _new_rate(self) -> int:
        return self.sample_rate if self._mixer.sample_rate is None else self._mixer.sample_rate

    @property
    def _is_resampled(self) -> bool:
        return self._new_rate != self.sample_rate

    def _check_rates(self) -> None:
        if max(self.sample_rate, self._new_rate) > MOST_RESAMPLED * min(self.sample_rate, self._new_rate):
            raise AudioError(
                f"{self._mixer.name}: found a sample rate of {self.sample_rate} Hz; it cannot be resampled to"
                f" {self._new_rate} Hz."
            )

    def _resample(self, stream: soxr.ResampleStream, samples: NDArray[np.floating]) -> None:
        """Resample in pieces, so that somebody who stops it need not wait for hours of sound."""
        for start in range(0, len(samples), _BLOCK):
            check_stopped()
            piece = samples[start : start + _BLOCK]
            if self._fingerprint is not None:
                self._fingerprint.add(piece)
            self._keep_resampled(stream.resample_chunk(piece))

    def _keep_resampled(self, block: NDArray[np.floating]) -> None:
        self._overflows = self._overflows or not isfinite(peak_of(block))
        self._keep(block)

    def _keep(self, block: NDArray[np.floating]) -> None:
        """Keep a block behind the others: in memory, or in a file if they may be stored and are many."""
        has_its_rate = self._stream is not None or not self._is_resampled
        is_long = (
            has_its_rate
            and self._may_store
            and block.ndim == 1
            and len(self._values) + len(block) > _MOST_IN_MEMORY
        )
        if self._stored is None and is_long:
            if self._fingerprint is None and self._mixer.takes_fingerprint:
                self._fingerprint = Fingerprint(self._mixer.gains)
                self._fingerprint.add(self._values)
                self._fingerprint.add(block)
            self._store()
        if self._stored is not None:
            try:
                self._stored.append(block)
            except OSError:  # a full disk
                self._values, self._stored, self._may_store = self._stored[:], None, False
            else:
                return
        self._values = _joined(self._values, block)

    def _store(self) -> None:
        """Write what there is to a file, unless that cannot be."""
        try:
            stored = StoredSamples(self._mixer.dtype)
            stored.append(self._values)
        except OSError:
            self._may_store = False
        else:
            self._stored, self._values = stored, self._values[:0].copy()


def _joined(values: NDArray[np.floating], block: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return values and the block behind them, in place, where concatenating would hold both."""
    if not len(values):
        return block if block.flags.owndata else block.copy()
    n_values = len(values)
    values.resize((n_values + len(block), *block.shape[1:]), refcheck=False)
    values[n_values:] = block
    return values
