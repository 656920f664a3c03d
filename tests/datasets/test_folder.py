from pathlib import Path

from tests.datasets.corpora import refusal
from voicelstm.datasets import load_folder


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
