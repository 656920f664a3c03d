"""From the channels of a recording to one: the mean of all, or the one that is asked for."""

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voicelstm.exceptions import AudioError

__all__ = ["ChannelMixer", "check_channel"]

_NAMED = {"left": 0, "right": 1}

_WINDOW = 4096  # frames at most that are looked at together: how channels lie to each other may change
# Of a long block every so many-th frame is looked at: folded over, a tone keeps its energy.
_STEP, _STEP_OF_LONG, _LONG = 7, 29, 2**16
_CANCELLED = 1 / 8  # of the channels' power, less than which is left where they cancel; 1 if unrelated
_MOST_CANCELLED = 1 / 10  # of the energy of the whole recording
_SILENT = 1e-5  # of the loudest channel's energy: 50 dB, farther below than speech is looked for


def check_channel(channel: Any, *, each: bool) -> None:
    """Refuse what names no channel; `each` says whether "each" is a choice."""
    if isinstance(channel, str):
        is_known = channel in ("mean", *_NAMED) or (each and channel == "each")
    else:
        is_known = isinstance(channel, Integral) and not isinstance(channel, bool) and int(channel) >= 0
    if not is_known:
        choices = '"mean", "left", "right"' + ', "each"' * each
        raise ValueError(f"channel={channel!r}: expected {choices}, or the number of a channel, from 0.")


class ChannelMixer:
    """Mix blocks of a recording's channels, one after the other; `name` is what messages call it.

    `begin` once for each decoder that is tried, `mix` each block, and ask for the `gain`. Blocks should be of
    a second and more: each is looked at in windows of its own. The other arguments say what becomes of the
    samples: their rate, whether they are hashed, and whether those of long recordings are stored in a file.
    """

    def __init__(
        self,
        name: object,
        channel: int | str,
        dtype: np.dtype,
        *,
        sample_rate: int | None = None,
        takes_fingerprint: bool = False,
        stores: bool = False,
    ) -> None:
        self.name, self._channel, self._dtype = name, channel, dtype
        self.sample_rate, self.takes_fingerprint, self.stores = sample_rate, takes_fingerprint, stores
        self.n_channels = 1  # of samples that no decoder gave
        self._energy = np.zeros(0)
        self._cancelled_energy = 0.0
        self._cancelled_frames = 0.0
        self._n_frames = 0

    @property
    def dtype(self) -> np.dtype:
        """Type of the samples that come out."""
        return self._dtype

    def begin(self, n_channels: int) -> None:
        """Forget what was mixed before; that there is no such channel is an AudioError."""
        self.n_channels = n_channels
        self._energy = np.zeros(n_channels)
        self._cancelled_energy = 0.0
        self._cancelled_frames = 0.0
        self._n_frames = 0
        if self._channel not in ("each", "mean") and self._position >= n_channels:
            there = "1 channel" if n_channels == 1 else f"{n_channels} channels"
            raise AudioError(
                f"{self.name}: found {there}, and none that is channel={self._channel!r}: channels count"
                " from 0, and left and right are 0 and 1."
            )

    def mix(self, block: NDArray, full_scale: float = 1.0) -> NDArray:
        """Return one sample per frame of a block of shape (n_frames, n_channels), or with "each" all of them.

        A mean is that of all channels, until `gain` knows which of them are silent.
        """
        if block.shape[1] != self.n_channels:
            if self._channel != "mean":
                raise AudioError(
                    f"{self.name}: found {self.n_channels} channels, and further on {block.shape[1]}; cut it"
                    ' where they change, or choose channel="mean".'
                )
            block = np.broadcast_to(block.mean(axis=1, keepdims=True), (len(block), self.n_channels))
        if self._channel == "each":
            # FFmpeg's channels lie apart, and what grows in place has to lie frame by frame.
            mixed = block.astype(self._dtype, order="C")
        elif self._channel == "mean":
            mixed = self._sum(block)
            full_scale *= self.n_channels
        else:
            mixed = block[:, self._position].astype(self._dtype)
        if full_scale != 1:
            mixed *= self._dtype.type(1 / full_scale)
        return mixed

    @property
    def gains(self) -> list[float]:
        """What `gain` may return in the end."""
        of_mean = self._channel == "mean"
        return (
            [self.n_channels / n_speaking for n_speaking in range(1, self.n_channels + 1)]
            if of_mean
            else [1.0]
        )

    def gain(self) -> float:
        """Return what makes all samples as loud as the mean of the channels that are not silent.

        Channels that cancel each other have no mean that anybody has said, and are an AudioError.
        """
        if self._channel != "mean" or self.n_channels < 2:
            return 1.0
        if self._cancelled_energy > _MOST_CANCELLED * self._energy.sum():
            share = 100 * self._cancelled_frames / self._n_frames
            which = 'channel="left" or channel="right"' if self.n_channels == 2 else "such as channel=0"
            raise AudioError(
                f"{self.name}: found channels that cancel each other in {share:.0f} % of the recording, as"
                " where a line is connected the wrong way round: their mean is nothing that was said; choose"
                f" one, {which}."
            )
        n_speaking = np.count_nonzero(self._energy > _SILENT * self._energy.max()) or self.n_channels
        return float(self.n_channels / n_speaking)

    @property
    def _position(self) -> int:
        """Of the channel that is asked for, unless that is "each" or the mean."""
        return _NAMED[self._channel] if isinstance(self._channel, str) else self._channel

    def _sum(self, block: NDArray) -> NDArray:
        total = block[:, 0].astype(self._dtype)
        for position in range(1, self.n_channels):
            total += block[:, position]
        if self.n_channels > 1 and len(block):
            self._look_at(block)
        return total

    def _look_at(self, block: NDArray) -> None:
        """Add up the energies of a block's channels and of their sum, window by window, without constants."""
        step = _STEP_OF_LONG if len(block) >= _LONG else _STEP if len(block) >= _WINDOW else 1
        seen = block[::step].T
        n_windows = -(-len(block) // _WINDOW)
        size = seen.shape[1] // n_windows
        windows = np.empty((self.n_channels + 1, n_windows, size))
        windows[:-1] = seen[:, : n_windows * size].reshape(-1, n_windows, size)
        with np.errstate(over="ignore", invalid="ignore"):  # such samples are refused later, or do not cancel
            np.add.reduce(windows[:-1], axis=0, out=windows[-1])
            totals = np.add.reduce(windows, axis=2)
            energies = np.einsum("ijk,ijk->ij", windows, windows) - totals * totals / size
            energies *= len(block) / (n_windows * size)
            together = np.add.reduce(energies[:-1], axis=0)
            cancelled = energies[-1] < _CANCELLED * together
        self._energy += np.add.reduce(energies[:-1], axis=1)
        if n_cancelled := np.count_nonzero(cancelled):
            self._cancelled_energy += float(together[cancelled].sum())
            self._cancelled_frames += n_cancelled * len(block) / n_windows
        self._n_frames += len(block)
