"""MLAAD: a table beside the clips of each language and system, and human readers from another corpus."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path, PureWindowsPath
from typing import Any

import numpy as np

from voicelstm.datasets._corpus import corpus, note_classes
from voicelstm.datasets._files import audio_paths, note_duplicates
from voicelstm.datasets._gathered import sub_folders
from voicelstm.datasets._problems import Problems, shortened
from voicelstm.datasets._protocol import FolderIndex, header_table
from voicelstm.datasets._records import Records
from voicelstm.datasets._table import Format
from voicelstm.exceptions import DatasetError

__all__ = ["load_mlaad"]

_TWO_CLASSES = "A detector needs recordings of both, human and synthetic."
_LAYOUT = (
    "MLAAD is laid out as fake/LANGUAGE/SYSTEM/meta.csv with *.wav beside it; path is the folder that holds "
    "fake/. The human side is a download of its own: M-AILABS, as LANGUAGE/by_book/GENDER/READER/BOOK/wavs/."
)
_COLUMNS = {
    "path": "path",
    "original_file": "original",
    "language": "language",
    "model_name": "system",
    "architecture": "architecture",
}
_GROUPS = ("system", "architecture", "language", "speaker", "utterance", "reference_speaker")


def load_mlaad(
    path: str | os.PathLike[str],
    *,
    human: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    where: Mapping[str, object] | None = None,
    return_X_y: bool = False,
) -> Any:
    """Load MLAAD, speech of more than a hundred systems in many languages, from a local copy.

    It is had at https://huggingface.co/datasets/mueller91/MLAAD upon request, under CC BY-NC 4.0, its human
    side, M-AILABS, at https://github.com/i-celeste-aurora/m-ailabs-dataset. Nothing is downloaded.

    Parameters
    ----------
    path : str or path-like
        The folder that holds ``fake/``, or ``fake/`` itself. In it::

            fake/de/griffin_lim/meta.csv          a table between pipes, quotes are part of its text
            fake/de/griffin_lim/*.wav
    human : str or path-like, or a sequence of them
        The recordings whose sentences were spoken again, which MLAAD does not hold: the folder of M-AILABS or
        of some of its languages. All that is audio in them counts.
    where : dict of str to object, default=None
        Which clips to keep, as for :func:`load_csv`, by group: ``{"language": ["de", "en"]}``. The files of
        others need not be there.
    return_X_y : bool, default=False
        Return ``(recordings, target)`` instead of a Bunch.

    Returns
    -------
    :class:`~sklearn.utils.Bunch`
        - ``recordings`` : list of str. Paths, human ones first, then table by table.
        - ``target`` : ndarray of shape (n_recordings,). "human" or "synthetic".
        - ``groups`` : dict of str to ndarray of shape (n_recordings,). ``"system"``: "human" or the table's
          model; ``"architecture"``: "human" or the table's; ``"language"``: the table's, of a human recording
          the first letters of ``de_DE``; ``"speaker"``: the reader of the human recording, or of the one
          whose sentence a synthetic clip says, in another voice; ``"utterance"``: the name of that recording,
          the same for it and for all clips made after it, which belong on one side of a split; and
          ``"reference_speaker"`` if tables have it.
        - ``DESCR`` : str.

    Raises
    ------
    DatasetError
        If folders, tables or recordings are missing, columns are others, rows stand twice, no clip is left,
        or only one class. One message has all tables and lines, and says how the corpus is laid out.

    References
    ----------
    .. [1] N. M. Müller et al., "MLAAD: the multi-language audio anti-spoofing dataset", IJCNN 2024.
       https://arxiv.org/abs/2401.09512

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from voicelstm.datasets import load_mlaad
    >>> table = '''path|original_file|language|model_name|architecture|transcript
    ... ./fake/de/bark/a_1.wav|de_DE/by_book/female/ana/a/wavs/a_1.wav|de|suno/bark|bark|Er sprach: "Ja
    ... '''
    >>> with TemporaryDirectory() as folder:
    ...     files = {
    ...         "MLAAD/fake/de/bark/meta.csv": table,
    ...         "MLAAD/fake/de/bark/a_1.wav": "",
    ...         "M-AILABS/de_DE/by_book/female/ana/a/wavs/a_1.wav": "",
    ...     }
    ...     for name, text in files.items():
    ...         Path(folder, name).parent.mkdir(parents=True, exist_ok=True)
    ...         _ = Path(folder, name).write_text(text)
    ...     corpus = load_mlaad(Path(folder, "MLAAD"), human=Path(folder, "M-AILABS"))
    >>> corpus.groups["system"].tolist()
    ['human', 'suno/bark']
    >>> corpus.groups["speaker"].tolist()
    ['ana', 'ana']
    """
    root = Path(path) / "fake"
    root = root if root.is_dir() else Path(path)
    problems = Problems(str(root))
    sides = [Path(folder) for folder in ([human] if isinstance(human, str | os.PathLike) else human)]
    tables = _tables(root, problems)
    parts = [_human_side(folder, problems) for folder in sides]
    parts += [_with_groups(_read(table, problems), table) for table in tables]
    is_whole = not problems
    has_reference = any("reference_speaker" in part.columns for part in parts)
    groups = [name for name in _GROUPS if name != "reference_speaker" or has_reference]
    lacking = [column for column in where or {} if column not in groups]
    for column in lacking:
        problems.add("Columns that the corpus lacks", repr(column), f"It has {shortened(groups)}.")
    if lacking:
        problems.raise_any()
    columns: dict[str, list[str]] = {name: [] for name in ("file", *groups)}
    index = FolderIndex([Path()])
    for part in parts:
        records = part.adding(**{"reference_speaker": [""] * len(part.lines), **part.columns})
        kept = records.where(where or {}, Problems(""))  # other parts may have what this one lacks
        for at, file in enumerate(kept.columns["file"]):
            if index.find(file) is None:
                problems.add("Missing files", f"{kept.place(at)}: {file}" if kept.before else file, _LAYOUT)
        for name, values in columns.items():
            values.extend(kept.columns[name])
    n_clips = sum(len(part.lines) for part in parts)
    recordings = columns.pop("file")
    if n_clips and not recordings:
        problems.add(f"No clip matches where={where}", f"{n_clips} clips", "Ask for groups that there are.")
    target = np.where(np.array(columns["system"], dtype=str) == "human", "human", "synthetic")
    note_duplicates(problems, ((file, file) for file in recordings))
    note_classes(problems, target.tolist(), _TWO_CLASSES, is_whole=is_whole)
    problems.raise_any()
    title = (
        f"MLAAD: {len(recordings)} of {n_clips} clips of {root} and {', '.join(map(str, sides))}"
        f"{f', where {dict(where)}' if where else ''}."
    )
    arrays = {name: np.array(values, dtype=str) for name, values in columns.items()}
    return corpus(recordings, target, arrays, title, return_X_y=return_X_y)


def _tables(root: Path, problems: Problems) -> list[Path]:
    """Return the table of each language's systems; note folders that have none."""
    tables = []
    for language in sub_folders(root, "*", problems, _LAYOUT):
        for system in sub_folders(language, "*", problems, _LAYOUT):
            table = system / "meta.csv"
            if table.is_file():
                tables.append(table)
            else:
                problems.add("Folders without a table", str(system), _LAYOUT)
    return tables


def _read(table: Path, problems: Problems) -> Records:
    """Read a table; one that cannot be read is noted, and has no rows."""
    name, own = str(Path(*table.parts[-3:])), Problems(str(table))
    read = header_table(_COLUMNS, Format(delimiter="|", quoting=False), further=True)
    try:
        records = read(table, own)
    except DatasetError:  # raised of what is noted
        records = Records({column: [] for column in _COLUMNS.values()}, [])
    first: dict[str, int] = {}
    for at, clip in enumerate(records.columns["path"]):
        if first.setdefault(clip, at) != at:
            place = f"{records.place(first[clip])} = {records.place(at)}: {clip}"
            own.add("The same clip more than once", place, "Keep one row of each.")
    problems.add_part(name, own)
    return records._replace(before=f"{name} line ")


def _with_groups(records: Records, table: Path) -> Records:
    """Return the groups of a table's rows, and their files, which lie beside it whatever their paths say."""
    columns = records.columns
    originals = [PureWindowsPath(name) for name in columns["original"]]  # which takes slashes, too
    groups = {
        # Of each clip; Path objects would be much slower.
        "file": [os.path.join(table.parent, PureWindowsPath(name).name) for name in columns["path"]],  # noqa: PTH118
        "system": columns["system"],
        "architecture": columns["architecture"],
        "language": columns["language"],
        "speaker": [_reader(original.parts) for original in originals],
        "utterance": [original.stem for original in originals],
    }
    if "reference_speaker" in columns:
        groups["reference_speaker"] = columns["reference_speaker"]
    return Records(groups, records.lines, records.before)


def _human_side(folder: Path, problems: Problems) -> Records:
    """Return the groups of human recordings, which are in no table."""
    files = audio_paths(folder, recursive=True) if folder.is_dir() else []
    if not folder.is_dir():
        problems.add("There is no such folder", str(folder.absolute()), _LAYOUT)
    elif not files:
        problems.add("Folders without audio", str(folder), _LAYOUT)
    real = folder.resolve()  # since "." may be the language's folder
    within = [(real / Path(file).relative_to(folder)).parts for file in files]
    languages = [parts[_by_book(parts) - 1] if "by_book" in parts else "" for parts in within]
    columns = {
        "file": files,
        "system": ["human"] * len(files),
        "architecture": ["human"] * len(files),
        "language": [language.split("_")[0] for language in languages],
        "speaker": [_reader(parts) for parts in within],
        "utterance": [os.path.splitext(parts[-1])[0] for parts in within],  # noqa: PTH122  # much faster
    }
    return Records(columns, list(range(len(files))), before="")


def _by_book(parts: Sequence[str]) -> int:
    """Return where the last folder of this name is in a path."""
    return len(parts) - 1 - list(reversed(parts)).index("by_book")


def _reader(parts: Sequence[str]) -> str:
    """Return who reads a recording of M-AILABS; the book, if it has several readers ("mix")."""
    if "by_book" not in parts:
        return parts[-2] if len(parts) > 1 else ""
    inside = parts[_by_book(parts) + 1 : -1]  # GENDER, READER, BOOK, "wavs"; or "mix", BOOK, "wavs"
    return inside[1] if len(inside) > 1 else ""
