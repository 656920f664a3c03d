import numpy as np
import pytest
from scipy.signal import firwin, welch

from voicelstm.audio._distortions import (
    add_impulses,
    add_noise,
    convolve_nonlinearly,
    cut_band,
    notch,
    reverberate,
)

RATE = 16000


def seeded(seed=0):
    return np.random.default_rng(seed)


def impulse(n_samples, position=0):
    samples = np.zeros(n_samples)
    samples[position] = 1.0
    return samples


def sine(frequency, n_samples=RATE):
    return np.sin(2 * np.pi * frequency * np.arange(n_samples) / RATE)


def power_at(samples, frequency):
    """Power of a sinusoid of a whole number of periods."""
    return 2 * abs(np.fft.rfft(samples)[frequency * len(samples) // RATE] / len(samples)) ** 2


def test_a_room_s_tail_has_the_energy_and_the_decay_that_were_asked_for():
    response = reverberate(impulse(2 * RATE), RATE, 0.5, 6.0, seeded())
    assert response[0] == pytest.approx(1)
    tail = response[1:]
    assert 10 * np.log10(1 / np.sum(tail**2)) == pytest.approx(6.0, abs=1e-6)
    # Schroeder's backward integration; T60 from the slope between -5 and -25 dB.
    decay = 10 * np.log10(np.cumsum(tail[::-1] ** 2)[::-1][: RATE // 3] / np.sum(tail**2))
    fitted = (decay < -5) & (decay > -25)
    slope = np.polyfit(np.flatnonzero(fitted) / RATE, decay[fitted], 1)[0]
    assert -60 / slope == pytest.approx(0.5, rel=0.05)
    assert np.abs(tail[RATE // 2 + 1 :]).max() < 1e-12


@pytest.mark.parametrize("color", [0.0, 1.0, 2.0])
def test_noise_has_the_power_and_the_slope_that_were_asked_for(color):
    samples = sine(440, 20 * RATE)
    noise = add_noise(samples, RATE, 12.0, color, seeded()) - samples
    assert 10 * np.log10(np.mean(samples**2) / np.mean(noise**2)) == pytest.approx(12.0, abs=1e-4)
    frequencies, density = welch(noise, RATE, nperseg=4096)
    assert density[0] < density[8] * 1e-1
    band = (frequencies > 100) & (frequencies < 7000)
    slope = np.polyfit(np.log10(frequencies[band]), np.log10(density[band]), 1)[0]
    assert slope == pytest.approx(-color, abs=0.05)


@pytest.mark.parametrize("kind", ["lowpass", "highpass"])
@pytest.mark.parametrize("frequency", [500, 900, 1000, 1200, 2500])
def test_filters_have_the_gain_of_a_butterworth_filter_run_twice(kind, frequency):
    # |H|² = 1 / (1 + (Ω/Ωc)^2n), n = 4, with the frequencies warped by the bilinear transform.
    ratio = np.tan(np.pi * frequency / RATE) / np.tan(np.pi * 1000 / RATE)
    gain = 1 / (1 + (ratio if kind == "lowpass" else 1 / ratio) ** 8)
    middle = slice(4 * RATE, 5 * RATE)
    passed = cut_band(sine(frequency, 9 * RATE), RATE, 1000.0, kind)[middle]
    np.testing.assert_allclose(passed, gain * sine(frequency, 9 * RATE)[middle], rtol=0, atol=1e-6)


def test_without_powers_the_convolution_is_linear_and_delays_nothing():
    def linear(samples):
        return convolve_nonlinearly(samples, RATE, (400.0, 400.0), seeded())

    one, other = seeded(1).uniform(-0.5, 0.5, (2, 4000))
    np.testing.assert_allclose(linear(one + other), linear(one) + linear(other), rtol=0, atol=1e-12)
    response = linear(impulse(2001, position=1000))
    np.testing.assert_allclose(response, response[::-1], rtol=0, atol=1e-12)
    gains = np.abs(np.fft.rfft(response))[10:]  # without the mean, which is taken away
    assert gains.max() == pytest.approx(1, abs=0.01)
    assert gains.min() < 0.05


@pytest.mark.parametrize(("n_taps", "low", "high"), [(11, 0.1, 0.2), (101, 1e-6, 0.05), (37, 0.9, 0.999)])
def test_notches_are_those_of_scipy(n_taps, low, high):
    np.testing.assert_allclose(notch(n_taps, low, high), firwin(n_taps, [low, high]), rtol=1e-9, atol=1e-12)


def test_powers_add_the_harmonics_up_to_the_fifth_and_no_more():
    distorted = convolve_nonlinearly(sine(1000), RATE, (0.0, 0.0), seeded())[RATE // 4 : -RATE // 4]
    linear = convolve_nonlinearly(sine(1000), RATE, (400.0, 400.0), seeded())[RATE // 4 : -RATE // 4]
    for harmonic in (2000, 3000, 4000, 5000):
        assert power_at(distorted, harmonic) > 1e-6
    for samples, absent in ((distorted, 6000), (distorted, 7000), (linear, 2000), (linear, 3000)):
        assert power_at(samples, absent) < 1e-15


def test_impulses_hit_their_share_of_the_samples_by_at_most_twice_their_size():
    samples = 0.1 + seeded(1).uniform(size=10_000)
    change = add_impulses(samples, 0.07, seeded()) / samples - 1
    assert np.count_nonzero(change) == 700
    assert 1 < np.abs(change).max() <= 2
