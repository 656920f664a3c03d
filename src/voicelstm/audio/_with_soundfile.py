"""Decode with soundfile, and with it see whether a file holds more or less than its header says."""

import os
from typing import BinaryIO

import soundfile

from voicelstm.audio._channels import ChannelMixer
from voicelstm.audio._decoded import Decoded, UndecodableError, check_duration
from voicelstm.audio._file_ends import announced_by_log, goes_on, lacks_end_mark
from voicelstm.audio._joined import Joined
from voicelstm.audio._wav_sizes import WavSizes, wav_sizes

__all__ = ["read_with_soundfile"]

_BLOCK = 2**22  # samples of all channels read at once, so that a header's claim alone reserves little
_FIRST_BLOCK = 2**20
_UNKNOWN = 2**62  # libsndfile's number of frames is no less where it knows none
_SAYS_ITSELF = ("WAV", "WAVEX", "FLAC", "OGG", "MP3")  # of which the number of frames is the header's
_FRAMES_OF_MP3 = 0.15  # in s; MPEG streams are some frames longer or shorter than what was coded


def read_with_soundfile(
    name: str, file: BinaryIO, size: int, max_duration: float | None, mixer: ChannelMixer
) -> Decoded:
    """Read a file's samples, those of all WAV files that were joined to one."""
    descriptor = file.fileno()
    sizes = wav_sizes(descriptor, 0, size)
    joined = Joined(name, max_duration, mixer)
    try:
        if sizes is not None and (sizes.head is not None or sizes.next_file is not None):
            return _read_joined_files(name, descriptor, sizes, size, max_duration, joined, mixer)
        # By descriptor, so that the file's content and not its name decides the format.
        with soundfile.SoundFile(descriptor, closefd=False) as sound:
            rate, container = int(sound.samplerate), sound.format
            n_frames = sound.frames
            if n_frames >= _UNKNOWN:
                raise UndecodableError("its header does not say how long it is")
            check_duration(name, n_frames, rate, max_duration)
            mixer.begin(sound.channels)
            reason = _read(sound, joined)
            is_mpeg = sound.subtype.startswith("MPEG")  # in WAV files, too
            log = "" if container in _SAYS_ITSELF else sound.extra_info
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise UndecodableError(str(error).removeprefix(f"Error opening {descriptor}: ")) from error
    samples = joined.finish()
    announced = n_frames if container in _SAYS_ITSELF else announced_by_log(log, n_frames)
    if sizes is not None:
        announced = _announced_frames(sizes, n_frames)
    ended = reason is None and not goes_on(container, descriptor, os.lseek(descriptor, 0, os.SEEK_CUR), size)
    tolerance = _FRAMES_OF_MP3 if is_mpeg else 0.01
    remarks = []
    if lacks_end_mark(container, descriptor, size):
        remarks.append(f"cut off: after {len(samples) / rate:.1f} s, without the mark that ends such a file")
    return Decoded(
        samples,
        rate,
        None if announced is None else announced / rate,
        is_whole=ended and len(samples) / rate >= n_frames / rate - tolerance,
        remarks=remarks,
        tolerance=tolerance,
    )


def _announced_frames(sizes: WavSizes, n_frames: int) -> int | None:
    """Return the frames that a WAV file's header announces; None if it leaves that open."""
    there = sizes.stop - sizes.start
    if sizes.announced is None:
        return None
    return n_frames if not there else round(n_frames * (sizes.announced - sizes.start) / there)


def _read(sound: soundfile.SoundFile, joined: Joined) -> str | None:
    """Read all blocks of an open file; return the reason why its decoder gave up, or None."""
    # Reading int16 and scaling it here is several times faster than soundfile's own conversion.
    pcm16 = sound.subtype == "PCM_16"
    dtype, full_scale = ("int16", 2**15) if pcm16 else (joined.dtype.name, 1)
    n_frames, total = 0, sound.frames
    while True:
        at_once = (_BLOCK if n_frames else _FIRST_BLOCK) // sound.channels
        size = min(at_once, total - n_frames)
        try:
            block = sound.read(size, dtype=dtype, always_2d=True)
        except (soundfile.LibsndfileError, RuntimeError) as error:
            return str(error)
        joined.add(block, int(sound.samplerate), full_scale)
        n_frames += len(block)
        if len(block) < size or n_frames >= total:
            return None


def _read_joined_files(
    name: str,
    descriptor: int,
    sizes: WavSizes | None,
    size: int,
    max_duration: float | None,
    joined: Joined,
    mixer: ChannelMixer,
) -> Decoded:
    """Read WAV files that stand one behind the other, or one whose header says less than there is."""
    first, announced = 0, None
    while sizes is not None:
        stop = sizes.stop if sizes.next_file is None else sizes.next_file
        with soundfile.SoundFile(_Part(descriptor, first, stop, sizes.head or b"")) as sound:
            if not first:
                check_duration(name, sound.frames, int(sound.samplerate), max_duration)
                mixer.begin(sound.channels)
                if sizes.announced is not None and sizes.announced > sizes.start:
                    n_announced = sound.frames * (sizes.announced - sizes.start) / (sizes.stop - sizes.start)
                    announced = n_announced / sound.samplerate
            _read(sound, joined)
        if sizes.next_file is None:
            break
        first = sizes.next_file
        sizes = wav_sizes(descriptor, first, size)
    return Decoded(joined.finish(), joined.sample_rate, announced, True, [])


class _Part:
    """Some bytes of a file as a file of their own, of which the first are replaced."""

    def __init__(self, descriptor: int, start: int, stop: int, head: bytes) -> None:
        self._descriptor, self._start, self._size, self._head = descriptor, start, stop - start, head
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
