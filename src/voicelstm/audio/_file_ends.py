"""Whether a file goes on behind what was decoded of it, and what else its format announces."""

import os
import re
from typing import NamedTuple

from voicelstm.audio._next_file import next_file, next_flac
from voicelstm.audio._wav_sizes import chunks_end_well, is_padding

__all__ = ["LITTLE", "NOTHING", "Rest", "announced_by_log", "lacks_end_mark", "tag_bytes", "what_follows"]

LITTLE = 512  # bytes in which no recording goes on
_TAIL = 2**16
_FIRST_PAGE, _LAST_PAGE = 2, 4  # flags of an Ogg page
_MOST_OF_PAGE_HEADER = 27 + 255
# Containers of chunks, with the order of the bytes of their sizes.
_CHUNKS = {"AIFF": "big", "SVX": "big", "RF64": "little"}
# What libsndfile writes down of headers: a number of frames, or of bytes beside what it should be.
_FRAMES = re.compile(r"^ *Frames +: (\d+)$", re.MULTILINE)
_BYTES = re.compile(
    r"^ *(?:Data Size +:|data +:|riff +:|SSND +:|Data length) (\d+) \(?should be (\d+)\)?", re.MULTILINE
)


class Rest(NamedTuple):
    """What stands behind what was decoded of a file."""

    goes_on: bool  # sound may follow
    unread: int  # bytes
    next_file: int | None


NOTHING = Rest(goes_on=False, unread=0, next_file=None)


def what_follows(container: str, descriptor: int, begin: int, position: int, size: int) -> Rest:
    """Tell what stands behind a file of this container, of which a decoder has read to some position."""
    if container == "FLAC":
        following = next_flac(descriptor, position, begin)
        if following is not None:
            return NOTHING._replace(next_file=following)
    elif container == "OGG":
        end = _end_of_pages(descriptor, size)
        if position < end or _begins_again(descriptor, begin, size):
            return NOTHING._replace(goes_on=True)
        position = end
    if position >= size or _is_no_sound(container, descriptor, position, size):
        return NOTHING
    following = next_file(descriptor, position, size)
    if following is None:
        return Rest(goes_on=True, unread=size - position, next_file=None)
    between = following - position
    return Rest(goes_on=False, unread=between if between > LITTLE else 0, next_file=following)


def _is_no_sound(container: str, descriptor: int, position: int, size: int) -> bool:
    """Tell whether tags, chunks or padding fill a file of this container from here on."""
    n_tags = tag_bytes(descriptor, position, size) if container == "MP3" else 0
    if size - position - n_tags <= LITTLE or is_padding(descriptor, position, size - n_tags):
        return True
    return container in _CHUNKS and chunks_end_well(descriptor, position, size, _CHUNKS[container])


def tag_bytes(descriptor: int, position: int, size: int) -> int:
    """Return the bytes of the tags at the end of an MPEG file; the first may begin at some position."""
    n_bytes = 128 if os.pread(descriptor, 3, max(size - 128, 0)) == b"TAG" else 0
    footer = os.pread(descriptor, 32, max(size - n_bytes - 32, 0))
    if footer.endswith(b"LYRICS200") and footer[-15:-9].isdigit():
        n_bytes += int(footer[-15:-9]) + 15
        footer = os.pread(descriptor, 32, max(size - n_bytes - 32, 0))
    header = os.pread(descriptor, 16, position)
    tag = next((tag for tag in (footer, header) if tag[:8] == b"APETAGEX"), None)
    return n_bytes if tag is None else n_bytes + int.from_bytes(tag[12:16], "little") + 32


def _pages(descriptor: int, size: int) -> list[tuple[int, int]]:
    """Return where the Ogg pages in the last part of a file begin, and their flags."""
    start = max(0, size - _TAIL)
    tail = os.pread(descriptor, _TAIL, start)
    found = []
    at = tail.find(b"OggS\0")
    while at >= 0:
        flags = tail[at + 5 : at + 6]
        if flags:
            found.append((start + at, flags[0]))
        at = tail.find(b"OggS\0", at + 5)
    return found


def _begins_again(descriptor: int, begin: int, size: int) -> bool:
    """Tell whether another stream begins in the last part of an Ogg file."""
    return any(flags & _FIRST_PAGE for at, flags in _pages(descriptor, size) if at > begin)


def _end_of_pages(descriptor: int, size: int) -> int:
    """Return where the last page of an Ogg file ends."""
    stop = size
    while stop > 0:
        start = max(0, stop - _TAIL)
        at = os.pread(descriptor, stop - start + 4, start).rfind(b"OggS\0")
        if at >= 0:
            header = os.pread(descriptor, _MOST_OF_PAGE_HEADER, start + at)
            sizes = header[27 : 27 + header[26]] if len(header) > 26 else b""
            return min(size, start + at + 27 + len(sizes) + sum(sizes))
        stop = start
    return size


def lacks_end_mark(descriptor: int, size: int) -> bool:
    """Tell whether the last page of an Ogg file is not marked as the last one of its stream."""
    pages = _pages(descriptor, size)
    return bool(pages) and not pages[-1][1] & _LAST_PAGE


def announced_by_log(log: str, n_frames: int) -> int:
    """Return the frames that a header announces, by what libsndfile wrote down of it."""
    frames = [int(each) for each in _FRAMES.findall(log)]
    sizes = [(int(claimed), int(there)) for claimed, there in _BYTES.findall(log)]
    frames += [round(n_frames * claimed / there) for claimed, there in sizes if 0 < there < claimed < 2**40]
    return max([n_frames, *frames])
