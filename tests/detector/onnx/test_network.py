import numpy as np
import pytest

from tests.detector.onnx.sessions import run
from tests.network.inference.references import clips_of, weights_of, whole
from tests.network.networks import POOLINGS
from voicelstm.detector.onnx._network import logits
from voicelstm.network import Architecture, InferenceNetwork

PACKAGED = ((12, 5, 2), (12, 3, 1), (12, 3, 2), (24, 3, 1), (24, 3, 2), (12, 3, 1))


def difference(architecture, n_frames, *, is_known):
    """How far the logits of three segments are from those of the library."""
    weights, clips = weights_of(architecture), clips_of([n_frames] * 3, architecture.n_features)
    (found,) = run(
        lambda graph, segments: logits(
            graph, segments, n_frames if is_known else None, architecture, weights
        ),
        np.stack(clips),
    )
    return np.abs(found - InferenceNetwork(architecture, weights).logits(whole(clips))).max()


@pytest.mark.parametrize("convolutions", [(), ((2, 5, 2), (3, 3, 1), (2, 2, 3))])
@pytest.mark.parametrize(("units", "n_outputs"), [((6,), 1), ((7, 5), 3)])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_logits_are_the_librarys(pooling, bidirectional, units, n_outputs, convolutions):
    architecture = Architecture(
        11, n_outputs, units, bidirectional=bidirectional, pooling=pooling, convolutions=convolutions
    )
    assert difference(architecture, 41, is_known=False) < 1e-5


@pytest.mark.parametrize("is_known", [False, True])
@pytest.mark.parametrize("n_frames", [1, 2, 3, 4, 5, 6, 7, 8, 17, 40])
@pytest.mark.parametrize(
    "convolutions", [((2, 5, 2), (3, 3, 1), (2, 2, 3)), ((2, 1, 1), (3, 1, 2), (2, 4, 5))]
)
def test_shifts_have_the_lengths_that_they_have_in_the_library(convolutions, n_frames, is_known):
    architecture = Architecture(11, 1, (5,), bidirectional=True, pooling="last", convolutions=convolutions)
    assert difference(architecture, n_frames, is_known=is_known) < 1e-5


def test_networks_as_they_are_used_have_the_librarys_logits():
    packaged = Architecture(80, 1, (64,), True, "stats", convolutions=PACKAGED)
    assert difference(packaged, 300, is_known=True) < 1e-5
    original = Architecture(13, 1, (78, 78, 78, 13), pooling="last", dtype="float64")
    assert difference(original, 600, is_known=False) < 1e-5
