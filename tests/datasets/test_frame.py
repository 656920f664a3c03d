from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.datasets.corpora import refusal
from voicelstm.datasets import load_csv
from voicelstm.datasets._frame import is_frame


def test_a_data_frame_is_read_as_the_table_that_it_is(tree):
    root = tree("a.wav", "sub/b.wav", "c.wav")
    frame = pd.DataFrame(
        {
            "path": [Path("a.wav"), "sub/b.wav", str(root / "c.wav"), "none.wav"],
            "label": ["real", "fake", "fake", "fake"],
            "speaker": ["ana", None, np.nan, "ben"],
            "fold": [1, 1, 1, 2],
        },
        index=[7, 7, 9, 2],
    )
    corpus = load_csv(frame, audio_dir=root, labels={"real": "human", "fake": "synthetic"}, where={"fold": 1})
    assert corpus.recordings == [str(root / name) for name in ("a.wav", "sub/b.wav", "c.wav")]
    assert corpus.target.tolist() == ["human", "synthetic", "synthetic"]
    assert corpus.groups["speaker"].tolist() == ["ana", "", ""]
    assert corpus.groups["fold"].tolist() == ["1", "1", "1"]
    assert "3 of 4 rows" in corpus.DESCR


def test_paths_in_a_data_frame_start_in_the_working_directory(tree, monkeypatch):
    monkeypatch.chdir(tree("a.wav", "b.wav"))
    frame = pd.DataFrame({"file": ["a.wav", "b.wav"], "label": [1, 0]})
    assert load_csv(frame, path_column="file").target.tolist() == [1, 0]


@pytest.mark.parametrize("values", [[True, False], pd.array([True, False], dtype="boolean")])
def test_labels_of_a_data_frame_may_be_of_any_kind(tree, values):
    frame = pd.DataFrame({"path": ["a.wav", "b.wav"], "label": values})
    corpus = load_csv(frame, audio_dir=tree("a.wav", "b.wav"), labels={True: "human", False: "synthetic"})
    assert corpus.target.tolist() == ["human", "synthetic"]


def test_what_is_wrong_with_a_data_frame_is_said_with_rows_counted_from_0(tree):
    root = tree("a.wav")
    frame = pd.DataFrame({"path": ["a.wav", "no.wav", pd.NA], "label": ["human", pd.NA, "synthetic"]})
    message = refusal(load_csv, frame, audio_dir=root)
    assert message.startswith("The data frame")
    assert "row 1: no.wav" in message
    assert "Rows without a path (1)" in message
    assert "    row 2\n" in message
    assert "Rows without a label (1)" in message
    assert "The data frame has 'path', 'label'" in refusal(load_csv, frame, label_column="key")
    assert "No rows" in refusal(load_csv, frame[:0])
    assert "The data frame has none" in refusal(load_csv, pd.DataFrame())


@pytest.mark.parametrize("given", [{"delimiter": "|"}, {"quoting": False}, {"columns": ["path", "label"]}])
def test_what_is_for_text_files_is_refused_with_a_data_frame(given):
    with pytest.raises(ValueError, match="for text files"):
        load_csv(pd.DataFrame({"path": ["a.wav"], "label": [1]}), **given)


def test_a_series_is_refused():
    with pytest.raises(TypeError, match="path is of type Series: expected a path or a data frame"):
        load_csv(pd.Series(["a.wav"]))


def test_a_path_is_no_data_frame():
    assert not is_frame("t.csv")
    assert not is_frame(Path("t.csv"))
    assert is_frame(pd.DataFrame({"path": []}))
