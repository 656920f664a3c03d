"""Work on a Dask cluster of two processes, of which one dies on the way."""

import os
import signal
from importlib import import_module

import joblib
import numpy as np
import pytest
import soundfile
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV

from voicelstm import LSTMVoiceClassifier, MFCCTransformer
from voicelstm.exceptions import AudioError, AudioWarning

dask = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")


def audio_warnings(caught):
    # Of others, joblib 1.5 warns of itself.
    return [each for each in caught if issubclass(each.category, AudioWarning)]


@pytest.fixture(scope="module")
def cluster():
    with (
        # A worker that takes longer to come back, on a busy machine, would be given up for good.
        dask.config.set({"distributed.deploy.lost-worker-timeout": "5 minutes"}),
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.fixture
def fuse(cluster, tmp_path):
    """A file, named by this process; another that takes it away dies."""
    cluster.wait_for_workers(2)  # with one, joblib works here instead
    path = tmp_path / str(os.getpid())
    path.touch()
    return path


def die_once(fuse):
    if os.getpid() == int(fuse.name):
        return
    try:
        fuse.unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


class Deadly(os.PathLike):
    """A recording whose first reader dies."""

    def __init__(self, path, fuse):
        self.path, self.fuse = path, fuse

    def __fspath__(self):
        die_once(self.fuse)
        return str(self.path)


class DeadlyScore:
    """The accuracy, of which the first to compute it dies."""

    def __init__(self, fuse):
        self.fuse = fuse

    def __call__(self, estimator, X, y):
        die_once(self.fuse)
        return get_scorer("accuracy")(estimator, X, y)


class OnlyHere(os.PathLike):
    """A recording that no other process finds."""

    def __init__(self, path):
        self.path, self.process = path, os.getpid()

    def __fspath__(self):
        return str(self.path if os.getpid() == self.process else self.path.with_name("missing.wav"))


def set_in_parallel(name, value):
    """Change what the module of the workers has under a name; return what it had."""
    module = import_module("voicelstm.features._workers")
    before = getattr(module, name)
    setattr(module, name, value)
    return before


@pytest.fixture
def on_workers(cluster):
    """Change something on all workers, until the test is over."""
    changed = {}

    def change(name, value):
        cluster.wait_for_workers(2)
        changed[name] = next(iter(cluster.run(set_in_parallel, name, value).values()))

    yield change
    for name, value in changed.items():
        cluster.run(set_in_parallel, name, value)


def noise(i):
    return 0.1 * np.random.default_rng(i).normal(size=4000 + 100 * i)


@pytest.fixture
def paths(tmp_path):
    paths = [tmp_path / f"{i}.wav" for i in range(24)]
    for i, path in enumerate(paths):
        soundfile.write(path, noise(i), 8000)
    return paths


def assert_same(one, other):
    assert len(one) == len(other)
    for ours, theirs in zip(one, other, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.nightly
@pytest.mark.parametrize("out", [None, "store"])
def test_features_are_complete_and_equal_where_a_worker_dies(fuse, paths, tmp_path, out):
    folder = out and tmp_path / out
    with joblib.parallel_config(backend="dask"):
        found = MFCCTransformer(n_jobs=-1).transform([Deadly(path, fuse) for path in paths], out=folder)
    assert not fuse.exists()
    assert_same(found, MFCCTransformer().transform(paths))


@pytest.mark.nightly
def test_recordings_in_memory_outlive_the_workers_that_they_were_sent_to(fuse, paths):
    clips = [noise(i) for i in range(80)]
    alone = MFCCTransformer().transform([paths[0], *clips])
    with joblib.parallel_config(backend="dask"):
        assert_same(MFCCTransformer().transform([Deadly(paths[0], fuse), *clips]), alone)
    assert not fuse.exists()


def test_what_has_killed_too_many_workers_is_an_error(fuse, cluster, paths, monkeypatch):
    monkeypatch.setattr(cluster.cluster.scheduler, "allowed_failures", 0)
    with joblib.parallel_config(backend="dask"), pytest.raises(distributed.KilledWorker):
        MFCCTransformer().transform([Deadly(path, fuse) for path in paths])


@pytest.mark.parametrize("out", [None, "store"])
def test_relative_paths_are_those_of_the_callers_folder(cluster, paths, tmp_path, monkeypatch, out):
    cluster.wait_for_workers(2)
    cluster.run(os.chdir, "/")
    monkeypatch.chdir(tmp_path)
    with joblib.parallel_config(backend="dask"):
        found = MFCCTransformer().transform([path.name for path in paths], out=out)
    assert_same(found, MFCCTransformer().transform(paths))


@pytest.mark.parametrize("out", [None, "store"])
def test_the_caller_is_warned_of_recordings_that_fail_on_workers(cluster, paths, tmp_path, out):
    cluster.wait_for_workers(2)
    recordings = [*paths, tmp_path / "missing.wav", np.zeros(0)]
    with (
        joblib.parallel_config(backend="dask"),
        pytest.warns(AudioWarning, match=r"2 of 26[\s\S]*\[24\] .*missing.wav[\s\S]*\[25\]") as caught,
    ):
        found = MFCCTransformer(on_error="warn").transform(recordings, out=out and tmp_path / out)
    assert [len(clip) for clip in found[24:]] == [0, 0]
    assert [each.filename for each in audio_warnings(caught)] == [__file__]


@pytest.mark.parametrize("out", [None, "store"])
def test_the_caller_is_warned_once_of_each_recording_that_workers_read(cluster, paths, tmp_path, out):
    cluster.wait_for_workers(2)
    quiet = [np.full(4000, n, dtype=np.int64) for n in range(300, 306)]
    with joblib.parallel_config(backend="dask"), pytest.warns(AudioWarning, match="int64") as caught:
        MFCCTransformer().transform([*quiet, *paths[:4]], out=out and tmp_path / out)
    assert [each.filename for each in audio_warnings(caught)] == [__file__] * 6


@pytest.mark.parametrize("out", [None, "store"])
def test_a_worker_elsewhere_that_cannot_read_is_named(on_workers, paths, tmp_path, out):
    on_workers("node", lambda: "far-away")
    recordings = [paths[0], *map(OnlyHere, paths[1:])]
    with (
        joblib.parallel_config(backend="dask"),
        pytest.raises(AudioError, match=r"23 of 24[\s\S]*\[1\] .*missing.wav: .*worker far-away"),
    ):
        MFCCTransformer().transform(recordings, out=out and tmp_path / out)


def test_a_worker_of_another_version_is_an_error(on_workers, paths):
    on_workers("__version__", "0.0.1")
    with (
        joblib.parallel_config(backend="dask"),
        pytest.raises(RuntimeError, match=r"is 0\.0\.1 on the worker"),
    ):
        MFCCTransformer().transform(paths)


@pytest.mark.parametrize("out", [None, "store"])
def test_warnings_come_in_the_order_of_the_recordings_at_the_callers_line(cluster, tmp_path, out):
    cluster.wait_for_workers(2)
    types = [np.int64, np.uint64, np.uint64, np.int64] * 5
    # In steps that double precision still tells from 2**63.
    ramps = [(4096 * np.arange(800 + i)).astype(each) for i, each in enumerate(types)]
    ramps = [each + np.uint64(2**63) if each.dtype.kind == "u" else each for each in ramps]
    with joblib.parallel_config(backend="dask"), pytest.warns(AudioWarning) as caught:
        MFCCTransformer(sample_rate=8000).transform(ramps, out=out and tmp_path / out)
    own = audio_warnings(caught)
    assert [str(each.message).split("samples of type ")[1].split()[0] for each in own] == [
        each.__name__ for each in types
    ]
    assert {each.filename for each in own} == {__file__}


def test_workers_that_are_threads_of_this_process_warn_as_often(paths):
    clips = [np.arange(16000, dtype=np.int64)] * 40
    with (
        distributed.Client(processes=False, n_workers=1, threads_per_worker=4, dashboard_address=":0"),
        joblib.parallel_config(backend="dask"),
    ):
        with pytest.warns(AudioWarning, match="int64") as caught:
            MFCCTransformer().transform(clips)
        assert_same(MFCCTransformer().transform(paths), MFCCTransformer().transform(paths))
    assert len(audio_warnings(caught)) == len(clips)


@pytest.mark.nightly
def test_a_grid_search_is_complete_and_equal_where_a_worker_dies(fuse):
    generator = np.random.default_rng(0)
    y = np.arange(20) % 2
    X = generator.normal(size=(20, 12, 2)) + y[:, None, None]
    classifier = LSTMVoiceClassifier(units=(3,), max_steps=4, random_state=0)
    searches = [
        GridSearchCV(classifier, {"learning_rate": [0.01, 0.1]}, scoring=scoring, cv=2, n_jobs=n_jobs)
        for scoring, n_jobs in ((DeadlyScore(fuse), 2), ("accuracy", None))
    ]
    with joblib.parallel_config(backend="dask"):
        searches[0].fit(X, y)
    assert not fuse.exists()
    searches[1].fit(X, y)
    for name in ("mean_test_score", "std_test_score"):
        np.testing.assert_array_equal(*(search.cv_results_[name] for search in searches))
    np.testing.assert_allclose(*(search.decision_function(X) for search in searches), rtol=1e-6)
