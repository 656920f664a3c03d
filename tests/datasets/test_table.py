from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.datasets.corpora import refusal
from voicelstm.datasets import load_csv
from voicelstm.datasets._problems import Problems
from voicelstm.datasets._records import Records
from voicelstm.datasets._table import Format, read_table
from voicelstm.exceptions import DatasetError


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


def table_of(text, *form, required=("path", "label"), where=()):
    problems = Problems("t.csv")
    records = read_table(text, required, where, problems, Format(*form))
    problems.raise_any()
    return records


def test_rows_are_numbered_by_the_line_that_they_start_on():
    text = '\npath,label,note\n\na,1,"two\nlines"\n , ,\nb,0,\n'
    columns = {"path": ["a", "b"], "label": ["1", "0"], "note": ["two\nlines", ""]}
    assert table_of(text) == Records(columns, [4, 7])


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_that_finds_the_columns_that_are_needed(mark):
    others = ",;".replace(mark, "")
    header = mark.join(["path", f"a{others}b{others}c{others}d", "label"])
    records = table_of(f"{header}\n{mark.join('xyz')}\n")
    assert list(records.columns) == header.split(mark)
    assert records.columns["label"] == ["z"]


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("a.wav human\n  b.wav\t\t synthetic \n", (" ", True, ["path", "label"])),
        ("path\tlabel \r\n\ta.wav\thuman\r\n\r\n b.wav \tsynthetic\t", (" ",)),
        ("a.wav human\nb.wav  synthetic\n", (" ", False, ["path", "label"])),
        ("path::label\na.wav::human\nb.wav::synthetic\n", ("::", False)),
        ("a.wav,x,human\nb.wav,y,synthetic\n", (None, True, ["path", None, "label"])),
        ("path~label\na.wav~human\r\nb.wav~synthetic", ("~",)),
        ("a.wav;human\nb.wav;synthetic\n", (None, False, ["path", "label"])),
    ],
    ids=[
        "blanks",
        "tabs",
        "blanks without quotes",
        "two characters",
        "no header",
        "tildes",
        "found without header",
    ],
)
def test_any_delimiter_and_names_of_columns_read_a_table(text, form):
    columns = table_of(text, *form).columns
    assert columns["path"] == ["a.wav", "b.wav"]
    assert columns["label"] == ["human", "synthetic"]


def test_quoted_cells_between_blanks_may_be_empty_or_hold_blanks_and_lines():
    text = (
        "path  label\tnote\n"
        'a.wav human ""\n'
        '"b  \tc.wav" \t "a ""great""  human"  x\n'
        ' d.wav it"s " two \n\tlines" \n'
        '"" "" ""\n'
        'e.wav synthetic ""'
    )
    columns = {
        "path": ["a.wav", "b  \tc.wav", "d.wav", "e.wav"],
        "label": ["human", 'a "great"  human', 'it"s', "synthetic"],
        "note": ["", "x", "two \n\tlines", ""],
    }
    assert table_of(text, " ") == Records(columns, [2, 3, 4, 7])


@given(
    st.lists(
        st.lists(st.text(st.sampled_from('a" \t\r\n'), max_size=4), min_size=2, max_size=2),
        min_size=1,
        max_size=3,
    ),
    st.sampled_from([" ", "\t", " \t "]),
)
def test_any_cells_that_are_quoted_are_read_between_blanks(cells, between):
    rows = [[cell.strip() for cell in row] for row in cells]
    lines = [between.join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    whole = "\n".join(["path label", *lines, "z 1"])
    found = table_of(whole, " ").columns
    kept = [row for row in rows if any(row)] + [["z", "1"]]
    assert [list(row) for row in zip(found["path"], found["label"], strict=True)] == kept


def test_without_quoting_quotes_are_text_and_every_line_is_a_row():
    text = 'path|label|words\na|h|"Oh\nb|s|He said "no"."\nc|s|\u2028\x85 \x0c"\n'
    records = table_of(text, "|", False)
    assert records.columns["path"] == ["a", "b", "c"]
    assert records.columns["words"][:2] == ['"Oh', 'He said "no"."']
    assert records.lines == [2, 3, 4]


def test_a_cell_without_quoting_may_be_longer_than_csv_allows():
    words = "a" * 200_000
    assert table_of(f"path|label|words\na|h|{words}\n", "|", False).columns["words"] == [words]


def test_a_quote_that_swallows_rows_is_told_with_what_reads_them():
    text = 'path|label|words\na.wav|h|"Oh\nb.wav|s|no"\nc.wav|s|"two\nlines | of them"\n'
    with pytest.raises(DatasetError, match="line 2 to 3") as caught:
        table_of(text, "|")
    assert "quoting=False" in str(caught.value)
    assert "line 4" not in str(caught.value)
    with pytest.raises(DatasetError, match="line 2 to 3"):
        table_of('path label words\na.wav\th\t"Oh\nb.wav\ts\tno"\nc.wav s x\n', " ")


def test_rows_of_other_lengths_are_told_by_what_ends_a_cell():
    with pytest.raises(DatasetError, match="Quote cells that hold ','") as caught:
        table_of("a,human,x\nb,human\n", ",", True, ["path", "label"])
    assert "line 1: 3 cells" in str(caught.value)
    assert "without the parameter columns' 2 cells" in str(caught.value)
    with pytest.raises(DatasetError, match="without the header's 2 cells"):
        table_of("path label\n\na.wav\n", " ")
    with pytest.raises(DatasetError, match="Cells end at each ','"):
        table_of("path,label\na,human,x\n", ",", False)


def test_names_of_columns_are_held_to():
    with pytest.raises(DatasetError, match="The parameter columns has 'file', 'label'"):
        table_of("a,human\n", ",", True, ["file", "label"])
    with pytest.raises(DatasetError, match="The parameter columns has none") as caught:
        table_of("a,human\n", ",", True, [])
    assert "These are needed: 'path', 'label'." in str(caught.value)
    assert "the file is empty" not in str(caught.value)


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
