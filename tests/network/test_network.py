from functools import wraps

import keras
import numpy as np
import pytest

from tests.network.networks import random_weights
from voicelstm.network._architecture import Architecture, initial_weights
from voicelstm.network._model import Compilation
from voicelstm.network._network import Network
from voicelstm.network._pool import acquire_network
from voicelstm.network._recurrent import LSTMStack

pytestmark = pytest.mark.every_backend


def steps(network, architecture, seed, n=3):
    generator = np.random.default_rng(5)
    network.reset(random_weights(architecture), seed=seed, learning_rate=0.01)
    for _ in range(n):
        network.train_step(
            generator.normal(size=(6, 10, 3)).astype("float32"),
            np.full(6, 10, dtype="int32"),
            generator.integers(0, 2, size=(6, 1)).astype("float32"),
            np.ones(6, dtype="float32"),
        )
    return network.weights()


def test_a_network_that_was_reset_is_as_good_as_new():
    architecture = Architecture(3, 1, (8, 8), dropout=0.3)
    compilation = Compilation(optimizer="adam")
    with (
        acquire_network(architecture, compilation) as network,
        acquire_network(architecture, compilation) as another,
    ):
        assert network is not another
        fresh = steps(network, architecture, seed=1)
        other_seed = steps(network, architecture, seed=2)
        again = steps(network, architecture, seed=1)
        elsewhere = steps(another, architecture, seed=1)
    for name, values in fresh.items():
        np.testing.assert_array_equal(values, again[name])
        np.testing.assert_array_equal(values, elsewhere[name])
    assert any((fresh[name] != other_seed[name]).any() for name in fresh)


def test_a_training_step_takes_arrays_of_the_backend_as_those_of_numpy():
    architecture = Architecture(2, 1, (3,))
    batch, lengths = np.ones((3, 4, 2), "float32"), np.full(3, 4, "int32")
    labels, weight = np.array([[0], [1], [1]], "float32"), np.array([0.5, 1.0, 2.0], "float32")
    logs = []
    for convert in (np.asarray, keras.ops.convert_to_tensor):
        network = Network(architecture, Compilation())
        network.reset(random_weights(architecture), seed=0, learning_rate=1e-3)
        logs.append(network.train_step(*map(convert, (batch, lengths, labels, weight))))
    assert logs[0]["weight"] == logs[1]["weight"] == 3.5
    assert logs[1] == pytest.approx(logs[0])


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="no other backend traces by shape")
def test_tensorflow_traces_a_training_step_twice_however_many_lengths_come(monkeypatch):
    traced = []
    call = LSTMStack.call
    spy = wraps(call)(lambda *args, **kwargs: traced.append(None) or call(*args, **kwargs))
    monkeypatch.setattr(LSTMStack, "call", spy)
    architecture = Architecture(2, 1, (3,))
    network = Network(architecture, Compilation())
    network.reset(initial_weights(architecture, np.random.default_rng(0)), seed=0, learning_rate=1e-3)
    traced.clear()
    ones = np.ones((4, 1), "float32")
    for n_frames in (7, 9, 20, 31, 5, 64):
        batch, lengths = np.ones((4, n_frames, 2), "float32"), np.full(4, n_frames, "int32")
        network.train_step(batch, lengths, ones, ones[:, 0])
    assert len(traced) == 2  # for the first length, and for any
