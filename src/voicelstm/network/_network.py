"""The Keras network, compiled once per architecture and used again."""

import zlib
from collections.abc import Sequence
from functools import reduce
from importlib import import_module
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from voicelstm.network._architecture import Architecture, Weights
from voicelstm.network._model import (
    Compilation,
    assign_weights,
    build,
    dropouts,
    make_loss,
    make_optimizer,
    variables_by_name,
)
from voicelstm.network._prefetching import prefetched
from voicelstm.network._tensorflow_memory import sum_only_among_devices
from voicelstm.sequences import SegmentBatches

__all__ = ["Network", "frames_step"]


def frames_step() -> int:
    """Return the padding multiple, in frames. JAX compiles anew for each number of frames."""
    return 32 if keras.backend.backend() == "jax" else 16


def _backend_libraries() -> tuple[str, ...]:
    """Name the modules that compute."""
    backend = keras.backend.backend()
    return ("jax", "jaxlib") if backend == "jax" else (backend,)


class Network:
    """A compiled network that can be set back to any state.

    Compiling costs seconds and, on some backends, memory that is never freed, so one network serves many
    fits: the pool provides it, and `reset` makes it as good as new.
    """

    def __init__(self, architecture: Architecture, compilation: Compilation) -> None:
        self.architecture = architecture
        self._devices = compilation.devices
        self.model = build(architecture, n_rows=compilation.n_rows)
        self._variables = variables_by_name(self.model)
        self._held: Weights | None = None
        accuracy = (
            keras.metrics.BinaryAccuracy(name="accuracy", threshold=0.0)
            if architecture.n_outputs == 1
            else keras.metrics.CategoricalAccuracy(name="accuracy")
        )
        self.model.compile(
            optimizer=make_optimizer(compilation),
            loss=make_loss(architecture, compilation),
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
        for layer, dropout in enumerate(dropouts(self.model)):
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
        return {name: self._devices.value(variable) for name, variable in self._variables.items()}

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
            "backend": {name: import_module(name).__version__ for name in _backend_libraries()},
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
        """Take one step down the sum of weight times loss over the number of rows, padding included.

        Return the batch's weighted means of loss and accuracy, before the step, and its total `weight`.
        """
        self._held = None
        logs = self._step({"sequences": batch, "lengths": lengths}, labels, weight)
        total = float(keras.ops.convert_to_numpy(weight).sum())  # of a tensor of the backend, too
        return logs | {"loss": logs["loss"] * len(weight) / (total or 1.0), "weight": total}

    def _step(self, inputs: dict[str, NDArray], labels: NDArray, weight: NDArray) -> dict[str, float]:
        if not self._devices.are_replicas:
            inputs, labels, weight = self._devices.own((inputs, labels, weight))
            logs = self.model.train_on_batch(inputs, labels, sample_weight=weight, return_dict=True)
        else:
            # As train_on_batch does it, which would give every device the whole batch.
            self.model.make_train_function()
            self.model.reset_metrics()
            logs = self.model.train_function(iter([self._devices.deal((inputs, labels, weight))]))
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
        assign_weights(self.model, weights)
        self._held = weights
