"""Labels in a table, or in a bare list."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from voicelstm.datasets._bare_list import bare_labels, check_order, files_of_labels
from voicelstm.datasets._corpus import as_target, corpus, note_classes
from voicelstm.datasets._files import note_duplicates
from voicelstm.datasets._frame import frame_records, is_frame
from voicelstm.datasets._names import FileFinder
from voicelstm.datasets._problems import Problems, shortened
from voicelstm.datasets._records import Records
from voicelstm.datasets._table import Format, read_table, read_text

__all__ = ["load_csv"]

_TWO_CLASSES = "A detector needs recordings of both, human and synthetic."


def load_csv(
    path: Any,
    *,
    audio_dir: str | os.PathLike[str] | None = None,
    path_column: str = "path",
    label_column: str = "label",
    delimiter: str | None = None,
    quoting: bool = True,
    columns: Sequence[str | None] | None = None,
    labels: Mapping[Any, Any] | None = None,
    where: Mapping[str, object] | None = None,
    order: str | None = None,
    return_X_y: bool = False,
) -> Any:
    """Load recordings whose labels stand in a table, or in a bare list.

    Parameters
    ----------
    path : str, path-like or data frame
        A pandas data frame, or a text file in UTF-8 or UTF-16, with or without a byte-order mark, of one of
        two kinds:

        - a table, whose header line or `columns` names its columns;
        - a bare list of whole numbers such as 1 and 0, each of which may have decimals (``0.0``): one on
          each line, as :func:`numpy.savetxt` writes them, or all on one line between commas or blanks, with
          or without brackets (``[[0], [1]]``); or labels of any kind in one column headed `label_column`.
          Before each there may be its number, from 0 on, as pandas writes a Series; with a header, which
          calls it nothing, ``index`` or ``row``, also from 1 on. Labels belong to the audio files of
          `audio_dir` (not of its sub-folders; the extensions are those of :func:`load_folder`) in the order
          that `order` says.
    audio_dir : str or path-like, default=None
        Folder that relative paths start from, and in which a bare list's recordings lie. If None, the folder
        of `path`, or of a data frame the working directory.
    path_column, label_column : str, default="path" and "label"
        Columns of the recordings' paths and of their labels.
    delimiter : str, default=None
        Text between two cells, such as ``"|"``. A blank stands for any run of blanks and tabs. If None, the
        one of comma, semicolon, tab and pipe that finds the columns.
    quoting : bool, default=True
        Whether a cell that holds the delimiter or the end of a line stands between double quotes. If False,
        each line is a row, quotes are part of the text, and the delimiter may be several characters.
    columns : sequence of str or None, default=None
        Names of the columns, first to last, of a file that has no header. None in the sequence skips a
        column.
    labels : dict, default=None
        Each label of the table to the one that takes its place, such as
        ``{"bonafide": "human", "spoof": "synthetic"}``. Compared as strings. A label that is not in it is an
        error.
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
        - ``target`` : ndarray of shape (n_recordings,). Labels as given, or as `labels` has them; integers
          where every one is a whole number, all written as ``1`` or all with decimals as ``1.0``.
        - ``groups`` : dict of str to ndarray of shape (n_recordings,). Every further column, as strings.
        - ``DESCR`` : str.

    Raises
    ------
    DatasetError
        If a column is unknown; or a path or label is empty, a file is missing or stands twice, a line has
        more or fewer cells than the header, no row is left, or only one class; or a label is "nan" or not in
        `labels`, or labels differ only in case, hyphens, blanks or the spelling of a number; or a bare list
        is longer or shorter than the folder; or `order` is given for a table. All of it is in one message,
        with the lines, and with the parameters that read the table if its columns have other names.
    ValueError
        If `order` is none of these; or `delimiter` is empty, or of several characters while `quoting` is
        True; or `delimiter`, `quoting` or `columns` are given with a data frame.
    TypeError
        If `path` is neither a path nor a data frame, such as a Series.

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

    A file without a header, whose labels have other names:

    >>> rows = '''a.wav|real
    ... b.wav|fake
    ... '''
    >>> with TemporaryDirectory() as folder:
    ...     for name in ("a.wav", "b.wav"):
    ...         Path(folder, name).touch()
    ...     _ = Path(folder, "labels.txt").write_text(rows)
    ...     corpus = load_csv(
    ...         Path(folder, "labels.txt"),
    ...         delimiter="|",
    ...         columns=["path", "label"],
    ...         labels={"real": "human", "fake": "synthetic"},
    ...     )
    >>> corpus.target.tolist()
    ['human', 'synthetic']
    """
    check_order(order)
    if delimiter is not None and (not delimiter or (quoting and len(delimiter) > 1)):
        raise ValueError(
            f"delimiter={delimiter!r}: one character is needed; several are read with quoting=False."
        )
    required = {path_column: "path_column", label_column: "label_column"}
    if is_frame(path):
        if delimiter is not None or not quoting or columns is not None:
            raise ValueError("delimiter, quoting and columns are for text files: a data frame has columns.")
        source, folder = "The data frame", Path() if audio_dir is None else Path(audio_dir)
        problems = Problems(source)
        records = frame_records(path, required, where or {}, problems)
    elif not isinstance(path, str | os.PathLike):
        raise TypeError(f"path is of type {type(path).__name__}: expected a path or a data frame.")
    else:
        source, folder = str(Path(path)), Path(path).parent if audio_dir is None else Path(audio_dir)
        problems = Problems(source)
        text = read_text(Path(path), problems)
        bare = None if columns is not None else bare_labels(text, path_column, label_column, problems)
        if bare is not None:
            if where:
                remedy = "A bare list of labels has no columns: leave `where` out."
                problems.add("`where` without columns", shortened(where), remedy)
            found = _relabelled(bare, labels, "label {}".format, problems)
            recordings = files_of_labels(Path(path), folder, found, order, problems)
            note_classes(problems, found, _TWO_CLASSES, is_whole=all(found))
            problems.raise_any()
            by = f"in {order or 'natural'} order"
            title = f"{source}: a bare list of labels, for the audio files of {folder} {by}."
            return corpus(recordings, as_target(found), {}, title, return_X_y=return_X_y)
        records = read_table(text, required, where or {}, problems, Format(delimiter, quoting, columns))
    is_whole = not problems
    if order is not None:
        remedy = "A table says which label belongs to which file: leave `order` out."
        problems.add("`order` without a bare list", repr(order), remedy)
    n_rows = len(records.lines)
    records = records.where(where or {}, problems)
    recordings = _located(records, path_column, folder, problems)
    found = _labels(records, label_column, labels, problems)
    note_classes(problems, found, _TWO_CLASSES, is_whole=is_whole and all(found))
    problems.raise_any()
    groups = {
        column: np.array(cells, dtype=str)
        for column, cells in records.columns.items()
        if column and column not in required
    }
    title = f"{source}: {len(records.lines)} of {n_rows} rows{f', where {dict(where)}' if where else ''}."
    return corpus(recordings, as_target(found), groups, title, return_X_y=return_X_y)


def _labels(
    records: Records, column: str, mapping: Mapping[Any, Any] | None, problems: Problems
) -> list[str]:
    labels = records.columns[column]
    for at, label in enumerate(labels):
        if not label:
            problems.add("Rows without a label", records.place(at), f"Fill the column {column!r}.")
    return _relabelled(labels, mapping, records.place, problems)


def _relabelled(
    labels: list[str],
    mapping: Mapping[Any, Any] | None,
    place: Callable[[int], str],
    problems: Problems,
) -> list[str]:
    """Return what a mapping has for each label; "" for those that it lacks, which are noted."""
    if mapping is None:
        return labels
    texts = {str(label): str(other) for label, other in mapping.items()}
    for at, label in enumerate(labels):
        if label and label not in texts:
            remedy = (
                f"The parameter labels has {shortened(texts)}: add the others, or leave rows out by where."
            )
            problems.add("Unknown labels", f"{place(at)}: {label!r}", remedy)
    return [texts.get(label, "") for label in labels]


def _located(records: Records, column: str, folder: Path, problems: Problems) -> list[str]:
    recordings: list[str] = []
    existing: list[tuple[Path, str]] = []
    finder = FileFinder()
    for at, cell in enumerate(records.columns[column]):
        file = finder.find(folder, cell) if cell else None
        if file is not None:
            recordings.append(str(file))
            existing.append((file, f"{records.place(at)}: {cell}"))
        elif cell:
            remedy = f"Relative paths start at {folder.absolute()}; audio_dir changes that."
            problems.add("Missing files", f"{records.place(at)}: {cell}", remedy)
        else:
            problems.add("Rows without a path", records.place(at), f"Fill the column {column!r}.")
    note_duplicates(problems, existing)
    return recordings
