"""Recordings that are named on the command line: files, folders, lists of names, standard input."""

import io
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from voicelstm.command._output import printable
from voicelstm.command._session import say
from voicelstm.command._wording import about

if TYPE_CHECKING:
    from voicelstm.datasets import FileFinder

__all__ = [
    "STANDARD_INPUT",
    "Named",
    "channel_option",
    "files_from_option",
    "ignore_option",
    "jobs_option",
    "list_left_out",
    "named_recordings",
]

STANDARD_INPUT = "-"

files_from_option = click.option(
    "--files-from",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
    help="File with the name of a recording on each line; - is standard input.",
)


def _some(ctx: click.Context, parameter: click.Parameter, jobs: int) -> int:
    if jobs == 0:
        raise click.BadParameter("0 reads nothing; give a number, or -1 for one per core.")
    return jobs


ignore_option = click.option(
    "--ignore",
    multiple=True,
    metavar="PATTERN",
    help="Files in folders that are meant to be left out, such as '*.txt'; may be repeated.",
)

jobs_option = click.option(
    "-j",
    "--jobs",
    default=-1,
    show_default=True,
    callback=_some,
    help="Recordings read at once; -1 is one per core.",
)


def channel_option(default: str, *, each: bool = False) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add ``--channel`` with what help says of its default; the command gets `channel`, perhaps None."""

    def read(ctx: click.Context, parameter: click.Parameter, text: str | None) -> int | str | None:
        names = ("mean", "left", "right", "each")[: 3 + each]
        if text is None or text in names:
            return text
        if text.isascii() and text.isdecimal():
            return int(text)
        if text == "each":
            raise click.BadParameter("each is for detect, which answers about each channel; choose one.")
        raise click.BadParameter(
            f"{text!r} is neither {', '.join(names)} nor the number of a channel, from 0."
        )

    choices = "mean, left, right, each (an answer for each)" if each else "mean, left, right"
    return click.option(
        "--channel",
        callback=read,
        help=f"Channel of the recordings: {choices} or its number from 0.  [default: {default}]",
    )


class Named(NamedTuple):
    """Files in the order named, and what their user calls each.

    Also what folders without recordings are called, and what was left out of folders.
    """

    paths: list[str]
    names: list[str]
    empty: list[str]
    left_out: list[str]

    def explain(self, position: int, reason: str) -> str:
        """Return the text of a file's error as its user understands it."""
        name = self.names[position]
        return about(self.paths[position], reason, "standard input" if name == STANDARD_INPUT else name)


@contextmanager
def named_recordings(
    names: Sequence[str], files_from: str | None, ignore: Sequence[str] = ()
) -> Iterator[Named]:
    """Find the recordings that were named; those from standard input exist while the context is active.

    Files of folders that match a pattern in `ignore` are left out unsaid.
    """
    if STANDARD_INPUT in names and files_from == STANDARD_INPUT:
        raise click.UsageError("Standard input holds one thing: a recording, or names.")
    wanted = [*names, *(_lines(files_from) if files_from else [])]
    if not wanted and files_from is None:
        raise click.UsageError("Name recordings: files, folders, or - for one from standard input.")
    from voicelstm.datasets import FileFinder

    with TemporaryDirectory(prefix="voicelstm-") as folder:
        paths: list[str] = []
        shown: list[str] = []
        empty: list[str] = []
        left_out: list[str] = []
        finder = FileFinder()
        received = None
        for name in wanted:
            if name == STANDARD_INPUT and name in names:
                received = received or _received(Path(folder))
                paths.append(received)
                shown.append(name)
            elif _is_folder(name):
                found, others = _files_in(name, ignore)
                paths += found
                shown += found
                left_out += others
                if not found:
                    empty.append(f"{name}: a folder without recordings.")
            else:
                paths.append(_found(name, finder))
                shown.append(name)
        yield Named(paths, shown, empty, left_out)


def _found(name: str, finder: "FileFinder") -> str:
    """Return the path of the file of a name, which may be in the form of another system."""
    found = None if name.isascii() else finder.find(Path(), name)
    return name if found in (None, Path(name)) else str(found)


def _lines(path: str) -> list[str]:
    from voicelstm.datasets import decoded_text

    # Windows' programs begin a file with a byte order mark, or write UTF-16.
    with click.open_file(path, "rb") as file:
        text = decoded_text(file.read(), errors="surrogateescape")
    lines = [line.rstrip("\n") for line in io.StringIO(text, newline=None)]
    return [line for line in lines if line]


def _files_in(folder: str, ignore: Sequence[str]) -> tuple[list[str], list[str]]:
    """List the recordings of a folder, and the other files with what they are."""
    from voicelstm.datasets import recordings_in

    listing = recordings_in(Path(folder), ignore)
    return [str(path) for path in listing.recordings], [
        f"{path}: {found}" for path, found in listing.left_out
    ]


def list_left_out(left_out: Sequence[str]) -> None:
    """List what is no recording in folders, on standard error."""
    if left_out:
        are = "1 file in folders is no recording and is" if len(left_out) == 1 else None
        are = are or f"{len(left_out)} files in folders are no recordings and are"
        say(f"{are} left out (--ignore PATTERN where that is meant):")
        for each in left_out:
            click.echo(f"  {printable(each)}", err=True)


def _received(folder: Path) -> str:
    path = folder / "standard input"
    with path.open("wb") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
    return str(path)


def _is_folder(name: str) -> bool:
    """Tell a folder; a name that the system does not even take is that of a recording that fails."""
    try:
        return Path(name).is_dir()
    except OSError:
        return False
