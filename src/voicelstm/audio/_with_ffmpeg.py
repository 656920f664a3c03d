"""Decode with PyAV, which has FFmpeg inside: what phones, messengers, players and cameras write."""

import errno
import os
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from voicelstm.audio._channels import ChannelMixer
from voicelstm.audio._decoded import Decoded, UndecodableError, check_duration
from voicelstm.audio._joined import Joined

if TYPE_CHECKING:
    from av.audio.stream import AudioStream

__all__ = ["holds_sound", "read_with_ffmpeg"]

# FFmpeg knows many more, among them lists that name other files. None of these opens anything else.
_CONTAINERS = (
    "aac", "ac3", "aiff", "amr", "amrnb", "amrwb", "ape", "asf", "asf_o", "au", "avi", "caf", "dsf",
    "dss", "dts", "eac3", "flac", "flv", "iff", "ircam", "loas", "matroska", "webm", "mov", "mp4",
    "m4a", "3gp", "3g2", "mj2", "mp3", "mpc", "mpc8", "mpeg", "mpegts", "mxf", "nistsphere", "nut",
    "ogg", "oma", "paf", "pvf", "qcp", "qoa", "rm", "shn", "sox", "tak", "truehd", "tta", "voc", "w64",
    "wav", "wsd", "wtv", "wv", "xwma",
)  # fmt: skip
# Streams of frames without a header: they are found by chance, too, and their length is an estimate.
_BARE = frozenset({"aac", "ac3", "amr", "amrnb", "amrwb", "dts", "eac3", "loas", "mp3", "truehd"})
_ESTIMATED = _BARE - {"mp3"} | {"mpeg", "mpegts", "ogg"}
# Codecs of speech, music and films; those of pictures are not even asked what they see.
_CODECS = frozenset(
    {
        "8svx_exp", "8svx_fib", "aac", "aac_latm", "ac3", "acelp.kelvin", "alac", "als", "amrnb", "amrwb",
        "ape", "atrac1", "atrac3", "atrac3al", "atrac3plus", "atrac3plusal", "cook", "dca", "dsd_lsbf",
        "dsd_lsbf_planar", "dsd_msbf", "dsd_msbf_planar", "dss_sp", "dst", "dvaudio", "eac3", "evrc",
        "flac", "g722", "g723_1", "g726", "g726le", "g728", "g729", "gsm", "gsm_ms", "ilbc",
        "libopencore_amrnb", "libopencore_amrwb", "libopus", "mace3", "mace6", "metasound", "mlp", "mp1",
        "mp1float", "mp2", "mp2float", "mp3", "mp3adu", "mp3adufloat", "mp3float", "mp3on4", "mp3on4float",
        "mpc7", "mpc8", "msnsiren", "nellymoser", "opus", "paf_audio", "qcelp", "qdm2", "qdmc", "qoa",
        "ralf", "real_144", "real_288", "s302m", "shorten", "sipr", "siren", "speex", "tak", "truehd",
        "truespeech", "tta", "twinvq", "vorbis", "wavpack", "wmalossless", "wmapro", "wmav1", "wmav2",
        "wmavoice",
    }
)  # fmt: skip
_FAMILIES = ("adpcm_", "pcm_")
_MOST_STREAMS = 64
# FFmpeg's list of planes has eight places, and PyAV 18.1 looks for an empty one at its end.
_MOST_PLANES = 7
_AT_ONCE = 2**17  # samples of all channels that are mixed together
_LEAST_SHARE = 0.5  # of a stream without header: bytes behind its beginning that are frames of it
_TOLERANCE, _SHARE = 0.2, 0.02  # s, and share of what is announced: frames are whole, encoders fill them up
_FULL_SCALE = {np.dtype(f"i{size}"): 2.0 ** (8 * size - 1) for size in (2, 4, 8)}


def read_with_ffmpeg(
    name: str, file: BinaryIO, size: int, max_duration: float | None, mixer: ChannelMixer
) -> Decoded:
    """Read the first audio track of a file."""
    with _Opened(file, size) as opened:
        announced = opened.announced
        if announced is not None:
            check_duration(name, round(announced * 1000), 1000, max_duration)
        joined = Joined(name, max_duration, mixer)
        for block, rate in opened.blocks():
            if not joined.sample_rate:
                mixer.begin(block.shape[1])
            joined.add(block, rate, _FULL_SCALE.get(block.dtype, 1.0))
        opened.check_plausible()
        if not joined.sample_rate:
            raise UndecodableError("nothing in it can be decoded")
        tolerance = max(_TOLERANCE, _SHARE * (announced or 0))
        return Decoded(
            joined.finish(), joined.sample_rate, announced, True, opened.remarks(), tolerance=tolerance
        )


def holds_sound(file: BinaryIO, size: int) -> bool:
    """Tell whether FFmpeg finds a track of sound that it can begin to decode."""
    try:
        with _Opened(file, size) as opened:
            next(opened.blocks(most_packets=50))
            opened.check_plausible()
    except (UndecodableError, StopIteration):
        return False
    return True


class _Opened:
    """A file's first audio track, and what was found of it on the way."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._size = file, size
        self._n_packets = self._n_damaged = self._bytes_decoded = self._last_byte = 0
        self._first_byte: int | None = None
        self._last_is_damaged = False
        self._resamplers: dict[str, Any] = {}
        self._ended_by = ""

    def __enter__(self) -> "_Opened":
        try:
            import av
        except ImportError as error:
            raise UndecodableError(f"it cannot be loaded: {error}") from error
        self._error: Any = av.FFmpegError
        self._file.seek(0)
        allowed = {
            "format_whitelist": ",".join(_CONTAINERS),
            "codec_whitelist": ",".join(_known_codecs()),
            "protocol_whitelist": "none",
            "max_streams": str(_MOST_STREAMS),
        }
        try:
            self._container = av.open(
                _Nameless(self._file), mode="r", options=allowed, metadata_errors="replace"
            )
        except (av.FFmpegError, ValueError, MemoryError) as error:
            raise UndecodableError(_text_of(error)) from error
        try:
            self._choose_stream()
        except BaseException:
            self._container.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    def _choose_stream(self) -> None:
        streams = self._container.streams.audio
        if not streams:
            raise UndecodableError("it has no audio track")
        self._stream: AudioStream = streams[0]
        self._n_streams = len(streams)
        codec = self._stream.codec_context
        if codec is None or codec.name not in _known_codecs():
            raise UndecodableError("its codec is not known")
        codec.thread_count = 1

    @property
    def announced(self) -> float | None:
        """Length that the header announces, in s; None where it is an estimate, or that of a film."""
        if self._container.format.name in _ESTIMATED:
            return None
        if self._stream.duration is not None and self._stream.time_base is not None:
            seconds = float(self._stream.duration * self._stream.time_base)
        elif self._container.duration is not None and len(self._container.streams) == 1:
            seconds = self._container.duration / 1e6
        else:
            return None
        return seconds if seconds > 0 else None

    def blocks(self, most_packets: int | None = None) -> Iterator[tuple[NDArray, int]]:
        """Yield what is decoded, of shape (n_frames, n_channels), and its sample rate."""
        pieces: list[NDArray] = []
        n_samples, rate = 0, 0
        for piece, own_rate in self._frames(most_packets):
            changed = pieces and (own_rate != rate or piece.shape[1:] != pieces[0].shape[1:])
            if changed or n_samples >= _AT_ONCE:
                yield np.concatenate(pieces), rate
                pieces, n_samples = [], 0
            pieces.append(piece)
            n_samples += piece.size
            rate = own_rate
        if pieces:
            yield np.concatenate(pieces), rate

    def _frames(self, most_packets: int | None) -> Iterator[tuple[NDArray, int]]:
        packets = self._container.demux(self._stream)
        while most_packets is None or self._n_packets < most_packets:
            try:
                packet = next(packets, None)
            except (self._error, MemoryError) as error:
                self._ended_by = _text_of(error)
                return
            if packet is None:
                return
            try:
                frames = packet.decode()
            except self._error:
                self._count(packet, damaged=True)
                continue
            except MemoryError as error:
                raise UndecodableError(_text_of(error)) from error
            self._count(packet, damaged=False)
            for frame in frames:
                if frame.sample_rate <= 0:
                    raise UndecodableError(f"a sample rate of {frame.sample_rate} Hz")
                for each in _interleaved(frame, self._resamplers):
                    if each.samples:
                        yield _samples_of(each), each.sample_rate

    def _count(self, packet: Any, *, damaged: bool) -> None:
        if not packet.size:  # the last one, which only empties the decoder
            return
        self._n_packets += 1
        self._n_damaged += damaged
        self._last_is_damaged = damaged
        self._bytes_decoded += 0 if damaged else packet.size
        if packet.pos is not None and packet.pos >= 0:
            self._first_byte = packet.pos if self._first_byte is None else self._first_byte
            self._last_byte = max(self._last_byte, packet.pos + packet.size)

    def check_plausible(self) -> None:
        """Refuse what happens to hold a few frames of a stream that has no header."""
        if self._n_damaged == self._n_packets:
            raise UndecodableError(self._ended_by or "nothing in it can be decoded")
        if self._container.format.name in _BARE and self._first_byte is not None:
            there = self._last_byte - self._first_byte
            if self._bytes_decoded < _LEAST_SHARE * there:
                raise UndecodableError("little in it is sound")

    def remarks(self) -> list[str]:
        """Say what was found beside the samples."""
        found = []
        if self._n_streams > 1:
            found.append(f"{self._n_streams} audio tracks: the first was read")
        n_damaged = self._n_damaged - self._last_is_damaged  # the last one is cut off
        if n_damaged:
            found.append(
                f"damaged: {n_damaged} of {self._n_packets} pieces cannot be decoded, and are left out"
            )
        return found


class _Nameless:
    """A file whose name FFmpeg does not see, so that content alone decides the format."""

    def __init__(self, file: BinaryIO) -> None:
        self.read, self.tell, self._seek = file.read, file.tell, file.seek

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move the current position, unless a hostile file asks for one before its beginning."""
        try:
            return self._seek(offset, whence)
        except OSError:
            return -errno.EINVAL


@cache
def _known_codecs() -> frozenset[str]:
    import av

    available = av.codecs_available
    return frozenset(name for name in available if name in _CODECS or name.startswith(_FAMILIES))


def _interleaved(frame: Any, resamplers: dict[str, Any]) -> list[Any]:
    """Return a frame as PyAV can give its samples: of many channels, each apart, it reads beyond the last."""
    if not frame.format.is_planar or frame.layout.nb_channels <= _MOST_PLANES:
        return [frame]
    import av

    kind = frame.format.packed.name
    resampler = resamplers.setdefault(kind, av.AudioResampler(format=kind))
    try:
        return list(resampler.resample(frame))
    except (av.FFmpegError, ValueError) as error:
        raise UndecodableError(f"{frame.layout.nb_channels} channels: {_text_of(error)}") from error


def _samples_of(frame: Any) -> NDArray:
    """Return a frame's samples, of shape (n_frames, n_channels), integers as signed ones."""
    values = frame.to_ndarray()
    values = values.T if frame.format.is_planar else values.reshape(-1, frame.layout.nb_channels)
    if values.dtype == np.uint8:
        return (values.astype(np.int16) - 128) << 8
    return values


def _text_of(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        return "there is not enough memory"
    return str(getattr(error, "strerror", None) or error)
