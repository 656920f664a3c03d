"""A data frame as the rows of a table."""

from collections.abc import Iterable
from typing import Any

from voicelstm.datasets._problems import Problems
from voicelstm.datasets._records import Records
from voicelstm.datasets._table import check_columns

__all__ = ["frame_records", "is_frame"]


def is_frame(table: Any) -> bool:
    """Tell whether a table is a data frame, such as pandas', rather than the path of a file."""
    return hasattr(table, "columns") and hasattr(table, "__getitem__")


def frame_records(frame: Any, required: Iterable[str], where: Iterable[str], problems: Problems) -> Records:
    """Return a data frame's cells as text, with rows counted from 0; missing values are empty."""
    names = [str(name) for name in frame.columns]
    check_columns(names, [*required, *where], problems, "The data frame has")
    columns = {str(name): [_text(value) for value in frame[name]] for name in frame.columns}
    n_rows = len(columns[names[0]])
    if not n_rows:
        problems.add("No rows", "the data frame is empty", "Each recording needs a row.")
    return Records(columns, list(range(n_rows)), "row ")


def _text(value: Any) -> str:
    if value is None or type(value).__name__ in ("NAType", "NaTType") or value != value:  # NaN
        return ""
    return str(value).strip()
