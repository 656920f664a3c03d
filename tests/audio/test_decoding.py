import io
import random
import struct
import subprocess
import sys
import warnings

import numpy as np
import pytest
import soundfile

from tests.audio.encoded import FORMATS, encode, encoded, loudest_frequency, tone
from voicelstm.audio import read_audio
from voicelstm.exceptions import AudioError, AudioWarning


def read(tmp_path, content, **kwargs):
    """Samples, rate and warnings of a file that holds these bytes."""
    path = tmp_path / "recording"
    path.write_bytes(content)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", AudioWarning)
        samples, rate = read_audio(path, **kwargs)
    texts = [str(each.message) for each in caught if issubclass(each.category, AudioWarning)]
    assert all(text.startswith(f"{path}: ") for text in texts)
    return samples, rate, [text.removeprefix(f"{path}: ") for text in texts]


def with_soundfile(samples, rate=16000, **kwargs):
    file = io.BytesIO()
    soundfile.write(file, samples, rate, **kwargs)
    return file.getvalue()


def wav(samples, rate=16000):
    return with_soundfile(samples, rate, format="WAV", subtype="PCM_16")


def noisy(rate=16000):
    """Six seconds of a tone in noise, which no codec makes so small that half a file is nothing."""
    return tone(440, 6.0, rate) + np.random.default_rng(0).normal(0, 0.05, 6 * rate)


def check_two_tones(samples, rate, seconds=3.0):
    """Check that a tone of 300 Hz is followed by one of 1000 Hz, each of so many seconds."""
    n_each = round(seconds * rate)
    assert len(samples) / rate == pytest.approx(2 * seconds, abs=0.15)
    margin = n_each // 10
    assert loudest_frequency(samples[margin : n_each - margin], rate) == pytest.approx(300, abs=2)
    assert loudest_frequency(samples[n_each + margin :], rate) == pytest.approx(1000, abs=2)


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


@pytest.mark.parametrize("suffix", FORMATS)
def test_formats_of_phones_and_cameras_are_read_without_anything_installed(tmp_path, suffix):
    rate = FORMATS[suffix][2]
    samples, found_rate, remarks = read(tmp_path, encoded(suffix, tone(440, 2.0, rate)))
    assert (found_rate, remarks) == (rate, [])
    assert len(samples) / rate == pytest.approx(2.0, abs=0.15)
    middle = samples[rate // 2 : 3 * rate // 2]
    assert loudest_frequency(middle, rate) == pytest.approx(440, abs=2)
    assert np.sqrt(np.mean(np.square(middle))) == pytest.approx(0.5 / np.sqrt(2), rel=0.2)


@pytest.mark.parametrize("container", ["mp4", "matroska", "avi"])
def test_of_a_film_the_sound_is_read(tmp_path, container):
    content = encode(
        tone(440, 2.0), container, "aac" if container == "mp4" else "libmp3lame", 16000, film=True
    )
    samples, rate, remarks = read(tmp_path, content)
    assert (rate, remarks) == (16000, [])
    assert loudest_frequency(samples[8000:24000], rate) == pytest.approx(440, abs=2)


def test_a_film_without_sound_is_refused_in_words(tmp_path):
    path = tmp_path / "silent.mp4"
    path.write_bytes(encode(np.zeros(16000), "mp4", "aac", 16000, film=True, tracks=0))
    with pytest.raises(AudioError, match="it has no audio track"):
        read_audio(path)


def test_of_several_audio_tracks_the_first_is_read_and_said(tmp_path):
    content = encode(tone(440, 1.0), "matroska", "flac", 16000, tracks=2)
    samples, rate, remarks = read(tmp_path, content)
    assert remarks == ["2 audio tracks: the first was read"]
    assert len(samples) == rate


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_ffmpeg_s_samples_are_soundfile_s(tmp_path, monkeypatch, subtype):
    path = tmp_path / "recording.wav"
    soundfile.write(path, np.stack([tone(440, 0.1), tone(300, 0.1)], axis=1), 16000, subtype=subtype)
    expected, _ = read_audio(path)

    def refuse(*_, **__):
        raise soundfile.LibsndfileError(1)

    monkeypatch.setattr(soundfile, "SoundFile", refuse)
    samples, rate = read_audio(path)
    assert rate == 16000
    np.testing.assert_allclose(samples, expected, rtol=0, atol=1e-7)


# How streams are joined that stand one behind the other in a file.
JOINED = {
    "WAV": lambda x: wav(x),
    "FLAC": lambda x: with_soundfile(x, format="FLAC"),
    "Ogg Vorbis": lambda x: with_soundfile(x, format="OGG", subtype="VORBIS"),
    "Ogg Opus": lambda x: with_soundfile(x, format="OGG", subtype="OPUS"),
    "MP3": lambda x: encode(x, "mp3", "libmp3lame", 16000),
    "MP3 without Xing": lambda x: encode(x, "mp3", "libmp3lame", 16000, {"write_xing": "0"}),
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


def test_streams_at_other_sample_rates_are_brought_to_that_of_the_first(tmp_path):
    content = wav(tone(300, 3.0)) + wav(tone(1000, 3.0, 8000), 8000)
    samples, rate, remarks = read(tmp_path, content)
    assert (rate, len(samples)) == (16000, 96000)
    check_two_tones(samples, rate)
    assert remarks[0].startswith("longer: 6.0, not 3.0 s")


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


@pytest.mark.parametrize(
    "container", ["WAV", "RF64", "W64", "AIFF", "AU", "FLAC", "MP3", "tta", "webm", "mka"]
)
def test_a_file_that_is_cut_off_is_read_as_far_as_it_goes_with_both_lengths(tmp_path, container):
    if container in FORMATS:
        content = encoded(container, noisy(FORMATS[container][2]))
    else:
        content = with_soundfile(noisy(), format=container)
    samples, rate, remarks = read(tmp_path, content[: len(content) // 2])
    seconds = len(samples) / rate
    assert 1.5 < seconds < 3.5
    assert remarks[0].startswith(f"cut off: {seconds:.1f} of 6.0 s")
    assert loudest_frequency(samples[rate // 4 : rate], rate) == pytest.approx(440, abs=2)


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_an_ogg_file_without_its_end_says_where_it_ends(tmp_path, subtype):
    content = with_soundfile(noisy(), format="OGG", subtype=subtype)
    samples, rate, remarks = read(tmp_path, content[: len(content) // 2])
    assert remarks == [f"cut off: after {len(samples) / rate:.1f} s, without the mark that ends such a file"]


def test_a_flac_of_unknown_length_is_read_with_and_without_max_duration(shared):
    path = shared / "cases" / "flac_streamed_length_0.flac"
    assert len(read_audio(path)[0]) == len(read_audio(path, max_duration=6.0)[0]) == 96000
    with pytest.raises(AudioError, match=r"more than max_duration=5\.9 s"):
        read_audio(path, max_duration=5.9)


@pytest.mark.parametrize(
    "junk", [bytes(100), bytes(5000), b"ICY 200 OK\r\n\x00", random.Random(0).randbytes(3000)]
)
@pytest.mark.parametrize("xing", ["0", "1"])
def test_an_mp3_behind_junk_is_read(tmp_path, junk, xing):
    content = encode(tone(440, 3.0), "mp3", "libmp3lame", 16000, {"write_xing": xing})
    samples, rate, _ = read(tmp_path, junk + content)
    assert len(samples) / rate == pytest.approx(3.0, abs=0.12)
    assert loudest_frequency(samples[rate : 2 * rate], rate) == pytest.approx(440, abs=2)


def test_an_mp3_that_begins_within_a_frame_is_read(tmp_path):
    content = encode(tone(440, 3.0), "mp3", "libmp3lame", 16000)
    samples, rate, _ = read(tmp_path, content[len(content) // 3 + 7 :])
    assert len(samples) / rate == pytest.approx(2.0, abs=0.15)


@pytest.mark.parametrize(
    "tag", [b"TAG" + bytes(125), b"APETAGEX" + struct.pack("<II", 2000, 4000) + bytes(4016)]
)
def test_tags_behind_an_mp3_do_not_make_it_longer(tmp_path, tag):
    content = encode(tone(440, 3.0), "mp3", "libmp3lame", 16000)
    plain, _, _ = read(tmp_path, content)
    samples, _, remarks = read(tmp_path, content + tag)
    assert remarks == []
    np.testing.assert_array_equal(samples, plain)


@pytest.mark.parametrize("seed", range(8))
def test_bytes_that_happen_to_hold_a_few_frames_are_no_recording(tmp_path, seed):
    rng = random.Random(seed)
    frame = encode(tone(440, 0.2), "mp3", "libmp3lame", 16000)[-144:]
    path = tmp_path / "noise"
    path.write_bytes(rng.randbytes(30_000) + frame * (seed % 3) + rng.randbytes(30_000))
    with pytest.raises(AudioError, match=r"no known audio format|cannot be decoded"):
        read_audio(path)


@pytest.mark.parametrize(
    "content",
    [
        b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:secret.wav\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile secret.wav\n",
        b"\x00#EXTM3U\n#EXTINF:10,\nsecret.wav\n",
    ],
)
def test_a_list_of_other_files_opens_none_of_them(tmp_path, monkeypatch, content):
    soundfile.write(tmp_path / "secret.wav", tone(440, 1.0), 16000)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list").write_bytes(content)
    with pytest.raises(AudioError, match="not audio"):
        read_audio(tmp_path / "list")


def test_a_film_whose_sound_lies_in_another_file_does_not_open_it(tmp_path, monkeypatch):
    soundfile.write(tmp_path / "secret.wav", tone(440, 1.0), 16000)
    monkeypatch.chdir(tmp_path)
    content = bytearray(encode(tone(440, 1.0), "mov", "pcm_s16le", 16000))
    at = content.index(b"url \x00\x00\x00\x01")
    content[at + 7] = 0  # that the data are in this very file
    path = tmp_path / "film.mov"
    path.write_bytes(content)
    samples, rate = read_audio(path)  # whose own bytes they are
    assert (len(samples), rate) == (16000, 16000)


def test_all_decoders_reasons_are_given(tmp_path, monkeypatch):
    import audioread

    def cannot_cache(*_):
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr(audioread, "audio_open", cannot_cache)
    path = tmp_path / "broken.m4a"
    path.write_bytes(b"\x00\x00\x00\x18ftypM4A " + bytes(100))
    with pytest.raises(AudioError) as caught:
        read_audio(path)
    for words in (
        "soundfile: Format not recognised",
        "FFmpeg: ",
        "audioread: RuntimeError cannot cache function",
    ):
        assert words in str(caught.value)


def test_sphere_with_shorten_is_called_that(tmp_path):
    header = b"NIST_1A\n   1024\nsample_coding -s26 pcm,embedded-shorten-v2.00\nend_head\n".ljust(1024)
    path = tmp_path / "timit.wav"
    path.write_bytes(header + b"ajkg\x02" + bytes(1000))
    with pytest.raises(AudioError, match=r"NIST SPHERE file compressed with shorten.*sph2pipe"):
        read_audio(path)


def test_pyav_is_imported_where_soundfile_does_not_read_a_file_and_only_there(tmp_path):
    (tmp_path / "a.wav").write_bytes(wav(tone(440, 0.1)))
    (tmp_path / "a.m4a").write_bytes(encoded("m4a", tone(440, 0.1)))
    code = (
        "import sys, voicelstm.audio as audio\n"
        "audio.read_audio('a.wav'); print('av' in sys.modules)\n"
        "audio.read_audio('a.m4a'); print('av' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == "False\nTrue\n", done.stderr
