import numpy as np
import pytest
from scipy.stats import binomtest, chisquare
from sklearn.base import clone

from voicelstm import SpecAugment

OFF = {"frequency_mask": None, "time_mask": None, "equalization": 0.0}
N_ROWS, N_FRAMES, N_FEATURES = 4000, 30, 12


def changed(n_rows=N_ROWS, lengths=None, seed=0, scale=1.0, dtype="float64", **settings):
    """Change segments of ones, zeros behind them."""
    lengths = np.full(n_rows, N_FRAMES) if lengths is None else np.asarray(lengths)
    batch = np.ones((n_rows, N_FRAMES, N_FEATURES), dtype)
    batch[np.arange(N_FRAMES) >= lengths[:, None]] = 0
    before = batch.copy()
    result = SpecAugment(**(OFF | settings))(batch, lengths, np.random.default_rng(seed), scale=scale)
    np.testing.assert_array_equal(batch, before)
    assert result.dtype == batch.dtype
    return result


def spans(hidden):
    """First place and number of places of the mask of each row; that it is in one piece is checked."""
    edges = np.diff(hidden.astype(int), axis=1, prepend=0, append=0)
    assert ((edges == 1).sum(axis=1) <= 1).all()
    return edges.argmax(axis=1), hidden.sum(axis=1)


def assert_uniform(values, least, most):
    assert (values.min(), values.max()) == (least, most)
    assert chisquare(np.bincount(values - least, minlength=most - least + 1)).pvalue > 1e-4


def test_frequency_masks_hide_neighbouring_features_at_all_frames():
    found = changed(frequency_mask=(2, 5), frequency_mask_probability=0.4)
    hidden = (found == 0).all(axis=1)
    np.testing.assert_array_equal(found, np.where(hidden[:, None], 0, np.ones((1, N_FRAMES, 1))))
    first, width = spans(hidden)
    assert binomtest(int((width > 0).sum()), N_ROWS, 0.4).pvalue > 1e-4
    assert_uniform(width[width > 0], 2, 5)
    assert_uniform(first[width == 3], 0, N_FEATURES - 3)
    of_one_width = changed(50, frequency_mask=(3, 3), frequency_mask_probability=1.0)
    assert ((of_one_width == 0).all(axis=1).sum(axis=1) == 3).all()


def test_time_masks_hide_following_frames_and_half_of_a_segment_at_most():
    lengths = np.tile([30, 8, 1, 0], N_ROWS // 4)
    found = changed(lengths=lengths, time_mask=(3, 9), time_mask_probability=0.7)
    hidden = (found == 0).all(axis=2)
    np.testing.assert_array_equal(found, np.where(hidden[:, :, None], 0, np.ones((1, 1, N_FEATURES))))
    for length, least, most in ((30, 3, 9), (8, 3, 4)):
        first, width = spans(hidden[lengths == length, :length])
        assert binomtest(int((width > 0).sum()), len(width), 0.7).pvalue > 1e-4
        if length == 30:
            assert_uniform(width[width > 0], least, most)
        else:  # 4 frames are half, of whatever was drawn to be longer
            assert binomtest(int((width == 3).sum()), int((width > 0).sum()), 1 / 7).pvalue > 1e-4
            assert set(width.tolist()) == {0, 3, 4}
        assert_uniform(first[width == least], 0, length - least)
    assert hidden[lengths == 0].all()
    assert not hidden[lengths == 1, 0].any()
    assert hidden[lengths == 1, 1:].all()


def test_an_equaliser_is_a_line_from_point_to_point_and_the_same_at_each_frame():
    # Of 12 features four points are the first, the last and two at a third and at two thirds between them,
    # from feature 3.67 to 7.33.
    added = changed(equalization=0.5, equalization_points=4) - 1
    assert (np.ptp(added, axis=1) < 1e-12).all()
    of_row = added[:, 0]
    inner = [np.polynomial.Polynomial.fit([4, 7], row[[4, 7]], 1)(np.arange(4, 8)) for row in of_row[:50]]
    np.testing.assert_allclose(of_row[:50, 4:8], inner, atol=1e-12)
    np.testing.assert_allclose(np.std(of_row[:, [0, 11]], axis=0), 0.5, rtol=0.05)
    np.testing.assert_allclose(np.mean(of_row, axis=0), 0, atol=0.04)
    # Between two independent draws, by hand.
    share = 1 - np.abs(np.arange(12)[:, None] - np.arange(4) * 11 / 3) * 3 / 11
    expected = 0.5 * np.sqrt((np.maximum(share, 0) ** 2).sum(axis=1))
    np.testing.assert_allclose(np.std(of_row, axis=0), expected, rtol=0.05)
    assert abs(np.corrcoef(of_row[:, 0], of_row[:, 11])[0, 1]) < 0.1


def test_one_point_is_the_same_for_all_features():
    added = changed(equalization=2.0, equalization_points=1) - 1
    assert (np.ptp(added, axis=(1, 2)) < 1e-12).all()
    np.testing.assert_allclose(np.std(added[:, 0, 0]), 2.0, rtol=0.05)


def test_it_adds_in_the_units_of_what_was_scaled():
    scale = np.linspace(0.5, 2, N_FEATURES)
    plain, scaled = (changed(equalization=0.5, scale=each) - 1 for each in (1.0, scale))
    np.testing.assert_allclose(scaled, plain * scale, atol=1e-12)
    augment = SpecAugment(**(OFF | {"equalization": 0.5}))
    batch = np.ones((N_ROWS, N_FRAMES, N_FEATURES))
    unscaled = augment(batch, [N_FRAMES] * N_ROWS, np.random.default_rng(0))
    np.testing.assert_array_equal(unscaled - 1, plain)


def test_nothing_changes_where_all_is_off_or_nothing_is_probable():
    lengths = np.arange(31)
    for settings in ({}, {"frequency_mask": (1, 3), "frequency_mask_probability": 0.0}):
        found = changed(31, lengths, **settings)
        np.testing.assert_array_equal(found[:, :, 0], np.arange(N_FRAMES) < lengths[:, None])
    assert changed(2, dtype="float32", equalization=1.0).dtype == np.float32
    # What is behind a segment is 0 again, whatever is added to the segment.
    added = changed(31, lengths, equalization=1.0)
    np.testing.assert_array_equal((added != 0).all(axis=2), np.arange(N_FRAMES) < lengths[:, None])
    np.testing.assert_array_equal((added == 0).all(axis=2), np.arange(N_FRAMES) >= lengths[:, None])


def test_equal_generators_draw_the_same_and_each_effect_for_itself():
    every = {"frequency_mask": (1, 4), "time_mask": (2, 8), "equalization": 0.5}
    found = changed(50, **every)
    np.testing.assert_array_equal(changed(50, **every), found)
    assert (changed(50, seed=1, **every) != found).any()
    # Masks where they are with all of the effects.
    masks = changed(50, **(every | {"equalization": 0.0}))
    np.testing.assert_array_equal(masks == 0, found == 0)
    only_time = changed(50, time_mask=(2, 8))
    np.testing.assert_array_equal((only_time == 0).all(axis=2), (found == 0).all(axis=2))
    more_points = changed(50, **every, equalization_points=9)
    np.testing.assert_array_equal(more_points == 0, found == 0)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"frequency_mask": (3, 1)}, r"frequency_mask=\(3, 1\) of SpecAugment: expected a pair"),
        ({"frequency_mask": (1, 12)}, "could hide all features, of which there are 12: give at most 11"),
        ({"frequency_mask": (1, 2, 3)}, "frequency_mask"),
        ({"frequency_mask": np.array(3)}, r"frequency_mask=array\(3\) of SpecAugment: expected a pair"),
        ({"time_mask": (0, 4)}, r"time_mask=\(0, 4\) of SpecAugment.*in frames"),
        ({"time_mask": (1.0, 4.0)}, "time_mask"),
        ({"time_mask": 5}, "'time_mask' parameter of SpecAugment"),
        ({"time_mask_probability": 1.1}, "'time_mask_probability' parameter"),
        ({"time_mask_probability": -0.1}, "'time_mask_probability' parameter"),
        ({"frequency_mask_probability": 1.1}, "'frequency_mask_probability' parameter"),
        ({"frequency_mask_probability": -0.1}, "'frequency_mask_probability' parameter"),
        ({"equalization": -1.0}, "'equalization' parameter"),
        ({"equalization": float("inf")}, "'equalization' parameter"),
        ({"equalization": True}, "equalization=True of SpecAugment: expected a number"),
        ({"equalization_points": 0}, "'equalization_points' parameter"),
    ],
)
def test_a_bad_parameter_is_named(settings, words):
    with pytest.raises(ValueError, match=words):
        changed(2, **settings)


@pytest.mark.parametrize(
    ("batch", "lengths"),
    [
        (np.ones((3, 4)), [3]),
        (np.ones((1, 3, 4), int), [3]),  # to which a fraction cannot be added
        (np.ones((2, 3, 4)), [3]),
        (np.ones((1, 3, 4)), 3),
    ],
)
def test_a_batch_of_another_kind_is_refused(batch, lengths):
    with pytest.raises(ValueError, match=r"^Expected floating-point segments of shape \(n_rows, n_frames"):
        SpecAugment(frequency_mask=None)(batch, lengths, np.random.default_rng(0))


def test_it_is_cloned_and_set_like_an_estimator():
    augment = clone(SpecAugment(time_mask=[1, 2]).set_params(equalization=0.1))
    assert augment.get_params() == SpecAugment(time_mask=[1, 2], equalization=0.1).get_params()


def test_its_defaults_are_those_of_the_guide():
    assert SpecAugment().get_params() == {
        "frequency_mask": (1, 15),
        "frequency_mask_probability": 0.5,
        "time_mask": (5, 39),
        "time_mask_probability": 0.3,
        "equalization": 0.6,
        "equalization_points": 6,
    }
