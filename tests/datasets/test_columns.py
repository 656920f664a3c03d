import pytest

from tests.datasets.corpora import refusal
from voicelstm.datasets import load_csv
from voicelstm.datasets._columns import suggested_columns


@pytest.mark.parametrize(
    ("header", "rows", "parameters"),
    [
        ("Path,Label", ["a.wav,human", "b.wav,fake"], {"path_column": "Path", "label_column": "Label"}),
        ("file,label", ["a.wav,human", "b.wav,fake"], {"path_column": "file"}),
        ("path,Class", ["a.wav,human", "b.wav,fake"], {"label_column": "Class"}),
        (
            "File_Name,is fake",
            ["a.wav,1", "b.wav,0"],
            {"path_column": "File_Name", "label_column": "is fake"},
        ),
        ("who;spoken;label", ["ana;a.wav;human", "ben;b.wav;fake"], {"path_column": "spoken"}),
    ],
)
def test_the_parameters_that_read_another_header_are_said(tree, header, rows, parameters):
    root = tree("a.wav", "b.wav", t="\n".join([header, *rows]))
    message = refusal(load_csv, root / "t.csv")
    said = " and ".join(f"{name}={value!r}" for name, value in parameters.items())
    assert f"{said} read{'s' * (len(parameters) == 1)} it." in message
    assert len(load_csv(root / "t.csv", **parameters).recordings) == 2


@pytest.mark.parametrize(
    "text",
    ["speaker,system,text\nana,x,hello\n", "wav,audio,label\na,b,human\n", "a,b,label\nx.wav,y.wav,human\n"],
    ids=["none", "two by name", "two by content"],
)
def test_nothing_is_suggested_where_it_is_not_clear(tree, text):
    message = refusal(load_csv, tree(t=text) / "t.csv")
    assert "path_column" not in message


def test_a_table_without_header_is_recognised_as_one(tree):
    message = refusal(load_csv, tree("a.wav", t="a.wav,human\nb.wav,fake\n") / "t.csv")
    assert "the header is missing: add a first line, such as path,label." in message


def test_a_column_is_suggested_once():
    assert suggested_columns(["label"], ["a.wav"], ["path", "label"]) == {"label": "label"}
