import numpy as np
import pytest
import soundfile

from voicelstm import MFCCTransformer
from voicelstm.datasets._audit_variables import VARIABLES, measure

RATE = 8000


def values_of(samples, rate=RATE):
    return measure((samples, rate)).values


def noise(n_samples=400):
    return 0.1 * np.random.default_rng(0).standard_normal(n_samples)


def test_measures_of_a_file_are_those_counted_by_hand(tmp_path):
    samples = np.zeros(2800, dtype=np.int16)
    samples[800:2400:2], samples[801:2400:2] = 8192, -8192
    soundfile.write(tmp_path / "a.wav", samples, RATE)
    values = measure(tmp_path / "a.wav").values
    assert list(values) == list(VARIABLES)
    assert values["duration"] == 2800 / 8000
    assert values["leading_silence"] == 800 / 8000
    assert values["trailing_silence"] == 400 / 8000
    assert values["level"] == pytest.approx(20 * np.log10(0.25 * np.sqrt(1600 / 2800)))
    assert values["peak"] == pytest.approx(20 * np.log10(0.25))
    assert values["dc"] == 0
    assert values["sample_rate"] == 8000
    assert values["bit_depth"] == 16
    assert values["effective_bits"] == 3  # -0.25 and 0.25 of full scale: a sign and two more
    assert values["resolution"] == 3
    assert values["noise_floor"] == -np.inf  # nothing at all for more than a twentieth of the time
    assert values["zeros"] == 1200 / 2800
    assert values["clipping"] == 0


def test_silence_ends_where_a_sample_exceeds_two_percent_of_the_peak():
    samples = np.array([0, 199, -200, 201, 10000, -201, 200, 0], dtype=np.int16)
    values = values_of(samples)
    assert values["leading_silence"] == 3 / RATE
    assert values["trailing_silence"] == 2 / RATE


def test_dc_is_the_magnitude_of_the_mean():
    assert values_of(np.array([-0.5, 0.0, -0.25, 0.25]))["dc"] == 0.125


def test_bandwidth_of_a_tone_is_its_frequency_and_of_noise_95_percent_of_the_band():
    time = np.arange(RATE) / RATE
    step = RATE / 1024
    assert values_of(np.sin(2 * np.pi * 1000 * time))["bandwidth"] == pytest.approx(1000, abs=2 * step)
    noise = np.random.default_rng(0).standard_normal(20 * RATE) * 0.1
    assert values_of(noise)["bandwidth"] == pytest.approx(0.95 * RATE / 2, abs=5 * step)


def test_bandwidth_does_not_see_a_constant_offset():
    tone = 0.01 * np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)
    assert values_of(tone + 0.5)["bandwidth"] == values_of(tone)["bandwidth"]


def test_clipping_counts_samples_at_full_scale():
    samples = np.array([32767, 32767, 32766, -32768, 0, 0, 0, 0], dtype=np.int16)
    assert values_of(samples)["clipping"] == 3 / 8


@pytest.mark.parametrize(
    ("subtype", "depth"), [("PCM_U8", 8), ("PCM_16", 16), ("PCM_24", 24), ("PCM_32", 32), ("FLOAT", 32)]
)
def test_effective_bits_are_those_of_the_samples_whatever_the_file_holds(tmp_path, subtype, depth):
    samples = np.array([0.5, -0.25, 1 / 128, 0.0])  # multiples of 2 ** -7
    soundfile.write(tmp_path / "a.wav", samples, RATE, subtype=subtype)
    values = measure(tmp_path / "a.wav").values
    assert values["bit_depth"] == depth
    assert values["effective_bits"] == 8


def test_sixteen_bits_in_twenty_four_are_found(tmp_path):
    samples = np.random.default_rng(0).integers(-(2**15), 2**15, 1000).astype(np.int16)
    soundfile.write(tmp_path / "a.wav", samples, RATE, subtype="PCM_24")
    values = measure(tmp_path / "a.wav").values
    assert (values["bit_depth"], values["effective_bits"]) == (24, 16)


def test_floating_point_noise_needs_more_bits_than_are_counted():
    assert values_of(noise())["effective_bits"] == 32
    assert values_of(np.array([1e30, 1.0]))["effective_bits"] == 32


def test_a_format_without_samples_has_no_bit_depth(tmp_path):
    soundfile.write(tmp_path / "a.ogg", noise(RATE), RATE, subtype="VORBIS")
    assert measure(tmp_path / "a.ogg").values["bit_depth"] == 0


def test_a_recording_of_zeros_is_all_silence():
    values = values_of(np.zeros(80, dtype=np.int16))
    assert values["leading_silence"] == values["trailing_silence"] == values["duration"] == 0.01
    assert values["level"] == values["peak"] == values["noise_floor"] == -np.inf
    assert values["bandwidth"] == values["effective_bits"] == values["resolution"] == 0
    assert values["upper_edge"] == values["spectral_holes"] == 0
    assert values["zeros"] == 1


def test_an_array_without_a_rate_takes_the_one_given():
    assert measure(np.zeros(80, dtype=np.int16), sample_rate=RATE).values["duration"] == 0.01
    assert measure((4000, np.zeros(80)), sample_rate=RATE).values["duration"] == 0.02


def test_the_fingerprint_is_that_by_which_a_detector_knows_its_training_recordings(tmp_path):
    samples = np.random.default_rng(0).integers(-(2**15), 2**15, 1000).astype(np.int16)
    soundfile.write(tmp_path / "a.wav", samples, RATE)
    soundfile.write(tmp_path / "a.flac", samples, RATE)
    forms = [tmp_path / "a.wav", tmp_path / "a.flac", (samples, RATE)]
    transformer = MFCCTransformer(sample_rate=RATE)
    transformer.fit_transform(forms)
    assert {measure(each).fingerprint for each in forms} == set(transformer.fingerprints_.tolist())
    assert len(transformer.fingerprints_) == 1
