"""What a recording's channel leaves in its sound, whoever speaks: spectrum, noise, movement, waveform."""

import numpy as np
import soxr
from numpy.typing import NDArray
from scipy.fft import rfft

from voicelstm.audio._level import peak_of
from voicelstm.audio._stored_samples import SampleSource
from voicelstm.audio._windows import get_window

__all__ = ["N_STATISTICS", "WAVEFORM", "channel_statistics"]

_RATE = 16000  # Hz
_FRAME, _STEP = 512, 256
_BIN = _RATE / _FRAME  # Hz
_N_BINS = _FRAME // 2  # without that of half the rate, where resamplers leave nothing
# Edges of bands, in Hz: narrow where telephones begin and end, and where resamplers and codecs do.
_EDGES = (
    *(0, 100, 200, 300, 400, 600, 800, 1000, 1300, 1600, 2000, 2400, 2800, 3200, 3600, 4000),
    *(4500, 5000, 5500, 6000, 6500, 7000, 7400, 7700, 8000),
)
_BANDS = np.round(np.array(_EDGES) / _BIN).astype(int)
_PARTS = 16  # of the spectrum, 500 Hz each, whose fine structure is measured

_LOUDEST, _LOUD = 0.95, 10**-2.5  # quantile of the frames' energies, and 25 dB below it
# Of the mean power of a bin of loud frames: whether a line or a computer is silent says nothing.
_EMPTY = 1e-6
_QUIET, _FALL = 0.05, 4  # quantile, and steps, of 64 ms, over which levels fall and rise
_STILL = 0.3  # dB; changes of a band that are smaller count for little
_LOWEST_EDGE, _WIDTH = 60, 8  # bins: 1.9 kHz, below which no channel ends, and 250 Hz

# Of longer recordings so many pieces of a second are measured, at even distances.
_N_PIECES = 32

_WAVEFORM = 6
_N_BANDS = len(_EDGES) - 1
N_STATISTICS = 6 * _N_BANDS + (_N_BANDS - 1) + 2 * _PARTS + _WAVEFORM + 2
#: Those of the waveform, of which the others know nothing.
WAVEFORM = slice(N_STATISTICS - 2 - _WAVEFORM, N_STATISTICS - 2)


def channel_statistics(samples: SampleSource, sample_rate: int) -> NDArray[np.float64]:
    """Measure samples, not all of them 0; the result, of shape (N_STATISTICS,), does not depend on the level.

    Of each band's level, in dB: its mean in loud frames, that in pauses, its deviation and mean change in
    loud frames, how neighbours change together, and how fast it falls and rises in all frames. Of the loud
    frames again: how uneven each part of the spectrum is, and how much of that stays from frame to frame;
    moments, peak and clipping of the waveform; where the spectrum breaks off (kHz) and how deep (dB).
    """
    pieces = _pieces(samples, sample_rate)
    frames = np.lib.stride_tricks.sliding_window_view(pieces, _FRAME, axis=1)[:, ::_STEP].reshape(-1, _FRAME)
    spectrum = rfft(frames * get_window("hann", _FRAME, periodic=True).astype(np.float32), axis=1)
    power = (spectrum.real**2 + spectrum.imag**2)[:, :_N_BINS]
    energy = power.sum(axis=1)
    loud = energy >= _LOUD * np.quantile(energy, _LOUDEST)
    # A window that begins with 0 may leave nothing of a click.
    power = power / max(power[loud].mean(), np.float32(1e-30)) + np.float32(_EMPTY)
    width = np.diff(_BANDS).astype(np.float32)
    level = 10 * np.log10(np.add.reduceat(power, _BANDS[:-1], axis=1) / width)
    both = np.flatnonzero(loud[1:] & loud[:-1])
    moved = np.sort(level[_FALL:] - level[:-_FALL], axis=0)
    statistics = [
        level[loud].mean(axis=0),
        np.sort(level, axis=0)[int(_QUIET * len(level))],
        level[loud].std(axis=0),
        *_changes(np.diff(level, axis=0)[both]),
        moved[int(_QUIET * len(moved))],
        moved[int((1 - _QUIET) * len(moved)) - 1],
        *_fine_structure(power, loud, both),
        _waveform(frames[loud]),
        _band_end(10 * np.log10(power[loud].mean(axis=0))),
    ]
    return np.concatenate(statistics).astype(np.float64)


def _pieces(samples: SampleSource, rate: int) -> NDArray[np.float32]:
    """Return what is measured, of peak 1 and shape (n_pieces, n_samples): one piece of what is not long."""
    if len(samples) > _N_PIECES * rate:
        first = np.linspace(0, len(samples) - rate, _N_PIECES).astype(np.intp)
        pieces = np.stack([samples[start : start + rate] for start in first.tolist()])
    else:
        pieces = samples[:][None]
    pieces = (pieces / samples.dtype.type(peak_of(pieces) or 1)).astype(np.float32, copy=False)
    if rate != _RATE:
        pieces = np.ascontiguousarray(soxr.resample(pieces.T, rate, _RATE).T)
    lacking = max(0, (_FALL + 4) * _STEP - pieces.shape[1])
    return np.pad(pieces, ((0, 0), (0, lacking)))


def _changes(change: NDArray[np.floating]) -> list[NDArray[np.floating]]:
    """Return the mean change of each band from frame to frame, and how much neighbours change together."""
    if not len(change):
        return [np.zeros(_N_BANDS), np.zeros(_N_BANDS - 1)]
    centred = change - change.mean(axis=0)
    deviation = centred.std(axis=0) + _STILL
    together = (centred[:, 1:] * centred[:, :-1]).mean(axis=0) / (deviation[1:] * deviation[:-1])
    return [np.abs(change).mean(axis=0), together]


def _fine_structure(
    power: NDArray[np.floating], loud: NDArray[np.bool_], both: NDArray[np.intp]
) -> list[NDArray[np.floating]]:
    """Return how uneven each part of the spectrum is, and how much of that stays from frame to frame."""
    parts = power[loud].reshape(-1, _PARTS, _N_BINS // _PARTS)
    logarithm = np.log(parts)
    mean = logarithm.mean(axis=2)
    uneven = np.log(parts.mean(axis=2)).mean(axis=0) - mean.mean(axis=0)
    if not len(both):
        return [uneven, np.zeros(_PARTS)]
    above = logarithm - mean[:, :, None]
    place = (np.cumsum(loud) - 1)[both]
    stays = (above[place] * above[place + 1]).mean(axis=(0, 2))
    return [uneven, stays / ((above * above).mean(axis=(0, 2)) + 0.01)]


def _waveform(frames: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return logarithms: fourth and third moments of samples and of their differences, peak, clipping."""
    scaled = frames / np.sqrt(np.mean(frames * frames))
    moments = []
    for each in (scaled.ravel(), np.diff(scaled, axis=1).ravel()):
        square = each * each
        power = max(float(square.mean()), 1e-12)
        moments.append(np.log(max(np.dot(square, square) / len(each) / power**2, 1e-12)))
        moments.append(np.log(abs(np.dot(square, each)) / len(each) / power**1.5 + 0.05))
    magnitude = np.abs(scaled)
    peak = magnitude.max()
    return np.array([*moments, np.log(peak), np.log(np.mean(magnitude > 0.97 * peak) + 1e-4)])


def _band_end(level: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return where a spectrum falls most within 250 Hz, in kHz, and by how many dB."""
    fall = level[_LOWEST_EDGE:-_WIDTH] - level[_LOWEST_EDGE + _WIDTH :]
    steepest = int(fall.argmax())
    return np.array([(steepest + _LOWEST_EDGE + _WIDTH / 2) * _BIN / 1000, fall[steepest]])
