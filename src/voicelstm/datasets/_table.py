"""A table of text: lines to rows, and the rows that are asked for."""

import codecs
import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from voicelstm.datasets._columns import are_cells, suggested_columns
from voicelstm.datasets._problems import Problems, shortened

__all__ = ["Row", "Table", "decoded_text", "read_table", "read_text"]

_DELIMITERS = ",;\t"
_ZIP = b"PK\x03\x04"


class Row(NamedTuple):
    """One row: the line it starts on, counted from 1, and its cells by column."""

    line: int
    cells: dict[str, str]


class Table(NamedTuple):
    """Named columns in their order, the rows that were asked for, and how many there are in all."""

    columns: list[str]
    rows: list[Row]
    n_rows: int


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
    where: Mapping[str, object],
    problems: Problems,
) -> Table:
    """Read the rows that `where` keeps of a text with a header, separated by comma, semicolon or tab.

    If `required` is a dict of the columns of paths and of labels, its values are the parameters that name
    them, of which the error tells if the header lacks them.
    """
    delimiter = max(_DELIMITERS, key=lambda mark: _fit(_header(text, mark), list(required)))
    columns = _header(text, delimiter)
    remedy = ""
    if isinstance(required, Mapping):
        remedy = _remedy(columns, _second_line(text, delimiter), required, delimiter)
    _check_columns(columns, [*required, *where], problems, remedy)

    rows: list[Row] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    line = 0
    try:
        for cells in reader:
            start, line = line + 1, reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) == len(columns):
                rows.append(Row(start, dict(zip(columns, (cell.strip() for cell in cells), strict=True))))
            else:
                problems.add(
                    f"Rows without the header's {len(columns)} cells",
                    f"line {start}: {len(cells)} cells",
                    f"Quote cells that hold {delimiter!r}.",
                )
    except csv.Error as error:
        problems.add("Not a table", f"line {reader.line_num}: {error}", "Check the quotes there.")
        raise problems.error() from error

    rows = rows[1:]  # without the header
    kept = [row for row in rows if all(row.cells[column] in allowed for column, allowed in _allowed(where))]
    if not kept:
        for column in where:
            present = shortened(dict.fromkeys(row.cells[column] for row in rows))
            problems.add(
                f"No row matches where={dict(where)}", f"{column!r} holds {present}", "Ask for these."
            )
        if not rows:
            problems.add("No rows", "the table is empty below its header", "Each recording needs a row.")
    return Table([column for column in columns if column], kept, len(rows))


def _header(text: str, delimiter: str) -> list[str]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    for cells in reader:
        if any(cell.strip() for cell in cells):
            return [cell.strip() for cell in cells]
    return []


def _fit(columns: Sequence[str], required: Sequence[str]) -> tuple[int, int]:
    return len(set(required) & set(columns)), len(columns)


def _second_line(text: str, delimiter: str) -> list[str]:
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    return [cell.strip() for cell in next(islice((row for row in rows if any(row)), 1, None), [])]


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


def _check_columns(columns: Sequence[str], asked: Iterable[str], problems: Problems, remedy: str) -> None:
    if not columns:
        problems.add(
            "No header", "the file is empty", "Its first line names the columns, such as path,label."
        )
    for column in dict.fromkeys(asked):
        if columns and column not in columns:
            problems.add(
                "Columns that the header lacks",
                repr(column),
                f"The header, which is the first line, has {shortened(columns)}.{remedy}",
            )
    for column in dict.fromkeys(columns):
        if column and columns.count(column) > 1:
            problems.add("Columns of the same name", repr(column), "Rename all but one.")
    problems.raise_any()


def _allowed(where: Mapping[str, object]) -> list[tuple[str, set[str]]]:
    allowed = []
    for column, value in where.items():
        several = isinstance(value, Iterable) and not isinstance(value, str)
        allowed.append((column, {str(one) for one in value} if several else {str(value)}))  # type: ignore[attr-defined]
    return allowed
