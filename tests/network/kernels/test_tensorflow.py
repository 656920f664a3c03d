import numpy as np
import pytest

from tests.network.kernels.equations import BETWEEN, case
from voicelstm.network.kernels import _tensorflow
from voicelstm.network.kernels._tensorflow import block_lstm_stack

pytestmark = pytest.mark.every_backend

tf = pytest.importorskip("tensorflow")


@pytest.mark.parametrize("n_frames", [1, 3, 9])
@pytest.mark.parametrize(("n", "n_rows"), [(5, 1), (5, 32), (5, 64), (1, 128), (70, 64)])
def test_it_computes_the_equations_however_the_work_is_divided(n, n_rows, n_frames):
    sequences, weights, expected = case(n, n_frames)
    tensors = [[tf.constant(part, tf.float32) for part in parts] for parts in weights]
    outputs = block_lstm_stack(tf.constant(sequences, tf.float32), tensors, BETWEEN, n_rows)
    np.testing.assert_allclose(outputs, expected, atol=1e-6)


def test_it_serves_single_precision_only():
    assert _tensorflow.is_available("float32") == (not tf.config.list_logical_devices("GPU"))
    assert not _tensorflow.is_available("float64")
