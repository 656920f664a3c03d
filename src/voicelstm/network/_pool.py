"""Pool of compiled networks, of which each thread acquires its own."""

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import keras

from voicelstm.network._architecture import Architecture
from voicelstm.network._model import Compilation
from voicelstm.network._network import Network
from voicelstm.network._tensorflow_memory import clear_kernel_cache, suppress_graph_publishing

__all__ = ["acquire_network"]

_MAX_IDLE = 8  # or as many as were in use at once, so that threads that take turns find theirs again

_idle: OrderedDict[tuple[Architecture, Compilation], list[Network]] = OrderedDict()
_lock = threading.Lock()
_n_in_use = 0
_most_in_use = 0
_n_dropped = 0
_has_run = False  # whether a network was built here, and with it the backend's threads
_forked = False


def _after_fork() -> None:
    """Drop the idle networks, whose threads exist only in the parent."""
    global _lock, _forked, _n_in_use
    _lock, _n_in_use = threading.Lock(), 0
    _idle.clear()
    _forked = _has_run


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


@contextmanager
def acquire_network(
    architecture: Architecture, compilation: Compilation, *, shared: bool = True
) -> Iterator[Network]:
    """Provide a network for one thread's exclusive use; build one if none is idle."""
    # With shared=False the network is built for this use alone: a user's callbacks may change what no reset
    # restores, and a user's factory makes the optimizer anew.
    global _has_run, _n_in_use, _most_in_use
    if _forked:  # the network would wait forever for threads of the parent
        raise RuntimeError(
            f"This process was forked from one in which {keras.backend.backend()} had run, which does not"
            " survive that: start it with joblib's 'loky' or multiprocessing's 'spawn'."
        )
    _has_run = True
    network = None
    if shared:
        with _lock:
            idle = _idle.get((architecture, compilation))
            network = idle.pop() if idle else None
            _n_in_use += 1
            _most_in_use = max(_most_in_use, _n_in_use)
    with ExitStack() as stack:
        if shared:
            stack.callback(_count_as_left)
        if compilation.distribution is not None:
            stack.enter_context(compilation.distribution.scope())
        stack.enter_context(suppress_graph_publishing())
        if network is None:
            network = Network(architecture, compilation)
        try:
            yield network
        finally:
            if shared:
                _release((architecture, compilation), network)


def _count_as_left() -> None:
    global _n_in_use
    with _lock:
        _n_in_use -= 1


def _release(key: tuple[Architecture, Compilation], network: Network) -> None:
    global _n_dropped
    clear = False
    with _lock:
        _idle.setdefault(key, []).append(network)
        _idle.move_to_end(key)
        while sum(map(len, _idle.values())) > max(_MAX_IDLE, _most_in_use):
            oldest = next(iter(_idle))
            _idle[oldest].pop()
            if not _idle[oldest]:
                del _idle[oldest]
            _n_dropped += 1
            clear |= _n_dropped % _MAX_IDLE == 0
    if clear:
        clear_kernel_cache()
