import numpy as np
import pytest

from tests.detector.onnx.sessions import run
from voicelstm import LSTMVoiceClassifier
from voicelstm.detector.onnx import _segments
from voicelstm.detector.onnx._segments import score_segments


def clip(n_frames):
    return np.random.default_rng(n_frames).normal(1, 3, size=(n_frames, 4)).astype("float32")


@pytest.mark.parametrize("n_frames", [1, 6, 7, 8, 20, 21, 150])
@pytest.mark.parametrize(
    "settings",
    [
        {"segment_frames": 7},
        {"segment_frames": 7, "segment_hop": 3},
        {"segment_frames": 7, "repeat_short_clips": True, "convolutions": [(2, 3, 2)]},
        {"segment_frames": None, "standardize": False},
    ],
    ids=["segments", "hop", "repeated", "whole"],
)
def test_segments_and_their_mean_are_the_librarys(settings, n_frames, monkeypatch):
    monkeypatch.setattr(_segments, "_AT_ONCE", 3)
    classifier = LSTMVoiceClassifier(units=(5,), max_steps=1, random_state=0, **settings)
    classifier.fit([clip(n) for n in (30, 31, 32, 33)], [0, 1, 0, 1])
    logits, mean, starts, stops = run(
        lambda graph, frames: [
            each.reshape(-1, 1).cast("float32") for each in score_segments(graph, frames, classifier)
        ],
        clip(n_frames),
    )
    (expected,) = classifier.predict_segments([clip(n_frames)])
    np.testing.assert_allclose(logits[:, 0], expected["log_odds"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(mean[:, 0], classifier.decision_function([clip(n_frames)]), rtol=0, atol=1e-5)
    np.testing.assert_array_equal(starts[:, 0], expected["start_frame"])
    np.testing.assert_array_equal(stops[:, 0], expected["stop_frame"])
