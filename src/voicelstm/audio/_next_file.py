"""Where in a file the next one begins, which was joined to it."""

import os
import re

from voicelstm.audio._container_sizes import announced_end

__all__ = ["begins_file", "next_file", "next_flac", "right_behind"]

_FLAC, _WAV = re.compile(rb"fLaC\0\0\0\""), re.compile(rb"RIFF.{4}WAVE", re.DOTALL)
# What recordings begin with, by more bytes than chance would hold.
_BEGINNINGS = (
    _FLAC,
    _WAV,
    *(
        re.compile(beginning, re.DOTALL)
        for beginning in (
            rb"OggS\0\x02",
            rb"RF64.{4}WAVE",
            rb"RIFX.{4}WAVE",
            rb"FORM.{4}(?:AIF|8SVX|16SV)",
            rb"riff\x2e\x91\xcf\x11",
            rb"caff\0\x01\0\0",
            rb"NIST_1A\n",
            rb"Creative Voice File\x1a",
            rb"ID3[\x03\x04]\0",
            rb"TTA1\x01\0",
            rb"#!AMR",
            rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11",
            rb"\x1a\x45\xdf\xa3.\x42\x86\x81\x01",
            rb"\0\0\0.ftyp",
        )
    ),
)
_LENGTH = 32  # bytes that tell whether a file begins
_BLOCK = 2**20
_MOST_TAGS = 10
_READ_AHEAD = 2**13  # bytes that libFLAC reads at once


def begins_file(head: bytes) -> bool:
    """Tell whether a recording begins with these bytes."""
    return any(beginning.match(head) for beginning in _BEGINNINGS)


def next_file(descriptor: int, position: int, size: int) -> int | None:
    """Return where the first recording begins in a file from some byte on; None if none does."""
    while position < size:
        content = os.pread(descriptor, _BLOCK + _LENGTH, position)
        found = [match.start() for beginning in _BEGINNINGS if (match := beginning.search(content))]
        if found or not content:
            return position + min(found) if found else None
        position += _BLOCK
    return None


def right_behind(descriptor: int, begin: int, size: int) -> int | None:
    """Return where a recording begins right behind another, by what the container of that says, or None."""
    end = announced_end(descriptor, begin, size)
    if end is None or end >= size:
        return None
    return end if begins_file(os.pread(descriptor, _LENGTH, end)) else None


def next_flac(descriptor: int, position: int, begin: int) -> int | None:
    """Return where the next FLAC or WAV file begins in what libFLAC had read ahead; None if none does.

    The FLAC file that it read begins at `begin`, or behind ID3 tags that begin there.
    """
    start = max(position - _READ_AHEAD, _behind_tags(descriptor, begin) + 1)
    content = os.pread(descriptor, max(position + _LENGTH - start, 0), start)
    if b"fLaC" not in content and b"RIFF" not in content:  # at a fraction of the price
        return None
    found = [match.start() for beginning in (_FLAC, _WAV) if (match := beginning.search(content))]
    return start + min(found) if found else None


def _behind_tags(descriptor: int, begin: int) -> int:
    for _ in range(_MOST_TAGS):
        head = os.pread(descriptor, 10, begin)
        if head[:3] != b"ID3" or len(head) < 10:
            break
        begin += 10 + sum((byte & 127) << 7 * place for place, byte in enumerate(reversed(head[6:])))
    return begin
