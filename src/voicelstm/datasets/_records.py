"""Rows of a table or a protocol: their cells by column, and where each stands."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from voicelstm.datasets._problems import Problems, shortened

__all__ = ["Records", "texts"]


class Records(NamedTuple):
    """Cells by column, and the number of each row's line, which follows `before` in messages."""

    columns: dict[str, list[str]]
    lines: list[int]
    before: str = "line "

    def place(self, at: int) -> str:
        """Name the place of a row."""
        return f"{self.before}{self.lines[at]}"

    def adding(self, **columns: list[str]) -> "Records":
        """Return the rows with more columns, or others in the place of some."""
        return self._replace(columns={**self.columns, **columns})

    def rows(self, kept: list[int]) -> "Records":
        """Return the rows at some positions."""
        if len(kept) == len(self.lines):
            return self
        columns = {name: [cells[at] for at in kept] for name, cells in self.columns.items()}
        return Records(columns, [self.lines[at] for at in kept], self.before)

    def where(self, where: Mapping[str, object], problems: Problems) -> "Records":
        """Return the rows that have one of the values in every column; note it if there are none."""
        kept = list(range(len(self.lines)))
        for column, value in where.items():
            cells, allowed = self.columns[column], texts(value)
            kept = [at for at in kept if cells[at] in allowed]
        if self.lines and not kept:
            for column in where:
                present = shortened(sorted(set(self.columns[column])))
                problems.add(
                    f"No row matches where={dict(where)}", f"{column!r} holds {present}", "Ask for these."
                )
        return self.rows(kept)


def texts(value: object) -> set[str]:
    """Return the values that a column may have, of one value or several, as cells have them."""
    if isinstance(value, Iterable) and not isinstance(value, str):
        return {str(one) for one in value}
    return {str(value)}
