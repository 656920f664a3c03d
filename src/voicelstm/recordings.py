"""Many recordings: what a batch of them is, their features side by side, and a cache."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Memory, Parallel, delayed
from joblib import hash as hash_of_array

from voicelstm import __version__
from voicelstm.exceptions import AudioError
from voicelstm.extraction import Clip, ExtractionSettings, extract

__all__ = ["extract_all", "is_batch_of_signals"]


def is_batch_of_signals(X: Any) -> bool:
    """Tell whether X is a 2-D numeric array, a data frame, a sparse matrix or nested lists of numbers."""
    if hasattr(X, "toarray"):
        return True  # sparse: refused by scikit-learn's own check, with its text
    if isinstance(X, np.ndarray) or hasattr(X, "iloc") or hasattr(X, "__array__"):
        values = np.asarray(X)
        if values.dtype.kind == "O" and values.ndim == 2 and len(values) and any(map(np.ndim, values[0])):
            return False  # rows of samples and rates
        return values.dtype.kind not in "OUS" or (values.ndim == 2 and values.shape[1] != 1)
    if not isinstance(X, list) or not X or not all(isinstance(row, list) and row for row in X):
        return False
    # Both ends, so that [sample_rate, samples] is not taken for numbers.
    return isinstance(X[0][0], Real) and isinstance(X[0][-1], Real)


def extract_all(
    recordings: Sequence[Any],
    settings: ExtractionSettings,
    cache_dir: str | os.PathLike[str] | None,
    n_jobs: int | None,
    verbose: int,
) -> Iterator[Clip | str]:
    """Extract the features of recordings side by side.

    Parameters
    ----------
    recordings : sequence of recordings
        As :func:`voicelstm.extraction.extract` takes them.
    settings : ExtractionSettings
        The parameters.
    cache_dir : str, os.PathLike or None
        Folder in which features are kept.
    n_jobs : int or None
        Threads.
    verbose : int
        Whether a progress bar is shown on standard error.

    Yields
    ------
    Clip or str
        Of each recording in turn the features, or the reason why there are none.
    """
    work = delayed(_extract_or_say_why)
    # Threads: decoding, Fourier transforms and matrix products all leave the interpreter's lock. Not
    # scikit-learn's Parallel, whose threads change the process's warning filters under each other.
    parallel = Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")
    results = parallel(work(recording, settings, cache_dir) for recording in recordings)
    return _with_progress(results, len(recordings), verbose)


def _extract_or_say_why(
    recording: Any, settings: ExtractionSettings, cache_dir: str | os.PathLike[str] | None
) -> Clip | str:
    try:
        digest = None if cache_dir is None else _digest(recording)
        if digest is None:
            return extract(recording, settings)
        remembered = Memory(cache_dir, verbose=0).cache(_extract_known, ignore=["recording"])
        return remembered(recording, digest, settings, __version__)
    except AudioError as error:
        return str(error)


def _extract_known(recording: Any, digest: str, settings: ExtractionSettings, version: str) -> Clip:
    """Extract; the digest and the version are what the cache knows a recording and its features by."""
    del digest, version
    return extract(recording, settings)


def _digest(recording: Any) -> str | None:
    """Hash of a recording's content; None where there is none to read, of which extraction says why."""
    if not isinstance(recording, str | os.PathLike):
        return hash_of_array(recording, hash_name="sha1")
    try:
        if not Path(recording).is_file():  # a pipe would be waited for
            return None
        with Path(recording).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _with_progress(results: Iterable[Any], total: int, verbose: int) -> Iterator[Any]:
    if not verbose:
        yield from results
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("Reading recordings"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield from progress.track(results, total=total)
