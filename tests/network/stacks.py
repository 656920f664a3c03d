from importlib import import_module

import keras
import numpy as np
from keras import ops

from voicelstm.network._recurrent import LSTMStack

BACKEND = keras.backend.backend()
FUSED = {"tensorflow": "block_lstm_stack", "torch": "torch_lstm_stack", "jax": "jax_lstm_stack"}[BACKEND]
# JAX has no float64 unless its user asks for it.
PRECISE = "float32" if BACKEND == "jax" and not import_module("jax").config.jax_enable_x64 else "float64"
N_ROWS, N_FEATURES, UNITS = 4, 3, (7, 5)


class PlainStack(LSTMStack):
    """The same layers, called as Keras has them; each row is turned around by slicing."""

    def call(self, sequences, lengths, training=False):
        for directions in self.lstms:
            outputs = [directions[0](sequences)]
            if self.bidirectional:
                outputs.append(turned(directions[1](turned(sequences, lengths)), lengths))
            sequences = ops.concatenate(outputs, axis=-1)
        return sequences


def turned(sequences, lengths):
    rows = [
        ops.concatenate([ops.flip(row[:n], axis=0), row[n:]], axis=0)
        for row, n in zip(ops.unstack(sequences, N_ROWS), array(lengths), strict=True)
    ]
    return ops.stack(rows)


def built(kind, dtype, bidirectional=False, units=UNITS, **options):
    stack = kind(units, bidirectional=bidirectional, dtype=dtype, **options)
    stack.build((None, None, N_FEATURES), (None,))
    return stack


def array(tensor):
    return np.array(ops.convert_to_numpy(tensor))


def kernel_of(stack):
    run = stack._run_stack
    return getattr(getattr(run, "func", run), "__name__", None)
