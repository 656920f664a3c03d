import random
from functools import wraps

import keras
import numpy as np
import pytest
from keras import ops

from voicelstm.network._architecture import Architecture, initial_weights
from voicelstm.network._model import Compilation, build
from voicelstm.network._network import Network
from voicelstm.network._pool import acquire_network
from voicelstm.network._pooling import Pooling
from voicelstm.network._recurrent import LSTMStack

POOLINGS = ("mean", "max", "stats", "attention", "last")


def random_weights(architecture, seed=0):
    """Weights whose gates all differ, biases included."""
    generator = np.random.default_rng(seed)
    weights = initial_weights(architecture, generator)
    return {name: w + generator.normal(0, 0.1, w.shape).astype(w.dtype) for name, w in weights.items()}


@pytest.mark.parametrize("how", POOLINGS)
def test_pooling_hears_only_the_frames_that_count(how):
    generator = np.random.default_rng(0)
    clip = np.tanh(generator.normal(size=(5, 4))).astype("float32")
    layer = Pooling(how)
    layer.build(((None, None, 4), (None,)))
    for weight in layer.weights:
        weight.assign(generator.normal(size=weight.shape))
    if how == "attention":
        kernel, bias, context = layer.get_weights()
        scores = np.tanh(clip @ kernel + bias) @ context
        share = np.exp(scores) / np.exp(scores).sum()
        expected = (share * clip).sum(axis=0)
    else:
        expected = {
            "mean": clip.mean(axis=0),
            "max": clip.max(axis=0),
            "stats": np.concatenate([clip.mean(axis=0), np.sqrt(clip.var(axis=0) + 1e-6)]),
            "last": clip[-1],
        }[how]
    batch = np.full((2, 9, 4), 0.9, dtype="float32")
    batch[0, :5] = clip
    pooled = ops.convert_to_numpy(layer((ops.convert_to_tensor(batch), ops.convert_to_tensor([5, 9]))))
    np.testing.assert_allclose(pooled[0], expected, atol=1e-5)


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
    weights = initial_weights(Architecture(2, 8, (1000,)), np.random.default_rng(0), "truncated_normal")
    kernel = weights["head/kernel"]
    assert np.abs(kernel).max() <= 0.2
    # The deviation of a standard normal truncated at ±2 is 0.8796.
    assert kernel.std() == pytest.approx(0.08796, rel=0.03)
    np.testing.assert_allclose(weights["head/bias"], 0.1)


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


def test_a_released_network_is_acquired_again():
    architecture = Architecture(3, 1, (2,))
    with acquire_network(architecture, Compilation()) as first:
        pass
    with acquire_network(architecture, Compilation()) as second:
        assert second is first


def test_squared_error_is_that_of_probabilities():
    architecture = Architecture(3, 1, (4,))
    compilation = Compilation(loss="squared_error")
    batch = np.random.default_rng(0).normal(size=(3, 5, 3)).astype("float32")
    lengths, labels = np.full(3, 5, dtype="int32"), np.array([[1.0], [0.0], [1.0]], dtype="float32")
    weights = random_weights(architecture)
    logits = ops.convert_to_numpy(build(architecture, weights)({"sequences": batch, "lengths": lengths}))
    squares = (labels - 1 / (1 + np.exp(-logits))) ** 2
    with acquire_network(architecture, compilation) as network:
        network.reset(weights, seed=0, learning_rate=1e-3)
        logs = network.train_step(batch, lengths, labels, np.array([1.0, 1.0, 2.0], dtype="float32"))
    assert logs["loss"] == pytest.approx(float(np.average(squares[:, 0], weights=[1, 1, 2])), rel=1e-5)


@pytest.mark.parametrize("pooling", ["stats", "attention"])
def test_building_a_network_draws_from_no_global_generator(pooling):
    def draws():
        return random.random(), np.random.rand()

    keras.utils.set_random_seed(1)
    expected = draws()
    keras.utils.set_random_seed(1)
    with acquire_network(
        Architecture(3, 1, (5, 3), pooling=pooling, bidirectional=True, dropout=0.1), Compilation()
    ):
        pass
    assert draws() == expected


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="the others have double precision as they are")
def test_double_precision_that_jax_has_not_is_refused():
    import jax

    with jax.enable_x64(False), pytest.raises(ValueError, match=r'dtype="float64" needs.*JAX_ENABLE_X64=1'):
        build(Architecture(2, 1, (3,), dtype="float64"))


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
