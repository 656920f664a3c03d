"""Samples in, cepstra out: framing, spectrum, filterbank, logarithm, cosine transform."""

import math
import threading
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any

import numpy as np
import scipy.fft
import scipy.fftpack
from numpy.typing import NDArray

from voicelstm._base import check_stopped
from voicelstm.audio import SampleSource, get_window, matrix_product
from voicelstm.features._filterbanks import filterbank

__all__ = [
    "LEAST_ENERGY",
    "CepstraSettings",
    "cepstra",
    "cepstra_of_frames",
    "cosine_matrix",
    "fft_size",
    "frame_count",
    "frame_sizes",
]

# What is transformed at once: few enough frames for a core's cache, many enough to hide the interpreter.
_BLOCK_BYTES = 2**19
# Each thread keeps the memory for it: to fetch that anew for each clip takes a third of a short clip's time.
_kept = threading.local()
_KEPT_BYTES = 2**21
# So few filters share a matrix product that little of its matrix is zero; more where all of them are narrow.
_FILTERS_PER_BAND = 4
_BINS_PER_BAND = 64
_LARGEST_BANK = 2**21  # filters times length of the transform: what makes them takes about 40 MiB
_MOST_FILTERS = 4096
_LONGEST_FRAME = 2**24  # in samples
LEAST_ENERGY = float(np.finfo(np.float64).eps)  # stands for an exact zero under the logarithm, as in psf
# A filter so far below its frame's energy (-70 dB) is lost in the rounding of a single-precision transform.
_FAINT = 1e-7


@dataclass(frozen=True)
class CepstraSettings:
    """Parameters of :func:`cepstra`; see :class:`voicelstm.MFCCTransformer` for what each means."""

    n_mfcc: int | None = 20
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

    @property
    def n_coefficients(self) -> int:
        """Columns of a sequence: coefficients, or energies of filters."""
        return self.n_filters if self.n_mfcc is None else self.n_mfcc


@dataclass(frozen=True)
class _Band:
    """Neighbouring filters, and the part of the spectrum that they touch."""

    filters: slice
    values: slice  # of the spectrum's real and imaginary parts
    weights: NDArray  # (n_values, n_filters)


@dataclass(frozen=True)
class _Plan:
    """What one setting at one sample rate needs, computed once."""

    frame_length: int
    frame_step: int
    n_fft: int
    window: NDArray | None
    bands: tuple[_Band, ...]
    whole: NDArray  # (n_fft,): spectrum to frame energy
    n_filters: int
    cosines: NDArray | None  # (n_filters, n_mfcc): DCT and lifter in one; None leaves log energies


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

    Raises
    ------
    ValueError
        If `frame_length` or `frame_step` is NaN or infinite.

    Examples
    --------
    >>> from voicelstm.features import frame_sizes
    >>> frame_sizes(22050, 0.025, 0.01)
    (551, 221)
    """
    _check_finite({"frame_length": frame_length, "frame_step": frame_step})
    length, step = (
        int(Decimal(float(seconds) * sample_rate).to_integral_value(rounding=ROUND_HALF_UP))
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
    >>> from voicelstm.features import frame_count
    >>> frame_count(16000, 400, 160)
    99
    """
    return 1 + max(0, -(-(n_samples - length) // step))


def cepstra(
    samples: NDArray[np.floating],
    sample_rate: int,
    settings: CepstraSettings,
    max_frames: int | None = None,
) -> NDArray[np.floating]:
    """Compute the cepstral coefficients of one signal, or the log energies of its filters.

    The chain is that of ``python_speech_features.mfcc`` 0.6 and equals it to 1e-9 in double precision:
    pre-emphasis, frames, window, power spectrum, filterbank, logarithm, DCT-II, lifter, log energy.

    Parameters
    ----------
    samples : ndarray of shape (n_samples,) or (n_samples, n_channels)
        Samples in ±1. Frames of several channels hold their samples in turn, as python_speech_features takes
        such an array: each spans `frame_length` divided by the number of channels.
    sample_rate : int
        In Hz.
    settings : CepstraSettings
        The parameters.
    max_frames : int, default=None
        Stop after so many frames.

    Returns
    -------
    ndarray of shape (n_frames, n_mfcc), or (n_frames, n_filters) if `n_mfcc` is None
        Of the settings' dtype.

    Raises
    ------
    ValueError
        If a parameter is NaN or infinite, or if parameters contradict each other or the sample rate; the text
        names them.

    References
    ----------
    Davis, S. B., and Mermelstein, P., "Comparison of parametric representations for monosyllabic word
    recognition in continuously spoken sentences", IEEE Trans. ASSP 28 (4), 1980.

    Examples
    --------
    >>> import numpy as np
    >>> from voicelstm.features import CepstraSettings, cepstra
    >>> cepstra(np.sin(np.arange(16000)), 16000, CepstraSettings(n_mfcc=13)).shape
    (99, 13)
    """
    return cepstra_of_frames(samples, sample_rate, settings, max_frames)


def cepstra_of_frames(
    samples: SampleSource,
    sample_rate: int,
    settings: CepstraSettings,
    max_frames: int | None = None,
    positions: NDArray[np.intp] | None = None,
) -> NDArray[np.floating]:
    """Compute the coefficients of some frames, whose positions ascend; None is all of them."""
    plan = _plan(sample_rate, settings)
    lag = 1 if samples.ndim == 1 else samples.shape[1]  # to a channel's sample before
    if isinstance(samples, np.ndarray):
        samples = samples.reshape(-1)
    n_frames = frame_count(len(samples), plan.frame_length, plan.frame_step)
    if max_frames is not None:
        n_frames = min(n_frames, max_frames)
    dtype = np.dtype(settings.dtype)
    n_rows = n_frames if positions is None else len(positions)
    out = np.empty((n_rows, settings.n_coefficients), dtype=dtype)
    block_frames = min(n_frames, max(64, _BLOCK_BYTES // (plan.n_fft * dtype.itemsize)))
    buffer = _scratch((block_frames, plan.n_fft), dtype)
    for start in range(0, n_frames, block_frames):
        check_stopped()
        frames = rows = slice(start, min(start + block_frames, n_frames))
        chosen: slice | NDArray[np.intp] = slice(None)
        if positions is not None:
            rows = slice(*np.searchsorted(positions, (frames.start, frames.stop)).tolist())
            chosen = positions[rows] - start
            if not len(chosen):
                continue
        signal = _emphasised(samples, lag, frames, plan, settings.preemphasis)
        spectrum = _spectrum(_frames(signal.astype(dtype, copy=False), plan), buffer, plan)
        energies, total = _energies(spectrum, plan)
        if dtype == np.float32:
            lost = energies < _FAINT * total[:, None]
            if lost.any():
                faint = lost.any(axis=1)
                precise = _plan(sample_rate, replace(settings, dtype="float64"))
                again = np.empty((int(faint.sum()), plan.n_fft))
                spectrum_again = _spectrum(_frames(signal, plan)[faint], again, precise)
                energies[faint], total[faint] = _energies(spectrum_again, precise)
        if plan.cosines is None:
            out[rows] = _log(energies)[chosen]
            continue
        # Of all frames, since BLAS rounds a row by the rows beside it.
        block = matrix_product(_log(energies), plan.cosines)
        if settings.energy:
            block[:, 0] = _log(total)
        out[rows] = block[chosen]
    return out


def _scratch(shape: tuple[int, int], dtype: np.dtype) -> NDArray:
    """Memory of this thread, with whatever was left in it."""
    size = shape[0] * shape[1] * dtype.itemsize
    memory = getattr(_kept, "memory", None)
    if size > _KEPT_BYTES:
        return np.empty(shape, dtype)
    if memory is None:
        memory = _kept.memory = np.empty(_KEPT_BYTES, dtype=np.uint8)
    return memory[:size].view(dtype).reshape(shape)


def _emphasised(samples: SampleSource, lag: int, rows: slice, plan: _Plan, preemphasis: float) -> NDArray:
    """Pre-emphasise the samples under some frames, in double precision; zeros fill the last frame."""
    first = rows.start * plan.frame_step
    size = (rows.stop - rows.start - 1) * plan.frame_step + plan.frame_length
    n_before = min(lag, first)
    chunk = samples[first - n_before : first + size].astype(np.float64)
    n_found = max(0, len(chunk) - n_before)
    signal = np.zeros(size)
    signal[:n_found] = chunk[n_before:]
    if preemphasis:
        chunk *= preemphasis
        signal[lag - n_before : n_found] -= chunk[: max(0, len(chunk) - lag)]
    return signal


def _frames(signal: NDArray, plan: _Plan) -> NDArray:
    """View a signal as overlapping frames, to be read only."""
    # Not sliding_window_view, which takes longer than the Fourier transform of a short clip.
    count = 1 + (len(signal) - plan.frame_length) // plan.frame_step
    strides = (plan.frame_step * signal.itemsize, signal.itemsize)
    return np.ndarray((count, plan.frame_length), signal.dtype, signal, strides=strides)


def _spectrum(frames: NDArray, buffer: NDArray, plan: _Plan) -> NDArray:
    """Squared real and imaginary parts of each frame's transform, in the buffer, whose dtype is theirs."""
    block = buffer[: len(frames)]
    if plan.window is None:
        block[:, : plan.frame_length] = frames
    else:
        np.multiply(frames, plan.window, out=block[:, : plan.frame_length])
    block[:, plan.frame_length :] = 0
    # In place, which scipy.fft cannot: fetching memory for each block takes longer than transforming it.
    parts = scipy.fftpack.rfft(block, axis=1, overwrite_x=True)
    return np.square(parts, out=parts)


def _energies(spectrum: NDArray, plan: _Plan) -> tuple[NDArray, NDArray]:
    """Energies of each frame's filters, and of the frame."""
    energies = np.empty((len(spectrum), plan.n_filters), dtype=spectrum.dtype)
    for band in plan.bands:
        matrix_product(spectrum[:, band.values], band.weights, energies[:, band.filters])
    # Not by BLAS, which shares out even one row that is long enough.
    return energies, np.einsum("ij,j->i", spectrum, plan.whole)


def _log(energies: NDArray) -> NDArray:
    if not energies.all():
        energies[energies == 0] = LEAST_ENERGY
    return np.log(energies, out=energies)


@lru_cache(maxsize=64)
def _plan(sample_rate: int, settings: CepstraSettings) -> _Plan:
    check_settings(None, settings)
    longest = float(max(settings.frame_length, settings.frame_step)) * sample_rate
    if longest > _LONGEST_FRAME:
        raise ValueError(
            f"frame_length={settings.frame_length} and frame_step={settings.frame_step} s are"
            f" {longest:.3g} samples at {sample_rate} Hz; at most {_LONGEST_FRAME} are possible."
        )
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
    if settings.n_filters * n_fft > _LARGEST_BANK:
        raise ValueError(
            f"n_filters={settings.n_filters} and a transform of {n_fft} samples, at {sample_rate} Hz, would"
            f" take too much memory: their product is above {_LARGEST_BANK}. Lower one of them, or the rate."
        )
    dtype = np.dtype(settings.dtype)
    window = _window(settings.window, length)
    filters = filterbank(
        sample_rate,
        n_fft,
        settings.n_filters,
        fmin=settings.fmin,
        fmax=settings.fmax,
        scale=settings.scale,
        triangles=settings.triangles,
    )
    gain = settings.amplitude * settings.amplitude / n_fft
    with np.errstate(over="ignore"):
        if np.isinf(dtype.type(gain)):
            raise ValueError(f"amplitude={settings.amplitude} gives energies that are beyond {dtype}.")
    touched = [np.flatnonzero(row) for row in filters]
    bands = []
    first = 0
    while first < settings.n_filters:
        last = min(first + _FILTERS_PER_BAND, settings.n_filters)
        low = int(touched[first][0])
        while last < settings.n_filters and touched[last][-1] < low + _BINS_PER_BAND:
            last += 1
        high = int(max(bins[-1] for bins in touched[first:last])) + 1
        # Each bin has a real and an imaginary part, but the first, which is real, and at even n_fft the last.
        weights = np.repeat(filters[first:last, low:high].T * gain, 2, axis=0)[low == 0 :]
        values = slice(max(2 * low - 1, 0), min(2 * high - 1, n_fft))
        weights = weights[: values.stop - values.start].astype(dtype, order="C")
        bands.append(_Band(slice(first, last), values, weights))
        first = last
    return _Plan(
        frame_length=length,
        frame_step=step,
        n_fft=n_fft,
        window=None if np.all(window == 1) else window.astype(dtype),
        bands=tuple(bands),
        whole=np.full(n_fft, gain, dtype=dtype),
        n_filters=settings.n_filters,
        cosines=None
        if settings.n_mfcc is None
        else cosine_matrix(settings.n_filters, settings.n_mfcc, settings.lifter, dtype),
    )


def cosine_matrix(n_filters: int, n_mfcc: int, lifter: float, dtype: np.dtype) -> NDArray:
    """Return the cosine transform of log energies and the lifter of the coefficients, as one matrix."""
    cosines = scipy.fft.dct(np.eye(n_filters), type=2, norm="ortho", axis=1)[:, :n_mfcc]
    if lifter:
        with np.errstate(all="ignore"):
            cosines = cosines * (1 + lifter / 2 * np.sin(np.pi * np.arange(n_mfcc) / lifter))
            cosines = cosines.astype(dtype)
        if not np.isfinite(cosines).all():
            raise ValueError(f"lifter={lifter} gives coefficients that are beyond {dtype}.")
    return np.ascontiguousarray(cosines, dtype=dtype)


def fft_size(frame_length: int, n_fft: int | None) -> int:
    """Transform length: as given, else the smallest power of two that holds a frame (in samples)."""
    return n_fft if n_fft is not None else 1 << (frame_length - 1).bit_length()


def check_settings(sample_rate: int | None, settings: CepstraSettings) -> None:
    """Raise ValueError where settings are not finite or contradict each other, or the sample rate (in Hz)."""
    if sample_rate is not None:
        _plan(sample_rate, settings)
        return
    _check_finite(vars(settings))
    if settings.n_coefficients > settings.n_filters:
        raise ValueError(
            f"n_mfcc={settings.n_mfcc} coefficients cannot come from n_filters={settings.n_filters} filters:"
            " raise n_filters."
        )
    if settings.n_filters > _MOST_FILTERS:
        raise ValueError(f"n_filters={settings.n_filters} are more than {_MOST_FILTERS}.")
    _window(settings.window, 8)


def _check_finite(params: dict[str, Any]) -> None:
    """Raise ValueError if one of these parameters is NaN or infinite."""
    for name, value in params.items():
        if isinstance(value, float | np.floating) and not math.isfinite(value):
            raise ValueError(f"{name}={value} must be a finite number.")


def _window(window: str | tuple[Any, ...], length: int) -> NDArray[np.float64]:
    try:
        with np.errstate(all="ignore"):
            found = get_window(window, length, periodic=False)
    except (LookupError, TypeError, ValueError) as error:
        raise ValueError(f"window={window!r} is no window that scipy knows: {error}") from None
    if not np.isfinite(found).all():
        raise ValueError(f"window={window!r} is not finite at {length} samples: change its parameters.")
    return found
