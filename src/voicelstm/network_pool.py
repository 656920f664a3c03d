"""Compiled networks that wait for their next use."""

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import keras

from voicelstm.architecture import Architecture
from voicelstm.network import Compilation, Network
from voicelstm.tensorflow_memory import forget_kernels, unpublished_graphs

__all__ = ["borrow"]

_MAX_IDLE = 8

_idle: OrderedDict[tuple[Architecture, Compilation], list[Network]] = OrderedDict()
_lock = threading.Lock()
_n_dropped = 0
_has_run = False  # whether a network was built here, and with it the backend's threads
_forked = False


def _after_fork() -> None:
    """Forget networks whose threads stayed behind in the parent."""
    global _lock, _forked
    _lock = threading.Lock()
    _idle.clear()
    _forked = _has_run


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


@contextmanager
def borrow(architecture: Architecture, compilation: Compilation, *, shared: bool = True) -> Iterator[Network]:
    """Lend a network for one thread's exclusive use; build one where none is idle.

    Parameters
    ----------
    architecture : Architecture
        Its shape.
    compilation : Compilation
        How it learns.
    shared : bool, default=True
        False builds a network for this use alone: where a user's callbacks may change what no reset knows
        of, or a user's factory makes the optimizer anew.

    Yields
    ------
    Network
        In whatever state its last user left it.

    Raises
    ------
    RuntimeError
        In a process that was forked after the backend had run, where it would wait for ever.
    """
    global _has_run
    if _forked:
        raise RuntimeError(
            f"This process was forked from one in which {keras.backend.backend()} had run, which does not"
            " survive that: start it with joblib's 'loky' or multiprocessing's 'spawn'."
        )
    _has_run = True
    network = None
    if shared:
        with _lock:
            shelf = _idle.get((architecture, compilation))
            network = shelf.pop() if shelf else None
    with ExitStack() as stack:
        if compilation.distribution is not None:
            stack.enter_context(compilation.distribution.scope())
        stack.enter_context(unpublished_graphs())
        if network is None:
            network = Network(architecture, compilation)
        try:
            yield network
        finally:
            if shared:
                _give_back((architecture, compilation), network)


def _give_back(key: tuple[Architecture, Compilation], network: Network) -> None:
    global _n_dropped
    forget = False
    with _lock:
        _idle.setdefault(key, []).append(network)
        _idle.move_to_end(key)
        while sum(map(len, _idle.values())) > _MAX_IDLE:
            oldest = next(iter(_idle))
            _idle[oldest].pop()
            if not _idle[oldest]:
                del _idle[oldest]
            _n_dropped += 1
            forget |= _n_dropped % _MAX_IDLE == 0
    if forget:
        forget_kernels()
