import numpy as np
import pytest

from tests.detector.onnx.sessions import run
from voicelstm.detector.onnx._spectrum import Transform


@pytest.mark.parametrize(
    ("n_fft", "frame_length"), [(512, 400), (1024, 400), (300, 254), (257, 200), (16, 16), (2, 1), (15, 4)]
)
def test_the_power_of_each_bin_is_numpys(n_fft, frame_length):
    transform = Transform.of(n_fft, frame_length)
    frames = np.random.default_rng(n_fft).normal(size=(5, frame_length))
    rows = np.zeros((5, transform.n_rows * transform.n_inner))
    rows[:, :frame_length] = frames
    rows = rows.reshape(5, transform.n_rows, transform.n_inner).transpose(1, 0, 2)
    (found,) = run(lambda graph, frames: transform.power(graph, frames), np.ascontiguousarray(rows))
    expected = np.abs(np.fft.rfft(frames, n_fft, axis=1)) ** 2
    assert set(transform.bins.tolist()) == set(range(n_fft // 2 + 1))
    np.testing.assert_allclose(found, expected[:, transform.bins], rtol=1e-6, atol=1e-12)


def test_two_stages_need_fewer_multiplications_than_one():
    assert 1 < Transform.of(512, 400).n_inner < 512
    assert Transform.of(257, 200).n_inner in (1, 257)  # a prime
