"""The Keras network, compiled once per architecture and used again."""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from voicelstm.architecture import Architecture, Weights
from voicelstm.distribution import Devices, check_distribution
from voicelstm.pooling import Pooling
from voicelstm.prefetching import prefetched
from voicelstm.recurrent import LSTMStack
from voicelstm.sequences import SegmentBatches
from voicelstm.tensorflow_memory import sum_only_among_devices

__all__ = ["Compilation", "Network", "build", "frames_step"]

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
        """What it learns on."""
        return Devices(self.distribution)


def frames_step() -> int:
    """Return the padding multiple, in frames. JAX compiles anew for each number of frames."""
    return 32 if keras.backend.backend() == "jax" else 16


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
    stack = LSTMStack(
        architecture.units,
        architecture.bidirectional,
        architecture.dropout,
        n_rows,
        name="lstms",
        dtype=dtype,
    )
    pooled = Pooling(architecture.pooling, name="pooling", dtype=dtype)((stack(sequences, lengths), lengths))
    # Without a seed, Keras draws one from Python's global random state.
    uniform = keras.initializers.GlorotUniform(seed=0)
    head = keras.layers.Dense(architecture.n_outputs, kernel_initializer=uniform, name="head", dtype=dtype)
    logits = head(pooled)
    if dtype.startswith("mixed"):
        logits = keras.layers.Activation("linear", dtype="float32")(logits)
    model = keras.Model({"sequences": sequences, "lengths": lengths}, logits, name="voicelstm")
    if weights is not None:
        _set_weights(model, weights)
    return model


def _check_precision(dtype: str) -> None:
    if dtype == "float64" and keras.backend.backend() == "jax":
        import jax

        if not jax.config.jax_enable_x64:  # JAX would compute in single precision without an error
            raise ValueError(
                'dtype="float64" needs JAX\'s double precision, which is off: set JAX_ENABLE_X64=1 in the'
                ' environment, or jax.config.update("jax_enable_x64", True) before anything else of JAX.'
            )


def _variables(model: keras.Model) -> dict[str, Any]:
    """Find the model's weights by the names of Architecture.weight_shapes."""
    stack = model.get_layer("lstms")
    layers = [lstm for directions in stack.lstms for lstm in directions]
    layers += [model.get_layer("pooling"), model.get_layer("head")]
    return {
        f"{layer.name}/{variable.name}": variable for layer in layers for variable in layer.trainable_weights
    }


def _set_weights(model: keras.Model, weights: Weights) -> None:
    for name, variable in _variables(model).items():
        variable.assign(weights[name])


def _make_optimizer(compilation: Compilation) -> Any:
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


def _make_loss(architecture: Architecture, compilation: Compilation) -> keras.losses.Loss:
    # Weights that belong together then mean the same in every batch, whatever their sum. A device that has
    # only some of the rows cannot know that sum: there the weights come divided by it.
    reduction = "sum" if compilation.devices.are_replicas else "mean_with_sample_weight"
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


class Network:
    """A compiled network that can be set back to any state.

    Compiling costs seconds and, on some backends, memory that is never freed, so one network serves many
    fits: the pool provides it, and `reset` makes it as good as new.
    """

    def __init__(self, architecture: Architecture, compilation: Compilation) -> None:
        self.architecture = architecture
        self._devices = compilation.devices
        self.model = build(architecture, n_rows=compilation.n_rows)
        self._trainable = _variables(self.model)
        self._held: Weights | None = None
        accuracy = (
            keras.metrics.BinaryAccuracy(name="accuracy", threshold=0.0)
            if architecture.n_outputs == 1
            else keras.metrics.CategoricalAccuracy(name="accuracy")
        )
        self.model.compile(
            optimizer=_make_optimizer(compilation),
            loss=_make_loss(architecture, compilation),
            weighted_metrics=[accuracy],
        )
        sum_only_among_devices(self.model.optimizer)
        self.model.optimizer.build(self.model.trainable_variables)
        self._fresh_optimizer = self.optimizer_state()

    def reset(
        self,
        weights: Weights,
        seed: int,
        learning_rate: float | None,
        optimizer_state: Sequence[NDArray] | None = None,
    ) -> None:
        """Set everything that training changes; without `optimizer_state`, the optimizer starts afresh."""
        self._devices.check_agreement(seed, "random_state: pass the same int to each")
        self._assign(weights)
        optimizer = self.model.optimizer
        state = self._fresh_optimizer if optimizer_state is None else optimizer_state
        for variable, value in zip(optimizer.variables, state, strict=True):
            variable.assign(value)
        if learning_rate is not None:
            self.set_learning_rate(learning_rate)
        for layer, dropout in enumerate(self.model.get_layer("lstms").dropouts):
            if dropout.rate:
                variable = dropout.seed_generator.state
                variable.assign(np.array([seed, layer], dtype=variable.dtype))
        self.model.reset_metrics()
        self.model.stop_training = False

    def set_learning_rate(self, learning_rate: float) -> None:
        """Set the step size."""
        self.model.optimizer.learning_rate = learning_rate

    def weights(self) -> Weights:
        """Return copies of the weights."""
        return {name: self._devices.value(variable) for name, variable in self._trainable.items()}

    def optimizer_state(self) -> list[NDArray]:
        """Return copies of what the optimizer remembers."""
        return [self._devices.value(variable) for variable in self.model.optimizer.variables]

    def state(self) -> dict[str, NDArray]:
        """Return copies of all that training changes: weights, optimizer, what dropout draws next."""
        # Single numbers as arrays of one, which files keep as they are.
        return {
            name: np.atleast_1d(self._devices.value(variable)) for name, variable in self._changing().items()
        }

    def set_state(self, state: dict[str, NDArray]) -> None:
        """Set what :meth:`state` gave."""
        self._held = None
        for name, variable in self._changing().items():
            variable.assign(np.reshape(state[name], tuple(variable.shape)))

    def _changing(self) -> dict[str, Any]:
        parts = {"model": self.model.variables, "optimizer": self.model.optimizer.variables}
        return {f"{part}/{i}": variable for part, found in parts.items() for i, variable in enumerate(found)}

    def describe_backend(self) -> dict[str, Any]:
        """Return what identifies the backend: Keras, its backend, the optimizer with all its settings."""
        optimizer = self.model.optimizer
        # Keras numbers the optimizers of a process by name.
        settings = {name: value for name, value in optimizer.get_config().items() if name != "name"}
        return {
            "keras": keras.__version__,
            "backend": keras.backend.backend(),
            "optimizer": [type(optimizer).__name__, settings],
            "distribution": self._devices.kind(),
        }

    def check_agreement(self, *arrays: NDArray) -> None:
        """Refuse to train where other processes share the devices and are about to learn from other data."""
        if self._devices.span_processes:
            number = reduce(lambda crc, values: zlib.crc32(values.tobytes(), crc), arrays, 0)
            self._devices.check_agreement(number, "X, y or weights, which each is to be given whole")

    def train_step(
        self, batch: NDArray, lengths: NDArray, labels: NDArray, weight: NDArray
    ) -> dict[str, float]:
        """Take one step; return the batch's weighted means of loss and accuracy, before the step."""
        self._held = None
        inputs = {"sequences": batch, "lengths": lengths}
        if not self._devices.are_replicas:
            inputs, labels, weight = self._devices.own((inputs, labels, weight))
            return self.model.train_on_batch(inputs, labels, sample_weight=weight, return_dict=True)
        # As train_on_batch does it, which would give every device the whole batch.
        self.model.make_train_function()
        self.model.reset_metrics()
        dealt = self._devices.deal((inputs, labels, weight / (weight.sum() or 1)))
        logs = self.model.train_function(iter([dealt]))
        return {name: float(value) for name, value in logs.items()}

    def set_weights(self, weights: Weights) -> None:
        """Set the weights, unless these very weights are set already."""
        if self._held is not weights:
            self._assign(weights)

    def logits(self, batches: SegmentBatches) -> NDArray:
        """Score segments with the current weights: (n_segments, n_outputs), in the order of the segments."""
        scores = np.zeros((len(batches.segments), self.architecture.n_outputs), batches.dtype)

        def cut(chosen: NDArray[np.intp]) -> tuple[NDArray[np.intp], dict[str, NDArray]]:
            batch, lengths = batches.take(chosen)
            return chosen, {"sequences": batch, "lengths": lengths}

        for chosen, inputs in prefetched(cut, batches.by_length()):
            outputs = self.model.predict_on_batch(self._devices.deal(inputs))
            scores[chosen] = np.asarray(outputs)[: len(chosen)]
        return scores

    def _assign(self, weights: Weights) -> None:
        self._held = None
        _set_weights(self.model, weights)
        self._held = weights
