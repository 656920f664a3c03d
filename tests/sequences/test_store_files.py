import os
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from tests.sequences.stores import LENGTHS, clip_of, clips_of, fill, writer_of
from voicelstm import SequenceStore
from voicelstm.exceptions import StoreError


def test_the_data_file_is_nothing_but_the_rows_in_little_endian_order(filled):
    store, clips = filled
    stored = np.fromfile(store.folder / "features.bin", dtype="<f4")
    np.testing.assert_array_equal(stored, np.concatenate([clip.features.ravel() for clip in clips]))


def test_an_index_that_is_none_is_named(folder):
    folder.mkdir()
    (folder / "index.sqlite").write_text("not a database at all, but something else of some length" * 50)
    for opened in (SequenceStore, writer_of):
        with pytest.raises(StoreError, match=r"features: .*file is not a database"):
            opened(folder)
    (folder / "index.sqlite").unlink()
    with closing(sqlite3.connect(folder / "index.sqlite")) as foreign:
        foreign.execute("CREATE TABLE accounts (name TEXT)")
    for opened in (SequenceStore, writer_of):
        with pytest.raises(StoreError, match=r"features: cannot be read .*no such table"):
            opened(folder)


def test_a_format_from_the_future_is_refused(folder):
    fill(folder, clips_of([4]))
    with closing(sqlite3.connect(folder / "index.sqlite")) as index, index:
        index.execute("""UPDATE about SET value = '{"format": 9, "library": "7.0"}' WHERE key = 'document'""")
    for opened in (SequenceStore, writer_of):
        with pytest.raises(StoreError, match=r"format 9, written by voicelstm 7\.0; .* reads format 1"):
            opened(folder)


@pytest.mark.parametrize("damage", [lambda path: os.truncate(path, 40), Path.unlink])
def test_a_damaged_data_file_is_named_by_whoever_needs_it(folder, damage):
    store = fill(folder, clips_of(LENGTHS))
    with writer_of(folder) as writer:
        damage(folder / "features.bin")
        for needs_it in (
            lambda: SequenceStore(folder),
            lambda: store[0],
            lambda: writer.append([("more", clip_of(1))]),
            lambda: writer.view(["0"])[0],
        ):
            with pytest.raises(StoreError, match=r"features\.bin"):
                needs_it()
        assert writer.find(["more"]) == {}
