"""What TensorFlow would keep for as long as the process lives, of networks that are long gone.

Where another backend runs, nothing here does anything.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import keras

__all__ = ["clear_kernel_cache", "sum_only_among_devices", "suppress_graph_publishing"]

_lock = threading.Lock()
_n_unpublished = 0
_published = True


@contextmanager
def suppress_graph_publishing() -> Iterator[None]:
    """Have TensorFlow publish no graph of a function that is compiled meanwhile, whoever compiles it.

    It publishes them to nobody, but keeps a few bytes for each, among large blocks that come and go: in
    hundreds of fits, tens of MiB that nothing else can use.
    """
    global _n_unpublished, _published
    flag = _publishing()
    if flag is None:
        yield
        return
    with _lock:
        if _n_unpublished == 0:
            _published = flag.value()
            flag.reset(False)
        _n_unpublished += 1
    try:
        yield
    finally:
        with _lock:
            _n_unpublished -= 1
            if _n_unpublished == 0:
                flag.reset(_published)


def _publishing() -> Any:
    if not _runs():
        return None
    with suppress(ImportError, AttributeError):  # it is not public, and a fit must not fail for it
        from tensorflow.core.config import flags

        return flags.config().publish_function_graphs
    return None


def clear_kernel_cache() -> None:
    """Have TensorFlow drop the kernels that it keeps, those of dropped networks among them: a MiB for each.

    Whatever still runs makes its own anew, at its next call.
    """
    if not _runs():
        return
    with suppress(ImportError, AttributeError):  # nor is this
        from tensorflow.python.eager import context

        context.context().clear_kernel_cache()


def sum_only_among_devices(optimizer: Any) -> None:
    """Keep an optimizer of Keras from summing the gradients of one device.

    The sum is the gradients themselves, but TensorFlow registers a gradient of each such sum, which holds the
    graph of the training step for as long as the process lives: 3 MiB and more for every network.

    Parameters
    ----------
    optimizer : keras.optimizers.Optimizer
        Changed in place.
    """
    among_devices = getattr(optimizer, "_all_reduce_sum_gradients", None)
    if not _runs() or among_devices is None:  # a user's own, or a later Keras's
        return
    import tensorflow as tf

    def summed(grads_and_vars: Any) -> Any:
        replica = tf.distribute.get_replica_context()
        several = replica is not None and replica.num_replicas_in_sync > 1
        return among_devices(grads_and_vars) if several else list(grads_and_vars)

    optimizer._all_reduce_sum_gradients = summed


def _runs() -> bool:
    return keras.backend.backend() == "tensorflow"
