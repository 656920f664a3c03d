"""Audio files on disk: which there are, in which order, and whether two names are one file."""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from voicelstm.datasets._problems import Problems

__all__ = [
    "AUDIO_EXTENSIONS",
    "audio_files",
    "is_audio",
    "is_file",
    "natural_key",
    "note_duplicates",
    "note_unreadable",
]

# What libsndfile opens by its header; headerless audio (.raw, .pcm) has no sample rate.
AUDIO_EXTENSIONS = frozenset(
    {
        ".aif", ".aifc", ".aiff", ".au", ".caf", ".flac", ".mp3", ".oga", ".ogg", ".opus", ".rf64", ".snd",
        ".w64", ".wav",
    }
)  # fmt: skip


def natural_key(name: str) -> tuple[object, ...]:
    """Sort key that reads runs of digits as numbers and ignores case.

    >>> sorted(["clip10.wav", "clip2.wav", "Clip1.wav"], key=natural_key)
    ['Clip1.wav', 'clip2.wav', 'clip10.wav']
    """
    pieces = re.split(r"([0-9]+)", name.casefold())  # words at even positions, digits at odd ones
    return tuple(int(piece) if i % 2 else piece for i, piece in enumerate(pieces)), name


def is_audio(path: Path) -> bool:
    """Tell whether a name is that of a recording: a known extension and no leading dot."""
    return not path.name.startswith(".") and path.suffix.lower() in AUDIO_EXTENSIONS


def is_file(path: Path) -> bool:
    """Tell whether a file is there; a text that can be no path is none."""
    try:
        return path.is_file()
    except OSError:
        return False


def audio_files(folder: Path, *, recursive: bool) -> list[Path]:
    """List the audio files of a folder in natural order; hidden files and folders are passed over."""
    found = [path for path in _files(folder, recursive) if is_audio(path)]
    return sorted(found, key=lambda path: [natural_key(part) for part in path.relative_to(folder).parts])


def _files(folder: Path, recursive: bool) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder, onerror=_refuse, followlinks=True):
        # A link to where it lies would be followed for ever.
        above = {Path(parent).resolve(), *Path(parent).resolve().parents}
        folders[:] = [
            name
            for name in folders
            if recursive and not name.startswith(".") and Path(parent, name).resolve() not in above
        ]
        yield from (Path(parent, name) for name in names)


def _refuse(error: OSError) -> None:
    raise error  # os.walk would pass over a folder that it may not read


def note_unreadable(problems: Problems, files: Iterable[tuple[Path, str]]) -> None:
    """Note every name that a folder lists but that leads to no file."""
    for path, place in files:
        if not is_file(path):
            problems.add(
                "Missing files", place, "The folder lists these, but they lead to no file: mend the links."
            )


def note_duplicates(problems: Problems, files: Iterable[tuple[Path, str]]) -> None:
    """Note every file, given with the words that name it, that occurs more than once, links resolved."""
    places: dict[Path, list[str]] = {}
    for path, place in files:
        places.setdefault(path.resolve(), []).append(place)
    for same in places.values():
        if len(same) > 1:
            problems.add(
                "The same file more than once",
                " = ".join(same),
                "Keep one of each: a clip that is both trained and tested on makes every score too good.",
            )
