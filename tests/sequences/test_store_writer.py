import errno
import os
import signal
import subprocess
import sys
import textwrap
from contextlib import contextmanager

import numpy as np
import pytest

from tests.sequences.stores import CLIPS, N_FEATURES, assert_same, clip_of, clips_of, fill, writer_of
from voicelstm.exceptions import StoreError
from voicelstm.sequences import Clip


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


def test_a_digest_is_stored_once(folder):
    first, second = clips_of([3, 5])
    with writer_of(folder) as writer:
        rows = writer.append([("a", first), ("a", first), ("b", second)])
        assert {name: row.start for name, row in rows.items()} == {"a": 0, "b": 3}
        assert writer.append([("b", second), ("a", first)]) == rows
        assert writer.find(["b", "unknown"]) == {"b": rows["b"]}
        assert writer.append([]) == {}
    assert (folder / "features.bin").stat().st_size == 8 * N_FEATURES * 4


def test_what_there_is_to_warn_of_is_kept_with_each_clip(folder):
    first, second, third = clips_of([3, 5, 1])
    with writer_of(folder) as writer:
        writer.append([("a", first, ["no speech", 'not "ascii": ü']), ("b", second, []), ("c", third)])
    with writer_of(folder) as writer:
        kept = writer.remarks(["b", "a", None, "c", "a"])
    assert kept == [[], ["no speech", 'not "ascii": ü'], [], [], ["no speech", 'not "ascii": ü']]


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
