import copy
import errno
import os
import pickle
import signal
import sqlite3
import subprocess
import sys
import textwrap
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import KFold, train_test_split
from sklearn.utils import _safe_indexing

from voicelstm import SequenceStore
from voicelstm.exceptions import StoreError
from voicelstm.sequences import Clip, check_ragged, is_ragged, stack
from voicelstm.sequences._store_writer import SequenceWriter

N_FEATURES = 3
DESCRIPTION = {"n_mfcc": 3, "scale": "mel", "window": ("kaiser", 4.0), "fmax": None}
LENGTHS = [4, 1, 0, 7, 4, 2]

# What the subprocesses share with this file.
CLIPS = """
import numpy as np
from voicelstm.sequences import Clip

def clip_of(seed):
    generator = np.random.default_rng(seed)
    features = generator.normal(size=(generator.integers(0, 40), 3)).astype("float32")
    return Clip(features, seed * 0.5, 0.025, 0.01, seed + 0.25)
"""
shared_code = {}
exec(CLIPS, shared_code)
clip_of = shared_code["clip_of"]


def clips_of(lengths, n_features=N_FEATURES):
    starts = np.cumsum([0, *lengths])
    return [
        Clip(
            np.arange(start * n_features, (start + length) * n_features, dtype="float32").reshape(
                -1, n_features
            ),
            offset=0.5 * i,
            frame_length=0.025,
            frame_step=0.01,
            duration=1.0 + i,
        )
        for i, (start, length) in enumerate(zip(starts, lengths, strict=False))
    ]


def writer_of(folder, description=DESCRIPTION, n_features=N_FEATURES, dtype="float32"):
    return SequenceWriter(folder, description, n_features, dtype)


def fill(folder, clips):
    digests = [str(i) for i in range(len(clips))]
    with writer_of(folder) as writer:
        writer.append(list(zip(digests, clips, strict=True)))
        writer.arrange(digests)
    return SequenceStore(folder)


def ragged(arrays):
    values = np.empty(len(arrays), dtype=object)
    for i, array in enumerate(arrays):
        values[i] = array
    return values


def assert_same(found, expected):
    assert len(found) == len(expected)
    for mine, theirs in zip(found, expected, strict=True):
        assert mine.dtype == theirs.dtype
        np.testing.assert_array_equal(mine, theirs)


def assert_holds_clip_of(writer, seeds):
    rows = writer.find([str(seed) for seed in seeds])
    assert set(rows) == {str(seed) for seed in seeds}
    store = writer.view([str(seed) for seed in seeds])
    for position, seed in enumerate(seeds):
        found, expected = store.clip(position), clip_of(seed)
        np.testing.assert_array_equal(found.features, expected.features)
        assert (found.offset, found.duration) == (expected.offset, expected.duration)


def start_python(code, *arguments):
    source = CLIPS + textwrap.dedent(code)
    return subprocess.Popen(
        [sys.executable, "-c", source, *map(str, arguments)], stdout=subprocess.PIPE, text=True
    )


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "features"


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A store, and what it must hold."""
    clips = clips_of(LENGTHS)
    return fill(tmp_path_factory.mktemp("store"), clips), clips


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_clips_come_back_in_the_order_that_they_are_arranged_in(folder, dtype):
    generator = np.random.default_rng(0)
    clips = {
        name: Clip(generator.normal(size=(n, N_FEATURES)).astype(dtype), 0.1, 0.025, 0.01, 2.0)
        for name, n in (("a", 5), ("b", 0), ("c", 300))
    }
    with writer_of(folder, dtype=dtype) as writer:
        writer.append([("a", clips["a"])])
        writer.append([("b", clips["b"]), ("c", clips["c"])])
        writer.arrange(["c", "a", "b", "a"])
    store = SequenceStore(folder)
    assert_same(store, [clips[name].features for name in "caba"])
    assert store.lengths.tolist() == [300, 5, 0, 5]
    assert store.feature_dtype == dtype
    assert store.n_features == N_FEATURES
    assert store.folder == folder


def test_a_clip_comes_back_with_its_place_in_time(filled):
    store, clips = filled
    for position in (0, 3, -1):
        found, expected = store.clip(position), clips[position]
        np.testing.assert_array_equal(found.features, expected.features)
        assert (found.offset, found.frame_length, found.frame_step, found.duration) == (
            expected.offset,
            expected.frame_length,
            expected.frame_step,
            expected.duration,
        )
        assert type(found.offset) is float


def test_the_data_file_is_nothing_but_the_rows_in_little_endian_order(filled):
    store, clips = filled
    stored = np.fromfile(store.folder / "features.bin", dtype="<f4")
    np.testing.assert_array_equal(stored, np.concatenate([clip.features.ravel() for clip in clips]))


def test_a_recording_that_failed_is_an_empty_sequence(folder):
    (clip,) = clips_of([4])
    with writer_of(folder) as writer:
        writer.append([("a", clip)])
        writer.arrange([None, "a"])
    store = SequenceStore(folder)
    assert store[0].shape == (0, N_FEATURES)
    assert store.clip(0).duration == 0.0
    np.testing.assert_array_equal(store[1], clip.features)


@pytest.mark.parametrize("digests", [[None, "empty", None], [None], []])
def test_a_store_without_any_frames_works(folder, digests):
    with writer_of(folder) as writer:
        writer.append([("empty", Clip(np.zeros((0, N_FEATURES), "float32"), 0.0, 0.025, 0.01, 0.0))])
        writer.arrange(digests)
    store = SequenceStore(folder)
    assert [clip.shape for clip in store] == [(0, N_FEATURES)] * len(digests)
    assert not any(clip.flags.writeable for clip in store)
    assert len(np.asarray(store)) == len(digests)
    assert pickle.loads(pickle.dumps(store)).shape == (len(digests),)


def test_all_sequences_of_one_store_share_one_mapping(filled, monkeypatch):
    store = SequenceStore(filled[0].folder)
    made = []
    original = np.memmap
    monkeypatch.setattr(
        "voicelstm.sequences._store_files.np.memmap",
        lambda *args, **kwargs: made.append(args) or original(*args, **kwargs),
    )
    parts = [store[::2], store[[1, 1]], store[np.arange(len(store)) > 2], store[1:][:2]]
    assert (len(store), store.shape, store.ndim, store.dtype) == (6, (6,), 1, np.dtype(object))
    assert store.lengths.tolist() == LENGTHS
    assert "6 clips, 18 frames" in repr(store)
    assert str(store.folder) in repr(store)
    assert not made
    for part in [*parts, store]:
        list(part)
    assert len(made) == 1


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.integers(-len(LENGTHS), len(LENGTHS) - 1),
        st.slices(len(LENGTHS)),
        st.lists(st.integers(-len(LENGTHS), len(LENGTHS) - 1), max_size=9),
        st.lists(st.booleans(), min_size=len(LENGTHS), max_size=len(LENGTHS)),
    ),
    st.booleans(),
    st.booleans(),
)
def test_a_store_is_indexed_as_an_object_array_is(filled, key, as_array, as_scikit_learn):
    store, clips = filled
    expected = ragged([clip.features for clip in clips])[key]
    if as_array and isinstance(key, list):
        key = np.array(key, dtype=np.int64 if not key else None)
    elif as_array and isinstance(key, int):
        key = np.int32(key)
    found = store[key, ...] if as_scikit_learn else store[key]
    if isinstance(expected, np.ndarray) and expected.dtype == object:
        assert isinstance(found, SequenceStore)
        assert_same(found, expected)
        assert found.lengths.tolist() == [len(clip) for clip in expected]
    else:
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    "key",
    [6, -7, [0, 6], [True, False], np.array([[0, 1]]), 1.0, "start", ["start"], None, (1, 2), [0.0], True],
    ids=repr,
)
def test_a_key_that_fits_no_clip_is_an_index_error(filled, key):
    with pytest.raises(IndexError):
        filled[0][key]


def test_a_sequence_is_a_mapped_array_that_cannot_be_written_to(filled):
    sequence = filled[0][0]
    assert isinstance(sequence, np.memmap)
    assert sequence.shape == (4, N_FEATURES)
    with pytest.raises(ValueError, match="read-only"):
        sequence[0, 0] = 1
    with pytest.raises(ValueError, match="WRITEABLE"):
        sequence.setflags(write=True)


def test_scikit_learn_splits_a_store(filled):
    store, clips = filled
    arrays = [clip.features for clip in clips]
    y = np.array([0, 1, 0, 1, 0, 1])
    for train, test in KFold(3, shuffle=True, random_state=0).split(store, y):
        assert isinstance(_safe_indexing(store, train), SequenceStore)
        assert_same(_safe_indexing(store, train), [arrays[i] for i in train])
        assert_same(_safe_indexing(store, test.tolist()), [arrays[i] for i in test])
    expected = train_test_split(ragged(arrays), y, stratify=y, test_size=2, random_state=0)
    found = train_test_split(store, y, stratify=y, test_size=2, random_state=0)
    for mine, theirs in zip(found[:2], expected[:2], strict=True):
        assert isinstance(mine, SequenceStore)
        assert_same(mine, theirs)


def test_a_store_is_ragged_and_its_sequences_are_checked_without_being_copied(filled):
    store, clips = filled
    assert is_ragged(store)
    checked = check_ragged(store, np.float32)
    assert_same(checked, [clip.features for clip in clips])
    whole = store._data.mapped()
    assert all(np.shares_memory(clip, whole) for clip in checked if len(clip))


def test_a_store_becomes_the_array_that_its_sequences_make(filled, folder):
    store, clips = filled
    arrays = [clip.features for clip in clips]
    assert np.asarray(store).dtype == object
    assert_same(np.asarray(store), stack(arrays))
    equal = store[[0, 4]]
    np.testing.assert_array_equal(np.asarray(equal), np.stack([arrays[0], arrays[4]]))
    assert np.asarray(equal).dtype == np.float32
    assert np.array(equal, dtype=np.float64).dtype == np.float64
    assert np.asarray(equal, dtype=object).shape == (2,)
    with pytest.raises(ValueError, match="copied"):
        np.array(store, copy=False)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda store: pickle.loads(pickle.dumps(store))])
def test_a_copy_names_the_folder_and_carries_no_features(folder, copied, monkeypatch):
    monkeypatch.chdir(folder.parent)
    clips = clips_of([5000, 4])
    store = fill(folder.name, clips)
    list(store)
    assert len(pickle.dumps(store)) < 2000 < clips[0].features.nbytes
    monkeypatch.chdir("/")
    twin = copied(store)
    assert twin._data._mapped is None
    assert_same(twin, [clip.features for clip in clips])


def test_sequences_stay_as_they_are_while_others_are_appended(folder):
    clips = clips_of(LENGTHS)
    store = fill(folder, clips)
    sequence = store[0]
    with writer_of(folder) as writer:
        writer.append([("more", clip_of(1))])
        writer.arrange(["more"])
    np.testing.assert_array_equal(sequence, clips[0].features)
    assert_same(store, [clip.features for clip in clips])
    assert len(SequenceStore(folder)) == 1


def test_a_digest_is_stored_once(folder):
    first, second = clips_of([3, 5])
    with writer_of(folder) as writer:
        rows = writer.append([("a", first), ("a", first), ("b", second)])
        assert {name: row.start for name, row in rows.items()} == {"a": 0, "b": 3}
        assert writer.append([("b", second), ("a", first)]) == rows
        assert writer.find(["b", "unknown"]) == {"b": rows["b"]}
        assert writer.append([]) == {}
    assert (folder / "features.bin").stat().st_size == 8 * N_FEATURES * 4


def test_more_digests_are_found_than_one_query_takes(folder):
    digests = [f"{i:064x}" for i in range(1234)]
    with writer_of(folder) as writer:
        writer.append([(digest, clip) for digest, clip in zip(digests, clips_of([1] * 1234), strict=True)])
        rows = writer.find([*digests, "unknown"])
        assert [rows[digest].start for digest in digests] == list(range(1234))


@pytest.mark.parametrize(
    "features",
    [np.zeros((2, 4), "float32"), np.zeros(3, "float32"), np.zeros((2, 3), "float64")],
    ids=lambda features: f"{features.dtype}{features.shape}",
)
def test_features_of_another_width_or_type_are_refused(folder, features):
    good = clip_of(3)
    with writer_of(folder) as writer:
        with pytest.raises(StoreError, match=r"features of odd are float.*expected float32 of shape"):
            writer.append([("good", good), ("odd", Clip(features, 0.0, 0.025, 0.01, 1.0))])
        assert writer.find(["good", "odd"]) == {}


def test_clips_that_were_never_appended_cannot_be_arranged(folder):
    with writer_of(folder) as writer:
        writer.append([("a", clip_of(1))])
        for refused in (writer.arrange, writer.view):
            with pytest.raises(StoreError, match="2 clips were not appended, b first"):
                refused(["a", "b", None, "c"])


def test_a_view_needs_no_arrangement(folder):
    with writer_of(folder) as writer:
        writer.append([("1", clip_of(1)), ("2", clip_of(2))])
        view = writer.view(["2", None, "1"])
    assert_same(view, [clip_of(2).features, np.zeros((0, N_FEATURES), "float32"), clip_of(1).features])


def test_a_folder_is_opened_again_by_the_same_description_only(folder):
    with writer_of(folder) as writer:
        writer.append([("1", clip_of(1))])
    with writer_of(folder) as writer:
        assert_holds_clip_of(writer, [1])
    with pytest.raises(StoreError) as error:
        writer_of(
            folder, {"n_mfcc": 4, "scale": "mel", "window": ("kaiser", 4.0), "version": "2"}, dtype="f8"
        )
    text = str(error.value)
    assert str(folder) in text
    for words in (
        "n_mfcc (3 there, 4 here)",
        "fmax (None there, 'absent' here)",
        "version ('absent' there, '2' here)",
        "feature_dtype ('<f4' there, '<f8' here)",
        "another folder",
    ):
        assert words in text
    assert "scale" not in text
    with pytest.raises(StoreError, match=r"n_features \(3 there, 5 here\)"):
        writer_of(folder, n_features=5)


def test_a_folder_of_other_things_is_left_alone(folder):
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work")
    with pytest.raises(StoreError, match=r"features: holds 'thesis\.txt', no sequences"):
        writer_of(folder)
    assert [path.name for path in folder.iterdir()] == ["thesis.txt"]


def test_a_data_file_whose_index_is_gone_is_left_alone(folder):
    fill(folder, clips_of([4]))
    content = (folder / "features.bin").read_bytes()
    (folder / "index.sqlite").unlink()
    with pytest.raises(StoreError, match=r"features\.bin: its index index\.sqlite is missing"):
        writer_of(folder)
    assert (folder / "features.bin").read_bytes() == content


def test_a_file_in_the_folder_s_place_is_named(folder):
    folder.write_text("a file")
    with pytest.raises(StoreError, match=r"features: a file; expected a folder"):
        writer_of(folder)
    with pytest.raises(StoreError, match=r"x: cannot be written to"):
        writer_of(folder / "x")
    assert folder.read_text() == "a file"


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


def test_a_store_that_was_never_arranged_says_how_to_complete_it(folder):
    with writer_of(folder) as writer:
        writer.append([("a", clip_of(1))])
    with pytest.raises(StoreError, match=r"call transform\(X, out=\.\.\.\) again to complete it"):
        SequenceStore(folder)


def test_a_folder_without_a_store_is_named(folder):
    with pytest.raises(StoreError, match=r"features: holds no sequences \(no index\.sqlite\)"):
        SequenceStore(folder)
    assert not folder.exists()


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


@contextmanager
def fsync_fails(writer):
    def no_room(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("voicelstm.sequences._store_writer.os.fsync", no_room)
        yield


@contextmanager
def data_file_is_full(writer):
    resource = pytest.importorskip("resource")  # Python ignores the signal, so that writing fails half-way
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def index_is_full(writer):
    (pages,) = writer._index.execute("PRAGMA page_count").fetchone()
    writer._index.execute(f"PRAGMA max_page_count = {pages}")
    yield
    writer._index.execute("PRAGMA max_page_count = 1000000")


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (fsync_fails, "No space left on device"),
        (data_file_is_full, "File too large"),
        (index_is_full, "database or disk is full"),
    ],
)
def test_a_full_disk_leaves_what_was_there_and_appending_goes_on_afterwards(folder, fault, reason):
    many = [(f"{i:0200}", clip) for i, clip in enumerate(clips_of([2000] * 100))]
    with writer_of(folder) as writer:
        writer.append([(str(seed), clip_of(seed)) for seed in range(5)])
        with fault(writer), pytest.raises(StoreError) as error:
            writer.append(many)
        assert f"{folder}: cannot be written to; what it held before is intact" in str(error.value)
        assert reason in str(error.value)
        assert writer.find([digest for digest, _ in many]) == {}
        assert_holds_clip_of(writer, range(5))
        rows = writer.append([(str(seed), clip_of(seed)) for seed in range(5, 9)])
        assert rows["5"].start == sum(len(clip_of(seed).features) for seed in range(5))
    with writer_of(folder) as writer:
        assert_holds_clip_of(writer, range(9))


def test_a_folder_that_is_locked_for_too_long_is_named(folder, monkeypatch):
    with writer_of(folder) as holder, writer_of(folder) as writer:
        writer._index.execute("PRAGMA busy_timeout = 10")
        with (
            holder._transaction(),
            pytest.raises(StoreError, match=r"features: cannot be written.*database is locked"),
        ):
            writer.append([("a", clip_of(1))])
        writer.append([("a", clip_of(1))])


def test_what_a_killed_process_left_beyond_the_end_is_overwritten(folder):
    killed = start_python(
        """
        import os, signal, sys
        from voicelstm.sequences import SequenceWriter

        with SequenceWriter(sys.argv[1], {}, 3, "float32") as writer:
            writer.append([(str(seed), clip_of(seed)) for seed in range(5)])
            os.fsync = lambda file: os.kill(os.getpid(), signal.SIGKILL)  # before the index tells of the rows
            writer.append([(str(seed), clip_of(seed)) for seed in range(5, 50)])
        """,
        folder,
    )
    killed.communicate(timeout=60)
    assert killed.returncode == -signal.SIGKILL
    frames = sum(len(clip_of(seed).features) for seed in range(5))
    assert (folder / "features.bin").stat().st_size > frames * N_FEATURES * 4
    with writer_of(folder, {}) as writer:
        assert set(writer.find([str(seed) for seed in range(50)])) == {"0", "1", "2", "3", "4"}
        rows = writer.append([(str(seed), clip_of(seed)) for seed in range(60, 70)])
        assert rows["60"].start == frames
        assert_holds_clip_of(writer, [*range(5), *range(60, 70)])


def test_a_process_killed_at_any_moment_loses_nothing_that_it_had_stored(folder):
    appends = """
        import sys
        from voicelstm.sequences import SequenceWriter

        with SequenceWriter(sys.argv[1], {}, 3, "float32") as writer:
            for seed in range(int(sys.argv[2]), 10**9, 3):
                rows = writer.append([(str(seed + i), clip_of(seed + i)) for i in range(3)])
                print(seed, flush=True)
        """
    stored = 0
    for lines in (1, 4, 11):
        process = start_python(appends, folder, stored)
        for _ in range(lines):
            stored = int(process.stdout.readline()) + 3
        process.kill()
        rest = process.communicate(timeout=60)[0].split()
        stored = int(rest[-1]) + 3 if rest else stored
        with writer_of(folder, {}) as writer:
            # The last commit may have been made without having been told of.
            found = writer.find([str(seed) for seed in range(stored, stored + 6)])
            assert set(found) in (set(), {str(stored + i) for i in range(3)})
            stored += len(found)
            assert_holds_clip_of(writer, range(stored))


def test_processes_that_append_at_once_store_each_clip_once(folder):
    appends = """
        import random, sys
        from voicelstm.sequences import SequenceWriter

        seeds = list(range(60))
        random.Random(sys.argv[2]).shuffle(seeds)
        with SequenceWriter(sys.argv[1], {}, 3, "float32") as writer:
            for first in range(0, 60, 4):
                writer.append([(str(seed), clip_of(seed)) for seed in seeds[first : first + 4]])
        """
    processes = [start_python(appends, folder, i) for i in range(3)]
    for process in processes:
        process.communicate(timeout=120)
        assert process.returncode == 0
    frames = sum(len(clip_of(seed).features) for seed in range(60))
    assert (folder / "features.bin").stat().st_size == frames * N_FEATURES * 4
    with writer_of(folder, {}) as writer:
        assert_holds_clip_of(writer, range(60))
