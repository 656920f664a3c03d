import struct

import pytest

from tests.audio.encoded import tone
from tests.audio.files import check_two_tones, read, wav, with_soundfile


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
        b"LIST\x04\x00\x00\x00INFO" + bytes(3000),
    ],
    ids=["chunk", "cut chunk", "tag", "zeros", "unknown chunks", "chunk and zeros"],
)
def test_what_follows_the_samples_of_a_wav_is_not_taken_for_sound(tmp_path, behind):
    samples, _, remarks = read(tmp_path, wav(tone(440, 1.0)) + behind)
    assert (len(samples), remarks) == (16000, [])


@pytest.mark.parametrize("claimed", [0xFFFFFFFF, 0x7FFFF000, 0x7FFFEFFF, 0x7FFFFFFF, 0])
def test_sizes_that_a_writer_leaves_open_announce_nothing(tmp_path, claimed):
    content = bytearray(wav(tone(440, 1.0)))
    content[40:44] = struct.pack("<I", claimed)
    samples, _, remarks = read(tmp_path, bytes(content))
    assert (len(samples), remarks) == (16000, [])


@pytest.mark.parametrize("padding", [b"", b"\x00"], ids=["not filled up", "filled up"])
def test_chunks_behind_an_odd_number_of_bytes_are_not_taken_for_sound(tmp_path, padding):
    content = with_soundfile(tone(440, 1.0)[:15999], format="WAV", subtype="PCM_U8")[: 44 + 15999]
    samples, _, remarks = read(tmp_path, content + padding + b"LIST\x04\x00\x00\x00INFO")
    assert (len(samples), remarks) == (15999, [])


def test_chunks_at_the_end_are_not_taken_for_sound_where_the_header_is_stale(tmp_path):
    content = bytearray(wav(tone(440, 3.0)) + b"LIST\x04\x00\x00\x00INFO")
    content[40:44] = struct.pack("<I", 20000)
    samples, _, remarks = read(tmp_path, bytes(content))
    assert (len(samples), [remark[:12] for remark in remarks]) == (48000, ["longer: 3.0,"])


@pytest.mark.parametrize("between", [b"", b"LIST\x04\x00\x00\x00INFO", b"LIST\x03\x00\x00\x00INF\x00"])
def test_a_wav_behind_the_chunks_of_another_is_read(tmp_path, between):
    samples, rate, remarks = read(tmp_path, wav(tone(300, 3.0)) + between + wav(tone(1000, 3.0)))
    check_two_tones(samples, rate)
    assert len(samples) == 96000
    assert remarks[0].startswith("longer: 6.0, not 3.0 s")


def test_a_wav_behind_an_odd_number_of_bytes_that_is_not_filled_up_is_read(tmp_path):
    first = with_soundfile(tone(300, 3.0)[:47999], format="WAV", subtype="PCM_U8")[: 44 + 47999]
    samples, rate, _ = read(tmp_path, first + wav(tone(1000, 3.0)))
    check_two_tones(samples, rate)
    assert len(samples) == 47999 + 48000


@pytest.mark.parametrize("container", ["WAV", "RF64"])
def test_a_wav_with_a_chunk_behind_its_samples_is_decoded_once(tmp_path, container, monkeypatch):
    monkeypatch.setattr("voicelstm.audio._decoding.read_with_ffmpeg", lambda *_: pytest.fail("decoded twice"))
    content = with_soundfile(tone(440, 1.0), format=container) + b"LIST\x04\x04\x00\x00INFO" + b"x" * 1024
    samples, _, remarks = read(tmp_path, content)
    assert (len(samples), remarks) == (16000, [])
