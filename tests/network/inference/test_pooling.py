import numpy as np
import pytest

from tests.network.networks import POOLINGS
from voicelstm.network.inference._pooling import Pooled

WIDTH, LENGTHS = 3, np.array([50, 21, 20, 1])


def expected_of(how, outputs, weights):
    outputs = outputs.astype(float)
    if how == "last":
        return outputs[-1]
    if how == "max":
        return outputs.max(axis=0)
    if how == "attention":
        hidden = np.tanh(outputs @ weights["pooling/kernel"] + weights["pooling/bias"])
        share = np.exp(hidden @ weights["pooling/context"])
        return (share * outputs).sum(axis=0) / share.sum()
    mean = outputs.mean(axis=0)
    return mean if how == "mean" else np.concatenate([mean, np.sqrt(outputs.var(axis=0) + 1e-6)])


@pytest.mark.parametrize("size", [1, 7, 50])
@pytest.mark.parametrize("how", POOLINGS)
def test_outputs_are_pooled_within_each_length_however_they_come(how, size):
    generator = np.random.default_rng(0)
    outputs = np.tanh(generator.normal(size=(50, 4, WIDTH))).astype("float32")
    outputs[:, 1, 0] = 0.9  # has no deviation
    shapes = {"kernel": (WIDTH, WIDTH), "bias": (WIDTH,), "context": (WIDTH, 1)}
    weights = {
        f"pooling/{name}": 5 * generator.normal(size=shape).astype("float32")
        for name, shape in shapes.items()
    }
    pooled = Pooled(how, LENGTHS, WIDTH, weights)
    for first in range(0, 50, size):
        n_rows = np.count_nonzero(first < LENGTHS)
        pooled.add(first, outputs[first : first + size, :n_rows])
    for row, length, found in zip(outputs.swapaxes(0, 1), LENGTHS, pooled.vectors(np.float32), strict=True):
        np.testing.assert_allclose(found, expected_of(how, row[:length], weights), rtol=0, atol=1e-6)
