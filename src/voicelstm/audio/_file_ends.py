"""Whether a file goes on behind what was decoded of it, and what else its format announces."""

import os
import re

from voicelstm.audio._wav_sizes import chunks_end_well, is_padding

__all__ = ["announced_by_log", "goes_on", "lacks_end_mark"]

_LITTLE = 512  # bytes behind an MPEG stream in which no recording goes on
_TAIL = 2**16
_FIRST_PAGE, _LAST_PAGE = 2, 4  # flags of an Ogg page
# What libsndfile writes down of headers: a number of frames, or of bytes beside what it should be.
_FRAMES = re.compile(r"^ *Frames +: (\d+)$", re.MULTILINE)
_BYTES = re.compile(r"^ *(?:Data Size|data|riff|SSND) +: (\d+) \(should be (\d+)\)", re.MULTILINE)


def goes_on(container: str, descriptor: int, position: int, size: int) -> bool:
    """Tell whether sound may follow where a decoder stopped reading a file of this container."""
    if container == "OGG":
        return position < size or _begins_again(descriptor, size)
    if position >= size:
        return False
    if container == "MP3":
        return size - position - _tags(descriptor, size) > _LITTLE
    if container == "AIFF":
        # An odd number of bytes is filled up, or is not.
        return not any(chunks_end_well(descriptor, position + odd, size, "big") for odd in (0, 1))
    return size - position > 1 and not is_padding(descriptor, position, size)


def _tags(descriptor: int, size: int) -> int:
    """Return the bytes of the tags at the end of an MPEG file."""
    n_bytes = 128 if os.pread(descriptor, 3, max(size - 128, 0)) == b"TAG" else 0
    footer = os.pread(descriptor, 32, max(size - n_bytes - 32, 0))
    if footer[:8] == b"APETAGEX":
        n_bytes += int.from_bytes(footer[12:16], "little") + 32
    return n_bytes


def _pages(descriptor: int, size: int) -> list[int]:
    """Return the flags of the Ogg pages in the last part of a file."""
    start = max(0, size - _TAIL)
    tail = os.pread(descriptor, _TAIL, start)
    found = []
    at = tail.find(b"OggS\0")
    while at >= 0:
        flags = tail[at + 5 : at + 6]
        if flags and start + at > 0:
            found.append(flags[0])
        at = tail.find(b"OggS\0", at + 5)
    return found


def _begins_again(descriptor: int, size: int) -> bool:
    """Tell whether another stream begins in the last part of an Ogg file."""
    return any(flags & _FIRST_PAGE for flags in _pages(descriptor, size))


def lacks_end_mark(container: str, descriptor: int, size: int) -> bool:
    """Tell whether the last page of an Ogg file is not marked as the last one of its stream."""
    if container != "OGG":
        return False
    pages = _pages(descriptor, size)
    return bool(pages) and not pages[-1] & _LAST_PAGE


def announced_by_log(log: str, n_frames: int) -> int:
    """Return the frames that a header announces, by what libsndfile wrote down of it."""
    frames = [int(each) for each in _FRAMES.findall(log)]
    sizes = [(int(claimed), int(there)) for claimed, there in _BYTES.findall(log)]
    frames += [round(n_frames * claimed / there) for claimed, there in sizes if 0 < there < claimed < 2**40]
    return max([n_frames, *frames])
