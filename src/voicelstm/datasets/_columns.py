"""Which columns of a table may be meant, where they are not called as they should be."""

import re
from collections.abc import Sequence
from pathlib import PurePath

from voicelstm.datasets._files import AUDIO_EXTENSIONS

__all__ = ["are_cells", "suggested_columns"]

_FILE = re.compile(r".*[^\s.]\.[A-Za-z][A-Za-z0-9]{1,4}", re.DOTALL)  # a name that ends in an extension
#: Names that are usual, without what is no letter, in lower case.
_USUAL = {
    "path": "filepath audiopath wavpath file filename audiofilename audio audiofile wav recording clip",
    "label": "labels class classes classlabel target y category key",
}


def suggested_columns(
    columns: Sequence[str], first_row: Sequence[str], missing: Sequence[str]
) -> dict[str, str]:
    """Return what the missing columns of "path" and "label" may be called: by name, else by the first row."""
    free = [column for column in columns if column]
    found: dict[str, str] = {}
    for wanted in missing:
        same = [column for column in free if _letters(column) == wanted]
        same = same or [column for column in free if _letters(column) in _USUAL[wanted].split()]
        if len(same) == 1:
            found[wanted] = same[0]
            free.remove(same[0])
    cells = dict(zip(columns, first_row, strict=False))
    if "path" in missing and "path" not in found:
        files = [column for column in free if _is_file_name(cells.get(column, ""))]
        if len(files) == 1:
            found["path"] = files[0]
            free.remove(files[0])
    if "label" in missing and "label" not in found and len(free) == 1 and len(columns) == 2:
        found["label"] = free[0]
    return found


def are_cells(columns: Sequence[str], first_row: Sequence[str]) -> list[int]:
    """Return where a first line names files as the next line does, so that it is a row and no header.

    A column may have a dot in its name, such as "speaker.id" or "audio.file".
    """
    found = []
    for position, column in enumerate(columns):
        extension = PurePath(column).suffix.lower()
        below = PurePath(first_row[position]).suffix.lower() if position < len(first_row) else ""
        if _is_file_name(column) and (extension in AUDIO_EXTENSIONS or extension == below):
            found.append(position)
    return found


def _letters(column: str) -> str:
    return re.sub(r"[\W_]+", "", column).casefold()


def _is_file_name(text: str) -> bool:
    return _FILE.fullmatch(text) is not None
