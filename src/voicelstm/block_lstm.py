"""TensorFlow's fused LSTM kernel for the CPU, layers at work side by side."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import tensorflow as tf

__all__ = ["block_lstm_stack", "is_available"]

# Each layer reads a quarter of the frames while the one above reads the quarter before: independent work for
# two cores and more, measured at 64 to 5,000 frames; more pieces gain nothing.
_PIECES = 4


def is_available(dtype: str) -> bool:
    """Tell whether the kernel serves this dtype here: it has no float64, and a GPU has cuDNN's."""
    return dtype == "float32" and not tf.config.list_logical_devices("GPU")


def block_lstm_stack(
    sequences: Any,
    weights: Sequence[tuple[Any, Any, Any]],
    between: Sequence[Callable[[Any], Any]],
) -> Any:
    """Run LSTM layers on top of each other.

    The kernel is version 1, whose gradient is right; version 2 is registered with version 1's gradient, which
    is wrong for it.

    Parameters
    ----------
    sequences : tensor of shape (n, n_frames, n_features)
        The input.
    weights : sequence of (kernel, recurrent kernel, bias)
        Of each layer, Keras's layout.
    between : sequence of callable
        What each layer's outputs go through, frame by frame.

    Returns
    -------
    tensor of shape (n, n_frames, units)
        All outputs of the last layer.
    """
    by_frame = tf.transpose(sequences, (1, 0, 2))
    n_frames, n_rows = tf.shape(by_frame)[0], tf.shape(by_frame)[1]
    edges = [n_frames * piece // _PIECES for piece in range(_PIECES + 1)]
    pieces = [by_frame[start:stop] for start, stop in pairwise(edges)]
    for (kernel, recurrent_kernel, bias), after in zip(weights, between, strict=True):
        gates = _reordered(tf.concat([kernel, recurrent_kernel], axis=0))
        bias = _reordered(bias)
        units = recurrent_kernel.shape[0]
        cell = hidden = tf.zeros((n_rows, units), sequences.dtype)
        outputs = []
        for piece in pieces:
            cells, hiddens = _block(piece, cell, hidden, gates, bias, units)
            # A piece of a sequence shorter than the number of pieces is empty.
            cell = tf.concat([cell[None], cells], axis=0)[-1]
            hidden = tf.concat([hidden[None], hiddens], axis=0)[-1]
            outputs.append(after(hiddens))
        pieces = outputs
    return tf.transpose(tf.concat(pieces, axis=0), (1, 0, 2))


def _block(piece: Any, cell: Any, hidden: Any, gates: Any, bias: Any, units: int) -> tuple[Any, Any]:
    no_peephole = tf.zeros((units,), piece.dtype)
    outputs = tf.raw_ops.BlockLSTM(
        seq_len_max=tf.cast(tf.shape(piece)[0], tf.int64),
        x=piece,
        cs_prev=cell,
        h_prev=hidden,
        w=gates,
        wci=no_peephole,
        wcf=no_peephole,
        wco=no_peephole,
        b=bias,
        forget_bias=0.0,
        cell_clip=-1.0,
        use_peephole=False,
    )
    return outputs.cs, outputs.h


def _reordered(gates: Any) -> Any:
    """Bring Keras's gate order i, f, c, o to the kernel's i, c, f, o."""
    i, f, c, o = tf.split(gates, 4, axis=-1)
    return tf.concat([i, c, f, o], axis=-1)
