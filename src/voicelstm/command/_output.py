"""What the command writes to standard output: tables for people, lines for programs."""

import csv
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from functools import wraps
from typing import TYPE_CHECKING, Any, NamedTuple

import click

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

__all__ = [
    "Column",
    "Form",
    "Listing",
    "new_console",
    "output_options",
    "printable",
    "write_json",
    "write_notes",
    "write_report",
]

_WIDTH_OF_FILES = 120  # of a report that goes into a file
_NARROWEST = 16
_DIGITS = 7
_GAP = "  "


class Form(Enum):
    """How results are written."""

    TABLE = "table"
    LINES = "lines"
    JSON = "json"
    CSV = "csv"


class Column(NamedTuple):
    """A column of a listing: the key in records, and how values look on a terminal."""

    name: str
    title: str
    width: int = 0  # in characters; 0 takes what is left
    show: Callable[[Any], str] = lambda value: printable(str(value))
    style: Callable[[Any], str] | None = None  # turns a value into a style of rich
    right: bool = False
    drawn: bool = False  # a picture, for terminals alone
    whole: bool = False  # what does not fit stands below the row


# What would end a line or a cell, or steer a terminal: a file may be called so.
_STEERING = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}
_STEERING |= {ord("\t"): r"\t", ord("\n"): r"\n", ord("\r"): r"\r"}


def printable(text: str, keep: str = "") -> str:
    """Write control characters as Python escapes them, all but those to keep."""
    return text.translate({code: escaped for code, escaped in _STEERING.items() if chr(code) not in keep})


def output_options(*, rows: bool = True) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add ``--json`` and, for what has rows, ``--csv``; the command gets its parameter `form`."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def with_form(*args: Any, as_json: bool, as_csv: bool = False, **kwargs: Any) -> Any:
            if as_json and as_csv:
                raise click.UsageError("--json and --csv exclude each other.")
            form = Form.TABLE if sys.stdout.isatty() else Form.LINES
            form = Form.JSON if as_json else Form.CSV if as_csv else form
            return command(*args, form=form, **kwargs)

        if rows:
            with_form = click.option("--csv", "as_csv", is_flag=True, help="Write CSV with a header.")(
                with_form
            )
        return click.option("--json", "as_json", is_flag=True, help="Write JSON.")(with_form)

    return decorate


def new_console(*, stderr: bool = False) -> "Console":
    """Make a console of rich that leaves closed pipes to the command."""
    from rich.console import Console

    class Quiet(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _WIDTH_OF_FILES
    # Names of files and labels are no markup.
    return Quiet(file=stream, highlight=False, markup=False, emoji=False, width=width)


class Listing:
    """Records that are written one by one, as soon as they are known."""

    def __init__(
        self,
        form: Form,
        columns: Sequence[Column],
        fields: Sequence[str],
        longest: int,
        console: "Console | None" = None,
    ) -> None:
        self._form, self._columns, self._console = form, columns, console
        self._begun = False
        if form is Form.CSV:
            self._csv = csv.DictWriter(sys.stdout, fields, extrasaction="ignore", lineterminator="\n")
            self._csv.writeheader()
        if console is not None:
            self._shown = [*columns]
            if self._left(console) < _NARROWEST:
                self._shown = [column for column in columns if not column.whole]
            first = columns[0]
            self._first = max(_NARROWEST, min(self._left(console), max(longest, len(first.title))))

    def _left(self, console: "Console") -> int:
        """Return how many characters the first column may have."""
        return console.width - sum(column.width + len(_GAP) for column in self._shown[1:]) - 1

    def write(self, record: dict[str, Any]) -> None:
        """Write one record; one with an "error" is left to the end, and to JSON and CSV."""
        if self._form is Form.JSON:
            click.echo(_as_json(record))
        elif self._form is Form.CSV:
            self._csv.writerow({name: _blank(value) for name, value in record.items()})
        elif record.get("error") is None:
            if self._console is None:
                click.echo(
                    "\t".join(each.show(record[each.name]) for each in self._columns if not each.drawn)
                )
            else:
                self._write_row(record)

    def _write_row(self, record: dict[str, Any]) -> None:
        if not self._begun:
            self._begun = True
            self._print([(column.title, "bold") for column in self._shown])
            self._print([("─" * self._width(column), "dim") for column in self._shown])
        cells = {
            column: (
                column.show(record[column.name]),
                "" if column.style is None else column.style(record[column.name]),
            )
            for column in self._columns
        }
        below = [each for each in self._columns if each.whole and not self._has_room(each, cells[each][0])]
        self._print([("", "") if column in below else cells[column] for column in self._shown])
        for column in below:
            self._print_below(*cells[column])

    def _has_room(self, column: Column, text: str) -> bool:
        from rich.cells import cell_len

        return cell_len(text) <= (self._width(column) if column in self._shown else 0)

    def _print(self, cells: list[tuple[str, str]]) -> None:
        from rich.text import Text

        line = Text(" ", no_wrap=True, overflow="ellipsis")
        for position, (column, (text, style)) in enumerate(zip(self._shown, cells, strict=True)):
            cell = _fitted(text, self._width(column), column.right, keep_end=position == 0)
            line.append((_GAP if position else "") + cell, style)
        line.rstrip()
        if self._console is not None:
            self._console.print(line)

    def _print_below(self, text: str, style: str) -> None:
        from rich.padding import Padding
        from rich.text import Text

        if self._console is not None:
            self._console.print(Padding(Text(text, style), (0, 0, 0, 3), expand=False))

    def _width(self, column: Column) -> int:
        return column.width or self._first


def write_notes(console: "Console", notes: Iterable[str]) -> None:
    """Write sentences below a table, as far in as the table is."""
    from rich.padding import Padding

    for position, note in enumerate(notes):
        if not position:
            console.print()
        console.print(Padding(note, (0, 0, 0, 1), expand=False))


def write_report(parts: "Iterable[Table | Text | str]") -> None:
    """Write tables and sentences; without colour, and as wide as a page, where nobody looks on."""
    console = new_console()
    if console.is_terminal:
        for part in parts:
            console.print(part)
        return
    with console.capture() as capture:
        for part in parts:
            console.print(part)
    # rich fills tables up with blanks.
    click.echo("\n".join(line.rstrip() for line in capture.get().splitlines()))


def write_json(value: Any) -> None:
    """Write one object of JSON."""
    click.echo(_as_json(value, indent=2))


def _as_json(value: Any, indent: int | None = None) -> str:
    from voicelstm._base import json_value

    value = json_value(value, _DIGITS)
    text = json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False)
    # Names of files that are not in UTF-8 hold what JSON can only say escaped.
    return text if _is_utf8(text) else json.dumps(value, indent=indent)


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _fitted(text: str, width: int, right: bool, *, keep_end: bool) -> str:
    from rich.cells import cell_len, set_cell_size

    if cell_len(text) > width:
        if not keep_end:
            return set_cell_size(text, width - 1) + "…"
        while cell_len(text) > width - 1:  # of a path the end tells more
            text = text[1:]
        text = "…" + text
    space = " " * (width - cell_len(text))
    return space + text if right else text + space


def _blank(value: Any) -> Any:
    from voicelstm._base import json_value

    value = json_value(value, _DIGITS)
    return "" if value is None else value
