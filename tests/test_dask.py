"""Work on a Dask cluster of two processes, of which one dies on the way."""

import os
import signal

import joblib
import numpy as np
import pytest
import soundfile
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV

from voicelstm import LSTMVoiceClassifier, MFCCTransformer

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")


@pytest.fixture(scope="module")
def cluster():
    with (
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


def test_features_are_complete_and_equal_where_a_worker_dies(fuse, tmp_path):
    paths = [tmp_path / f"{i}.wav" for i in range(24)]
    for i, path in enumerate(paths):
        soundfile.write(path, 0.1 * np.random.default_rng(i).normal(size=4000 + 100 * i), 8000)
    with joblib.parallel_config(backend="dask"):
        found = MFCCTransformer(n_jobs=-1).transform([Deadly(path, fuse) for path in paths])
    assert not fuse.exists()
    assert len(found) == len(paths)
    for ours, alone in zip(found, MFCCTransformer().transform(paths), strict=True):
        np.testing.assert_array_equal(ours, alone)


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
