import numpy as np

from voicelstm.sequences import FrameStatistics


def test_statistics_are_those_of_all_frames_whatever_the_order_of_clips():
    generator = np.random.default_rng(0)
    clips = [generator.normal(3, 2, size=(n, 4)) for n in (5, 1, 40)]
    weights = [1.0, 0.5, 2.0]
    frames = np.concatenate(clips)
    weight = np.repeat(weights, [5, 1, 40])
    mean = np.average(frames, axis=0, weights=weight)
    variance = np.average((frames - mean) ** 2, axis=0, weights=weight)
    at_once = FrameStatistics.nothing_yet(4).updated(clips, weights)
    in_parts = FrameStatistics.nothing_yet(4).updated(clips[2:], weights[2:]).updated(clips[:2], weights[:2])
    for statistics in (at_once, in_parts):
        np.testing.assert_allclose(statistics.mean, mean)
        np.testing.assert_allclose(statistics.deviation(), np.sqrt(variance))


def test_constant_features_keep_their_scale():
    statistics = FrameStatistics.nothing_yet(2).updated([np.array([[0.1, 1.0], [0.1, 3.0]])] * 7, [1.0] * 7)
    np.testing.assert_allclose(statistics.deviation(), [1, 1])


def test_a_clip_of_weight_zero_changes_no_statistics():
    clips = [np.array([[1.0], [3.0]]), np.array([[1000.0]])]
    statistics = FrameStatistics.nothing_yet(1).updated(clips, [1.0, 0.0])
    assert statistics.mean.tolist() == [2.0]
    # The first as well, before there is anything to add it to.
    first = FrameStatistics.nothing_yet(1).updated(clips, [0.0, 1.0])
    assert (first.total, first.mean.tolist(), first.spread.tolist()) == (1, [1000], [0])


def test_adding_clips_leaves_the_statistics_before_as_they_were():
    before = FrameStatistics.nothing_yet(1).updated([np.array([[1.0], [3.0]])], [1.0])
    after = before.updated([np.array([[8.0]])], [2.0])
    assert (before.total, before.mean.tolist(), before.spread.tolist()) == (2, [2], [2])
    # By hand: 1 and 3 once, 8 twice; their mean is 5, the squares of their distances 16, 4, 9 and 9.
    assert (after.total, after.mean.tolist(), after.spread.tolist()) == (4, [5], [38])


def test_of_no_frames_the_deviation_is_one():
    statistics = FrameStatistics.nothing_yet(2).updated([np.zeros((0, 2))], [1.0])
    assert statistics.deviation().tolist() == [1, 1]


def test_a_large_mean_takes_no_digits_from_the_deviation():
    # Sums of squares would lose all of them: 1e8 squared has no digit left for 1 in float64.
    frames = np.array([[1e8], [1e8 + 2.0]])
    statistics = FrameStatistics.nothing_yet(1).updated([frames] * 1000, [1.0] * 1000)
    np.testing.assert_allclose(statistics.spread / statistics.total, [1.0], rtol=1e-6)


def test_a_deviation_below_a_millionth_of_the_mean_is_rounding():
    mean = np.array([1e3, 1e3, -1e3, 0.0])
    variance = np.array([0.9e-6, 1.1e-6, 0.9e-6, 1e-30])
    deviation = FrameStatistics(2.0, mean, 2.0 * variance).deviation()
    np.testing.assert_allclose(deviation, [1, np.sqrt(1.1e-6), 1, 1e-15])
