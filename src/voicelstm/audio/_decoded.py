"""What a decoder made of a file, and how its length compares with what was announced."""

from typing import NamedTuple

from voicelstm.audio._samples import Samples
from voicelstm.exceptions import AudioError

__all__ = ["Decoded", "UndecodableError", "check_duration", "length_remark"]


class Decoded(NamedTuple):
    """Samples, mixed, and their rate; what was announced, in s; whether that was all; what to warn of."""

    samples: Samples
    sample_rate: int
    announced: float | None
    is_whole: bool
    remarks: list[str]
    tolerance: float = 0.01  # in s, within which lengths are the same
    unread: int = 0  # bytes behind what was read
    cause: str | None = None  # why they are not read
    cut_by: str | None = None  # how it shows that the file's end is missing

    @property
    def duration(self) -> float:
        """In s."""
        return len(self.samples) / self.sample_rate


class UndecodableError(Exception):
    """A decoder refuses a file; the text is its reason."""


def check_duration(name: object, n_samples: int, rate: int, max_duration: float | None) -> None:
    """Refuse what is longer than `max_duration`, in s."""
    if max_duration is not None and n_samples > max_duration * rate:
        raise AudioError(
            f"{name}: found {n_samples / rate:.1f} s, more than max_duration={max_duration} s;"
            " cut it, or raise max_duration."
        )


def length_remark(announced: float | None, read: float, tolerance: float) -> str | None:
    """Say that a recording is shorter or longer than was announced, with both numbers, in s; None if not."""
    if announced is None or abs(announced - read) <= tolerance:
        return None
    digits = next((digits for digits in (1, 2) if f"{announced:.{digits}f}" != f"{read:.{digits}f}"), 3)
    was_read, was_announced = f"{read:.{digits}f}", f"{announced:.{digits}f}"
    if read < announced:
        return f"cut off: {was_read} of {was_announced} s (the header announces more than there is)"
    return f"longer: {was_read}, not {was_announced} s (all was read; what is announced is less)"
