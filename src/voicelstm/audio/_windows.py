"""Windows of scipy.signal, the usual ones without loading it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["get_window"]

# Of the cosines that add up to a window. To load scipy.signal takes longer than an answer about a recording.
_COSINES = {"boxcar": (1.0, 0.0), "hamming": (0.54, 1 - 0.54), "hann": (0.5, 0.5)}


def get_window(window: str | tuple[Any, ...], length: int, *, periodic: bool) -> NDArray[np.float64]:
    """Return the window that :func:`scipy.signal.get_window` does, symmetric unless it is periodic."""
    if not isinstance(window, str) or window not in _COSINES or length < 2:
        from scipy import signal

        found: NDArray[np.float64] = signal.get_window(window, length, fftbins=periodic)
        return found
    constant, cosine = _COSINES[window]
    angle = np.linspace(-np.pi, np.pi, length + periodic)[:length]
    return constant + cosine * np.cos(angle)
