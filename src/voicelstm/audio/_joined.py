"""Mixed samples of one block after the other."""

import numpy as np
import soxr
from numpy.typing import NDArray

from voicelstm._base import check_stopped
from voicelstm.audio._channels import ChannelMixer
from voicelstm.audio._decoded import check_duration
from voicelstm.audio._samples import MOST_RESAMPLED, Samples
from voicelstm.exceptions import AudioError

__all__ = ["Joined"]


class Joined:
    """Samples that a decoder gives block by block; parts at another rate are brought to the first one's."""

    def __init__(self, name: object, max_duration: float | None, mixer: ChannelMixer) -> None:
        self._name, self._max_duration, self._mixer = name, max_duration, mixer
        self._samples = Samples(mixer)
        self._other: list[NDArray[np.floating]] = []
        self._rate_of_other = 0
        self.sample_rate = 0

    @property
    def dtype(self) -> np.dtype:
        """Type of the samples."""
        return self._mixer.dtype

    def add(self, block: NDArray, rate: int, full_scale: float) -> None:
        """Mix a block of shape (n_frames, n_channels) and add it."""
        check_stopped()
        mixed = self._mixer.mix(block, full_scale=full_scale)
        self.sample_rate = self.sample_rate or rate
        if rate != self._rate_of_other:
            self._add_other()
        if rate == self.sample_rate:
            self._append(mixed)
            return
        if max(rate, self.sample_rate) > MOST_RESAMPLED * min(rate, self.sample_rate):
            raise AudioError(
                f"{self._name}: found a sample rate of {self.sample_rate} Hz, and further on {rate} Hz; cut"
                " it where it changes."
            )
        self._rate_of_other = rate
        self._other.append(mixed)
        n_others = sum(map(len, self._other))
        seconds = len(self._samples) / self.sample_rate + n_others / rate
        check_duration(self._name, round(seconds * self.sample_rate), self.sample_rate, self._max_duration)

    def finish(self) -> Samples:
        """Return all samples, which came at the rate of the first."""
        self._add_other()
        return self._samples

    def _append(self, mixed: NDArray) -> None:
        self._samples.add(mixed, self.sample_rate)
        check_duration(self._name, len(self._samples), self.sample_rate, self._max_duration)

    def _add_other(self) -> None:
        if self._other:
            others = np.concatenate(self._other)
            self._other = []
            self._append(soxr.resample(others, self._rate_of_other, self.sample_rate))
        self._rate_of_other = 0
