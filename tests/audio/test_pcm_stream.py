import io

import numpy as np
import pytest
import soundfile

from voicelstm.audio._pcm_stream import SAMPLE_FORMATS, PcmStream
from voicelstm.exceptions import AudioError

RATE = 8000
SOUND = (0.5 * np.sin(np.arange(400) / 7)).astype(np.float32)
# libsndfile's names of the same samples.
OF_LIBSNDFILE = {
    "S8": ("PCM_S8", "LITTLE"),
    "U8": ("PCM_U8", "LITTLE"),
    "S16_LE": ("PCM_16", "LITTLE"),
    "S16_BE": ("PCM_16", "BIG"),
    "S24_3LE": ("PCM_24", "LITTLE"),
    "S24_3BE": ("PCM_24", "BIG"),
    "S32_LE": ("PCM_32", "LITTLE"),
    "S32_BE": ("PCM_32", "BIG"),
    "FLOAT_LE": ("FLOAT", "LITTLE"),
    "FLOAT_BE": ("FLOAT", "BIG"),
    "FLOAT64_LE": ("DOUBLE", "LITTLE"),
    "FLOAT64_BE": ("DOUBLE", "BIG"),
    "MU_LAW": ("ULAW", "LITTLE"),
    "A_LAW": ("ALAW", "LITTLE"),
}


def encoded(samples, subtype, container="RAW", endian=None):
    file = io.BytesIO()
    endian = endian if container == "RAW" else None
    soundfile.write(file, samples, RATE, format=container, subtype=subtype, endian=endian)
    return file.getvalue()


def decoded(stream, data, block=64):
    """All samples, as floating-point numbers in ±1."""
    found = [stream.decode(data[first : first + block]) for first in range(0, len(data), block)]
    found = [each for each in [*found, stream.finish()] if len(each)]
    samples = np.concatenate(found)
    if samples.dtype.kind == "f":
        return samples
    info = np.iinfo(samples.dtype)
    full_scale = 2.0 ** (info.bits - 1)
    return samples / full_scale - (0 if info.min else 1)


@pytest.mark.parametrize("name", OF_LIBSNDFILE)
def test_raw_samples_are_what_libsndfile_reads(name):
    subtype, endian = OF_LIBSNDFILE[name]
    data = encoded(SOUND, subtype, endian=endian)
    how = {"samplerate": RATE, "channels": 1, "format": "RAW", "subtype": subtype, "endian": endian}
    expected, _ = soundfile.read(io.BytesIO(data), **how)
    for block in (1, 7, 64, 10_000):
        np.testing.assert_allclose(decoded(PcmStream("it", name, RATE), data, block), expected, atol=1e-7)


def test_other_formats_of_arecord_are_read_by_their_definition():
    values = np.array([-(2**23), -1, 0, 1, 2**23 - 1], "<i4")
    for name, data in (("S24_LE", values.tobytes()), ("S24_BE", values.byteswap().tobytes())):
        np.testing.assert_array_equal(PcmStream("it", name).decode(data * 3)[:5], values.astype(int) * 256)
    for name, kind in (("U16_LE", "<u2"), ("U16_BE", ">u2")):
        data = np.array([0, 2**15, 2**16 - 1] * 6, kind).tobytes()
        assert PcmStream("it", name).decode(data)[:3].tolist() == [0, 2**15, 2**16 - 1]
    assert {*OF_LIBSNDFILE, "S24_LE", "S24_BE", "U16_LE", "U16_BE"} == {*SAMPLE_FORMATS}


@pytest.mark.parametrize("container", ["WAV", "WAVEX", "RF64"])
@pytest.mark.parametrize(
    "subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"]
)
def test_a_wav_stream_says_itself_what_it_is(container, subtype):
    data = encoded(SOUND, subtype, container)
    expected, _ = soundfile.read(io.BytesIO(data))
    for block in (1, 13, 10_000):
        stream = PcmStream("it", "U8", 44100)
        np.testing.assert_allclose(decoded(stream, data, block), expected, atol=1e-7)
        assert (stream.sample_rate, stream.is_wav, stream.n_channels) == (RATE, True, 1)


def test_of_a_known_length_no_more_is_read_than_there_are_samples():
    data = encoded(SOUND, "PCM_16", "WAV")
    assert data[36:40] == b"data"
    for block in (13, 64, 10_000):
        for tail in (b"", b"LIST\4\0\0\0abcd", b"\0" * 1000, data, b"\1\2\3", b"LIST\4\0\0\0abcd" + data):
            stream = PcmStream("it")
            assert len(decoded(stream, data + tail, block)) == len(SOUND)
            assert stream.is_over
            assert stream.n_behind == len(tail)
            assert stream.has_unheard == (data in tail or b"\1\2\3" in tail)
    assert len(decoded(cut := PcmStream("it"), data[:-1])) == len(SOUND) - 1
    assert not cut.is_over


@pytest.mark.parametrize("size", [0, 0x7FFFEFFF, 0x7FFFFFFF, 0x80000000 - 44, 0xFFFFFFFF])
def test_a_header_written_into_a_pipe_leaves_the_length_open(size):
    data = bytearray(encoded(SOUND, "PCM_16", "WAV"))
    data[4:8] = data[40:44] = size.to_bytes(4, "little")
    assert len(decoded(PcmStream("it"), bytes(data))) == len(SOUND)


def test_half_a_frame_at_the_end_is_no_sample():
    for n_channels in (1, 2):
        for cut in range(1, 2 * n_channels):
            data = np.arange(40, dtype="<i2").tobytes()
            stream = PcmStream("it", "S16_LE", RATE, n_channels)
            assert len(decoded(stream, data[:-cut], 9)) == 40 // n_channels - 1


def test_less_than_a_head_is_sound_as_well_and_nothing_is_nothing():
    stream = PcmStream("it")
    assert len(stream.decode(b"\1\0\2\0\3")) == 0
    assert stream.finish().tolist() == [1, 2]
    assert stream.sample_rate == 16000
    assert len(PcmStream("it").finish()) == 0
    cut = PcmStream("it")
    assert len(cut.decode(encoded(SOUND, "PCM_16", "WAV")[:30])) == len(cut.finish()) == 0
    assert cut.sample_rate is None


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_32", "FLOAT"])
def test_channels_become_their_mean_or_the_one_that_is_asked_for(subtype):
    channels = np.stack([SOUND, -0.5 * SOUND, 0.25 * SOUND], axis=1)
    data = encoded(channels, subtype, "WAV")
    expected, _ = soundfile.read(io.BytesIO(data))
    for channel, column in (("mean", expected.mean(axis=1)), ("right", expected[:, 1]), (2, expected[:, 2])):
        np.testing.assert_allclose(decoded(PcmStream("it", channel=channel), data), column, atol=1e-6)
    with pytest.raises(AudioError, match="it: found 3 channels, and none that is channel=3"):
        PcmStream("it", channel=3).decode(data)
    with pytest.raises(ValueError, match='expected "mean", "left", "right"'):
        PcmStream("it", channel="each")


def header(kind=1, channels=1, rate=RATE, bits=16):
    numbers = [(kind, 2), (channels, 2), (rate, 4), (0, 4), (2, 2), (bits, 2)]
    chunk = b"".join(number.to_bytes(size, "little") for number, size in numbers)
    return b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0" + chunk


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (header(kind=0x11, bits=4) + b"data\0\0\0\0", "4 bits in format 0x0011; expected PCM"),
        (header(channels=0) + b"data\0\0\0\0", "0 channels at 8000 Hz"),
        (header(rate=0) + b"data\0\0\0\0", "1 channels at 0 Hz"),
        (b"RIFF\0\0\0\0WAVEdata\0\0\0\0", "does not say what its samples are"),
        (b"RIFF\0\0\0\0WAVEfmt \2\0\0\0\1\0", "format is cut off"),
        (b"RIFF\0\0\0\0WAVE" + b"JUNK\0\0\x08\0" + bytes(2**19), None),
        (b"RIFF\0\0\0\0WAVE" + (b"JUNK\0\0\x08\0" + bytes(2**19)) * 3, "header of more than 1048576 bytes"),
        (b"fLaC" + bytes(100), "it: found a FLAC file; expected WAV or raw samples.*ffmpeg"),
        (b"OggS" + bytes(100), "found an Ogg file"),
        (b"ID3\4" + bytes(100), "found an MP3 file"),
        (b"%PDF-1.7 and more", "found a PDF document, which is no sound"),
        (b"<!DOCTYPE html>\n<html><head><title>404</title>", "found an HTML page, which is no sound"),
        (b"\x1f\x8b\x08\0" + bytes(100), "found a gzip archive"),
        (b"\x7fELF\2\1\1" + bytes(100), "found a program"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "found a git LFS pointer"),
    ],
    ids=[
        *("4 bits", "no channel", "no rate", "no format", "cut", "long", "too long"),
        *("FLAC", "Ogg", "MP3", "PDF", "HTML", "gzip", "ELF", "LFS"),
    ],
)
def test_what_is_no_stream_of_samples_is_refused(data, message):
    stream = PcmStream("it")
    if message is None:
        assert len(stream.decode(data)) == 0
        return
    with pytest.raises(AudioError, match=message):
        decoded(stream, data, 5000)
    with pytest.raises(AudioError, match=message):
        decoded(PcmStream("it"), data, 7)


def test_samples_that_look_like_a_compressed_stream_by_two_bytes_are_samples():
    quiet = np.array([-1, -5, 0x770B, 3] * 10, "<i2")
    assert PcmStream("it").decode(quiet.tobytes()).tolist() == quiet.tolist()
