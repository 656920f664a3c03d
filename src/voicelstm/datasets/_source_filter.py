"""One simulated utterance: a glottal source, moving formants, a room."""

from dataclasses import dataclass

import numpy as np
from scipy import fft, signal

__all__ = ["TRAITS", "Speaker", "draw_speaker", "simulate"]

TRAITS = ("drift", "jitter", "shimmer", "breath", "articulation", "room")

# F1, F2 and F3 in Hz of ten vowels, men (Peterson and Barney, 1952, table II).
_VOWELS = np.array(
    [
        [270, 2290, 3010], [390, 1990, 2550], [530, 1840, 2480], [660, 1720, 2410], [730, 1090, 2440],
        [570, 840, 2410], [440, 1020, 2240], [300, 870, 2240], [640, 1190, 2390], [490, 1350, 1690],
    ],
    dtype=float,
)  # fmt: skip
_UPPER_FORMANTS = (3500.0, 4500.0)  # much the same for every vowel
_BANDWIDTHS = np.array([70.0, 90.0, 120.0, 180.0, 250.0])


@dataclass(frozen=True)
class Speaker:
    """Traits that stay the same from clip to clip."""

    pitch: float  # mean, in Hz
    formants: float  # factor on every formant frequency; a shorter vocal tract has a larger one
    open_quotient: float  # part of a period during which the glottis is open
    closure: float  # time constant with which it closes, in periods; a longer one is a duller voice


def draw_speaker(rng: np.random.Generator) -> Speaker:
    """Draw a speaker; those with a higher pitch have, on average, a shorter vocal tract."""
    height = rng.uniform()
    return Speaker(
        pitch=95.0 * 2.0 ** (1.2 * height),
        formants=0.96 + 0.2 * height + rng.normal(0.0, 0.02),
        open_quotient=rng.uniform(0.5, 0.7),
        closure=rng.uniform(0.015, 0.05),
    )


def simulate(
    speaker: Speaker, traits: frozenset[str], n_samples: int, sample_rate: int, rng: np.random.Generator
) -> np.ndarray:
    """Return float32 samples of a voice that fills all of them, with some of `TRAITS`."""
    n_drawn = n_samples + int(0.1 * sample_rate)  # what comes before the onset is cut off below
    bounds = _syllables(n_drawn, sample_rate, rng)
    phase = _phase(speaker, traits, bounds, n_drawn, sample_rate, rng)
    source = _glottal_source(speaker, traits, phase, rng)
    envelope = _envelope(bounds, n_drawn, rng)
    source *= envelope
    source += _noise_source(traits, phase - np.floor(phase) < speaker.open_quotient, envelope, rng)
    voice = _through_formants(source, _formant_tracks(speaker, traits, bounds, sample_rate, rng), sample_rate)
    colour = np.array([1.0, rng.uniform(-0.4, 0.0)], dtype=np.float32)
    voice = np.convolve(voice, colour)[:n_drawn]  # the microphone
    if "room" in traits:
        voice = _in_room(voice, sample_rate, rng)
    return _cut(voice, n_samples, sample_rate)


def _syllables(n_samples: int, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """Draw boundaries in samples, the first 0, the last `n_samples`."""
    shortest, longest = 0.09, 0.24
    durations = rng.uniform(shortest, longest, int(n_samples / (shortest * sample_rate)) + 1)
    bounds = np.cumsum(durations * sample_rate).astype(int)
    return np.concatenate([[0], bounds[bounds < n_samples - shortest * sample_rate / 2], [n_samples]])


def _phase(
    speaker: Speaker,
    traits: frozenset[str],
    bounds: np.ndarray,
    n_samples: int,
    sample_rate: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Count periods since the start, at every sample."""
    mean = np.log2(speaker.pitch) + rng.normal(0.0, 0.12)
    if "drift" in traits:
        knots = np.arange(0.0, n_samples + 0.12 * sample_rate, 0.06 * sample_rate)
        fall = rng.uniform(0.0, 0.3) * (0.5 - knots / knots[-1])
        octaves = np.interp(np.arange(n_samples), knots, fall + rng.normal(0.0, 0.07, len(knots)))
    else:
        octaves = np.repeat(rng.normal(0.0, 0.1, len(bounds) - 1), np.diff(bounds))
    phase = np.cumsum(2.0 ** (mean + octaves)) / sample_rate
    if "jitter" in traits:
        periods = np.arange(int(phase[-1]) + 2)
        phase += np.interp(phase, periods, rng.uniform(0.008, 0.02) * rng.standard_normal(len(periods)))
        phase -= min(phase[0], 0.0)
    return phase


def _glottal_source(
    speaker: Speaker, traits: frozenset[str], phase: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Differentiate the glottal flow: a cubic flow while open, an exponential return."""
    period = np.floor(phase)
    within = (phase - period).astype(np.float32)
    opening = within / np.float32(speaker.open_quotient)
    closing = -np.exp((np.float32(speaker.open_quotient) - within) / np.float32(speaker.closure))
    flow = np.where(opening < 1.0, opening * (2.0 - 3.0 * opening), closing)
    flow -= flow.mean()
    if "shimmer" in traits:
        loudness = 1.0 + rng.uniform(0.1, 0.2) * rng.standard_normal(int(period[-1]) + 1, dtype=np.float32)
        flow *= loudness[period.astype(int)]
    return flow


def _envelope(bounds: np.ndarray, n_samples: int, rng: np.random.Generator) -> np.ndarray:
    """Loudness over time: a rise and a fall for each syllable."""
    n_syllables = len(bounds) - 1
    lengths = np.diff(bounds)
    peak = rng.uniform(0.5, 1.0, n_syllables)
    valley = 10.0 ** (rng.uniform(-40.0, -20.0, n_syllables) / 20.0)
    knots = bounds[:-1, np.newaxis] + lengths[:, np.newaxis] * np.array([0.0, 0.25, 0.75, 0.95])
    levels = np.column_stack([valley, peak, 0.9 * peak, valley])
    return np.interp(np.arange(n_samples), knots.ravel(), levels.ravel()).astype(np.float32)


def _noise_source(
    traits: frozenset[str], is_open: np.ndarray, envelope: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Consonants between the syllables, and breath that comes with the open glottis."""
    noise = np.diff(rng.standard_normal(len(envelope) + 1, dtype=np.float32))
    consonant = np.float32(rng.uniform(0.015, 0.03)) * (1.0 - np.minimum(2.0 * envelope, 1.0))
    if "breath" in traits:
        breath = np.float32(10.0 ** (rng.uniform(-28.0, -18.0) / 20.0))
        consonant += breath * np.where(is_open, envelope, 0.3 * envelope)
    return noise * consonant


def _formant_tracks(
    speaker: Speaker, traits: frozenset[str], bounds: np.ndarray, sample_rate: int, rng: np.random.Generator
) -> np.ndarray:
    """Formant frequencies in Hz, shape (n_frames, 5): gliding from vowel to vowel, or jumping."""
    n_syllables = len(bounds) - 1
    vowels = _VOWELS[rng.integers(len(_VOWELS), size=n_syllables)] * rng.normal(1.0, 0.04, (n_syllables, 3))
    targets = np.column_stack([vowels, np.tile(_UPPER_FORMANTS, (n_syllables, 1))]) * speaker.formants
    hop = _hop(sample_rate)
    times = hop * np.arange(bounds[-1] // hop + 2)
    if "articulation" not in traits:
        return targets[np.clip(np.searchsorted(bounds, times, "right") - 1, 0, n_syllables - 1)]
    position = np.interp(times, (bounds[:-1] + bounds[1:]) / 2.0, np.arange(n_syllables))
    before = np.minimum(position.astype(int), max(n_syllables - 2, 0))
    share = (position - before)[:, np.newaxis]
    share = share * share * (3.0 - 2.0 * share)
    tracks = targets[before] * (1.0 - share) + targets[np.minimum(before + 1, n_syllables - 1)] * share
    return tracks * (1.0 + rng.normal(0.0, 0.04, tracks.shape))


def _hop(sample_rate: int) -> int:
    """Return the samples between two settings of the formants, 16 ms."""
    return max(int(0.016 * sample_rate), 1)


def _through_formants(source: np.ndarray, tracks: np.ndarray, sample_rate: int) -> np.ndarray:
    """Overlapping frames of the source, each filtered by five resonators in the frequency domain."""
    hop = _hop(sample_rate)
    n_frames = len(tracks)
    padded = np.zeros((n_frames + 1) * hop, dtype=np.float32)
    padded[hop : hop + len(source)] = source
    window = np.sin(np.pi * (np.arange(2 * hop, dtype=np.float32) + 0.5) / (2 * hop)).astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(padded, 2 * hop)[::hop] * window
    delay = np.exp(-1j * np.pi * np.arange(hop + 1) / hop).astype(np.complex64)  # z to the -1
    denominator = np.ones((n_frames, hop + 1), dtype=np.complex64)
    for frequency, bandwidth in zip(tracks.T, _BANDWIDTHS, strict=True):
        audible = frequency < 0.45 * sample_rate
        radius = np.where(audible, np.exp(-np.pi * bandwidth / sample_rate), 0.0).astype(np.float32)
        real = 2.0 * radius * np.cos(2.0 * np.pi * frequency / sample_rate).astype(np.float32)
        gain = 1.0 / (1.0 - real + radius * radius)
        denominator *= (
            gain[:, np.newaxis]
            - np.outer(gain * real, delay)
            + np.outer(gain * radius * radius, delay * delay)
        )
    filtered = fft.irfft(fft.rfft(frames, axis=1) / denominator, 2 * hop, axis=1) * window
    voice = np.zeros((n_frames + 1) * hop, dtype=np.float32)
    halves = voice.reshape(n_frames + 1, hop)
    halves[:-1] += filtered[:, :hop]
    halves[1:] += filtered[:, hop:]
    return voice[hop : hop + len(source)]


def _in_room(voice: np.ndarray, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """Direct sound and a tail of exponentially decaying noise (Polack, 1988)."""
    reverberation_time = rng.uniform(0.3, 0.6)
    n_tail = int(0.5 * reverberation_time * sample_rate)  # 30 dB of it
    tail = rng.standard_normal(n_tail, dtype=np.float32)
    tail *= np.exp(np.linspace(0.0, -3.45, n_tail, dtype=np.float32))
    tail *= np.float32(10.0 ** (-rng.uniform(-2.0, 5.0) / 20.0)) / np.linalg.norm(tail)
    tail[0] += 1.0
    return signal.fftconvolve(voice, tail)[: len(voice)]


def _cut(voice: np.ndarray, n_samples: int, sample_rate: int) -> np.ndarray:
    """From the onset on, with a fade of 20 ms at the end."""
    loud = np.abs(voice) > 0.02 * np.abs(voice).max()
    onset = min(int(np.argmax(loud)), len(voice) - n_samples)
    cut = voice[onset : onset + n_samples].astype(np.float32)
    n_fade = min(int(0.02 * sample_rate), n_samples)
    cut[n_samples - n_fade :] *= np.linspace(1.0, 0.0, n_fade, dtype=np.float32)
    return cut
