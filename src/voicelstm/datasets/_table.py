"""A table of text: lines to rows, and the rows that are asked for."""

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import NamedTuple

from voicelstm.datasets._columns import are_cells, suggested_columns
from voicelstm.datasets._files import AUDIO_EXTENSIONS
from voicelstm.datasets._problems import Problems, shortened
from voicelstm.datasets._records import Records
from voicelstm.exceptions import DatasetError

__all__ = ["Format", "check_columns", "decoded_text", "read_table", "read_text"]

_DELIMITERS = ",;\t|"
# A cell, which may be quoted and of several lines; blanks at the edge of a line, or between cells.
_BLANKS = re.compile(
    r'(?P<cell>"(?:[^"]+|"")*(?:"|\Z)[^ \t\r\n]*|[^ \t\r\n"][^ \t\r\n]*)'
    r"|(?P<edge>(?<![^\r\n])[ \t]+|[ \t]+(?=[\r\n]|\Z))|[ \t]+"
)
_ZIP = b"PK\x03\x04"


class Format(NamedTuple):
    """How a table is written.

    A delimiter of None is the one of comma, semicolon, tab and pipe that finds the columns that are needed;
    a blank is any run of blanks and tabs. `columns` are the names if no header says them.
    """

    delimiter: str | None = None
    quoting: bool = True
    columns: Sequence[str | None] | None = None


_AS_WRITTEN = Format()


def read_text(path: Path, problems: Problems) -> str:
    """Read a text file in UTF-8 or UTF-16; a byte-order mark is dropped."""
    if path.is_dir():
        problems.add("This is a folder", str(path.absolute()), "load_folder reads one folder per class.")
    elif not path.exists():
        problems.add("There is no such file", str(path.absolute()), "Check the path.")
    problems.raise_any()
    content = path.read_bytes()
    if content.startswith(_ZIP):
        problems.add("Not text", "a ZIP archive, such as a workbook", "Save the sheet as CSV in UTF-8.")
        problems.raise_any()
    try:
        return decoded_text(content)
    except UnicodeDecodeError as error:
        problems.add("Not UTF-8", f"byte {error.start}: {error.reason}", "Save the table as text in UTF-8.")
        raise problems.error() from error


def decoded_text(content: bytes, errors: str = "strict") -> str:
    """Decode UTF-8, or UTF-16 if a byte-order mark or zeros beside the first letter say so."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16")
    first = content[:2]
    if len(first) == 2 and first[0] and not first[1]:
        return content.decode("utf-16-le")
    if len(first) == 2 and first[1] and not first[0]:
        return content.decode("utf-16-be")
    return content.decode("utf-8-sig", errors)


def read_table(
    text: str,
    required: Mapping[str, str] | Sequence[str],
    where: Iterable[str],
    problems: Problems,
    form: Format = _AS_WRITTEN,
) -> Records:
    """Read the rows of a text whose columns have names; those of `required` and `where` must be there.

    If `required` is a dict of the columns of paths and of labels, its values are the parameters that name
    them, of which the error tells if the header lacks them. A column without a name is the column "".
    """
    delimiter = form.delimiter or max(_DELIMITERS, key=lambda mark: _fit(text, mark, form, list(required)))
    remedy = ""
    if form.columns is None:
        names, second = (*_first_rows(text, delimiter, form), [], [])[:2]
        if isinstance(required, Mapping):
            remedy = _remedy(names, second, required, delimiter)
        said = "The header, which is the first line, has"
    else:
        names, said = [name or "" for name in form.columns], "The parameter columns has"
    check_columns(names, [*required, *where], problems, said, remedy)

    lines: list[int] = []
    found: list[list[str]] = []
    rows = _rows(text, delimiter, form.quoting, problems)
    if form.columns is None:
        next(rows)
    for start, cells in rows:
        if len(cells) == len(names):
            lines.append(start)
            found.append(cells)
        else:
            of = "header's" if form.columns is None else "parameter columns'"
            kind = f"Rows without the {of} {len(names)} cells"
            remedy = "Quote cells that hold" if form.quoting else "Cells end at each"
            problems.add(kind, f"line {start}: {len(cells)} cells", f"{remedy} {delimiter!r}.")
    if not found:
        problems.add("No rows", "the table is empty below its header", "Each recording needs a row.")
    by_column = [list(cells) for cells in zip(*found, strict=True)] or [[] for _ in names]
    return Records(dict(zip(names, by_column, strict=True)), lines)


def _rows(text: str, delimiter: str, quoting: bool, problems: Problems) -> Iterator[tuple[int, list[str]]]:
    """Yield rows that have anything in them, each with the line that it starts on, counted from 1."""
    if not quoting:
        for number, line in enumerate(io.StringIO(text, newline=None), start=1):
            if line.strip():
                cells = line.split() if delimiter == " " else line.split(delimiter)
                yield number, [cell.strip() for cell in cells]
        return
    if delimiter == " ":
        text = _BLANKS.sub(lambda found: found["cell"] or ("" if found["edge"] else " "), text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    before = 0
    try:
        for cells in reader:
            start, n_lines, before = before + 1, reader.line_num - before, reader.line_num
            cells = [cell.strip() for cell in cells]
            if n_lines > 1 and any(_holds_rows(cell, delimiter) for cell in cells):
                problems.add(
                    "Quotes around whole rows",
                    f"line {start} to {before}",
                    "A quote began a cell there. Where quotes are part of the text, set quoting=False.",
                )
            if any(cells):
                yield start, cells
    except csv.Error as error:
        problems.add("Not a table", f"line {reader.line_num}: {error}", "Check the quotes there.")
        raise problems.error() from error


def _holds_rows(cell: str, delimiter: str) -> bool:
    """Tell whether a cell of several lines holds what is a row elsewhere: cells, one of them a recording."""
    return any(
        len(parts := line.split(None if delimiter == " " else delimiter)) > 1
        and any(PurePath(part.strip()).suffix.lower() in AUDIO_EXTENSIONS for part in parts)
        for line in cell.splitlines()[1:]
    )


def _first_rows(text: str, delimiter: str, form: Format) -> list[list[str]]:
    """Return the first two rows that have anything in them."""
    rows = _rows(text, delimiter, form.quoting, Problems(""))  # what is wrong is noted by who reads all rows
    return [cells for (_, cells), _ in zip(rows, range(2), strict=False)]


def _fit(text: str, delimiter: str, form: Format, required: Sequence[str]) -> tuple[int, int]:
    """Return how many of the columns that are needed a delimiter finds, and how many columns."""
    try:
        rows = _first_rows(text, delimiter, form)
    except DatasetError:  # a cell that is too long, since nothing ends it
        return 0, 0
    columns = rows[0] if rows else []
    if form.columns is None:
        return len(set(required) & set(columns)), len(columns)
    return int(len(columns) == len(form.columns)), len(columns)


def _remedy(columns: Sequence[str], cells: Sequence[str], required: Mapping[str, str], delimiter: str) -> str:
    """Say how a table is read that has no header, or whose columns of paths and labels have other names."""
    if not set(required) & set(columns) and (files := are_cells(columns, cells)):
        names = delimiter.join(_names_for(columns, files, list(required)))
        return f" That is a row, and the header is missing: add a first line, such as {names}."
    kinds = dict(zip(required, ("path", "label"), strict=True))
    missing = {kinds[column]: parameter for column, parameter in required.items() if column not in columns}
    there = [column for column in columns if column not in required]
    row = [cell for column, cell in zip(columns, cells, strict=False) if column not in required]
    found = suggested_columns(there, row, list(missing))
    settings = [f"{parameter}={found[kind]!r}" for kind, parameter in missing.items() if kind in found]
    if settings and len(settings) == len(missing):
        return f" {' and '.join(settings)} {'reads' if len(settings) == 1 else 'read'} it."
    return ""


def _names_for(cells: Sequence[str], files: Sequence[int], required: Sequence[str]) -> list[str]:
    """Return names for the columns of a row, of which some are of files."""
    path, *others = required
    others += ["speaker", "system"]
    names = {files[0]: path}
    for position in range(len(cells)):
        if position not in names:
            names[position] = others.pop(0) if others else f"column{position + 1}"
    return [names[position] for position in range(len(cells))]


def check_columns(
    columns: Sequence[str], asked: Iterable[str], problems: Problems, said: str, remedy: str = ""
) -> None:
    """Raise what is wrong with the names of columns: none, some that are asked for missing, or two alike."""
    if not columns and said.startswith("The header"):
        problems.add(
            "No header", "the file is empty", "Its first line names the columns, such as path,label."
        )
    elif not columns:
        problems.add("No columns", f"{said} none", f"These are needed: {shortened(dict.fromkeys(asked))}.")
    for column in dict.fromkeys(asked):
        if columns and column not in columns:
            problems.add(
                "Columns that the header lacks" if said.startswith("The header") else "Unknown columns",
                repr(column),
                f"{said} {shortened(columns)}.{remedy}",
            )
    for column in dict.fromkeys(columns):
        if column and columns.count(column) > 1:
            problems.add("Columns of the same name", repr(column), "Rename all but one.")
    problems.raise_any()
