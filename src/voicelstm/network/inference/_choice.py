"""Which computes the scores of a fitted network, NumPy or Keras."""

from typing import Any

from numpy.typing import NDArray

from voicelstm.network._architecture import Architecture

__all__ = ["runs_in_numpy"]

# Units of a layer beyond which Keras is faster, if it has many segments to read side by side: as
# `benchmarks/answer_network.py` measures both.
_WIDEST = 128
_MANY_SEGMENTS = 16
# Frames that are worth the seconds that Keras takes to be imported.
_MANY_FRAMES = 100_000


def runs_in_numpy(
    inference: str, architecture: Architecture, lengths: NDArray[Any], distribution: Any = None
) -> bool:
    """Tell whether NumPy is to score segments of these lengths; `inference` is a classifier's parameter."""
    if inference != "auto":
        return inference == "numpy"
    if distribution is not None:  # devices that Keras alone knows
        return False
    is_large = len(lengths) >= _MANY_SEGMENTS and lengths.sum() >= _MANY_FRAMES
    is_of_keras = architecture.dtype.startswith("mixed") or (max(architecture.units) > _WIDEST and is_large)
    return not (is_of_keras and _keras_works())


def _keras_works() -> bool:
    try:
        import keras  # noqa: F401
    except Exception:  # noqa: BLE001  # of a backend that is missing or broken, whatever it raises
        return False
    return True
