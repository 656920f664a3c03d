import warnings

import numpy as np
import pytest
from python_speech_features import delta

from voicelstm.features import append_deltas, normalize_clip


@pytest.mark.parametrize("n_frames", [1, 2, 5, 30])
def test_deltas_are_those_of_python_speech_features(n_frames):
    features = np.random.default_rng(0).standard_normal((n_frames, 4))
    first = delta(features, 2)
    expected = np.concatenate([features, first, delta(first, 2)], axis=1)
    np.testing.assert_allclose(append_deltas(features, 2), expected, rtol=0, atol=1e-12)
    assert append_deltas(features.astype(np.float32), 1).dtype == np.float32


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("mean", [[-2.0, 0.0], [2.0, 0.0], [0.0, 0.0]]),
        ("zscore", [[-np.sqrt(1.5), 0.0], [np.sqrt(1.5), 0.0], [0.0, 0.0]]),
        ("minmax", [[0.0, 0.0], [1.0, 0.0], [0.5, 0.0]]),
        (None, [[1.0, 0.1], [5.0, 0.1], [3.0, 0.1]]),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_columns_are_normalised_over_the_clip_and_constant_ones_become_zero(how, expected, dtype):
    features = np.array([[1.0, 0.1], [5.0, 0.1], [3.0, 0.1]], dtype=dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of 0 / 0, say
        normal = normalize_clip(features, how)
    assert normal.dtype == dtype
    np.testing.assert_allclose(normal, np.array(expected, dtype=dtype), rtol=1e-6)
