"""A stack of LSTM layers that takes the fastest exact way through backend and device."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from voicelstm.network.kernels import fastest_stack

__all__ = ["LSTMStack"]


def _reversed_within(sequences: Any, lengths: Any) -> Any:
    """Reverse each sequence within its own length; what pads it stays where it is."""
    frames = ops.arange(ops.shape(sequences)[1], dtype="int32")[None, :]
    lengths = ops.cast(lengths, "int32")[:, None]
    source = ops.where(frames < lengths, lengths - 1 - frames, frames)
    return ops.take_along_axis(sequences, source[:, :, None], axis=1)


@keras.saving.register_keras_serializable(package="voicelstm")
class LSTMStack(keras.layers.Layer):
    """LSTM layers on top of each other, dropout after each.

    The layers are :class:`keras.layers.LSTM` and hold their weights. No mask is used, since one would switch
    cuDNN's kernel off: sequences are padded on the right, which a forward LSTM sees last, and a backward LSTM
    reads each sequence from its own end. `n_rows` is the expected number of rows: it decides how work is
    divided, never the result.
    """

    def __init__(
        self,
        units: Sequence[int],
        bidirectional: bool = False,
        dropout: float = 0.0,
        n_rows: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units = tuple(units)
        self.bidirectional = bidirectional
        self.dropout = dropout
        self.n_rows = n_rows
        suffixes = ("", "_backward") if bidirectional else ("",)
        self.lstms = [
            [self._lstm(n, f"lstm_{layer}{suffix}") for suffix in suffixes]
            for layer, n in enumerate(self.units)
        ]
        # A Dropout with a rate of 0 draws nothing.
        self.dropouts = [
            keras.layers.Dropout(dropout, seed=layer, dtype=self.dtype_policy)
            for layer in range(len(self.units))
        ]
        self._run_stack = fastest_stack(self.compute_dtype, self.variable_dtype, self.units, n_rows)
        if self._run_stack is not None and keras.backend.backend() == "tensorflow":
            self.supports_jit = False  # XLA does not know the kernel

    def _lstm(self, units: int, name: str) -> keras.layers.LSTM:
        # Without seeds, Keras draws some from Python's global random state.
        return keras.layers.LSTM(
            units,
            return_sequences=True,
            kernel_initializer=keras.initializers.GlorotUniform(seed=0),
            recurrent_initializer=keras.initializers.Orthogonal(seed=0),
            seed=0,
            name=name,
            dtype=self.dtype_policy,
        )

    def build(self, sequences_shape: Any, lengths_shape: Any) -> None:
        """Make the layers' weights."""
        width = sequences_shape[-1]
        for n, directions in zip(self.units, self.lstms, strict=True):
            for lstm in directions:
                lstm.build((*sequences_shape[:-1], width))
            width = n * len(directions)

    def call(self, sequences: Any, lengths: Any, training: bool = False) -> Any:
        """Read ``sequences`` of shape (n, n_frames, n_features) and ``lengths`` of shape (n,)."""
        if self._run_stack is not None and not self.bidirectional:
            after = [lambda x, drop=drop: drop(x, training=training) for drop in self.dropouts]
            return self._run_stack(sequences, [_weights(lstm) for (lstm,) in self.lstms], after)
        for directions, drop in zip(self.lstms, self.dropouts, strict=True):
            outputs = [self._read(directions[0], sequences)]
            if self.bidirectional:
                backwards = self._read(directions[1], _reversed_within(sequences, lengths))
                outputs.append(_reversed_within(backwards, lengths))
            sequences = drop(ops.concatenate(outputs, axis=-1), training=training)
        return sequences

    def _read(self, lstm: keras.layers.LSTM, sequences: Any) -> Any:
        if self._run_stack is None:
            return lstm(sequences)
        return self._run_stack(sequences, [_weights(lstm)], [lambda x: x])

    def compute_output_shape(self, sequences_shape: Any, lengths_shape: Any) -> Any:
        """Return the shape of the last layer's outputs."""
        return (*sequences_shape[:-1], self.units[-1] * (2 if self.bidirectional else 1))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's parameters."""
        names = ("units", "bidirectional", "dropout", "n_rows")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def _weights(lstm: keras.layers.LSTM) -> tuple[Any, Any, Any]:
    return tuple(
        ops.convert_to_tensor(w) for w in (lstm.cell.kernel, lstm.cell.recurrent_kernel, lstm.cell.bias)
    )
