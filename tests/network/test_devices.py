import json
import subprocess
import sys

import keras
import pytest

from voicelstm import LSTMVoiceClassifier

if keras.backend.backend() != "tensorflow":
    pytest.skip("two logical CPUs are made by TensorFlow's own settings", allow_module_level=True)

# Two CPUs must be made before TensorFlow is first used, hence a process for all of it.
TWO_CPUS = """
import json, os, sys, tempfile, warnings
import keras
import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)

from dataclasses import replace
from sklearn.base import clone
from voicelstm import LSTMVoiceClassifier
from voicelstm.network import _training
from voicelstm.network._devices import Devices

generator = np.random.default_rng(0)
y = np.arange(22) % 2
X = [generator.normal(c, 1.0, size=(10 + 7 * i % 40, 3)) for i, c in enumerate(y)]
uneven = np.linspace(0.2, 3, 22)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
rows = []
found = {}

def pair(changes, weight=None):
    settings = dict(units=(6,), max_epochs=8, batch_size=8, learning_rate=0.02, shuffle=False, dropout=0.0)
    plain = LSTMVoiceClassifier(**(settings | {"random_state": 0} | changes))
    shared = clone(plain).set_params(distribution=strategy)
    return plain.fit(X, y, sample_weight=weight), shared.fit(X, y, sample_weight=weight)

def difference(plain, shared):
    return {
        "loss": float(np.abs(np.subtract(plain.history_["loss"], shared.history_["loss"])).max()),
        "proba": float(np.abs(plain.predict_proba(X) - shared.predict_proba(X)).max()),
    }

CASES = {
    "full batches": ({"batch_size": 22}, None),
    "uneven weights, the last batch not full": ({}, uneven),
    "uneven weights of segments, classes balanced": (
        {"segment_frames": 12, "class_weight": "balanced", "shuffle": True}, uneven
    ),
    "squared error, shuffled, weight decay": (
        {"loss": "squared_error", "shuffle": True, "weight_decay": 0.1}, None
    ),
    "early stopping": ({"early_stopping": True, "validation_fraction": 0.3}, None),
    "double precision": ({"dtype": "float64", "pooling": "attention", "bidirectional": True}, uneven),
    "clip_norm": ({"clip_norm": 0.01, "optimizer": "sgd"}, uneven),
}
for name, (changes, weight) in CASES.items():
    found[name] = difference(*pair(changes, weight))

# How many rows of a batch each device is handed.
_, shared = pair({"max_epochs": 1})
deal = Devices.deal
def spy(self, batch):
    dealt = deal(self, batch)
    if not isinstance(dealt, tuple):
        rows.append([len(part) for part in strategy.experimental_local_results(dealt["lengths"])])
    return dealt
Devices.deal = spy
shared.predict_proba(X)
found["rows"] = rows[0]
Devices.deal = deal

dropped = pair({"dropout": 0.5})[1]
found["with dropout"] = dropped.history_["loss"]
copy = clone(dropped).fit(X, y)
found["cloned"] = difference(dropped, copy)
try:
    clone(dropped).set_params(batch_size=7).fit(X, y)
except ValueError as error:
    found["odd"] = str(error)
class Stop(Exception):
    pass
class Interrupt(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 5:
            raise Stop
with tempfile.TemporaryDirectory() as folder:
    resumed = clone(dropped).set_params(checkpoint=folder)
    # A callback of its own would make it another fit.
    make = _training._keras_callbacks
    _training._keras_callbacks = lambda network, schedule, *sizes: make(
        network, replace(schedule, callbacks=(Interrupt,)), *sizes
    )
    try:
        resumed.fit(X, y)
    except Stop:
        found["unfinished"] = len(os.listdir(folder))
    _training._keras_callbacks = make
    resumed.set_params(distribution=strategy).fit(X, y)
    found["resumed"] = difference(dropped, resumed)
    found["left"] = os.listdir(folder)
with warnings.catch_warnings(record=True) as caught, tempfile.TemporaryDirectory() as folder:
    warnings.simplefilter("always")
    dropped.save(folder + "/model")
    found["saved"] = [str(w.message) for w in caught if "model file" in str(w.message)]
    loaded = LSTMVoiceClassifier.load(folder + "/model")
    found["loaded"] = [loaded.distribution is None, difference(dropped, loaded)["proba"]]
json.dump(found, sys.stdout)
"""


@pytest.fixture(scope="module")
def found():
    process = subprocess.run([sys.executable, "-c", TWO_CPUS], capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout.splitlines()[-1])


@pytest.mark.nightly
@pytest.mark.parametrize(
    "case",
    [
        "full batches",
        "uneven weights, the last batch not full",
        "uneven weights of segments, classes balanced",
        "squared error, shuffled, weight decay",
        "early stopping",
        "double precision",
    ],
)
def test_two_devices_learn_what_one_does(found, case):
    assert found[case]["loss"] < 1e-5
    assert found[case]["proba"] < 1e-5


@pytest.mark.nightly
def test_each_device_clips_its_own_gradients(found):
    assert 1e-5 < found["clip_norm"]["proba"] < 0.1


@pytest.mark.nightly
def test_each_device_reads_its_half_of_a_batch(found):
    assert found["rows"] == [4, 4]


@pytest.mark.nightly
def test_dropout_learns_on_two_devices(found):
    assert found["with dropout"][-1] < found["with dropout"][0]


@pytest.mark.nightly
def test_a_clone_learns_the_same(found):
    assert found["cloned"] == {"loss": 0.0, "proba": 0.0}


@pytest.mark.nightly
def test_a_batch_that_devices_cannot_share_is_refused(found):
    assert found["odd"] == "batch_size=7 must be a multiple of the 2 devices of distribution."


@pytest.mark.nightly
def test_a_shared_training_is_resumed_too(found):
    assert found["unfinished"] == 1
    assert found["resumed"] == {"loss": 0.0, "proba": 0.0}
    assert found["left"] == []


@pytest.mark.nightly
def test_a_model_file_keeps_no_distribution_and_says_so(found):
    assert found["saved"] == [
        "A model file cannot keep distribution of LSTMVoiceClassifier: the loaded one has the default."
    ]
    is_default, difference = found["loaded"]
    assert is_default
    assert difference < 1e-5


def test_what_has_no_scope_is_refused():
    X = [[[0.0]], [[1.0]]]
    with pytest.raises(ValueError, match=r"'distribution' parameter.*'scope'"):
        LSTMVoiceClassifier(distribution="mirrored").fit(X, [0, 1])


def test_what_is_for_another_backend_is_refused():
    parallel = keras.distribution.DataParallel(devices=["cpu:0"])
    expected = r"must be a tf\.distribute\.MirroredStrategy; got a DataParallel.*under jax only"
    with pytest.raises(ValueError, match=expected):
        LSTMVoiceClassifier(distribution=parallel).fit([[[0.0]], [[1.0]]], [0, 1])
