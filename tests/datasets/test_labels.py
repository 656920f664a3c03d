from pathlib import Path

import numpy as np
import pytest

from tests.datasets.corpora import refusal
from voicelstm.datasets import load_csv, load_folder


def test_a_table_gives_paths_labels_and_every_further_column(tree):
    root = tree("a.wav", "sub/b.flac", t="path,label,speaker\na.wav,human,01\nsub/b.flac,synthetic,01\n")
    corpus = load_csv(root / "t.csv")
    assert corpus.recordings == [str(root / "a.wav"), str(root / "sub" / "b.flac")]
    assert corpus.target.tolist() == ["human", "synthetic"]
    assert {name: values.tolist() for name, values in corpus.groups.items()} == {"speaker": ["01", "01"]}
    assert "human: 1 recording\n" in corpus.DESCR
    recordings, target = load_csv(str(root / "t.csv"), return_X_y=True)
    assert recordings == corpus.recordings
    assert target.tolist() == corpus.target.tolist()


def test_labels_that_are_all_integers_become_integers(tree):
    root = tree("a.wav", "b.wav", t="path,label\na.wav,1\nb.wav,0\n", mixed="path,label\na.wav,1\nb.wav,no\n")
    assert load_csv(root / "t.csv").target.tolist() == [1, 0]
    assert load_csv(root / "mixed.csv").target.tolist() == ["1", "no"]


def test_relative_paths_start_at_audio_dir_and_may_have_backslashes(tree):
    root = tree("audio/in/a.wav", "b.wav")
    (root / "t.csv").write_text(f"file,key\nin\\a.wav,human\n{root / 'b.wav'},synthetic\n")
    corpus = load_csv(root / "t.csv", audio_dir=root / "audio", path_column="file", label_column="key")
    assert corpus.recordings == [str(root / "audio/in/a.wav"), str(root / "b.wav")]


def test_where_keeps_matching_rows_and_looks_at_no_other(tree):
    table = (
        "path,label,fold,subset\n"
        "a.wav,human,1,x\n"
        "b.wav,synthetic,2,x\n"
        "missing.wav,human,3,x\n"
        "missing.wav,,1,y\n"
    )
    root = tree("a.wav", "b.wav", t=table)
    corpus = load_csv(root / "t.csv", where={"fold": (1, 2), "subset": "x"})
    assert corpus.groups["fold"].tolist() == ["1", "2"]
    message = refusal(load_csv, root / "t.csv", where={"subset": "z"})
    assert "'subset' holds 'x', 'y'" in message


def test_one_error_lists_everything_that_is_wrong_with_a_table(tree):
    table = (
        "path,label,note\n"
        "a.wav,human,\n"
        "gone.wav,human,\n"
        'a.wav,human,"two\nlines"\n'
        "b.wav,,\n"
        ",human,\n"
        "c.wav,human\n"
        "sub/../a.wav,human,\n"
    )
    root = tree("a.wav", "b.wav", "c.wav", "sub/x.txt", t=table)
    message = refusal(load_csv, root / "t.csv")
    assert "line 3: gone.wav" in message
    assert "line 2: a.wav = line 4: a.wav = line 9: sub/../a.wav" in message
    assert "Rows without a label (1)" in message
    assert "    line 6\n" in f"{message}\n"
    assert "Rows without a path (1)" in message
    assert "    line 7\n" in message
    assert "line 8: 2 cells" in message
    assert "Only one class" not in message  # the other may be that of line 6 or 8
    assert str(root) in message


def test_a_path_of_the_wrong_kind_names_the_loader_of_the_right_kind(tree):
    root = tree(t="path,label\n")
    assert "load_folder" in refusal(load_csv, root)
    assert "load_csv" in refusal(load_folder, root / "t.csv")
    assert "no such file" in refusal(load_csv, root / "none.csv")
    assert "no such folder" in refusal(load_folder, root / "none")


@pytest.mark.parametrize("text", ["1\n0\n0\n", "1,0,0", "1 0 0\n", "\ufeff1, 0, 0,\r\n"])
def test_a_bare_list_of_labels_belongs_to_the_folder_in_natural_order(tree, text):
    root = tree(
        "clip10.wav", "clip2.WAV", "Clip1.mp3", ".clip0.wav", "notes.txt", "sub/clip0.wav", labels=text
    )
    corpus = load_csv(root / "labels.csv")
    assert [Path(path).name for path in corpus.recordings] == ["Clip1.mp3", "clip2.WAV", "clip10.wav"]
    assert corpus.target.tolist() == [1, 0, 0]
    assert corpus.groups == {}


def test_a_bare_list_must_have_one_label_for_each_recording(tree):
    root = tree("audio/a.wav", "audio/b.wav", t="1\n0\n1\n", pairs="1 0\n0 1\n")
    message = refusal(load_csv, root / "t.csv", audio_dir=root / "audio")
    assert "3 labels, 2 audio files" in message
    assert "one label on each line" in refusal(load_csv, root / "pairs.csv", audio_dir=root / "audio")
    assert "no columns" in refusal(load_csv, root / "t.csv", audio_dir=root / "audio", where={"fold": 1})
    assert "no such folder" in refusal(load_csv, root / "t.csv", audio_dir=root / "none")


def test_the_development_corpus_agrees_with_its_manifest(corpus_dir, manifest):
    digits = [row for row in manifest if row["subset"] == "digits"]
    corpus = load_csv(corpus_dir / "manifest.csv", where={"subset": "digits"})
    assert len(corpus.recordings) == len(digits) == 200
    assert np.unique(corpus.target, return_counts=True)[1].tolist() == [100, 100]
    assert set(corpus.groups["speaker"]) == {row["speaker"] for row in digits}
    assert corpus.groups["system"].tolist() == [row["system"] for row in digits]


def test_this_projects_manifest_is_a_table_for_load_csv(corpus_dir, manifest):
    speech = [row for row in manifest if row["subset"] == "speech"]
    corpus = load_csv(corpus_dir / "manifest.csv", where={"subset": "speech"})
    assert len(corpus.recordings) == len(speech)
    assert corpus.target.tolist() == [row["label"] for row in speech]
    for name in ("speaker", "system", "family"):
        assert corpus.groups[name].tolist() == [row[name] for row in speech]


def test_labels_are_mapped_and_those_without_another_are_told(tree):
    root = tree("a.wav", "b.wav", "c.wav", t="path,label\na.wav,real\nb.wav,fake\nc.wav,unclear\n")
    mapping = {"real": 1, "fake": 0}
    message = refusal(load_csv, root / "t.csv", labels=mapping)
    assert "Unknown labels (1)" in message
    assert "line 4: 'unclear'" in message
    assert "'real', 'fake'" in message
    kept = load_csv(root / "t.csv", labels=mapping, where={"label": list(mapping)})
    assert kept.target.tolist() == [1, 0]


def test_labels_of_a_bare_list_are_mapped(tree):
    root = tree("1.wav", "2.wav", t="1\n0\n")
    corpus = load_csv(root / "t.csv", labels={1: "human", 0: "synthetic"})
    assert corpus.target.tolist() == ["human", "synthetic"]
    assert "label 1: '0'" in refusal(load_csv, root / "t.csv", labels={1: "human"})


@pytest.mark.parametrize(
    ("text", "kind", "labels"),
    [
        ("path,label\na.wav,human\nb.wav,synthetic,x\n", "Rows without the header's 2 cells", None),
        ("path,label\na.wav,human\nb.wav,\n", "Rows without a label", None),
        ("path,label\na.wav,human\nb.wav,fake\n", "Unknown labels", {"human": "human"}),
    ],
)
def test_a_row_that_may_be_of_the_other_class_is_all_that_is_wrong(tree, text, kind, labels):
    message = refusal(load_csv, tree("a.wav", "b.wav", t=text) / "t.csv", labels=labels)
    assert kind in message
    assert "Only one class" not in message


def test_one_class_is_said_beside_what_leaves_no_row_out(tree):
    root = tree("a.wav", t="path,label\na.wav,human\nb.wav,human\n")
    message = refusal(load_csv, root / "t.csv", order="name")
    assert "Only one class" in message
    assert "Missing files" in message


def test_a_file_without_header_is_no_bare_list_where_its_columns_are_named(tree):
    root = tree("1", "2", t="1 1\n2 0\n")
    corpus = load_csv(root / "t.csv", delimiter=" ", columns=["path", "label"])
    assert corpus.recordings == [str(root / "1"), str(root / "2")]
    assert corpus.target.tolist() == [1, 0]


@pytest.mark.parametrize("delimiter", ["", "::"])
def test_a_delimiter_that_csv_cannot_take_is_refused(tree, delimiter):
    with pytest.raises(ValueError, match="quoting=False"):
        load_csv(tree(t="a") / "t.csv", delimiter=delimiter)


def test_labels_that_differ_only_in_spelling_are_refused(tree):
    rows = "a.wav,human\nb.wav,Human \nc.wav,synthetic\nd.wav,NaN\n"
    message = refusal(load_csv, tree(*(f"{name}.wav" for name in "abcd"), t=f"path,label\n{rows}") / "t.csv")
    assert "'human' (1 recording) and 'Human' (1 recording)" in message
    assert "'NaN': 1 recording" in message
