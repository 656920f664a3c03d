import numpy as np
import pytest
import soundfile
from scipy.signal import butter, sosfilt

from voicelstm import Augmenter, MFCCTransformer
from voicelstm.audio import _codecs as audio_codecs
from voicelstm.audio._codecs import CODECS, band_limited, check_codec, coded


def speech_band(n_samples, rate):
    """Noise from 300 Hz to 3 kHz."""
    sections = butter(4, [300, 3000], "bandpass", fs=rate, output="sos")
    return sosfilt(sections, np.random.default_rng(0).normal(scale=0.1, size=n_samples))


def share_above(samples, rate, frequency):
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
    return power[np.fft.rfftfreq(len(samples), 1 / rate) > frequency].sum() / power.sum()


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 96000])
@pytest.mark.parametrize("codec", CODECS)
def test_a_codec_keeps_length_and_time_and_most_of_the_signal(codec, rate):
    samples = speech_band(2 * rate + 1, rate)
    result = coded(samples, rate, codec, 0.2)
    assert result.shape == samples.shape
    size = 2 * len(samples)
    correlation = np.fft.irfft(np.fft.rfft(samples, size).conj() * np.fft.rfft(result, size), size)
    # In the coder's samples, one either side.
    assert abs((int(correlation.argmax()) + size // 2) % size - size // 2) <= max(1, rate / 8000)
    assert np.corrcoef(samples, result)[0, 1] > 0.6


def test_a_decoder_that_fails_once_is_asked_again(monkeypatch):
    samples = speech_band(8000, 8000)
    expected = coded(samples, 8000, "gsm", 0.0)
    real, left = soundfile.SoundFile, [1]

    def unreliable(file, *args, **kwargs):
        if not args and left:  # to read
            raise soundfile.LibsndfileError(left.pop(), prefix="made up: ")
        return real(file, *args, **kwargs)

    monkeypatch.setattr(soundfile, "SoundFile", unreliable)
    np.testing.assert_array_equal(coded(samples, 8000, "gsm", 0.0), expected)
    assert not left
    left += [1] * 9
    with pytest.raises(soundfile.LibsndfileError, match="made up"):
        coded(samples, 8000, "gsm", 0.0)


def test_mu_law_gives_the_values_of_g711():
    # ITU-T G.711, table 2a: segment e, step m, of 14 bits.
    magnitudes = [((2 * m + 33) << e) - 33 for e in range(8) for m in range(16)]
    table = np.unique([sign * magnitude / 8192 for magnitude in magnitudes for sign in (1, -1)])
    samples = np.random.default_rng(0).uniform(-1, 1, 2000) ** 3
    samples[0] = 1.0
    received = coded(samples, 8000, "mu-law", 0.0) / 2  # coded at half of full scale
    distance = np.abs(received[:, None] - table)
    assert distance.min(axis=1).max() < 1e-7
    # A segment's step is 2 << e, and its least magnitude 33 << e, less 33: half a step is at most a 33rd.
    sizes = np.abs(samples / 2)
    assert (np.abs(received - samples / 2) <= (sizes + 33 / 8192) / 32 + 1 / 8192).all()


@pytest.mark.parametrize("codec", ["mu-law", "a-law", "g726", "gsm"])
def test_telephone_codecs_and_resampling_to_8_khz_leave_nothing_above_4_khz(codec):
    samples = np.random.default_rng(0).normal(size=48_000)
    assert share_above(samples, 16000, 4100) > 0.4
    for result in (coded(samples, 16000, codec, 0.0), band_limited(samples, 16000, 8000)):
        assert result.shape == samples.shape
        assert share_above(result, 16000, 4100) < 1e-6


def test_resampling_keeps_what_lies_below():
    samples = np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)
    np.testing.assert_allclose(band_limited(samples, 16000, 8000)[800:-800], samples[800:-800], atol=1e-4)
    assert band_limited(samples, 16000, 16000) is samples


def test_stronger_compression_loses_more():
    samples = speech_band(32_000, 16000)
    for codec in ("mp3", "vorbis", "opus"):
        lost = [np.std(coded(samples, 16000, codec, level) - samples) for level in (0.0, 1.0)]
        assert lost[0] < lost[1] / 2


def test_a_codec_that_libsndfile_lacks_is_named_at_fit_and_predicting_needs_none(monkeypatch):
    monkeypatch.setitem(CODECS, "gsm", CODECS["gsm"]._replace(container="MP3", subtype="GSM610"))
    audio_codecs._reason_against.cache_clear()
    try:
        with pytest.raises(ValueError, match=r"codecs='gsm': libsndfile .*leave it out"):
            check_codec("gsm")
        transformer = MFCCTransformer(augment=Augmenter(codecs=("mu-law", "gsm")))
        with pytest.raises(ValueError, match="codecs='gsm'"):
            transformer.fit([np.ones(800)])
        assert transformer.transform([np.ones(800)]).shape == (1, 4, 60)
        transformer.set_params(augment__codecs=("mu-law",)).fit([np.ones(800)])
    finally:
        audio_codecs._reason_against.cache_clear()


def test_every_codec_is_one_that_this_machine_s_libsndfile_has():
    for codec in CODECS:
        check_codec(codec)
    assert {how.container for how in CODECS.values()} <= set(soundfile.available_formats())
