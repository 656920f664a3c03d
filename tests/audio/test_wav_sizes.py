import struct

import pytest

from tests.audio.encoded import tone
from tests.audio.files import read, wav


@pytest.mark.parametrize("claimed", [2, 16000, 32000, 90000])
def test_a_wav_whose_header_is_stale_is_read_to_its_end(tmp_path, claimed):
    content = bytearray(wav(tone(440, 3.0)))
    content[40:44] = struct.pack("<I", claimed)
    content[4:8] = struct.pack("<I", 36 + claimed)
    samples, _, remarks = read(tmp_path, bytes(content))
    assert len(samples) == 48000
    assert [remark[:12] for remark in remarks] == ["longer: 3.0,"]


@pytest.mark.parametrize(
    "behind",
    [
        b"LIST\x04\x00\x00\x00INFO",
        b"LIST\xff\x00\x00\x00INFO",  # cut off
        b"TAG" + bytes(125),
        bytes(512),
        b"odd chunk"[:4] + b"\x02\x00\x00\x00ab" + b"other"[:4] + bytes(4),
    ],
    ids=["chunk", "cut chunk", "tag", "zeros", "unknown chunks"],
)
def test_what_follows_the_samples_of_a_wav_is_not_taken_for_sound(tmp_path, behind):
    samples, _, remarks = read(tmp_path, wav(tone(440, 1.0)) + behind)
    assert (len(samples), remarks) == (16000, [])


@pytest.mark.parametrize("claimed", [0xFFFFFFFF, 0x7FFFF000, 0x7FFFFFFF, 0])
def test_sizes_that_a_writer_leaves_open_announce_nothing(tmp_path, claimed):
    content = bytearray(wav(tone(440, 1.0)))
    content[40:44] = struct.pack("<I", claimed)
    samples, _, remarks = read(tmp_path, bytes(content))
    assert (len(samples), remarks) == (16000, [])
