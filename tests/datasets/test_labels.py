import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from voicelstm.datasets import load_csv, load_folder
from voicelstm.exceptions import DatasetError


@pytest.fixture
def tree(tmp_path):
    """Make files, by path: empty ones, or with the given text."""

    def make(*names, **texts):
        for name in names:
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
        for name, text in texts.items():
            data = text if isinstance(text, bytes) else text.encode()
            (tmp_path / f"{name}.csv").write_bytes(data)
        return tmp_path

    return make


def refusal(load, *args, **kwargs):
    with pytest.raises(DatasetError) as caught:
        load(*args, **kwargs)
    return str(caught.value)


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
    assert "    line 6\n" in message
    assert "Rows without a path (1)" in message
    assert "    line 7\n" in message
    assert "line 8: 2 cells" in message
    assert "Only one class" in message
    assert str(root) in message


def test_a_long_list_of_problems_is_cut_at_twenty(tree):
    root = tree(t="path,label\n" + "".join(f"{i}.wav,{i % 2}\n" for i in range(25)))
    message = refusal(load_csv, root / "t.csv")
    assert "Missing files (25)" in message
    assert "line 21: 19.wav\n    and 5 more" in message
    assert "20.wav" not in message


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


def test_a_folder_per_class_gives_its_names_as_labels(tree):
    root = tree(
        "synthetic/tts/10.ogg",
        "synthetic/tts/9.ogg",
        "human/a.FLAC",
        "human/ana/day1/b.wav",
        "human/readme.txt",
        "human/._a.flac",
        "human/.cache/c.wav",
        ".git/d.wav",
        "loose.wav",
    )
    corpus = load_folder(root)
    names = [Path(path).relative_to(root).as_posix() for path in corpus.recordings]
    assert names == ["human/a.FLAC", "human/ana/day1/b.wav", "synthetic/tts/9.ogg", "synthetic/tts/10.ogg"]
    assert corpus.target.tolist() == ["human", "human", "synthetic", "synthetic"]
    assert corpus.groups["folder"].tolist() == ["", "ana/day1", "tts", "tts"]
    assert "left out: 1" in corpus.DESCR
    assert load_folder(root, return_X_y=True)[0] == corpus.recordings


def test_folders_named_by_integers_give_integers(tree):
    assert load_folder(tree("0/a.wav", "1/a.wav")).target.tolist() == [0, 1]


def test_names_of_any_kind_can_be_sorted(tree):
    names = ["a", "a1", "1", "1a", "٣", "²", "a01"]
    corpus = load_folder(tree("0/x.wav", *(f"1/{name}.wav" for name in names)))
    assert sorted(Path(path).stem for path in corpus.recordings[1:]) == sorted(names)


def test_empty_classes_and_repeated_files_are_listed_together(tree):
    root = tree("human/a.wav", "fake/notes.txt")
    (root / "tts").mkdir()
    (root / "human" / "link.wav").symlink_to(root / "human" / "a.wav")
    (root / "human" / "lost.wav").symlink_to(root / "nowhere.wav")
    message = refusal(load_folder, root)
    assert "    fake/\n    tts/" in message
    assert "human/a.wav = human/link.wav" in message
    assert "human/lost.wav" in message
    assert "Only one class" in message


def test_a_link_to_a_folder_above_is_not_followed_round(tree):
    root = tree("human/in/a.wav", "tts/in/b.wav")
    (root / "human" / "in" / "up").symlink_to(root / "human")
    assert [Path(path).name for path in load_folder(root).recordings] == ["a.wav", "b.wav"]


def test_audio_without_class_folders_is_refused(tree):
    message = refusal(load_folder, tree("a.wav", "b.wav"))
    assert "2 audio files lie loose" in message
    assert "human/ and synthetic/" in message


def test_the_development_corpus_agrees_with_its_manifest(corpus_dir, manifest):
    digits = [row for row in manifest if row["subset"] == "digits"]
    corpus = load_csv(corpus_dir / "manifest.csv", where={"subset": "digits"})
    assert len(corpus.recordings) == len(digits) == 200
    assert np.unique(corpus.target, return_counts=True)[1].tolist() == [100, 100]
    assert set(corpus.groups["speaker"]) == {row["speaker"] for row in digits}
    assert corpus.groups["system"].tolist() == [row["system"] for row in digits]


def test_importing_the_loaders_loads_neither_a_network_nor_a_decoder():
    heavy = ("tensorflow", "keras", "librosa", "soundfile")
    script = f"import sys, voicelstm.datasets; print([name for name in {heavy} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
