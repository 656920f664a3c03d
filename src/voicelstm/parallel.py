"""Features of many recordings side by side, in memory or into a folder."""

import logging
import os
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from pickle import PicklingError
from typing import Any

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from joblib import hash as hash_of_array

from voicelstm.exceptions import AudioError
from voicelstm.extraction import Clip, ExtractionSettings, digest_of_file, extract
from voicelstm.store_writer import SequenceWriter

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
    with _workers(len(recordings), n_jobs) as work, _progress(len(recordings), verbose) as advance:
        for position, result in enumerate(work(_extract_or_say_why, recordings, settings)):
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
    with _workers(len(recordings), n_jobs) as work, _progress(len(recordings), verbose) as advance:
        for first in range(0, len(recordings), _AT_ONCE):
            chunk = recordings[first : first + _AT_ONCE]
            found = Parallel(n_jobs=n_jobs, prefer="threads")(delayed(_digest)(each) for each in chunk)
            known = writer.find([digest for digest in found if digest is not None])
            missing: dict[str, int] = {}  # of equal recordings the first
            for position, digest in enumerate(found):
                if digest is not None and digest not in known:
                    missing.setdefault(digest, position)
            advance(len(chunk) - len(missing))
            n_begun = first + len(chunk)
            _log.debug("%d of %d recordings, of the last %d new", n_begun, len(recordings), len(missing))
            kept: list[tuple[str, Clip]] = []
            results = work(_extract_or_say_why, [chunk[position] for position in missing.values()], settings)
            failed = set()
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
            for position, digest in enumerate(found):
                if digest is None or digest in failed:  # each of equal ones has a name of its own
                    reason = _extract_or_say_why(chunk[position], settings)
                    changed = f"{chunk[position]}: changed while it was read; call again."
                    failures.append((first + position, reason if isinstance(reason, str) else changed))
                    digest = None
                digests.append(digest)
    return digests, failures


def _extract_or_say_why(recording: Any, settings: ExtractionSettings) -> Clip | str:
    try:
        return extract(recording, settings)
    except AudioError as error:
        return str(error)


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


@contextmanager
def _workers(n_recordings: int, n_jobs: int | None) -> Iterator[Callable[..., Iterator[Any]]]:
    """Give a map over recordings, in their order, that `n_jobs` workers do."""
    prefer = "threads" if n_recordings < _MANY else "processes"
    # Not joblib's own guess, which a folder's chunks would lead to one task per chunk.
    at_once = max(1, min(_MOST_PER_TASK, n_recordings // (4 * effective_n_jobs(n_jobs))))
    here = _Here()
    # Not scikit-learn's Parallel, whose threads change the process's warning filters under each other.
    with Parallel(
        n_jobs=n_jobs, prefer=prefer, return_as="generator", batch_size=at_once, max_nbytes=None
    ) as parallel:

        def work(function: Callable[..., Any], recordings: Sequence[Any], *args: Any) -> Iterator[Any]:
            for result, warned in parallel(delayed(here)(function, r, *args) for r in recordings):
                for message in warned:
                    warnings.warn(message, stacklevel=2)
                yield result

        try:
            yield work
        except BaseException:
            here.stop()
            raise


class _Here:
    """Calls in this process's threads, which can be stopped; in another process it becomes a `_There`."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._n_running = 0
        self._stopped = False

    def __call__(self, function: Callable[..., Any], *args: Any) -> tuple[Any, list[Warning]]:
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
        return _There, (str(Path.cwd()),)


class _There:
    """Calls in a worker process, whose folder is that of its start, and whose warnings nobody sees.

    On another machine the caller's folder may be missing. Relative paths then fail, each with its own error.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def __call__(self, function: Callable[..., Any], *args: Any) -> tuple[Any, list[Warning]]:
        with suppress(OSError):
            os.chdir(self._folder)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            result = function(*args)
        return result, [each.message for each in caught if isinstance(each.message, Warning)]


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
