import numpy as np
import pytest

from tests.network.kernels.equations import BETWEEN, case
from voicelstm.network.kernels._jax import is_available, jax_lstm_stack

pytestmark = pytest.mark.every_backend

jax = pytest.importorskip("jax")


@pytest.mark.parametrize("n_frames", [1, 9])
def test_it_computes_the_equations(n_frames):
    sequences, weights, expected = case(n_frames=n_frames)
    arrays = [[jax.numpy.asarray(part, "float32") for part in parts] for parts in weights]
    outputs = jax_lstm_stack(jax.numpy.asarray(sequences, "float32"), arrays, BETWEEN)
    np.testing.assert_allclose(outputs, expected, atol=1e-6)


@pytest.mark.parametrize(("device", "serves"), [("cpu", True), ("gpu", False)])
def test_it_serves_the_cpu_since_a_gpu_has_a_kernel_of_its_own(device, serves, monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: device)
    assert is_available() is serves
