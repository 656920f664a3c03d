from pathlib import Path

import pytest

from tests.audio.encoded import encode, encoded, tone
from tests.datasets.corpora import refusal
from voicelstm.datasets import load_folder
from voicelstm.exceptions import AudioWarning


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
    with pytest.warns(AudioWarning, match="2 files are left out"):
        corpus = load_folder(root)
    names = [Path(path).relative_to(root).as_posix() for path in corpus.recordings]
    assert names == ["human/a.FLAC", "human/ana/day1/b.wav", "synthetic/tts/9.ogg", "synthetic/tts/10.ogg"]
    assert corpus.target.tolist() == ["human", "human", "synthetic", "synthetic"]
    assert corpus.groups["folder"].tolist() == ["", "ana/day1", "tts", "tts"]
    assert "left out: 2" in corpus.DESCR
    ignored = load_folder(root, ignore=["*.txt", "loose.wav"], return_X_y=True)
    assert ignored[0] == corpus.recordings


def test_files_are_recordings_by_content_and_the_others_are_counted_and_named(tree):
    root = tree("human/a.wav", "human/notes.txt", "fake/b.wav", "fake/more/table.csv", "README")
    (root / "human" / "voice note.bin").write_bytes(encoded("m4a", tone(440, 0.5)))
    (root / "fake" / "film.mp4").write_bytes(encode(tone(440, 0.5), "mp4", "aac", 16000, film=True))
    (root / "fake" / "silent.mp4").write_bytes(
        encode(tone(440, 0.5), "mp4", "aac", 16000, film=True, tracks=0)
    )
    for name in ("human/notes.txt", "fake/more/table.csv", "README"):
        (root / name).write_text("a,b")
    with pytest.warns(AudioWarning) as caught:
        corpus = load_folder(root)
    names = [Path(path).relative_to(root).as_posix() for path in corpus.recordings]
    assert names == ["fake/b.wav", "fake/film.mp4", "human/a.wav", "human/voice note.bin"]
    assert len(caught) == 1
    text = str(caught[0].message)
    assert f"{root}: 4 files are left out:" in text
    for line in (
        "fake/more/table.csv: text ('a,b')",
        "fake/silent.mp4: an MP4/M4A file without sound",
        "human/notes.txt: text ('a,b')",
        "README: text ('a,b')",
    ):
        assert f"\n  {line}" in text
    assert corpus.left_out == [f"{root}/{line.strip()}" for line in text.splitlines()[1:-1]]


def test_what_is_meant_to_be_left_out_is_ignored_unsaid(tree):
    root = tree("human/a.wav", "human/notes/1.txt", "fake/b.wav", "fake/c.wav", "labels.csv")
    assert load_folder(root, ignore=["*/notes/*", "*.csv"]).left_out == []
    corpus = load_folder(root, ignore=["*.csv", "*.txt", "fake/b.*"])
    assert [Path(path).name for path in corpus.recordings] == ["c.wav", "a.wav"]
    with pytest.warns(AudioWarning, match="1 file is left out"):
        load_folder(root, ignore="*.csv")


def test_folders_named_by_integers_give_integers(tree):
    assert load_folder(tree("0/a.wav", "1/a.wav")).target.tolist() == [0, 1]


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


def test_folders_whose_names_differ_only_in_spelling_are_refused(tree):
    message = refusal(load_folder, tree("bonafide/a.wav", "bona-fide/b.wav", "spoof/c.wav"))
    assert "'bona-fide' (1 recording) and 'bonafide' (1 recording)" in message


def test_audio_without_class_folders_is_refused(tree):
    message = refusal(load_folder, tree("a.wav", "b.wav"))
    assert "2 audio files lie loose" in message
    assert "human/ and synthetic/" in message
