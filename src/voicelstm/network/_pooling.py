"""From a sequence of vectors to one: pooling over the frames that count."""

from typing import Any

import keras
from keras import ops

from voicelstm.network._architecture import LEAST_STATS_VARIANCE, pooled_width

__all__ = ["Pooling"]


@keras.saving.register_keras_serializable(package="voicelstm")
class Pooling(keras.layers.Layer):
    """One vector per sequence, from the frames within its length; `how` is a classifier's `pooling`."""

    # Attention is equations 2 to 5 of K. Okabe et al., "Attentive statistics pooling for deep speaker
    # embedding", Interspeech 2018.

    def __init__(self, how: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.how = how

    def build(self, input_shape: Any) -> None:
        """Make the weights that attention has."""
        width = input_shape[0][-1]
        if self.how == "attention":
            # Without a seed, Keras draws one from Python's global random state.
            uniform = keras.initializers.GlorotUniform(seed=0)
            self.kernel = self.add_weight(name="kernel", shape=(width, width), initializer=uniform)
            self.bias = self.add_weight(name="bias", shape=(width,), initializer="zeros")
            self.context = self.add_weight(name="context", shape=(width, 1), initializer=uniform)

    def call(self, inputs: Any) -> Any:
        """Pool ``(sequences, lengths)``, of shapes (n, n_frames, n_features) and (n,)."""
        sequences, lengths = inputs
        lengths = ops.maximum(lengths, 1)  # a row that only fills the batch has none, and weighs nothing
        if self.how == "last":
            last = ops.cast(lengths, "int32")[:, None, None] - 1
            return ops.take_along_axis(sequences, last, axis=1)[:, 0, :]
        frames = ops.arange(ops.shape(sequences)[1])[None, :]
        valid = (frames < ops.cast(lengths, frames.dtype)[:, None])[:, :, None]
        if self.how == "max":
            return ops.max(
                ops.where(valid, sequences, -ops.ones_like(sequences)), axis=1
            )  # outputs are in ±1
        if self.how == "attention":
            hidden = ops.tanh(ops.matmul(sequences, self.kernel) + self.bias)
            scores = ops.matmul(hidden, self.context)
            share = ops.softmax(ops.where(valid, scores, ops.full_like(scores, -1e4)), axis=1)
            return ops.sum(share * sequences, axis=1)
        share = ops.cast(valid, sequences.dtype) / ops.cast(lengths, sequences.dtype)[:, None, None]
        mean = ops.sum(share * sequences, axis=1)
        if self.how == "mean":
            return mean
        variance = ops.sum(share * ops.square(sequences - mean[:, None, :]), axis=1)
        return ops.concatenate([mean, ops.sqrt(variance + LEAST_STATS_VARIANCE)], axis=-1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the pooled vectors."""
        rows, _, width = input_shape[0]
        return (rows, pooled_width(self.how, width))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's parameters."""
        return {**super().get_config(), "how": self.how}
