import numpy as np
import pytest

from voicelstm.audio import _stored_samples, channel_statistics, set_level, speech_frames, speech_level
from voicelstm.audio._level import active_region, active_samples, at_level, peak_of
from voicelstm.audio._stored_samples import StoredSamples, blocks_of, changed_samples
from voicelstm.datasets import make_voices

VALUES = np.random.default_rng(0).standard_normal(1000).astype(np.float32)
VALUES[:130], VALUES[-77:] = 1e-4, 0


def stored(*parts):
    found = StoredSamples(np.dtype(np.float32))
    for part in parts:
        found.append(part)
    return found


@pytest.fixture(autouse=True, params=[1, 64, 999, 1000, 2**20])
def block(request, monkeypatch):
    monkeypatch.setattr(_stored_samples, "_BLOCK", request.param)
    return request.param


@pytest.mark.parametrize("block", [1000, 2**20], indirect=True)
def test_speech_level_and_channel_of_stored_samples_are_those_of_an_array(block):
    X, _ = make_voices(2, random_state=0, return_X_y=True)
    samples, rate = np.concatenate([each for each, _ in X]).astype(np.float32), X[0][1]
    of_file, starts, length = (
        stored(samples[:7000], samples[7000:]),
        np.arange(0, len(samples) - 400, 160),
        400,
    )
    found, expected = (speech_frames(each, rate, starts, length) for each in (of_file, samples))
    assert 0.1 < expected.mean() < 1
    np.testing.assert_array_equal(found, expected)
    levels = [speech_level(each, starts[expected], length) for each in (of_file, samples)]
    assert levels[0] == pytest.approx(levels[1], rel=1e-6)
    statistics = [channel_statistics(each, rate) for each in (of_file, samples)]
    np.testing.assert_allclose(*statistics, atol=1e-5)


def test_slices_are_those_of_the_array():
    samples = stored(VALUES[:300], VALUES[:0], VALUES[300:])
    assert (len(samples), samples.shape, samples.ndim, samples.dtype) == (1000, (1000,), 1, np.float32)
    for start, stop in (
        (0, 1000),
        (None, None),
        (250, 350),
        (-5, None),
        (990, 2000),
        (5, 5),
        (9, 3),
        (2000, 3000),
    ):
        np.testing.assert_array_equal(samples[start:stop], VALUES[start:stop])
    assert not len(stored()[:])


def test_blocks_are_all_samples_in_turn(block):
    for samples in (VALUES, stored(VALUES)):
        blocks = list(blocks_of(samples))
        assert max(map(len, blocks)) == min(block, 1000)
        np.testing.assert_array_equal(np.concatenate(blocks), VALUES)


def test_changes_are_made_in_place_and_only_where_they_may_be():
    samples, array = stored(VALUES), VALUES.copy()
    assert changed_samples(samples, lambda each: 2 * each) is samples
    np.testing.assert_array_equal(samples[:], 2 * VALUES)
    np.testing.assert_array_equal(changed_samples(array, lambda each: 2 * each), 2 * VALUES)
    np.testing.assert_array_equal(array, VALUES)
    assert changed_samples(array, lambda each: 2 * each, in_place=True) is array
    np.testing.assert_array_equal(array, 2 * VALUES)


def test_what_is_kept_is_a_recording_of_its_own():
    samples = stored(VALUES)
    samples.keep(100, 900)
    samples.keep(50, 10_000)
    np.testing.assert_array_equal(samples[:], VALUES[150:900])
    np.testing.assert_array_equal(samples[10:20], VALUES[160:170])
    samples.change(np.negative)
    np.testing.assert_array_equal(samples[-3:], -VALUES[897:900])


def test_trimming_and_level_are_those_in_memory():
    assert peak_of(stored(VALUES)) == np.abs(VALUES).max()
    begin, end = active_region(VALUES, 40.0)
    assert (begin, end) == (130, 923)
    start, samples = active_samples(stored(VALUES), 40.0, 5)
    assert start == begin
    np.testing.assert_array_equal(samples[:], VALUES[begin:end])
    np.testing.assert_array_equal(at_level(samples, -26.0)[:], set_level(VALUES[begin:end], -26.0))
    for zeros in (np.zeros(9, np.float32), stored(np.zeros(9, np.float32))):
        start, samples = active_samples(zeros, 40.0, 5)
        assert (start, at_level(samples, -26.0)[:].tolist()) == (0, [0] * 5)
