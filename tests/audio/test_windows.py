import numpy as np
import pytest
from scipy import signal

from voicelstm.audio._windows import get_window


@pytest.mark.parametrize("window", ["boxcar", "hamming", "hann", "blackman", ("kaiser", 8.0)])
@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("length", [1, 2, 3, 400, 401, 512])
def test_windows_are_those_of_scipy(window, periodic, length):
    expected = signal.get_window(window, length, fftbins=periodic)
    np.testing.assert_allclose(get_window(window, length, periodic=periodic), expected, rtol=0, atol=1e-15)


def test_what_scipy_does_not_know_is_its_error():
    with pytest.raises(ValueError, match="rhombus"):
        get_window("rhombus", 8, periodic=False)
