"""Banks of triangular filters over the bins of a power spectrum."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["filter_corners", "filterbank"]


def _hz_to_mel(frequency: NDArray) -> NDArray:
    """O'Shaughnessy's formula, which HTK uses."""
    return 2595 * np.log10(1 + frequency / 700)


def _mel_to_hz(mel: NDArray) -> NDArray:
    return 700 * (10 ** (mel / 2595) - 1)


_SLANEY_STEP = 200 / 3  # Hz per mel below 1 kHz
_SLANEY_LOG_STEP = np.log(6.4) / 27


def _hz_to_slaney(frequency: NDArray) -> NDArray:
    """Linear below 1 kHz, logarithmic above (M. Slaney, Auditory Toolbox, 1998)."""
    above = 15 + np.log(np.maximum(frequency, 1000) / 1000) / _SLANEY_LOG_STEP
    return np.where(frequency < 1000, frequency / _SLANEY_STEP, above)


def _slaney_to_hz(mel: NDArray) -> NDArray:
    return np.where(mel < 15, mel * _SLANEY_STEP, 1000 * np.exp(_SLANEY_LOG_STEP * (mel - 15)))


def _identity(frequency: NDArray) -> NDArray:
    return frequency


_SCALES: dict[str, tuple[Callable[[NDArray], NDArray], Callable[[NDArray], NDArray]]] = {
    "mel": (_hz_to_mel, _mel_to_hz),
    "slaney": (_hz_to_slaney, _slaney_to_hz),
    "linear": (_identity, _identity),
}


def filter_corners(n_filters: int, *, fmin: float, fmax: float, scale: str = "mel") -> NDArray[np.float64]:
    """Frequencies at which the triangles of a filterbank begin, peak and end.

    Parameters
    ----------
    n_filters : int
        How many filters.
    fmin, fmax : float
        Lower corner of the first and upper corner of the last filter, in Hz.
    scale : {"mel", "slaney", "linear"}, default="mel"
        As :func:`filterbank` takes it.

    Returns
    -------
    ndarray of shape (n_filters + 2,)
        In Hz, ascending. Filter `i` begins at the corner `i`, peaks at the next and ends at the one after.

    Examples
    --------
    >>> from voicelstm.features import filter_corners
    >>> filter_corners(3, fmin=0, fmax=4000, scale="linear").tolist()
    [0.0, 1000.0, 2000.0, 3000.0, 4000.0]
    """
    to_scale, to_hz = _SCALES[scale]
    return to_hz(np.linspace(to_scale(np.array(fmin)), to_scale(np.array(fmax)), n_filters + 2))


def filterbank(
    sample_rate: int,
    n_fft: int,
    n_filters: int,
    *,
    fmin: float = 0.0,
    fmax: float | None = None,
    scale: str = "mel",
    triangles: str = "bins",
) -> NDArray[np.float64]:
    """Triangular filters whose corners are evenly spaced on a frequency scale.

    Parameters
    ----------
    sample_rate : int
        In Hz.
    n_fft : int
        Length of the Fourier transform, in samples.
    n_filters : int
        How many filters.
    fmin, fmax : float
        Lower corner of the first and upper corner of the last filter, in Hz. None is half the sample rate.
    scale : {"mel", "slaney", "linear"}, default="mel"
        HTK's mel, Slaney's mel, or frequency itself.
    triangles : {"bins", "exact"}, default="bins"
        Corners rounded down to bins, as python_speech_features has them, or kept where they are.

    Returns
    -------
    ndarray of shape (n_filters, n_fft // 2 + 1)
        Weights, the peak of a triangle being 1.

    Raises
    ------
    ValueError
        Where the range is not within 0 and half the sample rate, or a filter covers no bin.

    Examples
    --------
    >>> from voicelstm.features import filterbank
    >>> filterbank(8000, 16, 3, scale="linear").tolist()[0]
    [0.0, 0.5, 1.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0]
    """
    nyquist = sample_rate / 2
    fmax = nyquist if fmax is None else fmax
    if not 0 <= fmin < fmax <= nyquist:
        raise ValueError(
            f"fmin={fmin} and fmax={fmax} Hz must satisfy 0 <= fmin < fmax <= {nyquist}, half the sample rate"
            f" of {sample_rate} Hz."
        )
    corners = filter_corners(n_filters, fmin=fmin, fmax=fmax, scale=scale)
    position = np.arange(n_fft // 2 + 1, dtype=np.float64)
    if triangles == "bins":
        corners = np.floor((n_fft + 1) * corners / sample_rate)
    else:
        position *= sample_rate / n_fft
    left, centre, right = (corners[i : i + n_filters, None] for i in range(3))
    with np.errstate(divide="ignore", invalid="ignore"):
        rising = np.where((left <= position) & (position < centre), (position - left) / (centre - left), 0.0)
        falling = np.where(
            (centre <= position) & (position < right), (right - position) / (right - centre), 0.0
        )
    filters = rising + falling
    empty = np.flatnonzero(~filters.any(axis=1))
    if len(empty):
        raise ValueError(
            f"n_fft={n_fft} at {sample_rate} Hz is too coarse for n_filters={n_filters}: no spectral bin lies"
            f" in filter {', '.join(map(str, empty))}. Raise n_fft or lower n_filters."
        )
    return filters
