import numpy as np
import pytest
from keras import ops

from tests.network.stacks import BACKEND, FUSED, N_FEATURES, N_ROWS, PlainStack, array, built, kernel_of
from voicelstm.network._recurrent import LSTMStack

pytestmark = pytest.mark.every_backend


@pytest.mark.parametrize("dtype", ["float64", "mixed_bfloat16", "mixed_float16"])
def test_where_a_kernel_lacks_a_dtype_keras_own_layers_run(dtype):
    stack, plain = built(LSTMStack, dtype), built(PlainStack, dtype)
    plain.set_weights(stack.get_weights())
    fused = dtype == "float64" and BACKEND != "tensorflow"
    assert (stack._run_stack is not None) == fused
    x = ops.convert_to_tensor(np.random.default_rng(0).normal(size=(N_ROWS, 9, N_FEATURES)), dtype="float32")
    lengths = ops.convert_to_tensor([9] * N_ROWS, "int32")
    np.testing.assert_allclose(array(stack(x, lengths)), array(plain(x, lengths)), rtol=0, atol=1e-6)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="the others take their kernels at every width")
def test_wide_layers_are_left_to_keras_where_its_loop_is_faster():
    assert kernel_of(built(LSTMStack, "float32", units=(80, 13))) == FUSED
    assert kernel_of(built(LSTMStack, "float32", units=(13, 128))) is None
