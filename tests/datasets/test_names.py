import unicodedata
from pathlib import Path

import pytest

from voicelstm.datasets import load_csv
from voicelstm.datasets._names import FileFinder

COMPOSED, DECOMPOSED = (unicodedata.normalize(form, "Zoë/café 1.wav") for form in ("NFC", "NFD"))


@pytest.mark.parametrize(("on_disk", "in_table"), [(COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED)])
def test_a_name_in_another_normalisation_is_found(tree, on_disk, in_table, monkeypatch):
    root = tree(on_disk, "b.wav", t=f"path,label\n{in_table},human\nb.wav,synthetic\n")
    assert load_csv(root / "t.csv").recordings[0] == str(root / on_disk)
    monkeypatch.chdir(root)
    assert FileFinder().find(Path(), in_table) == Path(on_disk)
    folder, name = in_table.split("/")
    other, _ = on_disk.split("/")
    assert FileFinder().find(root, f"{other}/{name}") == root / on_disk  # only a part differs
    assert FileFinder().find(root, f"{folder}\\{name}") == root / on_disk
    assert FileFinder().find(root / other, f"../{folder}/./{name}") is not None


def test_the_name_as_it_is_written_comes_first(tree):
    root = tree(COMPOSED, DECOMPOSED)
    assert FileFinder().find(root, DECOMPOSED) == root / DECOMPOSED
    assert FileFinder().find(root, COMPOSED) == root / COMPOSED


def test_what_is_not_there_is_not_found(tree):
    root = tree("a.wav", COMPOSED)
    assert FileFinder().find(root, "é.wav") is None
    assert FileFinder().find(root, "missing/é.wav") is None
    assert FileFinder().find(root, unicodedata.normalize("NFD", "Zoë")) is None  # a folder
