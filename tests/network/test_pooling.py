import numpy as np
import pytest
from keras import ops

from tests.network.networks import POOLINGS
from voicelstm.network._pooling import Pooling

pytestmark = pytest.mark.every_backend


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
