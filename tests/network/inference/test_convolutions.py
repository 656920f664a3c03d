import itertools

import numpy as np
import pytest

from tests.network import test_convolutions as of_keras
from tests.network.inference.references import clips_of, weights_of
from voicelstm.network._architecture import Architecture
from voicelstm.network.inference import _convolutions
from voicelstm.network.inference._convolutions import ConvolutionBlocks

ARCHITECTURE = of_keras.ARCHITECTURE


def maps_of(clip, weights, architecture=ARCHITECTURE):
    """Rows of maps within their lengths, as the kernel of an LSTM of one unit for each number hears them."""
    blocks = ConvolutionBlocks.of(architecture, weights)
    found, lengths = blocks.run(clip)
    heard = blocks.in_its_order(np.eye(found.shape[2], dtype="float32"))
    assert all((found[length:, row] == 0).all() for row, length in enumerate(lengths))
    return [found[:length, row] @ heard for row, length in enumerate(lengths)]


@pytest.mark.parametrize("n_frames", [1, 2, 3, 7, 12, 13, 100, 211])
def test_blocks_convolve_keep_the_larger_half_pool_from_each_frame_and_normalise(n_frames):
    (clip,), weights = clips_of([n_frames], of_keras.N_BANDS), weights_of(ARCHITECTURE)
    rows = [(first, 0, last) for last, first in itertools.product(range(3), range(2))]
    for row, found in zip(rows, maps_of(clip, weights), strict=True):
        np.testing.assert_allclose(found, of_keras.convolved(clip, weights, row), rtol=0, atol=1e-5)


@pytest.mark.parametrize("frames", [1, 5, 31])
@pytest.mark.parametrize("cached", [1, 4000])
def test_blocks_of_frames_give_what_the_whole_gives(frames, cached, monkeypatch):
    architecture = Architecture(11, 1, (4,), convolutions=((2, 5, 2), (3, 3, 1), (2, 2, 3), (2, 4, 4)))
    weights = weights_of(architecture)
    for clip in clips_of((1, 4, 30, 97, 200), 11):
        monkeypatch.setattr(_convolutions, "_FRAMES", 10_000)
        whole = maps_of(clip, weights, architecture)
        monkeypatch.setattr(_convolutions, "_FRAMES", frames)
        monkeypatch.setattr(_convolutions, "_CACHED", cached)
        for found, expected in zip(maps_of(clip, weights, architecture), whole, strict=True):
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
        monkeypatch.undo()
