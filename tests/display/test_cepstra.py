import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_allclose

from voicelstm import MFCCTransformer
from voicelstm.display import CepstraDisplay
from voicelstm.features import filterbank
from voicelstm.sequences import Clip

RATE = 16000


@pytest.fixture
def clip():
    features = np.array([[1.0, 5.0], [2.0, 5.0], [3.0, 5.0]])
    return Clip(features, offset=0.5, frame_length=0.025, frame_step=0.01, duration=1.0)


def noise(seconds=0.5):
    return np.random.default_rng(0).normal(0, 0.1, int(seconds * RATE))


def test_frames_lie_where_their_middles_are_in_the_recording(clip):
    display = CepstraDisplay(clip).plot()
    # Middles at 0.5125, 0.5225 and 0.5325 s, each in the middle of 0.01 s.
    assert_allclose(display.image_.get_extent(), [0.5075, 0.5375, -0.5, 1.5])
    assert display.ax_.get_xlim() == (0, 1)
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("time in s", "coefficient")


def test_coefficients_are_drawn_in_deviations_from_their_mean(clip):
    drawn = CepstraDisplay(clip).plot().image_.get_array()
    assert_allclose(drawn, [[-np.sqrt(1.5), 0, np.sqrt(1.5)], [0, 0, 0]])


def test_values_are_drawn_as_they_are_where_asked(clip):
    display = CepstraDisplay(clip).plot(standardize=False, cmap="gray", vmin=0)
    assert_allclose(display.image_.get_array(), clip.features.T)
    assert (display.image_.get_cmap().name, display.image_.get_clim()) == ("gray", (0, 5))
    assert display.colorbar_.ax.get_ylabel() == "value"


def test_the_first_coefficient_is_at_the_bottom_and_greys_rise_with_the_value(clip):
    display = CepstraDisplay(clip).plot()
    assert display.image_.origin == "lower"
    red, green, blue, _ = display.image_.get_cmap()(np.linspace(0, 1, 20)).T
    assert (np.diff(0.299 * red + 0.587 * green + 0.114 * blue) > 0).all()


def test_a_recording_is_drawn_as_the_transformer_hands_it_on():
    transformer = MFCCTransformer(n_mfcc=5, deltas=1)
    display = CepstraDisplay.from_recording(noise(), transformer)
    sequence = transformer.transform([noise()])[0]
    expected = (sequence - sequence.mean(axis=0)) / sequence.std(axis=0)
    assert_allclose(display.image_.get_array(), expected.T, atol=1e-4)
    assert [text.get_text() for text in display.ax_.get_yticklabels()] == ["mfcc0", "delta_mfcc0"]
    assert_allclose(display.ax_.get_yticks(), [0, 5])
    assert [line.get_ydata()[0] for line in display.ax_.lines] == [4.5]


def test_what_was_trimmed_stays_blank():
    silence = np.zeros(RATE // 2)
    recording = np.concatenate([silence, noise(), silence])
    display = CepstraDisplay.from_recording(recording, MFCCTransformer(trim_silence=40.0))
    start, stop, _, _ = display.image_.get_extent()
    assert_allclose([start, stop], [0.5, 1], atol=0.02)
    assert display.ax_.get_xlim() == (0, 1.5)


@pytest.mark.parametrize("scale", ["mel", "linear"])
def test_energies_are_those_of_the_filters_in_decibels(scale):
    transformer = MFCCTransformer(
        n_mfcc=4,
        n_filters=10,
        n_fft=512,
        frame_length=512 / RATE,
        frame_step=512 / RATE,
        preemphasis=0.0,
        window="boxcar",
        scale=scale,
        normalize="zscore",
        dtype="float64",
    )
    signal = noise()[: 4 * 512]
    display = CepstraDisplay.from_recording(signal, transformer, kind="filterbank")
    power = np.abs(np.fft.rfft(signal.reshape(4, 512))) ** 2 / 512
    energies = power @ filterbank(RATE, 512, 10, scale=scale).T
    drawn = display.image_.get_array()
    assert_allclose(drawn - drawn.max(), (10 * np.log10(energies / energies.max())).T, atol=1e-6)
    assert display.colorbar_.ax.get_ylabel() == "energy in dB"
    assert display.ax_.get_ylabel() == "frequency in Hz"
    assert_allclose(np.diff(display.image_.get_clim()), 60)


def test_frequencies_stand_at_the_filters_that_peak_there():
    linear = MFCCTransformer(n_mfcc=7, n_filters=7, scale="linear")
    ax = CepstraDisplay.from_recording(noise(), linear, kind="filterbank").ax_
    # Seven filters up to 8000 Hz peak at 1000, 2000, ...
    assert_allclose(ax.get_yticks(), np.arange(7))
    assert [text.get_text() for text in ax.get_yticklabels()] == [str(1000 * i) for i in range(1, 8)]
    ax = CepstraDisplay.from_recording(noise(), kind="filterbank").ax_
    by_label = dict(zip([text.get_text() for text in ax.get_yticklabels()], ax.get_yticks(), strict=True))
    # 40 filters to 8000 Hz are 41 steps of 2840.02 / 41 = 69.27 mel; 1000 Hz is 999.99 mel, 14.44 steps up.
    assert by_label["1000"] == pytest.approx(13.44, abs=0.02)


def test_a_tone_is_brightest_at_its_frequency():
    tone = np.sin(2 * np.pi * 3000 * np.arange(RATE // 4) / RATE)
    linear = MFCCTransformer(n_mfcc=7, n_filters=7, scale="linear")
    display = CepstraDisplay.from_recording(tone, linear, kind="filterbank")
    assert (display.image_.get_array().argmax(axis=0) == 2).all()


def test_the_recordings_own_rate_counts_where_the_transformer_keeps_it():
    linear = MFCCTransformer(n_mfcc=7, n_filters=7, scale="linear", sample_rate=None)
    display = CepstraDisplay.from_recording((noise(), 8000), linear, kind="filterbank")
    assert_allclose(display.frequencies, 500 * np.arange(1, 8))


def test_it_draws_on_the_axes_given(clip):
    figure, (left, right) = plt.subplots(1, 2)
    display = CepstraDisplay(clip).plot(right, colorbar=False)
    assert (display.ax_, display.figure_, display.colorbar_) == (right, figure, None)
    assert not left.has_data()


def test_faults_are_named(clip):
    with pytest.raises(ValueError, match="kind='mfcc' must be"):
        CepstraDisplay.from_recording(noise(), kind="mfcc")
    empty = Clip(np.empty((0, 2)), offset=0, frame_length=0.025, frame_step=0.01, duration=0)
    with pytest.raises(ValueError, match="at least one frame"):
        CepstraDisplay(empty).plot()
