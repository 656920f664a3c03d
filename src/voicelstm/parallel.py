"""Features of many recordings side by side, in memory or into a folder."""

import hashlib
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from joblib import hash as hash_of_array

from voicelstm.exceptions import AudioError
from voicelstm.extraction import Clip, ExtractionSettings, extract
from voicelstm.store import SequenceWriter

__all__ = ["extract_all", "extract_into"]

# From so many recordings on, processes pay for their start; fewer are shared out to threads.
_MANY = 1000
_AT_ONCE = 256  # recordings between two looks into a folder
_BYTES_AT_ONCE = 2**25


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
            # Where there is no digest nothing can be read, of which extraction says why.
            found = list(work(_digest, chunk))
            known = writer.find([digest for digest in found if digest is not None])
            seen: set[str | None] = set(known)
            missing = []
            for position, digest in enumerate(found):
                if digest is None or digest not in seen:
                    missing.append(position)
                    seen.add(digest)
            advance(len(chunk) - len(missing))
            kept: list[tuple[str, Clip]] = []
            failed = set()
            results = work(_extract_or_say_why, [chunk[position] for position in missing], settings)
            for position, result in zip(missing, results, strict=True):
                advance(1)
                digest = found[position]
                if isinstance(result, str) or digest is None:
                    failed.add(digest)
                    failures.append((first + position, str(result)))
                    continue
                kept.append((digest, result))
                if sum(clip.features.nbytes for _, clip in kept) > _BYTES_AT_ONCE:
                    writer.append(kept)
                    kept = []
            writer.append(kept)
            for position in set(range(len(chunk))).difference(missing):
                if found[position] in failed:  # equal to one that failed, but of another name
                    failures.append((first + position, str(_extract_or_say_why(chunk[position], settings))))
            digests += [None if digest in failed else digest for digest in found]
    return digests, sorted(failures)


def _extract_or_say_why(recording: Any, settings: ExtractionSettings) -> Clip | str:
    try:
        return extract(recording, settings)
    except AudioError as error:
        return str(error)


def _digest(recording: Any) -> str | None:
    """Hash of a recording's content; None where there is none to read."""
    if not isinstance(recording, str | os.PathLike):
        return hash_of_array(recording, hash_name="sha1")
    try:
        if not Path(recording).is_file():  # a pipe would be waited for
            return None
        with Path(recording).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


@contextmanager
def _workers(n_recordings: int, n_jobs: int | None) -> Iterator[Callable[..., Iterator[Any]]]:
    """Give a map over recordings, in their order, that `n_jobs` workers do."""
    # Not scikit-learn's Parallel, whose threads change the process's warning filters under each other.
    prefer = "threads" if n_recordings < _MANY else "processes"
    with Parallel(n_jobs=n_jobs, prefer=prefer, return_as="generator", max_nbytes=None) as parallel:

        def work(function: Callable[..., Any], recordings: Sequence[Any], *args: Any) -> Iterator[Any]:
            home = os.getpid()
            for result, warned in parallel(delayed(_at)(home, function, r, *args) for r in recordings):
                for message in warned:
                    warnings.warn(message, stacklevel=2)
                yield result

        yield work


def _at(home: int, function: Callable[..., Any], *args: Any) -> tuple[Any, list[Warning]]:
    """Call a function; warnings given in another process come back with what it returns."""
    if os.getpid() == home:
        return function(*args), []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        return function(*args), [
            warning.message for warning in caught if isinstance(warning.message, Warning)
        ]


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
