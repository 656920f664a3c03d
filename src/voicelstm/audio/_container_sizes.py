"""How many bytes a file has by what its container says."""

import os
import re

__all__ = ["announced_end"]

_HEAD = 2**16  # bytes in which a Windows Media file says its size
_STREAMED = 0x7FFFF000  # what programs that cannot go back write for a size that they do not know, or more
_ASF = b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"
_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"
_WAVE64, _VOICE, _SPHERE = b"riff\x2e\x91\xcf\x11", b"Creative Voice File\x1a", b"NIST_1A\n"
_COUNT = re.compile(rb"^(sample_count|channel_count|sample_n_bytes) -\S+ (\d{1,12})\s*$", re.MULTILINE)
_NEW_SOUND, _SOX_FORGETS = 9, 8  # kind of a block in VOC files, and bytes that SoX does not count in it
_MOST_PARTS = 10_000  # boxes, chunks or blocks


def announced_end(descriptor: int, begin: int, size: int) -> int | None:
    """Return where the file that begins here ends by what its container says; None if it does not say."""
    head = os.pread(descriptor, 32, begin)
    if head[:4] == b"FORM" or (head[:4] == b"RIFF" and head[8:12] == b"AVI "):
        n_bytes = int.from_bytes(head[4:8], "big" if head[:4] == b"FORM" else "little")
        return begin + 8 + n_bytes + n_bytes % 2 if 0 < n_bytes < _STREAMED else None
    if head.startswith(_WAVE64):
        n_bytes = int.from_bytes(head[16:24], "little")
        return begin + n_bytes + -n_bytes % 8 if 0 < n_bytes < 2**62 else None
    says = next((says for found, says in _SAYING if head.startswith(found)), None)
    if says is None and head[4:8] == b"ftyp":
        says = _of_mp4
    return None if says is None else says(descriptor, begin, size)


def _of_asf(descriptor: int, begin: int, size: int) -> int | None:
    head = os.pread(descriptor, _HEAD, begin)
    at = head.find(_FILE_PROPERTIES)
    is_live = at < 0 or len(head) < at + 89 or head[at + 88] & 1
    n_bytes = 0 if is_live else int.from_bytes(head[at + 40 : at + 48], "little")
    return begin + n_bytes if n_bytes else None


def _of_matroska(descriptor: int, begin: int, size: int) -> int | None:
    head = os.pread(descriptor, 4096, begin)
    length, n_bytes = _number(head, 4)
    at = 4 + length + (n_bytes or 0)
    if head[at : at + 4] != _SEGMENT:
        return None
    length, n_bytes = _number(head, at + 4)
    return None if n_bytes is None else begin + at + 4 + length + n_bytes


def _number(head: bytes, at: int) -> tuple[int, int | None]:
    """Return the length and value of a number of EBML, None of one that means "unknown"."""
    length = 9 - head[at].bit_length() if at < len(head) else 9
    if length > 8 or at + length > len(head):
        return 0, None
    most = (1 << 7 * length) - 1
    value = int.from_bytes(head[at : at + length], "big") & most
    return length, None if value == most else value


def _of_mp4(descriptor: int, begin: int, size: int) -> int | None:
    position = begin
    for _ in range(_MOST_PARTS):
        header = os.pread(descriptor, 16, position)
        name = header[4:8]
        if position > begin and (name == b"ftyp" or not name.decode("latin-1").isprintable()):
            return position
        n_bytes = int.from_bytes(header[:4], "big")
        if n_bytes == 1:
            n_bytes = int.from_bytes(header[8:16], "big")
        if n_bytes < 8:  # 0: up to the end of the file
            return None
        position += n_bytes
        if position >= size:
            return position
    return None


def _of_caf(descriptor: int, begin: int, size: int) -> int | None:
    position = begin + 8
    for _ in range(_MOST_PARTS):
        header = os.pread(descriptor, 12, position)
        n_bytes = int.from_bytes(header[4:], "big", signed=True)
        if len(header) < 12 or n_bytes < 0:  # -1: up to the end of the file
            return None
        position += 12 + n_bytes
        if header[:4] == b"data" or position >= size:
            return position
    return None


def _of_voice(descriptor: int, begin: int, size: int) -> int | None:
    position = begin + int.from_bytes(os.pread(descriptor, 2, begin + 20), "little")
    for _ in range(_MOST_PARTS):
        header = os.pread(descriptor, 4, position)
        if len(header) < 4 or not 0 < header[0] < 10:
            return position + 1 if header[:1] == b"\0" else None
        position += 4 + int.from_bytes(header[1:], "little")
        if header[0] == _NEW_SOUND and position + _SOX_FORGETS + 1 == size:
            return size
        if position >= size:
            return position
    return None


def _of_sphere(descriptor: int, begin: int, size: int) -> int | None:
    head = os.pread(descriptor, 1024, begin)
    counts = {name: int(number) for name, number in _COUNT.findall(head)}
    if len(counts) < 3 or b"embedded" in head or not head[8:16].strip().isdigit():
        return None
    return (
        begin
        + int(head[8:16])
        + counts[b"sample_count"] * counts[b"channel_count"] * counts[b"sample_n_bytes"]
    )


_SAYING = (
    (_ASF, _of_asf),
    (_EBML, _of_matroska),
    (b"caff", _of_caf),
    (_VOICE, _of_voice),
    (_SPHERE, _of_sphere),
)
