import random

import keras
import numpy as np
import pytest
from keras import ops

from tests.network.networks import random_weights
from voicelstm.network._architecture import Architecture
from voicelstm.network._model import Compilation, build, make_loss, make_optimizer
from voicelstm.network._pool import acquire_network

pytestmark = pytest.mark.every_backend


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
    assert logs["weight"] == 4


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_cross_entropy_smooths_labels_and_divides_what_the_rows_weigh_by_their_number(n_outputs):
    generator = np.random.default_rng(0)
    logits, weight = generator.normal(size=(4, n_outputs)), np.array([1.0, 2.0, 0.0, 0.5])
    positive = generator.integers(0, 2 if n_outputs == 1 else 3, 4)
    if n_outputs == 1:
        labels, probability = positive[:, None], 1 / (1 + np.exp(-logits))
        smooth = 0.8 * labels + 0.2 / 2
        losses = -(smooth * np.log(probability) + (1 - smooth) * np.log(1 - probability))[:, 0]
    else:
        labels, exponentials = np.eye(3)[positive], np.exp(logits)
        smooth = 0.8 * labels + 0.2 / 3
        losses = -(smooth * np.log(exponentials / exponentials.sum(axis=1, keepdims=True))).sum(axis=1)
    loss = make_loss(Architecture(2, n_outputs, (3,)), Compilation(label_smoothing=0.2))
    found = loss(*(ops.convert_to_tensor(values, "float32") for values in (labels, logits, weight)))
    assert float(found) == pytest.approx(float(losses @ weight) / 4, rel=1e-5)


def test_optimizers_have_their_names_epsilon_clipping_and_decay():
    found = {
        name: make_optimizer(Compilation(optimizer=name, clip_norm=2.0, weight_decay=0.01))
        for name in ("adam", "adam_tf1", "nadam", "rmsprop", "sgd")
    }
    kinds = ["Adam", "Adam", "Nadam", "RMSprop", "SGD"]
    assert [type(optimizer).__name__ for optimizer in found.values()] == kinds
    assert {(each.global_clipnorm, each.weight_decay) for each in found.values()} == {(2.0, 0.01)}
    # TensorFlow 1's default, where Keras has 1e-7.
    assert (found["adam_tf1"].epsilon, found["adam"].epsilon) == (1e-8, 1e-7)
    plain = make_optimizer(Compilation())
    assert plain.global_clipnorm is None
    assert plain.weight_decay is None


def test_batches_of_almost_as_many_rows_share_a_network():
    numbers = [1, 31, 32, 63, 64, 127, 128, 5000]
    found = [Compilation().for_rows(n).n_rows for n in numbers]
    assert found == [1, 1, 32, 32, 64, 96, 128, 128]


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
