import numpy as np

RATE = 16000


def noise(n_samples, seed=0):
    return 0.1 * np.random.default_rng(seed).standard_normal(n_samples)


def assert_same(one, other):
    assert len(one) == len(other)
    for ours, theirs in zip(one, other, strict=True):
        np.testing.assert_array_equal(ours, theirs)
