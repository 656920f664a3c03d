import librosa
import numpy as np
import pytest
from python_speech_features import get_filterbanks

from voicelstm.features import filter_corners, filterbank


@pytest.mark.parametrize(
    ("rate", "n_fft", "n_filters", "fmin", "fmax"),
    [
        (16000, 512, 26, 0, None),
        (16000, 512, 40, 0, 8000),
        (8000, 256, 26, 0, None),
        (22050, 2048, 26, 0, None),
        (44100, 2048, 40, 80.5, 12000),
        (48000, 1201, 20, 300, 3400),
    ],
)
def test_mel_filters_on_bins_are_those_of_python_speech_features(rate, n_fft, n_filters, fmin, fmax):
    filters = filterbank(rate, n_fft, n_filters, fmin=fmin, fmax=fmax)
    np.testing.assert_allclose(
        filters, get_filterbanks(n_filters, n_fft, rate, fmin, fmax), rtol=0, atol=1e-12
    )


@pytest.mark.parametrize(("scale", "htk"), [("slaney", False), ("mel", True)])
@pytest.mark.parametrize(
    ("rate", "n_fft", "n_filters", "fmin", "fmax"),
    [(16000, 512, 40, 0, None), (22050, 2048, 128, 0, None), (48000, 2048, 40, 100, 15000)],
)
def test_exact_triangles_are_those_of_librosa(scale, htk, rate, n_fft, n_filters, fmin, fmax):
    filters = filterbank(rate, n_fft, n_filters, fmin=fmin, fmax=fmax, scale=scale, triangles="exact")
    theirs = librosa.filters.mel(
        sr=rate, n_fft=n_fft, n_mels=n_filters, fmin=fmin, fmax=fmax, htk=htk, norm=None, dtype=np.float64
    )
    np.testing.assert_allclose(filters, theirs, rtol=0, atol=1e-6)


@pytest.mark.parametrize("triangles", ["bins", "exact"])
def test_linear_filters_have_evenly_spaced_centres(triangles):
    # 4000 Hz over 4 steps: corners every 1000 Hz, four bins of 250 Hz each.
    filters = filterbank(8000, 32, 3, scale="linear", triangles=triangles)
    slope = [0.25, 0.5, 0.75, 1.0, 0.75, 0.5, 0.25]
    expected = np.zeros((3, 17))
    for row, first in enumerate((1, 5, 9)):
        expected[row, first : first + 7] = slope
    np.testing.assert_allclose(filters, expected, atol=1e-12)


def test_a_band_limits_the_filters():
    filters = filterbank(8000, 32, 3, fmin=1000, fmax=3000, scale="linear", triangles="exact")
    # Corners 1000, 1500, ..., 3000 Hz; bins 250 Hz apart.
    assert filters[1, 6:11].tolist() == [0, 0.5, 1, 0.5, 0]
    assert not filters[:, :5].any()
    assert not filters[:, 12:].any()


@pytest.mark.parametrize("scale", ["mel", "slaney", "linear"])
@pytest.mark.parametrize(("fmin", "fmax"), [(0, 999), (0, 1000), (700, 1000.5), (1000, 4000), (1001, 8000)])
def test_corners_reach_from_the_lowest_to_the_highest_frequency(scale, fmin, fmax):
    corners = filter_corners(5, fmin=fmin, fmax=fmax, scale=scale)
    assert corners.shape == (7,)
    np.testing.assert_allclose(corners[[0, -1]], [fmin, fmax], rtol=1e-12, atol=1e-9)
    assert (np.diff(corners) > 0).all()


@pytest.mark.parametrize(("fmin", "fmax"), [(0, 8001), (-1, 4000), (4000, 4000), (5000, 4000), (8000, None)])
def test_a_range_outside_zero_and_half_the_sample_rate_is_refused(fmin, fmax):
    with pytest.raises(ValueError, match=r"fmin=.* fmax=.* 8000.0, half the sample rate of 16000 Hz"):
        filterbank(16000, 512, 20, fmin=fmin, fmax=fmax)


@pytest.mark.parametrize("triangles", ["bins", "exact"])
def test_filters_that_cover_no_bin_are_refused(triangles):
    with pytest.raises(ValueError, match=r"n_fft=64 at 16000 Hz is too coarse for n_filters=40.*Raise n_fft"):
        filterbank(16000, 64, 40, triangles=triangles)
