from pathlib import Path

import pytest

from tests.datasets.corpora import refusal
from voicelstm.datasets import load_csv
from voicelstm.datasets._problems import Problems
from voicelstm.datasets._table import Row, Table, read_table


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbfpath,label\na.wav,human\nb.wav,synthetic\n",
        "path;label;words\r\na.wav;human;one, two\r\n\r\nb.wav;synthetic;three, four, five\r\n",
        "path\tlabel\na.wav\thuman\nb.wav\tsynthetic",
        ' path, label\n"a.wav", human \n"b.wav", synthetic\n',
        "path,label,,\na.wav,human,,\nb.wav,synthetic,,\n",
    ],
    ids=["byte-order mark", "semicolons", "tabs", "blanks and quotes", "nameless columns"],
)
def test_tables_are_read_as_spreadsheets_write_them(tree, text):
    root = tree("a.wav", "b.wav", t=text)
    corpus = load_csv(root / "t.csv")
    assert [Path(path).name for path in corpus.recordings] == ["a.wav", "b.wav"]
    assert corpus.target.tolist() == ["human", "synthetic"]
    assert "" not in corpus.groups


def test_unknown_columns_are_named_together_with_those_there_are(tree):
    root = tree("a.wav", t="file;label\na.wav;human\n")
    message = refusal(load_csv, root / "t.csv", label_column="key", where={"fold": 1})
    assert all(column in message for column in ("'path'", "'key'", "'fold'", "'file', 'label'"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "No header"),
        ("path,label\n", "No rows"),
        ("path,label,path\na.wav,human,b.wav\n", "Columns of the same name"),
        (b"RIFF\xff\xff\xff\xffWAVE", "Not UTF-8"),
    ],
)
def test_what_is_no_table_of_labels_is_refused(tree, text, reason):
    assert reason in refusal(load_csv, tree(t=text) / "t.csv")


def table_of(text, required=("path", "label"), **where):
    problems = Problems("t.csv")
    table = read_table(text, required, where, problems)
    problems.raise_any()
    return table


def test_rows_are_numbered_by_the_line_that_they_start_on():
    text = '\npath,label,note\n\na,1,"two\nlines"\n , ,\nb,0,\n'
    rows = [
        Row(4, {"path": "a", "label": "1", "note": "two\nlines"}),
        Row(7, {"path": "b", "label": "0", "note": ""}),
    ]
    assert table_of(text) == Table(["path", "label", "note"], rows, 2)


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_the_delimiter_is_the_one_that_finds_the_columns_that_are_needed(mark):
    others = ",;".replace(mark, "")
    header = mark.join(["path", f"a{others}b{others}c{others}d", "label"])
    table = table_of(f"{header}\n{mark.join('xyz')}\n")
    assert table.columns == header.split(mark)
    assert [row.cells["label"] for row in table.rows] == ["z"]


@pytest.mark.parametrize(
    ("where", "kept"),
    [
        ({}, "abcd"),
        ({"fold": 1}, "ac"),
        ({"fold": "1"}, "ac"),
        ({"fold": [1, 3]}, "acd"),
        ({"fold": {"2", "3"}, "label": "h"}, "d"),
        ({"fold": range(1, 3), "label": ("h", "s")}, "abc"),
    ],
)
def test_rows_are_kept_that_have_one_of_the_values_in_every_column(where, kept):
    table = table_of("path,label,fold\na,h,1\nb,s,2\nc,s,1\nd,h,3\n", **where)
    assert "".join(row.cells["path"] for row in table.rows) == kept
    assert table.n_rows == 4


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "utf-8"])
def test_tables_are_read_in_the_encodings_of_spreadsheets(tree, encoding):
    text = "path\tlabel\tspeaker\na.wav\thuman\tZoë\nb.wav\tsynthetic\tÅsa\n"
    corpus = load_csv(tree("a.wav", "b.wav", t=text.encode(encoding)) / "t.csv")
    assert corpus.groups["speaker"].tolist() == ["Zoë", "Åsa"]
    assert load_csv(tree(t="1\n0\n".encode(encoding)) / "t.csv").target.tolist() == [1, 0]


def test_a_workbook_is_called_one(tree):
    message = refusal(load_csv, tree(t=b"PK\x03\x04\x14\x00") / "t.csv")
    assert "ZIP archive, such as a workbook" in message
    assert "Save the sheet as CSV" in message
