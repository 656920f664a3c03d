import numpy as np
import pytest

from tests.network.kernels.equations import BETWEEN, case
from voicelstm.network.kernels._torch import torch_lstm_stack

pytestmark = pytest.mark.every_backend

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("n_frames", [1, 9])
def test_it_computes_the_equations(n_frames):
    sequences, weights, expected = case(n_frames=n_frames)
    tensors = [[torch.tensor(part) for part in parts] for parts in weights]
    outputs = torch_lstm_stack(torch.tensor(sequences), tensors, BETWEEN)
    np.testing.assert_allclose(outputs.numpy(), expected, atol=1e-12)


def test_a_shape_alone_is_answered_with_a_shape():
    sequences, weights, expected = case()
    tensors = [[torch.tensor(part) for part in parts] for parts in weights]
    outputs = torch_lstm_stack(torch.tensor(sequences).to("meta"), tensors, BETWEEN)
    assert tuple(outputs.shape) == expected.shape
