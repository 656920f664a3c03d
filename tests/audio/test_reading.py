import io
import os
import re
import subprocess
import sys
import warnings
import wave
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
import soundfile
from scipy.io import wavfile

from voicelstm.audio import read_audio
from voicelstm.exceptions import AudioError, AudioWarning


def refusal(recording, **kwargs):
    with pytest.raises(AudioError) as caught:
        read_audio(recording, **kwargs)
    return str(caught.value)


def wav_bytes(pcm, rate=8000):
    """A WAV file of 16-bit samples; its sizes stand at bytes 4 and 40."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(np.asarray(pcm, dtype="<i2").tobytes())
    return file.getvalue()


def tone(frequency, rate, seconds=1.0):
    return 0.5 * np.sin(2 * np.pi * frequency * np.arange(round(rate * seconds)) / rate)


@pytest.fixture
def audioread_open(monkeypatch):
    """Stand in for audioread, as if it decoded to three channels; the list holds what it was asked for."""
    import audioread

    asked = []

    class Decoded:
        samplerate, channels = 22050, 3

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def __iter__(self):
            content = np.array([[16384, 0, 8192], [-16384, -16384, -16384]], dtype="<i2").tobytes()
            yield from (content[:5], content[5:6], content[6:])

    def audio_open(path, decoders):
        asked.append(path)
        return Decoded()

    monkeypatch.setattr(audioread, "audio_open", audio_open)
    return asked


def test_every_strange_file_gives_samples_or_says_why_not(awkward_files):
    surprises, warned = {}, set()
    for path, expected in awkward_files:
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", AudioWarning)
                samples, rate = read_audio(path)
            warned |= {path.name for each in caught if issubclass(each.category, AudioWarning)}
        except AudioError as error:
            outcome = "reject" if str(path) in str(error) else "a text that does not name the file"
        else:
            sound = (
                samples.dtype == np.float32
                and samples.ndim == 1
                and samples.size
                and np.isfinite(samples).all()
            )
            outcome = "decode" if sound and isinstance(rate, int) and rate > 0 else "unsound samples"
        if outcome not in ({"decode", "reject"} if expected == "either" else {expected}):
            surprises[path.name] = outcome
    assert len(awkward_files) == 59
    assert surprises == {}
    assert warned == {"truncated_half.wav", "truncated.flac", "truncated.mp3"}


def test_one_recording_in_many_containers_is_always_the_same_samples(awkward_dir):
    rate, pcm = wavfile.read(awkward_dir / "ünïcødé 文件 name.wav")
    containers = [
        "wavex.wav",
        "rf64.wav",
        "aiff.aiff",
        "au.au",
        "flac_named.wav",
        "list_chunk_before_data.wav",
        "odd_byte_tail.wav",
        "stream_len_ffffffff.wav",
        "stream_len_zero.wav",
    ]
    for name in containers:
        samples, found_rate = read_audio(awkward_dir / name)
        assert found_rate == rate
        np.testing.assert_array_equal(samples, pcm / np.float32(32768), err_msg=name)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("pcm", "expected"),
    [
        (np.array([0, 16384, -32768, 1], np.int16), [0, 0.5, -1, 2**-15]),
        (np.array([0, 2**30, -(2**31), 2**16], np.int32), [0, 0.5, -1, 2**-15]),
        (np.array([128, 192, 0, 129], np.uint8), [0, 0.5, -1, 2**-7]),
        (np.array([0.0, 0.5, -1.0, 3.0]), [0, 0.5, -1, 3]),
    ],
    ids=["int16", "int32", "uint8", "float"],
)
def test_integer_samples_are_divided_by_their_full_range(pcm, expected, dtype):
    samples, rate = read_audio((pcm, 8000), dtype=dtype)
    assert samples.tolist() == expected
    assert (samples.dtype, rate) == (dtype, 8000)


@pytest.mark.parametrize(
    ("container", "subtype", "step"),
    [
        ("WAV", "PCM_16", 2**-15),
        ("WAV", "PCM_24", 2**-23),
        ("WAV", "PCM_U8", 2**-7),
        ("FLAC", "PCM_16", 2**-15),
    ],
)
def test_integer_files_are_divided_by_their_full_range(tmp_path, container, subtype, step):
    path = tmp_path / "recording"
    top_bits = np.array([0, 2**30, -(2**31), step * 2**31]).astype(np.int32)
    soundfile.write(path, top_bits, 8000, format=container, subtype=subtype)
    samples, rate = read_audio(path)
    assert samples.tolist() == [0, 0.5, -1, step]
    assert rate == 8000


def test_int64_that_looks_like_smaller_pcm_is_announced():
    with pytest.warns(AudioWarning, match=r"int64 .*astype\(numpy.int16\)"):
        samples, _ = read_audio((np.array([0, 16384]), 8000))
    assert samples[1] == np.float32(2.0**-49)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_channels_are_averaged(tmp_path, subtype):
    path = tmp_path / "stereo.wav"
    left, right = np.array([1000, -2000, 3, 32767]), np.array([3000, 1000, 4, 32767])
    soundfile.write(path, np.stack([left, right], axis=1) / 32768, 8000, subtype=subtype)
    samples, _ = read_audio(path)
    assert (samples * 32768).tolist() == [2000, -500, 3.5, 32767]


def test_floating_point_files_keep_what_exceeds_full_scale(tmp_path):
    path = tmp_path / "loud.wav"
    soundfile.write(path, np.array([2.5, -3.0, 0.125]), 8000, subtype="FLOAT")
    assert read_audio(path)[0].tolist() == [2.5, -3.0, 0.125]


@pytest.mark.parametrize("container", [tuple, list])
def test_a_pair_is_understood_in_both_orders(container):
    pcm = np.array([0, 16384], np.int16)
    for pair in (container([pcm, 8000]), container([8000, pcm]), container([pcm, np.float64(8000)])):
        samples, rate = read_audio(pair, sample_rate=None)
        assert (samples.tolist(), rate) == ([0, 0.5], 8000)


@pytest.mark.parametrize(
    ("recording", "words"),
    [
        (np.zeros(5), "sample_rate"),
        ((np.zeros(5), 0), "sample rate in whole Hz, got 0"),
        ((np.zeros(5), 8000.5), "whole Hz, got 8000.5"),
        ((np.zeros(5), float("nan")), "whole Hz, got nan"),
        ((np.zeros((2, 5)), 8000), "average"),
        ((np.zeros((5, 2)), 8000), "average"),
        ((np.zeros(0), 8000), "0 samples"),
        ((np.array([0, np.nan, np.inf]), 8000), "2 samples that are NaN or infinite"),
        ((np.array(["a"]), 8000), "expected a path, samples or a pair"),
        ((np.array([True, False]), 8000), "bool"),
        ((np.array([1j]), 8000), "complex"),
        (None, "NoneType"),
        ("null\0character.wav", "null"),
    ],
)
def test_what_is_no_recording_is_refused_in_words(recording, words):
    assert words in refusal(recording)


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000])
def test_resampling_keeps_frequency_level_and_duration(rate):
    samples, new_rate = read_audio((tone(440, rate), rate), sample_rate=16000)
    assert (new_rate, len(samples), samples.dtype) == (16000, 16000, np.float32)
    spectrum = np.abs(np.fft.rfft(samples)) / 8000
    assert spectrum.argmax() == 440
    assert spectrum[440] == pytest.approx(0.5, abs=2e-3)


def test_a_clip_too_short_to_resample_keeps_a_sample():
    samples, rate = read_audio((np.array([0.5]), 48000), sample_rate=8000)
    assert (len(samples), rate) == (1, 8000)


def test_a_rate_that_no_resampler_reaches_is_refused():
    assert "1 Hz" in refusal((np.zeros(5), 1), sample_rate=16000)


def test_longer_recordings_than_max_duration_are_refused_before_they_are_decoded(tmp_path, monkeypatch):
    path = tmp_path / "second.wav"
    soundfile.write(path, np.zeros(8000), 8000)
    assert len(read_audio(path, max_duration=1.0)[0]) == 8000
    monkeypatch.setattr(soundfile.SoundFile, "read", lambda *_, **__: pytest.fail("it was decoded"))
    message = refusal(path, max_duration=0.9)
    assert str(path) in message
    assert "1.0 s, more than max_duration=0.9" in message
    assert "max_duration" in refusal((np.zeros(8000), 8000), max_duration=0.9)


@pytest.mark.parametrize("outer", [None, 0, 0xFFFFFFFF, 10_000_000, 2036])
@pytest.mark.parametrize("inner", [0, 0xFFFFFFFF, 10_000_000])
def test_a_wav_whose_header_lies_about_its_size_is_read_to_its_end(tmp_path, outer, inner):
    pcm = np.arange(-500, 500)
    content = bytearray(wav_bytes(pcm))
    content[40:44] = inner.to_bytes(4, "little")
    content[4:8] = (36 if outer is None else outer).to_bytes(4, "little")
    path = tmp_path / "stream.wav"
    path.write_bytes(content)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", AudioWarning)
        samples, rate = read_audio(path)
    assert (samples * 32768).tolist() == pcm.tolist()
    assert rate == 8000
    claims_more = [f"{path}: cut off: 0.1 of 625.0 s"] if inner == 10_000_000 else []
    assert [str(each.message).split(" (")[0] for each in caught] == claims_more


def test_chunks_behind_empty_data_are_not_taken_for_samples(tmp_path):
    content = bytearray(wav_bytes([]) + b"LIST\x08\x00\x00\x00INFOabcd")
    content[4:8] = (len(content) - 8).to_bytes(4, "little")
    path = tmp_path / "empty.wav"
    path.write_bytes(content)
    assert "0 samples" in refusal(path)


def test_what_neither_soundfile_nor_ffmpeg_can_decode_goes_to_audioread(tmp_path, audioread_open):
    path = tmp_path / "voice.m4a"
    path.write_bytes(b"\x00\x00\x00\x18ftypM4A " + bytes(100))
    samples, rate = read_audio(path)
    assert audioread_open == [str(path)]
    assert (samples.tolist(), rate) == ([0.25, -0.5], 22050)
    assert len(read_audio(path, sample_rate=44100)[0]) == 4
    assert "more than max_duration" in refusal(path, max_duration=1 / 22050)


@pytest.mark.skipif(os.name == "nt", reason="the stand-in is a shell script")
def test_a_filter_that_makes_errors_of_warnings_does_not_keep_ffmpeg_from_decoding(tmp_path):
    ffmpeg = tmp_path / "bin" / "ffmpeg"
    ffmpeg.parent.mkdir()
    ffmpeg.write_text(
        "#!/bin/sh\n"
        "echo 'Duration: 00:00:00.10, start: 0.0' >&2\n"
        "echo 'Stream #0:0: Audio: aac, 22050 Hz, mono, fltp' >&2\n"
        "printf '\\000\\100\\000\\300'\n"
    )
    ffmpeg.chmod(0o755)
    path = tmp_path / "voice.m4a"
    path.write_bytes(b"\x00\x00\x00\x18ftypM4A " + bytes(100))
    code = (
        "import sys, warnings; from voicelstm.audio import read_audio; warnings.simplefilter('error')\n"
        "print(*read_audio(sys.argv[1])[0])"
    )
    search = os.pathsep.join([str(ffmpeg.parent), os.environ["PATH"]])
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        env=os.environ | {"PATH": search},
        capture_output=True,
        text=True,
    )
    assert done.stdout == "0.5 -0.5\n", done.stderr


@pytest.mark.parametrize(
    ("content", "found", "remedy"),
    [
        (b"\n<!DOCTYPE html><html><title>404</title>", "an HTML page", "fetch the recording again"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "a git LFS pointer", "git lfs pull"),
        (b"", "an empty file", "fetch the recording again"),
        (b"path,label\na.wav,human\n", "text ('path,label')", "fetch the recording again"),
        (b'{"error": 404}', "JSON text", "fetch the recording again"),
        (b"PK\x03\x04" + bytes(50), "a ZIP archive", "unpack"),
        (b"\x93NUMPY\x01\x00" + bytes(50), "a NumPy array file", "numpy.load"),
        (bytes(range(1, 200)), "no known audio format", "header"),
    ],
)
def test_a_file_that_is_no_audio_is_named_with_what_it_is_and_never_decoded(
    tmp_path, audioread_open, content, found, remedy
):
    path = tmp_path / "recording.wav"
    path.write_bytes(content)
    message = refusal(path)
    assert audioread_open == []
    for words in (str(path), found, remedy):
        assert words in message


def test_damaged_audio_is_named_with_its_format_and_a_remedy(tmp_path):
    path = tmp_path / "cut.wav"
    path.write_bytes(wav_bytes([1, 2, 3])[:20])
    message = refusal(path)
    for words in (str(path), "a RIFF/WAV file that cannot be decoded", "ffmpeg"):
        assert words in message


@pytest.mark.parametrize("name", ["./gone.wav", "./text", "in/../text"])
def test_a_message_names_a_file_as_it_was_given(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    Path("text").write_text("text")
    with pytest.raises(AudioError, match=f"^{re.escape(name)}: "):
        read_audio(name)


def test_missing_files_folders_and_empty_recordings_are_told_apart(tmp_path):
    silent = tmp_path / "none.wav"
    silent.write_bytes(wav_bytes([]))
    missing = tmp_path / "gone.wav"
    for path, words in ((missing, "no such file"), (tmp_path, "load_folder"), (silent, "0 samples")):
        message = refusal(path)
        assert str(path) in message
        assert words in message


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.timeout(20)
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert "not a regular file" in refusal(pipe)


@pytest.mark.parametrize(("rate", "new_rate"), [(44100, 16000), (8000, 16000)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_long_recording_resampled_in_parts_is_that_of_one_go(rate, new_rate, dtype, monkeypatch):
    samples = np.random.default_rng(0).normal(scale=0.1, size=50_001).astype(dtype)
    expected, _ = read_audio((samples, rate), sample_rate=new_rate, dtype=dtype)
    monkeypatch.setattr("voicelstm.audio._samples._BLOCK", 7000)
    found, _ = read_audio((samples, rate), sample_rate=new_rate, dtype=dtype)
    np.testing.assert_array_equal(found, expected)


def test_no_fingerprint_is_taken_where_none_is_given_back(tmp_path, monkeypatch):
    """It takes most of the time of reading PCM."""
    path = tmp_path / "recording.wav"
    path.write_bytes(wav_bytes([1, 2, 3]))
    monkeypatch.setattr("voicelstm.audio._samples.fingerprint_of", Mock(side_effect=RuntimeError))
    assert len(read_audio(path)[0]) == 3
