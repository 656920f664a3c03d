"""Features of many recordings side by side, in memory or into a folder."""

import logging
import os
import threading
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from pickle import PicklingError
from platform import node
from typing import Any

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from joblib import hash as hash_of_array

from voicelstm import __version__
from voicelstm._compat import active_dask_backend
from voicelstm.audio import name_of
from voicelstm.clip import Clip
from voicelstm.exceptions import AudioError
from voicelstm.extraction import ExtractionSettings, digest_of_file, extract
from voicelstm.store_writer import SequenceWriter
from voicelstm.thread_warnings import warnings_of_this_thread

__all__ = ["extract_all", "extract_into"]

_log = logging.getLogger(__name__)

# From so many recordings on, processes pay for their start; fewer are shared out to threads.
_MANY = 1000
_AT_ONCE = 256  # recordings between two looks into a folder
_BYTES_AT_ONCE = 2**25
_MOST_PER_TASK = 16


def extract_all(
    recordings: Sequence[Any], settings: ExtractionSettings, n_jobs: int | None, verbose: int
) -> tuple[list[Clip], list[tuple[int, str]]]:
    """Extract the features of recordings side by side.

    Parameters
    ----------
    recordings : sequence of recordings
        As :func:`voicelstm.extraction.extract` takes them.
    settings : ExtractionSettings
        The parameters.
    n_jobs : int or None
        Workers.
    verbose : int
        Whether a progress bar is shown on standard error.

    Returns
    -------
    clips : list of Clip
        Of each recording in turn; without frames for those that failed.
    failures : list of (int, str)
        Position and reason of those.
    """
    nothing = np.zeros((0, settings.n_features), dtype=settings.cepstra.dtype)
    clips, failures = [], []
    team = _Team(n_jobs, len(recordings))
    with (
        _progress(len(recordings), verbose) as advance,
        closing(team.work(_extract_or_say_why, recordings, settings)) as results,
    ):
        for position, result in enumerate(results):
            advance(1)
            if isinstance(result, str):
                failures.append((position, result))
                result = Clip(nothing, 0.0, 0.0, 0.0, 0.0)
            clips.append(result)
    return clips, failures


def extract_into(
    writer: SequenceWriter,
    recordings: Sequence[Any],
    settings: ExtractionSettings,
    n_jobs: int | None,
    verbose: int,
) -> tuple[list[str | None], list[tuple[int, str]]]:
    """Extract the features of recordings into a folder, but for those that it holds already.

    Parameters
    ----------
    writer : SequenceWriter
        Of the folder.
    recordings, settings, n_jobs, verbose
        As `extract_all` takes them.

    Returns
    -------
    digests : list of str or None
        Under which the folder holds each recording's features; None for those that failed.
    failures : list of (int, str)
        Position and reason of those.
    """
    digests: list[str | None] = []
    failures = []
    at_once = max(_AT_ONCE, _MOST_PER_TASK * effective_n_jobs(n_jobs))
    team = _Team(n_jobs, len(recordings), at_once)
    with _progress(len(recordings), verbose) as advance:
        for first in range(0, len(recordings), at_once):
            chunk = recordings[first : first + at_once]
            found = list(team.work(_digest, chunk, prefer="threads"))
            known = writer.find([digest for digest in found if digest is not None])
            missing: dict[str, int] = {}  # of equal recordings the first
            for position, digest in enumerate(found):
                if digest is not None and digest not in known:
                    missing.setdefault(digest, position)
            advance(len(chunk) - len(missing))
            n_begun = first + len(chunk)
            _log.debug("%d of %d recordings, of the last %d new", n_begun, len(recordings), len(missing))
            kept: list[tuple[str, Clip]] = []
            new = [chunk[position] for position in missing.values()]
            failed = set()
            with closing(team.work(_extract_or_say_why, new, settings)) as results:
                for digest, result in zip(missing, results, strict=True):
                    advance(1)
                    if isinstance(result, str):
                        failed.add(digest)
                        continue
                    kept.append((digest, result))
                    if sum(clip.features.nbytes for _, clip in kept) > _BYTES_AT_ONCE:
                        writer.append(kept)
                        kept = []
            writer.append(kept)
            # Asked again, each of equal ones has a name of its own.
            without = [at for at, digest in enumerate(found) if digest is None or digest in failed]
            unread = [chunk[at] for at in without]
            with closing(team.work(_extract_or_say_why, unread, settings)) as reasons:
                for at, reason in zip(without, reasons, strict=True):
                    if not isinstance(reason, str):
                        name = name_of(chunk[at])
                        reason = (
                            f"{name}: changed while it was read, or not all workers can read it; call again."
                        )
                    failures.append((first + at, reason))
                    found[at] = None
            digests.extend(found)
    return digests, failures


class _Reason(str):
    """Why a recording failed."""


def _extract_or_say_why(recording: Any, settings: ExtractionSettings) -> Clip | _Reason:
    try:
        return extract(recording, settings)
    except AudioError as error:
        return _Reason(error)


def _digest(recording: Any) -> str | None:
    """Hash of a recording's content; None where there is none to read, of which extraction says why."""
    try:
        if not isinstance(recording, str | os.PathLike):
            return hash_of_array(recording, hash_name="sha1")
        if not Path(recording).is_file():  # a pipe would be waited for
            return None
        return digest_of_file(recording)
    except (OSError, PicklingError, TypeError):
        return None


class _Team:
    """Workers that map functions over recordings.

    Parameters
    ----------
    n_jobs : int or None
        Workers.
    n_recordings : int
        How many there are in all.
    at_once : int or None, default=None
        How many of them a call of `work` has; None is all.
    """

    def __init__(self, n_jobs: int | None, n_recordings: int, at_once: int | None = None) -> None:
        self._n_jobs = n_jobs
        self._prefer = "threads" if n_recordings < _MANY else "processes"
        n_at_once = n_recordings if at_once is None else min(at_once, n_recordings)
        # Not joblib's own guess, which a folder's chunks would lead to one task per chunk.
        self._per_task = max(1, min(_MOST_PER_TASK, n_at_once // (4 * effective_n_jobs(n_jobs))))

    def work(
        self, function: Callable[..., Any], recordings: Sequence[Any], *args: Any, prefer: str | None = None
    ) -> Generator[Any, None, None]:
        """Yield what a function makes of each recording in turn; one such map at a time."""
        if not recordings:  # no workers are started for nothing
            return
        here = _Here(function.__name__)
        # Not scikit-learn's Parallel, whose threads change the process's warning filters under each other.
        parallel = Parallel(
            n_jobs=self._n_jobs,
            backend=_telling_backend(),
            prefer=prefer or self._prefer,
            return_as="generator",
            batch_size=self._per_task,
            max_nbytes=None,
        )
        # In a tuple, since Dask leaves arrays among the arguments with one worker, and they die with it.
        calls = (delayed(here)(function, (each, *args)) for each in recordings)
        try:
            with closing(parallel(calls)) as results:
                for result, warned in results:
                    for message in warned:
                        warnings.warn(message, stacklevel=2)
                    yield result
        except BaseException:
            here.stop()
            raise


def _telling_backend() -> Any:
    """Return joblib's Dask backend as it should be, where that is the active one, else None.

    Where a future fails without its task having raised, as one does that has cost several workers their
    lives, joblib 1.6 keeps the error to itself and waits for ever.
    """
    backend = active_dask_backend()
    if backend is None:
        return None
    telling = object.__new__(type(backend))  # it pickles, and so copies, as one with other parameters
    telling.__dict__.update(vars(backend))
    submit = telling.submit

    def submit_and_tell(task: Any, callback: Any = None) -> Any:
        future = submit(task, callback)
        future.add_done_callback(lambda done: done.exception() and callback(done.exception()))
        return future

    telling.submit = submit_and_tell
    return telling


class _Here:
    """Calls in this process's threads, which can be stopped; in another process it becomes a `_There`."""

    def __init__(self, name: str) -> None:
        self.__name__ = name.strip("_")  # what Dask calls the tasks
        self._changed = threading.Condition()
        self._n_running = 0
        self._stopped = False

    def __call__(self, function: Callable[..., Any], args: tuple[Any, ...]) -> tuple[Any, list[Warning]]:
        with self._changed:
            if self._stopped:
                return None, []
            self._n_running += 1
        try:
            return function(*args), []
        finally:
            with self._changed:
                self._n_running -= 1
                self._changed.notify_all()

    def stop(self) -> None:
        """Begin nothing more, and wait for what has begun: the interpreter must not end under a thread."""
        with self._changed:
            self._stopped = True
            self._changed.wait_for(lambda: self._n_running == 0)

    def __reduce__(self) -> tuple[Any, ...]:
        return _There, (str(Path.cwd()), node(), os.getpid(), __version__)


class _There:
    """Calls in a worker process, whose folder is that of its start, and whose warnings nobody sees.

    On another machine the caller's folder may be missing. Relative paths then fail, each with its own error.
    """

    def __init__(self, folder: str, machine: str, process: int, version: str) -> None:
        self._folder, self._machine, self._process, self._version = folder, machine, process, version

    def __call__(self, function: Callable[..., Any], args: tuple[Any, ...]) -> tuple[Any, list[Warning]]:
        if self._version != __version__:
            raise RuntimeError(
                f"voicelstm is {__version__} on the worker {node()}, and {self._version} on {self._machine},"
                " which asks it: install the same version on both."
            )
        if (self._machine, self._process) == (node(), os.getpid()):  # Dask's threads are given copies, too
            return function(*args), []
        with suppress(OSError):
            os.chdir(self._folder)
        with warnings_of_this_thread() as caught:
            result = function(*args)
        if isinstance(result, _Reason) and self._machine != node():
            result = _Reason(f"{result} (On the worker {node()}.)")
        return result, caught


@contextmanager
def _progress(total: int, verbose: int) -> Iterator[Callable[[int], None]]:
    if not verbose:
        yield lambda n: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text("" if speed is None else f"{speed:,.0f}/s")

    columns = (
        TextColumn("Reading recordings"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=total)
        yield lambda n: progress.advance(task, n)
