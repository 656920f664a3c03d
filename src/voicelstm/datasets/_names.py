"""Names of files that another system wrote otherwise."""

import os
import unicodedata
from pathlib import Path, PureWindowsPath

__all__ = ["FileFinder"]


class FileFinder:
    """Finds files by names with backslashes, and by names in another Unicode normalisation.

    "é" is one character or two, to the eye the same, and a table that was written on one system may have the
    other form than the files on this one.
    """

    def __init__(self) -> None:
        self._listed: dict[Path, dict[str, str]] = {}

    def find(self, folder: Path, name: str) -> Path | None:
        """Return the file of a name below a folder, or None if there is none."""
        for written in (name, PureWindowsPath(name).as_posix()) if "\\" in name else (name,):
            path = os.path.join(folder, written)  # noqa: PTH118  # much faster, and tables have a million rows
            if os.path.isfile(path):  # noqa: PTH113
                return Path(path)
            if not written.isascii():
                found = self._with_any_normalisation(Path(path))
                if found is not None and found.is_file():
                    return found
        return None

    def _with_any_normalisation(self, path: Path) -> Path | None:
        found = Path(path.anchor)
        for part in path.parts[1:] if path.anchor else path.parts:
            if part == os.pardir or part.isascii() or os.path.lexists(found / part):
                found /= part
                continue
            own = self._names(found).get(unicodedata.normalize("NFC", part))
            if own is None:
                return None
            found /= own
        return found

    def _names(self, folder: Path) -> dict[str, str]:
        """Return the names in a folder by their normal form."""
        if folder not in self._listed:
            try:
                names = os.listdir(folder)  # noqa: PTH208  # names, also of what cannot be opened
            except OSError:
                names = []
            self._listed[folder] = {unicodedata.normalize("NFC", name): name for name in names}
        return self._listed[folder]
