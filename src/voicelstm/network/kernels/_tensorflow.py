"""TensorFlow's fused LSTM kernel for the CPU, layers at work side by side."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import tensorflow as tf

from voicelstm._compat import block_lstm

__all__ = ["block_lstm_stack", "is_available"]

# Independent work for two cores and more, measured at 64 to 5,000 frames and 8 to 128 rows. Few rows: each
# layer reads a quarter of the frames while the one above reads the quarter before; more pieces gain nothing.
# From 64 rows on: groups of 32, since the kernel's matrix products slow down where they are larger.
_PIECES = 4
_GROUP = 32


def is_available(dtype: str) -> bool:
    """Tell whether the kernel serves this dtype here: it has no float64, and a GPU has cuDNN's."""
    return dtype == "float32" and not tf.config.list_logical_devices("GPU") and block_lstm() is not None


def block_lstm_stack(
    sequences: Any,
    weights: Sequence[tuple[Any, Any, Any]],
    between: Sequence[Callable[[Any], Any]],
    n_rows: int = 1,
) -> Any:
    """Run LSTM layers with Keras's weights on top of each other, each followed by a function of `between`.

    The kernel is version 1, whose gradient is right; version 2 is registered with version 1's gradient, which
    is wrong for it. `n_rows` is the expected number of rows: it decides how work is divided, never the
    result.
    """
    n_groups = max(1, n_rows // _GROUP)
    n_pieces = _PIECES if n_groups == 1 else 1
    reordered = [
        (_reordered(tf.concat([kernel, recurrent_kernel], axis=0)), _reordered(bias))
        for kernel, recurrent_kernel, bias in weights
    ]
    if n_groups == 1:
        return _read(sequences, reordered, between, n_pieces)
    n = tf.shape(sequences)[0]
    # No group may be empty: the kernel's gradient of no rows at all is whatever the memory held.
    padded = tf.pad(sequences, [[0, tf.maximum(n_groups - n, 0)], [0, 0], [0, 0]])
    outputs = [_read(rows, reordered, between, n_pieces) for rows in _parts(padded, n_groups)]
    return tf.concat(outputs, axis=0)[:n]


def _read(
    sequences: Any,
    weights: Sequence[tuple[Any, Any]],
    between: Sequence[Callable[[Any], Any]],
    n_pieces: int,
) -> Any:
    by_frame = tf.transpose(sequences, (1, 0, 2))
    pieces = _parts(by_frame, n_pieces)
    for (gates, bias), after in zip(weights, between, strict=True):
        units = bias.shape[0] // 4
        cell = hidden = tf.zeros((tf.shape(by_frame)[1], units), sequences.dtype)
        outputs = []
        for piece in pieces:
            cells, hiddens = _block(piece, cell, hidden, gates, bias, units)
            # A piece of a sequence shorter than the number of pieces is empty.
            cell = tf.concat([cell[None], cells], axis=0)[-1]
            hidden = tf.concat([hidden[None], hiddens], axis=0)[-1]
            outputs.append(after(hiddens))
        pieces = outputs
    return tf.transpose(tf.concat(pieces, axis=0), (1, 0, 2))


def _parts(values: Any, n_parts: int) -> list[Any]:
    """Divide along the first axis, as evenly as it goes; parts may be empty."""
    if n_parts == 1:
        return [values]
    n = tf.shape(values)[0]
    edges = [n * part // n_parts for part in range(n_parts + 1)]
    return [values[start:stop] for start, stop in pairwise(edges)]


def _block(piece: Any, cell: Any, hidden: Any, gates: Any, bias: Any, units: int) -> tuple[Any, Any]:
    no_peephole = tf.zeros((units,), piece.dtype)
    outputs = block_lstm()(
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
