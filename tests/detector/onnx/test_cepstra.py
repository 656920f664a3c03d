import numpy as np
import pytest

from tests.detector.onnx.sessions import run
from voicelstm.detector.onnx import _cepstra
from voicelstm.detector.onnx._cepstra import cepstra, frame_count
from voicelstm.features import CepstraSettings
from voicelstm.features import cepstra as of_library
from voicelstm.features import frame_count as of_library_count

SETTINGS = {
    "cepstra": CepstraSettings(),
    "energies": CepstraSettings(n_mfcc=None, n_filters=80, n_fft=512, scale="linear", triangles="exact"),
    "without energy": CepstraSettings(energy=False, preemphasis=0.0, lifter=0, amplitude=32768.0),
    "odd sizes": CepstraSettings(frame_length=0.0231, frame_step=0.0107, n_fft=602, window="hann"),
    "a prime": CepstraSettings(n_fft=401, n_filters=20, fmin=100, fmax=3000),
    "double": CepstraSettings(dtype="float64"),
}


def noise(n_samples, dtype="float32"):
    """Noise that becomes 200 dB quieter, and exact zeros."""
    samples = np.random.default_rng(0).normal(size=n_samples) * 10 ** np.linspace(0, -10, n_samples)
    samples[n_samples // 2 : n_samples // 2 + 1000] = 0
    return samples.astype(dtype)


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("n_samples", [400, 401, 5000])
def test_coefficients_are_the_librarys(settings, n_samples, monkeypatch):
    monkeypatch.setattr(_cepstra, "_AT_ONCE", 10)
    samples = noise(n_samples, settings.dtype)
    expected = of_library(samples, 16000, settings)
    (found,) = run(
        lambda graph, samples: cepstra(graph, samples, 16000, settings, graph.arange(len(expected))), samples
    )
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-4)


def test_frames_by_their_positions_are_those_of_all():
    settings, samples = SETTINGS["cepstra"], noise(5000)
    positions = np.array([0, 3, 4, 17, 29])
    (found,) = run(
        lambda graph, samples, positions: cepstra(graph, samples, 16000, settings, positions),
        samples,
        positions,
    )
    np.testing.assert_allclose(found, of_library(samples, 16000, settings)[positions], rtol=0, atol=2e-4)


def test_quiet_bands_beside_loud_ones_are_as_precise_as_the_librarys():
    # Nothing above 4 kHz, as behind a telephone: what is left there is the rounding of samples.
    time = np.arange(16000) / 16000
    tones = sum(np.sin(2 * np.pi * hertz * time) for hertz in range(100, 3900, 100))
    samples = (tones * np.hanning(len(time)) / 100).astype("float32")
    settings = CepstraSettings(n_mfcc=None, n_filters=80, n_fft=512, scale="linear", triangles="exact")
    expected = of_library(samples, 16000, settings)
    assert expected.max() - expected.min() > 25  # 110 dB
    (found,) = run(
        lambda graph, samples: cepstra(graph, samples, 16000, settings, graph.arange(len(expected))), samples
    )
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-4)


def test_frames_are_counted_as_in_the_library():
    counts = np.array([[1, 399, 400, 401, 559, 560, 561, 16000]])
    (found,) = run(lambda graph, n_samples: frame_count(graph, n_samples, 400, 160), counts)
    assert found.tolist() == [[of_library_count(n, 400, 160) for n in counts[0].tolist()]]
