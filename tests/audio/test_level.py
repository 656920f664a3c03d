import numpy as np
import pytest

from voicelstm.audio import active_region, set_level


def test_the_active_region_runs_from_the_first_to_the_last_sample_above_the_threshold():
    samples = np.array([0.0, 0.0099, 0.0101, 1.0, 0.0, -0.0101, 0.0099])
    assert active_region(samples, trim_silence=40.0) == (2, 6)
    assert active_region(1e-20 * samples, trim_silence=40.0) == (2, 6)
    assert active_region(np.zeros(5), trim_silence=40.0) == (0, 0)


def test_the_active_region_is_found_however_long_the_silence_on_either_side():
    # The search goes in blocks of 4,096 samples that grow; a boundary lies at 4,096 + 16,384 = 20,480.
    for n_before in (0, 4095, 4096, 20_479, 20_480, 50_000):
        samples = np.zeros(n_before + 10_001)
        samples[n_before], samples[n_before + 1] = -1.0, 0.5
        assert active_region(samples, trim_silence=40.0) == (n_before, n_before + 2)
        assert active_region(samples[::-1], trim_silence=40.0) == (9999, 10_001)


@pytest.mark.parametrize("gain", [1.0, 1e-12, 1e12])
def test_a_levelled_recording_has_the_root_mean_square_that_was_asked_for(gain):
    samples = gain * np.random.default_rng(0).standard_normal(1000)
    levelled = set_level(samples, level=-26.0)
    assert 20 * np.log10(np.sqrt(np.mean(levelled**2))) == pytest.approx(-26.0, abs=1e-9)
    np.testing.assert_allclose(levelled / levelled[0], samples / samples[0], rtol=1e-12)


def test_silence_has_no_level_and_stays():
    assert set_level(np.zeros(3), level=-26.0).tolist() == [0, 0, 0]
