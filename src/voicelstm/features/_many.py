"""Features of many recordings side by side, in memory or into a folder."""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from pickle import PicklingError
from typing import Any

import numpy as np
from joblib import effective_n_jobs
from joblib import hash as hash_of_array

from voicelstm.audio import name_of
from voicelstm.features._extraction import ExtractionSettings, digest_of_file
from voicelstm.features._workers import _MOST_PER_TASK, _extract_or_say_why, _Team
from voicelstm.sequences import Clip, SequenceWriter

__all__ = ["extract_all", "extract_into"]

_log = logging.getLogger(__name__)

_AT_ONCE = 256  # recordings between two looks into a folder
_BYTES_AT_ONCE = 2**25


def extract_all(
    recordings: Sequence[Any], settings: ExtractionSettings, n_jobs: int | None, verbose: int
) -> tuple[list[Clip], list[tuple[int, str]]]:
    """Extract the features of recordings side by side.

    Parameters
    ----------
    recordings : sequence of recordings
        As :func:`voicelstm.features._extraction.extract` takes them.
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
