"""ASVspoof's protocols: a line for each trial, its words between blanks, and the audio that it names."""

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from voicelstm.datasets._corpus import corpus, note_classes
from voicelstm.datasets._files import is_audio, is_file
from voicelstm.datasets._problems import Problems, shortened
from voicelstm.datasets._table import read_text

__all__ = [
    "LABELS",
    "Layout",
    "Lines",
    "Trial",
    "audio_by_stem",
    "check_choice",
    "load_trials",
    "read_lines",
    "trials_of",
]

LABELS = {"bonafide": "human", "spoof": "synthetic"}
_TWO_CLASSES = "A detector needs recordings of both, human and synthetic: ask for more of the corpus."


class Layout(NamedTuple):
    """Where a corpus keeps its protocol and its audio, as patterns below its folder, and that in words."""

    protocols: Sequence[str]
    audio: Sequence[str]
    words: str


class Trial(NamedTuple):
    """One line of a protocol: its number, the clip's name, "bonafide" or "spoof", and the other columns."""

    line: int
    utterance: str
    key: str
    columns: dict[str, str]


Lines = list[tuple[int, list[str]]]


def check_choice(name: str, value: object, choices: Iterable[object]) -> None:
    """Raise a ValueError that lists the choices, where a parameter is none of them."""
    choices = list(choices)
    if value not in choices:
        raise ValueError(f"{name}={value!r} is none of {', '.join(map(repr, choices))}.")


def read_lines(path: Path) -> Lines:
    """Read the words of every line that has any, with the line's number, counted from 1."""
    problems = Problems(str(path))
    words = [line.split() for line in read_text(path, problems).splitlines()]
    lines = [(number, cells) for number, cells in enumerate(words, start=1) if cells]
    if not lines:
        problems.add("No lines", "the file is empty", "Each trial needs a line.")
    problems.raise_any()
    return lines


def trials_of(
    lines: Lines, names: Sequence[str], problems: Problems, *, reserved: bool = False
) -> list[Trial]:
    """Name the words of every line; "" skips a column, and `reserved` lets further columns follow."""
    trials: list[Trial] = []
    first: dict[str, int] = {}
    expected = " ".join(name.upper() or "-" for name in names) + (" ..." if reserved else "")
    for number, cells in lines:
        if len(cells) < len(names) or (len(cells) > len(names) and not reserved):
            problems.add(
                f"Lines without the {len(names)} columns of this protocol",
                f"line {number}: {len(cells)} columns: {shortened(cells)}",
                f"Expected {expected}.",
            )
            continue
        row = dict(zip(names, cells, strict=False))
        utterance, key = row.pop("utterance"), row.pop("key")
        row.pop("", None)
        if key not in LABELS:
            remedy = f"'bonafide' or 'spoof' must stand in column {names.index('key') + 1}: {expected}."
            problems.add("Lines without a key", f"line {number}: {key!r}", remedy)
        elif utterance in first:
            where = f"line {first[utterance]} = line {number}: {utterance}"
            problems.add("The same clip more than once", where, "Keep one line of each.")
        else:
            first[utterance] = number
            if key == "bonafide":
                row["system"] = "human"  # protocols write "-", "bonafide" or both
            trials.append(Trial(number, utterance, key, row))
    return trials


def audio_by_stem(folders: Iterable[Path]) -> dict[str, str]:
    """List audio files by their names without extension; the first folder that has a name counts.

    A folder is listed once instead of asking for every file: corpora have up to 680,000 in one.
    """
    found: dict[str, str] = {}
    for folder in folders:
        with os.scandir(folder) as entries:
            for entry in entries:
                path = Path(entry.path)
                if is_audio(path) and entry.is_file():
                    found.setdefault(path.stem, entry.path)
    return found


def load_trials(
    root: Path,
    layout: Layout,
    columns: Any,
    *,
    title: str,
    where: Mapping[str, object],
    protocol: str | os.PathLike[str] | None,
    audio_dir: str | os.PathLike[str] | None,
    return_X_y: bool,
) -> Any:
    """Read a protocol below `root`, keep the trials that `where` asks for, and find their audio."""
    problems = Problems(str(root))
    if not root.is_dir() and (protocol is None or audio_dir is None):
        problems.add("There is no such folder", str(root.absolute()), layout.words)
        problems.raise_any()
    listed = Path(protocol) if protocol is not None else _protocol(root, layout, problems)
    folders = [Path(audio_dir)] if audio_dir is not None else _folders(root, layout.audio)
    for folder in folders if audio_dir is not None else ():
        if not folder.is_dir():
            problems.add("There is no such folder", str(folder.absolute()), "Check audio_dir.")
    if not folders:
        problems.add("No audio", ", ".join(f"{name}/" for name in layout.audio), layout.words)
    problems.raise_any()

    in_protocol = Problems(str(listed))
    trials = columns(read_lines(listed), in_protocol)
    in_protocol.raise_any()
    n_lines = len(trials)
    trials = _kept(trials, where, in_protocol)
    in_protocol.raise_any()

    found = audio_by_stem(folders)
    looked = " or ".join(str(folder) for folder in folders)
    for trial in trials:
        if trial.utterance not in found:
            place = f"line {trial.line}: {trial.utterance}.flac"
            problems.add("Missing files", place, f"{listed} names these; looked in {looked}. {layout.words}")
    note_classes(problems, [LABELS[trial.key] for trial in trials], _TWO_CLASSES)
    problems.raise_any()

    names = list(dict.fromkeys(["speaker", "system", *trials[0].columns]))
    groups = {name: np.array([trial.columns[name] for trial in trials], dtype=str) for name in names}
    title = f"{title}: {len(trials)} of {n_lines} trials of {listed}{_condition(where)}."
    target = np.array([LABELS[trial.key] for trial in trials])
    recordings = [found[trial.utterance] for trial in trials]
    return corpus(recordings, target, groups, title, return_X_y=return_X_y)


def _condition(where: Mapping[str, object]) -> str:
    return f", where {dict(where)}" if where else ""


def _protocol(root: Path, layout: Layout, problems: Problems) -> Path:
    for name in layout.protocols:
        if is_file(root / name):
            return root / name
    problems.add("No protocol", " or ".join(layout.protocols), layout.words)
    return root


def _folders(root: Path, patterns: Sequence[str]) -> list[Path]:
    found = [path for pattern in patterns for path in sorted(root.glob(pattern)) if path.is_dir()]
    return list(dict.fromkeys(found))


def _kept(trials: list[Trial], where: Mapping[str, object], problems: Problems) -> list[Trial]:
    columns = trials[0].columns
    for column in where:
        if column not in columns:
            problems.add("Columns that the protocol lacks", repr(column), f"It has {shortened(columns)}.")
    problems.raise_any()
    kept = trials
    for column, value in where.items():
        several = isinstance(value, Iterable) and not isinstance(value, str)
        allowed = {str(one) for one in value} if several else {str(value)}  # type: ignore[attr-defined]  # mypy loses the test
        kept = [trial for trial in kept if trial.columns[column] in allowed]
    if not kept:
        for column in where:
            present = shortened(sorted(Counter(trial.columns[column] for trial in trials)))
            problems.add(
                f"No trial matches where={dict(where)}", f"{column!r} holds {present}", "Ask for these."
            )
    return kept
