"""What is fitted under one Keras backend serves under the others; each runs in a process of its own."""

import importlib.util
import json
import os
import subprocess
import sys

import pytest

INSTALLED = [name for name in ("tensorflow", "jax", "torch") if importlib.util.find_spec(name)]

FIT = """
import json, pickle, sys
import numpy as np
from voicelstm import LSTMVoiceClassifier

generator = np.random.default_rng(0)
X = [generator.normal(i % 2, size=(40 + i, 6)).astype(np.float32) for i in range(24)]
settings = {"pooling": "attention", "bidirectional": True, "units": (8, 8), "dropout": 0.0, "max_epochs": 3}
classifier = LSTMVoiceClassifier(**settings, random_state=0).fit(X, [0, 1] * 12)
classifier.save(sys.argv[1] + ".voicelstm")
with open(sys.argv[1] + ".pickle", "wb") as file:
    pickle.dump((classifier, X, classifier.predict_proba(X)), file)
json.dump(classifier.history_["loss"], sys.stdout)
"""
ASK = """
import json, pickle, sys
import numpy as np
from voicelstm import LSTMVoiceClassifier

differences = []
for path in sys.argv[1:]:
    with open(path + ".pickle", "rb") as file:
        pickled, X, expected = pickle.load(file)
    for classifier in (LSTMVoiceClassifier.load(path + ".voicelstm"), pickled):
        differences.append(float(np.abs(classifier.predict_proba(X) - expected).max()))
json.dump(differences, sys.stdout)
"""


def under(backend, code, *arguments):
    environment = os.environ | {"KERAS_BACKEND": backend}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    process = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    if len(INSTALLED) == 1:
        pytest.skip(f"of the backends only {INSTALLED[0]} is installed")
    folder = tmp_path_factory.mktemp("backends")
    return folder, {backend: under(backend, FIT, folder / backend) for backend in INSTALLED}


def test_all_backends_learn_the_same(fitted):
    _, losses = fitted
    for backend in INSTALLED[1:]:
        assert losses[backend] == pytest.approx(losses[INSTALLED[0]], abs=1e-4)


@pytest.mark.parametrize("asked", INSTALLED)
def test_a_classifier_of_one_backend_gives_the_same_probabilities_under_another(fitted, asked):
    folder, _ = fitted
    others = [folder / made for made in INSTALLED if made != asked]
    differences = under(asked, ASK, *others)
    assert len(differences) == 2 * len(others)
    assert max(differences) < 1e-5
