"""The values that scipy.io.wavfile.read gives of a recording, from samples in ±1."""

import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
from numpy.typing import NDArray

__all__ = ["ScipyValues", "values_of_array", "values_of_file"]


class ScipyValues(NamedTuple):
    """Full scale, the value of 0, and whether values are in single precision."""

    full_scale: float = 1.0
    zero: float = 0.0
    is_single: bool = False

    def of(self, samples: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return scipy's values of samples in ±1."""
        if self.is_single:
            return samples.astype(np.float32)
        values = samples * samples.dtype.type(self.full_scale)
        if self.zero:
            values += samples.dtype.type(self.zero)
        return values


# Of 24 bits, scipy puts the lowest byte of 32 behind.
_OF_WAV = {
    "PCM_U8": ScipyValues(128.0, 128.0),
    "PCM_16": ScipyValues(2.0**15),
    "PCM_24": ScipyValues(2.0**31),
    "PCM_32": ScipyValues(2.0**31),
    "FLOAT": ScipyValues(is_single=True),
    "DOUBLE": ScipyValues(),
}
_SINGLE = ScipyValues(is_single=True)  # as librosa loads what scipy refuses


def values_of_file(path: Path) -> ScipyValues:
    """Return those of a WAV file by its type of samples; of other files librosa's, which are in ±1.

    A WAV file that scipy refuses has librosa's only if it has 8 bits.
    """
    try:
        with path.open("rb") as file, soundfile.SoundFile(file.fileno(), closefd=False) as sound:
            is_wav, subtype = sound.format in ("WAV", "WAVEX", "RF64"), sound.subtype
    except (soundfile.LibsndfileError, RuntimeError, OSError):
        return _SINGLE
    # Of 8 bits, since other types have the same zero as librosa's values, and need not be read once more.
    if is_wav and subtype == "PCM_U8" and not _scipy_reads(path):
        return _SINGLE
    return _OF_WAV.get(subtype, _SINGLE) if is_wav else _SINGLE


def _scipy_reads(path: Path) -> bool:
    from scipy.io import wavfile

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", wavfile.WavFileWarning)  # of chunks that are none of audio
        try:
            wavfile.read(path)
        # Of a broken header scipy raises ValueError, struct.error, UnboundLocalError and others.
        except Exception:  # noqa: BLE001
            return False
    return True


def values_of_array(samples: NDArray) -> ScipyValues:
    """Return those of an array, which are its own."""
    if samples.dtype.kind not in "iu":
        return _SINGLE if samples.dtype == np.float32 else ScipyValues()
    full_scale = 2.0 ** (8 * samples.dtype.itemsize - 1)
    return ScipyValues(full_scale, full_scale if samples.dtype.kind == "u" else 0.0)
