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
        # Names with a dot, as those of files have.
        ("speaker.id,path,class", ["ana,a.wav,human", "ben,b.wav,fake"], {"label_column": "class"}),
        ("audio.file,label", ["a.wav,human", "b.wav,fake"], {"path_column": "audio.file"}),
        ("my.clip,is.fake", ["a.wav,1", "b.wav,0"], {"path_column": "my.clip", "label_column": "is.fake"}),
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


@pytest.mark.parametrize(
    ("text", "first_line"),
    [
        ("a.wav,human\nb.wav,fake\n", "path,label"),
        ("human;ana;a.wav;x;y\nfake;ben;b.wav;x;y\n", "label;speaker;path;system;column5"),
        ("a.xyz,human\nb.xyz,fake\n", "path,label"),
        ("a.wav,human\nb.xyz,fake\n", "path,label"),
    ],
)
def test_a_table_without_header_is_read_with_the_one_that_is_said(tree, text, first_line):
    files = {"a.wav", "b.wav", "a.xyz", "b.xyz"}
    root = tree(*files, t=text)
    message = refusal(load_csv, root / "t.csv")
    assert f"the header is missing: add a first line, such as {first_line}." in message
    (root / "t.csv").write_text(f"{first_line}\n{text}")
    assert load_csv(root / "t.csv").target.tolist() == ["human", "fake"]


def test_a_column_is_suggested_once():
    assert suggested_columns(["label"], ["a.wav"], ["path", "label"]) == {"label": "label"}
