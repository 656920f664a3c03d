"""Active region and level of a recording."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["active_region", "set_level"]

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
    peak = peak_of(samples)
    if peak == 0:
        return 0, 0
    threshold = peak * 10 ** (-trim_silence / 20)
    return _first_above(samples, threshold), len(samples) - _first_above(samples[::-1], threshold)


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
    # Divided by the peak first, so that squares of tiny samples do not vanish.
    peak = float(peak_of(samples))
    if peak == 0:
        return samples
    shape = samples / samples.dtype.type(peak)
    blocks = (shape[start : start + _BLOCK] for start in range(0, len(shape), _BLOCK))
    rms = np.sqrt(sum(float(np.sum(np.square(block), dtype=np.float64)) for block in blocks) / len(shape))
    shape *= samples.dtype.type(10 ** (level / 20) / rms)
    return shape


def peak_of(samples: NDArray) -> np.floating:
    return max(samples.max(initial=0.0), -samples.min(initial=0.0))


def _first_above(samples: NDArray, threshold: np.floating) -> int:
    """Position of the first sample whose magnitude reaches a threshold, which some sample does."""
    size = 4096
    start = 0
    while True:
        active = np.abs(samples[start : start + size]) >= threshold
        if active.any():
            return start + int(active.argmax())
        start += size
        size = min(4 * size, _BLOCK)  # most silences are short, and memory stays small
