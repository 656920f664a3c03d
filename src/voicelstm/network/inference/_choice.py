"""Which computes the scores of a fitted network, NumPy or Keras."""

import os
import sys
from typing import Any

from numpy.typing import NDArray

from voicelstm.network._architecture import Architecture

__all__ = ["runs_in_numpy"]

# Units of a layer beyond which Keras is twice as fast or more, if it has many segments to read side by side;
# below, it gains less than its import takes. `benchmarks/answer_network.py` measures both.
_WIDEST = 128
_MANY_SEGMENTS = 16
# Frames that take seconds in NumPy, and those that are worth the seconds that Keras takes to be imported.
_MANY_FRAMES, _WORTH_THE_IMPORT = 100_000, 3_000_000

_loaded_in = os.getpid()


def runs_in_numpy(
    inference: str, architecture: Architecture, lengths: NDArray[Any], distribution: Any = None
) -> bool:
    """Tell whether NumPy is to score segments of these lengths; `inference` is a classifier's parameter."""
    if inference != "auto":
        return inference == "numpy"
    if distribution is not None:  # devices that Keras alone knows
        return False
    if architecture.dtype.startswith("mixed"):  # an arithmetic that NumPy does not have
        return not _keras_works()
    if "keras" in sys.modules and os.getpid() != _loaded_in:  # forked, where its backend may not run
        return True
    many = _MANY_FRAMES if "keras" in sys.modules else _WORTH_THE_IMPORT
    if len(lengths) < _MANY_SEGMENTS or lengths.sum() < many or not _keras_works():
        return True
    return max(architecture.units) <= _WIDEST and not _sees_gpu()


def _keras_works() -> bool:
    try:
        import keras  # noqa: F401  # to see whether it can be
    except Exception:  # noqa: BLE001  # of a backend that is missing or broken, whatever it raises
        return False
    return True


def _sees_gpu() -> bool:
    import keras

    if keras.backend.backend() == "torch":  # for which Keras lists no devices
        import torch

        return bool(torch.cuda.is_available())
    return any(not name.startswith("cpu") for name in keras.distribution.list_devices())
