"""How the rows of a batch are divided among devices, by the backend's own means."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

__all__ = ["Devices", "check_distribution"]


def check_distribution(distribution: Any) -> None:
    """Raise ValueError if the backend would fail with this distribution, or learn something else."""
    if distribution is None:
        return
    backend = keras.backend.backend()
    if backend == "jax":
        accepted, name = keras.distribution.DataParallel, "keras.distribution.DataParallel"
    elif backend == "tensorflow":
        import tensorflow as tf

        accepted, name = tf.distribute.MirroredStrategy, "tf.distribute.MirroredStrategy"
    else:
        raise ValueError(f"Keras has no distribution for {backend}: use the backend jax or tensorflow.")
    if not isinstance(distribution, accepted):
        raise ValueError(
            f"Under {backend}, distribution must be a {name}; got a {type(distribution).__name__}. Several"
            " processes or machines can share a training under jax only."
        )


@dataclass(frozen=True)
class Devices:
    """The devices of a distribution, or the one device that the backend chooses if it is None."""

    distribution: Any

    @property
    def are_replicas(self) -> bool:
        """Whether each device is handed its rows and has its own copy of all; Keras sees to it under JAX."""
        return self.distribution is not None and keras.backend.backend() == "tensorflow"

    @property
    def span_processes(self) -> bool:
        """Whether some are those of other processes, which only JAX's may be."""
        if self.distribution is None or self.are_replicas:
            return False
        return not self.distribution.get_data_layout((1,)).backend_layout.is_fully_addressable

    def __len__(self) -> int:
        if self.distribution is None:
            return 1
        if self.are_replicas:
            return int(self.distribution.num_replicas_in_sync)
        return int(self.distribution.device_mesh.shape[0])

    def kind(self) -> Any:
        """Describe the devices by what every process sees alike: their type and number."""
        return None if self.distribution is None else [type(self.distribution).__name__, len(self)]

    def value(self, variable: Any) -> NDArray:
        """Copy a variable's value."""
        value = variable.value
        if self.are_replicas:
            # All devices hold the same; the state of dropout can be read only of one at a time.
            value = self.distribution.experimental_local_results(value)[0]
        return np.array(ops.convert_to_numpy(value))

    def deal(self, batch: Any) -> Any:
        """Hand each device its rows of every array; what other processes compute could not be read here."""
        if self.distribution is None or self.span_processes:
            return batch

        def deal(values: NDArray) -> Any:
            self._check_divides(values)
            if not self.are_replicas:
                layout = self.distribution.get_data_layout(values.shape)
                return keras.distribution.distribute_tensor(values, layout)
            shares = np.split(values, len(self))
            return self.distribution.experimental_distribute_values_from_function(
                lambda device: ops.convert_to_tensor(shares[device.replica_id_in_sync_group])
            )

        return keras.tree.map_structure(deal, batch)

    def own(self, batch: Any) -> Any:
        """Take the rows of this process's devices, among which Keras then divides them, under JAX."""
        if self.distribution is None:
            return batch

        def own(values: NDArray) -> NDArray:
            self._check_divides(values)
            sharding = self.distribution.get_data_layout(values.shape).backend_layout
            indices = sharding.addressable_devices_indices_map(values.shape).values()
            bounds = {rows.indices(len(values))[:2] for rows, *_ in indices}
            return np.concatenate([values[first:stop] for first, stop in sorted(bounds)])

        return keras.tree.map_structure(own, batch)

    def check_agreement(self, number: int, what: str) -> None:
        """Refuse what differs between processes, which would learn nonsense or wait for ever."""
        if not self.span_processes:
            return
        from jax.experimental import multihost_utils

        if np.ptp(multihost_utils.process_allgather(np.uint32(number))):
            raise ValueError(f"The processes of distribution differ in {what}.")

    def _check_divides(self, values: NDArray) -> None:
        if len(values) % len(self):
            raise ValueError(
                f"batch_size={len(values)} must be a multiple of the {len(self)} devices of distribution."
            )
