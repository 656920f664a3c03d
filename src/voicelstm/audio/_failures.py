"""Messages about recordings that failed or are odd."""

import warnings
from collections.abc import Iterable, Sequence

from voicelstm.exceptions import AudioError, AudioWarning

__all__ = ["MOST_LISTED", "list_failures", "report_failures", "report_remarks", "say_how_many_failed"]

MOST_LISTED = 20


def list_failures(failures: Sequence[tuple[int, str]]) -> str:
    """Write position and reason of each failure on a line of its own, of the first ones at least."""
    lines = [f"  [{position}] {reason}" for position, reason in failures[:MOST_LISTED]]
    if len(failures) > MOST_LISTED:
        lines.append(f"  and {len(failures) - MOST_LISTED} more")
    return "\n".join(lines)


def say_how_many_failed(n_failures: int, n_recordings: int, what: str = "recording") -> str:
    """Begin a sentence about recordings, or `what` else there is one of, that failed."""
    if n_recordings == 1:
        return f"The {what} failed"
    return f"{n_failures} of {n_recordings} {what}s failed"


def report_failures(failures: list[tuple[int, str]], n_recordings: int, on_error: str) -> None:
    """Raise, or warn the caller's caller, of all recordings that failed, by position and reason."""
    if not failures:
        return
    text = list_failures(failures)
    failed = say_how_many_failed(len(failures), n_recordings)
    alone = len(failures) == 1
    if on_error == "raise":
        them, sequences = ("it", "an empty sequence") if alone else ("them", "empty sequences")
        raise AudioError(
            f"{failed} (position in X, reason):\n{text}\n"
            f'Leave {them} out, or set on_error="warn" to get {sequences} for {them}.',
            failures,
        )
    message = f"{failed} and {'is an empty sequence' if alone else 'are empty sequences'}:\n{text}"
    warnings.warn(AudioWarning(message, failures), stacklevel=4)


def report_remarks(remarks: Iterable[str]) -> None:
    """Warn the caller's caller of what was found in recordings that were read all the same."""
    for remark in remarks:
        warnings.warn(remark, AudioWarning, stacklevel=4)
