"""Labels in a table, or in a bare list."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from voicelstm.datasets._corpus import as_target, corpus, note_classes
from voicelstm.datasets._files import audio_files, note_duplicates, note_unreadable
from voicelstm.datasets._names import FileFinder
from voicelstm.datasets._problems import Problems, shortened
from voicelstm.datasets._table import Table, read_table, read_text

__all__ = ["load_csv"]

_BARE_LIST = re.compile(r"[\s,;]*[+-]?[0-9]+(?:[\s,;]+[+-]?[0-9]+)*[\s,;]*")
_TWO_CLASSES = "A detector needs recordings of both, human and synthetic."


def load_csv(
    path: str | os.PathLike[str],
    *,
    audio_dir: str | os.PathLike[str] | None = None,
    path_column: str = "path",
    label_column: str = "label",
    where: Mapping[str, object] | None = None,
    return_X_y: bool = False,
) -> Any:
    """Load recordings whose labels stand in a table, or in a bare list.

    Parameters
    ----------
    path : str or path-like
        A text file in UTF-8 or UTF-16, with or without a byte-order mark, of one of two kinds:

        - a table with a header line, separated by commas, semicolons or tabs;
        - a bare list of integers such as 1 and 0, without a header: one on each line, or all on one line
          between commas or blanks. They belong to the audio files of `audio_dir` (not of its sub-folders;
          the extensions are those of :func:`load_folder`) in *natural* order: ``clip2`` before ``clip10``,
          upper and lower case alike.
    audio_dir : str or path-like, default=None
        Where relative paths start, and where a bare list's recordings lie. None is the folder of `path`.
    path_column, label_column : str, default="path" and "label"
        Columns of the recordings' paths and of their labels.
    where : dict of str to object, default=None
        Which rows to keep: column name to the value that it must have, or to a list, tuple or set of values
        of which it must have one. Compared as strings. Rows that are left out are not looked at further:
        their files need not exist.
    return_X_y : bool, default=False
        Return ``(recordings, target)`` instead of a Bunch.

    Returns
    -------
    :class:`~sklearn.utils.Bunch`
        - ``recordings`` : list of str. Paths in the table's order. None was opened.
        - ``target`` : ndarray of shape (n_recordings,). Labels as given; integers where every one is.
        - ``groups`` : dict of str to ndarray of shape (n_recordings,). Every further column, as strings.
        - ``DESCR`` : str.

    Raises
    ------
    DatasetError
        If a column is unknown; or a path or label is empty, a file is missing or stands twice, a line has
        more or fewer cells than the header, no row is left, or only one class; or a label is "nan", or labels
        differ only in case, hyphens, blanks or the spelling of a number; or a bare list is longer or shorter
        than the folder. All of it is in one message, with the lines, and with the parameters that read the
        table if its columns have other names.

    See Also
    --------
    load_folder : Labels that are names of folders.

    Notes
    -----
    Blanks around a cell are dropped. A path written with backslashes is also tried with slashes, and one
    that differs from the file's name only in Unicode normalisation ("é" as one character or as two) is found.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from voicelstm.datasets import load_csv
    >>> table = '''path,label,speaker,subset
    ... a.wav,human,ana,train
    ... b.wav,synthetic,ana,train
    ... c.wav,human,ben,test
    ... '''
    >>> with TemporaryDirectory() as folder:
    ...     for name in ("a.wav", "b.wav"):
    ...         Path(folder, name).touch()
    ...     _ = Path(folder, "labels.csv").write_text(table)
    ...     corpus = load_csv(Path(folder, "labels.csv"), where={"subset": "train"})
    >>> corpus.target.tolist()
    ['human', 'synthetic']
    >>> corpus.groups["speaker"].tolist()
    ['ana', 'ana']
    """
    source = Path(path)
    folder = source.parent if audio_dir is None else Path(audio_dir)
    problems = Problems(str(source))
    text = read_text(source, problems)
    groups: dict[str, np.ndarray] = {}
    if _BARE_LIST.fullmatch(text):
        labels = _bare_list(text, where, problems)
        recordings = _in_folder_order(folder, labels, problems)
        title = f"{source}: a bare list of labels, for the audio files of {folder} in natural order."
    else:
        required = {path_column: "path_column", label_column: "label_column"}
        table = read_table(text, required, where or {}, problems)
        recordings = _located(table, path_column, folder, problems)
        labels = _labels(table, label_column, problems)
        for column in table.columns:
            if column not in (path_column, label_column):
                groups[column] = np.array([row.cells[column] for row in table.rows], dtype=str)
        title = (
            f"{source}: {len(table.rows)} of {table.n_rows} rows{f', where {dict(where)}' if where else ''}."
        )
    note_classes(problems, labels, _TWO_CLASSES)
    problems.raise_any()
    return corpus(recordings, as_target(labels), groups, title, return_X_y=return_X_y)


def _labels(table: Table, column: str, problems: Problems) -> list[str]:
    labels = [row.cells[column] for row in table.rows]
    for row, label in zip(table.rows, labels, strict=True):
        if not label:
            problems.add("Rows without a label", f"line {row.line}", f"Fill the column {column!r}.")
    return labels


def _located(table: Table, column: str, folder: Path, problems: Problems) -> list[str]:
    recordings: list[str] = []
    existing: list[tuple[Path, str]] = []
    finder = FileFinder()
    for row in table.rows:
        cell = row.cells[column]
        file = finder.find(folder, cell)
        if file is not None:
            recordings.append(str(file))
            existing.append((file, f"line {row.line}: {cell}"))
        elif cell:
            remedy = f"Relative paths start at {folder.absolute()}; audio_dir changes that."
            problems.add("Missing files", f"line {row.line}: {cell}", remedy)
        else:
            problems.add("Rows without a path", f"line {row.line}", f"Fill the column {column!r}.")
    note_duplicates(problems, existing)
    return recordings


def _bare_list(text: str, where: Mapping[str, object] | None, problems: Problems) -> list[str]:
    if where:
        remedy = "A bare list of labels has no columns: leave `where` out."
        problems.add("`where` without columns", shortened(where), remedy)
    lines = [re.findall(r"[+-]?[0-9]+", line) for line in text.splitlines()]
    lines = [line for line in lines if line]
    if len(lines) > 1 and any(len(line) > 1 for line in lines):
        remedy = "Without a header this is a list: one label on each line, or all on one line."
        problems.add("Several numbers on several lines", f"{len(lines)} lines", remedy)
    return [label for line in lines for label in line]


def _in_folder_order(folder: Path, labels: list[str], problems: Problems) -> list[str]:
    if not folder.is_dir():
        problems.add("There is no such folder", str(folder.absolute()), "Check audio_dir.")
        return []
    files = audio_files(folder, recursive=False)
    if len(files) != len(labels):
        problems.add(
            "Labels and recordings differ in number",
            f"{len(labels)} labels, {len(files)} audio files in {folder.absolute()}",
            "A list without paths must have one label for each; audio_dir names another folder.",
        )
    note_unreadable(problems, ((file, file.name) for file in files))
    note_duplicates(problems, ((file, file.name) for file in files))
    return [str(file) for file in files]
