"""The Keras model of an architecture, and how it is compiled."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import keras
from keras import ops

from voicelstm.network._architecture import Architecture, Weights, shifts_of
from voicelstm.network._convolutions import ConvolutionStack, MeanOfShifts
from voicelstm.network._devices import Devices, check_distribution
from voicelstm.network._pooling import Pooling
from voicelstm.network._recurrent import LSTMStack

__all__ = ["Compilation", "SquaredError", "build"]

_ROWS_STEP, _MOST_ROWS = 32, 128


def _in_steps(batch_size: int) -> int:
    return min(_MOST_ROWS, max(1, batch_size // _ROWS_STEP * _ROWS_STEP))


@dataclass(frozen=True)
class Compilation:
    """How and where a network learns; see :class:`voicelstm.LSTMVoiceClassifier` for what each means."""

    loss: str = "cross_entropy"
    optimizer: str | Callable[[], Any] = "adam"
    clip_norm: float | None = None
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    distribution: Any = None
    n_rows: int = 1  # of a batch; in steps, so that few networks are needed

    @classmethod
    def of(cls, classifier: Any) -> "Compilation":
        """Take the parameters of a classifier."""
        check_distribution(classifier.distribution)
        return cls(
            loss=classifier.loss,
            optimizer=classifier.optimizer,
            clip_norm=classifier.clip_norm,
            weight_decay=float(classifier.weight_decay),
            label_smoothing=float(classifier.label_smoothing),
            distribution=classifier.distribution,
            n_rows=_in_steps(classifier.batch_size),
        )

    def for_rows(self, batch_size: int) -> "Compilation":
        """Expect batches of another size."""
        return replace(self, n_rows=_in_steps(batch_size))

    @property
    def devices(self) -> Devices:
        """Devices that the network learns on."""
        return Devices(self.distribution)


@keras.saving.register_keras_serializable(package="voicelstm")
class SquaredError(keras.losses.Loss):
    """Mean squared difference between labels and the probabilities of logits."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Compare one-hot labels, or 0/1 in one column, with logits of the same shape."""
        probability = ops.sigmoid(y_pred) if y_pred.shape[-1] == 1 else ops.softmax(y_pred)
        return ops.mean(ops.square(ops.cast(y_true, probability.dtype) - probability), axis=-1)


def build(architecture: Architecture, weights: Weights | None = None, n_rows: int = 1) -> keras.Model:
    """Build the Keras model, from padded ``sequences`` and their ``lengths`` to logits (n, n_outputs).

    No layer is masked, so that cuDNN's kernel runs where there is one; pooling leaves out the padding.
    `n_rows` is the expected number of rows: it decides how work is divided, never the result.
    """
    dtype = architecture.dtype
    _check_precision(dtype)
    sequences = keras.Input(
        (None, architecture.n_features), name="sequences", dtype=architecture.weight_dtype.name
    )
    lengths = keras.Input((), name="lengths", dtype="int32")
    maps, frames = sequences, lengths
    if architecture.convolutions:
        convolutions = ConvolutionStack(
            architecture.convolutions, architecture.dropout, name="convolutions", dtype=dtype
        )
        maps, frames = convolutions(sequences, lengths)
    stack = LSTMStack(
        architecture.units,
        architecture.bidirectional,
        architecture.dropout,
        n_rows,
        name="lstms",
        dtype=dtype,
    )
    pooled = Pooling(architecture.pooling, name="pooling", dtype=dtype)((stack(maps, frames), frames))
    # Without a seed, Keras draws one from Python's global random state.
    uniform = keras.initializers.GlorotUniform(seed=0)
    head = keras.layers.Dense(architecture.n_outputs, kernel_initializer=uniform, name="head", dtype=dtype)
    logits = head(pooled)
    if dtype.startswith("mixed"):
        logits = keras.layers.Activation("linear", dtype="float32")(logits)
    n_shifts = math.prod(map(len, shifts_of(architecture.convolutions)))
    if n_shifts > 1:
        logits = MeanOfShifts(n_shifts, name="mean_of_shifts", dtype=architecture.weight_dtype.name)(logits)
    model = keras.Model({"sequences": sequences, "lengths": lengths}, logits, name="voicelstm")
    if weights is not None:
        assign_weights(model, weights)
    return model


def _check_precision(dtype: str) -> None:
    if dtype == "float64" and keras.backend.backend() == "jax":
        import jax

        if not jax.config.jax_enable_x64:  # JAX would compute in single precision without an error
            raise ValueError(
                'dtype="float64" needs JAX\'s double precision, which is off: set JAX_ENABLE_X64=1 in the'
                ' environment, or jax.config.update("jax_enable_x64", True) before anything else of JAX.'
            )


def variables_by_name(model: keras.Model) -> dict[str, Any]:
    """Find the model's weights by the names of Architecture.weight_shapes."""
    layers = [lstm for directions in model.get_layer("lstms").lstms for lstm in directions]
    layers += [model.get_layer("pooling"), model.get_layer("head")]
    for layer in model.layers:
        if isinstance(layer, ConvolutionStack):
            layers += [*layer.convolutions, *layer.normalizations]
    return {f"{layer.name}/{variable.name}": variable for layer in layers for variable in layer.weights}


def dropouts(model: keras.Model) -> list[Any]:
    """Return the layers that drop outputs, in an order that stays."""
    found = list(model.get_layer("lstms").dropouts)
    return found + [layer.dropout for layer in model.layers if isinstance(layer, ConvolutionStack)]


def assign_weights(model: keras.Model, weights: Weights) -> None:
    for name, variable in variables_by_name(model).items():
        variable.assign(weights[name])


def make_optimizer(compilation: Compilation) -> Any:
    if callable(compilation.optimizer):
        return compilation.optimizer()
    options = {
        "global_clipnorm": compilation.clip_norm,
        "weight_decay": compilation.weight_decay or None,
    }
    if compilation.optimizer == "adam_tf1":
        return keras.optimizers.Adam(epsilon=1e-8, **options)
    makers = {
        "adam": keras.optimizers.Adam,
        "nadam": keras.optimizers.Nadam,
        "rmsprop": keras.optimizers.RMSprop,
        "sgd": keras.optimizers.SGD,
    }
    return makers[compilation.optimizer](**options)


def make_loss(architecture: Architecture, compilation: Compilation) -> keras.losses.Loss:
    # Divided by the rows, not by the sum of their weights: a weight then means the same in every batch.
    reduction = "sum_over_batch_size"
    if compilation.loss == "squared_error":
        return SquaredError(reduction=reduction, dtype=architecture.weight_dtype.name)
    options = {
        "from_logits": True,
        "label_smoothing": compilation.label_smoothing,
        "reduction": reduction,
        "dtype": architecture.weight_dtype.name,
    }
    if architecture.n_outputs == 1:
        return keras.losses.BinaryCrossentropy(**options)
    return keras.losses.CategoricalCrossentropy(**options)
