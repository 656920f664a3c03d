import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from joblib import Parallel, delayed, parallel_config

from voicelstm import MFCCTransformer, SequenceStore
from voicelstm.exceptions import AudioError, AudioWarning, StoreError
from voicelstm.features import _many
from voicelstm.features._extraction import ExtractionSettings, library_versions


def noise(n_samples, seed=0):
    return 0.1 * np.random.default_rng(seed).standard_normal(n_samples)


@pytest.fixture
def files(tmp_path):
    """Twelve recordings, of which the third and the ninth are equal and the fifth is none."""
    paths = [tmp_path / f"{position}.wav" for position in range(12)]
    for position, path in enumerate(paths):
        soundfile.write(path, noise(800 + 160 * position, seed=position), 8000)
    paths[8].write_bytes(paths[2].read_bytes())
    paths[4].write_text("<html>")
    return paths


@pytest.fixture(params=["threads", "processes"])
def n_jobs(request, monkeypatch):
    """Two workers of either kind."""
    monkeypatch.setattr("voicelstm.features._workers._MANY", 1 if request.param == "processes" else 10**9)
    return 2


@pytest.fixture
def alone(files):
    """What one worker makes of the files."""
    with pytest.warns(AudioWarning):
        return MFCCTransformer(on_error="warn").transform(files)


def assert_same(one, other):
    assert len(one) == len(other)
    for ours, theirs in zip(one, other, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_workers_give_the_same_features_in_the_same_order(files, alone, n_jobs):
    with pytest.warns(AudioWarning, match=r"1 of 12 recordings failed[\s\S]*\[4\]"):
        assert_same(MFCCTransformer(on_error="warn", n_jobs=n_jobs).transform(files), alone)


def test_warnings_of_workers_reach_the_caller(n_jobs):
    with pytest.warns(AudioWarning, match="int64"):
        MFCCTransformer(n_jobs=n_jobs).transform([np.arange(800, dtype=np.int64), noise(800)])


def test_a_folder_warns_each_time_of_what_memory_warns_of(tmp_path):
    paths = [tmp_path / f"{name}.wav" for name in ("one", "equal")]
    for path in paths:
        soundfile.write(path, noise(8000), 8000)
    recordings = [paths[0], np.full(8000, 300, dtype=np.int64), paths[1], noise(8000, seed=1)]
    no_speech = "no speech: 0 s found; all its frames are kept."

    def said(recordings, **changes):
        with pytest.warns(AudioWarning) as caught:
            MFCCTransformer(sample_rate=8000, speech_only=True, **changes).transform(recordings)
        return [str(each.message) for each in caught]

    in_memory = said(recordings)
    assert in_memory[0] == f"{paths[0]}: {no_speech}"
    assert in_memory[1].startswith("the recording: samples of type int64 are divided")
    assert in_memory[2:] == [
        f"the recording: {no_speech}", f"{paths[1]}: {no_speech}", f"the recording: {no_speech}"
    ]  # fmt: skip
    for _ in range(2):
        assert said(recordings, cache_dir=tmp_path / "cache") == in_memory
    renamed = paths[0].rename(tmp_path / "renamed.wav")
    assert said([renamed], cache_dir=tmp_path / "cache") == [f"{renamed}: {no_speech}"]


def test_worker_processes_never_import_tensorflow(monkeypatch):
    import tensorflow as tf  # noqa: F401  # which a fork would inherit

    monkeypatch.setattr("voicelstm.features._workers._MANY", 1)
    MFCCTransformer(n_jobs=2).transform([noise(800)] * 20)
    # joblib takes the same workers where it is asked in the same way.
    loaded = Parallel(n_jobs=2, prefer="processes", max_nbytes=None)(delayed(eval)(_LOADED) for _ in range(8))
    assert {process for process, _, _ in loaded}.isdisjoint({os.getpid()})
    assert all(ours for _, ours, _ in loaded)
    assert not any(theirs for _, _, theirs in loaded)


# An expression, since to unpickle a function of this module would import voicelstm.
_LOADED = """(
    __import__("os").getpid(),
    "voicelstm.features._extraction" in __import__("sys").modules,
    "tensorflow" in __import__("sys").modules,
)"""


def test_relative_paths_are_those_of_the_callers_folder(tmp_path, monkeypatch, n_jobs):
    for position, folder in enumerate(("one", "two")):
        (tmp_path / folder).mkdir()
        soundfile.write(tmp_path / folder / "same.wav", noise(800, seed=position), 8000)
    found = []
    for folder in ("one", "two"):
        monkeypatch.chdir(tmp_path / folder)
        found.append(MFCCTransformer(n_jobs=n_jobs).transform(["same.wav"] * 4)[0])
    assert not np.array_equal(*found)


def test_what_cannot_be_hashed_is_a_recording_that_fails(files, tmp_path):
    with pytest.raises(AudioError, match=r"2 of 3 recordings failed[\s\S]*\[1\] expected a path"):
        MFCCTransformer().transform([files[0], lambda: None, iter([1])], out=tmp_path / "store")


def test_a_complete_folder_is_read_without_being_written_to(files, tmp_path, monkeypatch):
    transformer = MFCCTransformer(cache_dir=tmp_path / "cache")
    first = transformer.transform(files[:4])

    def refuse(*_):
        raise OSError("read-only")

    monkeypatch.setattr("os.fsync", refuse)
    assert_same(transformer.transform(files[:4]), first)


def test_parameters_may_be_numpys_numbers(files, tmp_path):
    plain = MFCCTransformer(n_mfcc=13, fmax=4000.0, energy=False, cache_dir=tmp_path)
    numpys = MFCCTransformer(
        n_mfcc=np.int64(13), fmax=np.float64(4000), energy=np.bool_(False), cache_dir=tmp_path
    )
    assert_same(plain.transform(files[:2]), numpys.transform(files[:2]))
    assert len(list(tmp_path.glob("*/features.bin"))) == 1


def test_features_in_a_folder_are_those_in_memory(files, alone, n_jobs, tmp_path):
    transformer = MFCCTransformer(on_error="warn", n_jobs=n_jobs)
    with pytest.warns(AudioWarning, match=r"1 of 12 recordings failed[\s\S]*\[4\]"):
        store = transformer.transform(files, out=tmp_path / "store")
    assert isinstance(store, SequenceStore)
    assert_same(store, alone)
    assert_same(SequenceStore(tmp_path / "store"), alone)
    # The two equal recordings are stored once.
    frames = sum(len(clip) for position, clip in enumerate(alone) if position != 8)
    assert (tmp_path / "store" / "features.bin").stat().st_size == frames * 60 * 4


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_a_backend_that_is_named_fills_a_folder_too(backend, files, alone, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where worker processes of earlier tests are not
    names = [path.name for path in files]
    with parallel_config(backend=backend), pytest.warns(AudioWarning, match=r"1 of 12 recordings failed"):
        assert_same(MFCCTransformer(on_error="warn", n_jobs=2).transform(names, out="store"), alone)


def test_every_recording_that_fails_is_named_also_where_two_are_equal(files, tmp_path):
    files[6].write_text("<html>")
    with pytest.raises(AudioError, match="3 of 12 recordings failed") as caught:
        MFCCTransformer(n_jobs=2).transform([*files[:11], "gone.wav"], out=tmp_path / "store")
    for (position, reason), path in zip(caught.value.failures, (files[4], files[6]), strict=False):
        assert reason.startswith(str(path)), position


def test_what_a_folder_holds_is_not_computed_again(files, tmp_path, monkeypatch):
    from voicelstm.features import _workers

    extracted = []
    extract = _workers.extract

    def spy(recording, settings, folder):
        extracted.append(recording)
        return extract(recording, settings, folder)

    monkeypatch.setattr(_workers, "extract", spy)
    good = files[:4]
    first = MFCCTransformer().transform(good[:2], out=tmp_path / "store")
    again = MFCCTransformer().transform(good, out=tmp_path / "store")
    assert extracted == good
    assert_same(again[:2], first)
    assert_same(again, MFCCTransformer().transform(good))


def test_a_folder_of_other_parameters_is_refused_before_a_recording_is_opened(files, tmp_path):
    MFCCTransformer().transform(files[:1], out=tmp_path / "store")
    with pytest.raises(StoreError, match=r"n_mfcc \(20 there, 13 here\)"):
        MFCCTransformer(n_mfcc=13).transform(["missing.wav"], out=tmp_path / "store")


def test_a_failed_run_keeps_what_it_has_and_the_next_one_goes_on(files, tmp_path):
    transformer = MFCCTransformer()
    with pytest.raises(AudioError, match="1 of 12"):
        transformer.transform(files, out=tmp_path / "store")
    with pytest.raises(StoreError, match=r"transform\(X, out=\.\.\.\) again"):
        SequenceStore(tmp_path / "store")
    soundfile.write(files[4], noise(900), 8000)
    assert_same(transformer.transform(files, out=tmp_path / "store"), transformer.transform(files))


_MANY_CLIPS = """
import sys
import numpy as np
import voicelstm.features._workers
from voicelstm import MFCCTransformer

if __name__ == "__main__":
    voicelstm.features._workers._MANY = int(sys.argv[1])
    noise = np.random.default_rng(0).normal(size=610000)
    clips = [noise[start:][: 16000 + start] for start in range(1500)]
    if sys.argv[3:] == ["long"]:  # nearly all the time in native code, which resamples them
        clips = [(noise[start:][: 600000 + start], 22050) for start in range(100)]
    print("go", flush=True)
    MFCCTransformer(n_jobs=2).transform(clips * 4, out=sys.argv[2])
"""


def started(kind, folder, *how):
    """Start a long run in a process group of its own, and wait until it has stored something."""
    command = [sys.executable, "-c", _MANY_CLIPS, "1" if kind == "processes" else "1000000000", folder, *how]
    run = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert run.stdout.readline() == "go\n"
    data = Path(folder, "features.bin")
    while not (data.exists() and data.stat().st_size > 10**6):
        assert run.poll() is None, run.stderr.read()
        time.sleep(0.02)
    return run


def running(group):
    """Processes of a group that are not waiting to be buried."""
    listed = subprocess.run(["ps", "-o", "stat=,args=", "-g", str(group)], capture_output=True, text=True)
    return [line for line in listed.stdout.splitlines() if not line.startswith("Z")]


@pytest.mark.parametrize(
    ("kind", "how"),
    [
        ("threads", ("long",)),
        ("processes", ()),
        pytest.param("threads", (), marks=pytest.mark.nightly),
        pytest.param("processes", ("long",), marks=pytest.mark.nightly),
    ],
    ids=["threads-long clips", "processes-short clips", "threads-short clips", "processes-long clips"],
)
def test_an_interrupt_stops_at_once_and_leaves_nothing_running(kind, how, tmp_path):
    run = started(kind, str(tmp_path / "store"), *how)
    os.killpg(run.pid, signal.SIGINT)
    _, said = run.communicate(timeout=20)  # a guard against hanging; benchmarks/frontend.py has the time
    assert run.returncode == -signal.SIGINT
    assert "KeyboardInterrupt" in said
    guard = time.monotonic() + 5
    while running(run.pid) and time.monotonic() < guard:
        time.sleep(0.05)  # for a process on its way out
    assert running(run.pid) == []


def test_the_second_reading_of_recordings_that_failed_ends_at_an_interrupt(tmp_path, monkeypatch):
    asked = []

    def slow(recording, settings, folder):
        asked.append(recording)
        time.sleep(0.01)
        return object(), []

    def interrupt(recording):
        raise KeyboardInterrupt

    monkeypatch.setattr("voicelstm.features._workers.extract", slow)
    monkeypatch.setattr("voicelstm.features._many.name_of", interrupt)
    missing = [f"missing {i}.wav" for i in range(200)]  # which the first reading leaves out
    with pytest.raises(KeyboardInterrupt) as held:  # as long as its frames are, workers are not collected
        MFCCTransformer(n_jobs=2).transform(missing, out=tmp_path / "store")
    n_asked = len(asked)
    time.sleep(0.2)
    assert len(asked) == n_asked < 200, held


def test_a_killed_run_is_completed_by_the_next_with_the_same_content(tmp_path):
    run = started("threads", str(tmp_path / "killed"))
    run.kill()
    run.wait()
    done = int((tmp_path / "killed" / "features.bin").stat().st_size)
    samples = np.random.default_rng(0).normal(size=610000)
    clips = [samples[start:][: 16000 + start] for start in range(500)]  # ten times what it has stored
    completed = MFCCTransformer().transform(clips, out=tmp_path / "killed")
    whole = MFCCTransformer().transform(clips, out=tmp_path / "whole")
    assert_same(completed, whole)
    assert done < sum(whole.lengths) * 60 * 4


@pytest.mark.parametrize("at", ["before it is read", "after it is read"])
def test_a_file_that_changes_between_hashing_and_reading_spoils_no_cache(at, tmp_path, monkeypatch):
    from voicelstm.features import _workers

    path, cache = tmp_path / "a.wav", tmp_path / "cache"
    contents = []
    for seed in (0, 1):
        soundfile.write(path, noise(1600, seed), 16000)
        contents.append(path.read_bytes())
    path.write_bytes(contents[0])
    expected = MFCCTransformer().transform([path])
    extract = _workers.extract

    def change_once(recording, settings, folder):
        monkeypatch.undo()
        if at == "before it is read":
            path.write_bytes(contents[1])
        found = extract(recording, settings, folder)
        path.write_bytes(contents[1])
        return found

    monkeypatch.setattr(_workers, "extract", change_once)
    transformer = MFCCTransformer(cache_dir=cache)
    with pytest.raises(AudioError, match=r"a\.wav: changed while it was read"):
        transformer.transform([path])
    path.write_bytes(contents[0])
    assert_same(transformer.transform([path]), expected)


def test_samples_that_change_while_they_are_read_spoil_no_cache(tmp_path, monkeypatch):
    from voicelstm.features import _workers

    samples, extract = noise(1600), _workers.extract
    expected = MFCCTransformer().transform([samples])

    def change_once(recording, settings, folder):
        monkeypatch.undo()
        samples[:800] = 0
        return extract(recording, settings, folder)

    monkeypatch.setattr(_workers, "extract", change_once)
    transformer = MFCCTransformer(cache_dir=tmp_path)
    with pytest.raises(AudioError, match="changed while it was read"):
        transformer.transform([samples])
    assert_same(transformer.transform([noise(1600)]), expected)


def test_a_worker_of_other_versions_fills_no_folder(files):
    settings = ExtractionSettings.of(MFCCTransformer().get_params())
    asked = _many._Missing(files[0], _many._digest(files[0]), [0])
    assert _many._extract_what_was_hashed(asked, [settings], library_versions()).clips is not None
    with pytest.raises(
        RuntimeError, match=r"other versions .*: soxr \(.* here, 0\.0 there\)\. Install the same"
    ):
        _many._extract_what_was_hashed(asked, [settings], library_versions() | {"soxr": "0.0"})
