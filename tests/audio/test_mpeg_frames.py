import pytest

from tests.audio.encoded import encode, encoded, tone
from tests.audio.files import noisy, read, with_soundfile
from voicelstm.audio._mpeg_frames import ac3_frame_bytes, ends_within_frame, mpeg_frame_bytes


@pytest.mark.parametrize(
    ("header", "n_bytes"),
    [
        ("fffb9000", 417),  # MPEG-1 layer III, 128 kbit/s, 44.1 kHz: 144 * 128000 / 44100
        ("fffb9200", 418),  # filled up
        ("fff38000", 208),  # MPEG-2 layer III, 64 kbit/s, 22.05 kHz: 72 * 64000 / 22050
        ("ffe38800", 576),  # MPEG-2.5 layer III, 64 kbit/s, 8 kHz
        ("fffda400", 576),  # MPEG-1 layer II, 192 kbit/s, 48 kHz
        ("ffff9400", 288),  # MPEG-1 layer I, 288 kbit/s, 48 kHz: 4 * 12 * 288000 / 48000
        ("fffb0000", None),  # any bit rate
        ("fffbfc00", None),
        ("ffeb9000", None),
        ("00fb9000", None),
        ("fffb90", None),
    ],
)
def test_the_length_of_an_mpeg_frame_is_that_of_the_standard(header, n_bytes):
    assert mpeg_frame_bytes(bytes.fromhex(header)) == n_bytes


@pytest.mark.parametrize(
    ("header", "n_bytes"),
    [
        ("0b7700001440", 768),  # 192 kbit/s, 48 kHz
        ("0b7700005540", 2 * 418),  # 192 kbit/s, 44.1 kHz, filled up
        ("0b7700009440", 1152),  # 32 kHz
        ("0b7700ff0080", 512),  # E-AC-3
        ("0b770000c040", None),
        ("0b77", None),
    ],
)
def test_the_length_of_an_ac3_frame_is_that_of_the_standard(header, n_bytes):
    assert ac3_frame_bytes(bytes.fromhex(header)) == n_bytes


@pytest.mark.parametrize("codec", ["libmp3lame", "mp2"])
@pytest.mark.parametrize("rate", [16000, 44100])
def test_an_mpeg_stream_that_ends_within_a_frame_is_told_from_a_whole_one(tmp_path, codec, rate):
    content = encode(noisy(rate), "mp3" if codec == "libmp3lame" else codec, codec, rate)
    path = tmp_path / "stream"
    for n_missing, ends_within in ((0, False), (1, True), (40, True), (100, True)):
        path.write_bytes(content[: len(content) - n_missing])
        with path.open("rb") as file:
            assert ends_within_frame(file.fileno(), len(content) - n_missing) is ends_within


@pytest.mark.parametrize("suffix", ["mp3", "ac3", "aac", "amr", "mp2"])
def test_a_stream_without_a_header_that_is_cut_within_a_frame_says_so(tmp_path, suffix):
    if suffix in ("mp2", "mp3"):
        codec = "libmp3lame" if suffix == "mp3" else "mp2"
        content = encode(noisy(), suffix, codec, 16000, muxing={"write_xing": "0"} if suffix == "mp3" else {})
    else:
        content = encoded(suffix, noisy({"ac3": 48000, "amr": 8000}.get(suffix, 16000)))
    assert read(tmp_path, content)[2] == []
    samples, rate, remarks = read(tmp_path, content[: len(content) // 2 - 3])
    assert remarks == [f"cut off: after {len(samples) / rate:.1f} s, within a frame"]


def test_of_a_frame_that_is_cut_no_noise_is_heard(tmp_path):
    content = encode(tone(440, 6.0) / 10, "mpeg", "mp2", 16000)
    loudest = 0.0
    for n_bytes in range(40_000, 41_500, 97):
        samples, _, remarks = read(tmp_path, content[:n_bytes])
        loudest = max(loudest, abs(samples).max())
        assert [remark[:8] for remark in remarks] in ([], ["cut off:"])
    assert loudest < 0.06


def test_a_tag_behind_the_last_frame_is_none_that_is_cut(tmp_path):
    content = with_soundfile(noisy(), format="MP3")
    assert read(tmp_path, content + b"TAG" + bytes(125))[2] == []
