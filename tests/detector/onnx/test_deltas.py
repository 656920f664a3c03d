import numpy as np
import pytest

from tests.detector.onnx.sessions import run
from voicelstm.detector.onnx._deltas import append_deltas, normalized
from voicelstm.features import append_deltas as of_library
from voicelstm.features import normalize_clip


def clip(n_frames):
    features = np.random.default_rng(0).normal(1e3, 5, size=(n_frames, 4)).astype("float32")
    features[:, 2] = 7
    return features


@pytest.mark.parametrize("n_frames", [1, 2, 3, 50])
@pytest.mark.parametrize("order", [0, 1, 3])
def test_derivatives_are_the_librarys(order, n_frames):
    (found,) = run(lambda graph, features: append_deltas(graph, features, order), clip(n_frames))
    np.testing.assert_allclose(found, of_library(clip(n_frames), order), rtol=0, atol=1e-3)


@pytest.mark.parametrize("n_frames", [1, 50])
@pytest.mark.parametrize("how", [None, "mean", "zscore", "minmax"])
def test_columns_are_normalised_as_in_the_library(how, n_frames):
    (found,) = run(lambda graph, features: normalized(graph, features, how), clip(n_frames))
    np.testing.assert_allclose(found, normalize_clip(clip(n_frames), how), rtol=1e-6, atol=1e-6)
