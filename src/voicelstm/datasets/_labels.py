"""Labels in a table, or in a bare list."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from voicelstm.datasets._bare_list import bare_labels, check_order, files_of_labels
from voicelstm.datasets._corpus import as_target, corpus, note_classes
from voicelstm.datasets._files import note_duplicates
from voicelstm.datasets._names import FileFinder
from voicelstm.datasets._problems import Problems, shortened
from voicelstm.datasets._table import Table, read_table, read_text

__all__ = ["load_csv"]

_TWO_CLASSES = "A detector needs recordings of both, human and synthetic."


def load_csv(
    path: str | os.PathLike[str],
    *,
    audio_dir: str | os.PathLike[str] | None = None,
    path_column: str = "path",
    label_column: str = "label",
    where: Mapping[str, object] | None = None,
    order: str | None = None,
    return_X_y: bool = False,
) -> Any:
    """Load recordings whose labels stand in a table, or in a bare list.

    Parameters
    ----------
    path : str or path-like
        A text file in UTF-8 or UTF-16, with or without a byte-order mark, of one of two kinds:

        - a table with a header line, separated by commas, semicolons or tabs;
        - a bare list of whole numbers such as 1 and 0, each of which may have decimals (``0.0``): one on
          each line, as :func:`numpy.savetxt` writes them, or all on one line between commas or blanks, with
          or without brackets (``[[0], [1]]``); or labels of any kind in one column headed `label_column`.
          Before each there may be its number, from 0 or 1 on, as pandas writes a Series. Labels belong to
          the audio files of `audio_dir` (not of its sub-folders; the extensions are those of
          :func:`load_folder`) in the order that `order` says.
    audio_dir : str or path-like, default=None
        Where relative paths start, and where a bare list's recordings lie. None is the folder of `path`.
    path_column, label_column : str, default="path" and "label"
        Columns of the recordings' paths and of their labels.
    where : dict of str to object, default=None
        Which rows to keep: column name to the value that it must have, or to a list, tuple or set of values
        of which it must have one. Compared as strings. Rows that are left out are not looked at further:
        their files need not exist.
    order : {"natural", "name"} or None, default=None
        Order of the files that a bare list belongs to. "natural": ``2.wav`` before ``10.wav``, upper and
        lower case alike. "name": ``10.wav`` before ``2.wav``, as Windows lists a folder (NTFS: characters in
        upper case, by their codes), and so as ``os.listdir`` gave the files to whoever wrote the list there.
        If None, natural, with a :class:`~voicelstm.exceptions.DatasetWarning` if a label would move. On other
        systems ``os.listdir`` has no order that could be known afterwards.
    return_X_y : bool, default=False
        Return ``(recordings, target)`` instead of a Bunch.

    Returns
    -------
    :class:`~sklearn.utils.Bunch`
        - ``recordings`` : list of str. Paths in the table's order. None was opened.
        - ``target`` : ndarray of shape (n_recordings,). Labels as given; integers where every one is a whole
          number, all written as ``1`` or all with decimals as ``1.0``.
        - ``groups`` : dict of str to ndarray of shape (n_recordings,). Every further column, as strings.
        - ``DESCR`` : str.

    Raises
    ------
    ValueError
        If `order` is none of these.
    DatasetError
        If a column is unknown; or a path or label is empty, a file is missing or stands twice, a line has
        more or fewer cells than the header, no row is left, or only one class; or a label is "nan", or labels
        differ only in case, hyphens, blanks or the spelling of a number; or a bare list is longer or shorter
        than the folder; or `order` is given for a table. All of it is in one message, with the lines, and
        with the parameters that read the table if its columns have other names.

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
    check_order(order)
    source = Path(path)
    folder = source.parent if audio_dir is None else Path(audio_dir)
    problems = Problems(str(source))
    text = read_text(source, problems)
    groups: dict[str, np.ndarray] = {}
    listed = bare_labels(text, path_column, label_column, problems)
    if listed is not None:
        if where:
            remedy = "A bare list of labels has no columns: leave `where` out."
            problems.add("`where` without columns", shortened(where), remedy)
        labels = listed
        recordings = files_of_labels(source, folder, labels, order, problems)
        title = (
            f"{source}: a bare list of labels, for the audio files of {folder} in {order or 'natural'} order."
        )
    else:
        if order is not None:
            remedy = "A table says which label belongs to which file: leave `order` out."
            problems.add("`order` without a bare list", repr(order), remedy)
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
