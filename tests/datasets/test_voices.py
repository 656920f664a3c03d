import functools

import numpy as np
import pytest
from python_speech_features import delta, mfcc
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from voicelstm.datasets import make_voices

BY_NIGHT = pytest.mark.nightly
SEEDS = [0, pytest.param(1, marks=BY_NIGHT), pytest.param(2, marks=BY_NIGHT)]
SCALARS = ("duration", "level", "peak", "crest", "leading silence", "trailing silence", "pitch")


def mean_pitch(samples, sample_rate):
    """Where the autocorrelation of the whole clip is largest, between 70 and 400 Hz."""
    spectrum = np.fft.rfft(samples, 1 << (2 * len(samples)).bit_length())
    correlation = np.fft.irfft(np.abs(spectrum) ** 2)
    shortest, longest = sample_rate // 400, sample_rate // 70
    return sample_rate / (shortest + np.argmax(correlation[shortest:longest]))


def scalars(samples, sample_rate):
    magnitude = np.abs(samples)
    peak = magnitude.max()
    rms = np.sqrt(np.mean(np.square(samples, dtype=float)))
    loud = np.flatnonzero(magnitude > 0.02 * peak)
    return (
        len(samples) / sample_rate,
        20 * np.log10(rms),
        20 * np.log10(peak),
        20 * np.log10(peak / rms),
        loud[0] / sample_rate,
        (len(samples) - 1 - loud[-1]) / sample_rate,
        mean_pitch(samples, sample_rate),
    )


@functools.cache
def measured(seed):
    voices = make_voices(1000, random_state=seed)
    return np.array([scalars(*recording) for recording in voices.recordings]), voices.target == "synthetic"


@pytest.mark.parametrize("seed", SEEDS)
def test_no_single_scalar_tells_the_classes_apart(seed):
    values, synthetic = measured(seed)
    for name, column in zip(SCALARS, values.T, strict=True):
        assert 0.4 < roc_auc_score(synthetic, column) < 0.6, name


@pytest.mark.parametrize("seed", SEEDS)
def test_the_scalars_together_do_not_tell_the_classes_apart(seed):
    values, synthetic = measured(seed)
    regression = make_pipeline(StandardScaler(), LogisticRegression())
    assert cross_val_score(regression, values, synthetic, scoring="roc_auc", cv=5).mean() < 0.65


@pytest.mark.parametrize("seed", SEEDS[:2])
def test_cepstra_tell_the_classes_apart_for_new_speakers_though_not_trivially(seed):
    voices = make_voices(400, random_state=seed)
    features = []
    for samples, sample_rate in voices.recordings:
        cepstra = mfcc(samples, sample_rate, numcep=20, nfilt=40, winfunc=np.hamming)
        cepstra = np.hstack([cepstra, delta(cepstra, 2)])
        features.append(np.concatenate([cepstra.mean(axis=0), cepstra.std(axis=0)]))
    regression = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    accuracy = cross_val_score(
        regression,
        np.array(features),
        voices.target,
        groups=voices.groups["speaker"],
        cv=StratifiedGroupKFold(5),
        scoring="balanced_accuracy",
    ).mean()
    assert 0.83 < accuracy < 0.98


def test_recordings_are_finite_float32_within_full_scale_and_never_exactly_zero():
    voices = make_voices(60, random_state=0)
    for samples, sample_rate in voices.recordings:
        assert samples.dtype == np.float32
        assert samples.ndim == 1
        assert sample_rate == 16000
        assert np.isfinite(samples).all()
        assert np.abs(samples).max() < 1.0
        assert np.count_nonzero(samples == 0.0) <= 1  # a float32 normal deviate is 0 once in 10^7


def test_classes_are_balanced_and_every_speaker_speaks_in_both():
    voices = make_voices(240, n_speakers=8, random_state=0)
    speaker, system = voices.groups["speaker"], voices.groups["system"]
    human = voices.target == "human"
    assert np.count_nonzero(human) == 120
    assert set(speaker[human]) == set(speaker[~human])
    assert len(set(speaker)) == 8
    assert set(system[human]) == {"human"}
    assert sorted(set(system[~human])) == [f"synthetic-{number}" for number in range(6)]


@pytest.mark.parametrize("sample_rate", [4000, 8000, 22050, 48000])
def test_durations_and_the_sample_rate_are_as_asked(sample_rate):
    recordings, target = make_voices(
        6, sample_rate=sample_rate, min_duration=0.2, max_duration=0.3, random_state=0, return_X_y=True
    )
    assert target.tolist() == ["human", "synthetic"] * 3
    for samples, rate in recordings:
        assert rate == sample_rate
        assert 0.2 <= round(len(samples) / rate, 3) <= 0.3


def test_the_same_random_state_gives_the_same_recordings_however_many():
    few, many, other = (make_voices(n, random_state=seed) for n, seed in ((3, 7), (6, 7), (3, 8)))
    for (left, _), (right, _) in zip(few.recordings, many.recordings, strict=False):
        np.testing.assert_array_equal(left, right)
    assert not np.array_equal(few.recordings[0][0], other.recordings[0][0])
    generator = np.random.RandomState(7)
    first, second = (make_voices(2, random_state=generator).recordings[0][0] for _ in range(2))
    np.testing.assert_array_equal(first, few.recordings[0][0])
    assert not np.array_equal(first, second)


def test_the_global_generator_is_left_alone():
    before = np.random.get_state()[1].copy()
    make_voices(2, random_state=0)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


@pytest.mark.parametrize(
    "wrong",
    [
        {"n_samples": 1},
        {"sample_rate": 1000},
        {"n_speakers": 0},
        {"min_duration": 0.01},
        {"min_duration": 2.0, "max_duration": 1.0},
    ],
)
def test_numbers_that_are_too_small_are_refused_by_name(wrong):
    with pytest.raises(ValueError, match=list(wrong)[-1]):
        make_voices(**wrong)


def test_without_a_random_state_voices_differ_and_the_global_state_stays():
    before = np.random.get_state()[1].tolist()
    first, second = (make_voices(2, random_state=None).recordings[0][0] for _ in range(2))
    assert len(first) != len(second) or (first != second).any()
    assert np.random.get_state()[1].tolist() == before
