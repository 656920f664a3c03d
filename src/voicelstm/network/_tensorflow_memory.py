"""Keep TensorFlow from holding memory for networks that no longer exist; a no-op under other backends."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras

from voicelstm import _compat

__all__ = ["clear_kernel_cache", "sum_only_among_devices", "suppress_graph_publishing"]

_lock = threading.Lock()
_n_unpublished = 0
_published = True


@contextmanager
def suppress_graph_publishing() -> Iterator[None]:
    """Suppress TensorFlow's graph publishing while the context is active."""
    # TensorFlow keeps a few bytes for each published graph, among large blocks that come and go: in hundreds
    # of fits, tens of MiB that nothing else can use. The flag holds for all threads of the process.
    global _n_unpublished, _published
    flag = _compat.graph_publishing() if _runs() else None
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


def clear_kernel_cache() -> None:
    """Clear TensorFlow's cache of kernels, which keeps a MiB for each network, dropped ones included."""
    # A network that is still in use makes its kernels anew at its next call.
    if _runs():
        _compat.clear_kernel_cache()


def sum_only_among_devices(optimizer: Any) -> None:
    """Change a Keras optimizer so that it sums gradients only if there are several devices."""
    # The sum is the gradients themselves, but TensorFlow registers a gradient of each such sum, which holds
    # the graph of the training step for as long as the process lives: 3 MiB and more for every network.
    if not _runs():
        return
    import tensorflow as tf

    def only_among(sum_gradients: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def summed(grads_and_vars: Any) -> Any:
            replica = tf.distribute.get_replica_context()
            several = replica is not None and replica.num_replicas_in_sync > 1
            return sum_gradients(grads_and_vars) if several else list(grads_and_vars)

        return summed

    _compat.replace_gradient_sum(optimizer, only_among)


def _runs() -> bool:
    return keras.backend.backend() == "tensorflow"
