"""Recordings that folders list, with what their names say."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from voicelstm.datasets._corpus import corpus, note_classes
from voicelstm.datasets._files import audio_paths, natural_key, note_duplicates, note_unreadable
from voicelstm.datasets._problems import Problems

__all__ = ["Gathered", "sub_folders"]

_TWO_CLASSES = "A detector needs recordings of both, human and synthetic."


class Gathered:
    """Recordings, which of them are human, and their groups, by the names given."""

    def __init__(self, *groups: str) -> None:
        self._groups = groups
        self._recordings: list[str] = []
        self._human: list[bool] = []
        self._rows: list[tuple[str, ...]] = []

    def files(self, folder: Path, problems: Problems, laid_out: str, *, recursive: bool = False) -> list[str]:
        """List the audio files of a folder; note it if there are none."""
        found = audio_paths(folder, recursive=recursive) if folder.is_dir() else []
        if not found:
            problems.add("Folders that are missing or without audio", f"{folder}/", laid_out)
        return found

    def add(self, file: str, human: bool, *values: str) -> None:
        """Add a recording with a value for each group."""
        self._recordings.append(file)
        self._human.append(human)
        self._rows.append(values)

    def as_corpus(self, problems: Problems, title: str, *, return_X_y: bool) -> Any:
        """Return the Bunch, or ``(recordings, target)``; raise what is wrong."""
        columns = list(zip(*self._rows, strict=True)) or [()] * len(self._groups)
        groups = {
            name: np.array(values, dtype=str) for name, values in zip(self._groups, columns, strict=True)
        }
        target = np.where(self._human, "human", "synthetic")
        links = [file for file in self._recordings if os.path.islink(file)]  # noqa: PTH114  # of a million, faster
        note_unreadable(problems, ((Path(file), file) for file in links))
        note_duplicates(problems, ((file, file) for file in self._recordings))
        note_classes(problems, target.tolist(), _TWO_CLASSES)
        problems.raise_any()
        return corpus(self._recordings, target, groups, title, return_X_y=return_X_y)


def sub_folders(root: Path, pattern: str, problems: Problems, laid_out: str) -> list[Path]:
    """Return the folders below one that match a pattern, in natural order; note it if there are none."""
    found = [path for path in root.glob(pattern) if path.is_dir() and not path.name.startswith(".")]
    if not root.is_dir():
        problems.add("There is no such folder", str(root.absolute()), laid_out)
    elif not found:
        problems.add("No such folders", f"{root.absolute()}/{pattern}", laid_out)
    return sorted(found, key=lambda path: natural_key(path.name))
