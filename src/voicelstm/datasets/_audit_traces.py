"""Traces that noise, codecs and coarse samples leave in a recording, whatever format holds it now."""

import numpy as np
from numpy.typing import NDArray
from scipy.fft import next_fast_len, rfft
from scipy.signal import get_window

__all__ = ["measure_resolution", "measure_traces"]

_FRAME = 0.032  # s, half of which is the step
_MOST_FRAMES = 4096  # of longer recordings, frames at greater distances
_QUIET, _LOUD = 0.05, 0.95  # quantiles of the frames' power

_REACHED = 0.99  # quantile of the frames' power at one frequency
_EDGE = 1e-6  # of the strongest frequency's power

# A cell is one frame times a band of this width, in Hz.
_BAND = 187.5
_LOWEST, _HIGHEST = 1000.0, 7600.0  # Hz: what a recording at 16 kHz still has
_BELOW_NYQUIST = 0.95  # where filters of resamplers begin
_HOLE = 1 / 16  # of the power of both neighbours: 12 dB below them
_PAUSE = 0.1  # share of the frames that are taken for those without speech
_SPEECH = (100.0, 4000.0)  # Hz, by whose power these are found
_LEAST = 1e-11  # power of an empty cell: 10 dB below the rounding of 16-bit samples

_MOST_SAMPLES = 2**14
_SMALL_STEP = 0.01  # quantile of the distances of sample values
_FINEST = 16  # bit


def measure_traces(samples: NDArray[np.float32], rate: int) -> dict[str, float]:
    """Measure the noise floor, the upper edge and the spectral holes of samples whose peak is 1."""
    size = max(2, round(_FRAME * rate))
    if len(samples) < size:
        samples = np.pad(samples, (0, size - len(samples)))
    step = max(size // 2, (len(samples) - size) // _MOST_FRAMES + 1)
    frames = np.lib.stride_tricks.sliding_window_view(samples, size)[::step]
    n_points = next_fast_len(size, real=True)
    power = np.abs(rfft(frames * get_window("hann", size).astype(np.float32), n_points, axis=1)) ** 2
    power /= 0.375 * size  # the window's mean square: noise of variance 1 has power 1
    width = rate / n_points
    return {
        "noise_floor": _noise_floor(np.einsum("ij,ij->i", frames, frames)),
        "upper_edge": _upper_edge(power) * width,
        "spectral_holes": _spectral_holes(power, width),
    }


def _noise_floor(energy: NDArray[np.float32]) -> float:
    """Return how far quiet frames are below loud ones, in dB."""
    quiet, loud = np.quantile(energy.astype(np.float64), [_QUIET, _LOUD], method="lower")
    return float(10 * np.log10(quiet / loud)) if quiet > 0 else -np.inf


def _upper_edge(power: NDArray[np.float32]) -> int:
    """Find the highest frequency, by number, that the loudest frames reach within 60 dB of the strongest."""
    reached = np.quantile(power, _REACHED, axis=0, method="higher")
    return int(np.flatnonzero(reached >= _EDGE * reached.max())[-1])


def _spectral_holes(power: NDArray[np.float32], width: float) -> float:
    """Return the share of cells that are nearly empty between two that are not.

    Noise is added to speech and does not go while someone speaks. What is also weaker than the pauses has
    been left out by a coder. Holes wider than two cells are not counted: speech itself is weak for so much.
    """
    band = max(1, round(_BAND / width))
    highest = min(_HIGHEST, _BELOW_NYQUIST * width * (power.shape[1] - 1))
    first, stop = int(np.ceil(_LOWEST / width)), int(highest / width)
    if stop - first < 3 * band:
        return 0.0
    total = np.cumsum(power[:, first - 1 : stop], axis=1, dtype=np.float64)
    cells = np.maximum((total[:, band:] - total[:, :-band]) / band, _LEAST)
    below, cell, above = cells[:, : -2 * band], cells[:, band:-band], cells[:, 2 * band :]
    low, high = (int(np.ceil(edge / width)) for edge in _SPEECH)
    loudness = power[:, low:high].sum(axis=1)
    pauses = np.median(cell[loudness <= np.quantile(loudness, _PAUSE)], axis=0)
    return float(np.mean((cell < _HOLE * np.minimum(below, above)) & (cell <= pauses)))


def measure_resolution(samples: NDArray[np.floating]) -> float:
    """Return the bits of an integer format whose steps are those between the values of the weaker samples.

    Steps of what was coded in fewer bits stay after any change of level, unlike zeros at the end of integers.
    """
    some = samples[:: -(-len(samples) // _MOST_SAMPLES)]
    magnitude = np.abs(some)
    if not magnitude.any():
        return 0.0
    distances = np.diff(np.unique(some[magnitude <= np.median(magnitude[magnitude > 0])]))
    if not len(distances):
        return 0.0
    return float(np.clip(1 - np.log2(np.quantile(distances, _SMALL_STEP, method="lower")), 1, _FINEST))
