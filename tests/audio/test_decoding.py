import random
import warnings

import pytest

from tests.audio.encoded import encode, encoded, loudest_frequency, tone
from tests.audio.files import check_two_tones, read, wav, with_soundfile
from voicelstm.audio import read_audio
from voicelstm.exceptions import AudioError, AudioWarning


@pytest.mark.parametrize(
    ("file", "seconds", "remarks"),
    [
        ("flac_streamed_length_0.flac", 6.0, []),
        ("mp3_vbr_without_xing.mp3", 169 * 576 / 16000, ["longer: 6.1, not 3.4 s"]),
        ("wavpack.wv", 6.0, []),
        ("truncated_flac_claims_6s.flac", 2.736, ["cut off: 2.7 of 6.0 s"]),
    ],
)
def test_the_shared_cases_are_read_whole_and_their_lengths_compared(shared, file, seconds, remarks):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", AudioWarning)
        samples, rate = read_audio(shared / "cases" / file)
    assert len(samples) / rate == pytest.approx(seconds, abs=1e-9)
    assert len(caught) == len(remarks)
    for warning, words in zip(caught, remarks, strict=True):
        assert f"{file}: {words}" in str(warning.message)


# How streams are joined that stand one behind the other in a file.
JOINED = {
    "WAV": lambda x: wav(x),
    "FLAC": lambda x: with_soundfile(x, format="FLAC"),
    "Ogg Vorbis": lambda x: with_soundfile(x, format="OGG", subtype="VORBIS"),
    "Ogg Opus": lambda x: with_soundfile(x, format="OGG", subtype="OPUS"),
    "MP3": lambda x: encode(x, "mp3", "libmp3lame", 16000),
    "MP3 without Xing": lambda x: encode(x, "mp3", "libmp3lame", 16000, muxing={"write_xing": "0"}),
    "AAC": lambda x: encoded("aac", x),
}


@pytest.mark.parametrize("joined", JOINED)
def test_all_streams_of_a_file_are_read_and_not_the_first_alone(tmp_path, joined):
    content = JOINED[joined](tone(300, 3.0)) + JOINED[joined](tone(1000, 3.0))
    samples, rate, remarks = read(tmp_path, content)
    check_two_tones(samples, rate)
    if joined not in ("AAC", "MP3 without Xing"):  # which announce nothing
        assert remarks[0].startswith("longer: ")
        assert ", not 3.0 s" in remarks[0]


@pytest.mark.parametrize(
    "junk", [bytes(100), bytes(5000), b"ICY 200 OK\r\n\x00", random.Random(0).randbytes(3000)]
)
@pytest.mark.parametrize("xing", ["0", "1"])
def test_an_mp3_behind_junk_is_read(tmp_path, junk, xing):
    content = encode(tone(440, 3.0), "mp3", "libmp3lame", 16000, muxing={"write_xing": xing})
    samples, rate, _ = read(tmp_path, junk + content)
    assert len(samples) / rate == pytest.approx(3.0, abs=0.12)
    assert loudest_frequency(samples[rate : 2 * rate], rate) == pytest.approx(440, abs=2)


def test_an_mp3_that_begins_within_a_frame_is_read(tmp_path):
    content = encode(tone(440, 3.0), "mp3", "libmp3lame", 16000)
    samples, rate, _ = read(tmp_path, content[len(content) // 3 + 7 :])
    assert len(samples) / rate == pytest.approx(2.0, abs=0.15)


def test_sphere_with_shorten_is_called_that(tmp_path):
    header = b"NIST_1A\n   1024\nsample_coding -s26 pcm,embedded-shorten-v2.00\nend_head\n".ljust(1024)
    path = tmp_path / "timit.wav"
    path.write_bytes(header + b"ajkg\x02" + bytes(1000))
    with pytest.raises(AudioError, match=r"NIST SPHERE file compressed with shorten.*sph2pipe"):
        read_audio(path)
