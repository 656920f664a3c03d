import numpy as np
import pytest

from tests.network.networks import POOLINGS, random_weights
from voicelstm.network._architecture import Architecture, initial_weights
from voicelstm.network._model import Compilation, build
from voicelstm.network._pool import acquire_network

pytestmark = pytest.mark.every_backend


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_the_architecture_knows_the_networks_weights_by_name_and_shape(pooling, bidirectional):
    architecture = Architecture(3, 2, (6, 4), bidirectional=bidirectional, pooling=pooling)
    model = build(architecture)
    shapes = sorted(tuple(w.shape) for w in model.trainable_weights)
    assert shapes == sorted(architecture.weight_shapes().values())
    weights = random_weights(architecture)
    with acquire_network(architecture, Compilation()) as network:
        network.reset(weights, seed=0, learning_rate=1e-3)
        restored = network.weights()
    assert restored.keys() == weights.keys()
    for name, values in weights.items():
        np.testing.assert_array_equal(restored[name], values)


def test_first_weights_are_those_of_keras_defaults():
    weights = initial_weights(Architecture(40, 1, (64,)), np.random.default_rng(0))
    recurrent = weights["lstm_0/recurrent_kernel"]
    np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(64), atol=1e-5)
    limit = np.sqrt(6 / (40 + 256))
    assert 0.95 * limit < np.abs(weights["lstm_0/kernel"]).max() <= limit
    bias = weights["lstm_0/bias"].reshape(4, 64)
    assert (bias[[0, 2, 3]] == 0).all()
    assert (bias[1] == 1).all()


def test_the_recipes_head_is_truncated_at_two_deviations():
    weights = initial_weights(Architecture(2, 80, (100,)), np.random.default_rng(0), "truncated_normal")
    kernel = weights["head/kernel"]
    assert np.abs(kernel).max() <= 0.2
    # The deviation of a standard normal truncated at ±2 is 0.8796.
    assert kernel.std() == pytest.approx(0.08796, rel=0.03)
    np.testing.assert_allclose(weights["head/bias"], 0.1)
