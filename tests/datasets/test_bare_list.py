import io
import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.datasets.corpora import refusal
from voicelstm.datasets import load_csv
from voicelstm.datasets._bare_list import windows_key
from voicelstm.exceptions import DatasetWarning

LABELS = [1, 0, 0, 1]
NAMES = ["a.wav", "b.wav", "c.wav", "d.wav"]


def saved(labels, **kwargs):
    """What numpy.savetxt writes."""
    text = io.StringIO()
    np.savetxt(text, labels, **kwargs)
    return text.getvalue()


SERIES = pd.Series(LABELS)
COLUMN = np.array(LABELS)[:, None]


@pytest.mark.parametrize(
    "text",
    [
        "[[1],[0],[0],[1]]",
        "[[1], [0],\n [0], [1]]\n",
        str(COLUMN.tolist()),
        str(COLUMN),
        json.dumps(COLUMN.tolist(), indent=2),
        "[1, 0, 0, 1]",
        "[1, 0,\n 0, 1]",
        json.dumps(LABELS, indent=2),
        str(np.array(LABELS, dtype=float)),
        "[1]\n[0]\n[0]\n[1]\n",
        "label\n1\n0\n0\n1\n",
        '"label"\r\n"1"\r\n"0"\r\n"0"\r\n"1"\r\n',
        "label\n1.0\n0.0\n0.0\n1.0\n",
        "1.0\n0.0\n0.0\n1.0\n",
        "1.0, 0.0, 0.0, 1.0",
        "1.,\n0.,\n0.,\n1.,\n",
        saved(LABELS),
        saved(np.array(LABELS, dtype=float)),
        saved(COLUMN),
        saved([LABELS]),
        saved(LABELS, fmt="%d", delimiter=","),
        saved(LABELS, header="label"),
        SERIES.to_csv(),
        SERIES.to_csv(header=False),
        SERIES.to_csv(sep=";"),
        SERIES.rename("label").to_csv(),
        SERIES.rename("label").to_csv(index=False),
        SERIES.rename("label").to_csv(index_label="row"),
        SERIES.astype(float).to_csv(),
        pd.Series(LABELS, index=range(1, 5)).to_csv(),
        pd.DataFrame({"label": LABELS}).to_csv(sep="\t"),
        SERIES.to_csv(index_label="index"),
        SERIES.rename("label").to_csv(index_label="Index"),
        '"","label"\n"1",1\n"2",0\n"3",0\n"4",1\n',  # write.csv of R
    ],
)
def test_labels_by_hand_are_read_as_people_have_them(tree, text):
    corpus = load_csv(tree(*NAMES, t=text) / "t.csv")
    assert corpus.target.tolist() == LABELS
    assert corpus.target.dtype.kind == "i"
    assert [Path(path).name for path in corpus.recordings] == NAMES
    assert corpus.groups == {}


def test_a_column_of_labels_alone_may_be_words(tree):
    root = tree(*NAMES, t="kind\nhuman\nsynthetic\nsynthetic\nhuman\n", blank='label\nx\n""\ny\nx\n')
    words = ["human", "synthetic", "synthetic", "human"]
    assert load_csv(root / "t.csv", label_column="kind").target.tolist() == words
    assert "line 3" in refusal(load_csv, root / "blank.csv")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0\n1\n0\n0\n1\n", "write header=False"),  # pandas.Series(LABELS).to_csv(index=False)
        ("1\n0\n0.5\n1\n", "number 3: 0.5"),
        ("1\n0\n1e999\n1\n", "number 3: 1e999"),
        (",label\n0,1\n2,0\n1,0\n3,1\n", "sort them"),
        ("2,1\n0,0\n1,0\n3,1\n", "one label on each line"),
        ("[[1, 0], [0, 1], [0, 1], [1, 0]]", "one label on each line"),
        ("[[1, 0], [0, 1], [0, 1], [1, 0]]", "numpy.argmax(rows, axis=1)"),
        ("0 1 0\n1 0 0\n0 0 1\n0 1 0\n", "numpy.argmax(rows, axis=1)"),
        ("0.5,1\n1,0\n", "one label on each line"),
        ("1,1\n2,0\n3,0\n4,1\n", "Numbers from 1 on need a header: index,label."),
        ("file,label\n1,1\n2,0\n3,0\n4,1\n", "path_column='file' reads it"),
        ("id,label\n0,1\n1,0\n2,0\n3,1\n", "'path'"),
        ("label\n1\n0,1\n0\n1\n", "line 3: 2 cells"),
        ("\n\n# c\nlabel\n1\n\n0,1\n0\n1\n", "line 7: 2 cells"),
        ("# c\nindex,label\n0,1\n\n1,\n2,0\n3,1\n", "    line 5"),
        ("path\na.wav\n", "'label'"),
        ("label\n", "'path'"),
    ],
)
def test_a_list_that_can_be_misread_is_refused(tree, text, said):
    assert said in refusal(load_csv, tree(*NAMES, t=text) / "t.csv")


@pytest.mark.parametrize("text", ["[[0, 1], [1, 0]]", "0,1\n1,0\n", "0 1\n1 0\n"])
def test_two_rows_that_may_be_one_hot_are_not_taken_for_numbers_and_labels(tree, text):
    assert "one label on each line" in refusal(load_csv, tree("a.wav", "b.wav", t=text) / "t.csv")


@pytest.mark.parametrize("order", ["natural", "name", None])
def test_numbers_that_are_names_of_files_are_no_index(tree, order):
    files = [f"{number}.wav" for number in range(11)]
    text = "file,label\n" + "".join(f"{number},{number % 2}\n" for number in range(1, 12))
    message = refusal(load_csv, tree(*files, t=text) / "t.csv", order=order)
    assert "path_column='file' reads it" in message


def test_decimals_of_a_tables_labels_are_no_strings(tree):
    root = tree("a.wav", "b.wav", t="path,label\na.wav,1.0\nb.wav,0.0\n")
    target = load_csv(root / "t.csv").target
    assert target.tolist() == [1, 0]
    assert target.dtype.kind == "i"


def windows_order(n_files):
    """The order of 1.wav, 2.wav, ... by the rule of NTFS: characters compared one by one, "." before "0"."""
    return sorted(range(1, n_files + 1), key=lambda number: [*str(number), "."])


def test_two_hundred_numbered_files_have_their_labels_in_the_order_that_is_asked_for(tree):
    files = [f"{number}.wav" for number in range(1, 201)]
    by_name = [f"{number}.wav" for number in windows_order(200)]
    assert by_name[:4] == ["1.wav", "10.wav", "100.wav", "101.wav"]
    labels = np.random.default_rng(0).integers(0, 2, 200).tolist()
    root = tree(*files, t="\n".join(map(str, labels)))
    for order, expected in (("natural", files), ("name", by_name)):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            corpus = load_csv(root / "t.csv", order=order)
        assert [Path(path).name for path in corpus.recordings] == expected
        assert corpus.target.tolist() == labels
        assert f"in {order} order" in corpus.DESCR
    label_of = dict(zip(files, labels, strict=True))
    moved = sum(label_of[name] != label for name, label in zip(by_name, labels, strict=True))
    with pytest.warns(DatasetWarning, match=f"{moved} of 200 files have another label") as caught:
        corpus = load_csv(root / "t.csv")
    assert [Path(path).name for path in corpus.recordings] == files
    (said,) = caught
    assert "number 2 is that of 2.wav" in str(said.message)
    assert "it is that of 10.wav" in str(said.message)
    assert said.filename == __file__


def test_nothing_is_said_of_an_order_that_makes_no_difference(tree):
    tree(
        "a/01.wav", "a/02.wav", "a/10.wav", "b/1.wav", "b/2.wav", "b/10.wav", "c/1.wav", "c/2.wav", "c/10.wav"
    )
    root = tree(same="1\n0\n0\n", moved="1\n0\n1\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_csv(root / "moved.csv", audio_dir=root / "a").target.tolist() == [1, 0, 1]
        assert load_csv(root / "same.csv", audio_dir=root / "b").target.tolist() == [1, 0, 0]
    with pytest.warns(DatasetWarning, match="2 of 3 files"):
        load_csv(root / "moved.csv", audio_dir=root / "b")


def test_an_order_is_for_lists_without_paths(tree):
    root = tree("a.wav", "b.wav", t="path,label\na.wav,1\nb.wav,0\n")
    assert "`order` without a bare list" in refusal(load_csv, root / "t.csv", order="name")
    with pytest.raises(ValueError, match='order=\'windows\': expected "natural", "name"'):
        load_csv(root / "t.csv", order="windows")


def test_names_come_as_ntfs_keeps_them():
    # A plain "dir", by R. Chen, "Why do NTFS and Explorer disagree on filename sorting?", 17 June 2005.
    listed = ["a", "b", "å", "×", "ø"]
    backwards = listed[::-1]
    assert sorted(backwards, key=windows_key) == listed


# By the codes of upper case: "_" (5F) stands behind letters, "-" before ".", a space before all.
def test_names_come_as_windows_lists_them():
    listed = [
        "1 b.wav",
        "1-b.wav",
        "1.wav",
        "10.wav",
        "1_b.wav",
        "2.wav",
        "A.wav",
        "b.wav",
        "B1.wav",
        "_.wav",
        "Ä.wav",
        "ä1.wav",
    ]
    backwards = listed[::-1]
    assert sorted(backwards, key=windows_key) == listed


def test_names_come_by_the_halves_of_long_characters():
    # U+1D11E is D834 and DD1E in UTF-16, which stands before U+FF5E.
    assert sorted(["\uff5e", "\U0001d11e"], key=windows_key) == ["\U0001d11e", "\uff5e"]


@given(st.lists(st.text(st.characters(codec="ascii")), unique_by=str.upper))
def test_names_in_ascii_come_by_the_codes_of_upper_case(names):
    def codes(name):
        return [code - 32 if 97 <= code <= 122 else code for code in name.encode()]

    assert sorted(names, key=windows_key) == sorted(names, key=codes)


@given(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8"), min_size=1))
def test_a_name_comes_before_those_that_begin_with_it(name, ending):
    assert windows_key(name) < windows_key(name + ending)
