"""Features of many recordings side by side, in memory or into a folder."""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from pickle import PicklingError
from platform import node
from typing import Any, NamedTuple

import numpy as np
from joblib import effective_n_jobs
from joblib import hash as hash_of_array

from voicelstm.audio import name_of
from voicelstm.features._extraction import ExtractionSettings, digest_of_file, library_versions
from voicelstm.features._workers import MOST_PER_TASK, Extracted, Team, extract_or_say_why
from voicelstm.sequences import Clip, SequenceWriter

__all__ = ["extract_all", "extract_into", "named_remarks"]

_log = logging.getLogger(__name__)

_AT_ONCE = 256  # recordings between two looks into a folder
_BYTES_AT_ONCE = 2**25


def extract_all(
    recordings: Sequence[Any], versions: Sequence[ExtractionSettings], n_jobs: int | None, verbose: int
) -> tuple[list[list[Clip]], list[tuple[int, str]], list[Sequence[str]]]:
    """Extract the features of recordings side by side.

    Returned are, for each version, a clip of each recording, without frames if it failed; position and reason
    of failures; remarks on each recording, which do not name it.
    """
    nothing = np.zeros((0, versions[0].n_features), dtype=versions[0].cepstra.dtype)
    clips: list[list[Clip]] = [[] for _ in versions]
    failures = []
    remarks: list[Sequence[str]] = []
    team = Team(n_jobs, len(recordings))
    with (
        _progress(len(recordings), verbose) as advance,
        closing(team.work(extract_or_say_why, recordings, versions)) as results,
    ):
        for position, (found, reason, remarks_of_recording) in enumerate(results):
            advance(1)
            if found is None:
                failures.append((position, reason))
                found = [Clip(nothing, 0.0, 0.0, 0.0, 0.0)] * len(versions)
            for of_version, clip in zip(clips, found, strict=True):
                of_version.append(clip)
            remarks.append(remarks_of_recording)
    return clips, failures, remarks


def named_remarks(recordings: Sequence[Any], remarks: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the remarks on recordings, each with the name of its own."""
    for recording, of_recording in zip(recordings, remarks, strict=True):
        for remark in of_recording:
            yield f"{name_of(recording)}: {remark}"


def extract_into(
    writers: Sequence[SequenceWriter],
    recordings: Sequence[Any],
    versions: Sequence[ExtractionSettings],
    n_jobs: int | None,
    verbose: int,
) -> tuple[list[str | None], list[tuple[int, str]], list[str]]:
    """Extract the features of recordings into a folder for each version, but for those that it holds already.

    Returned are the digest of each, under which the folders hold its features, or None if it failed; position
    and reason of failures; remarks on the first version.
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
            asked = [digest for digest in found if digest is not None]
            known = [writer.find(asked) for writer in writers]
            missing: dict[str, _Missing] = {}  # of equal recordings the first
            for recording, digest in zip(chunk, found, strict=True):
                if digest is not None and digest not in missing:
                    lacking = [at for at, held in enumerate(known) if digest not in held]
                    if lacking:
                        missing[digest] = _Missing(recording, digest, lacking)
            advance(len(chunk) - len(missing))
            n_begun = first + len(chunk)
            _log.debug("%d of %d recordings, of the last %d new", n_begun, len(recordings), len(missing))
            new = list(missing.values())
            failed = set()
            kept = _Kept(writers)
            with closing(team.work(_extract_what_was_hashed, new, versions, library_versions())) as results:
                for each, (clips, _, remarks_of_recording) in zip(new, results, strict=True):
                    advance(1)
                    if clips is None:
                        failed.add(each.digest)
                        continue
                    for at, clip in zip(each.versions, clips, strict=True):
                        kept.add(at, each.digest, clip, remarks_of_recording)
            kept.write()
            # Asked again, each of equal ones has a name of its own.
            without = [at for at, digest in enumerate(found) if digest is None or digest in failed]
            unread = [chunk[at] for at in without]
            with closing(team.work(extract_or_say_why, unread, versions)) as answers:
                for at, (clips, reason, _) in zip(without, answers, strict=True):
                    if clips is not None:
                        name = name_of(chunk[at])
                        reason = (
                            f"{name}: changed while it was read, or not all workers can read it; call again."
                        )
                    failures.append((first + at, reason))
                    found[at] = None
            digests.extend(found)
            remarks.extend(named_remarks(chunk, writers[0].remarks(found)))
    return digests, failures, remarks


class _Missing(NamedTuple):
    """A recording with its digest, and the versions of it that their folders lack."""

    recording: Any
    digest: str
    versions: list[int]


class _Kept:
    """Clips that are written into the folders of their versions a good deal at a time."""

    def __init__(self, writers: Sequence[SequenceWriter]) -> None:
        self._writers = writers
        self._clips: list[list[tuple[str, Clip, Sequence[str]]]] = [[] for _ in writers]
        self._n_bytes = 0

    def add(self, version: int, digest: str, clip: Clip, remarks: Sequence[str]) -> None:
        """Keep a clip, and write if it has become much."""
        self._clips[version].append((digest, clip, remarks))
        self._n_bytes += clip.features.nbytes
        if self._n_bytes > _BYTES_AT_ONCE:
            self.write()

    def write(self) -> None:
        """Write what is kept."""
        for writer, clips in zip(self._writers, self._clips, strict=True):
            writer.append(clips)
            clips.clear()
        self._n_bytes = 0


def _extract_what_was_hashed(
    missing: _Missing,
    versions: Sequence[ExtractionSettings],
    libraries: dict[str, str],
    *,
    folder: str | None = None,
) -> Extracted:
    """Extract the features that folders of these libraries lack, if the content is that of the digest."""
    _check_libraries(libraries)
    recording, digest, lacking = missing
    found = extract_or_say_why(recording, [versions[at] for at in lacking], folder=folder)
    # Looked at again afterwards: some decoders take nothing but a path, so that what they read has no digest.
    if found.clips is not None and _digest(recording, folder=folder) != digest:
        return Extracted(None, f"{name_of(recording)}: changed while it was read.")
    return found


def _check_libraries(libraries: dict[str, str]) -> None:
    """Refuse to compute what would stand in a folder under another machine's versions."""
    differing = [
        f"{name} ({own} here, {libraries.get(name)} there)"
        for name, own in library_versions().items()
        if own != libraries.get(name)
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
