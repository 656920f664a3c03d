"""Audio files as damage and malice would change them, each drawn by a seed and a number."""

import contextlib
import io
import random
import re
import struct
import sys
import tempfile

import numpy as np
import soundfile

BYTE_VALUES = [0, 1, 2, 0x7F, 0x80, 0xFE, 0xFF]
FIELDS = [0, 1, 2, 3, 8, 16, 0x7F, 0xFF, 0x100, 0x7FFF, 0xFFFF, 0x10000, 2**24, 2**31 - 1, 2**31, 2**32 - 1]


# Container, encoder and sample rate of what phones, messengers and cameras write.
PHONES = {
    "3gp": ("3gp", "libopencore_amrnb", 8000),
    "aac": ("adts", "aac", 16000),
    "ac3": ("ac3", "ac3", 48000),
    "alac": ("ipod", "alac", 16000),
    "amr": ("amr", "libopencore_amrnb", 8000),
    "avi": ("avi", "libmp3lame", 16000),
    "avi-adpcm": ("avi", "adpcm_ms", 16000),
    "eac3": ("eac3", "eac3", 48000),
    "flv": ("flv", "libmp3lame", 22050),
    "m4a": ("ipod", "aac", 16000),
    "mka-flac": ("matroska", "flac", 16000),
    "mkv-pcm": ("matroska", "pcm_s16le", 16000),
    "mov": ("mov", "pcm_s16be", 16000),
    "mp2": ("mp2", "mp2", 16000),
    "mp3-xing": ("mp3", "libmp3lame", 16000),
    "mp4": ("mp4", "aac", 16000),
    "ts": ("mpegts", "mp2", 16000),
    "tta": ("tta", "tta", 16000),
    "webm": ("webm", "libopus", 48000),
    "wma": ("asf", "wmav2", 16000),
    "wv": ("wv", "wavpack", 16000),
}


def written():
    """A short file of each format and coding that soundfile and FFmpeg write here, by name."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):  # where SD2 leaves a second file
        return dict(_written()) | dict(_of_phones())


def _of_phones():
    import av

    for name, (container, codec, rate) in PHONES.items():
        t = np.arange(rate // 5) / rate
        pcm = np.round(12000 * np.sin(2 * np.pi * 300 * t * (1 + t))).astype(np.int16)
        file = io.BytesIO()
        # Neither times nor numbers that are drawn: each process has to have the same to mutate.
        options = {"fflags": "+bitexact"}
        try:
            with av.open(file, "w", format=container, options=options) as output:
                stream = output.add_stream(codec, rate=rate, options={"flags": "+bitexact", "b": "32000"})
                stream.layout = "mono"
                for start in range(0, len(pcm), 1024):
                    frame = av.AudioFrame.from_ndarray(
                        pcm[None, start : start + 1024], format="s16", layout="mono"
                    )
                    frame.sample_rate, frame.pts = rate, start
                    output.mux(stream.encode(frame))
                output.mux(stream.encode(None))
        except (av.FFmpegError, ValueError) as error:
            print(f"{name} is not written here: {error}", file=sys.stderr)
            continue
        yield f"FFmpeg-{name}", file.getvalue()


def _written():
    t = np.arange(1600) / 16000
    mono = 0.4 * np.sin(2 * np.pi * 300 * t * (1 + t))
    for container in sorted(soundfile.available_formats()):
        for subtype in sorted(soundfile.available_subtypes(container)):
            for channels, rate in ((1, 16000), (2, 8000)):
                file = io.BytesIO()
                try:
                    with soundfile.SoundFile(file, "w", rate, channels, subtype, format=container) as sound:
                        sound.write(np.column_stack([mono] * channels))
                except (soundfile.LibsndfileError, RuntimeError, TypeError, ValueError):
                    continue
                yield f"{container}-{subtype}-{channels}", _timeless(file.getvalue())


def _timeless(content):
    """Take out the time of writing: of PEAK chunks, of MAT5's text, and of Ogg's serial numbers, drawn by it."""
    if content.startswith(b"MATLAB"):
        return re.sub(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", b"2000-01-01 00:00:00", content, count=1)
    if content.startswith(b"OggS"):
        pages = bytearray(re.sub(rb"(?s)(OggS.{10}).{4}", rb"\1" + bytes(4), content))
        _correct_pages(pages)
        return bytes(pages)
    return re.sub(rb"(?s)(PEAK.{8}).{4}", rb"\1" + bytes(4), content, count=1)  # name, size, version, time


def mutated(contents, seed, number):
    """Draw one mutated file: its bytes, the name of the mutation, and which of the contents it was made of."""
    rng = random.Random(f"{seed}/{number}")
    base = rng.choice(sorted(contents))
    content = bytearray(contents[base])
    name = rng.choice(sorted(KINDS))
    if content:
        content = KINDS[name](content, rng, contents)
    if content[:4] == b"OggS" and rng.random() < 0.7:
        _correct_pages(content)  # whose decoder throws away what fails its checksum
    return bytes(content), name, base


def _early(content, rng):
    """A place, most often in the header."""
    return rng.randrange(min(len(content), rng.choice([16, 64, 64, 256, 2**30])))


def flip_bits(content, rng, contents):
    for _ in range(rng.choice([1, 1, 2, 8, 64])):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    return content


def flip_header_bits(content, rng, contents):
    for _ in range(rng.choice([1, 1, 2, 4])):
        content[_early(content, rng)] ^= 1 << rng.randrange(8)
    return content


def set_bytes(content, rng, contents):
    for _ in range(rng.choice([1, 2, 4])):
        content[_early(content, rng)] = rng.choice(BYTE_VALUES)
    return content


def set_field(content, rng, contents):
    for _ in range(rng.choice([1, 1, 2, 3])):
        size = rng.choice([2, 4, 4, 4, 8])
        at = _early(content, rng) & ~1
        value = rng.choice([*FIELDS, len(content), len(content) + 1, 2**63, 2**64 - 1]) % 2 ** (8 * size)
        content[at : at + size] = value.to_bytes(size, rng.choice(["little", "big"]))
    return content


def truncate(content, rng, contents):
    return content[: rng.choice([rng.randrange(len(content)), _early(content, rng), len(content) - 1])]


def extend(content, rng, contents):
    return content + rng.choice([rng.randbytes(1000), bytes(4096), content])


def cut_out(content, rng, contents):
    start = _early(content, rng)
    del content[start : start + rng.choice([1, 2, 4, 8, 100, 1000])]
    return content


def double(content, rng, contents):
    start, size = _early(content, rng), rng.choice([1, 4, 8, 100, 4096])
    content[start:start] = content[start : start + size]
    return content


def noise(content, rng, contents):
    start = _early(content, rng)
    size = min(rng.choice([4, 16, 256, 4096]), len(content) - start)
    content[start : start + size] = rng.randbytes(size)
    return content


def splice(content, rng, contents):
    other = contents[rng.choice(sorted(contents))]
    return content[: _early(content, rng) + 4] + other[rng.randrange(len(other) + 1) :]


def behind_a_signature(content, rng, contents):
    return bytearray(
        content[: rng.choice([4, 8, 12, 36, 44, 64])] + rng.randbytes(rng.choice([16, 500, 5000]))
    )


def claim(content, rng, contents):
    """Say that there is more than there is, where each format says so."""
    many = rng.choice([2**31 - 1, 2**32 - 2, 2**36 - 1, 2**40, 2**53, 2**62, 2**63 - 1, 0])
    head = bytes(content[:4])
    if head == b"fLaC" and len(content) > 26:
        value = int.from_bytes(content[18:26], "big") >> 36 << 36 | many % 2**36
        content[18:26] = value.to_bytes(8, "big")
    elif head == b"OggS":
        last = content.rfind(b"OggS")
        content[last + 6 : last + 14] = struct.pack("<Q", many)
    else:
        names = (
            b"data",
            b"SSND",
            b"COMM",
            b"fmt ",
            b"ds64",
            b"desc",
            b"fact",
            b"Xing",
            b"Info",
            b"RIFF",
            b"FORM",
            b".snd",
        )
        places = [content.find(name) for name in names]
        places = [at for at in places if 0 <= at <= len(content) - 16]
        at = (rng.choice(places) if places else 0) + rng.choice([4, 8, 10, 12])
        size = rng.choice([4, 8])
        content[at : at + size] = (many % 2 ** (8 * size)).to_bytes(size, rng.choice(["little", "big"]))
    return content


def extreme_samples(content, rng, contents):
    """Put NaN, infinities and the largest numbers where samples of floating point may be."""
    single = rng.random() < 0.5
    value = rng.choice([np.nan, np.inf, -np.inf, 3e38, 1e-45, 1e300 if not single else 3e38])
    bits = struct.pack(rng.choice("<>") + ("f" if single else "d"), value)
    for _ in range(rng.choice([1, 10])):
        at = rng.randrange(len(content)) & ~(len(bits) - 1)
        content[at : at + len(bits)] = bits
    return content


def nothing(content, rng, contents):
    return content


KINDS = {
    each.__name__: each
    for each in (
        flip_bits, flip_header_bits, set_bytes, set_field, truncate, extend, cut_out, double, noise, splice,
        behind_a_signature, claim, extreme_samples, nothing,
    )
}  # fmt: skip


def _crc_table():
    table = []
    for byte in range(256):
        value = byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value & 0x80000000 else 0)) & 0xFFFFFFFF
        table.append(value)
    return table


_TABLE = _crc_table()


def _correct_pages(content):
    """Compute the checksum of each Ogg page anew (RFC 3533, section 6)."""
    at = content.find(b"OggS")
    while 0 <= at <= len(content) - 27:
        n_segments = content[at + 26]
        end = at + 27 + n_segments + sum(content[at + 27 : at + 27 + n_segments])
        if end > len(content):
            return
        content[at + 22 : at + 26] = bytes(4)
        value = 0
        for byte in content[at:end]:
            value = (value << 8 & 0xFFFFFFFF) ^ _TABLE[value >> 24 ^ byte]
        content[at + 22 : at + 26] = value.to_bytes(4, "little")
        at = content.find(b"OggS", end)
