"""A folder per class."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from voicelstm.datasets._corpus import as_target, corpus, note_classes
from voicelstm.datasets._files import (
    AUDIO_EXTENSIONS,
    audio_files,
    is_audio,
    natural_key,
    note_duplicates,
    note_unreadable,
)
from voicelstm.datasets._layout import note_splits
from voicelstm.datasets._problems import Problems

__all__ = ["load_folder"]

_LAYOUT = "One sub-folder per class is expected, such as human/ and synthetic/, each with audio in it."


def load_folder(path: str | os.PathLike[str], *, return_X_y: bool = False) -> Any:
    """Load recordings that lie in one sub-folder per class.

    Parameters
    ----------
    path : str or path-like
        The folder that holds the sub-folders. A sub-folder's name is the label of every recording in it,
        however deep. Files count as recordings by their extension, in either case: ``.aif``, ``.aifc``,
        ``.aiff``, ``.au``, ``.caf``, ``.flac``, ``.mp3``, ``.oga``, ``.ogg``, ``.opus``, ``.rf64``,
        ``.snd``, ``.w64``, ``.wav``. Everything else, and whatever starts with a dot, is passed over.
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

    entries = [entry for entry in root.iterdir() if not entry.name.startswith(".")]
    classes = sorted(
        (entry for entry in entries if entry.is_dir()), key=lambda entry: natural_key(entry.name)
    )
    loose = [entry.name for entry in entries if entry.is_file() and is_audio(entry)]
    found = [(folder, file) for folder in classes for file in audio_files(folder, recursive=True)]
    recordings = [str(file) for _, file in found]
    labels = [folder.name for folder, _ in found]

    if not classes:
        problems.add("No sub-folders", f"{len(loose)} audio files lie loose", _LAYOUT)
    for empty in sorted({folder.name for folder in classes} - set(labels)):
        extensions = " ".join(sorted(AUDIO_EXTENSIONS))
        problems.add(
            "Classes without audio", f"{empty}/", f"Fill or move these folders. Audio is {extensions}."
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
    if loose:
        title += f" Audio beside the folders has no class and is left out: {len(loose)}."
    return corpus(recordings, as_target(labels), groups, title, return_X_y=return_X_y)
