import io
import random
import struct
import subprocess
import sys
from unittest.mock import Mock

import audioread
import numpy as np
import pytest
import soundfile

from tests.audio.encoded import FORMATS, encode, encoded, loudest_frequency, tone
from tests.audio.files import read, wav, with_soundfile
from voicelstm.audio import read_audio
from voicelstm.audio._contents import found_instead_of_sound
from voicelstm.exceptions import AudioError


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


def test_a_file_of_which_nothing_comes_out_is_refused_in_words(tmp_path, monkeypatch):
    path = tmp_path / "recording"
    path.write_bytes(encoded("m4a", tone(440, 0.5)))
    monkeypatch.setattr("voicelstm.audio._with_ffmpeg._Opened.blocks", lambda opened: iter(()))
    monkeypatch.setattr("audioread.audio_open", Mock(side_effect=audioread.NoBackendError))  # no ffmpeg here
    with pytest.raises(AudioError, match="nothing in it can be decoded"):
        read_audio(path)


@pytest.mark.parametrize("layout", ["6.1", "7.1", "hexadecagonal"])
def test_many_channels_are_read_each_from_its_own_plane(tmp_path, layout):
    import av

    n_channels = {"6.1": 7, "7.1": 8, "hexadecagonal": 16}[layout]
    levels = (1 + np.arange(n_channels)) / (2 * n_channels)
    pcm = np.stack([np.round(32767 * level * tone(440, 1.0)) for level in levels]).astype(np.int32) << 16
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as output:
        stream = output.add_stream("wavpack", rate=16000)
        stream.layout = layout
        frame = av.AudioFrame.from_ndarray(pcm.T.reshape(1, -1), format="s32", layout=layout)
        frame.sample_rate, frame.pts = 16000, 0
        for packet in (*stream.encode(frame), *stream.encode(None)):
            output.mux(packet)
    for channel in (0, n_channels - 1):
        samples, rate, _ = read(tmp_path, file.getvalue(), channel=channel)
        assert (len(samples), rate) == (16000, 16000)
        np.testing.assert_allclose(samples, pcm[channel] / 2**31, atol=1 / 127)  # coded with eight bits


def test_a_file_that_asks_for_bytes_before_its_beginning_is_read_as_far_as_it_goes(tmp_path):
    one = with_soundfile(tone(440, 1.0), format="CAF")
    content = one + b"caff\x00\x02" + one[6:]  # another version, taken for a chunk of negative size
    samples, _, remarks = read(tmp_path, content)
    assert (len(samples), remarks) == (16000, [f"{len(one)} bytes behind what was read are not heard"])
    assert found_instead_of_sound(tmp_path / "recording") is None


def test_integers_of_64_bits_are_read(tmp_path):
    values = np.round(tone(440, 0.1) * 2.0**63).astype("<i8")
    head = b"RIFF" + struct.pack("<I", 36 + values.nbytes) + b"WAVEfmt "
    head += (
        struct.pack("<IHHIIHH", 16, 1, 1, 16000, 128000, 8, 64) + b"data" + struct.pack("<I", values.nbytes)
    )
    samples, rate, remarks = read(tmp_path, head + values.tobytes())
    assert (rate, remarks) == (16000, [])
    np.testing.assert_allclose(samples, tone(440, 0.1), atol=1e-6)


def test_a_file_whose_sound_goes_on_in_another_track_is_read_as_far_as_it_goes_and_says_so(tmp_path):
    content = bytearray(encode(tone(440, 60.0, 22050), "flv", "libmp3lame", 22050))
    at, sound = 13, []
    while at < len(content):
        if content[at] == 8:
            sound.append(at)
        at += 11 + int.from_bytes(content[at + 1 : at + 4], "big") + 4
    for tag in sound[-100:]:
        content[tag + 11] = 0x30 | content[tag + 11] & 0x0F  # samples, where MP3 was
    samples, rate, remarks = read(tmp_path, bytes(content))
    seconds = 60 - 100 * 576 / 22050
    assert len(samples) / rate == pytest.approx(seconds, abs=0.1)
    assert remarks[0].startswith(f"cut off: {seconds:.1f} of 60.0 s")
