"""Audio files on disk: which there are, in which order, and whether two names are one file."""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from voicelstm.audio import found_instead_of_sound
from voicelstm.datasets._problems import Problems

__all__ = [
    "AUDIO_EXTENSIONS",
    "ONE_OF_EACH",
    "SAME_FILE",
    "Listing",
    "audio_files",
    "audio_paths",
    "duplicates",
    "is_audio",
    "is_file",
    "left_out_text",
    "natural_key",
    "note_duplicates",
    "note_unreadable",
    "recordings_in",
]

# Names of sound alone: such files are recordings, or damaged ones, without a look into them. Headerless audio
# (.raw, .pcm) has no sample rate.
AUDIO_EXTENSIONS = frozenset(
    {
        ".aac", ".ac3", ".aif", ".aifc", ".aiff", ".amr", ".ape", ".au", ".awb", ".caf", ".eac3", ".flac",
        ".m4a", ".m4b", ".mka", ".mp2", ".mp3", ".oga", ".ogg", ".opus", ".rf64", ".snd", ".spx", ".tta",
        ".w64", ".wav", ".wma", ".wv",
    }
)  # fmt: skip

SAME_FILE = "The same file more than once"
ONE_OF_EACH = "Keep one of each: a clip that is both trained and tested on makes every score too good."


def natural_key(name: str) -> tuple[object, ...]:
    """Sort key that reads runs of digits as numbers and ignores case.

    >>> sorted(["clip10.wav", "clip2.wav", "Clip1.wav"], key=natural_key)
    ['Clip1.wav', 'clip2.wav', 'clip10.wav']
    """
    pieces = re.split(r"([0-9]+)", name.casefold())  # words at even positions, digits at odd ones
    return tuple(int(piece) if i % 2 else piece for i, piece in enumerate(pieces)), name


def is_audio(name: str) -> bool:
    """Tell whether a name is that of a recording: a known extension and no leading dot."""
    extension = os.path.splitext(name)[1]  # noqa: PTH122  # much faster than a Path, a million times
    return not name.startswith(".") and extension.lower() in AUDIO_EXTENSIONS


def is_file(path: Path) -> bool:
    """Tell whether a file is there; a text that can be no path is none."""
    try:
        return path.is_file()
    except OSError:
        return False


class Listing(NamedTuple):
    """The recordings of a folder in natural order, and what else there is, each with what it is."""

    recordings: list[Path]
    left_out: list[tuple[Path, str]]


def recordings_in(folder: Path, ignore: Sequence[str] = (), *, recursive: bool = True) -> Listing:
    """List the files of a folder that hold sound, by their content, and those that do not.

    A file that is called as sound is, and holds none, is among the recordings: to read it says why it fails.
    Hidden files and folders are passed over, and what patterns in `ignore` match: names, or paths from the
    folder on, with slashes.
    """
    recordings, left_out = [], []
    for entry in _files(folder, recursive):
        path = Path(entry)
        if path.name.startswith(".") or _is_ignored(path, folder, ignore):
            continue
        found = None if is_audio(path.name) else found_instead_of_sound(path)
        if found is None:
            recordings.append(path)
        else:
            left_out.append((path, found))
    return Listing(recordings, left_out)


def left_out_text(left_out: Sequence[tuple[Path, str]], most: int) -> str:
    """Name files that are no recordings and what they are, a line each, so many at most."""
    lines = [f"  {path}: {found}" for path, found in left_out[:most]]
    if len(left_out) > most:
        lines.append(f"  and {len(left_out) - most} more")
    return "\n".join(lines)


def _is_ignored(path: Path, folder: Path, patterns: Sequence[str]) -> bool:
    inside = path.relative_to(folder).as_posix()
    return any(fnmatchcase(path.name, each) or fnmatchcase(inside, each) for each in patterns)


def audio_files(folder: Path, *, recursive: bool) -> list[Path]:
    """List the files of a folder that are called as sound is, in natural order, without hidden ones."""
    return [Path(entry) for entry in _files(folder, recursive) if is_audio(entry.name)]


def audio_paths(folder: str | Path, *, recursive: bool) -> list[str]:
    """List the same files as text, which is faster: corpora have a million."""
    return [entry.path for entry in _files(folder, recursive) if is_audio(entry.name)]


def _files(
    folder: str | Path, recursive: bool, above: frozenset[Path] = frozenset()
) -> "Iterator[os.DirEntry[str]]":
    """Yield what is no folder in natural order, part by part of the path.

    Links to folders that the walk came through, or to those above them, would be followed for ever.
    """
    real = Path(folder).resolve()
    above |= {real, *real.parents}
    with os.scandir(folder) as entries:
        listed = sorted(entries, key=lambda entry: natural_key(entry.name))
    for entry in listed:
        if not entry.is_dir():
            yield entry
        elif recursive and not entry.name.startswith(".") and not _leads_up(entry, above):
            yield from _files(entry.path, recursive, above)


def _leads_up(folder: "os.DirEntry[str]", above: frozenset[Path]) -> bool:
    return folder.is_symlink() and Path(folder.path).resolve() in above


def note_unreadable(problems: Problems, files: Iterable[tuple[Path, str]]) -> None:
    """Note every name that a folder lists but that leads to no file."""
    for path, place in files:
        if not is_file(path):
            problems.add(
                "Missing files", place, "The folder lists these, but they lead to no file: mend the links."
            )


def note_duplicates(problems: Problems, files: Iterable[tuple[str | Path, str]]) -> None:
    """Note every file, given with the words that name it, that occurs more than once, links resolved."""
    paths, places = zip(*files, strict=True) if (files := list(files)) else ((), ())
    for same in duplicates(paths):
        problems.add(SAME_FILE, " = ".join(places[at] for at in same), ONE_OF_EACH)


def duplicates(
    files: Iterable[str | Path], is_link: Callable[[str], bool] = os.path.islink
) -> list[list[int]]:
    """Return the positions of every file that occurs more than once, links resolved."""
    first: dict[tuple[str, str], int] = {}
    again: dict[tuple[str, str], list[int]] = {}
    folders: dict[str, str] = {}  # resolved once, not for each of their files
    for at, path in enumerate(files):
        folder, name = os.path.split(path)
        real = folders.get(folder) or _real(folder, folders), os.path.normcase(name)
        if is_link(str(path)):
            real = os.path.split(os.path.realpath(path))
        if first.setdefault(real, at) != at:
            again.setdefault(real, [first[real]]).append(at)
    return list(again.values())


def _real(folder: str, known: dict[str, str]) -> str:
    """Resolve a folder from the one above it, which costs one look at the disk and not one for each part."""
    if folder not in known:
        above, name = os.path.split(folder)
        if above == folder or name in ("", ".", ".."):
            known[folder] = os.path.realpath(folder)
        else:
            # A Path would be much slower, and corpora have folders by the ten thousand.
            path = os.path.join(_real(above, known), name)  # noqa: PTH118
            known[folder] = os.path.realpath(path) if os.path.islink(path) else path  # noqa: PTH114
    return known[folder]
