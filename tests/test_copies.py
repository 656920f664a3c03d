import copy
import io
import pickle
import subprocess
import sys

import cloudpickle
import joblib
import numpy as np
import pytest
import skops.io
from sklearn.base import clone

from voicelstm import LSTMVoiceClassifier

GENERATOR = np.random.default_rng(0)
X = [GENERATOR.normal(i % 2, size=(10 + i, 3)).astype(np.float32) for i in range(12)]
Y = ["human", "synthetic"] * 6


def through_joblib(estimator):
    file = io.BytesIO()
    joblib.dump(estimator, file)
    file.seek(0)
    return joblib.load(file)


def through_skops(estimator):
    data = skops.io.dumps(estimator)
    unknown = skops.io.get_untrusted_types(data=data)
    assert all(name.startswith("voicelstm.") for name in unknown)
    return skops.io.loads(data, trusted=unknown)


COPIES = {
    "pickle": lambda estimator: pickle.loads(pickle.dumps(estimator)),
    "cloudpickle": lambda estimator: cloudpickle.loads(cloudpickle.dumps(estimator)),
    "joblib": through_joblib,
    "skops": through_skops,
    "deepcopy": copy.deepcopy,
}


@pytest.fixture(scope="module")
def fitted():
    return LSTMVoiceClassifier(units=(4,), max_epochs=2, random_state=0).fit(X, Y)


@pytest.mark.parametrize("how", COPIES)
def test_a_copy_of_a_fitted_classifier_gives_the_same(how, fitted):
    twin = COPIES[how](fitted)
    np.testing.assert_array_equal(twin.predict_proba(X), fitted.predict_proba(X))
    assert twin.classes_.tolist() == ["human", "synthetic"]
    assert twin.history_ == fitted.history_
    assert twin.get_params() == fitted.get_params()


@pytest.mark.parametrize("how", COPIES)
def test_a_copy_goes_on_learning_as_the_original_does(how):
    original = LSTMVoiceClassifier(units=(4,), random_state=0).partial_fit(X, Y, classes=np.unique(Y))
    twin = COPIES[how](original)
    for classifier in (original, twin):
        classifier.partial_fit(X, Y)
    np.testing.assert_array_equal(twin.predict_proba(X), original.predict_proba(X))


def test_a_clone_has_the_parameters_and_nothing_learnt(fitted):
    twin = clone(fitted)
    assert twin.get_params() == fitted.get_params()
    assert not hasattr(twin, "classes_")


_FIT = """
import pickle, sys
import numpy as np
from voicelstm import LSTMVoiceClassifier
X, Y = pickle.load(sys.stdin.buffer)
fitted = LSTMVoiceClassifier(units=(4,), max_epochs=2, random_state=0).fit(X, Y)
pickle.dump(fitted, sys.stdout.buffer)
"""


@pytest.mark.nightly
def test_another_process_learns_the_same_bit_for_bit_and_its_pickle_works_here(fitted):
    done = subprocess.run(
        [sys.executable, "-c", _FIT], input=pickle.dumps((X, Y)), capture_output=True, check=True
    )
    theirs = pickle.loads(done.stdout)
    for name, values in fitted._fitted.weights.items():
        np.testing.assert_array_equal(theirs._fitted.weights[name], values)
    np.testing.assert_array_equal(theirs.predict_proba(X), fitted.predict_proba(X))
