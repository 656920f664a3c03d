import itertools

import numpy as np
import pytest
from scipy.signal import freqz

from voicelstm.datasets._source_filter import (
    _BANDWIDTHS,
    TRAITS,
    Speaker,
    _hop,
    _in_room,
    _phase,
    _syllables,
    _through_formants,
    draw_speaker,
    simulate,
)

RATE = 16000
SPEAKER = Speaker(pitch=120.0, formants=1.0, open_quotient=0.6, closure=0.03)


def seeded(*seed):
    return np.random.default_rng(seed or 0)


def test_speakers_with_a_higher_pitch_have_a_shorter_vocal_tract_on_average():
    speakers = [draw_speaker(seeded(index)) for index in range(400)]
    pitch = np.array([speaker.pitch for speaker in speakers])
    assert pitch.min() >= 95
    assert pitch.max() <= 95 * 2**1.2
    # Both grow with the height, of standard deviation 0.2 / sqrt(12) = 0.058, with a spread of 0.02 besides.
    formants = [speaker.formants for speaker in speakers]
    expected = 0.058 / np.hypot(0.058, 0.02)
    assert np.corrcoef(np.log(pitch), formants)[0, 1] == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize("n_traits", range(len(TRAITS) + 1))
def test_a_voice_fills_its_length_whatever_its_traits(n_traits):
    for traits in itertools.combinations(TRAITS, n_traits):
        voice = simulate(SPEAKER, frozenset(traits), 6000, RATE, seeded(n_traits))
        assert (voice.shape, voice.dtype) == ((6000,), np.float32)
        assert np.isfinite(voice).all()
        peak = np.abs(voice).max()
        assert abs(voice[0]) > 0.02 * peak
        assert np.abs(voice[-1000:-320]).max() > 0.01 * peak
        assert voice[-1] == 0  # the end of the fade


def test_a_voice_is_a_function_of_its_generator():
    first, again, other = (simulate(SPEAKER, frozenset(TRAITS), 4000, RATE, seeded(n)) for n in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("n_samples", [100, 1600, 2880, 40_000])
def test_syllables_join_and_last_a_tenth_to_a_quarter_of_a_second(n_samples):
    for seed in range(20):
        bounds = _syllables(n_samples, RATE, seeded(seed))
        assert (bounds[0], bounds[-1]) == (0, n_samples)
        lengths = np.diff(bounds) / RATE
        assert ((lengths > 0.089) & (lengths < 0.241))[:-1].all()
        # What is left over at the end, up to half of the shortest, belongs to the last.
        assert min(n_samples, 0.045 * RATE) / RATE <= lengths[-1] < 0.286


def test_without_drift_and_jitter_each_syllable_has_one_pitch():
    bounds = np.array([0, 3000, 5000, 8000])
    phase = _phase(SPEAKER, frozenset(), bounds, 8000, RATE, seeded())
    pitch = RATE * np.diff(phase)
    for start, stop in itertools.pairwise(bounds):
        np.testing.assert_allclose(pitch[start : stop - 1], pitch[start], rtol=1e-9)
    assert len({round(pitch[start], 3) for start in bounds[:-1]}) == 3


@pytest.mark.parametrize("trait", ["drift", "jitter"])
def test_drift_and_jitter_move_the_pitch_within_a_syllable(trait):
    phase = _phase(SPEAKER, frozenset({trait}), np.array([0, 8000]), 8000, RATE, seeded())
    pitch = RATE * np.diff(phase)
    assert np.ptp(pitch) > 0.01 * SPEAKER.pitch
    assert phase[0] >= 0
    assert (pitch > 0).all()


@pytest.mark.parametrize("trait", [(), ("drift",), ("jitter",)])
def test_the_pitch_is_the_speakers_on_average(trait):
    bounds = np.linspace(0, 16_000, 11).astype(int)
    rises = [_phase(SPEAKER, frozenset(trait), bounds, 16_000, RATE, seeded(seed)) for seed in range(300)]
    octaves = np.log2([(phase[-1] - phase[0]) * RATE / 15_999 / SPEAKER.pitch for phase in rises])
    # A clip's mean deviates by 0.12 octaves, the mean of 300 by 0.007.
    assert octaves.mean() == pytest.approx(0, abs=0.03)
    assert octaves.std() == pytest.approx(0.12, abs=0.02)


def test_steady_formants_are_resonators_in_a_row():
    formants = np.array([500.0, 1500.0, 2500.0, 3500.0, 4500.0])
    tracks = np.tile(formants, (2 * RATE // _hop(RATE) + 2, 1))
    frequencies = np.arange(125, 6000, 125)
    expected = np.ones(len(frequencies), dtype=complex)
    for frequency, bandwidth in zip(formants, _BANDWIDTHS, strict=True):
        radius = np.exp(-np.pi * bandwidth / RATE)
        poles = [1, -2 * radius * np.cos(2 * np.pi * frequency / RATE), radius**2]
        expected *= freqz([sum(poles)], poles, frequencies, fs=RATE)[1]  # 1 at 0 Hz
    gains = []
    for frequency in frequencies:
        tone = np.sin(2 * np.pi * frequency * np.arange(2 * RATE) / RATE).astype(np.float32)
        gains.append(np.sqrt(2) * _through_formants(tone, tracks, RATE)[RATE // 2 : -RATE // 2].std())
    difference = 20 * np.log10(gains / np.abs(expected))
    # A window of 32 ms smears the peaks, of which the first is 70 Hz wide.
    at_peaks = np.isin(frequencies, formants)
    assert np.abs(difference[at_peaks]).max() < 1
    assert np.abs(difference[~at_peaks]).max() < 0.15


def test_a_room_leaves_the_direct_sound_and_adds_a_tail_that_decays():
    impulse = np.zeros(RATE, dtype=np.float32)
    impulse[0] = 1.0
    for seed in range(10):
        response = _in_room(impulse, RATE, seeded(seed))
        assert response[0] == pytest.approx(1, abs=0.2)
        tail = response[1:]
        # Between 5 dB below and 2 dB above the direct sound.
        assert 10 ** (-5.5 / 10) < np.sum(tail**2) < 10 ** (2.5 / 10)
        quarters = [np.sum(part**2) for part in np.array_split(tail[: int(0.15 * RATE)], 4)]
        assert quarters == sorted(quarters, reverse=True)
