import numpy as np
import pytest

from tests.detector.onnx.sessions import run
from voicelstm.audio import active_region, set_level
from voicelstm.detector.onnx._level import active_samples, at_level, at_level_of, peak_of

SAMPLES = np.concatenate(
    [np.zeros(50), 1e-4 * np.ones(30), np.sin(np.arange(900)), -2e-3 * np.ones(20), np.zeros(5)]
).astype("float32")


@pytest.mark.parametrize("trim_silence", [20.0, 50.0, 60.0, 100.0])
def test_the_active_region_is_the_librarys(trim_silence):
    start, samples = run(
        lambda graph, x: [
            each.reshape(-1) for each in active_samples(graph, x, peak_of(graph, x), trim_silence, 400)
        ],
        SAMPLES,
        axes=1,
    )
    expected_start, expected_stop = active_region(SAMPLES, trim_silence)
    assert start.tolist() == [expected_start]
    np.testing.assert_array_equal(samples, SAMPLES[expected_start:expected_stop])


def test_of_silence_some_first_samples_are_kept_and_no_level_is_set():
    _, samples = run(
        lambda graph, x: [
            each.reshape(-1) for each in active_samples(graph, x, peak_of(graph, x), 30.0, 400)
        ],
        np.zeros(900, "float32"),
        axes=1,
    )
    assert len(samples) == 400
    (found,) = run(
        lambda graph, x: at_level(graph, x, peak_of(graph, x), -20.0), np.zeros(900, "float32"), axes=1
    )
    assert not found.any()


@pytest.mark.parametrize("factor", [1.0, 1e-30, 1e30])
def test_the_level_is_the_librarys_to_the_last_bit(factor):
    samples = SAMPLES * np.float32(factor)
    (found,) = run(lambda graph, x: at_level(graph, x, peak_of(graph, x), -26.0), samples, axes=1)
    np.testing.assert_array_equal(found, set_level(samples, -26.0))


@pytest.mark.parametrize("loudness", [0.0, 1e-20, 0.37])
def test_the_level_of_what_is_as_loud_as_this_is_set_in_single_precision(loudness):
    (found,) = run(
        lambda graph, x: at_level_of(graph, x, graph.constant(loudness, np.float64), -26.0), SAMPLES, axes=1
    )
    gain = np.float32(10 ** (-26 / 20) / loudness) if loudness else 1
    np.testing.assert_array_equal(found, SAMPLES * gain)
