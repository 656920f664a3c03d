import struct

import numpy as np
import pytest

from tests.audio.encoded import encode, tone
from tests.audio.files import noisy, read, with_soundfile
from voicelstm.audio._file_ends import announced_by_log


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_an_ogg_file_without_its_end_says_where_it_ends(tmp_path, subtype):
    content = with_soundfile(noisy(), format="OGG", subtype=subtype)
    samples, rate, remarks = read(tmp_path, content[: len(content) // 2])
    assert remarks == [f"cut off: after {len(samples) / rate:.1f} s, without the mark that ends such a file"]


@pytest.mark.parametrize("codec", ["flac", "libopus"])
def test_an_ogg_file_that_ffmpeg_reads_says_that_it_lacks_its_end(tmp_path, codec):
    content = encode(noisy(48000), "ogg", codec, 48000)
    assert read(tmp_path, content)[2] == []
    samples, rate, remarks = read(tmp_path, content[: len(content) // 2])
    assert remarks == [f"cut off: after {len(samples) / rate:.1f} s, without the mark that ends such a file"]


@pytest.mark.parametrize("behind", [bytes(3000), b"LYRICSBEGIN" + b"la" * 1000 + b"002011LYRICS200"])
@pytest.mark.parametrize("tag", [b"", b"TAG" + bytes(125)])
def test_padding_and_lyrics_behind_an_mp3_are_not_counted_as_unheard(tmp_path, behind, tag):
    assert read(tmp_path, with_soundfile(noisy(), format="MP3") + behind + tag)[2] == []


@pytest.mark.parametrize(
    "tag", [b"TAG" + bytes(125), b"APETAGEX" + struct.pack("<II", 2000, 4000) + bytes(4016)]
)
def test_tags_behind_an_mp3_do_not_make_it_longer(tmp_path, tag):
    content = encode(tone(440, 3.0), "mp3", "libmp3lame", 16000)
    plain, _, _ = read(tmp_path, content)
    samples, _, remarks = read(tmp_path, content + tag)
    assert remarks == []
    np.testing.assert_array_equal(samples, plain)


def test_the_log_of_a_header_says_how_much_it_announces():
    assert announced_by_log("  Frames      : 96000\n SSND : 192008 (should be 95981)\n", 47986) == 96000
    assert announced_by_log("  Data Size   : 192000 (should be 96000)\n", 48000) == 96000
    assert announced_by_log("  Data Size   : 192000\n", 48000) == 48000
    assert announced_by_log("Data length 96000 should be 48000\n", 48000) == 96000
    assert announced_by_log("data : 4294967295 (should be 0)\n", 0) == 0
