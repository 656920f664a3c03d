import numpy as np
import pytest

from tests.audio.encoded import encode, encoded, tone
from tests.audio.files import check_two_tones, noisy, read, wav, with_soundfile
from voicelstm.audio._next_file import begins_file, next_file

WRITTEN = {
    "WAV": wav,
    "FLAC": lambda x: with_soundfile(x, format="FLAC"),
    "AIFF": lambda x: with_soundfile(x, format="AIFF"),
    "SVX": lambda x: with_soundfile(x, format="SVX"),
    "RF64": lambda x: with_soundfile(x, format="RF64"),
    "CAF": lambda x: with_soundfile(x, format="CAF"),
    "Vorbis": lambda x: with_soundfile(x, format="OGG", subtype="VORBIS"),
    "MP3": lambda x: encode(x, "mp3", "libmp3lame", 16000),
}


@pytest.mark.parametrize(
    "pair",
    [
        "FLAC WAV", "MP3 FLAC", "WAV FLAC", "WAV MP3", "Vorbis WAV", "AIFF AIFF", "SVX SVX", "RF64 RF64",
        "CAF CAF", "AIFF FLAC",
    ],
)  # fmt: skip
def test_files_of_several_formats_that_were_joined_are_all_read(tmp_path, pair):
    first, second = pair.split()
    content = WRITTEN[first](tone(300, 3.0)) + WRITTEN[second](tone(1000, 3.0))
    samples, rate, remarks = read(tmp_path, content)
    check_two_tones(samples, rate)
    assert remarks[0].startswith("longer: 6.0, not 3.0 s")


@pytest.mark.parametrize("second", ["FLAC", "WAV", "M4A"])
def test_what_follows_an_mp3_whose_header_does_not_say_how_long_it_is_is_counted(
    tmp_path, second, monkeypatch
):
    monkeypatch.setattr("audioread.available_backends", list)  # of which none tells what follows
    behind = encoded("m4a", tone(1000, 3.0)) if second == "M4A" else WRITTEN[second](tone(1000, 3.0))
    content = encode(tone(300, 3.0), "mp3", "libmp3lame", 16000, muxing={"write_xing": "0"})
    samples, rate, remarks = read(tmp_path, content + behind)
    assert len(samples) / rate == pytest.approx(3.0, abs=0.15)
    assert len(remarks) == 1
    n_bytes, words = remarks[0].split(" ", 1)
    assert words.startswith("bytes behind what was read are not heard")
    assert len(behind) - 1024 <= int(n_bytes) <= len(behind)


@pytest.mark.parametrize("n_samples", [300, 1600, 3200, 8000])
@pytest.mark.parametrize("first", ["quiet", "loud"])
def test_a_short_flac_behind_another_is_read_to_the_sample(tmp_path, n_samples, first):
    samples = tone(300, 3.0) if first == "quiet" else noisy()
    content = WRITTEN["FLAC"](samples) + WRITTEN["FLAC"](tone(1000, n_samples / 16000))
    found, _, remarks = read(tmp_path, content)
    assert len(found) == len(samples) + n_samples
    np.testing.assert_allclose(found[: len(samples)], samples, atol=2**-15)
    np.testing.assert_allclose(found[len(samples) :], tone(1000, n_samples / 16000), atol=2**-15)
    assert remarks[0].startswith("longer: ")


@pytest.mark.parametrize("n_tags", [1, 2])
@pytest.mark.parametrize("n_bytes", [0, 100, 2000])
def test_a_short_flac_behind_a_tag_is_read_once(tmp_path, n_bytes, n_tags):
    tag = b"ID3\x03\x00\x00\x00\x00" + bytes([n_bytes >> 7, n_bytes & 127]) + bytes(n_bytes)
    samples, _, remarks = read(tmp_path, tag * n_tags + WRITTEN["FLAC"](tone(440, 0.1)))
    assert (len(samples), remarks) == (1600, [])


def test_the_next_file_is_found_in_any_place(tmp_path):
    content = wav(tone(440, 0.1))
    for at in (1, 2**20 - 5, 2**20 + 3):
        path = tmp_path / "file"
        path.write_bytes(bytes(at) + content)
        with path.open("rb") as file:
            assert next_file(file.fileno(), 0, at + len(content)) == at
            assert next_file(file.fileno(), at + 1, at + len(content)) is None


@pytest.mark.parametrize("suffix", ["m4a", "mka", "wma", "tta", "amr"])
def test_formats_of_phones_are_known_by_their_beginning(suffix):
    assert begins_file(encoded(suffix, tone(440, 0.5, 8000 if suffix == "amr" else 16000))[:32])
    assert not begins_file(np.random.default_rng(0).bytes(32))
