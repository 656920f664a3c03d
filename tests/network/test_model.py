import random

import keras
import numpy as np
import pytest
from keras import ops

from tests.network.networks import random_weights
from voicelstm.network._architecture import Architecture
from voicelstm.network._model import Compilation, build
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
