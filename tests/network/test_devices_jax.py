import json
import os
import socket
import subprocess
import sys

import keras
import numpy as np
import pytest

if keras.backend.backend() != "jax":
    pytest.skip("keras.distribution is complete under JAX only", allow_module_level=True)

COMMON = """
import json, sys
import jax, keras
import numpy as np
from sklearn.base import clone
from voicelstm import LSTMVoiceClassifier
from voicelstm.network._pooling import Pooling

generator = np.random.default_rng(0)
y = np.arange(22) % 2
X = [generator.normal(c, 1.0, size=(10 + 7 * i % 40, 3)) for i, c in enumerate(y)]
uneven = np.linspace(0.2, 3, 22)
base = LSTMVoiceClassifier(units=(6,), max_epochs=3, batch_size=8, learning_rate=0.02, dropout=0.5)
base.set_params(random_state=0)

# Rows of the LSTM's outputs: of the whole batch, and on each device.
rows = []
pool = Pooling.call
def spy(self, inputs):
    n_rows, *others = shape = inputs[0].shape
    if n_rows is not None:
        jax.debug.inspect_array_sharding(
            inputs[0], callback=lambda sharding: rows.append([n_rows, sharding.shard_shape(shape)[0]])
        )
    return pool(self, inputs)
Pooling.call = spy

def compare(plain, distribution):
    plain.fit(X, y, sample_weight=uneven)
    proba = plain.predict_proba(X)
    shared = clone(plain).set_params(distribution=distribution)
    rows.clear()
    shared.fit(X, y, sample_weight=uneven)
    of_training = rows.copy()
    rows.clear()
    return shared, {
        "proba": float(np.abs(proba - shared.predict_proba(X)).max()),
        "loss": float(np.abs(np.subtract(plain.history_["loss"], shared.history_["loss"])).max()),
        "rows of training": of_training,
        "rows of prediction": rows.copy(),
    }

def refusal(classifier, X, y):
    try:
        classifier.fit(X, y)
    except ValueError as error:
        return str(error)
"""

TWO_DEVICES = """
distribution = keras.distribution.DataParallel()
found = {}
stopped = {"early_stopping": True, "clip_norm": 0.01, "loss": "squared_error", "pooling": "attention"}
for name, changes in {"dropout": {}, "early stopping": stopped}.items():
    shared, found[name] = compare(clone(base).set_params(**changes), distribution)
found["odd"] = refusal(clone(shared).set_params(batch_size=7), X, y)
mesh = keras.distribution.DeviceMesh((1, 2), ["batch", "model"])
models = keras.distribution.ModelParallel(layout_map=keras.distribution.LayoutMap(mesh))
found["other"] = refusal(clone(shared).set_params(distribution=models), X, y)
json.dump(found, sys.stdout)
"""

ONE_OF_TWO_PROCESSES = """
jax.config.update("jax_cpu_collectives_implementation", "gloo")
keras.distribution.initialize(f"localhost:{sys.argv[1]}", num_processes=2, process_id=int(sys.argv[2]))
distribution = keras.distribution.DataParallel()
shared, found = compare(base.set_params(early_stopping=True), distribution)
first = sys.argv[2] == "0"
unstopped = clone(shared).set_params(early_stopping=False)
found |= {
    "devices": [jax.device_count(), jax.local_device_count()],
    "losses": shared.history_["loss"],
    "scores": shared.predict_proba(X).tolist(),
    "halves": refusal(shared, *((X[:11], y[:11]) if first else (X[11:], y[11:]))),
    "labels": refusal(shared, X, y if first else 1 - y),
    "fewer": refusal(unstopped, *((X, y) if first else (X[:8], y[:8]))),
    "seeds": refusal(shared.set_params(random_state=None), X, y),
}
if first:
    found["alone"] = shared.set_params(distribution=None).predict_proba(X).tolist()
json.dump(found, sys.stdout)
"""


def start(code, *arguments, n_devices=1):
    flags = f"--xla_force_host_platform_device_count={n_devices}"
    return subprocess.Popen(
        [sys.executable, "-c", COMMON + code, *arguments],
        env=os.environ | {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "XLA_FLAGS": flags},
        stdout=subprocess.PIPE,  # pytest itself shows what goes to stderr
        text=True,
    )


def answers(*processes):
    """What each process found; none outlives this."""
    try:
        for process in processes:
            out, _ = process.communicate(timeout=120)
            assert process.returncode == 0
            yield json.loads(out.splitlines()[-1])
    finally:
        for process in processes:
            process.kill()
            process.communicate()


@pytest.fixture(scope="module")
def found():
    (answer,) = answers(start(TWO_DEVICES, n_devices=2))
    return answer


@pytest.fixture(scope="module")
def both():
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = str(free.getsockname()[1])
    return list(answers(*(start(ONE_OF_TWO_PROCESSES, port, number) for number in "01")))


@pytest.mark.parametrize("case", ["dropout", "early stopping"])
def test_two_devices_learn_what_one_does(found, case):
    assert found[case]["loss"] < 1e-5
    assert found[case]["proba"] < 1e-5


@pytest.mark.parametrize("when", ["training", "prediction"])
def test_each_device_reads_its_half_of_a_batch(found, when):
    found_rows = found["dropout"][f"rows of {when}"]
    assert found_rows
    assert all(rows == [8, 4] for rows in found_rows)


def test_a_batch_that_devices_cannot_share_is_refused(found):
    assert found["odd"] == "batch_size=7 must be a multiple of the 2 devices of distribution."


def test_what_divides_more_than_rows_is_refused(found):
    assert found["other"].startswith(
        "Under jax, distribution must be a keras.distribution.DataParallel; got a ModelParallel."
    )


def test_two_processes_learn_what_one_does(both):
    for found in both:
        assert found["devices"] == [2, 1]
        assert found["loss"] < 1e-5
        assert found["proba"] < 1e-5


def test_two_processes_have_the_same_losses_and_scores_of_all_clips(both):
    first, second = both
    assert first["losses"] == second["losses"]
    assert first["scores"] == second["scores"]
    assert len(first["scores"]) == 22


def test_each_process_reads_its_half_of_a_batch(both):
    for found in both:
        # Besides, each scores all clips that are held out.
        assert [8, 4] in found["rows of training"]


def test_one_process_predicts_alone_without_distribution(both):
    np.testing.assert_allclose(both[0]["alone"], both[0]["scores"], rtol=0, atol=1e-5)


WHOLE = "X, y or weights, which each is to be given whole"


@pytest.mark.parametrize(
    ("what", "hint"),
    [
        ("halves", WHOLE),
        ("labels", WHOLE),
        ("fewer", WHOLE),
        ("seeds", "random_state: pass the same int to each"),
    ],
)
def test_processes_that_differ_are_refused(both, what, hint):
    for found in both:
        assert found[what] == f"The processes of distribution differ in {hint}."
