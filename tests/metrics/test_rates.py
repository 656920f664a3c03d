import warnings
from itertools import pairwise

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from sklearn.dummy import DummyClassifier

from tests.metrics.clips import NAMES, SCORES, both, rates_by_counting, scored, split
from voicelstm.exceptions import ScoreWarning
from voicelstm.metrics import (
    bootstrap_interval,
    det_curve,
    eer_scorer,
    equal_error_rate,
    equal_error_threshold,
    min_cllr,
    min_dcf,
)

# Clips by chance are often worse than guessing.
pytestmark = pytest.mark.filterwarnings("ignore::voicelstm.exceptions.ScoreWarning")


def test_equal_scores_are_decided_together():
    # Accepting from 0, 1, 2 upwards and nothing: false alarms 1, 1/3, 0, 0 and misses 0, 0, 2/3, 1. The line
    # from (1/3, 0) to (0, 2/3) is where both are 2/9.
    y, scores = both([2, 1, 1], [1, 0, 0])
    assert equal_error_rate(y, scores) == pytest.approx(2 / 9)
    # Human first among the ties: with 0, 0 and one human clip of 1 rejected, both are 1/3.
    assert equal_error_rate(y, scores, method="asvspoof") == pytest.approx(1 / 3)
    y, scores = both([7, 7, 7], [7, 7])
    assert equal_error_rate(y, scores) == 0.5
    assert equal_error_rate(y, scores, method="asvspoof") == 1
    assert min_dcf(y, scores) == min_cllr(y, scores) == 1


@given(scored)
def test_det_curve_counts_both_errors_at_every_threshold(clips):
    human, synthetic = split(clips)
    false_alarm, miss, thresholds = det_curve(*both(human, synthetic))
    # Log-odds of synthetic, as `both` gives them: from the threshold upwards a clip is taken for synthetic.
    assert thresholds.tolist() == [np.inf, *sorted({-score for score in (*human, *synthetic)}, reverse=True)]
    for threshold, missed, accepted in zip(thresholds, miss, false_alarm, strict=True):
        assert missed == pytest.approx(np.mean(np.negative(human) >= threshold))
        assert accepted == pytest.approx(np.mean(np.negative(synthetic) < threshold))
    np.testing.assert_allclose(np.column_stack([miss, false_alarm]), rates_by_counting(human, synthetic)[1:])
    assert (false_alarm[0], miss[0], false_alarm[-1], miss[-1]) == (1, 0, 0, 1)


@given(scored)
def test_det_curve_holds_all_points_of_scikit_learn(clips):
    y, scores = both(*split(clips))
    mine = {point[2]: point[:2] for point in zip(*det_curve(y, -scores, pos_label="human"), strict=True)}
    for false_alarm, miss, threshold in zip(*sklearn.metrics.det_curve(y == "human", -scores), strict=True):
        assert mine[threshold] == pytest.approx((false_alarm, miss))


def test_det_curve_speaks_in_the_units_of_the_scores():
    y = ["human", "human", "synthetic"]
    false_alarm, miss, thresholds = det_curve(y, [-2.0, 1.0, 0.5], pos_label="synthetic")
    # Taken for synthetic is what reaches the threshold.
    assert thresholds.tolist() == [np.inf, 1.0, 0.5, -2.0]
    assert false_alarm.tolist() == [1, 1, 0, 0]
    assert miss.tolist() == [0, 0.5, 0.5, 1]


@given(scored)
def test_the_equal_error_rate_lies_on_the_curve_between_points(clips):
    human, synthetic = split(clips)
    points = rates_by_counting(human, synthetic)
    crossings = []
    for (miss, false_alarm), (next_miss, next_false_alarm) in pairwise(points):
        gap, next_gap = false_alarm - miss, next_false_alarm - next_miss
        if gap >= 0 >= next_gap and gap > next_gap:
            crossings.append((gap * next_miss - next_gap * miss) / (gap - next_gap))
    assert equal_error_rate(*both(human, synthetic)) == pytest.approx(crossings[0])


@given(scored)
def test_the_asvspoof_method_does_what_its_evaluation_package_does(clips):
    # Sorted stably with the human clips first; the rates after each clip; their mean where they differ least.
    human, synthetic = split(clips)
    points = [(0.0, 1.0)]
    n_missed, n_accepted = 0, len(synthetic)
    in_order = [*((score, True) for score in human), *((score, False) for score in synthetic)]
    for _, is_human in sorted(in_order, key=lambda clip: clip[0]):
        n_missed += is_human
        n_accepted -= not is_human
        points.append((n_missed / len(human), n_accepted / len(synthetic)))
    closest = min(points, key=lambda point: abs(point[0] - point[1]))
    assert equal_error_rate(*both(human, synthetic), method="asvspoof") == pytest.approx(sum(closest) / 2)


def test_equal_error_threshold_is_halfway_and_no_side_matters():
    assert equal_error_threshold(*both([3, 1], [0, -1])) == -0.5
    assert equal_error_threshold(NAMES, SCORES, pos_label="human") == pytest.approx((0.5 - 0.2) / 2)
    assert equal_error_threshold(NAMES, -SCORES, pos_label="synthetic") == pytest.approx(-(0.5 - 0.2) / 2)
    assert equal_error_threshold(*both([4, 3, 2], [1, 0])) == -1.5
    assert equal_error_threshold(*both([2, 2], [2])) == -2
    # One human clip and two synthetic: between 1 and 2 the rates are 0 and 1/2, between 2 and 3 1 and 1/2.
    assert equal_error_threshold(*both([2], [1, 3])) == -2.5
    # No number lies between neighbours, and none in the middle of infinity and another: the class of higher
    # scores, here synthetic, has the threshold itself.
    below, above = np.nextafter(1.0, 0), np.nextafter(1.0, 2)
    assert equal_error_threshold(*both([1.0], [below])) == -below
    assert equal_error_threshold(*both([above], [1.0])) == -1.0
    assert equal_error_threshold(*both([1.0], [-np.inf])) == np.nextafter(-1.0, 0)
    assert equal_error_threshold(["human", "synthetic"], [1.0, below], pos_label="human") == 1.0


@pytest.mark.parametrize("method", ["interpolated", "asvspoof"])
def test_a_rate_worse_than_guessing_warns_that_the_sign_may_be_turned_round(method):
    with pytest.warns(ScoreWarning, match=r"equal error rate is 0\.80.*the sign of the scores may be turned"):
        assert equal_error_rate(NAMES, SCORES, method=method) == pytest.approx(0.8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert equal_error_rate(NAMES, SCORES, pos_label="human", method=method) == pytest.approx(0.2)
        equal_error_rate(NAMES, np.zeros(10), method=method)  # says nothing of any direction
        # Not once for each resample, and not where a scorer knows the direction.
        bootstrap_interval(equal_error_rate, NAMES, SCORES, n_resamples=20, random_state=0)
        known = DummyClassifier().fit(SCORES[:, None], NAMES)
        known.decision_function = lambda X: X[:, 0]
        assert eer_scorer(known, SCORES[:, None], NAMES) == pytest.approx(-0.8)
    with pytest.warns(ScoreWarning):  # nor is it off afterwards
        equal_error_rate(NAMES, SCORES)
