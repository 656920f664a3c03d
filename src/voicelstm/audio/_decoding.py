"""From a file to its samples: which decoder reads it, and whether it reads all of it."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from voicelstm.audio._channels import ChannelMixer
from voicelstm.audio._container_sizes import announced_end
from voicelstm.audio._decoded import Decoded, UndecodableError, length_remark
from voicelstm.audio._file_ends import lacks_end_mark
from voicelstm.audio._file_types import FETCH_AGAIN, HEAD, FileKind, recognise
from voicelstm.audio._next_file import begins_file
from voicelstm.audio._with_audioread import read_with_audioread
from voicelstm.audio._with_ffmpeg import read_with_ffmpeg
from voicelstm.audio._with_soundfile import read_with_soundfile
from voicelstm.exceptions import AudioError

__all__ = ["decode_file"]

_CONVERT = "convert it to WAV or FLAC, for example with 'ffmpeg -i IN OUT.wav'"


def decode_file(
    name: str, path: Path, file: BinaryIO, max_duration: float | None, mixer: ChannelMixer
) -> Decoded:
    """Decode an open file with the first decoder that reads all of it, else with the one that reads most.

    That it is longer or shorter than announced is among the remarks. A file that none can decode is an
    AudioError, with the reasons of all.
    """
    size = os.fstat(file.fileno()).st_size
    reasons: dict[str, str] = {}
    first = _attempt(
        "soundfile", reasons, mixer, lambda: read_with_soundfile(name, file, size, max_duration, mixer)
    )
    if first is not None and first.is_whole:
        return _remarked(first, first.announced, file, size)
    kind = recognise(os.pread(file.fileno(), HEAD, 0))
    second = None
    if first is not None or kind.may_be_audio:
        second = _attempt(
            "FFmpeg", reasons, mixer, lambda: read_with_ffmpeg(name, file, size, max_duration, mixer)
        )
    if first is None and second is None and kind.is_media:
        second = _attempt(
            "audioread", reasons, mixer, lambda: read_with_audioread(name, path, max_duration, mixer)
        )
    if second is None or (first is not None and second.duration <= first.duration + first.tolerance):
        best = first
    else:
        best = second
    if best is None:
        raise AudioError(f"{name}: found {_refusal(kind, reasons)}.")
    announced = best.announced if first is None or first.announced is None else first.announced
    return _remarked(best, announced, file, size)


def _attempt(
    decoder: str, reasons: dict[str, str], mixer: ChannelMixer, read: Callable[[], Decoded]
) -> Decoded | None:
    try:
        decoded = read()
    except UndecodableError as error:
        reasons[decoder] = str(error).rstrip(".")
        return None
    decoded.samples.gain = mixer.gain()
    return decoded


def _remarked(decoded: Decoded, announced: float | None, file: BinaryIO, size: int) -> Decoded:
    """Return what was decoded, with remarks on what is missing of it and on what follows it."""
    remarks = []
    length = length_remark(announced, decoded.duration, decoded.tolerance)
    cut_by = _how_it_is_cut(file.fileno(), size) or decoded.cut_by
    if length is not None:
        remarks.append(length)
    if cut_by is not None and not (length or "").startswith("cut off"):
        remarks.append(f"cut off: after {decoded.duration:.1f} s, {cut_by}")
    remarks += decoded.remarks
    if decoded.unread:
        head = os.pread(file.fileno(), HEAD, size - decoded.unread)
        cause = decoded.cause or (recognise(head).found if begins_file(head) else "")
        cause = f" ({cause.rstrip('.')})" if cause else ""
        remarks.append(f"{decoded.unread} bytes behind what was read are not heard{cause}")
    return decoded._replace(remarks=remarks) if remarks else decoded


def _how_it_is_cut(descriptor: int, size: int) -> str | None:
    """Say how a file's container shows that its end is missing, None if it does not."""
    head = os.pread(descriptor, 12, 0)
    if head[:4] == b"RIFF" and head[8:] == b"WAVE":  # whose sizes are known by now
        return None
    if head[:4] == b"OggS":
        return "without the mark that ends such a file" if lacks_end_mark(descriptor, size) else None
    end = announced_end(descriptor, 0, size)
    return None if end is None or end <= size + 1 else f"with {size} of {end} bytes"


def _refusal(kind: FileKind, reasons: dict[str, str]) -> str:
    """Say what was found and what to do."""
    if kind.is_media:
        each = "; ".join(f"{decoder}: {reason}" for decoder, reason in reasons.items())
        return f"{kind.found} that cannot be decoded ({each}); {kind.remedy or _CONVERT}"
    return f"{kind.found}, not audio; {kind.remedy or FETCH_AGAIN}"
