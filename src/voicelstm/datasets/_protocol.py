"""A corpus that lists its clips: in a protocol of words between blanks, or in a table with a header."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from voicelstm.datasets._corpus import corpus, note_classes
from voicelstm.datasets._files import AUDIO_EXTENSIONS, ONE_OF_EACH, SAME_FILE, duplicates, is_file
from voicelstm.datasets._problems import Problems, shortened
from voicelstm.datasets._records import Records, texts
from voicelstm.datasets._table import Format, read_table, read_text

__all__ = [
    "LABELS",
    "Clips",
    "FolderIndex",
    "Layout",
    "Lines",
    "audio_by_stem",
    "check_choice",
    "find_clips",
    "header_table",
    "load_clips",
    "named_words",
    "read_lines",
    "with_partition",
    "words",
]

LABELS = {"bonafide": "human", "spoof": "synthetic"}
_TWO_CLASSES = "A detector needs recordings of both, human and synthetic: ask for more of the corpus."


class Layout(NamedTuple):
    """Where a corpus keeps its list and its audio, as patterns below its folder, and that in words.

    Clips are listed by their files' names, which may have folders in them; or without an `extension`, and
    then their files may have any: ".flac" or ".wav".
    """

    lists: Sequence[str]
    audio: Sequence[str]
    words: str
    extension: str = ""


#: Reads a list: "clip" and "key" are among the columns, and the others become groups.
Reader = Callable[[Path, Problems], Records]
Lines = list[tuple[int, list[str]]]


class Clips(NamedTuple):
    """Clips that were asked for and found: their rows, files and labels, and what they are in words."""

    records: Records
    recordings: list[str]
    target: np.ndarray
    title: str

    def as_corpus(self, *, return_X_y: bool) -> Any:
        """Return the Bunch, or ``(recordings, target)``."""
        columns = dict(self.records.columns)
        names = sorted(columns, key=lambda name: name not in ("speaker", "system"))
        groups = {name: np.array(columns[name], dtype=str) for name in names if name not in ("clip", "key")}
        return corpus(self.recordings, self.target, groups, self.title, return_X_y=return_X_y)


def check_choice(name: str, value: object, choices: Iterable[object]) -> None:
    """Raise a ValueError that lists the choices, where a parameter is none of them."""
    choices = list(choices)
    if value not in choices:
        raise ValueError(f"{name}={value!r} is none of {', '.join(map(repr, choices))}.")


def with_partition(
    where: Mapping[str, object] | None, column: str, partition: str | None
) -> dict[str, object]:
    """Ask for a partition besides; ValueError if that and `where` contradict each other. None is all."""
    wanted = dict(where or {})
    if partition is not None and column in wanted and texts(wanted[column]) != {partition}:
        raise ValueError(
            f"partition={partition!r} and where={wanted} contradict each other: give partition=None to "
            f"choose by {column!r} in where, or leave {column!r} out."
        )
    return wanted if partition is None else {**wanted, column: partition}


def load_clips(*args: Any, return_X_y: bool, **kwargs: Any) -> Any:
    """Return what `find_clips` finds as a Bunch, or as ``(recordings, target)``."""
    return find_clips(*args, **kwargs).as_corpus(return_X_y=return_X_y)


def find_clips(
    root: Path,
    layout: Layout,
    read: Reader,
    *,
    title: str,
    where: Mapping[str, object] | None,
    labels: Mapping[str, str] = LABELS,
    repeated: bool = False,
    key_is_folder: bool = False,
    protocol: str | os.PathLike[str] | None = None,
    audio_dir: str | os.PathLike[str] | None = None,
) -> Clips:
    """Read a list below `root`, keep the rows that `where` asks for, and find their audio.

    All that is wrong is in one error. If rows may be `repeated`, the first one of a clip counts. If the
    `key_is_folder`, clips' names begin with a folder that is called as their key.
    """
    listed, folders = _located(root, layout, protocol, audio_dir)
    problems = Problems(str(listed))
    records = _with_human_system(read(listed, problems), labels)
    records = records.adding(clip=[_plain(clip) for clip in records.columns["clip"]])
    if key_is_folder:
        _note_other_folders(records, labels, problems)
    n_rows = len(records.lines)
    records = _first_rows(records, problems, repeated=repeated)
    n_again = n_rows - len(records.lines)
    _check_where(where or {}, records, problems)
    records = records.where(where or {}, problems)
    records = _with_key(records, labels, problems)
    recordings = _found(records, folders, listed, layout, problems)
    target = [labels[key] for key in records.columns["key"]]
    note_classes(problems, target, _TWO_CLASSES)
    problems.raise_any()
    title = f"{title}: {len(target)} of {n_rows} rows of {listed}{f', where {dict(where)}' if where else ''}."
    if n_again:
        title += f" {n_again} of its rows name a clip again, and are left out."
    return Clips(records, recordings, np.array(target), title)


def _located(
    root: Path,
    layout: Layout,
    protocol: str | os.PathLike[str] | None,
    audio_dir: str | os.PathLike[str] | None,
) -> tuple[Path, list[Path]]:
    """Return the list of a corpus, and the folders of its audio."""
    problems = Problems(str(root))
    if not root.is_dir() and (protocol is None or audio_dir is None):
        problems.add("There is no such folder", str(root.absolute()), layout.words)
        problems.raise_any()
    listed = Path(protocol) if protocol is not None else _list(root, layout, problems)
    folders = [Path(audio_dir)] if audio_dir is not None else _folders(root, layout.audio)
    if audio_dir is not None and not folders[0].is_dir():
        problems.add("There is no such folder", str(folders[0].absolute()), "Check audio_dir.")
    if not folders:
        problems.add("No audio", ", ".join(f"{name}/" for name in layout.audio), layout.words)
    problems.raise_any()
    return listed, folders


def _list(root: Path, layout: Layout, problems: Problems) -> Path:
    for name in layout.lists:
        if is_file(root / name):
            return root / name
    problems.add("No protocol", " or ".join(layout.lists), layout.words)
    return root


def _folders(root: Path, patterns: Sequence[str]) -> list[Path]:
    """Return the folders that patterns match below a folder, which "." is itself."""
    found = [path for each in patterns for path in ([root] if each == "." else sorted(root.glob(each)))]
    return [path for path in dict.fromkeys(found) if path.is_dir()]


def read_lines(path: Path, problems: Problems) -> Lines:
    """Read the words of every line that has any, with the line's number, counted from 1."""
    cells = [line.split() for line in read_text(path, problems).splitlines()]
    lines = [(number, found) for number, found in enumerate(cells, start=1) if found]
    if not lines:
        problems.add("No lines", "the file is empty", "Each clip needs a line.")
    problems.raise_any()
    return lines


def words(*names: str) -> Reader:
    """Return what reads lines of as many words as there are names; "" skips a word."""
    return partial(_words, names=names)


def _words(path: Path, problems: Problems, *, names: Sequence[str]) -> Records:
    return named_words(read_lines(path, problems), names, problems)


def named_words(lines: Lines, names: Sequence[str], problems: Problems) -> Records:
    """Name the words of every line; "" skips a word. Lines with more or fewer words are noted."""
    good = [line for line in lines if len(line[1]) == len(names)]
    if len(good) < len(lines):
        for number, cells in lines:
            if len(cells) != len(names):
                problems.add(
                    f"Lines without the {len(names)} columns of this list",
                    f"line {number}: {len(cells)} columns: {shortened(cells)}",
                    f"Expected {' '.join(name.upper() or '-' for name in names)}.",
                )
    by_column = list(zip(*(cells for _, cells in good), strict=True)) or [()] * len(names)
    columns = {name: list(by_column[at]) for at, name in enumerate(names) if name}
    return Records(columns, [number for number, _ in good])


def header_table(names: Mapping[str, str], form: Format, *, further: bool = False) -> Reader:
    """Return what reads a table with a header; `names` has a column's name for each in the header.

    Columns besides these become groups if they are to be kept `further`.
    """
    return partial(_table, names=names, form=form, further=further)


def _table(
    path: Path, problems: Problems, *, names: Mapping[str, str], form: Format, further: bool
) -> Records:
    records = read_table(read_text(path, problems), list(names), (), problems, form)
    columns = {
        names.get(header, header): cells
        for header, cells in records.columns.items()
        if header in names or (further and header)
    }
    return Records(columns, records.lines, records.before)


def _with_human_system(records: Records, labels: Mapping[str, str]) -> Records:
    """Call the system of human clips "human", for which lists write "-", "bonafide" or both."""
    if "system" not in records.columns:
        return records
    human = {key for key, label in labels.items() if label == "human"}
    systems = zip(records.columns["system"], records.columns["key"], strict=True)
    return records.adding(system=["human" if key in human else name for name, key in systems])


def _plain(clip: str) -> str:
    """Write a name with folders in the shortest way: a/./b and a//b are a/b."""
    return os.path.normpath(clip) if "/" in clip else clip


def _note_other_folders(records: Records, labels: Mapping[str, str], problems: Problems) -> None:
    """Note clips in the folder of another key."""
    for at, (clip, key) in enumerate(zip(records.columns["clip"], records.columns["key"], strict=True)):
        folder = clip.partition("/")[0]
        if folder != key and folder in labels and key in labels:
            place = f"{records.place(at)}: {key!r}, in {clip}"
            problems.add("Clips in the folder of another label", place, "Find out which of the two is true.")


def _first_rows(records: Records, problems: Problems, *, repeated: bool) -> Records:
    """Return the first row of each clip."""
    first: dict[str, int] = {}
    keys, kept = records.columns["key"], []
    for at, clip in enumerate(records.columns["clip"]):
        if first.setdefault(clip, at) == at:
            kept.append(at)
            continue
        place = f"{records.place(first[clip])} = {records.place(at)}: {clip}"
        if not repeated:
            problems.add("The same clip more than once", place, "Keep one line of each.")
        elif keys[first[clip]] != keys[at]:
            place += f", {keys[first[clip]]!r} and {keys[at]!r}"
            problems.add("The same clip with two labels", place, "Keep the line that is true.")
    return records.rows(kept)


def _check_where(where: Mapping[str, object], records: Records, problems: Problems) -> None:
    groups = [name for name in records.columns if name not in ("clip", "key")]
    for column in where:
        if column not in groups:
            problems.add("Columns that the protocol lacks", repr(column), f"It has {shortened(groups)}.")
    if any(column not in groups for column in where):
        problems.raise_any()


def _with_key(records: Records, labels: Mapping[str, str], problems: Problems) -> Records:
    """Return the rows whose key is one of those that have labels."""
    kept = []
    for at, key in enumerate(records.columns["key"]):
        if key in labels:
            kept.append(at)
        else:
            remedy = f"Expected one of {shortened(labels)}."
            problems.add("Unknown labels", f"{records.place(at)}: {key!r}", remedy)
    return records.rows(kept)


def _found(
    records: Records, folders: list[Path], listed: Path, layout: Layout, problems: Problems
) -> list[str]:
    """Return the audio files of clips; note those that are not there."""
    clips = records.columns["clip"]
    links: set[str] = set()
    if layout.extension:
        by_name = audio_by_stem(folders, layout.extension, links)
    else:
        index = FolderIndex(folders)
        links = index.links
        by_name = {name: file for name in clips if (file := index.find(name)) is not None}
    looked = " or ".join(str(folder) for folder in folders)
    for at, clip in enumerate(clips):
        if clip not in by_name:
            place = f"{records.place(at)}: {clip}{layout.extension}"
            problems.add("Missing files", place, f"{listed} names these; looked in {looked}. {layout.words}")
    found = [at for at, clip in enumerate(clips) if clip in by_name]
    recordings = [by_name[clips[at]] for at in found]
    for same in duplicates(recordings, links.__contains__):
        places = [f"{records.place(found[at])}: {recordings[at]}" for at in same]
        problems.add(SAME_FILE, " = ".join(places), ONE_OF_EACH)
    return recordings


def audio_by_stem(folders: Iterable[Path], extension: str, links: set[str]) -> dict[str, str]:
    """List audio files by their names without extension; the first folder that has a name counts.

    Of several files with a name in a folder, the one with the `extension` counts. A folder is listed once
    instead of asking for every file: corpora have up to 680,000 in one. Files that are links are added to
    `links`.
    """
    found: dict[str, str] = {}
    for folder in folders:
        here: dict[str, str] = {}
        with os.scandir(folder) as entries:
            for entry in entries:
                stem, ending = os.path.splitext(entry.name)  # noqa: PTH122  # much faster
                if ending.lower() in AUDIO_EXTENSIONS and stem[0] != "." and entry.is_file():
                    if ending == extension or stem not in here:
                        here[stem] = entry.path
                    if entry.is_symlink():
                        links.add(entry.path)
        found = here | found
    return found


class FolderIndex:
    """Files by names with folders in them, each folder listed once when it is first asked for.

    `links` are those of the files that are links.
    """

    def __init__(self, folders: Iterable[Path]) -> None:
        self.links: set[str] = set()
        self._folders = [str(folder) for folder in folders]
        self._listed: dict[str, set[str]] = {}

    def find(self, name: str) -> str | None:
        """Return the file of a name below the first folder that has it."""
        for folder in self._folders:
            # A Path would be much slower, and tables have a million rows.
            below, base = os.path.split(os.path.join(folder, name))  # noqa: PTH118
            if base and base in self._files(below):
                return os.path.join(below, base)  # noqa: PTH118
        return None

    def _files(self, folder: str) -> set[str]:
        if folder not in self._listed:
            try:
                with os.scandir(folder) as entries:
                    files = [entry for entry in entries if entry.is_file()]
            except OSError:
                files = []
            self._listed[folder] = {entry.name for entry in files}
            self.links.update(entry.path for entry in files if entry.is_symlink())
        return self._listed[folder]
