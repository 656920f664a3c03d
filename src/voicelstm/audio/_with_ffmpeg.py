"""Decode with PyAV, which has FFmpeg inside: what phones, messengers, players and cameras write."""

import errno
import os
import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from voicelstm.audio._channels import ChannelMixer
from voicelstm.audio._container_sizes import announced_end
from voicelstm.audio._decoded import Decoded, UndecodableError, check_duration
from voicelstm.audio._file_ends import LITTLE, tag_bytes
from voicelstm.audio._joined import Joined
from voicelstm.audio._mpeg_frames import ac3_frame_bytes, mpeg_frame_bytes
from voicelstm.audio._wav_sizes import is_padding

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
_ESTIMATED = _BARE | {"mpeg", "mpegts", "ogg"}
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
_TO_THE_END = _BARE | {"flac", "tta", "wv"}  # containers without an index at their end
_FRAME_BYTES = {
    **dict.fromkeys(("mp1", "mp1float", "mp2", "mp2float", "mp3", "mp3float"), mpeg_frame_bytes),
    **dict.fromkeys(("ac3", "eac3"), ac3_frame_bytes),
}
_FRAME_HEADER = 6  # bytes
_CLOCK = re.compile(r"(\d+):(\d+):(\d+(?:\.\d+)?)")
_FAMILIES = ("adpcm_", "pcm_")
_MOST_STREAMS = 64
# FFmpeg's list of planes has eight places, and PyAV 18.1 looks for an empty one at its end.
_MOST_PLANES = 7
_AT_ONCE = 2**17  # samples of all channels that are mixed together
_LONGEST = 2**12  # bytes of a frame that is cut off, and more
_ENOUGH = 20  # pieces that nobody finds by chance
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
            joined.finish(),
            joined.sample_rate,
            announced,
            True,
            opened.remarks(),
            tolerance=tolerance,
            unread=opened.unread,
            cut_by=opened.cut_by,
        )


def holds_sound(file: BinaryIO, size: int) -> bool:
    """Tell whether a file has a track of sound; one that cannot be decoded is an UndecodableError."""
    try:
        with _Opened(file, size) as opened:
            next(opened.blocks(most_packets=50), None)
            opened.check_plausible()
    except _SilentError:
        return False
    return True


class _SilentError(UndecodableError):
    """A film without sound."""


class _Opened:
    """A file's first audio track, and what was found of it on the way."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._size = file, size
        self._n_packets = self._n_damaged = self._bytes_decoded = 0
        self._last_byte = self._last_sound = 0
        self._first_byte: int | None = None
        self._last_is_damaged = False
        self._resamplers: dict[str, Any] = {}
        self._ended_by = ""
        self._claimed = announced_end(file.fileno(), 0, size)

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
            raise _SilentError("it has no audio track")
        self._stream: AudioStream = streams[0]
        self._n_streams = len(streams)
        codec = self._stream.codec_context
        if codec is None or codec.name not in _known_codecs():
            raise UndecodableError("its codec is not known")
        codec.thread_count = 1

    @property
    def announced(self) -> float | None:
        """Length that the header announces, in s; None where it is an estimate, or that of a film."""
        name = self._container.format.name
        # FFmpeg estimates these, too, where the file is not as large as it says.
        claimed = self._size if self._claimed is None else self._claimed
        is_guessed = (name == "asf" and claimed != self._size) or (name == "avi" and claimed > self._size)
        if name in _ESTIMATED or is_guessed:
            return None
        if self._stream.duration is not None and self._stream.time_base is not None:
            seconds = float(self._stream.duration * self._stream.time_base)
        elif (found := _CLOCK.fullmatch(self._stream.metadata.get("DURATION", ""))) is not None:
            hours, minutes, rest = found.groups()
            seconds = 3600 * int(hours) + 60 * int(minutes) + float(rest)
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
            # PyAV raises an IndexError of a damaged FLV file whose tracks have no such number.
            except (self._error, IndexError, MemoryError) as error:
                self._ended_by = _text_of(error)
                return
            if packet is None:
                return
            if packet.size < self._bytes_of(packet):
                self._count(packet, damaged=True)  # of its rest decoders make noise
                continue
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

    def _bytes_of(self, packet: Any) -> int:
        """Return how long the header of a piece says that it is, and how long it is if no header says it."""
        measure = _FRAME_BYTES.get(self._stream.codec_context.name)
        if measure is None or not packet.size:
            return int(packet.size)
        return measure(bytes(memoryview(packet)[:_FRAME_HEADER])) or int(packet.size)

    def _count(self, packet: Any, *, damaged: bool) -> None:
        if not packet.size:  # the last one, which only empties the decoder
            return
        self._n_packets += 1
        self._n_damaged += damaged
        self._last_is_damaged = damaged
        # What is no frame stands behind one in the same piece.
        n_bytes = 0 if damaged else self._bytes_of(packet)
        self._bytes_decoded += n_bytes
        if packet.pos is not None and packet.pos >= 0:
            self._first_byte = packet.pos if self._first_byte is None else self._first_byte
            self._last_byte = max(self._last_byte, packet.pos + packet.size)
            self._last_sound = self._last_sound if damaged else packet.pos + n_bytes

    def check_plausible(self) -> None:
        """Refuse what happens to hold a few frames of a stream that has no header."""
        if self._n_damaged == self._n_packets:
            raise UndecodableError(self._ended_by or "nothing in it can be decoded")
        if self._container.format.name in _BARE and self._first_byte is not None:
            is_stream = self._n_packets - self._n_damaged >= _ENOUGH
            there = (self._last_sound if is_stream else self._last_byte) - self._first_byte
            if self._bytes_decoded < _LEAST_SHARE * there:
                raise UndecodableError("little in it is sound")

    @property
    def unread(self) -> int:
        """Number of bytes behind all pieces that may hold another recording."""
        descriptor, end, least = self._file.fileno(), self._claimed, LITTLE
        if self._container.format.name in _TO_THE_END:
            end, least = self._last_sound, _LONGEST
            n_bytes = self._size - tag_bytes(descriptor, end, self._size) - end
        else:
            n_bytes = 0 if end is None or self._last_byte > end else self._size - end
        is_little = n_bytes <= least or is_padding(descriptor, self._size - n_bytes, self._size)
        return 0 if is_little else n_bytes

    @property
    def cut_by(self) -> str | None:
        """How it shows that the end is missing."""
        return "within a frame" if self._last_is_damaged and not self.unread else None

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
    is_long = frame.format.name in ("s64", "s64p")  # which it gives no array of
    if not is_long and (not frame.format.is_planar or frame.layout.nb_channels <= _MOST_PLANES):
        return [frame]
    import av

    kind = "dbl" if is_long else frame.format.packed.name
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
