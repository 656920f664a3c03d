import pytest

from tests.datasets.corpora import refusal
from voicelstm.datasets import load_folder


@pytest.mark.parametrize(
    "names",
    [
        ["training/real/a.wav", "training/fake/b.wav", "testing/real/c.wav", "testing/fake/d.wav"],
        ["A/bonafide/x/a.wav", "A/spoof/b.wav", "B/bonafide/c.wav", "B/spoof/y/d.wav"],
        ["train/0/a.wav", "train/1/b.wav", "Val/0/c.wav", "Val/1/d.wav", "test/0/e.wav", "test/1/f.wav"],
        ["part/real/a.wav", "part/fake/b.wav", "rest/fake/c.wav", "rest/old/d.wav", "rest/real/e.wav"],
    ],
    ids=["real and fake", "spelt as classes", "numbers below names of splits", "and others"],
)
def test_a_split_above_the_classes_is_refused_with_the_folder_to_load(tree, names):
    root = tree(*names)
    message = refusal(load_folder, root)
    assert "Folders of a split, not of classes" in message
    first = names[0].split("/")[0]
    assert f"Load one of them, such as {root}/{first}, and measure on another." in message
    assert f"{first}/" in message
    assert len(load_folder(root / first).recordings) == 2


@pytest.mark.parametrize(
    "names",
    [
        ["human/ana/1.wav", "human/ben/2.wav", "synthetic/ana/3.wav", "synthetic/ben/4.wav"],
        ["a/ana/1.wav", "a/ben/2.wav", "b/ana/3.wav", "b/ben/4.wav"],
        ["human/real/1.wav", "human/fake/2.wav", "synthetic/real/3.wav", "synthetic/fake/4.wav"],
        ["train/a/1.wav", "test/b/2.wav"],
        ["0/real/1.wav", "0/fake/2.wav", "1/real/3.wav"],
    ],
    ids=["speakers", "speakers of unknown classes", "classes above", "nothing shared", "not below each"],
)
def test_classes_above_sub_folders_of_their_own_are_read(tree, names):
    assert len(load_folder(tree(*names)).recordings) == len(names)
