"""What speech codecs leave of a recording: coded and decoded in memory, by libsndfile."""

import io
from contextlib import suppress
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

__all__ = ["CODECS", "band_limited", "check_codec", "coded"]

_BLOCK = 2**16  # samples written at once: older libsndfile overflowed its stack on long Vorbis writes
_ATTEMPTS = 3
_PEAK = 0.5  # of what is coded: lossy codecs overshoot
_STRONGEST = 0.99  # compression level; LAME refuses 1
_SHORTEST = 256  # samples that a resampler's filter needs to give any


class _Codec(NamedTuple):
    container: str
    subtype: str
    rates: tuple[int, ...]  # in Hz, ascending
    has_levels: bool


_TELEPHONE = (8000,)
_MPEG = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
CODECS = {
    "mu-law": _Codec("WAV", "ULAW", _TELEPHONE, False),
    "a-law": _Codec("WAV", "ALAW", _TELEPHONE, False),
    "g726": _Codec("AU", "G721_32", _TELEPHONE, False),
    "gsm": _Codec("WAV", "GSM610", _TELEPHONE, False),
    "mp3": _Codec("MP3", "MPEG_LAYER_III", _MPEG, True),
    "vorbis": _Codec("OGG", "VORBIS", _MPEG, True),
    "opus": _Codec("OGG", "OPUS", (8000, 12000, 16000, 24000, 48000), True),
}


def coded(
    samples: NDArray[np.floating], sample_rate: int, codec: str, compression: float
) -> NDArray[np.floating]:
    """Code and decode a recording at a peak of -6 dBFS; `compression` goes from 0 (best) to 1 (smallest)."""
    how = CODECS[codec]
    peak = float(np.abs(samples).max(initial=0))
    if peak == 0:
        return samples
    rate = min((rate for rate in how.rates if rate >= sample_rate), default=how.rates[-1])
    scale = samples.dtype.type(_PEAK / peak)
    sent = _resampled((samples * scale).astype(np.float32), sample_rate, rate)
    received = _through_surely(sent, rate, how, compression)
    back = _resampled(_fitted(received, len(sent)), rate, sample_rate)
    return _fitted(back, len(samples)).astype(samples.dtype) / scale


def band_limited(samples: NDArray[np.floating], sample_rate: int, rate: int) -> NDArray[np.floating]:
    """Resample a recording to a lower rate, in Hz, and back; a rate that is no lower changes nothing."""
    if rate >= sample_rate:
        return samples
    back = _resampled(_resampled(samples, sample_rate, rate), rate, sample_rate)
    return _fitted(back, len(samples))


def check_codec(codec: str) -> None:
    """Raise ValueError where the installed libsndfile cannot code and decode with a codec."""
    reason = _reason_against(codec)
    if reason is not None:
        raise ValueError(
            f"codecs={codec!r}: libsndfile {soundfile.__libsndfile_version__}, which soundfile uses here,"
            f" cannot code or decode it ({reason}); leave it out of codecs, or install a soundfile whose"
            " libsndfile has it."
        )


@lru_cache(maxsize=len(CODECS))
def _reason_against(codec: str) -> str | None:
    # Tried, since libsndfile lists formats that it was built without.
    how = CODECS[codec]
    try:
        _through(np.zeros(1600, dtype=np.float32), how.rates[0], how, 0.5)
    except (soundfile.LibsndfileError, RuntimeError, ValueError, TypeError) as error:
        return str(error)
    return None


def _through_surely(samples: NDArray, rate: int, how: _Codec, compression: float) -> NDArray:
    # Among thousands of calls in threads, libsndfile 1.2.2 was once seen to find a "bad data offset" in what
    # it had just written, and never again in the same samples.
    for _ in range(_ATTEMPTS - 1):
        with suppress(soundfile.LibsndfileError):
            return _through(samples, rate, how, compression)
    return _through(samples, rate, how, compression)


def _through(samples: NDArray, rate: int, how: _Codec, compression: float) -> NDArray:
    file = io.BytesIO()
    level = min(compression, _STRONGEST) if how.has_levels else None
    with soundfile.SoundFile(
        file, "w", rate, 1, format=how.container, subtype=how.subtype, compression_level=level
    ) as sound:
        for start in range(0, len(samples), _BLOCK):
            sound.write(samples[start : start + _BLOCK])
    file.seek(0)
    with soundfile.SoundFile(file) as sound:
        return sound.read(sound.frames, dtype="float32")  # soundfile asks for a number where none can seek


def _resampled(samples: NDArray, rate: int, new_rate: int) -> NDArray:
    if rate == new_rate:
        return samples
    enough = _SHORTEST * max(1, -(-rate // new_rate))
    return soxr.resample(_fitted(samples, max(len(samples), enough)), rate, new_rate)


def _fitted(samples: NDArray, n_samples: int) -> NDArray:
    return np.pad(samples[:n_samples], (0, max(0, n_samples - len(samples))))
