"""Warnings of calls that run in several threads of one process."""

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

__all__ = ["warnings_of_this_thread"]


class _Catcher:
    """Keep each thread's warnings apart; :class:`warnings.catch_warnings` mixes them, and leaves traces."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._n_catching = 0
        self._own = threading.local()

    @contextmanager
    def catch(self) -> Iterator[list[Warning]]:
        """Give a list that this thread's warnings come into."""
        caught: list[Warning] = []
        self._own.caught = caught
        with self._lock:
            if self._n_catching == 0:  # the first one changes the process's filters, for all
                self._before = warnings.catch_warnings()
                self._before.__enter__()
                self._show = warnings.showwarning
                warnings.simplefilter("always")
                warnings.showwarning = cast(Any, self._keep)
            self._n_catching += 1
        try:
            yield caught
        finally:
            self._own.caught = None
            with self._lock:
                self._n_catching -= 1
                if self._n_catching == 0:
                    self._before.__exit__(None, None, None)

    def _keep(self, message: Warning, *args: Any, **kwargs: Any) -> None:
        caught = getattr(self._own, "caught", None)
        if caught is None:
            self._show(message, *args, **kwargs)
        else:
            caught.append(message)


_catcher = _Catcher()


def warnings_of_this_thread() -> Any:
    """Catch what the calling thread warns of, while other threads may be doing the same.

    Returns
    -------
    context manager
        Which gives a list of :class:`Warning`. Meanwhile no filter applies, and threads that do not catch
        warn as before.
    """
    return _catcher.catch()
