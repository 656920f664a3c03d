"""Active region and level of a recording."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voicelstm.audio._stored_samples import SampleSource, StoredSamples, blocks_of, changed_samples

__all__ = ["active_region", "active_samples", "at_level", "peak_of", "set_level"]

_BLOCK = 2**22  # samples that are looked at in one go


def active_region(samples: NDArray[np.floating], trim_silence: float) -> tuple[int, int]:
    """Find where a recording rises out of its silence.

    Parameters
    ----------
    samples : ndarray of shape (n_samples,)
        The recording.
    trim_silence : float
        How far below the recording's peak silence lies, in dB.

    Returns
    -------
    start, stop : int
        ``samples[start:stop]`` runs from the first to the last sample whose magnitude is at least
        `trim_silence` dB below the peak. ``(0, 0)`` where all samples are zero.

    Examples
    --------
    >>> import numpy as np
    >>> from voicelstm.audio import active_region
    >>> active_region(np.array([0.0, 0.001, 0.5, -1.0, 0.2, 0.0]), trim_silence=40.0)
    (2, 5)
    """
    return _active_region(samples, trim_silence)


def active_samples(samples: SampleSource, trim_silence: float, fewest: int) -> tuple[int, SampleSource]:
    """Return where the active region begins and its samples, or the first `fewest` if all are zero."""
    start, stop = _active_region(samples, trim_silence)
    if stop == start:
        start, stop = 0, fewest
    if not isinstance(samples, StoredSamples):
        return start, samples[start:stop]
    samples.keep(start, stop)
    return start, samples


def _active_region(samples: SampleSource, trim_silence: float) -> tuple[int, int]:
    peak = peak_of(samples)
    if peak == 0:
        return 0, 0
    threshold = peak * 10 ** (-trim_silence / 20)
    n_samples = len(samples)
    start = _first_above(lambda first, stop: samples[first:stop], threshold)
    behind = _first_above(
        lambda first, stop: samples[max(0, n_samples - stop) : n_samples - first][::-1], threshold
    )
    return start, n_samples - behind


def set_level(samples: NDArray[np.floating], level: float) -> NDArray[np.floating]:
    """Scale a recording to a level.

    Parameters
    ----------
    samples : ndarray of shape (n_samples,)
        The recording.
    level : float
        The root mean square that the result has, in dB relative to full scale (1.0).

    Returns
    -------
    ndarray of shape (n_samples,)
        The scaled recording. Silence has no level and stays as it is.

    Examples
    --------
    >>> import numpy as np
    >>> from voicelstm.audio import set_level
    >>> set_level(np.array([0.5, -0.5]), level=-20.0).round(6).tolist()
    [0.1, -0.1]
    """
    found: NDArray[np.floating] = at_level(samples, level)
    return found


def at_level(samples: Any, level: float) -> Any:
    """Return samples at a level as :func:`set_level` does; stored ones are changed."""
    # Divided by the peak first, so that squares of tiny samples do not vanish.
    peak = samples.dtype.type(peak_of(samples))
    if peak == 0:
        return samples
    powers = (float(np.sum(np.square(block / peak), dtype=np.float64)) for block in blocks_of(samples))
    gain = samples.dtype.type(10 ** (level / 20) / np.sqrt(sum(powers) / len(samples)))
    return changed_samples(samples, lambda block: block / peak * gain)


def peak_of(samples: SampleSource) -> Any:
    """Return the largest magnitude of samples, NaN if one is."""
    peaks = [max(block.max(initial=0.0), -block.min(initial=0.0)) for block in blocks_of(samples)]
    return np.max(peaks, initial=0.0)


def _first_above(piece: Callable[[int, int], NDArray[Any]], threshold: np.floating) -> int:
    """Position of the first sample whose magnitude reaches a threshold, which some sample does."""
    size = 4096
    start = 0
    while True:
        active = np.abs(piece(start, start + size)) >= threshold
        if active.any():
            return start + int(active.argmax())
        start += size
        size = min(4 * size, _BLOCK)  # most silences are short, and memory stays small
