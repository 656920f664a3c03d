import numpy as np
import pytest
import soundfile
from scipy.io import wavfile

from voicelstm.audio import read_recording, scipy_values

RATE = 8000
SIGNAL = np.random.default_rng(0).uniform(-0.99, 0.99, 800)


def values_of(recording, **kwargs):
    """What scipy's values are said to be, in double precision."""
    found = read_recording(recording, sample_rate=None, max_duration=None, dtype=np.float64, **kwargs)
    return scipy_values(recording).of(found.samples)


@pytest.mark.filterwarnings("ignore::scipy.io.wavfile.WavFileWarning")
@pytest.mark.parametrize("container", ["WAV", "WAVEX", "RF64"])
@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("n_channels", [1, 2])
def test_values_of_a_wav_file_are_those_that_scipy_reads(tmp_path, container, subtype, n_channels):
    path = tmp_path / "a.wav"
    soundfile.write(path, SIGNAL.reshape(-1, n_channels), RATE, format=container, subtype=subtype)
    try:
        rate, expected = wavfile.read(path)
    except ValueError:
        assert container == "RF64"  # which older versions of scipy refuse
        return
    found = values_of(path, channel="each" if n_channels == 2 else "mean")
    assert rate == RATE
    np.testing.assert_array_equal(found, expected)
    assert (found.dtype == np.float32) == (expected.dtype == np.float32)


def test_bytes_from_0_to_255_keep_their_offset(tmp_path):
    path = tmp_path / "bytes.wav"
    wavfile.write(path, RATE, np.arange(256, dtype=np.uint8))
    np.testing.assert_array_equal(values_of(path), np.arange(256))


@pytest.mark.parametrize("container", ["FLAC", "AIFF", "W64", "damaged"])
def test_values_of_what_scipy_refuses_are_within_1_as_librosa_loads_it(tmp_path, container):
    path = tmp_path / "a.wav"
    if container == "damaged":
        path.write_bytes(b"RIFF")
        assert scipy_values(path) == scipy_values(np.zeros(1, np.float32))
        return
    soundfile.write(path, SIGNAL, RATE, format=container, subtype="PCM_16")
    with pytest.raises(ValueError, match=r"not understood"):
        wavfile.read(path)
    expected, _ = soundfile.read(path, dtype="float32")
    found = values_of(path)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected)


def break_header(path):
    """Write a wrong number of bytes per second into a WAV file."""
    content = bytearray(path.read_bytes())
    at = content.index(b"fmt ") + 16
    content[at : at + 4] = (12345).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(ValueError, match="WAV header is invalid"):
        wavfile.read(path)


def test_values_of_8_bits_that_scipy_refuses_are_within_1_too(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, SIGNAL, RATE, subtype="PCM_U8")
    break_header(path)
    expected, _ = soundfile.read(path, dtype="float32")
    found = values_of(path)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected)
    assert abs(found).max() < 1


@pytest.mark.filterwarnings("error")
def test_chunks_that_scipy_warns_of_are_not_its_refusal(tmp_path):
    path = tmp_path / "a.wav"
    wavfile.write(path, RATE, np.arange(256, dtype=np.uint8))
    content = bytearray(path.read_bytes() + b"bext\x02\0\0\0ab")
    content[4:8] = (len(content) - 8).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.warns(wavfile.WavFileWarning):
        wavfile.read(path)
    np.testing.assert_array_equal(values_of(path), np.arange(256))


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32"])
def test_other_values_that_scipy_refuses_are_librosas_but_for_a_factor(tmp_path, subtype):
    path = tmp_path / "a.wav"
    soundfile.write(path, SIGNAL, RATE, subtype=subtype)
    break_header(path)
    expected, _ = soundfile.read(path)
    full_scale = 2**15 if subtype == "PCM_16" else 2**31
    np.testing.assert_array_equal(values_of(path), expected * full_scale)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "float32", "float64"])
def test_values_of_an_array_are_its_own(dtype):
    if np.dtype(dtype).kind == "f":
        array = SIGNAL.astype(dtype)
    else:
        info = np.iinfo(dtype)
        array = np.array([info.min, info.min + 5, 0, info.max // 2, info.max], dtype=dtype)
    for recording in ((array, RATE), (RATE, array)):
        np.testing.assert_array_equal(values_of(recording), array.astype(np.float64))
