"""A list of labels without paths, and which file of a folder each label belongs to."""

import csv
import io
import re
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

from voicelstm.datasets._corpus import whole_number
from voicelstm.datasets._files import audio_files, note_duplicates, note_unreadable
from voicelstm.datasets._problems import Problems, shortened
from voicelstm.exceptions import DatasetWarning

__all__ = ["bare_labels", "check_order", "files_of_labels", "windows_key"]

_ORDERS = ("natural", "name")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_BETWEEN = re.compile(r"[\s,;\[\]\"']+")
_NAMES_OF_INDEX = ("", "index", "row")
_BRACKETS = re.compile(r"\[([^\[\]]*)\]")


def bare_labels(text: str, path_column: str, label_column: str, problems: Problems) -> list[str] | None:
    """Return the labels of a bare list, whole numbers without decimals; None if the text is a table."""
    numbered = list(_lines(text))
    lines = [line for _, line in numbered]
    first = next(filter(_numbers, lines), "")
    if not _are_numbers(_numbers(first)) or first[0] in ",;\t":
        below_header = _below_header(numbered, first, path_column, label_column, problems)
        if below_header is not None or not _are_numbers(_numbers(first)):
            return below_header
    if "[" in first:
        lines = _BRACKETS.findall("".join(lines)) or lines
    rows = [row for row in map(_numbers, lines) if row]
    if not all(map(_are_numbers, rows)):
        return None
    if len(rows) > 1 and all(map(_is_one_hot, rows)):
        remedy = "Write one label on each line, such as the position of the 1: numpy.argmax(rows, axis=1)."
        problems.add("Several numbers for each label, of which one is 1", f"{len(rows)} rows", remedy)
        problems.raise_any()
    if len(rows) > 1 and all(len(row) == 2 for row in rows) and _is_index([row[0] for row in rows], "0"):
        rows = [row[1:] for row in rows]
    if len(rows) > 1 and any(len(row) > 1 for row in rows):
        remedy = (
            "Without a header this is a list: one label on each line, or all on one line; before each its"
            f" number, if they count from 0. Numbers from 1 on need a header: index,{label_column}."
        )
        problems.add("Several numbers on several lines", f"{len(rows)} lines", remedy)
    return _whole([label for row in rows for label in row], problems)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield lines with their numbers, but for blank ones and, as numpy.savetxt writes them, comments."""
    lines = enumerate(io.StringIO(text, newline=None), start=1)
    return (each for each in lines if each[1].strip() and not each[1].lstrip().startswith("#"))


def _numbers(line: str) -> list[str]:
    return [each for each in _BETWEEN.split(line) if each]


def _are_numbers(words: Sequence[str]) -> bool:
    return bool(words) and all(_NUMBER.fullmatch(word) for word in words)


def _is_one_hot(row: Sequence[str]) -> bool:
    return len(row) > 1 and sorted(map(float, row)) == [0] * (len(row) - 1) + [1]


def _below_header(
    lines: Sequence[tuple[int, str]], first: str, path_column: str, label_column: str, problems: Problems
) -> list[str] | None:
    """Return the labels of a column of labels alone, or beside the numbers of its rows."""
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader((line for _, line in lines), delimiter=delimiter, skipinitialspace=True)
    header = [cell.strip() for cell in next(reader, [])]
    # pandas calls a Series without a name 0. Under other names than these, numbers may be names of files.
    is_beside = len(header) == 2 and header[0].lower() in _NAMES_OF_INDEX and header[1] in (label_column, "0")
    if path_column in header or not (is_beside or header == [label_column]):
        return None
    rows, numbers = [], []
    for row in reader:
        rows.append([cell.strip() for cell in row])
        numbers.append(lines[reader.line_num - 1][0])
    if not rows or (is_beside and not _are_numbers(rows[0][:1])):
        return None
    for number, row in zip(numbers, rows, strict=True):
        if len(row) != len(header):
            kind = f"Rows without the header's {len(header)} cells"
            problems.add(kind, f"line {number}: {len(row)} cells", "A list has one label on each line.")
        elif not row[-1]:
            problems.add("Rows without a label", f"line {number}", f"Fill the column {label_column!r}.")
    problems.raise_any()
    if is_beside and not _is_index([row[0] for row in rows], "01"):
        found = shortened([row[0] for row in rows[:5]])
        remedy = "Without paths, only rows in the files' order are known to be theirs: sort them."
        problems.add("Rows that are not numbered from 0 or 1 on", f"{found}, ...", remedy)
    labels = [row[-1] for row in rows]
    return _whole(labels, problems) if _are_numbers(labels) else labels


def _is_index(cells: Sequence[str], firsts: str) -> bool:
    """Tell whether cells count from one of these digits on, without a gap."""
    if cells[0] not in [*firsts]:
        return False
    first = int(cells[0])
    return list(cells) == [str(number) for number in range(first, first + len(cells))]


def _whole(labels: list[str], problems: Problems) -> list[str]:
    """Write numbers without their decimals, 0.0 as 0; others are no labels."""
    found = []
    for position, label in enumerate(labels, start=1):
        number = whole_number(label)
        if number is None:
            remedy = "A list without paths has a whole number for each file, such as 1 and 0."
            problems.add("Labels that are no whole numbers", f"number {position}: {label}", remedy)
        found.append(label if number is None else str(number))
    return found


def check_order(order: str | None) -> None:
    """Refuse what is no order of files."""
    if order is not None and order not in _ORDERS:
        raise ValueError(f'order={order!r}: expected "natural", "name" or None.')


def files_of_labels(
    source: Path, folder: Path, labels: list[str], order: str | None, problems: Problems
) -> list[str]:
    """Return the file of each label; warn if no order is given and it makes a difference."""
    if not folder.is_dir():
        problems.add("There is no such folder", str(folder.absolute()), "Check audio_dir.")
        return []
    files = audio_files(folder, recursive=False)
    if len(files) != len(labels):
        remedy = "A list without paths must have one label for each; audio_dir names another folder."
        if len(labels) == len(files) + 1 and labels[0] == "0":
            remedy += " If its first 0 is pandas' header of a Series without a name, write header=False."
        problems.add(
            "Labels and recordings differ in number",
            f"{len(labels)} labels, {len(files)} audio files in {folder.absolute()}",
            remedy,
        )
    note_unreadable(problems, ((file, file.name) for file in files))
    note_duplicates(problems, ((file, file.name) for file in files))
    problems.raise_any()
    by_name = sorted(files, key=lambda file: windows_key(file.name))
    if order is None:
        label_by_name = dict(zip(by_name, labels, strict=True))
        moved = [file for file, label in zip(files, labels, strict=True) if label_by_name[file] != label]
        if moved:
            first = next(position for position, file in enumerate(files) if by_name[position] != file)
            warnings.warn(
                f"{source}: a list of labels without paths. They were given to the audio files of {folder}"
                f" in natural order: number {first + 1} is that of {files[first].name}. By name, as Windows"
                f" lists a folder, it is that of {by_name[first].name}, and {len(moved)} of {len(files)}"
                f" files have another label. Say which is meant: order={_ORDERS[0]!r} or"
                f" order={_ORDERS[1]!r}.",
                DatasetWarning,
                stacklevel=3,
            )
    return [str(file) for file in (by_name if order == "name" else files)]


def windows_key(name: str) -> tuple[bytes, str]:
    """Sort key by which Windows lists a folder: UTF-16 code units, each in upper case (NTFS).

    >>> sorted(["2.wav", "10.wav", "1.wav", "b.wav", "A.wav"], key=windows_key)
    ['1.wav', '10.wav', '2.wav', 'A.wav', 'b.wav']
    """
    # Only what stays one character: NTFS has a table of single ones.
    upper = "".join(each.upper() if len(each.upper()) == 1 else each for each in name)
    return upper.encode("utf-16-be", "surrogatepass"), name
