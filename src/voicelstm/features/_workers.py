"""Extraction in several processes or threads, and what to do if one of them dies."""

import os
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from pathlib import Path
from platform import node
from typing import Any, NamedTuple

from joblib import Parallel, delayed, effective_n_jobs

from voicelstm._base import StoppedError, __version__, stoppable
from voicelstm._compat import active_dask_backend
from voicelstm.exceptions import AudioError
from voicelstm.features._extraction import ExtractionSettings, extract
from voicelstm.sequences import Clip

__all__ = ["MOST_PER_TASK", "Extracted", "Team", "extract_or_say_why"]

# From so many recordings on, processes pay for their start; fewer are shared out to threads.
_MANY = 1000
MOST_PER_TASK = 16


class Extracted(NamedTuple):
    """Clip of each version of a recording, or the reason of its failure; warnings, which do not name it."""

    clips: Sequence[Clip] | None
    reason: str = ""
    remarks: Sequence[str] = ()


def extract_or_say_why(
    recording: Any, versions: Sequence[ExtractionSettings], *, folder: str | None = None
) -> Extracted:
    """Extract one recording's features; a recording that fails is an answer, too."""
    try:
        clips, remarks = extract(recording, versions, folder)
    except AudioError as error:
        return Extracted(None, str(error))
    return Extracted(clips, remarks=remarks)


class Team:
    """Workers that map functions over `n_recordings` in all, `at_once` of them with each call of `work`."""

    def __init__(self, n_jobs: int | None, n_recordings: int, at_once: int | None = None) -> None:
        self._n_jobs = n_jobs
        self._prefer = "threads" if n_recordings < _MANY else "processes"
        n_at_once = n_recordings if at_once is None else min(at_once, n_recordings)
        # Not joblib's own guess, which a folder's chunks would lead to one task per chunk.
        self._per_task = max(1, min(MOST_PER_TASK, n_at_once // (4 * effective_n_jobs(n_jobs))))

    def work(
        self, function: Callable[..., Any], recordings: Sequence[Any], *args: Any, prefer: str | None = None
    ) -> Generator[Any, None, None]:
        """Yield what a function makes of each recording in turn; one such map at a time.

        In another process it is called with `folder`, the caller's, from where relative paths start: a worker
        has the folder of its own start.
        """
        if not recordings:  # no workers are started for nothing
            return
        call = LocalCall(function.__name__)
        # Not scikit-learn's Parallel, whose threads change the process's warning filters under each other.
        parallel = Parallel(
            n_jobs=self._n_jobs,
            backend=_backend_that_reports_errors(),
            prefer=prefer or self._prefer,
            return_as="generator",
            batch_size=self._per_task,
            max_nbytes=None,
        )
        # In a tuple, since Dask leaves arrays among the arguments with one worker, and they die with it.
        calls = (delayed(call)(function, (each, *args)) for each in recordings)
        try:
            with closing(parallel(calls)) as results:
                yield from results
        except BaseException:
            call.stop()
            raise


def _backend_that_reports_errors() -> Any:
    """Return joblib's Dask backend as it should be, where that is the active one, else None.

    Where a future fails without its task having raised, as one does that has cost several workers their
    lives, joblib 1.6 keeps the error to itself and waits for ever.
    """
    backend = active_dask_backend()
    if backend is None:
        return None
    reporting = object.__new__(type(backend))  # it pickles, and so copies, as one with other parameters
    reporting.__dict__.update(vars(backend))
    submit = reporting.submit

    def submit_and_report(task: Any, callback: Any = None) -> Any:
        future = submit(task, callback)
        future.add_done_callback(lambda done: done.exception() and callback(done.exception()))
        return future

    reporting.submit = submit_and_report
    return reporting


class LocalCall:
    """Calls in this process's threads, which can be stopped; in another process it becomes a `RemoteCall`."""

    def __init__(self, name: str) -> None:
        self.__name__ = name.strip("_")  # what Dask calls the tasks
        self._changed = threading.Condition()
        self._n_running = 0
        self._stopped = False

    def __call__(self, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        with self._changed:
            if self._stopped:
                return None
            self._n_running += 1
        try:
            with stoppable(lambda: self._stopped):
                return function(*args)
        except StoppedError:
            return None
        finally:
            with self._changed:
                self._n_running -= 1
                self._changed.notify_all()

    def stop(self) -> None:
        """Begin nothing more, and wait until what has begun stops: the interpreter must not end under it."""
        with self._changed:
            self._stopped = True
            self._changed.wait_for(lambda: self._n_running == 0)

    def __reduce__(self) -> tuple[Any, ...]:
        return RemoteCall, (str(Path.cwd()), node(), os.getpid(), __version__)


class RemoteCall:
    """Calls in a worker process, whose folder is that of its start.

    On another machine the caller's folder may be missing. Relative paths then fail, each with its own error.
    """

    def __init__(self, folder: str, machine: str, process: int, version: str) -> None:
        self._folder, self._machine, self._process, self._version = folder, machine, process, version

    def __call__(self, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        if self._version != __version__:
            raise RuntimeError(
                f"voicelstm is {__version__} on the worker {node()}, and {self._version} on {self._machine},"
                " which asks it: install the same version on both."
            )
        if (self._machine, self._process) == (node(), os.getpid()):  # Dask's threads are given copies, too
            return function(*args)
        result = function(*args, folder=self._folder)
        if isinstance(result, Extracted) and result.clips is None and self._machine != node():
            return result._replace(reason=f"{result.reason} (On the worker {node()}.)")
        return result
