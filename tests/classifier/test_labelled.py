import numpy as np
import pytest
from sklearn.base import clone

from tests.classifier.fits import clips_of, small
from voicelstm.classifier._labelled import LabelledInput
from voicelstm.exceptions import SequenceWarning

pytestmark = pytest.mark.every_backend


def test_weight_zero_is_absence_and_integer_weights_are_repetition(double_precision):
    X, y = clips_of(16)
    weight = np.ones(16)
    weight[3] = 0
    kept = np.flatnonzero(weight)
    exact = {"dtype": "float64", "batch_size": 64, "shuffle": False, "dropout": 0.0}
    without = small(**exact).fit([X[i] for i in kept], y[kept])
    weighted = small(**exact).fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(weighted.decision_function(X), without.decision_function(X), rtol=1e-7)
    weight[3], weight[5] = 1, 2
    repeated = small(**exact).fit([*X, X[5]], [*y, y[5]])
    weighted = small(**exact).fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(weighted.decision_function(X), repeated.decision_function(X), rtol=1e-6)


def test_class_weights_multiply_sample_weights(double_precision):
    X, y = clips_of(20)
    X, y = X[:13], y[:13]
    exact = {"dtype": "float64", "batch_size": 64, "shuffle": False, "dropout": 0.0}
    by_class = small(**exact, class_weight={0: 1.0, 1: 3.0}).fit(X, y)
    by_clip = small(**exact).fit(X, y, sample_weight=np.where(y == 1, 3.0, 1.0))
    # Standardisation is of the clips as they are, so the two may differ in it and in nothing else.
    unscaled = [c.set_params(standardize=False) for c in (clone(by_class), clone(by_clip))]
    unscaled[0].fit(X, y)
    unscaled[1].fit(X, y, sample_weight=np.where(y == 1, 3.0, 1.0))
    np.testing.assert_allclose(*(c.decision_function(X) for c in unscaled), rtol=1e-9)
    balanced = small(class_weight="balanced").fit(X, y)
    assert balanced.log_prior_odds_ == pytest.approx(0)
    assert small().fit(X, y).log_prior_odds_ == pytest.approx(np.log(6 / 7))
    np.testing.assert_allclose(
        by_clip.log_likelihood_ratio(X), by_clip.decision_function(X) - np.log(6 * 3 / 7)
    )


def checked(labels, weight=None, classes=None, class_weight=None, one_pass=False, lengths=None):
    clips = [np.zeros((n, 2)) for n in (lengths or [3] * len(labels))]
    return LabelledInput.checked(clips, labels, weight, classes, class_weight, one_pass)


def test_a_balanced_weight_makes_the_weights_of_the_classes_equal():
    found = checked(["h", "s", "s", "s"], weight=[2, 1, 1, 4], class_weight="balanced")
    # By hand: classes weigh 2 and 6 of 8, and each gets 4.
    np.testing.assert_allclose(found.weight, [4, 2 / 3, 2 / 3, 8 / 3])
    np.testing.assert_allclose(found.class_totals(), [4, 4])
    assert found.sample_weight.tolist() == [2, 1, 1, 4]


def test_clips_without_frames_or_weight_are_left_out():
    with pytest.warns(SequenceWarning, match=r"1 empty clips .* positions \[1\]"):
        found = checked([5, 5, 7, 7], weight=[1, 1, 0, 3], lengths=[2, 0, 2, 4])
    assert [len(clip) for clip in found.clips] == [2, 4]
    assert found.classes[found.target].tolist() == [5, 7]


def test_labels_are_numbers_for_two_classes_and_one_hot_for_more():
    assert checked(["b", "a", "b"]).encoded(np.dtype("float32")).tolist() == [[1], [0], [1]]
    expected = [[0, 0, 1], [1, 0, 0], [0, 1, 0]]
    assert checked([9, 3, 5]).encoded(np.dtype("float32")).tolist() == expected


def test_a_part_is_held_out_of_each_class_with_its_weights():
    labels = np.repeat([0, 1], [20, 60])
    kept, held_out = checked(labels, weight=np.arange(1, 81)).split(0.25, np.random.default_rng(0))
    assert np.bincount(held_out.target).tolist() == [5, 15]
    assert sorted([*kept.weight, *held_out.weight]) == list(range(1, 81))


def test_a_batch_of_a_stream_may_lack_classes_but_brings_no_new_ones():
    known = np.array(["h", "s"])
    assert checked(["s", "s"], classes=known, one_pass=True).target.tolist() == [1, 1]
    with pytest.raises(ValueError, match="not among the classes"):
        checked(["s", "x"], classes=known, one_pass=True)
    with pytest.raises(ValueError, match="1 class"):
        checked(["s", "s"])
    with pytest.raises(ValueError, match="needs all clips at once"):
        checked(["s", "h"], classes=known, class_weight="balanced", one_pass=True)
