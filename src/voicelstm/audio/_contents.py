"""Whether a file holds a recording, by its content."""

import os
from pathlib import Path

import soundfile

from voicelstm.audio._decoded import UndecodableError
from voicelstm.audio._file_types import HEAD, UNKNOWN, recognise
from voicelstm.audio._with_ffmpeg import holds_sound

__all__ = ["found_instead_of_sound"]

# Containers of films and pictures, too, and what two bytes alone tell: FFmpeg is asked.
_TO_OPEN = frozenset(
    {
        "a Flash video",
        "a Matroska/WebM file",
        "a RealMedia file",
        "a Windows Media file",
        "an AC-3 stream",
        "an AVI film",
        "an MP4/M4A file",
        "an MPEG audio stream",
        "an MPEG programme stream",
        "an MPEG transport stream",
        "an Ogg file",
        UNKNOWN,
    }
)
_BY_TWO_BYTES = frozenset({"an AC-3 stream", "an MPEG audio stream"})  # which much else begins with


def found_instead_of_sound(path: Path) -> str | None:
    """Say what a file is that holds no sound; None if it holds some, be it damaged."""
    try:
        if not path.is_file():
            return (
                "a link that leads nowhere" if path.is_symlink() else "something that is not a regular file"
            )
        with path.open("rb", buffering=0) as file:
            kind = recognise(os.pread(file.fileno(), HEAD, 0))
            if kind.found in _TO_OPEN:
                try:
                    if holds_sound(file, os.fstat(file.fileno()).st_size):
                        return None
                except UndecodableError:
                    # A film that is cut off before its index, say: whoever reads it hears why it cannot be.
                    if kind.is_media and kind.found not in _BY_TWO_BYTES:
                        return None
                is_sound = kind.found == UNKNOWN and _is_known_to_soundfile(file.fileno())
                return None if is_sound else kind.found + (" without sound" if kind.is_media else "")
    except OSError as error:
        return f"a file that cannot be opened ({error.strerror})"
    return None if kind.is_media else kind.found


def _is_known_to_soundfile(descriptor: int) -> bool:
    """Tell whether libsndfile opens a file that begins as no other format does."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    try:
        with soundfile.SoundFile(descriptor, closefd=False) as sound:
            return bool(sound.frames)
    except (soundfile.LibsndfileError, RuntimeError):
        return False
