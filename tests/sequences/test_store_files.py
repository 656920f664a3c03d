import os
import sqlite3
import struct
import zlib
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from tests.sequences.stores import DESCRIPTION, LENGTHS, N_FEATURES, clip_of, clips_of, fill, writer_of
from voicelstm import SequenceStore
from voicelstm._base import __version__
from voicelstm.exceptions import StoreError
from voicelstm.sequences._store_files import (
    COLUMNS,
    READ,
    ROW,
    DataFile,
    Row,
    checksum_of,
    connect,
    document_of,
    end_of,
    explained,
)


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
        with pytest.raises(StoreError, match=r"format 9, written by voicelstm 7\.0; .* reads formats 1 to 3"):
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


def test_a_row_is_56_bytes_and_its_columns_are_those_of_the_index(folder):
    assert ROW.itemsize == 7 * 8
    assert ROW.names == Row._fields
    fill(folder, clips_of(LENGTHS))
    with closing(connect(folder, "ro")) as index:
        rows = index.execute(f"SELECT {COLUMNS} FROM sequence ORDER BY id").fetchall()
    # By hand: each begins where the one before ends.
    assert [row[:2] for row in rows] == [(0, 4), (4, 1), (5, 0), (5, 7), (12, 4), (16, 2)]
    assert end_of(np.array(rows, dtype=ROW)) == 18
    assert end_of(np.array(rows[:2], dtype=ROW)) == 5
    assert end_of(np.array([], dtype=ROW)) == 0


def test_the_checksum_is_that_of_the_standards_example():
    # CRC-32/ISO-HDLC of "123456789", of which every catalogue of checksums gives the value.
    assert checksum_of(np.frombuffer(b"123456789", dtype="u1").reshape(3, 3)) == 0xCBF43926


def test_a_bit_that_has_changed_is_found_in_its_row_and_the_others_can_be_read(folder):
    store = fill(folder, clips_of(LENGTHS))
    content = bytearray((folder / "features.bin").read_bytes())
    content[12 * N_FEATURES * 4 + 5] ^= 1  # of the fifth sequence, which begins with frame 12
    (folder / "features.bin").write_bytes(content)
    for damaged in (store, SequenceStore(folder)):
        for ask in (lambda of: of[4], lambda of: of.clip(4), lambda of: of[4:][0], list, np.asarray):
            with pytest.raises(StoreError, match=r"features\.bin: damaged: row \d, frames 12 to 16"):
                ask(damaged)
    for position in (0, 1, 2, 3, 5):
        np.testing.assert_array_equal(store[position], clips_of(LENGTHS)[position].features)


# What 0.1.0 wrote, by its own words.
_FORMAT_1 = """
CREATE TABLE about (key TEXT PRIMARY KEY, value NOT NULL);
CREATE TABLE sequence (id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, start INTEGER NOT NULL,
    n_frames INTEGER NOT NULL, offset REAL NOT NULL, frame_length REAL NOT NULL, frame_step REAL NOT NULL,
    duration REAL NOT NULL);
INSERT INTO sequence VALUES (1, 'a', 0, 2, 0.5, 0.025, 0.01, 1.0), (2, 'b', 2, 1, 0.0, 0.025, 0.01, 2.0);
INSERT INTO about VALUES ('document', '{"format": 1, "library": "0.1.0",
    "settings": {"n_mfcc": 3, "n_features": 3, "feature_dtype": "<f4"}}');
"""


def test_a_folder_of_the_first_version_is_read_but_not_added_to(folder):
    folder.mkdir()
    features = np.arange(9, dtype="<f4").reshape(3, 3)
    features.tofile(folder / "features.bin")
    rows = [(2, 1, 0.0, 0.025, 0.01, 2.0), (0, 2, 0.5, 0.025, 0.01, 1.0)]
    collection = b"".join(struct.pack("<qqdddd", *row) for row in rows)
    with closing(sqlite3.connect(folder / "index.sqlite")) as index, index:
        index.executescript(_FORMAT_1)
        index.execute("INSERT INTO about VALUES ('collection', ?)", (collection,))
    store = SequenceStore(folder)
    np.testing.assert_array_equal(store[0], features[2:])
    np.testing.assert_array_equal(store[1], features[:2])
    clip = store.clip(1)
    assert (clip.offset, clip.frame_length, clip.frame_step, clip.duration) == (0.5, 0.025, 0.01, 1.0)
    with pytest.raises(StoreError, match=r"format 1, written by voicelstm 0\.1\.0; it can be read, but not"):
        writer_of(folder, {"n_mfcc": 3})


# What was written between the first version and format 3.
_FORMAT_2 = f"""
CREATE TABLE about (key TEXT PRIMARY KEY, value NOT NULL);
CREATE TABLE sequence (id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, start INTEGER NOT NULL,
    n_frames INTEGER NOT NULL, offset REAL NOT NULL, frame_length REAL NOT NULL, frame_step REAL NOT NULL,
    duration REAL NOT NULL, checksum INTEGER NOT NULL);
INSERT INTO about VALUES ('document', '{{"format": 2, "library": "{__version__}",
    "settings": {{"n_mfcc": 3, "n_features": 3, "feature_dtype": "<f4"}}}}');
"""


def test_a_folder_without_remarks_is_read_with_its_checksums_but_not_added_to(folder):
    folder.mkdir()
    features = np.frombuffer(b"123456789---", dtype="<f4").reshape(1, 3)
    features.tofile(folder / "features.bin")
    row = struct.pack("<qqddddq", 0, 1, 0.5, 0.025, 0.01, 1.0, zlib.crc32(b"123456789---"))
    with closing(sqlite3.connect(folder / "index.sqlite")) as index, index:
        index.executescript(_FORMAT_2)
        index.execute("INSERT INTO about VALUES ('collection', ?)", (row,))
    store = SequenceStore(folder)
    np.testing.assert_array_equal(store[0], features)
    with pytest.raises(StoreError, match=r"format 2, written by .*; it can be read, but not added to"):
        writer_of(folder, {"n_mfcc": 3})
    (folder / "features.bin").write_bytes(b"12345678x---")
    with pytest.raises(StoreError, match="damaged: row 0"):
        SequenceStore(folder)[0]


def test_an_index_that_is_opened_to_be_read_is_neither_made_nor_changed(folder):
    folder.mkdir()
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        connect(folder, "ro")
    assert list(folder.iterdir()) == []
    fill(folder, clips_of([4]))
    with closing(connect(folder, "ro")) as index, pytest.raises(sqlite3.OperationalError, match="readonly"):
        index.execute("DELETE FROM sequence")


def test_settings_are_what_the_folder_was_made_with(folder):
    fill(folder, clips_of([4]))
    with closing(connect(folder, "ro")) as index:
        found = document_of(index, folder)["settings"]
    # JSON has lists for tuples.
    expected = DESCRIPTION | {"window": ["kaiser", 4.0], "n_features": N_FEATURES, "feature_dtype": "<f4"}
    assert found == expected


def test_the_frames_beyond_the_end_are_not_mapped(folder):
    fill(folder, clips_of([4]))
    data = DataFile(folder, N_FEATURES, np.dtype("<f4"), end=3)
    assert data.checked_size() == 3 * N_FEATURES * 4
    assert data.mapped().tolist() == np.arange(9.0).reshape(3, N_FEATURES).tolist()
    assert data.mapped() is data.mapped()


@pytest.mark.parametrize("error", [OSError("no way"), sqlite3.Error("no way")])
def test_what_the_system_says_becomes_an_error_that_names_the_folder(folder, error):
    with (
        pytest.raises(StoreError, match=r"features: cannot be read \(no way\)\. Check permissions") as raised,
        explained(folder, READ),
    ):
        raise error
    assert raised.value.__cause__ is error


def test_other_errors_stay_what_they_are(folder):
    with pytest.raises(KeyError), explained(folder, READ):
        raise KeyError("no fault of the system")
