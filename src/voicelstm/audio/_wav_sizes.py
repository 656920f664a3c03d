"""What a WAV file says of its size, and what its bytes say."""

import os
import re
from collections.abc import Iterator
from typing import NamedTuple

from voicelstm.audio._next_file import begins_file

__all__ = ["CHUNKS_BEHIND", "STREAMED", "WavSizes", "chunks_end_well", "is_padding", "wav_sizes"]

_HEAD = 4096  # bytes that are looked at in one go
_PLAIN = 44  # bytes of the header that most writers write
_MOST_CHUNKS = 1000
_TAIL = 2**16  # bytes at the end in which chunks behind samples are looked for
# Programs that cannot go back write this for a size that they do not know, or more. SoX writes 0x7FFFF000
# rounded down to whole frames, each of less than 4 KiB.
STREAMED = 0x7FFFE000
_UNKNOWN = b"\xff\xff\xff\xff"
# Behind the samples a damaged chunk of these names is a chunk all the same.
CHUNKS_BEHIND = {
    b"LIST",
    b"INFO",
    b"id3 ",
    b"ID3 ",
    b"fact",
    b"cue ",
    b"PEAK",
    b"bext",
    b"iXML",
    b"JUNK",
    b"smpl",
    b"afsp",
}
_A_NAME = re.compile(b"|".join(map(re.escape, sorted(CHUNKS_BEHIND))))


class WavSizes(NamedTuple):
    """Where a WAV file's samples begin and end, in bytes, and where its header says that they end.

    `announced` is None if the header leaves it open. `head` is what the file should begin with where its
    header says less than there is, and `next_file` where the next WAV file begins that was appended to it.
    """

    start: int
    stop: int
    announced: int | None
    head: bytes | None = None
    next_file: int | None = None


def wav_sizes(descriptor: int, first: int, size: int) -> WavSizes | None:
    """Look into the WAV file that begins at byte `first` of a file of some size; None if there is none."""
    head = os.pread(descriptor, _PLAIN, first)
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        return None
    if head[36:40] == b"data" and int.from_bytes(head[40:], "little") == size - first - _PLAIN:
        return WavSizes(first + _PLAIN, size, size)
    head = os.pread(descriptor, _HEAD, first)
    for position, name, claimed in _chunks(descriptor, first + 12, size, "little", first, head):
        if name == b"data":
            return _of_data(descriptor, first, size, position + 8, claimed)
    return None


def _of_data(descriptor: int, first: int, size: int, start: int, claimed: int) -> WavSizes:
    there = size - start
    if claimed > there or there == 0:
        return WavSizes(start, size, None if claimed >= STREAMED else start + claimed)
    announced = start + claimed
    if announced + claimed % 2 >= size - 8:
        return WavSizes(start, size if claimed else start, announced)
    # An odd number of bytes is filled up, or is not.
    for end in (announced + claimed % 2, announced):
        ended, following = _walk(descriptor, end, size, "little")
        if following is not None or ended:
            return WavSizes(start, announced, announced, next_file=following)
    # So a writer leaves the sizes that never came back to the header, or did so only once.
    head = bytearray(os.pread(descriptor, start - first, first))
    head[4:8] = head[-4:] = _UNKNOWN
    stop = _begin_of_last_chunks(descriptor, announced, size)
    return WavSizes(start, stop, announced if claimed else None, head=bytes(head))


def chunks_end_well(descriptor: int, position: int, size: int, order: str) -> bool:
    """Tell whether chunks, as RIFF and AIFF files have them, fill a file from here to its end."""
    # An odd number of bytes is filled up, or is not.
    return any(_walk(descriptor, position + odd, size, order)[0] for odd in (0, 1))


def _walk(descriptor: int, position: int, size: int, order: str) -> tuple[bool, int | None]:
    """Tell whether chunks and padding fill a file from here on, or where between them a file begins."""
    for at, name, claimed in _chunks(descriptor, position, size, order):
        if begins_file(os.pread(descriptor, 32, at)):
            return False, at
        if not (name.isascii() and name.decode("latin-1").isprintable()):
            return is_padding(descriptor, at, size), None
        position = at + 8 + claimed + claimed % 2
        if position > size + 1:
            return name in CHUNKS_BEHIND, None
    return position >= size - 8, None


def _begin_of_last_chunks(descriptor: int, start: int, size: int) -> int:
    """Return where chunks begin that fill a file exactly up to its end; its end if none do."""
    start = max(start, size - _TAIL)
    tail = os.pread(descriptor, size - start, start)
    begins: set[int] = set()
    for match in reversed(list(_A_NAME.finditer(tail))):
        claimed = int.from_bytes(tail[match.end() : match.end() + 4], "little")
        end = match.end() + 4 + claimed
        if abs(end - len(tail)) <= 1 or end in begins or end + claimed % 2 in begins:
            begins.add(match.start())
    return start + min(begins) if begins else size


def is_padding(descriptor: int, position: int, size: int) -> bool:
    """Tell whether nothing but zeros, or a tag of 128 bytes, stands from here to the end of a file."""
    if size - position == 128 and os.pread(descriptor, 3, position) == b"TAG":
        return True
    while position < size:
        block = os.pread(descriptor, min(2**16, size - position), position)
        if not block or block.strip(b"\0"):
            return False
        position += len(block)
    return True


def _chunks(
    descriptor: int, position: int, size: int, order: str, first: int = 0, head: bytes = b""
) -> Iterator[tuple[int, bytes, int]]:
    """Yield position, name and claimed size of chunks; samples that are taken for chunks have odd names."""
    for _ in range(_MOST_CHUNKS):
        if position + 8 > size:
            return
        header = head[position - first : position - first + 8]
        if len(header) < 8:
            header = os.pread(descriptor, 8, position)
        claimed = int.from_bytes(header[4:], "little" if order == "little" else "big")
        yield position, header[:4], claimed
        position += 8 + claimed + claimed % 2
