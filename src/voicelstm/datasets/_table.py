"""A table of text: lines to rows, and the rows that are asked for."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from voicelstm.datasets._problems import Problems, shortened

__all__ = ["Row", "Table", "read_table", "read_text"]

_DELIMITERS = ",;\t"


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
    """Read a text file in UTF-8; a byte-order mark is dropped."""
    if path.is_dir():
        problems.add("This is a folder", str(path.absolute()), "load_folder reads one folder per class.")
    elif not path.exists():
        problems.add("There is no such file", str(path.absolute()), "Check the path.")
    problems.raise_any()
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problems.add("Not UTF-8", f"byte {error.start}: {error.reason}", "Save the table as text in UTF-8.")
        raise problems.error() from error


def read_table(text: str, required: Sequence[str], where: Mapping[str, object], problems: Problems) -> Table:
    """Read the rows that `where` keeps of a text with a header, separated by comma, semicolon or tab."""
    delimiter = max(_DELIMITERS, key=lambda mark: _fit(_header(text, mark), required))
    columns = _header(text, delimiter)
    _check_columns(columns, [*required, *where], problems)

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


def _check_columns(columns: Sequence[str], asked: Iterable[str], problems: Problems) -> None:
    if not columns:
        problems.add(
            "No header", "the file is empty", "Its first line names the columns, such as path,label."
        )
    for column in dict.fromkeys(asked):
        if columns and column not in columns:
            problems.add(
                "Columns that the header lacks",
                repr(column),
                f"The header, which is the first line, has {shortened(columns)}.",
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
