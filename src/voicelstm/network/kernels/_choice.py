"""Which kernel runs LSTM layers fastest, by backend and device."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import keras

__all__ = ["fastest_stack"]

# Beyond it, the fused kernel's matrix products are slower than those of Keras's loop.
_WIDEST_FOR_BLOCKS = 80


def fastest_stack(
    compute_dtype: str, variable_dtype: str, units: Sequence[int], n_rows: int
) -> Callable[..., Any] | None:
    """Choose what runs the layers; None leaves it to :class:`keras.layers.LSTM`, and so to cuDNN on a GPU.

    ``benchmarks/shapes.py`` prints the times that this follows.
    """
    if compute_dtype != variable_dtype or compute_dtype not in ("float32", "float64"):
        return None
    backend = keras.backend.backend()
    if backend == "tensorflow":
        from voicelstm.network.kernels import _tensorflow

        if not _tensorflow.is_available(compute_dtype) or max(units) > _WIDEST_FOR_BLOCKS:
            return None
        return partial(_tensorflow.block_lstm_stack, n_rows=n_rows)
    if backend == "torch":
        from voicelstm.network.kernels import _torch

        return _torch.torch_lstm_stack if _torch.is_available() else None
    from voicelstm.network.kernels import _jax

    return _jax.jax_lstm_stack if _jax.is_available() else None
