"""How long the frames of MPEG audio and of AC-3 are, by their headers."""

import os

__all__ = ["ac3_frame_bytes", "ends_within_frame", "mpeg_frame_bytes"]

# kbit/s by index; ISO 11172-3 and 13818-3. MPEG-2.5 has the rates of MPEG-2.
_BIT_RATES = {
    (1, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_SAMPLE_RATES = (44100, 48000, 32000)
_AC3_RATES = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640)
_LONGEST = 2**11  # bytes of a frame, and more
_CHAIN = 3  # frames one behind the other that are no chance


def mpeg_frame_bytes(header: bytes) -> int | None:
    """Return the length of a frame of MPEG audio by its first four bytes; None if they do not say."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return None
    version, layer = header[1] >> 3 & 3, 4 - (header[1] >> 1 & 3)  # version 3 is MPEG-1, 2 MPEG-2, 0 MPEG-2.5
    rate_index, padding = header[2] >> 2 & 3, header[2] >> 1 & 1
    if version == 1 or layer == 4 or rate_index == 3 or header[2] >> 4 in (0, 15):
        return None
    bit_rate = 1000 * _BIT_RATES[1 if version == 3 else 2, layer][header[2] >> 4]
    sample_rate = _SAMPLE_RATES[rate_index] // {3: 1, 2: 2, 0: 4}[version]
    if layer == 1:
        return 4 * (12 * bit_rate // sample_rate + padding)
    slots = 72 if layer == 3 and version != 3 else 144
    return slots * bit_rate // sample_rate + padding


def ac3_frame_bytes(header: bytes) -> int | None:
    """Return the length of a frame of AC-3 or E-AC-3 by its first six bytes; None if they do not say."""
    if len(header) < 6 or header[:2] != b"\x0b\x77":
        return None
    if header[5] >> 3 > 10:  # E-AC-3
        return 2 * ((header[2] & 7) << 8 | header[3]) + 2
    rate_index, index = header[4] >> 6, header[4] & 63
    if rate_index == 3 or index >> 1 >= len(_AC3_RATES):
        return None
    bit_rate = _AC3_RATES[index >> 1]
    words = (2 * bit_rate, bit_rate * 96000 // 44100 + index % 2, 3 * bit_rate)[rate_index]
    return 2 * words


def ends_within_frame(descriptor: int, stop: int) -> bool:
    """Tell whether a stream of MPEG audio that fills a file up to some byte ends within a frame."""
    start = max(0, stop - _LONGEST)
    tail = os.pread(descriptor, stop - start, start)
    at = tail.rfind(b"\xff")
    while at >= 0:
        if mpeg_frame_bytes(tail[at : at + 4]) == len(tail) - at:
            return False
        at = tail.rfind(b"\xff", 0, at)
    start = max(0, stop - (_CHAIN + 2) * _LONGEST)
    tail = os.pread(descriptor, stop - start, start)
    at = tail.find(b"\xff")
    while at >= 0:
        position, n_frames = at, 0
        while (n_bytes := mpeg_frame_bytes(tail[position : position + 4])) is not None:
            if position + n_bytes > len(tail):
                break
            position, n_frames = position + n_bytes, n_frames + 1
        if n_frames >= _CHAIN:
            return n_bytes is not None or 0 < len(tail) - position < 4
        at = tail.find(b"\xff", at + 1)
    return False
