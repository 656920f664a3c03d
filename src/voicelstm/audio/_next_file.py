"""Where in a file the next one begins, which was joined to it."""

import os

from voicelstm.audio._container_sizes import announced_end

__all__ = ["begins_file", "next_file", "next_flac", "right_behind"]

# What files begin with: some bytes, and which others stand at which place behind their first one.
_BEGINNINGS = (
    (b"fLaC\x00\x00\x00\x22", 0, b""),
    (b"RIFF", 8, b"WAVE"),
    (b"OggS\x00\x02", 0, b""),
    (b"RF64", 8, b"WAVE"),
    (b"RIFX", 8, b"WAVE"),
    (b"FORM", 8, b"AIF"),
    (b"FORM", 8, b"8SVX"),
    (b"FORM", 8, b"16SV"),
    (b"riff\x2e\x91\xcf\x11", 0, b""),
    (b"caff\x00\x01\x00\x00", 0, b""),
    (b"NIST_1A\n", 0, b""),
    (b"Creative Voice File\x1a", 0, b""),
    (b"ID3\x03\x00", 0, b""),
    (b"ID3\x04\x00", 0, b""),
    (b"TTA1\x01\x00", 0, b""),
    (b"#!AMR", 0, b""),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", 0, b""),
    (b"\x1a\x45\xdf\xa3", 5, b"\x42\x86\x81\x01"),
    (b"\x00\x00\x00", 4, b"ftyp"),
)
_LENGTH = 32  # bytes that tell whether a file begins
_BLOCK = 2**20
_READ_AHEAD = 2**13  # bytes that libFLAC reads at once


def begins_file(head: bytes) -> bool:
    """Tell whether a recording begins with these bytes, by more of them than chance would hold."""
    return any(head.startswith(first) and head.startswith(other, at) for first, at, other in _BEGINNINGS)


def next_file(descriptor: int, position: int, size: int) -> int | None:
    """Return where the first recording begins in a file from some byte on, None if none does."""
    while position < size:
        content = os.pread(descriptor, _BLOCK + _LENGTH, position)
        found = [at for beginning in _BEGINNINGS if (at := _find(content, *beginning)) >= 0]
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


def next_flac(descriptor: int, position: int, first: int) -> int | None:
    """Return where the next FLAC or WAV file begins in what libFLAC had read ahead; None if none does."""
    start = max(position - _READ_AHEAD, first + 1)
    content = os.pread(descriptor, position + _LENGTH - start, start)
    found = [at for beginning in _BEGINNINGS[:2] if (at := _find(content, *beginning)) >= 0]
    return start + min(found) if found else None


def _find(content: bytes, first: bytes, offset: int, other: bytes) -> int:
    at = content.find(first)
    while at >= 0 and not content.startswith(other, at + offset):
        at = content.find(first, at + 1)
    return at
