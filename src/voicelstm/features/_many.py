"""Features of many recordings side by side, in memory or into a folder."""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from pickle import PicklingError
from platform import node
from typing import Any

import numpy as np
from joblib import effective_n_jobs
from joblib import hash as hash_of_array

from voicelstm.audio import name_of
from voicelstm.features._extraction import ExtractionSettings, digest_of_file, library_versions
from voicelstm.features._workers import MOST_PER_TASK, Extracted, Team, extract_or_say_why
from voicelstm.sequences import Clip, SequenceWriter

__all__ = ["extract_all", "extract_into"]

_log = logging.getLogger(__name__)

_AT_ONCE = 256  # recordings between two looks into a folder
_BYTES_AT_ONCE = 2**25


def extract_all(
    recordings: Sequence[Any], settings: ExtractionSettings, n_jobs: int | None, verbose: int
) -> tuple[list[Clip], list[tuple[int, str]], list[str]]:
    """Extract the features of recordings side by side.

    Returned are a clip for each, without frames if it failed; position and reason of failures; remarks.
    """
    nothing = np.zeros((0, settings.n_features), dtype=settings.cepstra.dtype)
    clips, failures = [], []
    remarks: list[str] = []
    team = Team(n_jobs, len(recordings))
    with (
        _progress(len(recordings), verbose) as advance,
        closing(team.work(extract_or_say_why, recordings, settings)) as results,
    ):
        for position, (clip, reason, remarks_of_clip) in enumerate(results):
            advance(1)
            if clip is None:
                failures.append((position, reason))
                clip = Clip(nothing, 0.0, 0.0, 0.0, 0.0)
            clips.append(clip)
            remarks.extend(_named(recordings[position], remarks_of_clip))
    return clips, failures, remarks


def extract_into(
    writer: SequenceWriter,
    recordings: Sequence[Any],
    settings: ExtractionSettings,
    n_jobs: int | None,
    verbose: int,
) -> tuple[list[str | None], list[tuple[int, str]], list[str]]:
    """Extract the features of recordings into a folder, but for those that it holds already.

    Returned are the digest of each, under which the folder holds its features, or None if it failed; position
    and reason of failures; remarks.
    """
    digests: list[str | None] = []
    failures: list[tuple[int, str]] = []
    remarks: list[str] = []
    at_once = max(_AT_ONCE, MOST_PER_TASK * effective_n_jobs(n_jobs))
    team = Team(n_jobs, len(recordings), at_once)
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
            kept: list[tuple[str, Clip, Sequence[str]]] = []
            new = [(chunk[position], digest) for digest, position in missing.items()]
            failed = set()
            with closing(team.work(_extract_what_was_hashed, new, settings, library_versions())) as results:
                for digest, (clip, _, remarks_of_clip) in zip(missing, results, strict=True):
                    advance(1)
                    if clip is None:
                        failed.add(digest)
                        continue
                    kept.append((digest, clip, remarks_of_clip))
                    if sum(clip.features.nbytes for _, clip, _ in kept) > _BYTES_AT_ONCE:
                        writer.append(kept)
                        kept = []
            writer.append(kept)
            # Asked again, each of equal ones has a name of its own.
            without = [at for at, digest in enumerate(found) if digest is None or digest in failed]
            unread = [chunk[at] for at in without]
            with closing(team.work(extract_or_say_why, unread, settings)) as answers:
                for at, (clip, reason, _) in zip(without, answers, strict=True):
                    if clip is not None:
                        name = name_of(chunk[at])
                        reason = (
                            f"{name}: changed while it was read, or not all workers can read it; call again."
                        )
                    failures.append((first + at, reason))
                    found[at] = None
            digests.extend(found)
            for recording, of_clip in zip(chunk, writer.remarks(found), strict=True):
                remarks.extend(_named(recording, of_clip))
    return digests, failures, remarks


def _named(recording: Any, remarks: Sequence[str]) -> Iterator[str]:
    return (f"{name_of(recording)}: {remark}" for remark in remarks)


def _extract_what_was_hashed(
    hashed: tuple[Any, str],
    settings: ExtractionSettings,
    versions: dict[str, str],
    *,
    folder: str | None = None,
) -> Extracted:
    """Extract a recording's features for a folder of these versions, if its content is that of the digest."""
    _check_versions(versions)
    recording, digest = hashed
    found = extract_or_say_why(recording, settings, folder=folder)
    # Looked at again afterwards: some decoders take nothing but a path, so that what they read has no digest.
    if found.clip is not None and _digest(recording, folder=folder) != digest:
        return Extracted(None, f"{name_of(recording)}: changed while it was read.")
    return found


def _check_versions(versions: dict[str, str]) -> None:
    """Refuse to compute what would stand in a folder under another machine's versions."""
    differing = [
        f"{name} ({own} here, {versions.get(name)} there)"
        for name, own in library_versions().items()
        if own != versions.get(name)
    ]
    if differing:
        raise RuntimeError(
            f"The worker {node()} has other versions than the process that asks it, and features of both do"
            f" not belong in one folder: {', '.join(differing)}. Install the same on both."
        )


def _digest(recording: Any, *, folder: str | None = None) -> str | None:
    """Hash of a recording's content; None where there is none to read, of which extraction says why."""
    try:
        if not isinstance(recording, str | os.PathLike):
            return hash_of_array(recording, hash_name="sha1")
        path = Path(folder or "", recording)
        return digest_of_file(path) if path.is_file() else None  # a pipe would be waited for
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
