import numpy as np
import pytest
import soxr
from scipy.signal import butter, sosfiltfilt

from voicelstm.audio._channel_statistics import N_STATISTICS, WAVEFORM, channel_statistics
from voicelstm.datasets import make_voices

RATE = 16000
MEAN, PAUSE, DEVIATION = slice(0, 24), slice(24, 48), slice(48, 72)
ABOVE_4_KHZ = slice(17, 24)  # bands from 4.5 kHz on


@pytest.fixture(scope="module")
def voice():
    samples, rate = make_voices(2, random_state=0, return_X_y=True)[0][0]
    hiss = 0.003 * np.random.default_rng(0).standard_normal(2 * RATE)
    return (np.resize(soxr.resample(samples, rate, RATE), 2 * RATE) + hiss).astype(np.float32)


def test_level_does_not_matter(voice):
    found = channel_statistics(voice, RATE)
    assert found.shape == (N_STATISTICS,)
    for gain in (1e-20, 0.01, 100.0):
        np.testing.assert_allclose(channel_statistics(voice * np.float32(gain), RATE), found, atol=1e-3)
    np.testing.assert_allclose(channel_statistics(voice.astype(np.float64), RATE), found, atol=1e-3)


def test_statistics_of_two_halves_do_not_depend_on_their_order(voice):
    swapped = np.roll(voice, 63 * 256)  # by whole steps of frames
    found, other = channel_statistics(voice, RATE), channel_statistics(swapped, RATE)
    np.testing.assert_allclose(found[MEAN], other[MEAN], atol=0.5)
    np.testing.assert_allclose(found[WAVEFORM], other[WAVEFORM], atol=0.05)


@pytest.mark.parametrize("cutoff", [3000, 4000, 6000])
def test_the_end_of_a_band_is_found(cutoff):
    noise = np.random.default_rng(0).standard_normal(2 * RATE)
    cut = sosfiltfilt(butter(20, cutoff, fs=RATE, output="sos"), noise)
    end, depth = channel_statistics(cut, RATE)[-2:]
    assert end == pytest.approx(cutoff / 1000, abs=0.3)
    assert depth > 20
    assert channel_statistics(noise, RATE)[-1] < 3  # white noise ends nowhere


def test_a_recording_at_a_lower_rate_has_nothing_above(voice):
    telephone = channel_statistics(soxr.resample(voice, RATE, 8000), 8000)
    np.testing.assert_allclose(telephone[MEAN][ABOVE_4_KHZ], -60, atol=0.5)  # the level of what is empty
    np.testing.assert_allclose(telephone[DEVIATION][ABOVE_4_KHZ], 0, atol=0.5)
    assert channel_statistics(voice, RATE)[MEAN][ABOVE_4_KHZ].min() > -50


def test_of_white_noise_bands_have_the_mean_level():
    found = channel_statistics(np.random.default_rng(0).standard_normal(8 * RATE), RATE)
    # The mean logarithm of a sum of squares lies below the logarithm of its mean: least in wide bands.
    np.testing.assert_allclose(found[MEAN][8:], 0, atol=0.6)


def test_pauses_are_what_the_noise_in_them_is():
    random = np.random.default_rng(0)
    speaks = np.repeat([1.0, 0.0], RATE)
    quiet = channel_statistics(random.standard_normal(2 * RATE) * (speaks + 0.01), RATE)
    np.testing.assert_allclose(quiet[PAUSE][8:], -40, atol=5)


def test_clipping_changes_the_waveform_alone(voice):
    clipped = np.clip(voice, *np.quantile(voice, [0.1, 0.9]))
    before, after = channel_statistics(voice, RATE)[WAVEFORM], channel_statistics(clipped, RATE)[WAVEFORM]
    fourth_moment, peak, share_at_peak = 0, 4, 5
    assert after[fourth_moment] < before[fourth_moment] - 0.5
    assert after[peak] < before[peak] - 0.5
    assert np.exp(after[share_at_peak]) == pytest.approx(0.2, abs=0.02)


@pytest.mark.parametrize("noise", [0, 0.001])
@pytest.mark.parametrize("seconds", [2, 20])
def test_pauses_are_no_part_of_the_waveform(voice, seconds, noise):
    pause = noise * np.abs(voice).max() * np.random.default_rng(0).standard_normal(seconds * RATE)
    found, longer = channel_statistics(voice, RATE), channel_statistics(np.append(voice, pause), RATE)
    # Which of the voice's frames are loud may change a little: the loudest count among more.
    np.testing.assert_allclose(longer[WAVEFORM], found[WAVEFORM], atol=0.2)


def test_moments_are_those_of_the_normal_distribution():
    found = channel_statistics(np.random.default_rng(0).standard_normal(60 * RATE), RATE)[WAVEFORM]
    np.testing.assert_allclose(np.exp(found[[0, 2]]), 3, rtol=0.02)
    np.testing.assert_allclose(found[[1, 3]], np.log(0.05), atol=0.2)


def test_a_long_recording_is_measured_in_pieces_that_say_the_same(monkeypatch):
    # Each piece begins elsewhere in a tone that grows and shrinks twice a second: one that ran across a join
    # of two pieces would have clicks, and energy in bands where the tone has none.
    time = np.arange(61 * RATE) / RATE
    tone = np.sin(2 * np.pi * 440.3 * time) * (1.2 + np.sin(4 * np.pi * time))
    pieces = channel_statistics(tone, RATE)[:-2]  # without where a spectrum ends, which this one does not
    monkeypatch.setattr("voicelstm.audio._channel_statistics._N_PIECES", 100)
    np.testing.assert_allclose(pieces, channel_statistics(tone, RATE)[:-2], atol=0.3)


@pytest.mark.parametrize("n_samples", [1, 100, 513])
def test_short_recordings_have_statistics(n_samples):
    samples = np.random.default_rng(0).standard_normal(n_samples)
    assert np.isfinite(channel_statistics(samples, RATE)).all()


def test_a_click_in_silence_has_statistics():
    click = np.zeros(RATE, dtype=np.float32)
    click[500] = 1
    assert np.isfinite(channel_statistics(click, RATE)).all()
