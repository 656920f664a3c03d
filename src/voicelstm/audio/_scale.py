"""Samples that were not scaled to their type: what there is to warn of."""

from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

__all__ = ["note_unscaled_file", "note_unscaled_floats", "note_unscaled_integers"]

_LOUDEST = 16.0  # 24 dB beyond full scale: no gain does that, and 16-bit integers are quieter only in pauses
_PCM_16 = 2**15
#: Bits of types, and the largest magnitude that is that of a narrower one.
_NARROWER = {32: _PCM_16, 64: 2**31}


def note_unscaled_integers(samples: NDArray[np.integer], remarks: list[str]) -> None:
    """Note integers that are those of a narrower type; a single 1 is the dither of silence."""
    info = np.iinfo(samples.dtype)
    largest = _NARROWER.get(info.bits, 0)
    if not largest or not len(samples):
        return
    centre = 0 if info.min else 2 ** (info.bits - 1)
    if 1 < max(centre - int(samples.min()), int(samples.max()) - centre) <= largest:
        remarks.append(
            f"samples of type {samples.dtype} are divided by its full range, 2**{info.bits - 1}, and become"
            " near silence; cast them to the PCM type they are, for example samples.astype(numpy.int16)."
        )


def note_unscaled_floats(peak: float, remarks: list[str]) -> None:
    """Note floating-point samples that are integers of PCM, by the largest of them."""
    if _LOUDEST < peak < np.inf:
        remarks.append(
            f"samples beyond {_LOUDEST:g}, where full scale is 1; if they are 16-bit integers as"
            " floating-point numbers, divide them by 32768."
        )


def note_unscaled_file(path: Path, peak: float, remarks: list[str]) -> None:
    """Note a file of 32-bit integers that holds those of 16 bits, by its largest sample."""
    if not 2.0**-31 < peak <= _PCM_16 / 2**31:
        return
    try:
        with path.open("rb") as file, soundfile.SoundFile(file.fileno(), closefd=False) as sound:
            subtype = sound.subtype
    except (soundfile.LibsndfileError, RuntimeError, OSError):
        return
    if subtype == "PCM_32":
        remarks.append(
            "32-bit samples that use the lowest 16 bits alone, and so are near silence; if they are 16-bit"
            " integers, write them as such, or multiply them by 65536."
        )
