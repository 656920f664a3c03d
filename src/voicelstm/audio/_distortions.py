"""What rooms, noise and devices do to samples: pure functions of NumPy arrays and a generator.

Each takes samples of shape (n_samples,) and returns as many of the same type, in time with them.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft, rfftfreq

__all__ = ["add_impulses", "add_noise", "convolve_nonlinearly", "cut_band", "notch", "reverberate"]

_PREDELAY = 0.0025  # s; the direct sound has the time before it to itself
_LOWEST = 20.0  # Hz, of noise
_ORDER = 4  # of the Butterworth filters, which run forth and back
_POWERS = 5  # RawBoost's constants: powers of the signal, notches per filter,
_NOTCHES = 5
_CENTRES = (20.0, 8000.0)  # their centres and widths in Hz, their coefficients,
_WIDTHS = (100.0, 1000.0)
_TAPS = (10, 100)
_IMPULSE_GAIN = 2.0  # and the gain of impulses


def reverberate(
    samples: NDArray[np.floating],
    sample_rate: int,
    reverberation_time: float,
    direct_to_reverberant: float,
    rng: np.random.Generator,
) -> NDArray[np.floating]:
    """Add a room's tail that falls by 60 dB in `reverberation_time` s, and is cut at the recording's end."""
    from scipy.signal import oaconvolve  # here, since to load it takes longer than an answer

    # J. D. Polack, "La transmission de l'énergie sonore dans les salles", Université du Maine, 1988.
    start = max(1, round(_PREDELAY * sample_rate))
    time = np.arange(start, max(start + 1, round(reverberation_time * sample_rate))) / sample_rate
    # 10**-3 is -60 dB.
    tail = rng.standard_normal(len(time)) * 10 ** (-3 * time / reverberation_time)
    tail *= np.sqrt(10 ** (-direct_to_reverberant / 10) / np.sum(tail**2))
    response = np.concatenate([[1.0], np.zeros(start - 1), tail]).astype(samples.dtype)
    return oaconvolve(samples, response)[: len(samples)].astype(samples.dtype, copy=False)


def add_noise(
    samples: NDArray[np.floating], sample_rate: int, snr: float, color: float, rng: np.random.Generator
) -> NDArray[np.floating]:
    """Add stationary noise above 20 Hz, `snr` dB below the recording, with a power of ``1 / f**color``."""
    size = next_fast_len(max(len(samples), 64), real=True)
    spectrum = rfft(rng.standard_normal(size, dtype=np.float32))
    frequencies = rfftfreq(size, 1 / sample_rate)
    # Else most of brown noise's power would be where nobody hears it.
    heard = frequencies >= min(_LOWEST, sample_rate / 4)
    spectrum[~heard] = 0
    spectrum[heard] *= (frequencies[heard] / sample_rate).astype(np.float32) ** np.float32(-color / 2)
    noise = irfft(spectrum, size)[: len(samples)]
    power = np.mean(np.square(noise), dtype=np.float64)
    if power > 0:
        wanted = np.mean(np.square(samples), dtype=np.float64) / 10 ** (snr / 10)
        samples = samples + (noise * np.sqrt(wanted / power)).astype(samples.dtype)
    return samples


def cut_band(
    samples: NDArray[np.floating], sample_rate: int, cutoff: float, kind: str
) -> NDArray[np.floating]:
    """Apply a "lowpass" or "highpass" without delay; the gain is -6 dB at the cutoff, in Hz."""
    if cutoff >= sample_rate / 2:
        return samples
    from scipy.signal import butter, sosfiltfilt

    sections = butter(_ORDER, cutoff, kind, fs=sample_rate, output="sos")
    padding = min(3 * (2 * _ORDER + 1), len(samples) - 1)
    return sosfiltfilt(sections, samples, padlen=padding).astype(samples.dtype)


def convolve_nonlinearly(
    samples: NDArray[np.floating], sample_rate: int, below: tuple[float, float], rng: np.random.Generator
) -> NDArray[np.floating]:
    """Apply RawBoost's convolutive noise; filters of higher powers lie `below` dB (a range) lower."""
    from scipy.signal import oaconvolve

    # H. Tak et al., "RawBoost: A raw data boosting and augmentation method applied to automatic speaker
    # verification anti-spoofing", ICASSP, 2022, with the constants of the published code.
    total = np.zeros_like(samples)
    power = np.ones_like(samples)
    for exponent in range(1, _POWERS + 1):
        power = power * samples
        gain = 0.0 if exponent == 1 else -rng.uniform(*below)
        notches = (_notches(sample_rate, rng) * 10 ** (gain / 20)).astype(samples.dtype)
        middle = len(notches) // 2  # the filters are symmetric: from there on, nothing is delayed
        total += oaconvolve(power, notches)[middle : middle + len(samples)]
    return total - total.mean(dtype=np.float64).astype(samples.dtype)


def add_impulses(
    samples: NDArray[np.floating], share: float, rng: np.random.Generator
) -> NDArray[np.floating]:
    """Add RawBoost's impulsive noise, up to twice the sample itself, to a share of the samples."""
    hit = rng.permutation(len(samples))[: int(share * len(samples))]
    strength = rng.uniform(-1, 1, len(hit)) * rng.uniform(-1, 1, len(hit))
    samples = samples.copy()
    samples[hit] *= 1 + _IMPULSE_GAIN * strength.astype(samples.dtype)
    return samples


def notch(n_taps: int, low: float, high: float) -> NDArray[np.float64]:
    """Return a band-stop filter of shape (n_taps,), odd; the edges are parts of half the sample rate."""
    # Twenty-five are drawn for a recording: firwin's checks would take longer than all else for short ones.
    time = np.arange(n_taps) - (n_taps - 1) / 2
    ideal = np.sinc(time) - high * np.sinc(high * time) + low * np.sinc(low * time)
    coefficients = ideal * np.hamming(n_taps)
    return coefficients / coefficients.sum()


def _notches(sample_rate: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw a filter with notches, of an odd number of coefficients and a largest gain of 1."""
    coefficients = np.ones(1)
    highest = sample_rate / 2
    for _ in range(_NOTCHES):
        centre = rng.uniform(min(_CENTRES[0], highest / 2), min(_CENTRES[1], highest))
        width = rng.uniform(*_WIDTHS)
        n_taps = int(rng.integers(*_TAPS, endpoint=True)) | 1
        low, high = max(centre - width / 2, 1e-3), min(centre + width / 2, highest - 1e-3)
        coefficients = np.convolve(coefficients, notch(n_taps, low / highest, high / highest))
    return coefficients / np.abs(rfft(coefficients, 1024)).max()
