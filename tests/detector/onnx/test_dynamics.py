import numpy as np
import pytest

from tests.detector.onnx.sessions import run
from voicelstm import CepstralDynamics
from voicelstm.detector.onnx._dynamics import dynamics_of


def clip(n_frames):
    features = np.random.default_rng(n_frames).normal(5, 2, size=(n_frames, 3)).cumsum(axis=0)
    features[:, 1] = 4
    return features.astype("float32")


@pytest.mark.parametrize("n_frames", [1, 3, 4, 9, 10, 11, 300])
def test_movements_and_their_windows_are_the_librarys(n_frames):
    dynamics = CepstralDynamics(lags=(1, 2, 12), window_frames=10, step_frames=4).fit([clip(80), clip(7)])
    movements, starts, stops = run(
        lambda graph, features: [
            each.reshape(-1, each_width)
            for each, each_width in zip(dynamics_of(graph, features, dynamics), (24, 1, 1), strict=True)
        ],
        clip(n_frames),
    )
    np.testing.assert_allclose(movements, dynamics.transform([clip(n_frames)])[0], rtol=0, atol=1e-6)
    np.testing.assert_array_equal(np.concatenate([starts, stops], axis=1), dynamics.spans(n_frames))
