"""A folder per class."""

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from voicelstm.audio import MOST_LISTED
from voicelstm.datasets._corpus import as_target, corpus, note_classes
from voicelstm.datasets._files import (
    left_out_text,
    natural_key,
    note_duplicates,
    note_unreadable,
    recordings_in,
)
from voicelstm.datasets._layout import note_splits
from voicelstm.datasets._problems import Problems
from voicelstm.exceptions import AudioWarning

__all__ = ["load_folder"]

_LAYOUT = "One sub-folder per class is expected, such as human/ and synthetic/, each with audio in it."


def load_folder(
    path: str | os.PathLike[str], *, ignore: str | Sequence[str] = (), return_X_y: bool = False
) -> Any:
    """Load recordings that lie in one sub-folder per class.

    Parameters
    ----------
    path : str or path-like
        The folder that holds the sub-folders. A sub-folder's name is the label of every recording in it,
        however deep. Files count as recordings by their content, whatever their names: sound, or a film with
        an audio track. A file that is called as sound is and holds none counts, too, and fails when it is
        read. Everything else is left out with an :class:`~voicelstm.exceptions.AudioWarning` that names it,
        and so are recordings beside the sub-folders; whatever starts with a dot is passed over.
    ignore : str or sequence of str, default=()
        Patterns of files that are meant to be left out, such as ``"*.txt"`` or ``"human/notes/*"``, without a
        warning: of names, or of paths from the folder on.
    return_X_y : bool, default=False
        Return ``(recordings, target)`` instead of a Bunch.

    Returns
    -------
    :class:`~sklearn.utils.Bunch`
        - ``recordings`` : list of str. Paths, class by class, each class in natural order (``clip2`` before
          ``clip10``).
        - ``target`` : ndarray of shape (n_recordings,). Names of the sub-folders; integers where every
          name is one.
        - ``groups`` : dict of str to ndarray. ``"folder"`` is the path from the class's folder to the
          recording's, with slashes, ``""`` where there is none in between: often the speaker.
        - ``left_out`` : list of str. Files that were left out, each with what it is.
        - ``DESCR`` : str.

    Raises
    ------
    DatasetError
        If there is no such folder, it has fewer than two sub-folders, one of them holds no audio, their names
        differ only in case, hyphens, blanks or the spelling of a number, or links make one file appear twice.
        Also if the sub-folders are those of a split, such as training and testing, with the same classes
        below each. All of it is in one message.

    See Also
    --------
    load_csv : Labels in a table.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from voicelstm.datasets import load_folder
    >>> with TemporaryDirectory() as folder:
    ...     for name in ("human/ana/1.wav", "human/ben/1.wav", "synthetic/tts/1.wav"):
    ...         file = Path(folder, name)
    ...         file.parent.mkdir(parents=True)
    ...         file.touch()
    ...     corpus = load_folder(folder)
    >>> corpus.target.tolist()
    ['human', 'human', 'synthetic']
    >>> corpus.groups["folder"].tolist()
    ['ana', 'ben', 'tts']
    """
    root = Path(path)
    problems = Problems(str(root))
    if not root.is_dir():
        kind = "This is a file" if root.exists() else "There is no such folder"
        problems.add(kind, str(root.absolute()), f"{_LAYOUT} load_csv reads a table of labels.")
        problems.raise_any()

    patterns = [ignore] if isinstance(ignore, str) else list(ignore)
    entries = [entry for entry in root.iterdir() if not entry.name.startswith(".")]
    classes = sorted(
        (entry for entry in entries if entry.is_dir()), key=lambda entry: natural_key(entry.name)
    )
    listing = recordings_in(root, patterns)
    beside = [file for file in listing.recordings if file.parent == root]
    left_out = [(file, "a recording beside the folders, which has no class") for file in beside]
    left_out += listing.left_out
    found = [
        (root / file.relative_to(root).parts[0], file) for file in listing.recordings if file.parent != root
    ]
    recordings = [str(file) for _, file in found]
    labels = [folder.name for folder, _ in found]

    if not classes:
        problems.add("No sub-folders", f"{len(beside)} audio files lie loose", _LAYOUT)
    for empty in sorted({folder.name for folder in classes} - set(labels)):
        problems.add(
            "Classes without audio",
            f"{empty}/",
            "No file in these folders is a recording: fill or move them.",
        )
    below: dict[str, set[str]] = {folder.name: set() for folder in classes}
    for folder, file in found:
        below[folder.name].update(file.relative_to(folder).parts[:-1][:1])
    note_splits(problems, str(root), below)
    note_classes(problems, labels, _LAYOUT)
    note_unreadable(problems, ((file, file.relative_to(root).as_posix()) for _, file in found))
    note_duplicates(problems, ((file, file.relative_to(root).as_posix()) for _, file in found))
    problems.raise_any()

    between = [file.parent.relative_to(folder).as_posix() for folder, file in found]
    groups = {"folder": np.array(["" if part == "." else part for part in between], dtype=str)}
    title = f"{root}: one folder per class."
    if left_out:
        title += f" Files that are left out: {len(left_out)}."
        warnings.warn(_text(root, left_out), AudioWarning, stacklevel=2)
    bunch = corpus(recordings, as_target(labels), groups, title, return_X_y=return_X_y)
    if not return_X_y:
        bunch["left_out"] = [f"{file}: {what}" for file, what in left_out]
    return bunch


def _text(root: Path, left_out: list[tuple[Path, str]]) -> str:
    """Count and name the files that are left out."""
    are = "1 file is" if len(left_out) == 1 else f"{len(left_out)} files are"
    listed = left_out_text([(file.relative_to(root), found) for file, found in left_out], MOST_LISTED)
    return (
        f"{root}: {are} left out:\n{listed}\nMove them, or set ignore to patterns of what is meant to be left"
        " out."
    )
