from pathlib import Path

import numpy as np
import pytest

from tests.datasets.corpora import refusal
from voicelstm.datasets import load_folder
from voicelstm.datasets._files import (
    audio_files,
    audio_paths,
    duplicates,
    is_audio,
    is_file,
    natural_key,
    note_duplicates,
    note_unreadable,
)
from voicelstm.datasets._problems import Problems


def test_names_of_any_kind_can_be_sorted(tree):
    names = ["a", "a1", "1", "1a", "٣", "²", "a01"]
    corpus = load_folder(tree("0/x.wav", *(f"1/{name}.wav" for name in names)))
    assert sorted(Path(path).stem for path in corpus.recordings[1:]) == sorted(names)


def test_a_link_to_a_folder_above_is_not_followed_round(tree):
    root = tree("human/in/a.wav", "tts/in/b.wav")
    (root / "human" / "in" / "up").symlink_to(root / "human")
    assert [Path(path).name for path in load_folder(root).recordings] == ["a.wav", "b.wav"]


def test_links_that_lead_to_each_other_are_followed_once(tree):
    root = tree("human/a.wav", "tts/b.wav")
    (root / "human" / "other").symlink_to(root / "tts")
    (root / "tts" / "other").symlink_to(root / "human")
    (root / "tts" / "out").symlink_to(root.parent)
    names = [path.relative_to(root).as_posix() for path in audio_files(root, recursive=True)]
    assert names == ["human/a.wav", "human/other/b.wav", "tts/b.wav", "tts/other/a.wav"]


def test_files_are_the_same_as_text(tree):
    root = tree("b10/1.wav", "b2/1.wav", "z.wav", "a.txt")
    assert audio_paths(root, recursive=True) == [str(path) for path in audio_files(root, recursive=True)]


def test_natural_order_is_that_of_the_numbers_in_the_names():
    numbers = np.random.default_rng(0).permutation(1200).tolist()
    for form in ("clip{}.wav", "{}", "7_{}_0.wav", "{}x01"):
        names = sorted((form.format(number) for number in numbers), key=natural_key)
        assert names == [form.format(number) for number in range(1200)]


def test_natural_order_ignores_case_and_still_tells_all_names_apart():
    assert sorted(["b1", "B1", "a2", "A10"], key=natural_key) == ["a2", "A10", "B1", "b1"]
    assert natural_key("clip1") != natural_key("clip01")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.wav", True),
        ("a.b.FLAC", True),
        (".a.wav", False),
        ("._a.wav", False),
        ("a.raw", False),
        ("wav", False),
    ],
)
def test_audio_is_told_by_its_extension(name, expected):
    assert is_audio(name) == expected


@pytest.mark.parametrize("text", ["none.wav", "x" * 5000, "null\0character.wav", "."])
def test_what_is_no_file_is_none_whatever_the_text(tmp_path, text):
    assert not is_file(tmp_path / text)


def test_files_of_a_folder_come_in_natural_order_part_by_part_and_without_hidden_ones(tree):
    root = tree("b10/1.wav", "b2/1.wav", "z.wav", "a.txt", ".hidden/1.wav", "b2/.1.wav", "b2/deep/er/1.ogg")
    assert [path.relative_to(root).as_posix() for path in audio_files(root, recursive=True)] == [
        "b2/1.wav",
        "b2/deep/er/1.ogg",
        "b10/1.wav",
        "z.wav",
    ]
    assert audio_files(root, recursive=False) == [root / "z.wav"]


def test_two_names_of_one_file_are_noted_with_all_their_places(tree):
    root = tree("a.wav", "b.wav", "sub/c.wav")
    (root / "link.wav").symlink_to(root / "a.wav")
    problems = Problems("t.csv")
    places = {"a.wav": "line 2", "b.wav": "line 3", "sub/../a.wav": "line 4", "link.wav": "line 5"}
    note_duplicates(problems, ((root / name, place) for name, place in places.items()))
    message = refusal(problems.raise_any)
    assert "The same file more than once (1)" in message
    assert "    line 2 = line 4 = line 5" in message


def test_one_file_is_known_by_every_way_to_it(tree, monkeypatch):
    root = tree("a/b/c/x.wav", "a/b/y.wav")
    (root / "above").symlink_to(root / "a")
    (root / "a" / "in").symlink_to("b/c")
    (root / "link.wav").symlink_to("a/b/c/x.wav")
    (root / "far").symlink_to(root / "above" / "in")
    monkeypatch.chdir(root)
    ways = [
        f"{root}/a/b/c/x.wav",
        "a/b/c/x.wav",
        "./a/b/./c/x.wav",
        f"{root}//a/b/../b/c/x.wav",
        "above/b/c/x.wav",
        "above/in/x.wav",
        "above/in/../c/x.wav",  # above the folder that the link leads to, not above the link
        "far/x.wav",
        "link.wav",
        root / "link.wav",
    ]
    assert duplicates(["a/b/y.wav", *ways]) == [list(range(1, len(ways) + 1))]
    assert duplicates(["a/b/y.wav", "a/b/c/x.wav"]) == []


def test_names_that_lead_to_no_file_are_noted(tree):
    root = tree("a.wav")
    (root / "lost.wav").symlink_to(root / "nowhere.wav")
    problems = Problems(str(root))
    note_unreadable(problems, ((root / name, name) for name in ("a.wav", "lost.wav")))
    message = refusal(problems.raise_any)
    assert "Missing files (1)" in message
    assert message.endswith("    lost.wav")
