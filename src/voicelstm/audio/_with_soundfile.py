"""Decode with soundfile, and with it see whether a file holds more or less than its header says."""

import os
from typing import BinaryIO, NamedTuple

import numpy as np
import soundfile

from voicelstm.audio._channels import ChannelMixer
from voicelstm.audio._decoded import Decoded, UndecodableError, check_duration, length_remark
from voicelstm.audio._file_ends import NOTHING, announced_by_log, tag_bytes, what_follows
from voicelstm.audio._joined import Joined
from voicelstm.audio._mpeg_frames import ends_within_frame
from voicelstm.audio._next_file import right_behind
from voicelstm.audio._wav_sizes import WavSizes, wav_sizes

__all__ = ["read_with_soundfile"]

_BLOCK = 2**22  # samples of all channels read at once, so that a header's claim alone reserves little
_FIRST_BLOCK = 2**20
_UNKNOWN = 2**62  # libsndfile's number of frames is no less where it knows none
_SAYS_ITSELF = ("WAV", "WAVEX", "FLAC", "OGG", "MP3")  # of which the number of frames is the header's
_FRAMES_OF_MP3 = 0.15  # in s; MPEG streams are some frames longer or shorter than what was coded


class _One(NamedTuple):
    """What was read of one file: how much of it, in s; and what follows it."""

    rate: int
    seconds: float
    announced: float | None
    tolerance: float
    is_whole: bool
    reason: str | None  # why its decoder gave up
    unread: int  # bytes
    next_file: int | None
    is_cut: bool


def read_with_soundfile(
    name: str, file: BinaryIO, size: int, max_duration: float | None, mixer: ChannelMixer
) -> Decoded:
    """Read a file's samples, and those of all files that were joined to it."""
    descriptor = file.fileno()
    joined = Joined(name, max_duration, mixer)
    first = one = _read_one(name, descriptor, 0, size, max_duration, joined, mixer)
    seconds, unread, cause, is_whole = one.seconds, one.unread, one.reason, one.is_whole
    remarks = []
    while (begin := one.next_file) is not None:
        try:
            one = _read_one(name, descriptor, begin, size, max_duration, joined, mixer)
        except UndecodableError as error:
            unread, cause, is_whole = unread + size - begin, str(error), False
            break
        remark = length_remark(one.announced, one.seconds, one.tolerance)
        if remark is not None:
            remarks.append(f"of the file that is joined to it at {seconds:.1f} s: {remark}")
        seconds, unread, cause = seconds + one.seconds, unread + one.unread, one.reason or cause
        is_whole = is_whole and one.is_whole
    return Decoded(
        joined.finish(),
        first.rate,
        first.announced,
        is_whole,
        remarks,
        tolerance=first.tolerance,
        unread=unread,
        cause=cause,
        cut_by="within a frame" if one.is_cut else None,
    )


def _read_one(
    name: str,
    descriptor: int,
    begin: int,
    size: int,
    max_duration: float | None,
    joined: Joined,
    mixer: ChannelMixer,
) -> _One:
    """Read the file that begins at some byte of another, or the whole of it."""
    sizes = wav_sizes(descriptor, begin, size)
    # By descriptor, so that the file's content and not its name decides the format.
    source: int | _Part = descriptor
    if sizes is not None and (sizes.head is not None or sizes.next_file is not None):
        source = _Part(descriptor, begin, sizes.next_file or sizes.stop, sizes.head or b"")
    elif sizes is None and (behind := right_behind(descriptor, begin, size)) is not None:
        source = _Part(descriptor, begin, behind)
    elif begin:
        source = _Part(descriptor, begin, size)
    try:
        with soundfile.SoundFile(source, closefd=False) as sound:
            rate, container, n_frames = int(sound.samplerate), sound.format, sound.frames
            if n_frames >= _UNKNOWN:
                raise UndecodableError("its header does not say how long it is")
            if begin and not n_frames:
                raise UndecodableError("it holds no samples")
            if not begin:
                check_duration(name, n_frames, rate, max_duration)
                mixer.begin(sound.channels)
            n_read, reason = _read(sound, joined)
            if reason is not None and not n_read:
                raise UndecodableError(reason)
            is_mpeg = sound.subtype.startswith("MPEG")  # in WAV files, too
            log = "" if container in _SAYS_ITSELF else sound.extra_info
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise UndecodableError(str(getattr(error, "error_string", error))) from error
    announced: int | None
    if sizes is not None:
        announced, rest = _announced_frames(sizes, n_frames), NOTHING
        if sizes.next_file is not None:
            rest = NOTHING._replace(next_file=sizes.next_file)
    else:
        announced = n_frames if container in _SAYS_ITSELF else announced_by_log(log, n_frames)
        position = os.lseek(descriptor, 0, os.SEEK_CUR) if isinstance(source, int) else begin + source.tell()
        rest = what_follows(container, descriptor, begin, position, size)
        if isinstance(source, _Part) and source.stop < size:
            rest = NOTHING._replace(next_file=source.stop)
    if container == "MP3" and rest.unread and n_read < n_frames:
        announced = None  # perhaps an estimate, by the size of all that follows
    tolerance = _FRAMES_OF_MP3 if is_mpeg else 0.01
    return _One(
        rate,
        n_read / rate,
        None if announced is None else announced / rate,
        tolerance,
        reason is None and not rest.goes_on and n_read / rate >= n_frames / rate - tolerance,
        reason,
        rest.unread,
        rest.next_file,
        container == "MP3" and ends_within_frame(descriptor, size - tag_bytes(descriptor, size, size)),
    )


def _announced_frames(sizes: WavSizes, n_frames: int) -> int | None:
    """Return the frames that a WAV file's header announces; None if it leaves that open."""
    there = sizes.stop - sizes.start
    if sizes.announced is None:
        return None
    return n_frames if not there else round(n_frames * (sizes.announced - sizes.start) / there)


def _read(sound: soundfile.SoundFile, joined: Joined) -> tuple[int, str | None]:
    """Read all blocks of an open file; return their frames, and why its decoder gave up, or None."""
    # Reading int16 and scaling it here is several times faster than soundfile's own conversion.
    pcm16 = sound.subtype == "PCM_16"
    dtype, full_scale = ("int16", 2**15) if pcm16 else (joined.dtype.name, 1)
    n_frames, total = 0, sound.frames
    while True:
        at_once = (_BLOCK if n_frames else _FIRST_BLOCK) // sound.channels
        size = min(at_once, total - n_frames)
        try:
            block = np.empty((size, sound.channels), dtype)
            block = block[: sound.buffer_read_into(block, dtype)]  # quicker than read
        except (soundfile.LibsndfileError, RuntimeError) as error:
            return n_frames, str(error)
        joined.add(block, int(sound.samplerate), full_scale)
        n_frames += len(block)
        if len(block) < size or n_frames >= total:
            return n_frames, None


class _Part:
    """Some bytes of a file as a file of their own, of which the first may be replaced."""

    def __init__(self, descriptor: int, start: int, stop: int, head: bytes = b"") -> None:
        self._descriptor, self._start, self._size, self._head = descriptor, start, stop - start, head
        self.stop = stop
        self._position = 0

    def read(self, size: int = -1) -> bytes:
        """Read bytes from the current position on."""
        size = self._size - self._position if size < 0 else min(size, self._size - self._position)
        content = self._head[self._position : self._position + size]
        at = self._position + len(content)
        if len(content) < size:
            content += os.pread(self._descriptor, size - len(content), self._start + at)
        self._position += len(content)
        return content

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move the current position."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        """Return the current position."""
        return self._position
