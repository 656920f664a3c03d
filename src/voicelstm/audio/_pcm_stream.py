"""Sound that comes as bytes, raw PCM or WAV, block by block: samples of one channel out."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from voicelstm.audio._channels import ChannelMixer, check_channel
from voicelstm.audio._file_types import recognise
from voicelstm.audio._wav_sizes import CHUNKS_BEHIND, STREAMED
from voicelstm.exceptions import AudioError

__all__ = ["SAMPLE_FORMATS", "PcmStream"]

_HEAD = 12  # bytes that tell a WAV file
_HEAD_OF_OTHERS = 32  # bytes that tell most other files
_LONGEST_HEADER = 2**20  # bytes ahead of the samples
_KEPT = 2**12  # bytes behind the samples that are looked at
_MOST_CHANNELS = 256
_HIGHEST_RATE = 10**7  # Hz
_PCM, _FLOAT, _A_LAW, _MU_LAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
# What two bytes or a repeated one tell may be samples as well.
_UNSURE = ("an MPEG audio stream", "an AC-3 stream", "an MPEG transport stream")
# What at least four bytes tell; samples begin so by chance once in billions of streams.
_NO_SOUND = (
    *(
        "a PDF document",
        "a PNG picture",
        "a GIF picture",
        "a WebP picture",
        "an IFF picture",
        "a ZIP archive",
    ),
    *("a NumPy array file", "an SQLite database", "a program", "a git LFS pointer", "an HTML page"),
)
_GZIP = b"\x1f\x8b\x08"  # with the only method that there is


class _Format(NamedTuple):
    n_bytes: int
    values: Callable[[bytes], NDArray]


def _of_type(name: str) -> _Format:
    stored = np.dtype(name)
    native = stored.newbyteorder("=")
    return _Format(stored.itemsize, lambda data: np.frombuffer(data, stored).astype(native))


def _of_24_bits(size: int, order: str) -> _Format:
    """Read 24 bits, in as many bytes or with an unused one, as 32 bits of which the lowest are 0."""

    def values(data: bytes) -> NDArray[np.int32]:
        each = np.frombuffer(data, np.uint8).reshape(-1, size)
        low_first = each[:, :3] if order == "LE" else each[:, ::-1][:, :3]
        filled = np.zeros((len(each), 4), np.uint8)
        filled[:, 1:] = low_first
        return filled.view("<i4")[:, 0].astype(np.int32)

    return _Format(size, values)


def _of_table(table: NDArray[np.int16]) -> _Format:
    return _Format(1, lambda data: table[np.frombuffer(data, np.uint8)])


def _mu_law() -> NDArray[np.int16]:
    """Return what each byte of ITU-T G.711's mu-law stands for, in 16 bits."""
    code = ~np.arange(256, dtype=np.uint8)
    magnitude = ((((code & 15).astype(np.int32) << 3) + 132) << ((code >> 4) & 7)) - 132
    return np.where(code & 128, -magnitude, magnitude).astype(np.int16)


def _a_law() -> NDArray[np.int16]:
    """Return what each byte of ITU-T G.711's A-law stands for, in 16 bits."""
    code = np.arange(256, dtype=np.uint8) ^ 0x55
    segment = ((code >> 4) & 7).astype(np.int32)
    step = ((code & 15).astype(np.int32) << 4) + 8
    magnitude = np.where(segment > 0, (step + 256) << np.maximum(segment - 1, 0), step)
    return np.where(code & 128, magnitude, -magnitude).astype(np.int16)


_FORMATS: dict[str, _Format] = {
    "S8": _of_type("i1"),
    "U8": _of_type("u1"),
    "S16_LE": _of_type("<i2"),
    "S16_BE": _of_type(">i2"),
    "U16_LE": _of_type("<u2"),
    "U16_BE": _of_type(">u2"),
    "S24_LE": _of_24_bits(4, "LE"),
    "S24_BE": _of_24_bits(4, "BE"),
    "S24_3LE": _of_24_bits(3, "LE"),
    "S24_3BE": _of_24_bits(3, "BE"),
    "S32_LE": _of_type("<i4"),
    "S32_BE": _of_type(">i4"),
    "FLOAT_LE": _of_type("<f4"),
    "FLOAT_BE": _of_type(">f4"),
    "FLOAT64_LE": _of_type("<f8"),
    "FLOAT64_BE": _of_type(">f8"),
    "MU_LAW": _of_table(_mu_law()),
    "A_LAW": _of_table(_a_law()),
}
#: Names of samples as ALSA, and so arecord, has them.
SAMPLE_FORMATS = tuple(_FORMATS)
_IN_WAV = {
    (_PCM, 8): "U8",
    (_PCM, 16): "S16_LE",
    (_PCM, 24): "S24_3LE",
    (_PCM, 32): "S32_LE",
    (_FLOAT, 32): "FLOAT_LE",
    (_FLOAT, 64): "FLOAT64_LE",
    (_A_LAW, 8): "A_LAW",
    (_MU_LAW, 8): "MU_LAW",
}


class PcmStream:
    """Decodes bytes as they come: WAV if they begin as a WAV file does, else raw samples as is said here.

    `channel` is one that :func:`check_channel` takes; "mean" is that of all channels, silent ones too, since
    what is to come is not known. `name` is what messages call the stream.
    """

    def __init__(
        self,
        name: str,
        sample_format: str = "S16_LE",
        sample_rate: int = 16000,
        n_channels: int = 1,
        channel: int | str = "mean",
    ) -> None:
        check_channel(channel, each=False)
        self._name = name
        self._mixer = ChannelMixer(name, channel, np.dtype(np.float32))
        self._format, self._rate = _FORMATS[sample_format], sample_rate
        channels = "1 channel" if n_channels == 1 else f"{n_channels} channels"
        self.description = f"{sample_format}, {sample_rate} Hz, {channels}"  # of raw samples
        self._has_format = False  # that a WAV header says
        self.n_channels = n_channels
        self.sample_rate: int | None = None  # in Hz, known when the head has come
        self.is_wav = False
        self._pending = b""
        self._skipped = 0  # bytes of a chunk of the header that are still to come
        self._n_of_header = 0
        self._left: int | None = None  # bytes of samples that are still to come; None if nobody knows
        self.is_over = False  # all samples have come that the WAV header announces
        self._behind = b""  # the first bytes after them
        self.n_behind = 0

    def decode(self, data: bytes) -> NDArray:
        """Return the samples whose bytes are whole now, of shape (n_samples,), perhaps none."""
        self._pending += data
        if self.sample_rate is None and not self._read_head():
            return np.empty(0, np.int16)
        frame = self._format.n_bytes * self.n_channels
        data, self._pending = self._pending, b""
        if self._left is not None and len(data) >= self._left:
            self._keep_behind(data[self._left :])
            data, self.is_over = data[: self._left], True
        n_whole = len(data) // frame * frame
        if self._left is not None:
            self._left = 0 if self.is_over else self._left - n_whole
        if not self.is_over:
            self._pending = data[n_whole:]
        return self._one_channel(self._format.values(data[:n_whole]).reshape(-1, self.n_channels))

    def finish(self) -> NDArray:
        """Return the samples of a stream that ended before its head was whole; half a sample is none."""
        if self.sample_rate is not None or self.is_wav:
            return np.empty(0, np.int16)
        self._check_is_raw()
        self._begin()
        return self.decode(b"")

    @property
    def has_unheard(self) -> bool:
        """Whether more than remarks and padding has come after the samples of a WAV stream."""
        behind = self._behind.lstrip(b"\0")
        return bool(behind) and (behind[:4] not in CHUNKS_BEHIND or b"WAVE" in behind)

    def _keep_behind(self, data: bytes) -> None:
        self.n_behind += len(data)
        self._behind = (self._behind + data)[:_KEPT]

    def _read_head(self) -> bool:
        """Tell whether the head is whole, and samples follow."""
        if not self.is_wav:
            if len(self._pending) < _HEAD:
                return False
            if self._pending[:4] not in (b"RIFF", b"RF64") or self._pending[8:12] != b"WAVE":
                if len(self._pending) < _HEAD_OF_OTHERS:
                    return False
                self._check_is_raw()
                self._begin()
                return True
            self.is_wav = True
            self._pending = self._pending[_HEAD:]
        return self._read_chunks()

    def _check_is_raw(self) -> None:
        kind = recognise(self._pending)
        if kind.found in _NO_SOUND or self._pending.startswith(_GZIP):
            raise AudioError(f"{self._name}: found {kind.found}, which is no sound.")
        if kind.is_media and kind.found not in _UNSURE:
            raise AudioError(
                f"{self._name}: found {kind.found}; expected WAV or raw samples. Decode it on the way, for"
                " example with 'ffmpeg -i - -f wav -', or keep it in a file and ask detect about that."
            )

    def _read_chunks(self) -> bool:
        """Read chunks of the header up to the samples, as far as they have come."""
        while True:
            skipped = min(self._skipped, len(self._pending))
            self._pending, self._skipped = self._pending[skipped:], self._skipped - skipped
            self._n_of_header += skipped
            if self._n_of_header > _LONGEST_HEADER:
                raise AudioError(f"{self._name}: found a WAV header of more than {_LONGEST_HEADER} bytes.")
            if self._skipped or len(self._pending) < 8:
                return False
            name, size = self._pending[:4], int.from_bytes(self._pending[4:8], "little")
            if name == b"data":
                return self._begin_data(size)
            if name == b"fmt ":
                if len(self._pending) < 8 + min(size, 40):
                    return False
                self._read_format(self._pending[8 : 8 + size])
            self._pending = self._pending[8:]
            self._n_of_header += 8
            self._skipped = size + size % 2

    def _read_format(self, chunk: bytes) -> None:
        if len(chunk) < 16:
            raise AudioError(f"{self._name}: found a WAV header whose format is cut off.")
        kind, n_channels = (int.from_bytes(chunk[at : at + 2], "little") for at in (0, 2))
        rate, n_bits = int.from_bytes(chunk[4:8], "little"), int.from_bytes(chunk[14:16], "little")
        if kind == _EXTENSIBLE and len(chunk) >= 26:
            kind = int.from_bytes(chunk[24:26], "little")
        if (kind, n_bits) not in _IN_WAV:
            raise AudioError(
                f"{self._name}: found a WAV stream of {n_bits} bits in format {kind:#06x}; expected PCM,"
                " floating-point, A-law or mu-law samples."
            )
        if not 0 < n_channels <= _MOST_CHANNELS or not 0 < rate <= _HIGHEST_RATE:
            raise AudioError(f"{self._name}: found a WAV stream of {n_channels} channels at {rate} Hz.")
        self._format, self._rate = _FORMATS[_IN_WAV[kind, n_bits]], rate
        self.n_channels = n_channels
        self._has_format = True

    def _begin_data(self, size: int) -> bool:
        if not self._has_format:
            raise AudioError(f"{self._name}: found a WAV header that does not say what its samples are.")
        self._pending = self._pending[8:]
        # Who writes into a pipe cannot come back to say how much it was.
        self._left = None if size == 0 or size >= STREAMED else size
        self._begin()
        return True

    def _begin(self) -> None:
        self._mixer.begin(self.n_channels)
        self.sample_rate = self._rate

    def _one_channel(self, frames: NDArray) -> NDArray:
        """Return the channel that is asked for, or the mean, in ±1; a single one stays as it is."""
        if self.n_channels == 1:
            return frames[:, 0]
        if frames.dtype.kind == "f":
            return self._mixer.mix(frames)
        info = np.iinfo(frames.dtype)
        full_scale = 2.0 ** (info.bits - 1)
        if info.min == 0:
            frames = frames - np.float32(full_scale)
        return self._mixer.mix(frames, full_scale)
