"""Convolutions over time and frequency, ahead of the LSTM layers."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from voicelstm.network._architecture import LEAST_VARIANCE, shifts_of

__all__ = ["ConvolutionStack", "MeanOfShifts"]

_MOMENTUM = 0.9  # of the moving moments: trainings may have as few as a hundred steps


@keras.saving.register_keras_serializable(package="voicelstm")
class MaskedBatchNormalization(keras.layers.Layer):
    """Batch normalisation of maps by the moments of the frames that count; a prediction uses moving ones."""

    # S. Ioffe and C. Szegedy, "Batch normalization", ICML 2015. Keras's layer with a mask fails for one map.

    def build(self, maps_shape: Any) -> None:
        """Make scale, shift and moving moments of each map."""
        shape = maps_shape[-1:]
        self.gamma = self.add_weight(name="gamma", shape=shape, initializer="ones")
        self.beta = self.add_weight(name="beta", shape=shape, initializer="zeros")
        moving = {"shape": shape, "trainable": False, "autocast": False}
        self.moving_mean = self.add_weight(name="moving_mean", initializer="zeros", **moving)
        self.moving_variance = self.add_weight(name="moving_variance", initializer="ones", **moving)

    def call(self, maps: Any, valid: Any, training: bool = False) -> Any:
        """Normalise maps (n, n_frames, n_bands, n_maps) where `valid`, (n, n_frames, 1, 1), is true."""
        maps, valid = (ops.cast(values, self.variable_dtype) for values in (maps, valid))
        mean, variance = self.moving_mean.value, self.moving_variance.value
        if training:
            count = ops.sum(valid) * maps.shape[2]
            mean = ops.sum(maps * valid, axis=(0, 1, 2)) / count
            variance = ops.sum(ops.square(maps - mean) * valid, axis=(0, 1, 2)) / count
            for moving, of_batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
                moving.assign(moving * _MOMENTUM + of_batch * (1 - _MOMENTUM))
        scale = ops.cast(self.gamma, self.variable_dtype) * ops.rsqrt(variance + LEAST_VARIANCE)
        normalized = (maps - mean) * scale + ops.cast(self.beta, self.variable_dtype)
        return ops.cast(normalized * valid, self.compute_dtype)

    def compute_output_shape(self, maps_shape: Any, valid_shape: Any) -> Any:
        """Return the shape of the maps."""
        return maps_shape


@keras.saving.register_keras_serializable(package="voicelstm")
class ConvolutionStack(keras.layers.Layer):
    """Blocks of convolution, max-feature-map, pooling and batch normalisation.

    A block is ``(n_maps, kernel_size, pool_size)``. The max-feature-map is the larger of two halves of the
    convolution's outputs. Dropout after the last block takes whole maps. Frames beyond a sequence's length
    are zero at each convolution and count for no maximum and no mean, so that a sequence has the same outputs
    alone and beside longer ones.

    In training, pooling begins with the first frame; in prediction with each that `shifts_of` gives, with one
    copy of the maps for each: rows come out for the first shift of all sequences, then for the second, and so
    on. `MeanOfShifts` then makes scores that hardly depend on where a sequence was cut.
    """

    # Light CNN: X. Wu et al., "A light CNN for deep face representation with noisy labels", IEEE Transactions
    # on Information Forensics and Security 13 (11), 2018; before an LSTM against spoofing: X. Wang and
    # J. Yamagishi, "A comparative study on recent neural spoofing countermeasures for synthetic speech
    # detection", Interspeech 2021. All shifts, as "cycle spinning": R. R. Coifman and D. L. Donoho,
    # "Translation-invariant de-noising", in Wavelets and Statistics, Springer 1995.

    def __init__(self, blocks: Sequence[Sequence[int]], dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.blocks = tuple((int(maps), int(kernel), int(pool)) for maps, kernel, pool in blocks)
        self.convolutions = [
            keras.layers.Conv2D(
                2 * maps,
                kernel,
                padding="same",
                data_format="channels_last",
                # Without a seed, Keras draws one from Python's global random state.
                kernel_initializer=keras.initializers.GlorotUniform(seed=0),
                name=f"convolution_{block}",
                dtype=self.dtype_policy,
            )
            for block, (maps, kernel, _) in enumerate(self.blocks)
        ]
        self.normalizations = [
            MaskedBatchNormalization(name=f"normalization_{block}", dtype=self.dtype_policy)
            for block in range(len(self.blocks))
        ]
        self.dropout = keras.layers.SpatialDropout2D(
            dropout, data_format="channels_last", seed=0, dtype=self.dtype_policy
        )

    def build(self, sequences_shape: Any, lengths_shape: Any) -> None:
        """Make the layers' weights."""
        width, channels = sequences_shape[-1], 1
        for (maps, _, pool), convolution, normalization in zip(
            self.blocks, self.convolutions, self.normalizations, strict=True
        ):
            convolution.build((None, None, width, channels))
            width, channels = -(-width // pool), maps
            normalization.build((None, None, width, channels))

    def call(self, sequences: Any, lengths: Any, training: bool = False) -> tuple[Any, Any]:
        """Read (n, n_frames, n_features); return (n, n_pooled_frames, n_bands * n_maps) and the lengths.

        In prediction there are as many times n rows as shifts.
        """
        lengths = ops.cast(lengths, "int32")
        maps = ops.expand_dims(sequences, -1)  # beyond the lengths it is zero
        for (_, _, pool), shifts, convolution, normalization in zip(
            self.blocks, shifts_of(self.blocks), self.convolutions, self.normalizations, strict=True
        ):
            halves = convolution(maps)
            one, other = ops.split(halves, 2, axis=-1)
            maps = ops.where(one > other, one, other)  # Keras's maximum is of single precision at most
            if pool > 1:
                if not training:
                    maps, lengths = _shifted(maps, lengths, shifts)
                smallest = ops.cast(-6e4, maps.dtype)  # of what float16 holds, too
                maps = ops.where(_within(maps, lengths), maps, smallest)
                maps = ops.max_pool(
                    _of_whole_windows(maps, pool, smallest), pool, pool, data_format="channels_last"
                )
                lengths = -(-lengths // pool)
            maps = normalization(maps, _within(maps, lengths), training=training)
        maps = self.dropout(maps, training=training)
        n_frames, width = ops.shape(maps)[1], maps.shape[2] * maps.shape[3]
        return ops.reshape(maps, (-1, n_frames, width)), lengths

    def compute_output_shape(self, sequences_shape: Any, lengths_shape: Any) -> tuple[Any, Any]:
        """Return the shapes of the pooled sequences and of their lengths."""
        _, n_frames, width = sequences_shape
        for _, _, pool in self.blocks:
            n_frames = None if n_frames is None else -(-n_frames // pool)
            width = -(-width // pool)
        return (None, n_frames, width * self.blocks[-1][0]), (None, *lengths_shape[1:])

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's parameters."""
        return {**super().get_config(), "blocks": self.blocks, "dropout": self.dropout.rate}


@keras.saving.register_keras_serializable(package="voicelstm")
class MeanOfShifts(keras.layers.Layer):
    """Mean of the scores of each sequence's shifts, in prediction; in training there is one."""

    def __init__(self, n_shifts: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n_shifts = n_shifts

    def call(self, scores: Any, training: bool = False) -> Any:
        """Read (n_shifts * n, n_outputs), sequences of one shift together; return (n, n_outputs)."""
        if training:
            return scores
        return ops.mean(ops.reshape(scores, (self.n_shifts, -1, scores.shape[-1])), axis=0)

    def compute_output_shape(self, scores_shape: Any) -> Any:
        """Return the shape of one score per sequence."""
        return (None, scores_shape[-1])

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's parameters."""
        return {**super().get_config(), "n_shifts": self.n_shifts}


def _shifted(maps: Any, lengths: Any, shifts: range) -> tuple[Any, Any]:
    """Return maps without so many first frames, those of one shift below the other, and their lengths.

    Those of sequences that have no more frames than that stay as they are.
    """
    found, remaining = [maps], [lengths]
    for shift in shifts[1:]:
        without = ops.pad(maps, ((0, 0), (0, shift), (0, 0), (0, 0)))[:, shift:]
        is_longer = lengths > shift
        found.append(ops.where(is_longer[:, None, None, None], without, maps))
        remaining.append(ops.where(is_longer, lengths - shift, lengths))
    return ops.concatenate(found, axis=0), ops.concatenate(remaining, axis=0)


def _of_whole_windows(maps: Any, pool: int, smallest: Any) -> Any:
    """Pad frames and bands at their ends, so that windows begin with the first of each."""
    # Keras's own padding would be at both ends, and where windows begin depend on the longest of a batch.
    ends = ((0, -ops.shape(maps)[1] % pool), (0, -maps.shape[2] % pool))
    return ops.pad(maps, ((0, 0), *ends, (0, 0)), constant_values=smallest)


def _within(maps: Any, lengths: Any) -> Any:
    """Return which frames are within the lengths, in the shape (n, n_frames, 1, 1)."""
    frames = ops.arange(ops.shape(maps)[1], dtype="int32")[None, :]
    return (frames < lengths[:, None])[:, :, None, None]
