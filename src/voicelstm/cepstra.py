"""Samples in, cepstra out: framing, spectrum, filterbank, logarithm, cosine transform."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any

import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray
from scipy.signal import get_window

from voicelstm.filterbanks import filterbank

__all__ = ["CepstraSettings", "append_deltas", "cepstra", "frame_count", "frame_sizes", "normalize_clip"]

_FRAMES_PER_BLOCK = 256
_EPS = float(np.finfo(np.float64).eps)  # stands for an exact zero under the logarithm, as in psf
# A filter so far below its frame's energy (-70 dB) is lost in the rounding of a single-precision transform.
_FAINT = 1e-7


@dataclass(frozen=True)
class CepstraSettings:
    """Parameters of :func:`cepstra`; see :class:`voicelstm.MFCCTransformer` for what each means."""

    n_mfcc: int = 20
    n_filters: int = 40
    n_fft: int | None = None
    frame_length: float = 0.025
    frame_step: float = 0.01
    fmin: float = 0.0
    fmax: float | None = None
    preemphasis: float = 0.97
    window: str | tuple[Any, ...] = "hamming"
    lifter: float = 22
    energy: bool = True
    scale: str = "mel"
    triangles: str = "bins"
    amplitude: float = 1.0
    dtype: str = "float32"


@dataclass(frozen=True)
class _Plan:
    """What one setting at one sample rate needs, computed once."""

    frame_length: int
    frame_step: int
    n_fft: int
    window: NDArray | None
    weights: NDArray  # (n_values, n_filters + 1): spectrum to filter energies, the last column frame energy
    n_values: int  # real and imaginary parts of the bins that the filters touch
    cosines: NDArray  # (n_filters, n_mfcc): DCT and lifter in one


def frame_sizes(sample_rate: int, frame_length: float, frame_step: float) -> tuple[int, int]:
    """Frame length and step in samples, halves rounded up as python_speech_features does.

    Parameters
    ----------
    sample_rate : int
        In Hz.
    frame_length, frame_step : float
        In s.

    Returns
    -------
    length, step : int
        In samples.

    Examples
    --------
    >>> from voicelstm.cepstra import frame_sizes
    >>> frame_sizes(22050, 0.025, 0.01)
    (551, 221)
    """
    length, step = (
        int(Decimal(seconds * sample_rate).quantize(Decimal(1), rounding=ROUND_HALF_UP))
        for seconds in (frame_length, frame_step)
    )
    return length, step


def frame_count(n_samples: int, length: int, step: int) -> int:
    """Count the frames of a signal whose last frame is filled with zeros.

    Parameters
    ----------
    n_samples, length, step : int
        Length of signal, frame and frame step, in samples.

    Returns
    -------
    int
        At least 1.

    Examples
    --------
    >>> from voicelstm.cepstra import frame_count
    >>> frame_count(16000, 400, 160)
    99
    """
    return 1 if n_samples <= length else 1 + -(-(n_samples - length) // step)


def cepstra(
    samples: NDArray[np.floating],
    sample_rate: int,
    settings: CepstraSettings,
    max_frames: int | None = None,
) -> NDArray[np.floating]:
    """Compute the cepstral coefficients of one signal.

    The chain is that of ``python_speech_features.mfcc`` 0.6 and equals it to 1e-9 in double precision:
    pre-emphasis, frames, window, power spectrum, filterbank, logarithm, DCT-II, lifter, log energy.

    Parameters
    ----------
    samples : ndarray of shape (n_samples,)
        Mono samples in ±1.
    sample_rate : int
        In Hz.
    settings : CepstraSettings
        The parameters.
    max_frames : int, default=None
        Stop after so many frames.

    Returns
    -------
    ndarray of shape (n_frames, n_mfcc)
        Of the settings' dtype.

    Raises
    ------
    ValueError
        Where the parameters contradict each other or the sample rate; the text names them.

    References
    ----------
    Davis, S. B., and Mermelstein, P., "Comparison of parametric representations for monosyllabic word
    recognition in continuously spoken sentences", IEEE Trans. ASSP 28 (4), 1980.

    Examples
    --------
    >>> import numpy as np
    >>> from voicelstm.cepstra import CepstraSettings, cepstra
    >>> cepstra(np.sin(np.arange(16000)), 16000, CepstraSettings(n_mfcc=13)).shape
    (99, 13)
    """
    check_settings(None, settings)
    plan = _plan(sample_rate, settings)
    n_frames = frame_count(len(samples), plan.frame_length, plan.frame_step)
    if max_frames is not None:
        n_frames = min(n_frames, max_frames)
    dtype = np.dtype(settings.dtype)
    out = np.empty((n_frames, settings.n_mfcc), dtype=dtype)
    # Columns beyond the frame's length stay zero, which pads each frame to n_fft.
    buffer = np.zeros((min(n_frames, _FRAMES_PER_BLOCK), plan.n_fft), dtype=dtype)
    for start, frames in _blocks(samples, n_frames, plan, settings.preemphasis):
        energies = _energies(frames, buffer, plan)
        if dtype == np.float32:
            faint = energies[:, :-1].min(axis=1) < _FAINT * energies[:, -1]
            if faint.any():
                precise = np.zeros((int(faint.sum()), plan.n_fft))
                energies[faint] = _energies(frames[faint], precise, plan)
        energies[energies == 0] = _EPS
        np.log(energies, out=energies)
        rows = out[start : start + len(frames)]
        np.matmul(energies[:, :-1], plan.cosines, out=rows)
        if settings.energy:
            rows[:, 0] = energies[:, -1]
    return out


def append_deltas(features: NDArray[np.floating], order: int) -> NDArray[np.floating]:
    """Append the time derivatives of features as further columns.

    Each order is the regression over ±2 frames of the one before, the first and last frame repeated at the
    ends (S. Young et al., The HTK Book, equation 5.16).

    Parameters
    ----------
    features : ndarray of shape (n_frames, n_features)
        One clip's features.
    order : int
        How many derivatives to append; 2 gives Δ and ΔΔ.

    Returns
    -------
    ndarray of shape (n_frames, n_features * (order + 1))
        The features and their derivatives.

    Examples
    --------
    >>> import numpy as np
    >>> from voicelstm.cepstra import append_deltas
    >>> append_deltas(np.arange(5.0)[:, None], 1)[:, 1].tolist()
    [0.5, 0.8, 1.0, 0.8, 0.5]
    """
    columns = [features]
    for _ in range(order):
        padded = np.pad(columns[-1], ((2, 2), (0, 0)), mode="edge")
        delta = padded[3:-1] - padded[1:-3] + 2 * (padded[4:] - padded[:-4])
        columns.append(delta / features.dtype.type(10))
    return np.concatenate(columns, axis=1)


def normalize_clip(features: NDArray[np.floating], how: str | None) -> NDArray[np.floating]:
    """Normalise each column of one clip's features.

    Parameters
    ----------
    features : ndarray of shape (n_frames, n_features)
        One clip's features.
    how : {"mean", "zscore", "minmax"} or None
        Subtract the mean; also divide by the standard deviation; or map the range to 0..1.

    Returns
    -------
    ndarray of shape (n_frames, n_features)
        Constant columns give 0.

    Examples
    --------
    >>> import numpy as np
    >>> from voicelstm.cepstra import normalize_clip
    >>> normalize_clip(np.array([[1.0, 7.0], [3.0, 7.0], [2.0, 7.0]]), "minmax").tolist()
    [[0.0, 0.0], [1.0, 0.0], [0.5, 0.0]]
    """
    if how is None or not len(features):
        return features
    low, high = features.min(axis=0), features.max(axis=0)
    constant = low == high
    if how == "minmax":
        shift, scale = low, high - low
    else:
        shift = features.mean(axis=0, dtype=np.float64).astype(features.dtype)
        scale = features.std(axis=0, dtype=np.float64).astype(features.dtype) if how == "zscore" else 1
    result = (features - shift) / np.where(constant, features.dtype.type(1), scale)
    result[:, constant] = 0
    return result


def _blocks(
    samples: NDArray, n_frames: int, plan: _Plan, preemphasis: float
) -> Iterator[tuple[int, NDArray]]:
    """Yield pre-emphasised frames in double precision, a block at a time, so that memory stays small."""
    length, step = plan.frame_length, plan.frame_step
    for start in range(0, n_frames, _FRAMES_PER_BLOCK):
        count = min(_FRAMES_PER_BLOCK, n_frames - start)
        first = start * step
        chunk = samples[first : first + (count - 1) * step + length].astype(np.float64)
        emphasised = np.zeros((count - 1) * step + length)
        emphasised[: len(chunk)] = chunk
        if preemphasis:
            emphasised[1 : len(chunk)] -= preemphasis * chunk[:-1]
            if first:
                emphasised[0] -= preemphasis * samples[first - 1]
        stride = emphasised.itemsize
        yield start, as_strided(emphasised, (count, length), (step * stride, stride), writeable=False)


def _energies(frames: NDArray, buffer: NDArray, plan: _Plan) -> NDArray:
    """Filter energies of each frame, its whole energy last; the buffer's dtype is the precision."""
    block = buffer[: len(frames)]
    if plan.window is None:
        block[:, : plan.frame_length] = frames
    else:
        np.multiply(frames, plan.window, out=block[:, : plan.frame_length], casting="same_kind")
    parts = scipy.fft.rfft(block, axis=1).view(buffer.dtype)[:, : plan.n_values]
    return np.square(parts, out=parts) @ plan.weights


@lru_cache(maxsize=64)
def _plan(sample_rate: int, settings: CepstraSettings) -> _Plan:
    length, step = frame_sizes(sample_rate, settings.frame_length, settings.frame_step)
    if length < 1 or step < 1:
        raise ValueError(
            f"frame_length={settings.frame_length} and frame_step={settings.frame_step} s must each be at"
            f" least one sample at {sample_rate} Hz."
        )
    n_fft = fft_size(length, settings.n_fft)
    if length > n_fft:
        raise ValueError(
            f"a frame of {settings.frame_length} s has {length} samples at {sample_rate} Hz, more than"
            f" n_fft={n_fft}: raise n_fft, or leave it None."
        )
    dtype = np.dtype(settings.dtype)
    window = get_window(settings.window, length, fftbins=False)
    filters = filterbank(
        sample_rate,
        n_fft,
        settings.n_filters,
        fmin=settings.fmin,
        fmax=settings.fmax,
        scale=settings.scale,
        triangles=settings.triangles,
    )
    # The last column sums all bins, which is the frame's energy; without it, bins beyond fmax are not read.
    weights = np.concatenate([filters, np.ones((1, filters.shape[1]))]).T
    n_bins = len(weights) if settings.energy else int(np.flatnonzero(filters.any(axis=0))[-1]) + 1
    weights = np.repeat(weights[:n_bins], 2, axis=0) * (settings.amplitude**2 / n_fft)
    cosines = scipy.fft.dct(np.eye(settings.n_filters), type=2, norm="ortho", axis=1)[:, : settings.n_mfcc]
    if settings.lifter:
        n = np.arange(settings.n_mfcc)
        cosines = cosines * (1 + settings.lifter / 2 * np.sin(np.pi * n / settings.lifter))
    return _Plan(
        frame_length=length,
        frame_step=step,
        n_fft=n_fft,
        window=None if np.all(window == 1) else window,
        weights=np.ascontiguousarray(weights, dtype=dtype),
        n_values=2 * n_bins,
        cosines=np.ascontiguousarray(cosines, dtype=dtype),
    )


def fft_size(frame_length: int, n_fft: int | None) -> int:
    """Transform length: as given, else the smallest power of two that holds a frame (in samples)."""
    return n_fft if n_fft is not None else 1 << max(frame_length - 1, 0).bit_length()


def check_settings(sample_rate: int | None, settings: CepstraSettings) -> None:
    """Raise ValueError where the settings contradict each other, or the sample rate (in Hz) if given."""
    if settings.n_mfcc > settings.n_filters:
        raise ValueError(
            f"n_mfcc={settings.n_mfcc} coefficients cannot come from n_filters={settings.n_filters} filters:"
            " raise n_filters."
        )
    try:
        get_window(settings.window, 8)
    except (TypeError, ValueError) as error:
        raise ValueError(f"window={settings.window!r} is no window that scipy knows: {error}") from None
    if sample_rate is not None:
        _plan(sample_rate, settings)
